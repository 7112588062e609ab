//! How fast documents are masked, beside a plain parse-and-print of the same: lines of `name pair mask print`, in MB/s, in turn.

use portcullis_mask::{Action, Active, Detector, Path, Rewriter, Rule, Ruleset, Select};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// How long one side of a pair is measured.
const SIDE_MS: u128 = 300;
const PIECE: usize = 16 * 1024;

fn order(number: usize) -> String {
    format!(
        r#"{{"id":{number},"customer":{{"name":"Ada Nowak","email":"ada{number}@example.com","telephone":"+48 22 555 01 07"}},"status":"shipped","created_at":"2026-11-02T08:14:31Z","items":[{{"sku":"KB-104","article":"Keyboard, 104 keys","pieces":1,"price_cents":8990}},{{"sku":"CB-USBC-2","article":"Cable, USB-C, 2 m","pieces":2,"price_cents":1290}}],"note":"Please ring twice; the bell \"upstairs\" is broken."}}"#
    )
}

/// A list of orders of about so many bytes.
fn document(bytes: usize) -> String {
    let count = bytes.div_ceil(order(1001).len());
    let orders: Vec<String> = (1001..1001 + count).map(order).collect();
    format!("{{\"orders\":[{}]}}", orders.join(","))
}

/// Megabytes a second.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
#[expect(clippy::cast_precision_loss, reason = "figures are shown with three digits")]
fn pace(bytes: usize, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let (start, mut rounds) = (Instant::now(), 0_u32);
    while start.elapsed().as_millis() < SIDE_MS {
        work()?;
        rounds += 1;
    }
    Ok(bytes as f64 * f64::from(rounds) / start.elapsed().as_secs_f64() / 1e6)
}

#[expect(clippy::print_stdout, reason = "a measurement prints its figures")]
fn main() -> Result<(), Failure> {
    let pairs: u32 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(5);
    let places = ["$.orders[*].customer.email", "$..telephone", "$..iban"];
    let paths: Result<Vec<Path>, _> = places.iter().map(|text| Path::parse(text)).collect();
    let paths = paths.map_err(|error| format!("{error:?}"))?;
    let partial = Action::Partial { first: 1, last: 4 };
    let by_place = vec![Rule { select: Select::Paths(paths), action: partial.clone() }];
    let found = Select::Detect(vec![Detector::Card, Detector::Iban, Detector::Email, Detector::Phone]);
    let by_look = vec![Rule { select: found, action: partial }];
    for (name, bytes, rules) in [
        ("places_1kb", 1 << 10, &by_place),
        ("places_1mb", 1 << 20, &by_place),
        ("detectors_1kb", 1 << 10, &by_look),
        ("detectors_1mb", 1 << 20, &by_look),
    ] {
        let rules = Arc::new(Ruleset::compile(rules, None).map_err(|error| format!("{error:?}"))?);
        let text = document(bytes);
        let mut out = Vec::with_capacity(text.len() * 2);
        for pair in 0..pairs {
            let ours = pace(text.len(), || {
                out.clear();
                let mut rewriter = Rewriter::new(Arc::clone(&rules), Active(u64::MAX));
                for piece in text.as_bytes().chunks(PIECE) {
                    rewriter.feed(piece, &mut out)?;
                }
                rewriter.finish(&mut out)?;
                black_box(out.len());
                Ok(())
            })?;
            let theirs = pace(text.len(), || {
                let value: serde_json::Value = serde_json::from_slice(text.as_bytes())?;
                black_box(serde_json::to_vec(&value)?.len());
                Ok(())
            })?;
            println!("{name} {pair} {ours:.1} {theirs:.1}");
        }
    }
    Ok(())
}
