//! Holds the fast path against the interpreter without gates: over the suite, and over mutations of its requests.

use super::run::observe;
use super::suite::Suite;
use crate::random::Random;
use crate::ruleset::RuleSet;
use crate::transaction::{Scratch, Transaction};

/// What mutations put in: bytes and words that gates and decoders turn on.
const PIECES: &[&[u8]] = &[
    b"'",
    b"\"",
    b"%27",
    b"%00",
    b"\0",
    b"+",
    b"%",
    b"%25",
    b"\\",
    b"\\u0027",
    b"\\x3c",
    b"&lt;",
    b"&#60;",
    b"<",
    b">",
    b"/*",
    b"*/",
    b"--",
    b"#",
    b";",
    b"(",
    b")",
    b"|",
    b"`",
    b"$",
    b"{",
    b"}",
    b"=",
    b" or ",
    b"UNION",
    b"select",
    b"../",
    b"..\\",
    b"/etc/passwd",
    b"%u003c",
    b"%u2019",
    b"\xff",
    b"\xc0\xaf",
    b"\xe2\x80\x99",
    b"\r\n",
    b"\n",
    b"\t",
    b"^",
    b"@",
    b"!",
    b"~",
    b"[",
    b"]",
    b",",
    b".",
    b":",
    b"?",
    b"_",
    b"A",
    b"z",
    b"0",
    b"9",
    b"cat ",
    b"wget",
    b"eval",
    b"javascript:",
    b"onload=",
    b"<script",
    b"%2e%2e%2f",
    b"PGltZz4=",
    b"d2hpbGUodHJ1ZSk=",
    b"%c0%ae",
    b"%e0%80%af",
];

/// Compares matched rules, in order, and scores. Returns how many requests were compared.
///
/// # Errors
/// The first request for which they differ, and how.
pub fn compare_gates(rules: &RuleSet, suite: &Suite, mutations: usize, seed: u64) -> Result<usize, String> {
    let requests: Vec<&[u8]> = suite.tests.iter().flat_map(|t| &t.stages).map(|s| s.request.as_slice()).collect();
    let mut scratch = (Scratch::default(), Scratch::default());
    for request in &requests {
        scratch = compare(rules, request, scratch)?;
    }
    let mut random = Random::new(seed);
    for _ in 0..mutations {
        let mutated = mutate(&requests, &mut random);
        scratch = compare(rules, &mutated, scratch)?;
    }
    Ok(requests.len() + mutations)
}

/// One to six changes: a piece put in, bytes taken out or turned, case turned, or a piece of another request.
/// Content lengths that no longer fit are made to.
pub(super) fn mutate(requests: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut out = random.pick(requests).to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(out.len());
        match random.below(6) {
            0 | 1 => drop(out.splice(at..at, random.pick(PIECES).iter().copied())),
            2 => {
                let end = (at + 1 + random.below(8)).min(out.len());
                drop(out.drain(at..end));
            }
            3 => {
                let byte = random.next_u64().to_le_bytes()[0];
                if let Some(place) = out.get_mut(at) {
                    *place = byte;
                }
            }
            4 => {
                for byte in out.iter_mut().skip(at).take(12) {
                    if byte.is_ascii_alphabetic() {
                        *byte ^= 0x20;
                    }
                }
            }
            _ => {
                let other = random.pick(requests);
                let from = random.below(other.len());
                let piece = crate::bytes::sub(other, from, from + 1 + random.below(60));
                drop(out.splice(at..at, piece.iter().copied()));
            }
        }
    }
    fit_length(out)
}

fn fit_length(request: Vec<u8>) -> Vec<u8> {
    let Some(end) = memchr::memmem::find(&request, b"\r\n\r\n") else { return request };
    let head = crate::bytes::sub(&request, 0, end).to_ascii_lowercase();
    let Some(at) = memchr::memmem::find(&head, b"content-length:") else { return request };
    let line_end = memchr::memchr(b'\r', crate::bytes::sub(&head, at, head.len())).map_or(end, |n| at + n);
    let mut out = crate::bytes::sub(&request, 0, at + 15).to_vec();
    out.push(b' ');
    out.extend_from_slice((request.len() - end - 4).to_string().as_bytes());
    out.extend_from_slice(crate::bytes::sub(&request, line_end, request.len()));
    out
}

fn compare(rules: &RuleSet, request: &[u8], scratch: (Scratch, Scratch)) -> Result<(Scratch, Scratch), String> {
    let gated = observe(rules, request, scratch.0, |t| t);
    let plain = observe(rules, request, scratch.1, Transaction::ungated);
    let view = |t: &Transaction| {
        let matches: Vec<_> =
            t.matches().iter().map(|m| (m.message.clone(), m.data.clone(), m.variable.clone())).collect();
        (t.matched_ids().to_vec(), t.scores(), matches, t.would_refuse())
    };
    let (fast, slow) = (view(&gated.transaction), view(&plain.transaction));
    if fast != slow || gated.status != plain.status {
        return Err(format!(
            "the gates change the verdict.\nrequest: {}\ngated:   {:?} {:?} {:?}\nungated: {:?} {:?} {:?}\n{:?}",
            String::from_utf8_lossy(request).escape_debug(),
            fast.0,
            fast.1,
            fast.3,
            slow.0,
            slow.1,
            slow.3,
            fast.2.iter().zip(&slow.2).find(|(a, b)| a != b)
        ));
    }
    Ok((gated.transaction.into_scratch(), plain.transaction.into_scratch()))
}
