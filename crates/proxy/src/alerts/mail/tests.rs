//! Mail against servers that dawdle, refuse, speak nonsense and show the wrong certificate; after each of them one that is good is believed.

use super::super::outbox::Message;
use super::super::{Alert, Kind};
use super::Mailer;
use crate::outcall::patience::Ending;
use crate::record::wall::WallTexts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_config::plan::{EmailPlan, MailCipher, TargetPlan, UpstreamTlsPlan};
use portcullis_testkit::MailServer;
use portcullis_testkit::certificates::{self, Authority};
use portcullis_testkit::mail_server::{Act, Manner, Mood};
use portcullis_types::{Clock, Secret};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

const USER: &str = "gate";
const PASSWORD: &str = "p\u{e4}ss w\u{f6}rd";

fn plan(server: SocketAddr) -> EmailPlan {
    let (host, port) = (server.ip().to_string(), server.port());
    EmailPlan {
        server: TargetPlan { tls: false, host, port, from: None },
        cipher: MailCipher::None,
        tls: UpstreamTlsPlan::default(),
        login: None,
        from: "gate@example.com".to_owned(),
        to: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
    }
}

fn message(alerts: Vec<Alert>, left_out: usize) -> Message {
    Message { alerts, left_out }
}

fn alert(text: &str) -> Alert {
    let link = "https://console.example.com/findings".to_owned();
    let (kind, about, text) = (Kind::Anomaly, "not_found ada".to_owned(), text.to_owned());
    Alert { kind, about, is_critical: true, text, at_ms: 1_795_470_645_123, link }
}

fn compose(mailer: &Mailer, message: &Message) -> String {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_470_645_123);
    mailer.compose(message, &mut WallTexts::default(), now).unwrap()
}

/// Sends one alert, with the patience of a test; whether everybody has it.
fn deliver(plan: &EmailPlan) -> bool {
    let mut mailer = Mailer::new(plan).unwrap();
    mailer.attempt = Duration::from_millis(500);
    let mail = compose(&mailer, &message(vec![alert("404 again and again")], 0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(mailer.deliver(&mail, &Ending::new(&Clock::system())))
}

/// Whether it arrives where the first connections are of these moods, and how many there were. Then another one does.
fn with(moods: &[Mood]) -> (bool, usize) {
    let server = MailServer::start(Manner { moods: moods.to_vec(), ..Manner::default() });
    let arrived = deliver(&plan(server.address()));
    let connections = server.heard().len();
    let before = server.mails().len();
    assert!(deliver(&plan(server.address())), "a good server after {moods:?}");
    assert_eq!(server.mails().len(), before + 1, "{moods:?}");
    (arrived, connections)
}

/// Head and text of a message as mail programs see them.
fn read(mail: &str) -> (String, String) {
    let (head, body) = mail.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap())
}

#[test]
fn a_message_is_what_mail_programs_read() {
    let server = MailServer::start(Manner::default());
    assert!(deliver(&plan(server.address())));
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    let said: Vec<&str> = heard[0].clear.split("\r\n").collect();
    assert_eq!(
        &said[..5],
        [
            "EHLO [127.0.0.1]",
            "MAIL FROM:<gate@example.com>",
            "RCPT TO:<a@example.com>",
            "RCPT TO:<b@example.com>",
            "DATA"
        ]
    );
    assert_eq!(said.last(), Some(&""), "{said:?}");
    let (head, text) = read(heard[0].mails[0].1.trim_end_matches(".\r\n"));
    let field =
        |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{head}"));
    assert_eq!(field("Date: "), "Mon, 23 Nov 2026 21:50:45 +0000");
    assert_eq!(field("Subject: "), "[portcullis] critical: anomaly");
    assert_eq!(field("From: "), "Portcullis <gate@example.com>");
    assert!(head.contains("\r\nTo: a@example.com,\r\n b@example.com\r\n"), "{head}");
    let id = field("Message-ID: ");
    assert!(id.len() == 32 + "<@example.com>".len() && id.ends_with("@example.com>"), "{id}");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "404 again and again",
            "  critical, anomaly at 2026-11-23T21:50:45.123Z",
            "  about: not_found ada",
            "  link: https://console.example.com/findings",
            "",
            ""
        ]
    );
}

