//! Alerts: signed, once, together, again until somebody takes them; about what is wrong and nothing else.

use crate::anomalies::{before, guess};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_anomaly::Step;
use portcullis_config::plan::{
    AlertsPlan, BufferPlan, EmailPlan, Endpoint, LogFormat, LogSink, MailCipher, Plan, SecurityLogPlan, SyslogPlan,
    UpstreamTlsPlan, WebhookPlan,
};
use portcullis_config::{Environment, load_text};
use portcullis_testkit::certificates::Authority;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::mail_server::{Act, Manner};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Client, FakeUpstream, Heard, MailServer};
use portcullis_types::Secret;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

fn alerts(scratch: &Scratch) -> AlertsPlan {
    AlertsPlan {
        webhook: None,
        email: None,
        file: Some(scratch.path().join("alerts.log")),
        group: Duration::from_millis(200),
        again: Duration::from_secs(3600),
        per_hour: 20,
        certificates: Duration::from_secs(60),
        masking_failures: 3,
        findings: Some(Step::Observe),
    }
}

fn webhook(address: SocketAddr) -> WebhookPlan {
    let at = Endpoint {
        secure: false,
        host: address.ip().to_string(),
        port: address.port(),
        target: "/hook?to=me".to_owned(),
        tls: UpstreamTlsPlan::default(),
        networks: Vec::new(),
    };
    WebhookPlan { at, secret: Secret::new(SECRET.to_owned()) }
}

/// Waits for a line of this kind.
fn line(scratch: &Scratch, kind: &str) -> Value {
    eventually(&format!("an alert of {kind}"), || {
        let text = std::fs::read_to_string(scratch.path().join("alerts.log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).find(|line| line["kind"] == kind)
    })
}

#[test]
fn a_message_is_signed_and_sent_until_it_is_taken() {
    let (scratch, upstream, ours) = (Scratch::new(), FakeUpstream::echoing(), Authority::new());
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let kept = Arc::clone(&heard);
    let server = FakeUpstream::with(move |talk| {
        while let Some(request) = talk.request() {
            let count = {
                let mut kept = kept.lock().unwrap();
                kept.push(request);
                kept.len()
            };
            let status = if count == 1 { "503 Busy" } else { "204 Taken" };
            if !talk.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")) {
                return;
            }
        }
    });
    let (one, other) = (ours.leaf(&["one.test"]), ours.leaf(&["other.test"]));
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.listeners = vec![gateway::listener("secure", Some(gateway::tls(vec![one, other])))];
        // Longer than any certificate lives.
        let certificates = Duration::from_secs(100_000_000_000);
        plan.alerts = Some(AlertsPlan { webhook: Some(webhook(server.address())), certificates, ..alerts(&scratch) });
    });
    gate.wait_metric("portcullis_alert_messages_total{to=\"webhook\",result=\"sent\"}", 1.0);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 2, "once more, and not again");
    let field = |request: &Heard, name: &str| request.field(name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(field(&heard[0], "webhook-id"), field(&heard[1], "webhook-id"), "one message");
    for request in heard.iter() {
        assert_eq!(request.target(), "/hook?to=me");
        let (id, at) = (field(request, "webhook-id"), field(request, "webhook-timestamp"));
        let mut signed = format!("{id}.{at}.").into_bytes();
        signed.extend_from_slice(&request.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"0123456789abcdef01234567");
        let expected = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)));
        assert_eq!(field(request, "webhook-signature"), expected);
    }
    let body: Value = serde_json::from_slice(&heard[1].body).unwrap();
    let told = body["alerts"].as_array().unwrap();
    assert_eq!(told.len(), 2, "both certificates in one message: {body}");
    assert!(
        told.iter().all(|alert| alert["kind"] == "certificate_expiring" && alert["severity"] == "warning"),
        "{body}"
    );
    assert!(told[0]["text"].as_str().unwrap().contains("one.test"), "{body}");
    assert_eq!(line(&scratch, "certificate_expiring")["about"], told[0]["about"]);
    gate.wait_metric("portcullis_alerts_total{kind=\"certificate_expiring\"}", 2.0);
    assert!(!gate.handle().metrics().contains(SECRET));
}

