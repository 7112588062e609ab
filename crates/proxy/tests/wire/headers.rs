//! Which header lines reach the upstream and which the client: hop by hop, identity, provenance, ids.

use crate::check::{GOOD, problem};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::{Client, FakeUpstream};

/// What arrives upstream for a GET with these lines.
fn forwarded(lines: &str) -> Vec<String> {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let answer = Client::connect(gate.address()).ask(format!("GET / HTTP/1.1\r\nHost: api.test:81\r\n{lines}\r\n"));
    assert_eq!(answer.status, 200, "{lines:?}");
    answer.text().split("\r\n").map(str::to_owned).collect()
}

fn values<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let split = lines.iter().filter_map(|line| line.split_once(':'));
    split.filter(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

#[test]
fn fields_of_one_connection_end_here() {
    let lines = forwarded(
        "Connection: keep-alive, X-Private, x-other\r\nX-Private: 1\r\nX-Other: 2\r\nx-private: 3\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\
         Proxy-Authorization: Basic eDp5\r\nTrailer: X-Sum\r\nX-Kept: 4\r\n",
    );
    for gone in [
        "connection",
        "x-private",
        "x-other",
        "keep-alive",
        "proxy-connection",
        "te",
        "upgrade",
        "http2-settings",
        "proxy-authorization",
        "trailer",
    ] {
        assert_eq!(values(&lines, gone), [""; 0], "{gone} in {lines:?}");
    }
    assert_eq!(values(&lines, "x-kept"), ["4"]);
}

#[test]
fn a_client_cannot_name_away_what_others_judge_by() {
    let lines = forwarded(
        "Connection: Authorization, Cookie, Content-Type, Origin, X-Request-ID, traceparent, X-Forwarded-For, Host,\
         \x20X-Forwarded-Proto, close\r\nAuthorization: Basic eDp5\r\nCookie: a=b\r\nContent-Type: text/plain\r\n\
         Origin: https://a.test\r\n",
    );
    for (kept, value) in [
        ("authorization", "Basic eDp5"),
        ("cookie", "a=b"),
        ("content-type", "text/plain"),
        ("origin", "https://a.test"),
        ("host", "api.test:81"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
    ] {
        assert_eq!(values(&lines, kept), [value], "{kept} in {lines:?}");
    }
    assert_eq!(values(&lines, "x-request-id").len(), 1);
    assert_eq!(values(&lines, "traceparent").len(), 1);
}

#[test]
fn nobody_but_the_gateway_says_who_calls() {
    let lines = forwarded(
        "X-Consumer-ID: root\r\nx-consumer-username: root\r\nX-CREDENTIAL-ID: 1\r\nX-Authenticated-Scope: admin\r\n\
         X-Identity-Token: x.y.z\r\nX_Consumer_ID: root\r\nx-consumer_id: root\r\nX_CONSUMER-USERNAME: root\r\n\
         X_Identity_Token: x.y.z\r\nX-Consumer-ID: root\r\nX-Consumer-Groups: admin\r\nx_consumer_custom_id: root\r\n\
         X-Authenticated-Userid: root\r\nX-Credential-Identifier: root\r\nX-Anonymous-Consumer: root\r\nX-Other: kept\r\n",
    );
    let text = lines.join("\n").to_lowercase();
    for secret in ["root", "admin", "x.y.z", "consumer", "credential", "identity", "scope"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(values(&lines, "x-other"), ["kept"]);
}

#[test]
fn where_a_request_came_from_is_what_we_saw() {
    let lines = forwarded(
        "Forwarded: for=1.2.3.4;host=evil\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8\r\n\
         X-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n\
         X-Forwarded-Server: evil\r\nX-Real-IP: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\nX_Real_IP: 1.2.3.4\r\n",
    );
    assert_eq!(values(&lines, "x-forwarded-for"), ["127.0.0.1"], "{lines:?}");
    assert_eq!(values(&lines, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&lines, "x-forwarded-host"), ["api.test:81"]);
    let text = lines.join("\n");
    assert!(!text.contains("evil") && !text.contains("1.2.3.4") && !text.contains("5.6.7.8"), "{text}");
}

#[test]
fn no_field_makes_the_upstream_act_on_another_path_or_method() {
    let lines = forwarded(
        "X-Original-URL: /evil\r\nX-Rewrite-URL: /evil\r\nX-HTTP-Method-Override: EVIL\r\nX-HTTP-Method: EVIL\r\n\
         X-Method-Override: EVIL\r\nX_HTTP_Method_Override: EVIL\r\nX.Original.URL: /evil\r\nX-Host: evil\r\n\
         X-Original-Host: evil\r\nTrue-Client-IP: evil\r\nCF-Connecting-IP: evil\r\nX-Client-IP: evil\r\n\
         X.Consumer.ID: evil\r\nContent_Type: evil\r\nX-Kept: yes\r\n",
    );
    assert!(!lines.join("\n").to_lowercase().contains("evil"), "{lines:?}");
    assert_eq!(values(&lines, "x-kept"), ["yes"]);
}

#[test]
fn the_host_that_was_routed_is_the_one_that_is_forwarded() {
    for (asked, expected) in [("API.Test", "api.test"), ("api.test.:81", "api.test:81"), ("[::1]:81", "[::1]:81")] {
        let upstream = FakeUpstream::echoing();
        let gate = Gatehouse::before(upstream.address());
        let answer = Client::connect(gate.address()).ask(format!("GET / HTTP/1.1\r\nHost: {asked}\r\n\r\n"));
        assert_eq!(answer.status, 200, "{asked}");
        assert!(upstream.text().contains(&format!("\r\nhost: {expected}\r\n")), "{asked}: {}", upstream.text());
    }
}

#[test]
fn every_request_has_an_id_of_ours_that_everybody_sees() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: forged\r\nX_Request_ID: forged\r\n\r\n";
    let answer = Client::connect(gate.address()).ask(request);
    let sent: Vec<String> = answer.text().split("\r\n").map(str::to_owned).collect();
    let id = answer.field("x-request-id").unwrap().to_owned();
    assert_eq!(values(&sent, "x-request-id"), [id.as_str()]);
    assert!(!answer.text().contains("forged"));
    assert_eq!(gate.records().of(&id)["status"], 200);
}

#[test]
fn a_trace_goes_on_and_a_broken_one_starts_anew() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let sent = |field: &str| {
        let lines = forwarded(&format!("traceparent: {field}\r\n"));
        let found = values(&lines, "traceparent");
        assert_eq!(found.len(), 1);
        let parts: Vec<String> = found[0].split('-').map(str::to_owned).collect();
        assert_eq!(parts.iter().map(String::len).collect::<Vec<_>>(), [2, 32, 16, 2], "{found:?}");
        parts
    };
    let parts = sent(&format!("00-{trace}-b7ad6b7169203331-00"));
    assert_eq!((parts[1].as_str(), parts[3].as_str()), (trace, "00"));
    assert_ne!(parts[2], "b7ad6b7169203331", "the parent is the gateway");
    for broken in [
        "",
        "00-x-y-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        &format!("00-{trace}-0000000000000000-01"),
        &format!("ff-{trace}-b7ad6b7169203331-01"),
        &format!("00-{}-b7ad6b7169203331-01", trace.to_uppercase()),
        &format!("00-{trace}-b7ad6b7169203331-01-more"),
    ] {
        assert_ne!(sent(broken)[1], trace, "{broken}");
    }
}

#[test]
fn what_is_not_ours_passes_unchanged_and_in_order() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a: \xe9\xff\r\nX-B:  2 \t\r\nX-Empty:\r\nAccept: a/b;q=\"<>\"\r\n\r\n");
    let answer = client.answer();
    let body = &answer.body;
    let order: Vec<usize> = [&b"\r\nX-B: 1\r\n"[..], b"\r\nx-a: \xe9\xff\r\n", b"\r\nX-B: 2\r\n", b"\r\nX-Empty: \r\n"]
        .iter()
        .map(|line| {
            portcullis_testkit::client::find(body, line).unwrap_or_else(|| panic!("{line:?} in {}", answer.text()))
        })
        .collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn the_target_that_was_judged_is_the_one_that_is_forwarded() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for (asked, sent) in [
        ("/a/../b", "/b"),
        ("/%61%2d%7E", "/a-~"),
        ("/a//b/./c", "/a/b/c"),
        ("/a?b=%2F&c=<d>", "/a?b=%2F&c=%3Cd%3E"),
        ("http://a/x/../y", "/y"),
        ("HTTP://a", "/"),
        ("/%c3%a9", "/%C3%A9"),
    ] {
        let answer = client.ask(format!("GET {asked} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.text().split(' ').nth(1), Some(sent), "{asked}");
    }
    for (asked, code) in [
        ("/a%2fb", "ambiguous_target"),
        ("/a%5cb", "ambiguous_target"),
        ("/a\\b", "ambiguous_target"),
        ("/a;b", "ambiguous_target"),
        ("/a/..;/b", "ambiguous_target"),
        ("/%00", "malformed_target"),
        ("/%0d%0aX-A:%20b", "malformed_target"),
        ("/%", "malformed_target"),
        ("/%zz", "malformed_target"),
        ("/%c0%af", "malformed_target"),
        ("/%ff", "malformed_target"),
        ("/..", "malformed_target"),
        ("/a/../../b", "malformed_target"),
        ("/a#b", "malformed_target"),
    ] {
        let answer = client.ask(format!("GET {asked} HTTP/1.1\r\nHost: a\r\n\r\n"));
        problem(&answer, 400, code, asked);
        assert!(!answer.says_close(), "{asked}: the message itself was well-formed");
    }
    assert_eq!(client.ask(GOOD).status, 200);
}

#[test]
fn methods_that_would_tunnel_or_echo_are_not_forwarded() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    for line in ["CONNECT a:443 HTTP/1.1", "TRACE / HTTP/1.1"] {
        let answer = Client::connect(gate.address()).ask(format!("{line}\r\nHost: a:443\r\n\r\n"));
        problem(&answer, 501, "method_not_implemented", line);
    }
    let answer = Client::connect(gate.address()).ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    problem(&answer, 404, "route_not_found", "OPTIONS *");
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn banners_and_fields_of_their_connection_do_not_reach_the_client() {
    let upstream = FakeUpstream::answering(
        "HTTP/1.1 200 Fine\r\nServer: nginx/1.0\r\nX-Powered-By: PHP/5\r\nVia: 1.1 x\r\nX-AspNet-Version: 4\r\n\
         Connection: keep-alive, X-Private\r\nKeep-Alive: timeout=5\r\nX-Private: 1\r\nProxy-Authenticate: Basic\r\n\
         Upgrade: h2c\r\nX-Consumer-ID: 7\r\nX-Request-ID: theirs\r\nX-Frame-Options: ALLOWALL\r\n\
         Content-Security-Policy: default-src *\r\nStrict-Transport-Security: max-age=0\r\nReferrer-Policy: unsafe-url\r\n\
         X-Content-Type-Options: off\r\nProxy-Status: theirs\r\n\
         Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nETag: \"x\"\r\nContent-Length: 2\r\n\r\nok",
    );
    let gate = Gatehouse::before(upstream.address());
    let answer = Client::connect(gate.address()).ask(GOOD);
    crate::check::security_headers(&answer, "an answer with banners");
    for gone in [
        "x-aspnet-version",
        "connection",
        "keep-alive",
        "x-private",
        "proxy-authenticate",
        "upgrade",
        "x-consumer-id",
        "strict-transport-security",
        "proxy-status",
    ] {
        assert_eq!(answer.field(gone), None, "{gone} in {:?}", answer.head);
    }
    assert_eq!(answer.all("set-cookie"), ["a=b", "c=d"]);
    assert_eq!(answer.field("etag"), Some("\"x\""));
    assert!(!answer.head.contains("theirs"));
}
