//! Large configurations: ten thousand routes load quickly, and so do ten thousand mistakes.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_config::{Environment, load_text};

const ROUTES: usize = 10_000;

fn large(authn: &str) -> String {
    let mut text = String::from(
        "version: 1\nlisteners: { local: { bind: \"127.0.0.1:8080\" } }\napis:\n  large:\n    hosts: [\"*\"]\n    \
         upstream: { targets: [\"http://127.0.0.1:9000\"] }\n    routes:\n",
    );
    for index in 0..ROUTES {
        writeln!(text, "      - {{ id: op{index}, path: \"/r{index}/{{id}}\", methods: [GET, POST]{authn} }}")
            .expect("a string");
    }
    text
}

fn time(text: &str) -> (Duration, bool) {
    #[expect(clippy::disallowed_methods, reason = "measures how long loading takes")]
    let start = Instant::now();
    let outcome = load_text("large.yaml", text, Path::new(""), &Environment::sealed());
    (start.elapsed(), outcome.is_ok())
}

// The figure for the release build comes from `cargo run --profile dist -p portcullis-config --example load_time`.
#[test]
fn ten_thousand_routes_load_quickly() {
    let (took, loaded) = time(&large(", authn: public"));
    assert!(loaded);
    assert!(took < Duration::from_secs(10), "{took:?}, without optimisation");
}

#[test]
fn ten_thousand_mistakes_are_found_quickly() {
    let (took, loaded) = time(&large(", authn: pubic"));
    assert!(!loaded);
    assert!(took < Duration::from_secs(30), "{took:?}, without optimisation");
}