/// A busy server gets it in the end, and one that never takes anything keeps nobody from being told otherwise.
#[test]
fn a_message_goes_by_mail_as_well_and_once() {
    let (scratch, upstream, ours) = (Scratch::new(), FakeUpstream::echoing(), Authority::new());
    let busy = Manner { moods: vec![&[("MAIL", Act::Say("451 busy\r\n"))]], ..Manner::default() };
    let server = MailServer::start(busy);
    let email = |server: SocketAddr| EmailPlan {
        server: gateway::target(server),
        cipher: MailCipher::None,
        tls: UpstreamTlsPlan::default(),
        login: None,
        from: "gate@example.com".to_owned(),
        to: vec!["oncall@example.com".to_owned()],
    };
    let before = |server: SocketAddr| {
        Gatehouse::with(upstream.address(), |plan| {
            let certificates = vec![ours.leaf(&["one.test"]), ours.leaf(&["other.test"])];
            plan.listeners = vec![gateway::listener("secure", Some(gateway::tls(certificates)))];
            let certificates = Duration::from_secs(100_000_000_000);
            plan.alerts = Some(AlertsPlan { email: Some(email(server)), certificates, ..alerts(&scratch) });
        })
    };
    let gate = before(server.address());
    gate.wait_metric("portcullis_alert_messages_total{to=\"email\",result=\"sent\"}", 1.0);
    let mails = server.mails();
    let [(readers, mail)] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((readers.len(), server.heard().len()), (1, 2), "{mails:?}");
    assert!(mail.contains("\r\nSubject: [portcullis] warning: 2 alerts (certificate_expiring)\r\n"), "{mail}");
    drop(gate);
    let refusing = Manner { moods: vec![&[("RCPT", Act::Say("550 nobody\r\n"))]], ..Manner::default() };
    let server = MailServer::start(refusing);
    let gate = before(server.address());
    gate.wait_metric("portcullis_alert_messages_total{to=\"email\",result=\"failed\"}", 1.0);
    gate.wait_metric("portcullis_alert_messages_total{to=\"file\",result=\"sent\"}", 1.0);
    assert!(server.mails().is_empty() && server.heard().len() == 1, "{:?}", server.heard());
}

#[test]
fn records_that_wait_and_that_are_lost_are_told() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let gate = Gatehouse::with(upstream.address(), |plan: &mut Plan| {
        let server = gateway::target(FakeUpstream::nobody());
        let sink = LogSink::Syslog(SyslogPlan { server, facility: 10, tls: None });
        let buffer = Some(BufferPlan { folder: scratch.path().join("buffer"), bytes: 1_000 });
        let format = LogFormat::Json;
        plan.security_log = Some(SecurityLogPlan { sink, format, rotation: None, queue: 1_000, buffer });
        plan.alerts = Some(alerts(&scratch));
    });
    eventually("a record that is lost", || {
        let answer = Client::connect(gate.address()).ask("GET /%2f HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(answer.status, 400);
        (gate.metric("portcullis_security_records_total{result=\"dropped\"}") > 0.5).then_some(())
    });
    let filling = line(&scratch, "security_buffer_filling");
    assert!(filling["text"].as_str().unwrap().contains(" % of the buffer"), "{filling}");
    assert_eq!(line(&scratch, "security_records_lost")["severity"], "critical");
}

#[test]
fn what_is_unusual_is_told() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let gate = before(&upstream, Step::Observe, None, |plan| plan.alerts = Some(alerts(&scratch)));
    guess(&gate, "192.0.2.1");
    let alert = line(&scratch, "anomaly");
    assert_eq!(alert["about"], "not_found 192.0.2.1", "{alert}");
    assert!(alert["text"].as_str().unwrap().contains("is usual"), "{alert}");
}

/// Answers that cannot be masked are events of the security record, and many of them an alert.
#[test]
fn masking_that_fails_again_and_again_is_told() {
    let scratch = Scratch::new();
    let upstream =
        FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    let text = format!(
        "version: 1
listeners: {{ public: {{ bind: \"127.0.0.1:0\" }} }}
security_log: {{ to: {{ file: security.log }} }}
alerts: {{ file: alerts.log, group: 1s, masking_failures: 3 }}
apis:
  shop:
    hosts: [\"*\"]
    upstream: {{ targets: [\"http://{}\"] }}
    authn: public
    mask: [{{ name: email, fields: [\"$..email\"] }}]
    routes: [{{ path: /, methods: [GET] }}]
",
        upstream.address()
    );
    let loaded = load_text("alerts.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
    let gate = Gatehouse::start(loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan);
    let ask = || {
        let answer = Client::connect(gate.address()).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(answer.status, 502);
        answer.field("x-request-id").unwrap().to_owned()
    };
    let ids = [ask(), ask()];
    let security = |path: &Path| std::fs::read_to_string(path.join("security.log")).unwrap_or_default();
    eventually("both events", || {
        let text = security(scratch.path());
        ids.iter().all(|id| text.contains(id)).then_some(())
    });
    assert_eq!(security(scratch.path()).matches("\"event\":\"masking_failed\"").count(), 2);
    assert!(gate.metric("portcullis_alerts_total{kind=\"masking_failures\"}") < 0.5, "two are not enough");
    ask();
    assert!(line(&scratch, "masking_failures")["text"].as_str().unwrap().starts_with("3 answers"));
}
