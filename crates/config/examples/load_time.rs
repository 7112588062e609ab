//! Measures how long a configuration of ten thousand routes takes to load: median and range of eleven runs.

#![expect(clippy::print_stdout, reason = "this is a program for people")]
#![expect(clippy::disallowed_methods, reason = "measures time")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use portcullis_config::{Environment, load_text};

const ROUTES: usize = 10_000;
const RUNS: usize = 11;
const TARGET: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let mut text = String::from("version: 1\nlisteners: { local: { bind: \"127.0.0.1:8080\" } }\napis:\n");
    for api in 0..ROUTES / 100 {
        text.push_str(&format!(
            "  api{api}:\n    hosts: [api{api}.example.com]\n    base_path: /api{api}\n    \
             upstream: {{ targets: [\"http://127.0.0.1:9000\"] }}\n    routes:\n"
        ));
        for route in 0..100 {
            text.push_str(&format!(
                "      - {{ id: op{route}, path: \"/things{route}/{{id}}\", methods: [GET, POST], authn: public, timeout: 5s }}\n"
            ));
        }
    }
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let loaded = load_text("large.yaml", &text, Path::new(""), &Environment::sealed());
        times.push(start.elapsed());
        if let Err(failure) = loaded {
            println!("{}", failure.render(false));
            return ExitCode::FAILURE;
        }
    }
    times.sort();
    let (Some(least), Some(median), Some(most)) = (times.first(), times.get(RUNS / 2), times.last()) else {
        return ExitCode::FAILURE;
    };
    let met = *median <= TARGET;
    let millis = |time: &Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "figure config_load_{ROUTES}_routes {:.1} ms spread {:.1}..{:.1} target <= {} {}",
        millis(median),
        millis(least),
        millis(most),
        TARGET.as_millis(),
        if met { "met" } else { "missed" }
    );
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
