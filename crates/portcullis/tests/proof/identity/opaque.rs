//! Tokens that say nothing themselves: the provider is asked about them, takes them back, and dies.

use super::{Place, within};
use crate::provider::{GATEWAY, KEYED, WEB};
use portcullis_testkit::load::Tally;
use std::time::{Duration, Instant};

/// How long a good answer is believed.
const KEPT: Duration = Duration::from_secs(8);

/// How the gateway proves itself to the provider.
#[derive(Clone, Copy, Debug)]
enum Way {
    Basic,
    Post,
    Key,
}

fn place(name: &'static str, way: Way) -> Place {
    Place::with(name, "{ any_of: [{ introspection: { issuer: corp } }] }", |provider| {
        let issuer = provider.issuer();
        let secret = format!("{{ id: {}, secret: \"{}\" }}", GATEWAY.id, GATEWAY.secret);
        let client = match way {
            Way::Basic => format!("basic: {secret}"),
            Way::Post => format!("post: {secret}"),
            Way::Key => {
                format!("private_key_jwt: {{ id: {KEYED}, key_file: \"{}\" }}", provider.key_file().display())
            }
        };
        format!(
            "  corp:
    issuer: \"{issuer}\"
    audiences: [orders]
    introspection: {{ uri: \"{issuer}/token/introspection\", client: {{ {client} }}, keep_active: {}s }}
",
            KEPT.as_secs()
        )
    })
}

#[test]
fn opaque_tokens_open_until_the_provider_takes_them_back() {
    for (way, name) in
        [(Way::Basic, "provider-opaque-basic"), (Way::Post, "provider-opaque-post"), (Way::Key, "provider-opaque-key")]
    {
        let place = place(name, way);
        let token = place.provider.token(WEB, "orders", "opaque");
        let elsewhere = place.provider.token(WEB, "billing", "opaque");
        assert_eq!(place.ask(&token).status, 200, "{way:?}");
        place.refused(&elsewhere, 401, "invalid_token", "a token for another audience");
        place.refused("made-up", 401, "invalid_token", "a token that nobody has issued");
        // The provider answers with an error to what looks like a token of another kind: that is no outage, or whoever makes
        // some up would close the door to everybody.
        let signed = place.provider.token(WEB, "orders", "ES256");
        for number in 0..7 {
            place.refused(&format!("{signed}{number}"), 401, "invalid_token", "a token of another kind");
        }
        let other = place.provider.token(WEB, "orders", "opaque");
        assert_eq!(place.ask(&other).status, 200, "{way:?}: a token that nobody was asked about, after those");
        assert_eq!(place.ask(&token).status, 200, "{way:?}");
        place.provider.revoke(WEB, &token);
        if matches!(way, Way::Basic) {
            within(KEPT * 2, "the revocation is heard of", || (place.ask(&token).status == 401).then_some(()));
        }
        place.house.stop();
    }
}

#[test]
fn a_dead_provider_is_not_guessed_for() {
    let place = place("provider-opaque-death", Way::Basic);
    let tokens: Vec<String> = (0..4).map(|_| place.provider.token(WEB, "orders", "opaque")).collect();
    let unused = place.provider.token(WEB, "orders", "opaque");
    let asked = Instant::now();
    for token in &tokens {
        assert_eq!(place.ask(token).status, 200);
    }
    place.provider.kill();
    place.refused(&unused, 503, "issuer_unavailable", "a token that nobody was asked about");
    let mut served = Tally::default();
    loop {
        let tally = place.spell(&tokens, &format!("dead{}", asked.elapsed().as_millis()));
        let refused = tally.failed.get("503").copied().unwrap_or_default();
        assert_eq!((tally.failures(), tally.mismatched), (refused, 0), "something else than 503: {tally}");
        // Whichever core a connection comes to; answers are kept by the second.
        let known = asked.elapsed() < KEPT - Duration::from_secs(1);
        assert!(!known || refused == 0, "what was known was not believed: {tally}");
        served.merge(&tally);
        if refused > 0 && refused == tally.total() {
            break;
        }
        assert!(asked.elapsed() < KEPT * 2, "still open: {tally}");
    }
    println!("opaque death: closed after {:?}; until then {served}", asked.elapsed());
    assert!(served.good > 200, "what was known was not believed: {served}");
    assert!(place.house.metric("portcullis_introspections_total{issuer=\"corp\",answer=\"failed\"}") > 0.5);
    place.provider.revive();
    // What it had issued went with it.
    within(KEPT, "the provider is asked again", || (place.ask(&tokens[0]).status == 401).then_some(()));
    let token = place.provider.token(WEB, "orders", "opaque");
    assert_eq!(place.ask(&token).status, 200);
    place.house.stop();
}
