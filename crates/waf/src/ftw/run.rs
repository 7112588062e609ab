//! Runs a suite and says what passed.

use super::request::{RawRequest, parse_request};
use super::suite::{Expect, Suite};
use crate::body::{BodyLimits, json};
use crate::message::{RequestHead, ResponseHead};
use crate::ruleset::{Part, RuleSet};
use crate::store::{List, Store};
use crate::transaction::{Scratch, Transaction};
use std::net::{IpAddr, Ipv4Addr};

/// A test whose expectation is replaced by a stricter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// `rule-number`.
    pub test: &'static str,
    /// Why.
    pub reason: &'static str,
    /// The status that is expected instead.
    pub status: u16,
    /// Rules that must match instead of what the test says.
    pub ids: &'static [u64],
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `rule-number`.
    pub test: String,
    /// What was expected and what came.
    pub why: String,
}

/// What a run gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many tests passed.
    pub passed: usize,
    /// How many requests were sent.
    pub stages: usize,
    /// The tests that didn't.
    pub failed: Vec<Failure>,
    /// The overrides that were used.
    pub overridden: Vec<Override>,
}

/// The tests of the Core Rule Set that ask for what a strict gateway refuses.
pub fn core_rules_overrides() -> &'static [Override] {
    &[
        Override {
            test: "920100-4",
            reason: "asks that CONNECT be served; the gateway tunnels for nobody and answers 400",
            status: 400,
            ids: &[],
        },
        Override {
            test: "920181-1",
            reason: "asks that Content-Length beside Transfer-Encoding be accepted; RFC 9112 section 6.3 allows refusing, and the gateway answers 400",
            status: 400,
            ids: &[920_181],
        },
        Override {
            test: "920620-1",
            reason: "expects two Content-Type fields to be merged into one before rules see them; here they are seen as sent, and matched",
            status: 200,
            ids: &[920_620],
        },
        Override {
            test: "921140-1",
            reason: "expects a head with a bare carriage return to be refused unseen; here it is refused and its attack is recorded",
            status: 400,
            ids: &[921_140],
        },
    ]
}

/// The parts of a Core Rule Set folder with the settings that its regression suite asks for.
pub fn core_rules(folder: &str, paranoia: u8) -> Vec<Part> {
    let settings = format!(
        "SecRuleEngine DetectionOnly\nSecRequestBodyLimit 13107200\n\
         SecResponseBodyMimeType text/plain text/html text/xml application/json\n\
         SecAction \"id:900005,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level={paranoia},\
         setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,\
         setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,\
         setvar:tx.combined_file_sizes=65535\"\n"
    );
    vec![
        Part::File(format!("{folder}/crs-setup.conf.example")),
        Part::Text { name: "suite-settings".into(), text: settings },
        Part::File(format!("{folder}/rules/*.conf")),
    ]
}

/// The parts of a Core Rule Set folder as it comes.
pub fn core_rules_as_shipped(folder: &str) -> Vec<Part> {
    vec![Part::File(format!("{folder}/crs-setup.conf.example")), Part::File(format!("{folder}/rules/*.conf"))]
}

/// Runs the suite. `prepare` may change how each transaction runs.
///
/// # Errors
/// Says which test has an expression that can't be read.
pub fn run(
    rules: &RuleSet,
    suite: &Suite,
    overrides: &[Override],
    prepare: impl Fn(Transaction) -> Transaction,
) -> Result<Report, String> {
    let mut report = Report::default();
    let mut scratch = Scratch::default();
    for test in &suite.tests {
        let name = test.name();
        let replaced = overrides.iter().find(|o| o.test == name);
        let mut why = String::new();
        for stage in &test.stages {
            report.stages += 1;
            let seen = observe(rules, &stage.request, std::mem::take(&mut scratch), &prepare);
            match replaced {
                Some(o) => {
                    report.overridden.push(*o);
                    let expect = Expect { ids: o.ids.to_vec(), status: Some(o.status), ..Expect::default() };
                    why.push_str(&compare(&expect, &seen).map_err(|e| format!("{name}: {e}"))?);
                }
                None => why.push_str(&compare(&stage.expect, &seen).map_err(|e| format!("{name}: {e}"))?),
            }
            scratch = seen.transaction.into_scratch();
        }
        if why.is_empty() {
            report.passed += 1;
        } else {
            report.failed.push(Failure { test: name, why });
        }
    }
    Ok(report)
}

/// What a request led to.
#[derive(Debug)]
pub struct Seen {
    /// The status of the answer; none if the connection was dropped.
    pub status: Option<u16>,
    /// The finished inspection.
    pub transaction: Transaction,
}

