//! curl, by every version of HTTP that it is told to speak.

use crate::house::{House, Setup};
use portcullis_testkit::MoodyUpstream;
use portcullis_testkit::load::echo;
use std::process::Command;

/// Body, version and status as curl saw them.
fn curl(house: &House, secure: bool, options: &[&str], path: &str) -> String {
    let (scheme, address) = if secure { ("https", house.tls) } else { ("http", house.plain) };
    let authority = house.folder.join("tls/ca.pem");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--write-out", " %{http_version} %{response_code}"]);
    if secure {
        curl.args(["--resolve", &format!("a.test:{}:127.0.0.1", address.port()), "--cacert"]).arg(authority);
    }
    let host = if secure { "a.test" } else { "127.0.0.1" };
    let output = curl.args(options).arg(format!("{scheme}://{host}:{}{path}", address.port())).output();
    let output =
        output.unwrap_or_else(|error| panic!("{error}: curl is missing; `cargo xtask test needs` installs it"));
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn curl_is_served() {
    let upstream = MoodyUpstream::start();
    let house = House::start(Setup::new("curl", &[upstream.address()]));
    for (secure, version, seen) in [
        (false, "--http1.1", "1.1"),
        (true, "--http1.1", "1.1"),
        // Over TLS the two agree on what both speak (ALPN).
        (true, "--http2", "2"),
        // In plain curl asks for an upgrade, which no server has to grant and RFC 9113 no longer has.
        (false, "--http2", "1.1"),
    ] {
        let about = format!("{version} {}", if secure { "over TLS" } else { "in plain" });
        assert_eq!(curl(&house, secure, &[version], "/n/1"), format!("{} {seen} 200", echo("/n/1", "")), "{about}");
        let posted = curl(&house, secure, &[version, "--data-binary", "ask"], "/n/2");
        assert_eq!(posted, format!("{} {seen} 200", echo("/n/2", "ask")), "{about}");
        assert!(curl(&house, secure, &[version], "/%2e%2e/x").ends_with(&format!(" {seen} 400")), "{about}: refused");
    }
    let seen = curl(&house, false, &["--http2-prior-knowledge", "--data-binary", "ask"], "/n/3");
    assert_eq!(seen, format!("{} 2 200", echo("/n/3", "ask")));
    house.stop();
}
