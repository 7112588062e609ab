//! Where a request comes from: PROXY headers and forwarding fields count from listed peers only, and what is sent on
//! names one client.

use crate::check::{GOOD, good_request_works, problem};
use portcullis_testkit::certificates::Authority;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Answer, Client, FakeUpstream};
use portcullis_types::Network;
use std::time::{Duration, Instant};

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| Network::parse(text).unwrap()).collect()
}

/// `plain` believes nobody, `behind` a proxy on this machine and others, `balanced` wants PROXY headers.
fn gate(upstream: &FakeUpstream) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| {
        let mut behind = gateway::listener("behind", None);
        behind.provenance.trusted = networks(&["127.0.0.0/8", "10.0.0.0/8"]);
        let mut balanced = behind.clone();
        balanced.name = "balanced".into();
        balanced.provenance.proxy_protocol = true;
        let mut strange = balanced.clone();
        strange.name = "strange".into();
        strange.provenance.trusted = networks(&["10.0.0.0/8"]);
        plan.listeners.extend([behind, balanced, strange]);
        gateway::limit(plan, |limits| limits.head_timeout = Duration::from_millis(500));
    })
}

fn ask(gate: &Gatehouse, listener: &str, fields: &str) -> Answer {
    Client::connect(gate.listener(listener)).ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
}

/// What the upstream was told, as `address scheme`.
fn told(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let of = |name: &str| {
        let values: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(name)).collect();
        assert_eq!(values.len(), 1, "{name} in {text}");
        values[0].trim_end().to_owned()
    };
    assert!(!text.to_ascii_lowercase().contains("\nforwarded:"), "{text}");
    format!("{} {}", of("x-forwarded-for: "), of("x-forwarded-proto: "))
}

#[test]
fn a_client_cannot_say_where_it_is() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    for fields in [
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n",
        "Forwarded: for=6.6.6.6;proto=https\r\n",
        "X-Forwarded-For: not an address\r\nForwarded: \"\r\n",
        "X-Request-ID: chosen\r\n",
    ] {
        let answer = ask(&gate, "plain", fields);
        assert_eq!(told(&answer), "127.0.0.1 http", "{fields}");
        let id = answer.field("x-request-id").unwrap();
        assert_ne!(id, "chosen");
        let record = gate.records().of(id);
        assert!(record["client"].is_null() && record["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{record}");
    }
}

#[test]
fn a_listed_proxy_is_believed_up_to_the_first_stranger() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    for (fields, expect) in [
        ("", "127.0.0.1 http"),
        ("X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7 http"),
        ("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "192.0.2.7 https"),
        ("X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.3\r\n", "192.0.2.7 http"),
        ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7 http"),
        ("Forwarded: for=6.6.6.6, for=\"[2001:db8::7]:99\";proto=https;by=_gate\r\n", "2001:db8::7 https"),
        ("Forwarded: for=_hidden;proto=https\r\n", "127.0.0.1 https"),
        ("Forwarded: for=192.0.2.7\r\nX-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7 http"),
    ] {
        let answer = ask(&gate, "behind", fields);
        assert_eq!(told(&answer), expect, "{fields}");
        let secure = answer.field("strict-transport-security").is_some();
        assert_eq!(secure, expect.ends_with("https"), "{fields}");
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        let client = expect.split(' ').next().filter(|client| *client != "127.0.0.1");
        assert_eq!(record["client"].as_str(), client, "{record}");
    }
    let answer = ask(&gate, "behind", "X-Request-ID: from-the-edge_7\r\n");
    assert_eq!(answer.field("x-request-id"), Some("from-the-edge_7"));
    assert!(answer.text().contains("x-request-id: from-the-edge_7\r\n"), "{}", answer.text());
    for odd in ["a b", "x\"y", &"7".repeat(65), "a\r\nX-Request-ID: b"] {
        let answer = ask(&gate, "behind", &format!("X-Request-ID: {odd}\r\n"));
        assert_eq!((answer.status, answer.field("x-request-id").unwrap().len()), (200, 36), "{odd}");
    }
}

