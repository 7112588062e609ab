//! Issuers' keys in rows, and a seeded life of rotation, lag and death.

use super::{CachePolicy, Event, FetchFault, Flight, KeyCache, Metadata, MetadataError, Next, PolicyError, Unknown};
use super::{may_ask, metadata_addresses};

const POLICY: CachePolicy = CachePolicy {
    refresh_min_ms: 1_000,
    refresh_max_ms: 10_000,
    refresh_default_ms: 5_000,
    retry_min_ms: 100,
    retry_max_ms: 2_000,
    unknown_cooldown_ms: 3_000,
    max_staleness_ms: 30_000,
    fetch_deadline_ms: 500,
    pins: Vec::new(),
};

/// A set of one Ed25519 key; any 32 bytes are one until a signature is looked at.
fn set(kid: &str, fill: u8) -> String {
    use base64::Engine;
    let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([fill; 32]);
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
}

fn fetch(next: Next) -> Flight {
    match next {
        Next::Fetch(flight) => flight,
        Next::At(at) => panic!("nothing before {at}"),
    }
}

fn fetched<'a>(flight: Flight, body: &'a str, max_age_seconds: Option<u64>) -> Event<'a> {
    Event::Fetched { flight, body: body.as_bytes(), max_age_seconds }
}

#[test]
fn a_refresh_honours_cache_headers_within_bounds() {
    for (max_age, earliest, latest) in
        [(None, 4_500, 5_000), (Some(0), 1_000, 1_000), (Some(3), 2_700, 3_000), (Some(u64::MAX), 9_000, 10_000)]
    {
        let mut cache = KeyCache::new(POLICY, 7);
        let flight = fetch(cache.step(0, Event::Tick));
        let Next::At(due) = cache.step(0, fetched(flight, &set("a", 1), max_age)) else { panic!("fetched twice") };
        assert!((earliest..=latest).contains(&due), "{max_age:?}: {due}");
        assert_eq!(cache.step(due - 1, Event::Tick), Next::At(due));
        fetch(cache.step(due, Event::Tick));
    }
}

#[test]
fn one_fetch_at_a_time_and_late_answers_are_not_heard() {
    let mut cache = KeyCache::new(POLICY, 1);
    assert_eq!(cache.keys(0).err().map(|error| error.fault), Some(None));
    let first = fetch(cache.step(0, Event::Tick));
    assert_eq!(cache.step(1, Event::Tick), Next::At(500));
    assert_eq!(cache.unknown(2), Unknown::Await(first));
    let Next::At(retry) = cache.step(500, Event::Tick) else { panic!("no pause after a failure") };
    let second = fetch(cache.step(retry, Event::Tick));
    cache.step(retry + 1, fetched(first, &set("old", 1), None));
    assert!(cache.keys(retry + 1).is_err(), "an answer to a fetch that was given up");
    cache.step(retry + 2, fetched(second, &set("new", 2), None));
    assert_eq!(cache.keys(retry + 2).unwrap().len(), 1);
    cache.step(retry + 3, fetched(second, "{}", None));
    assert!(cache.keys(retry + 3).is_ok(), "an answer counts once");
}

#[test]
fn the_generation_tells_other_keys_from_the_same() {
    let mut cache = KeyCache::new(POLICY, 1);
    let mut now = 0;
    let mut seen = Vec::new();
    for body in [set("a", 1), set("a", 1), "{}".to_owned(), set("a", 1), set("a", 2), set("a", 1)] {
        let flight = loop {
            match cache.step(now, Event::Tick) {
                Next::Fetch(flight) => break flight,
                Next::At(at) => now = at,
            }
        };
        cache.step(now, fetched(flight, &body, None));
        seen.push(cache.generation());
    }
    assert_eq!(seen, [1, 1, 1, 1, 2, 3]);
}

#[test]
fn unknown_keys_are_fetched_for_once_in_a_while() {
    let mut cache = KeyCache::new(POLICY, 1);
    let flight = fetch(cache.step(0, Event::Tick));
    cache.step(0, fetched(flight, &set("a", 1), None));
    let Unknown::Fetch(flight) = cache.unknown(1) else { panic!("a fresh set may still lack a key") };
    assert_eq!(cache.unknown(2), Unknown::Await(flight));
    cache.step(3, fetched(flight, &set("b", 2), None));
    assert!((4..3_001).all(|now| cache.unknown(now) == Unknown::Refuse));
    assert!(matches!(cache.unknown(3_001), Unknown::Fetch(_)));
}