fn compare(expect: &Expect, seen: &Seen) -> Result<String, String> {
    let Expect { ids, no_ids, log, no_log, status, error } = expect;
    let matched = seen.transaction.matched_ids();
    let mut why = String::new();
    for id in ids.iter().filter(|id| !matched.contains(id)) {
        why.push_str(&format!("{id} is missing; "));
    }
    for id in no_ids.iter().filter(|id| matched.contains(id)) {
        why.push_str(&format!("{id} matched; "));
    }
    let lines: Vec<String> = seen.transaction.matches().iter().map(crate::Match::log_line).collect();
    let text = lines.join("\n");
    let matches = |expression: &str| -> Result<bool, String> {
        let regex = regex_automata::meta::Regex::new(expression).map_err(|e| e.to_string())?;
        // Data is escaped in log lines; the suite's expressions know both forms.
        let plain: Vec<&str> = seen.transaction.matches().iter().map(|m| m.data.as_str()).collect();
        Ok(regex.is_match(&text) || plain.iter().any(|data| regex.is_match(data)))
    };
    if let Some(expression) = log
        && !matches(expression)?
    {
        why.push_str("the log lacks what is expected; ");
    }
    if let Some(expression) = no_log
        && matches(expression)?
    {
        why.push_str("the log has what must not be there; ");
    }
    if let Some(status) = status
        && seen.status != Some(*status)
    {
        why.push_str(&format!("status {:?} instead of {status}; ", seen.status));
    }
    // An answer of 400 ends the connection; to a test that expects an error, it is one.
    if *error && seen.status != Some(400) {
        why.push_str(&format!("status {:?} instead of an error; ", seen.status));
    }
    Ok(why)
}

/// Sends one request through all phases; behind the engine stands a backend that reflects what it is asked to.
pub fn observe(rules: &RuleSet, bytes: &[u8], scratch: Scratch, prepare: impl Fn(Transaction) -> Transaction) -> Seen {
    let request = parse_request(bytes);
    let mut transaction = prepare(rules.transaction_with(scratch));
    let headers: Vec<(&[u8], &[u8])> = request.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    let mut verdict = transaction.request_head(&RequestHead {
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        headers: &headers,
        peer: (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000),
        unique_id: "suite",
    });
    // The head is refused before its body is read; rules of the body's phase still see the head, for the record.
    verdict = match verdict {
        crate::Verdict::Pass => transaction.request_body(&request.body),
        refused @ crate::Verdict::Refuse(_) => refused,
    };
    let mut status = if request.refused.is_some() { 400 } else { 200 };
    if let (crate::Verdict::Pass, None) = (verdict, request.refused) {
        let answer = backend(&request);
        status = answer.status;
        let headers: Vec<(&[u8], &[u8])> = answer.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        let head = ResponseHead { status, protocol: b"HTTP/1.1", headers: &headers };
        // As a gateway does while the server has the request.
        let (paused, scratch) = transaction.pause();
        transaction = paused.resume(scratch);
        verdict = transaction.response_head(&head);
        if !verdict.is_refused() {
            verdict = transaction.response_body(&answer.body);
        }
    }
    if let crate::Verdict::Refuse(refused) = verdict {
        status = refused.status;
    }
    transaction.finish();
    Seen { status: Some(status), transaction }
}

struct Answer {
    status: u16,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

/// 200 and nothing, or for `POST /reflect` what the JSON body describes.
fn backend(request: &RawRequest) -> Answer {
    let mut answer = Answer { status: 200, headers: Vec::new(), body: Vec::new() };
    let path = request.target.split(|b| *b == b'?').next().unwrap_or_default();
    if request.method != b"POST" || path.strip_suffix(b"/").unwrap_or(path) != b"/reflect" {
        return answer;
    }
    let mut store = Store::default();
    if json::read(&request.body, BodyLimits { arguments: 100, json_depth: 4 }, &mut store).is_err() {
        answer.status = 400;
        return answer;
    }
    for entry in store.list(List::ArgsPost) {
        let value = store.bytes(entry.value);
        match store.bytes(entry.name) {
            b"json.status" => answer.status = u16::try_from(crate::bytes::integer(value)).unwrap_or(500),
            b"json.body" => answer.body = value.to_vec(),
            b"json.encodedBody" => crate::transform::Transform::Base64Decode.apply(value, &mut answer.body),
            other => {
                if let Some(name) = other.strip_prefix(b"json.headers.") {
                    answer.headers.push((name.to_vec(), value.to_vec()));
                }
            }
        }
    }
    let typed = answer.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(b"content-type"));
    if !answer.body.is_empty() && !typed {
        answer.headers.push((b"Content-Type".to_vec(), b"text/plain; charset=utf-8".to_vec()));
    }
    answer
}
