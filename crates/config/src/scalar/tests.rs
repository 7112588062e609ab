//! Rows of values: what is accepted, what is refused, and that examples, patterns and printing agree with the parser.

use std::time::Duration;

use proptest::prelude::{any, proptest};

use super::{
    Address, BasePath, Count, FileName, Flag, Host, MailServer, Mailbox, Method, PageOrigin, Period, Raw, Scalar,
    Share, Size, Target, Template, Text, VersionPath, shape,
};
use crate::plan::{HostPattern, MailCipher};

fn parse<T: Scalar>(text: &str) -> Result<T, String> {
    T::parse(Raw { text, plain: true })
}

fn examples_fit<T: Scalar>() {
    assert!(!T::EXAMPLES.is_empty(), "{}", T::NAME);
    for example in T::EXAMPLES {
        assert!(parse::<T>(example).is_ok(), "{}: {example}", T::NAME);
        if let Some(pattern) = T::PATTERN {
            let schema = serde_json::json!({ "type": "string", "pattern": pattern });
            assert!(jsonschema::is_valid(&schema, &serde_json::json!(example)), "{}: {example}", T::NAME);
        }
    }
}

#[test]
fn examples_fit_parser_and_pattern() {
    examples_fit::<Period>();
    examples_fit::<Size>();
    examples_fit::<Count>();
    examples_fit::<Share>();
    examples_fit::<Flag>();
    examples_fit::<Text>();
    examples_fit::<FileName>();
    examples_fit::<Address>();
    examples_fit::<Host>();
    examples_fit::<Method>();
    examples_fit::<PageOrigin>();
    examples_fit::<Target>();
    examples_fit::<MailServer>();
    examples_fit::<Mailbox>();
    examples_fit::<BasePath>();
    examples_fit::<Template>();
    examples_fit::<VersionPath>();
}

#[test]
fn shares() {
    for (text, millionths) in
        [("0%", 0), ("10%", 100_000), ("0.5%", 5_000), ("100%", 1_000_000), ("99.9999%", 999_999), ("0.0001%", 1)]
    {
        assert_eq!(parse::<Share>(text).map(|share| share.millionths), Ok(millionths), "{text}");
    }
    for text in ["", "%", "10", "0.1", "101%", "100.0001%", "-1%", "1e1%", ".5%", "5.%", "0.00001%", "1 %", "1000%"] {
        assert!(parse::<Share>(text).is_err(), "{text}");
    }
}

