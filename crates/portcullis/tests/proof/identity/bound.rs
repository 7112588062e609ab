//! Tokens that are good only with what they were bound to when the provider issued them: a key of their holder's, or a
//! certificate.

use super::{COOL_DOWN, Place, within};
use crate::provider::{ALGORITHMS, GATEWAY, WEB, proof};
use portcullis_auth::jwt::SigningKey;
use portcullis_config::plan::CertificateFiles;
use portcullis_testkit::certificates::{chain, pair};
use portcullis_testkit::{Answer, Client};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const ADDRESS: &str = "http://a.test/n/1";

fn place(name: &'static str) -> Place {
    let place = Place::with(
        name,
        "{ any_of: [{ jwt: { issuers: [corp] } }, { introspection: { issuer: corp } }] }",
        |provider| {
            let issuer = provider.issuer();
            format!(
                "  corp:
    issuer: \"{issuer}\"
    audiences: [orders]
    jwks: {{ uri: \"{issuer}/jwks\" }}
    introspection:
      uri: \"{issuer}/token/introspection\"
      client: {{ basic: {{ id: {}, secret: \"{}\" }} }}
",
                GATEWAY.id, GATEWAY.secret
            )
        },
    );
    let token = place.provider.token(WEB, "orders", "ES256");
    within(COOL_DOWN, "the keys are fetched", || (place.ask(&token).status == 200).then_some(()));
    place
}

/// A client that trusts whom this file names, and shows a certificate if it has one.
fn client(trusted: &Path, own: Option<&CertificateFiles>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    chain(trusted).into_iter().for_each(|certificate| roots.add(certificate).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match own {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let (chain, key) = pair(files);
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    })
}

/// A request from another address each time: failures of one would close the door to it.
fn request(lines: &str) -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let from = format!("X-Forwarded-For: 192.0.2.{}", CALLS.fetch_add(1, Ordering::Relaxed));
    format!("GET /n/1 HTTP/1.1\r\nHost: a.test\r\n{from}\r\n{lines}\r\n")
}

impl Place {
    fn ask_with(&self, lines: &str) -> Answer {
        Client::connect(self.house.plain).ask(request(lines))
    }

    /// Over TLS, as whoever this is.
    fn ask_as(&self, client: &Arc<ClientConfig>, lines: &str) -> Answer {
        Client::tls(self.house.tls, client, "a.test").expect("a handshake").ask(request(lines))
    }

    /// A request with a token and a fresh proof of who holds it.
    fn ask_holding(&self, key: &SigningKey, token: &str) -> u16 {
        let proof = proof(key, "GET", ADDRESS, Some(token));
        self.ask_with(&format!("Authorization: DPoP {token}\r\nDPoP: {proof}\r\n")).status
    }
}

#[test]
fn a_token_that_is_bound_to_a_key_is_worth_nothing_without_it() {
    let place = place("provider-holder");
    let (holder, thief) = (SigningKey::from_seed(&[21; 32]).unwrap(), SigningKey::from_seed(&[22; 32]).unwrap());
    for form in ALGORITHMS.into_iter().chain(["opaque"]) {
        let token = place.provider.bound_token(&holder, form);
        let good = proof(&holder, "GET", ADDRESS, Some(&token));
        let lines = |scheme: &str, proof: &str| format!("Authorization: {scheme} {token}\r\nDPoP: {proof}\r\n");
        assert_eq!(place.ask_with(&lines("DPoP", &good)).status, 200, "{form}");
        let bare = format!("Authorization: Bearer {token}\r\n");
        let no_proof = format!("Authorization: DPoP {token}\r\n");
        for (about, lines) in [
            ("with a proof that was used", lines("DPoP", &good)),
            ("as a plain one", bare),
            ("as a plain one with a proof", lines("Bearer", &proof(&holder, "GET", ADDRESS, Some(&token)))),
            ("without a proof", no_proof),
            ("of somebody who does not hold the key", lines("DPoP", &proof(&thief, "GET", ADDRESS, Some(&token)))),
            ("with a proof for another method", lines("DPoP", &proof(&holder, "POST", ADDRESS, Some(&token)))),
            ("with a proof for another path", lines("DPoP", &proof(&holder, "GET", "http://a.test/n/2", Some(&token)))),
            ("with a proof for another token", lines("DPoP", &proof(&holder, "GET", ADDRESS, Some("other")))),
            ("with a proof for no token", lines("DPoP", &proof(&holder, "GET", ADDRESS, None))),
        ] {
            let answer = place.ask_with(&lines);
            let code = answer.code();
            assert!(answer.status == 401 && code != "expired_token", "{form} {about}: {} {code}", answer.status);
            assert!(answer.all("www-authenticate").iter().any(|line| line.starts_with("DPoP ")), "{form} {about}");
        }
        assert_eq!(place.ask_holding(&holder, &token), 200, "{form} after all that");
    }
    place.house.stop();
}

#[test]
fn a_token_that_is_bound_to_a_certificate_is_worth_nothing_without_it() {
    let place = place("provider-certificate");
    let authority = &place.provider.authority;
    let [own, other] = ["ada", "eve"].map(|name| authority.member(name, &[]).0);
    let gateway = place.house.folder.join("tls/ca.pem");
    let [holder, thief] = [&own, &other].map(|files| client(&gateway, Some(files)));
    let nobody = client(&gateway, None);
    let at_provider = client(&authority.file(), Some(&own));
    for form in ALGORITHMS.into_iter().chain(["opaque"]) {
        let token = place.provider.certified_token(&at_provider, form);
        let bearer = format!("Authorization: Bearer {token}\r\n");
        assert_eq!(place.ask_as(&holder, &bearer).status, 200, "{form}");
        let as_bound_to_a_key = format!("Authorization: DPoP {token}\r\n");
        for (about, answer) in [
            ("without a certificate", place.ask_as(&nobody, &bearer)),
            ("with another certificate", place.ask_as(&thief, &bearer)),
            ("without TLS", place.ask_with(&bearer)),
            ("as one that is bound to a key", place.ask_as(&holder, &as_bound_to_a_key)),
            ("with a field that says so", place.ask_with(&format!("{bearer}X-Client-Cert: {token}\r\n"))),
        ] {
            assert_eq!(answer.status, 401, "{form} {about}: {}", answer.code());
        }
        assert_eq!(place.ask_as(&holder, &bearer).status, 200, "{form} after all that");
        let free = place.provider.token(WEB, "orders", form);
        let free = format!("Authorization: Bearer {free}\r\n");
        assert_eq!(place.ask_as(&thief, &free).status, 200, "{form} that is bound to nothing");
    }
    place.house.stop();
}
