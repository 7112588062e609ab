//! `feed try`: what a bundle would have done to requests that are over, as far as their records tell.

use super::{intake, refusal, sealed};
use crate::arguments::TryBundle;
use crate::ending::{Ending, Stop};
use crate::output::{bold, report};
use portcullis_patch::{Asked, Body, Bundle, Fields, Held, Part, Patch, Step, Supposed};
use portcullis_proxy::{Place, places};
use portcullis_types::CanonicalTarget;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::Arc;

/// LIMIT: bytes of a record; longer ones are counted as unreadable.
const RECORD_BYTES_MAX: u64 = 256 * 1024;
/// LIMIT: requests that are named for a patch.
const NAMED_MAX: usize = 5;

/// What is written down of a request.
struct Written {
    api: String,
    template: String,
    method: String,
    target: CanonicalTarget,
    has_body: bool,
    id: String,
}

/// What a patch would have done.
#[derive(Clone, Debug, Default)]
struct Tally {
    yes: u64,
    maybe: u64,
    named: Vec<String>,
}

/// Tries the patches; rules need what records do not hold.
pub(super) fn attempt(question: &TryBundle) -> Result<Ending, Stop> {
    let TryBundle { question, records } = question;
    let (plan, intake) = intake(&question.config.path)?;
    let bundle = match intake.read(&sealed(&question.file, &intake)?) {
        Ok((bundle, _)) => bundle,
        Err(refused) => return refusal(&refused, question.form),
    };
    let places = places(&plan);
    let mut tallies = vec![Tally::default(); bundle.patches.len()];
    let (mut read, mut unread) = (0_u64, 0_u64);
    let cannot = |error: std::io::Error| super::cannot(records, &error);
    let mut reader = BufReader::new(File::open(records).map_err(cannot)?);
    loop {
        let mut line = Vec::new();
        let length = reader.by_ref().take(RECORD_BYTES_MAX).read_until(b'\n', &mut line).map_err(cannot)?;
        if length == 0 {
            break;
        }
        match written(&line) {
            Some(written) => {
                read += 1;
                count(&bundle.patches, &places, &written, &mut tallies);
            }
            None => unread += 1,
        }
    }
    report(
        question.form.format,
        || text(&bundle, &tallies, read, unread),
        || {
            let patches = bundle.patches.iter().zip(&tallies).map(|(patch, tally)| {
                json!({ "id": patch.id, "reason": patch.reason, "would_match": tally.yes, "may_match": tally.maybe,
                "requests": tally.named })
            });
            json!({ "records": read, "unreadable": unread, "patches": patches.collect::<Vec<_>>(),
            "rules_tried": false })
        },
    )?;
    Ok(Ending::Done)
}

/// A record of a request that reached a route; `None` for what is no such record.
fn written(line: &[u8]) -> Option<Written> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let word = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Written {
        api: word("api")?,
        template: word("route")?,
        method: word("method")?,
        target: CanonicalTarget::parse(word("target")?.as_bytes()).ok()?,
        has_body: record.get("request_bytes").and_then(Value::as_u64).unwrap_or(0) > 0,
        id: word("request_id").unwrap_or_default(),
    })
}

fn count(patches: &[Arc<Patch>], places: &[Place], written: &Written, tallies: &mut [Tally]) {
    let is_there = |place: &&Place| *place.api == *written.api && place.template == written.template;
    let meant: Vec<&Place> = places.iter().filter(is_there).collect();
    for (patch, tally) in patches.iter().zip(tallies) {
        if !meant.iter().any(|place| patch.is_for(&place.api, &place.operation, &place.template)) {
            continue;
        }
        let hidden = |part| match part {
            Part::Values => written.target.query().is_some_and(|query| query.contains('*')),
            Part::Fields => true,
            Part::Body => written.has_body,
        };
        match patch.supposed(&written.template, written, hidden) {
            Supposed::No => continue,
            Supposed::Maybe => tally.maybe += 1,
            Supposed::Yes => tally.yes += 1,
        }
        if tally.named.len() < NAMED_MAX {
            tally.named.push(written.id.clone());
        }
    }
}

fn text(bundle: &Bundle, tallies: &[Tally], read: u64, unread: u64) -> String {
    let mut out = format!("{} {} against {read} records", bundle.name, bundle.version);
    if unread > 0 {
        out.push_str(&format!("; {unread} lines are no records of requests at a route"));
    }
    out.push('\n');
    for (patch, tally) in bundle.patches.iter().zip(tallies) {
        let Tally { yes, maybe, named } = tally;
        out.push_str(&format!("  {} ({}): is about {yes}", bold(&patch.id), patch.reason));
        if *maybe > 0 {
            out.push_str(&format!(", and about up to {maybe} more, depending on what records do not hold"));
        }
        out.push('\n');
        if !named.is_empty() {
            out.push_str(&format!("    {}\n", named.join(" ")));
        }
    }
    if bundle.rules.is_some() {
        out.push_str(
            "  its rules were not tried: records do not hold what they look at; `feed take --observe` tries them\n",
        );
    }
    out
}

// === impl Written ===

impl Asked for Written {
    fn method(&self) -> &[u8] {
        self.method.as_bytes()
    }

    fn path(&self) -> &str {
        self.target.path()
    }

    fn query(&self) -> Option<&str> {
        self.target.query()
    }

    fn header(&self, _: &str, _: &mut dyn FnMut(&[u8]) -> bool) {}

    fn body(&self) -> Body<'_> {
        if self.has_body { Body::Unread } else { Body::Nothing }
    }

    fn field(&self, _: &[Step], _: &mut dyn FnMut(&Held<'_>) -> bool) -> Fields {
        Fields::Read
    }
}
