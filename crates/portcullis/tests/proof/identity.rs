//! Callers with tokens of a real identity provider, through its rotations and its death.

#[path = "identity/bound.rs"]
mod bound;
#[path = "identity/opaque.rs"]
mod opaque;

use crate::house::{House, PROTOCOLS, Setup};
use crate::provider::{ALGORITHMS, Provider, WEB};
use portcullis_testkit::load::{Callers, Load, Pace, Protocol, Tally};
use portcullis_testkit::{Answer, Client, MoodyUpstream};
use std::process::Command;
use std::time::{Duration, Instant};

/// The shortest that the configuration allows.
const STALENESS: Duration = Duration::from_secs(60);
/// Between two looks for keys that nobody knows.
const COOL_DOWN: Duration = Duration::from_secs(10);
const PER_SECOND: f64 = 120.0;
/// No request of the load takes longer, on a busy machine either.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// Provider, upstream and a gateway that takes tokens only.
struct Place {
    provider: Provider,
    house: House,
    _upstream: MoodyUpstream,
}

fn bearer(token: &String) -> String {
    format!("authorization: Bearer {token}")
}

/// Looks until there is something, for so long.
fn within<T>(time: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < time, "not within {time:?}: {what}");
        // SLEEP: between two looks; the deadline is above.
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Place {
    /// Takes signed tokens.
    fn new(name: &'static str) -> Self {
        let staleness = STALENESS.as_secs();
        let place = Self::with(name, "{ any_of: [{ jwt: { issuers: [corp] } }] }", |provider| {
            let issuer = provider.issuer();
            format!(
                "  corp: {{ issuer: \"{issuer}\", audiences: [orders], jwks: {{ uri: \"{issuer}/jwks\" }}, \
                 max_staleness: {staleness}s }}\n"
            )
        });
        let token = place.provider.token(WEB, "orders", "ES256");
        within(COOL_DOWN, "the keys are fetched", || (place.ask(&token).status == 200).then_some(()));
        place
    }

    /// Takes what it says, from issuers that it says.
    fn with(name: &'static str, authn: &'static str, issuers: impl FnOnce(&Provider) -> String) -> Self {
        let (provider, upstream) = (Provider::start(), MoodyUpstream::start());
        // Those who vouch for the provider vouch for clients as well.
        let authority = provider.authority.file();
        let tls = format!(", client_auth: {{ ca_files: [\"{}\"], mode: optional }}", authority.display());
        let more = format!("issuers:\n{}", issuers(&provider));
        let listeners = "trusted_proxies: [127.0.0.1]";
        let house = House::start(Setup { authn, listeners, tls, more, ..Setup::new(name, &[upstream.address()]) });
        Self { provider, house, _upstream: upstream }
    }

    fn ask(&self, token: &str) -> Answer {
        let request = format!("GET /n/1 HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer {token}\r\n\r\n");
        Client::connect(self.house.plain).ask(request)
    }

    fn refused(&self, token: &str, status: u16, code: &str, about: &str) {
        let answer = self.ask(token);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{about}");
    }

    /// A token with a key that nobody has, from another address, so that its failures are not those of the load.
    fn stranger(&self, number: u8) -> String {
        let signer = portcullis_auth::jwt::SigningKey::from_seed(&[number; 32]).unwrap();
        let claims = serde_json::json!({ "iss": self.provider.issuer(), "aud": "orders", "sub": "eve" });
        let token = signer.sign("at+jwt", claims.as_object().unwrap(), false).unwrap();
        let mut curl = Command::new("curl");
        let address = format!("127.0.1.{number}");
        curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{response_code}", "--max-time", "20"]);
        curl.args(["--interface", &address, "--header", &bearer(&token)]).arg(format!("http://{}/", self.house.plain));
        String::from_utf8(curl.output().expect("curl; `cargo xtask test needs` installs it").stdout).unwrap()
    }

    fn load(&self, protocol: Protocol, callers: &Callers, name: &str) -> Load {
        let (pace, callers) = (Pace::Open(PER_SECOND), callers.clone());
        let name = format!("{name}-{protocol:?}");
        Load { pace, callers, name, connections: 4, ..Load::new(self.house.plain, protocol) }
    }

    /// A short spell of load with tokens.
    fn spell(&self, tokens: &[String], name: &str) -> Tally {
        let callers = Callers::default();
        callers.become_(tokens.iter().map(bearer).collect());
        let time = Duration::from_millis(400);
        Load { time, ..self.load(Protocol::Http1, &callers, name) }.run()
    }
}