#[test]
fn nothing_in_an_alert_is_more_than_text() {
    let mailer = Mailer::new(&plan("127.0.0.1:1".parse().unwrap())).unwrap();
    let hostile = [
        "a\r\nBcc: c@d\r\n\r\nhello",
        "\r\n.\r\nMAIL FROM:<x@y>",
        "\n.\n",
        "\0\u{7f}\u{9b}",
        "\u{202e}gnp.exe\u{2028}x",
        ".",
        "..",
        "ü\u{1f600}",
        "",
    ];
    let alerts =
        hostile.iter().map(|text| Alert { about: (*text).to_owned(), link: (*text).to_owned(), ..alert(text) });
    let alerts: Vec<Alert> = alerts.chain([alert(&"x".repeat(100_000))]).collect();
    let count = alerts.len();
    let mail = compose(&mailer, &message(alerts, 7));
    assert!(mail.ends_with("\r\n") && mail.is_ascii() && mail.len() < 64 * 1024, "{}", mail.len());
    for line in mail.trim_end().split("\r\n") {
        assert!(line.len() <= 78 && !line.contains(['\r', '\n', '\0']) && !line.starts_with('.'), "{line:?}");
    }
    let (head, text) = read(&mail);
    assert_eq!(head.split("\r\n").filter(|line| !line.starts_with(' ')).count(), 9, "{head}");
    assert!(head.contains("\r\nSubject: [portcullis] critical: 17 alerts (anomaly)\r\n"), "{head}");
    assert!(!text.replace("\r\n", "").contains(char::is_control), "{text:?}");
    assert_eq!(text.matches("  critical, anomaly at ").count(), count);
    // Text, severity, about, link and a blank line each; the alert with nothing to say has neither of the two.
    assert_eq!(text.split("\r\n").count(), count * 5 - 2 + 2, "{text}");
    assert!(text.ends_with("7 more are not told here.\r\n"), "{text}");
}

#[test]
fn subjects() {
    let kind = |kind: Kind, is_critical: bool| Alert { kind, is_critical, ..alert("") };
    for (alerts, left_out, expected) in [
        (vec![kind(Kind::MaskingFailures, false)], 0, "[portcullis] warning: masking_failures"),
        (
            vec![
                kind(Kind::MaskingFailures, false),
                kind(Kind::StoreUnreachable, true),
                kind(Kind::MaskingFailures, false),
            ],
            4,
            "[portcullis] critical: 7 alerts (store_unreachable, masking_failures)",
        ),
    ] {
        assert_eq!(super::subject(&message(alerts, left_out)), expected);
    }
}

#[test]
fn whoever_is_late_or_busy_is_asked_again() {
    const RESET: Act = Act::Say("421 later\r\n");
    let places: [Mood; 12] = [
        &[("", Act::Dawdle)],
        &[("EHLO", Act::Dawdle)],
        &[("RCPT", Act::Dawdle)],
        &[("DATA", Act::Dawdle)],
        &[(".", Act::Dawdle)],
        &[("", Act::Close)],
        &[("MAIL", Act::Close)],
        &[(".", Act::Close)],
        &[("", RESET)],
        &[("MAIL", RESET)],
        &[("DATA", RESET)],
        &[(".", RESET)],
    ];
    for mood in places {
        assert_eq!(with(&[mood]), (true, 2), "{mood:?}");
    }
    let patient: Mood = &[("QUIT", Act::Dawdle)];
    assert_eq!(with(&[patient]), (true, 1), "nobody waits for the end");
}

