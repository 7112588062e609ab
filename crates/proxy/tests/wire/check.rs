//! What every answer of ours has, and the good request that works after every attack.

use portcullis_testkit::{Answer, Client, Gatehouse};

/// A request that nothing is wrong with.
pub(crate) const GOOD: &str = "GET /good HTTP/1.1\r\nHost: api.test\r\n\r\n";

/// A good request on a connection of its own is served.
pub(crate) fn good_request_works(gate: &Gatehouse, after: &str) {
    let answer = Client::connect(gate.address()).ask(GOOD);
    assert_eq!(answer.status, 200, "a good request after {after}");
}

/// An answer of ours: RFC 9457, security headers, an id, nothing that may be stored.
pub(crate) fn problem(answer: &Answer, status: u16, code: &str, about: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{about}: {:?} {:?}",
        answer.head,
        answer.text()
    );
    let body = answer.json();
    assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{about}");
    assert_eq!(body["status"], status, "{about}");
    let registered = match code {
        "quota_exceeded" => Some("quota-exceeded"),
        "reduced_capacity" => Some("temporary-reduced-capacity"),
        "too_many_failures" | "abnormal_usage" => Some("abnormal-usage-detected"),
        _ => None,
    };
    match registered {
        Some(name) => {
            assert_eq!(body["type"], format!("https://iana.org/assignments/http-problem-types#{name}"), "{about}");
            // Only a caller goes over a policy; an upstream has none.
            let names = body["violated-policies"].as_array();
            assert!(code == "reduced_capacity" || names.is_some_and(|names| !names.is_empty()), "{about}");
            assert!(answer.field("retry-after").is_some(), "{about}");
        }
        None => assert_eq!(body["type"], format!("http://127.0.0.1:9180/problems/{code}"), "{about}"),
    }
    for member in ["title", "detail"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{about}: {member}");
    }
    assert_eq!(body["request_id"].as_str(), answer.field("x-request-id"), "{about}");
    assert_eq!(answer.field("cache-control"), Some("no-store"), "{about}");
    assert!(answer.field("proxy-status").is_some_and(|value| value.starts_with("portcullis; error=")), "{about}");
    security_headers(answer, about);
}

/// The base set, each exactly once.
pub(crate) fn security_headers(answer: &Answer, about: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.all(name), [value], "{about}: {name}");
    }
    assert_eq!(answer.all("x-request-id").len(), 1, "{about}");
    assert_eq!(answer.all("date").len(), 1, "{about}");
    for banner in ["server", "x-powered-by", "via"] {
        assert_eq!(answer.field(banner), None, "{about}");
    }
}

/// One head of ours; a body belongs to it or is cut off, so that nothing else can be read out of it.
pub(crate) fn well_formed(bytes: &[u8], about: &str) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{about}: {text:?}"));
    let mut lines = head.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
    assert!(first.len() == 3 && first[1].starts_with('/') && first[2] == "HTTP/1.1", "{about}: {text:?}");
    let (mut framings, mut hosts) = (0, 0);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{about}: {line:?}"));
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'), "{about}: {line:?}");
        assert!(value.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)), "{about}: {line:?}");
        let name = name.to_ascii_lowercase();
        framings += usize::from(name == "content-length" || name == "transfer-encoding");
        hosts += usize::from(name == "host");
        assert!(name != "transfer-encoding" || value == "chunked", "{about}: {line:?}");
    }
    assert!(framings <= 1 && hosts == 1, "{about}: {text:?}");
    assert!(framings == 1 || rest.is_empty(), "{about}: {text:?}");
}
