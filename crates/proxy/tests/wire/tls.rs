//! TLS on both sides: versions, names, resumption, what a record says of it, and whom an upstream must prove to be.

use crate::check::{GOOD, problem, security_headers};
use portcullis_config::plan::{TlsVersion, UpstreamTlsPlan};
use portcullis_testkit::certificates::{self, Authority};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::upstream::echo;
use portcullis_testkit::{Client, FakeUpstream};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use std::sync::Arc;
use std::time::Duration;

fn gate(upstream: &FakeUpstream, authority: &Authority, names: &[&[&str]]) -> Gatehouse {
    let leaves = names.iter().map(|names| authority.leaf(names)).collect();
    Gatehouse::with(upstream.address(), |plan| {
        plan.listeners = vec![gateway::listener("tls", Some(gateway::tls(leaves))), gateway::listener("plain", None)];
        gateway::limit(plan, |limits| limits.head_timeout = Duration::from_millis(500));
    })
}

/// A good request over TLS is served.
fn works(gate: &Gatehouse, authority: &Authority, name: &str) {
    let mut client = Client::tls(gate.listener("tls"), &authority.client(&[]), name).unwrap();
    assert_eq!(client.ask(format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n")).status, 200);
}

#[test]
fn both_versions_are_spoken_and_recorded() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let gate = gate(&upstream, &authority, &[&["api.test"]]);
    for (version, spoken, name) in
        [(&TLS12, ProtocolVersion::TLSv1_2, "1.2"), (&TLS13, ProtocolVersion::TLSv1_3, "1.3")]
    {
        let mut client = Client::tls(gate.listener("tls"), &authority.client(&[version]), "api.test").unwrap();
        assert_eq!(client.session().unwrap().protocol_version(), Some(spoken));
        let answer = client.ask("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n");
        assert_eq!(answer.status, 200);
        security_headers(&answer, name);
        assert_eq!(answer.field("strict-transport-security"), Some("max-age=31536000; includeSubDomains"));
        assert!(answer.text().contains("\r\nx-forwarded-proto: https\r\n"), "{}", answer.text());
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        assert_eq!(record["tls_version"], name, "{record}");
        let group = client.session().unwrap().negotiated_key_exchange_group().unwrap().name();
        assert_eq!(record["tls_group"], group.as_str().unwrap(), "{record}");
        if name == "1.3" {
            assert_eq!(record["tls_group"], "X25519MLKEM768", "preferred where the client offers it");
        }
    }
}

#[test]
fn a_listener_can_insist_on_the_newer_version() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let leaf = authority.leaf(&["api.test"]);
    let gate = Gatehouse::with(upstream.address(), |plan| {
        let mut tls = gateway::tls(vec![leaf]);
        tls.min_version = TlsVersion::Tls13;
        plan.listeners = vec![gateway::listener("tls", Some(tls))];
    });
    assert!(Client::tls(gate.address(), &authority.client(&[&TLS12]), "api.test").is_err());
    gate.wait_metric("portcullis_tls_handshakes_failed_total", 1.0);
    works(&gate, &authority, "api.test");
}

#[test]
fn sessions_are_resumed() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let gate = gate(&upstream, &authority, &[&["api.test"]]);
    for version in [&TLS12, &TLS13] {
        let config = authority.client(&[version]);
        for round in 0..3 {
            let mut client = Client::tls(gate.listener("tls"), &config, "api.test").unwrap();
            // Tickets of TLS 1.3 come with the first bytes after the handshake.
            assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n").status, 200);
            let resumed = client.session().unwrap().handshake_kind() == Some(HandshakeKind::Resumed);
            assert_eq!(resumed, round > 0, "{version:?}, connection {round}");
        }
    }
}

#[test]
fn a_name_chooses_its_certificate_and_no_other_host_is_served_under_it() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let gate = gate(&upstream, &authority, &[&["a.test"], &["b.test", "*.c.test"]]);
    let config = authority.client(&[]);
    for name in ["a.test", "b.test", "x.c.test"] {
        works(&gate, &authority, name);
    }
    assert!(Client::tls(gate.listener("tls"), &config, "d.test").is_err(), "no certificate has that name");
    for (name, host, served) in [
        ("a.test", "a.test", true),
        ("a.test", "A.TEST", true),
        ("a.test", "a.test:8443", true),
        ("a.test", "b.test", false),
        ("b.test", "a.test", false),
        ("b.test", "y.c.test", true),
        ("x.c.test", "b.test", true),
        ("a.test", "y.c.test", false),
    ] {
        let mut client = Client::tls(gate.listener("tls"), &config, name).unwrap();
        let answer = client.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        if served {
            assert_eq!(answer.status, 200, "{host} under {name}");
        } else {
            problem(&answer, 421, "misdirected_request", host);
            client.expect_end();
        }
    }
}

