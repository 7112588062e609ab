//! Tokens that are good only with what they were bound to when the provider issued them: a key of their holder's.

use super::{COOL_DOWN, Place, within};
use crate::provider::{ALGORITHMS, GATEWAY, WEB, proof};
use portcullis_auth::jwt::SigningKey;
use portcullis_testkit::{Answer, Client};
use std::sync::atomic::{AtomicU32, Ordering};

const ADDRESS: &str = "http://a.test/n/1";

fn place() -> Place {
    Place::with(
        "provider-bound",
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
    )
}

impl Place {
    /// From another address each time: failures of one would close the door to it.
    fn ask_with(&self, lines: &str) -> Answer {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let from = format!("X-Forwarded-For: 192.0.2.{}", CALLS.fetch_add(1, Ordering::Relaxed));
        Client::connect(self.house.plain).ask(format!("GET /n/1 HTTP/1.1\r\nHost: a.test\r\n{from}\r\n{lines}\r\n"))
    }

    /// A request with a token and a fresh proof of who holds it.
    fn ask_holding(&self, key: &SigningKey, token: &str) -> u16 {
        let proof = proof(key, "GET", ADDRESS, Some(token));
        self.ask_with(&format!("Authorization: DPoP {token}\r\nDPoP: {proof}\r\n")).status
    }
}

#[test]
fn a_token_that_is_bound_to_a_key_is_worth_nothing_without_it() {
    let place = place();
    let (holder, thief) = (SigningKey::from_seed(&[21; 32]).unwrap(), SigningKey::from_seed(&[22; 32]).unwrap());
    let first = place.provider.token(WEB, "orders", "ES256");
    within(COOL_DOWN, "the keys are fetched", || (place.ask(&first).status == 200).then_some(()));
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