#[test]
fn nonsense_is_not_believed() {
    let rows: [Mood; 12] = [
        &[("", Act::Say("HTTP/1.1 400 Bad Request\r\n\r\n"))],
        &[("", Act::Say("220 only a line feed\n"))],
        &[("", Act::Say("220-mail.test\r\n250 other code\r\n"))],
        &[("", Act::Say("220 a\r\n220 b\r\n"))],
        &[("", Act::Flood("a"))],
        &[("", Act::Flood("220-and so on\r\n"))],
        &[("EHLO", Act::Say("\u{0}\u{1}\u{2}\u{3}\r\n"))],
        &[("MAIL", Act::Say("354 go on\r\n"))],
        &[("RCPT", Act::Say("250 fine\r\n250 fine\r\n"))],
        &[("DATA", Act::Say("250 fine\r\n"))],
        &[(".", Act::Say("999 taken\r\n"))],
        &[(".", Act::Say("25"))],
    ];
    for mood in rows {
        assert_eq!(with(&[mood]), (true, 2), "{mood:?}");
    }
}

#[test]
fn whoever_refuses_is_not_asked_again() {
    let rows: [Mood; 6] = [
        &[("", Act::Say("554 no\r\n"))],
        &[("EHLO", Act::Say("502 what\r\n"))],
        &[("MAIL", Act::Say("550 no\r\n"))],
        &[("RCPT", Act::Say("550 nobody\r\n"))],
        &[("DATA", Act::Say("554 no\r\n"))],
        &[(".", Act::Say("554 spam\r\n"))],
    ];
    for mood in rows {
        assert_eq!(with(&[mood]), (false, 1), "{mood:?}");
    }
}

#[test]
fn whoever_has_a_message_does_not_get_it_again() {
    let (later, never): (Mood, Mood) = (
        &[("RCPT TO:<a@", Act::Say("451 greylisted\r\n"))],
        &[("RCPT TO:<a@", Act::Say("550-nobody\r\n550 here\r\n"))],
    );
    for (mood, arrived, expected) in [(later, true, vec!["b", "a"]), (never, false, vec!["b"])] {
        let server = MailServer::start(Manner { moods: vec![mood], ..Manner::default() });
        assert_eq!(deliver(&plan(server.address())), arrived, "{mood:?}");
        let mails = server.mails();
        let readers: Vec<&str> = mails.iter().flat_map(|(readers, _)| readers).map(|reader| &reader[9..10]).collect();
        assert_eq!(readers, expected, "{mood:?}");
    }
}

#[test]
fn a_server_that_is_never_well_is_given_up() {
    let busy: Mood = &[("MAIL", Act::Say("450 busy\r\n"))];
    assert_eq!(with(&[busy; 5]), (false, 5));
}