#[test]
fn plain_http_to_a_tls_port_gets_one_clear_answer() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let gate = gate(&upstream, &authority, &[&["api.test"]]);
    for request in [GOOD, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "HELO there\r\n"] {
        let mut client = Client::connect(gate.listener("tls"));
        client.send(request);
        let answer = client.answer();
        problem(&answer, 400, "plaintext_on_tls", request);
        assert_eq!(answer.field("location"), None, "never a redirect");
        client.expect_end();
    }
    assert_eq!(upstream.requests(), 0);
    gate.wait_metric("portcullis_plaintext_on_tls_total", 3.0);
    works(&gate, &authority, "api.test");
}

#[test]
fn handshakes_that_fail_or_stall_are_counted_and_harm_nobody() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let gate = gate(&upstream, &authority, &[&["api.test"]]);
    let stranger = Authority::new();
    assert!(Client::tls(gate.listener("tls"), &stranger.client(&[]), "api.test").is_err());
    let mut garbage = Client::connect(gate.listener("tls"));
    garbage.send([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]);
    let mut stalled = Client::connect(gate.listener("tls"));
    stalled.send([0x16, 3, 1]);
    let mut silent = Client::connect(gate.listener("tls"));
    drop(garbage.rest());
    drop(stalled.rest());
    assert_eq!(silent.rest().0, b"", "a silent connection ends as well");
    gate.wait_metric("portcullis_connections", 0.0);
    assert!(gate.metric("portcullis_tls_handshakes_failed_total") >= 3.0);
    works(&gate, &authority, "api.test");
    assert_eq!(Client::connect(gate.listener("plain")).ask(GOOD).status, 200);
}

#[test]
fn large_bodies_go_through_tls_on_both_sides() {
    let authority = Authority::new();
    let server = certificates::server(&authority.leaf(&["upstream.test"]));
    let upstream = FakeUpstream::with_tls(server, |talk| {
        while let Some(heard) = talk.request() {
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", heard.body.len()));
            talk.send(&heard.body);
        }
    });
    let leaf = authority.leaf(&["api.test"]);
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.listeners = vec![gateway::listener("tls", Some(gateway::tls(vec![leaf])))];
        gateway::each_route(plan, |route| route.body_bytes = 10_000_000);
        trust(plan, &authority, Some("upstream.test"));
    });
    let mut client = Client::tls(gate.address(), &authority.client(&[]), "api.test").unwrap();
    let body = portcullis_testkit::Dice::new(3).bytes(2_000_000);
    for _ in 0..2 {
        client.send(format!("POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: {}\r\n\r\n", body.len()));
        client.send(&body);
        assert!(client.answer().body == body, "the body came back unharmed");
    }
}

/// Lets the upstream speak TLS under this authority.
fn trust(plan: &mut portcullis_config::plan::Plan, authority: &Authority, name: Option<&str>) {
    gateway::each_upstream(plan, |upstream| {
        upstream.targets.iter_mut().for_each(|target| target.tls = true);
        upstream.tls = Some(UpstreamTlsPlan {
            ca_file: Some(authority.file()),
            server_name: name.map(str::to_owned),
            client_certificate: None,
        });
    });
}

#[test]
fn an_upstream_must_prove_who_it_is() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for (authority, names, asked, works) in [
        (&ours, &["upstream.test"][..], Some("upstream.test"), true),
        (&ours, &["127.0.0.1"], None, true),
        (&theirs, &["upstream.test"], Some("upstream.test"), false),
        (&ours, &["other.test"], Some("upstream.test"), false),
        (&ours, &["upstream.test"], None, false),
    ] {
        let upstream = FakeUpstream::with_tls(certificates::server(&authority.leaf(names)), echo);
        let gate = Gatehouse::with(upstream.address(), |plan| trust(plan, &ours, asked));
        let mut client = Client::connect(gate.address());
        for _ in 0..2 {
            let answer = client.ask(GOOD);
            if works {
                assert_eq!(answer.status, 200, "{names:?} asked for {asked:?}");
            } else {
                problem(&answer, 502, "upstream_tls", asked.unwrap_or("the address"));
            }
        }
        assert_eq!(upstream.requests(), if works { 2 } else { 0 });
        assert_eq!(upstream.connections(), if works { 1 } else { 2 }, "a connection that stands is kept");
    }
}