#[test]
fn what_a_listed_proxy_says_must_be_readable() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    for fields in [
        "X-Forwarded-For: localhost\r\n",
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: gopher\r\n",
        "Forwarded: for=2001:db8::7\r\n",
        "Forwarded: for=\"192.0.2.7\r\n",
        // The proxy writes one of them, a client the other.
        "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n",
    ] {
        problem(&ask(&gate, "behind", fields), 400, "malformed_forwarding", fields);
    }
    assert_eq!(upstream.requests(), 0);
    good_request_works(&gate, "unreadable forwarding fields");
}

#[test]
fn proxy_headers_say_where_connections_come_from() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    let second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\x0a\0\0\x01\xdc\x04\x01\xbb".as_slice();
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".as_slice();
    for (header, fields, expect) in [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n".as_slice(), "", "192.0.2.7 http"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "", "2001:db8::7 http"),
        (b"PROXY UNKNOWN\r\n", "", "127.0.0.1 http"),
        (second, "", "192.0.2.9 http"),
        (local, "", "127.0.0.1 http"),
        // A client behind the load balancer is no proxy; a proxy behind it is.
        (second, "X-Forwarded-For: 6.6.6.6\r\n", "192.0.2.9 http"),
        (b"PROXY TCP4 10.0.0.8 10.0.0.1 1 443\r\n", "X-Forwarded-For: 192.0.2.8\r\n", "192.0.2.8 http"),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        // At once, and cut in two at every place.
        for cut in 0..header.len() {
            let mut client = Client::connect(gate.listener("balanced"));
            client.send(&header[..cut]);
            if cut > 0 && cut % 7 == 0 {
                assert!(client.is_quiet_for(Duration::from_millis(5)));
            }
            client.send(&header[cut..]);
            let answer = client.ask(&request);
            assert_eq!(told(&answer), expect, "{:?}", String::from_utf8_lossy(header));
            // It is said once for a connection.
            assert_eq!(told(&client.ask(&request)), expect);
        }
    }
}

#[test]
fn connections_without_a_proxy_header_are_closed() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    for header in [GOOD, "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n", "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c012345678901"] {
        let mut client = Client::connect(gate.listener("balanced"));
        drop(client.try_send(header));
        assert_eq!(client.rest().0, b"", "closed without a word");
    }
    gate.wait_metric("portcullis_proxy_headers_refused_total{reason=\"malformed\"}", 3.0);
    let began = Instant::now();
    let mut client = Client::connect(gate.listener("balanced"));
    client.send("PROXY TCP4 192.0");
    assert_eq!(client.rest().0, b"");
    assert!(began.elapsed() < Duration::from_secs(5), "the time for a head");
    gate.wait_metric("portcullis_proxy_headers_refused_total{reason=\"incomplete\"}", 1.0);
    let mut client = Client::connect(gate.listener("strange"));
    drop(client.try_send("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n"));
    assert_eq!(client.rest().0, b"");
    gate.wait_metric("portcullis_proxy_headers_refused_total{reason=\"untrusted_peer\"}", 1.0);
    gate.wait_metric("portcullis_connections", 0.0);
    assert_eq!(upstream.requests(), 0);
    // Where none is expected, one is no request.
    problem(&Client::connect(gate.address()).ask("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n\r\n"), 400, "malformed_head", "");
    good_request_works(&gate, "connections that do not say where they come from");
}

#[test]
fn a_proxy_header_stands_before_the_handshake() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let leaf = authority.leaf(&["api.test"]);
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.listeners[0].tls = Some(gateway::tls(vec![leaf]));
        plan.listeners[0].provenance.trusted = networks(&["127.0.0.1"]);
        plan.listeners[0].provenance.proxy_protocol = true;
    });
    let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n";
    let mut client = Client::tls_after(header, gate.address(), &authority.client(&[]), "api.test").unwrap();
    let answer = client.ask("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(told(&answer), "192.0.2.7 https");
    let record = gate.records().of(answer.field("x-request-id").unwrap());
    assert_eq!(record["client"], "192.0.2.7", "{record}");
    let mut client = Client::connect(gate.address());
    client.send(header);
    problem(&client.ask(GOOD), 400, "plaintext_on_tls", "plain HTTP behind a PROXY header");
}