#[test]
fn the_last_good_set_stands_until_it_is_stale() {
    let mut cache = KeyCache::new(POLICY, 1);
    let flight = fetch(cache.step(0, Event::Tick));
    let mut next = cache.step(100, fetched(flight, &set("a", 1), None));
    let mut now = 100;
    let mut fetches = 0;
    while now < 40_000 {
        match next {
            Next::At(at) => {
                now = at.max(now + 1);
                next = cache.step(now, Event::Tick);
            }
            Next::Fetch(flight) => {
                fetches += 1;
                let body = ["", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#][fetches % 4];
                next = cache.step(now, fetched(flight, body, Some(1)));
            }
        }
        assert_eq!(cache.keys(now).is_ok(), now <= 30_100, "at {now}");
    }
    assert!((15..40).contains(&fetches), "{fetches} fetches in 35 seconds of failure");
    assert!(cache.keys(40_000).unwrap_err().fault.is_some());
    let flight = loop {
        match cache.step(now, Event::Tick) {
            Next::Fetch(flight) => break flight,
            Next::At(at) => now = at,
        }
    };
    cache.step(now, fetched(flight, &set("b", 1), None));
    assert!(cache.keys(now).is_ok(), "it comes back by itself");
}

#[test]
fn pinned_keys_are_the_only_ones() {
    let keys = crate::jwt::KeySet::from_json(set("a", 1).as_bytes()).unwrap();
    let print = keys.iter().next().and_then(|key| key.thumbprint()).unwrap();
    let mut cache = KeyCache::new(CachePolicy { pins: vec![print], ..POLICY }, 1);
    let flight = fetch(cache.step(0, Event::Tick));
    cache.step(0, fetched(flight, &set("a", 2), None));
    assert_eq!(cache.keys(0).unwrap_err().fault, Some(FetchFault::NotPinned));
    let flight = fetch(cache.step(1_000, Event::Tick));
    cache.step(1_000, fetched(flight, &set("whatever", 1), None));
    assert!(cache.keys(1_000).is_ok());
}

#[test]
fn policies_that_cannot_be_kept() {
    assert_eq!(POLICY.check(), Ok(()));
    assert_eq!(CachePolicy::default().check(), Ok(()));
    for (policy, error) in [
        (CachePolicy { refresh_min_ms: 0, ..POLICY }, PolicyError::Order),
        (CachePolicy { refresh_min_ms: 6_000, ..POLICY }, PolicyError::Order),
        (CachePolicy { retry_min_ms: 3_000, ..POLICY }, PolicyError::Order),
        (CachePolicy { fetch_deadline_ms: 0, ..POLICY }, PolicyError::Order),
        (CachePolicy { unknown_cooldown_ms: 0, ..POLICY }, PolicyError::Order),
        (CachePolicy { max_staleness_ms: 10_500, ..POLICY }, PolicyError::Staleness),
    ] {
        assert_eq!(policy.check(), Err(error));
    }
}

/// A provider that rotates its key now and then, answers late or not at all, and dies for a while.
#[test]
fn a_life_of_rotation_lag_and_death() {
    for seed in 1..=40u64 {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = |most: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % most
        };
        let mut cache = KeyCache::new(POLICY, seed);
        let (mut kid, mut rotated_at, mut dead_until, mut last_good) = (0u64, 0u64, 0u64, None::<u64>);
        let mut answer: Option<(u64, Flight, u64)> = None;
        let (mut fetches, mut wanted_at) = (0u64, 0);
        for now in (0..600_000u64).step_by(20) {
            if roll(3_000) == 0 {
                (kid, rotated_at) = (kid + 1, now);
            }
            if roll(6_000) == 0 {
                dead_until = now + roll(60_000);
            }
            if let Some((_, flight, sent)) = answer.take_if(|(at, ..)| *at <= now) {
                let dead = now < dead_until;
                let late = answer.is_some();
                assert!(!late, "two fetches at a time");
                let body = set(&sent.to_string(), 1);
                let event = if dead {
                    Event::Failed { flight, fault: FetchFault::Unreachable }
                } else {
                    fetched(flight, &body, Some(4))
                };
                let before = cache.facts(now).failures;
                if let Next::Fetch(flight) = cache.step(now, event) {
                    fetches += 1;
                    answer = Some((now + roll(700), flight, kid));
                }
                if !dead && cache.facts(now).failures == before && cache.facts(now).age_ms == Some(0) {
                    last_good = Some(now);
                }
            } else if let Next::Fetch(flight) = cache.step(now, Event::Tick) {
                fetches += 1;
                answer = Some((now + roll(700), flight, kid));
            }
            // Every token asks for the provider's newest key.
            let has = cache.keys(now).is_ok_and(|keys| keys.iter().any(|key| key.id() == Some(&kid.to_string())));
            if has {
                wanted_at = now;
            } else if let Unknown::Fetch(flight) = cache.unknown(now) {
                fetches += 1;
                answer = Some((now + roll(700), flight, kid));
            }
            let fresh = last_good.is_some_and(|at| now - at <= POLICY.max_staleness_ms);
            assert_eq!(cache.keys(now).is_ok(), fresh, "seed {seed} at {now}: never longer, never shorter");
            let healthy = now.saturating_sub(dead_until.max(rotated_at)) > 15_000;
            assert!(!healthy || now - wanted_at <= 12_000, "seed {seed} at {now}: the newest key is not found");
        }
        assert!(fetches < 600_000 / 400, "seed {seed}: {fetches} fetches in ten minutes");
    }
}