#[test]
fn durations() {
    for (text, millis) in
        [("0s", 0), ("1ms", 1), ("90s", 90_000), ("2m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000)]
    {
        assert_eq!(parse::<Period>(text).map(|period| period.duration()), Ok(Duration::from_millis(millis)), "{text}");
    }
    for text in ["", "s", "1", "1.5s", "-1s", "1 s", "01s", "1S", "1min", "+1s", "1s ", "99999999999999999999ms"] {
        assert!(parse::<Period>(text).is_err(), "{text}");
    }
    assert!(parse::<Period>("18446744073709551615d").is_err(), "it would overflow");
}

#[test]
fn origins() {
    for (text, origin) in [
        ("https://App.example.com", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://*.Example.com:443", "https://*.example.com"),
    ] {
        assert_eq!(parse::<PageOrigin>(text), Ok(PageOrigin::Only(origin.to_owned())), "{text}");
    }
    assert_eq!(parse::<PageOrigin>("*"), Ok(PageOrigin::Any));
    for text in
        ["", "null", "app.example.com", "https://app.example.com/", "ftp://a", "https://*.com", "https://a.*.com"]
    {
        assert!(parse::<PageOrigin>(text).is_err(), "{text}");
    }
}

#[test]
fn servers_of_mail() {
    for (text, host, port, cipher) in [
        ("smtps://Mail.example.com", "mail.example.com", 465, MailCipher::Tls),
        ("smtp+starttls://mail.example.com", "mail.example.com", 587, MailCipher::StartTls),
        ("smtp://127.0.0.1", "127.0.0.1", 25, MailCipher::None),
        ("smtps://[::1]:2465", "::1", 2465, MailCipher::Tls),
    ] {
        let MailServer(server, how) = parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!((server.host.as_str(), server.port, how), (host, port, cipher), "{text}");
        assert_eq!(server.tls, cipher == MailCipher::Tls, "{text}");
    }
    for text in ["", "mail", "imaps://a", "smtps://u:p@a", "smtps://a/", "smtps://a:0", "smtps://a b", "smtps://a\r\nb"]
    {
        assert!(parse::<MailServer>(text).is_err(), "{text}");
    }
}

#[test]
fn mailboxes() {
    for (text, expected) in [
        ("on.call+gate@Example.com", "on.call+gate@example.com"),
        ("O'Hara@localhost", "O'Hara@localhost"),
        ("{a}=b|c@a-b.example", "{a}=b|c@a-b.example"),
    ] {
        assert_eq!(parse::<Mailbox>(text), Ok(Mailbox(expected.to_owned())), "{text}");
    }
    let (long, whole) = (format!("{}@a", "a".repeat(65)), format!("a@{}", "a.".repeat(127) + "a"));
    for text in [
        "",
        "a",
        "@a",
        "a@",
        "a@b@c",
        "a b@c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "\"a\"@b",
        "A <a@b>",
        "<a@b>",
        "a@b>",
        "a@b c",
        "a,b@c",
        "a@b\r\nRCPT TO:<c@d>",
        "a\r\nBcc: c@d",
        "a\n@b",
        "a\0@b",
        "ä@b",
        "a@ä",
        "a@[127.0.0.1]",
        "a@b.",
        "a@*.b",
        &long,
        &whole,
    ] {
        assert!(parse::<Mailbox>(text).is_err(), "{text:?}");
    }
}

#[test]
fn sizes() {
    for (text, bytes) in [("0B", 0), ("1B", 1), ("64KiB", 65_536), ("10MiB", 10_485_760), ("1GiB", 1_073_741_824)] {
        assert_eq!(parse::<Size>(text).map(|size| size.bytes), Ok(bytes), "{text}");
    }
    for text in ["", "1", "1K", "1KB", "1kib", "1.5MiB", "1 MiB", "010B", "18446744073709551615GiB"] {
        assert!(parse::<Size>(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn quantities_are_printed_as_they_are_read(value in any::<u64>()) {
        let period = Period::millis(value);
        assert_eq!(parse::<Period>(&period.to_string()), Ok(period));
        let size = Size { bytes: value };
        assert_eq!(parse::<Size>(&size.to_string()), Ok(size));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let raw = Raw { text: &text, plain: true };
        let outcomes = [
            Period::parse(raw).is_ok(), Size::parse(raw).is_ok(), Address::parse(raw).is_ok(), Host::parse(raw).is_ok(),
            Method::parse(raw).is_ok(), Target::parse(raw).is_ok(), BasePath::parse(raw).is_ok(), MailServer::parse(raw).is_ok(), Mailbox::parse(raw).is_ok(),
            Template::parse(raw).is_ok(), VersionPath::parse(raw).is_ok(),
        ];
        assert_eq!(outcomes.len(), 11);
    }
}

#[test]
fn quotes_matter_for_numbers_and_flags() {
    assert!(Count::parse(Raw { text: "1", plain: false }).is_err());
    assert!(Flag::parse(Raw { text: "true", plain: false }).is_err());
    for text in ["yes", "on", "True", "TRUE", "1", ""] {
        assert!(parse::<Flag>(text).is_err(), "{text}");
    }
    for text in ["0x10", "1e3", "1_000", "+1", "-1", "01", "18446744073709551616"] {
        assert!(parse::<Count>(text).is_err(), "{text}");
    }
}

#[test]
fn hosts() {
    let exact = |name: &str| Ok(Host(HostPattern::Exact(name.to_owned())));
    assert_eq!(parse("API.Example.com"), exact("api.example.com"));
    assert_eq!(parse("localhost"), exact("localhost"));
    assert_eq!(parse("127.0.0.1"), exact("127.0.0.1"));
    assert_eq!(parse("[0:0::1]"), exact("[::1]"));
    assert_eq!(parse("*"), Ok(Host(HostPattern::Any)));
    assert_eq!(parse("*.Example.org"), Ok(Host(HostPattern::Suffix(".example.org".to_owned()))));
    for text in
        ["", "*.", "**", "*.*", "a..b", "a.*", "a:80", "[::1]:80", "http://a", "a/b", "a b", "127.0.0.01", "1.2.3"]
    {
        assert!(parse::<Host>(text).is_err(), "{text}");
    }
}

#[test]
fn targets() {
    for (text, shown) in [
        ("http://127.0.0.1", "http://127.0.0.1:80"),
        ("https://Orders.internal", "https://orders.internal:443"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://[::1]", "https://[::1]:443"),
    ] {
        assert_eq!(parse::<Target>(text).map(|target| target.0.to_string()), Ok(shown.to_owned()), "{text}");
    }
    for text in [
        "",
        "http://",
        "//a",
        "a:80",
        "HTTP://a",
        "http://a/",
        "http://a?b",
        "http://a@b",
        "http://a:",
        "http://a:x",
        "unix:/x",
    ] {
        assert!(parse::<Target>(text).is_err(), "{text}");
    }
}

#[test]
fn templates() {
    for text in [
        "",
        "/",
        "/a",
        "/a/",
        "/{id}",
        "/a/{id}/b",
        "/{*rest}",
        "/a%20b",
        "/a:b@c",
        "/%C3%BC",
        "/a;b",
        "/a{b}",
        "/{a}.{b}/c",
        "/{id}:cancel",
        "/({a},{b})",
    ] {
        assert_eq!(parse::<Template>(text), Ok(Template(text.to_owned())));
    }
    for text in [
        "a",
        "//",
        "/a//b",
        "/.",
        "/a/..",
        "/a/.;x",
        "/%2e",
        "/%2F",
        "/%c3%bc",
        "/%C3",
        "/%",
        "/ ",
        "/ü",
        "/{a}{b}",
        "/{{a}}",
        "/{*}",
        "/{*a}/",
        "/{*a}b",
        "/b{*a}",
        "/a}",
        "/{a",
        "/{a}.{a}",
        "/{a}%2e{b}",
        "/{a}ü",
    ] {
        assert!(parse::<Template>(text).is_err(), "{text}");
    }
}

#[test]
fn shapes_leave_out_what_parameters_are_called() {
    assert_eq!(shape("/a/{id}/{*rest}"), shape("/a/{other}/{*x}"));
    assert_ne!(shape("/a/{id}"), shape("/a/{*id}"));
    assert_ne!(shape("/a/id"), shape("/a/{id}"));
    assert_eq!(shape("/a/{id}.{kind}"), shape("/a/{x}.{y}"));
    assert_ne!(shape("/a/{id}.{kind}"), shape("/a/{id}"));
}

#[test]
fn made_up_values_are_values() {
    assert!(parse::<Template>(&Template::made_up().0).is_ok());
    assert!(parse::<BasePath>(&BasePath::made_up().0).is_ok());
    assert!(parse::<Target>(&Target::made_up().0.to_string()).is_ok());
}
