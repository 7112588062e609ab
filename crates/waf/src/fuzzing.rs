//! Entry points for fuzzing: bytes in, a panic only where a promise is broken. A seeded smoke run of each is a test.

mod plain;

use crate::body::{BodyLimits, derived, json, multipart, urlencoded, xml};
use crate::classes;
use crate::loader::Memory;
use crate::message::RequestHead;
use crate::ruleset::{Part, RuleSet};
use crate::store::{List, Store};
use crate::transform::{Effect, Transform};
use std::sync::LazyLock;

const LIMITS: BodyLimits = BodyLimits { arguments: 200, json_depth: 32 };

static BUILTIN: LazyLock<Option<RuleSet>> = LazyLock::new(|| RuleSet::builtin().ok());

/// Reads the bytes as a rule file: rules or mistakes, never a panic.
pub fn fuzz_seclang(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let loaded = RuleSet::load(&[Part::Text { name: "fuzz.conf".into(), text }], &Memory::default());
    drop(loaded);
}

/// Every transformation does what its plain form does and keeps what `effect` promises, and none grows a value beyond
/// eight times its length.
pub fn fuzz_transforms(bytes: &[u8]) {
    let mut out = Vec::new();
    for transform in Transform::all() {
        transform.apply(bytes, &mut out);
        assert!(out.len() <= bytes.len() * 8 + 64, "{transform:?} grows");
        if let Some(plain) = plain::transformed(transform, bytes) {
            assert_eq!(out, plain, "{transform:?} isn't what it plainly is");
        }
        let had = classes::mask(bytes);
        for class in (0..64).map(|bit| 1 << bit).filter(|c| *c != classes::UPPER && classes::mask(&out) & c != 0) {
            let sources = crate::gate::sources(transform, class);
            assert!(sources.is_none_or(|s| s & had != 0), "{transform:?} makes {class:x} of nothing it could come of");
        }
        match transform.effect(classes::mask(bytes)) {
            Effect::Identity => assert_eq!(out, bytes, "{transform:?} isn't the identity it promises to be"),
            Effect::Fold => assert!(out.eq_ignore_ascii_case(bytes), "{transform:?} does more than fold"),
            Effect::Changes => {}
        }
    }
}

/// Every body processor on the same bytes.
pub fn fuzz_bodies(bytes: &[u8]) {
    for processor in 0..5 {
        let mut store = Store::default();
        let outcome = match processor {
            0 => json::read(bytes, LIMITS, &mut store),
            1 => xml::read(bytes, &mut store),
            4 => {
                let whole = store.intern(bytes);
                for name in ["query", "state"] {
                    let name = store.intern(name.as_bytes());
                    store.push(List::ArgsPost, name, whole);
                }
                let whole = derived::body(&mut store, bytes, (None, b"application/graphql"), LIMITS)
                    & derived::arguments(&mut store, List::ArgsPost, LIMITS);
                assert!(!whole || store.list(List::Derived).len() < LIMITS.arguments, "what is full says so");
                Ok(())
            }
            2 => multipart::read(bytes, b"multipart/form-data; boundary=x", LIMITS.arguments, &mut store),
            _ => urlencoded::arguments(bytes, b'&', LIMITS.arguments, List::ArgsPost, &mut store),
        };
        drop(outcome);
        for list in [List::ArgsPost, List::Derived] {
            assert!(store.list(list).len() <= LIMITS.arguments, "limits hold");
        }
    }
}

/// A request whose target and body are the bytes: the gates change nothing about the built-in rules' matches.
pub fn fuzz_request(bytes: &[u8]) {
    let Some(rules) = BUILTIN.as_ref() else { return };
    let run = |mut transaction: crate::Transaction| {
        let headers: [(&[u8], &[u8]); 2] = [(b"Content-Type", b"application/json"), (b"Cookie", bytes)];
        let head = RequestHead {
            method: b"POST",
            target: bytes,
            protocol: b"HTTP/1.1",
            headers: &headers,
            peer: (std::net::Ipv4Addr::LOCALHOST.into(), 1),
            unique_id: "fuzz",
        };
        if !transaction.request_head(&head).is_refused() {
            transaction.request_body(bytes);
        }
        transaction.finish();
        (transaction.matched_ids().to_vec(), transaction.verdict())
    };
    assert_eq!(run(rules.transaction()), run(rules.transaction().ungated()), "the gates change the verdict");
}

#[cfg(test)]
mod tests;