#[test]
fn metadata_is_the_issuers_own() {
    let issuer = "https://idp.example.com/a";
    let document = |members: &str| format!(r#"{{"issuer":"{issuer}",{members}}}"#);
    let good = document(
        r#""jwks_uri":"https://keys.example.net/jwks?v=1","introspection_endpoint":"https://idp.example.com/i""#,
    );
    let metadata = Metadata::parse(issuer, &[], good.as_bytes()).unwrap();
    assert_eq!(metadata.jwks_uri, "https://keys.example.net/jwks?v=1");
    assert_eq!(metadata.introspection_endpoint.as_deref(), Some("https://idp.example.com/i"));
    for (text, error) in [
        ("[]".to_owned(), MetadataError::Malformed),
        (good.replace("/a\"", "/a/\""), MetadataError::OtherIssuer),
        (good.replace("\"issuer\"", "\"issued\""), MetadataError::OtherIssuer),
        (document(r#""a":1"#), MetadataError::NoKeys),
        (document(r#""jwks_uri":1"#), MetadataError::Malformed),
        (document(r#""jwks_uri":"https://x.example/","jwks_uri":"https://y.example/""#), MetadataError::Malformed),
        (" ".repeat(128 * 1024 + 1), MetadataError::TooLarge),
    ] {
        assert_eq!(Metadata::parse(issuer, &[], text.as_bytes()), Err(error), "{text:.80}");
    }
    for uri in [
        "http://keys.example.net/jwks",
        "https://127.0.0.1/jwks",
        "https://localhost/jwks",
        "http://localhost/jwks",
        "https://[::1]/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/jwks",
        "https://2130706433/jwks",
        "https://127.1/jwks",
        "https://0x7f.0x1/jwks",
        "https://ada:secret@keys.example.net/jwks",
        "https://keys.example.net/jwks#x",
        "file:///etc/passwd",
        "gopher://keys.example.net/",
        "/jwks",
        "",
    ] {
        let text = document(&format!(r#""jwks_uri":"{uri}""#));
        assert_eq!(Metadata::parse(issuer, &[], text.as_bytes()), Err(MetadataError::Address), "{uri}");
    }
    let here = r#"{"issuer":"http://localhost:9000","jwks_uri":"http://127.0.0.1:9000/jwks"}"#;
    assert!(Metadata::parse("http://localhost:9000", &[], here.as_bytes()).is_ok());
}

#[test]
fn only_an_issuer_on_this_machine_names_this_machine() {
    for (issuer, address, may) in [
        ("https://idp.example.com", "8.8.8.8", true),
        ("https://idp.example.com", "127.0.0.1", false),
        ("https://idp.example.com", "169.254.169.254", false),
        ("https://idp.example.com", "::ffff:10.0.0.1", false),
        ("http://localhost:9000", "127.0.0.1", true),
        ("http://127.0.0.1:9000", "::1", true),
        ("http://localhost:9000", "10.0.0.1", false),
        ("nonsense", "127.0.0.1", false),
    ] {
        assert_eq!(may_ask(issuer, &[], address.parse().unwrap()), may, "{issuer} {address}");
    }
}

#[test]
fn listed_networks_may_be_asked_but_never_one_link_or_this_machine() {
    let networks: Vec<_> = ["10.0.0.0/8", "0.0.0.0/0", "::/0"].iter().map(|text| text.parse().unwrap()).collect();
    for (networks, address, may) in [
        (&networks[..1], "10.0.0.7", true),
        (&networks[..1], "::ffff:10.0.0.7", true),
        (&networks[..1], "192.168.0.1", false),
        (&networks[..], "192.168.0.1", true),
        (&networks[..], "169.254.169.254", false),
        (&networks[..], "fe80::1", false),
        (&networks[..], "127.0.0.1", false),
        (&networks[..], "::1", false),
    ] {
        assert_eq!(may_ask("https://idp.example.com", networks, address.parse().unwrap()), may, "{address}");
    }
    let text = r#"{"issuer":"https://i.example","jwks_uri":"https://10.0.0.7/jwks"}"#;
    assert!(Metadata::parse("https://i.example", &networks[..1], text.as_bytes()).is_ok());
    assert!(Metadata::parse("https://i.example", &[], text.as_bytes()).is_err());
}

#[test]
fn metadata_lies_where_the_standards_say() {
    assert_eq!(
        metadata_addresses("https://idp.example.com/tenant/1").unwrap(),
        [
            "https://idp.example.com/tenant/1/.well-known/openid-configuration",
            "https://idp.example.com/.well-known/oauth-authorization-server/tenant/1",
        ]
    );
    assert_eq!(
        metadata_addresses("https://idp.example.com/").unwrap()[1],
        "https://idp.example.com/.well-known/oauth-authorization-server"
    );
    for issuer in ["http://idp.example.com", "https://idp.example.com?x", "https://idp.example.com#x", "idp", ""] {
        assert_eq!(metadata_addresses(issuer), Err(MetadataError::IssuerAddress), "{issuer}");
    }
}