#[test]
fn tokens_of_the_provider_open_and_only_where_they_are_for() {
    let place = Place::new("provider-tokens");
    for algorithm in ALGORITHMS {
        let token = place.provider.token(WEB, "orders", algorithm);
        assert_eq!(place.ask(&token).status, 200, "{algorithm}");
        let elsewhere = place.provider.token(WEB, "billing", algorithm);
        place.refused(&elsewhere, 401, "invalid_token", "a token for another audience");
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = elsewhere.rsplit_once('.').unwrap();
        place.refused(&format!("{signed}.{signature}"), 401, "invalid_token", "the signature of another token");
        assert_eq!(place.ask(&token).status, 200, "{algorithm} after the refusals");
    }
    place.house.stop();
}

#[test]
fn rotations_under_load_refuse_no_good_token() {
    let place = Place::new("provider-rotation");
    let callers = Callers::default();
    let fields = |tokens: &[&[String]]| tokens.iter().flat_map(|some| some.iter().map(bearer)).collect();
    let mut tokens = place.provider.tokens();
    callers.become_(fields(&[&tokens]));
    let loads = PROTOCOLS.map(|protocol| place.load(protocol, &callers, "rotation").start());
    let mut retired = tokens.clone();
    // Signed with at once: the first token of a new key is the first that the gateway hears of it.
    for _ in 0..2 {
        place.provider.rotate();
        let newer = place.provider.tokens();
        callers.become_(fields(&[&newer, &tokens]));
        // SLEEP: nobody may be made to fetch more often than this.
        std::thread::sleep(COOL_DOWN + UNDER_WAY);
        callers.become_(fields(&[&newer]));
        // SLEEP: requests under way with tokens whose key is about to go.
        std::thread::sleep(UNDER_WAY);
        retired = std::mem::replace(&mut tokens, newer);
    }
    // Announced before: nobody has to be asked when they are used, whatever strangers are up to.
    place.provider.announce();
    assert_eq!(place.stranger(1), "401");
    assert!(place.house.metric("portcullis_issuer_keys{issuer=\"corp\"}") > 8.5, "the announced keys are not there");
    place.provider.rotate();
    assert_eq!(place.stranger(2), "401");
    let newer = place.provider.tokens();
    callers.become_(fields(&[&newer, &tokens]));
    (3..20).for_each(|number| assert_eq!(place.stranger(number), "401"));
    callers.become_(fields(&[&newer]));
    // SLEEP: as above; and so that the stranger below is looked after.
    std::thread::sleep(COOL_DOWN);
    place.provider.retire();
    assert_eq!(place.stranger(20), "401");
    let mut tally = Tally::default();
    loads.into_iter().for_each(|load| tally.merge(&load.stop()));
    println!("rotation: {tally}");
    assert_eq!((tally.failures(), tally.mismatched), (0, 0), "{tally}");
    assert!(tally.good > 2_000, "no load: {tally}");
    for old in [&retired, &tokens] {
        place.refused(
            &old[0],
            401,
            "invalid_token",
            "a token that was verified once, of a key that is published no more",
        );
    }
    newer.iter().for_each(|token| assert_eq!(place.ask(token).status, 200, "a good token after all that"));
    place.house.stop();
}

#[test]
fn a_dead_provider_closes_the_door_in_time_and_opens_it_again() {
    let began = Instant::now();
    let place = Place::new("provider-death");
    let (used, unused) = (place.provider.tokens(), place.provider.tokens());
    let calm = place.spell(&used, "before");
    assert_eq!((calm.failures(), calm.good > 20), (0, true), "{calm}");
    place.provider.kill();
    let killed = Instant::now();
    let (mut served, mut closed) = (Tally::default(), Duration::ZERO);
    let (mut spells, mut open) = (0_u32, true);
    while open {
        let tally = place.spell(&used, &format!("spell{spells}"));
        let refused = tally.failed.get("503").copied().unwrap_or_default();
        assert_eq!((tally.failures(), tally.mismatched), (refused, 0), "something else than 503: {tally}");
        open = refused == 0;
        closed = began.elapsed();
        assert!(killed.elapsed() < STALENESS + Duration::from_secs(10), "still open after {closed:?}: {tally}");
        served.merge(&tally);
        spells += 1;
    }
    println!("death: closed after {closed:?}; until then {served}");
    // The keys were fetched after the clock was started.
    assert!(closed >= STALENESS, "closed after {closed:?}");
    for tokens in [&used, &unused] {
        let shut = place.spell(tokens, "shut");
        assert_eq!(shut.failed.get("503"), Some(&shut.total()), "a pass after the keys were too old: {shut}");
    }
    place.refused(&used[0], 503, "issuer_unavailable", "a token that was verified before");
    let failures = place.house.metric("portcullis_issuer_fetch_failures_total{issuer=\"corp\"}");
    assert!(failures > 0.5, "{failures} failed fetches");
    place.provider.revive();
    within(STALENESS / 3, "the provider is back", || (place.ask(&used[0]).status == 200).then_some(()));
    let after = place.spell(&unused, "after");
    assert_eq!((after.failures(), after.good > 20), (0, true), "{after}");
    place.house.stop();
}