#[test]
fn a_reload_keeps_connections_whose_tls_stays_the_same_and_no_others() {
    let authority = Authority::new();
    let leaf = authority.leaf(&["upstream.test", "other.test"]);
    let upstream = FakeUpstream::with_tls(certificates::server(&leaf), echo);
    let gate = Gatehouse::with(upstream.address(), |plan| trust(plan, &authority, Some("upstream.test")));
    let mut client = Client::connect(gate.address());
    let mut asked = |about: &str, connections: usize| {
        assert_eq!(client.ask(GOOD).status, 200, "{about}");
        assert_eq!(upstream.connections(), connections, "{about}");
    };
    asked("the first", 1);
    gate.handle().reload(gate.plan()).unwrap();
    asked("the same settings", 1);
    let mut renamed = gate.plan();
    trust(&mut renamed, &authority, Some("other.test"));
    gate.handle().reload(renamed.clone()).unwrap();
    asked("another name", 2);
    // The file keeps its name; what is in it does not.
    let text = std::fs::read_to_string(authority.file()).unwrap();
    let more = std::fs::read_to_string(Authority::new().file()).unwrap();
    std::fs::write(authority.file(), format!("{text}{more}")).unwrap();
    gate.handle().reload(renamed).unwrap();
    asked("other authorities", 3);
}

#[test]
fn an_authority_that_everybody_else_trusts_is_not_trusted_in_place_of_ours() {
    // Without a file, the built-in authorities count, and none of them has signed this.
    let authority = Authority::new();
    let upstream = FakeUpstream::with_tls(certificates::server(&authority.leaf(&["upstream.test"])), echo);
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_upstream(plan, |upstream| {
            upstream.targets.iter_mut().for_each(|target| target.tls = true);
            upstream.tls =
                Some(UpstreamTlsPlan { server_name: Some("upstream.test".to_owned()), ..UpstreamTlsPlan::default() });
        });
    });
    problem(&Client::connect(gate.address()).ask(GOOD), 502, "upstream_tls", "the built-in authorities");
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn an_upstream_that_speaks_plain_where_tls_is_due_is_not_talked_to() {
    let authority = Authority::new();
    let upstream = FakeUpstream::with(|talk| {
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        talk.hang();
    });
    let gate = Gatehouse::with(upstream.address(), |plan| trust(plan, &authority, Some("upstream.test")));
    problem(&Client::connect(gate.address()).ask(GOOD), 502, "upstream_tls", "plain instead of TLS");
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn an_end_without_a_goodbye_is_no_end_of_an_answer() {
    let authority = Authority::new();
    let upstream = FakeUpstream::with_tls(certificates::server(&authority.leaf(&["upstream.test"])), |talk| {
        if talk.request().is_some() {
            // Until the end, and the end is the socket's: anybody on the way could have made it.
            talk.send("HTTP/1.1 200 OK\r\n\r\nhalf of it");
            talk.pause(Duration::from_millis(100));
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| trust(plan, &authority, Some("upstream.test")));
    let answer = Client::connect(gate.address()).ask(GOOD);
    assert!(!answer.whole, "{:?}", answer.text());
    assert_eq!(gate.records().wait_for(1)[0]["outcome"], "truncated");
}

#[test]
fn a_truncated_answer_ends_without_a_goodbye_for_old_clients() {
    let authority = Authority::new();
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
            talk.pause(Duration::from_millis(100));
        }
    });
    let gate = gate(&upstream, &authority, &[&["api.test"]]);
    let mut client = Client::tls(gate.listener("tls"), &authority.client(&[]), "api.test").unwrap();
    client.send("GET / HTTP/1.0\r\nHost: api.test\r\n\r\n");
    let (bytes, end) = client.rest();
    assert!(end.is_err(), "an orderly end after {:?}", String::from_utf8_lossy(&bytes));
}

#[test]
fn our_own_certificate_is_shown_where_it_is_configured() {
    let authority = Authority::new();
    let files = authority.leaf(&["upstream.test"]);
    let mut roots = rustls::RootCertStore::empty();
    let (chain, key) = certificates::pair(&files);
    for certificate in certificates::chain(&authority.file()) {
        roots.add(certificate).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_client_cert_verifier(verifier.build().unwrap()).with_single_cert(chain, key).unwrap();
    let upstream = FakeUpstream::with_tls(Arc::new(config), echo);
    let own = authority.leaf(&["gateway.test"]);
    for shown in [true, false] {
        let gate = Gatehouse::with(upstream.address(), |plan| {
            trust(plan, &authority, Some("upstream.test"));
            let own = own.clone();
            gateway::each_upstream(plan, move |upstream| {
                upstream.tls.as_mut().unwrap().client_certificate = shown.then(|| own.clone());
            });
        });
        let answer = Client::connect(gate.address()).ask(GOOD);
        assert_eq!(answer.status, if shown { 200 } else { 502 }, "{:?}", answer.text());
    }
}