#[test]
fn nothing_is_said_before_tls_and_nothing_to_somebody_else() {
    let ours = Authority::new();
    let (good, other) =
        (certificates::server(&ours.leaf(&["mail.test"])), certificates::server(&ours.leaf(&["other.test"])));
    let strange = certificates::server(&Authority::new().leaf(&["mail.test"]));
    let tls = UpstreamTlsPlan {
        ca_file: Some(ours.file()),
        server_name: Some("mail.test".to_owned()),
        client_certificate: None,
    };
    let login = Some((USER.to_owned(), Secret::new(PASSWORD.to_owned())));
    let through = |manner: Manner, cipher: MailCipher| {
        let server = MailServer::start(Manner { extensions: &["AUTH PLAIN LOGIN"], ..manner });
        let arrived = deliver(&EmailPlan { cipher, tls: tls.clone(), login: login.clone(), ..plan(server.address()) });
        let heard = server.heard();
        for conversation in &heard {
            let clear = conversation.clear.to_uppercase();
            assert!(!clear.contains("AUTH") && !clear.contains("MAIL FROM"), "{cipher:?}: {clear}");
        }
        (arrived, heard)
    };
    for (cipher, implicit) in [(MailCipher::Tls, true), (MailCipher::StartTls, false)] {
        let manner = |config: &std::sync::Arc<rustls::ServerConfig>| match implicit {
            true => Manner { tls: Some(std::sync::Arc::clone(config)), ..Manner::default() },
            false => Manner { starttls: Some(std::sync::Arc::clone(config)), ..Manner::default() },
        };
        let (arrived, heard) = through(manner(&good), cipher);
        assert!(arrived && heard[0].secret.contains("AUTH PLAIN "), "{heard:?}");
        assert_eq!(heard[0].clear, if implicit { "" } else { "EHLO [127.0.0.1]\r\nSTARTTLS\r\n" });
        for config in [&other, &strange] {
            let (arrived, heard) = through(manner(config), cipher);
            assert!(!arrived && heard.len() == 1 && heard[0].secret.is_empty(), "{heard:?}");
        }
    }
    // A server that knows no TLS, and one in whose place somebody speaks who cannot read what is encrypted.
    let (arrived, heard) = through(Manner::default(), MailCipher::StartTls);
    assert!(!arrived && heard.len() == 1, "{heard:?}");
    let injected: Mood = &[("STARTTLS", Act::Say("220 go\r\n250 evil\r\n"))];
    let manner = Manner { starttls: Some(good), moods: vec![injected], ..Manner::default() };
    let (arrived, heard) = through(manner, MailCipher::StartTls);
    assert!(arrived && heard.len() == 2 && heard[0].secret.is_empty(), "{heard:?}");
}

#[test]
fn a_login_is_by_plain_or_by_login_or_not_at_all() {
    let login = Some((USER.to_owned(), Secret::new(PASSWORD.to_owned())));
    let through = |extensions: &'static [&'static str], moods: Vec<Mood>| {
        let server = MailServer::start(Manner { extensions, moods, ..Manner::default() });
        let arrived = deliver(&EmailPlan { login: login.clone(), ..plan(server.address()) });
        (arrived, server.heard())
    };
    let base64 = |text: &str| STANDARD.encode(text);
    let plain = format!("AUTH PLAIN {}\r\n", base64(&format!("\0{USER}\0{PASSWORD}")));
    let login = format!("AUTH LOGIN\r\n{}\r\n{}\r\n", base64(USER), base64(PASSWORD));
    let rows: [(&'static [&'static str], Option<&String>); 6] = [
        (&["SIZE 1000", "AUTH LOGIN PLAIN"], Some(&plain)),
        (&["auth cram-md5 plain"], Some(&plain)),
        (&["AUTH=LOGIN"], Some(&login)),
        (&["AUTH CRAM-MD5 XPLAIN"], None),
        (&["XAUTH PLAIN"], None),
        (&[], None),
    ];
    for (extensions, expected) in rows {
        let (arrived, heard) = through(extensions, Vec::new());
        assert_eq!(arrived, expected.is_some(), "{extensions:?}");
        assert_eq!(heard[0].clear.contains("AUTH"), expected.is_some(), "{extensions:?}: {heard:?}");
        assert!(expected.is_none_or(|text| heard[0].clear.contains(text.as_str())), "{extensions:?}: {heard:?}");
        assert_eq!(heard.len(), 1);
    }
    let rows: [(Mood, bool); 3] = [
        (&[("AUTH", Act::Say("535 no\r\n"))], false),
        (&[("AUTH", Act::Say("334 more\r\n"))], true),
        (&[("AUTH", Act::Say("454 later\r\n"))], true),
    ];
    for (mood, arrived) in rows {
        let (got, heard) = through(&["AUTH PLAIN"], vec![mood]);
        assert_eq!((got, heard.len()), (arrived, 1 + usize::from(arrived)), "{mood:?}");
        assert!(!heard[0].clear.contains("MAIL FROM"), "{mood:?}");
    }
}
