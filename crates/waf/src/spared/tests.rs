//! What is known beforehand changes no verdict: rules of every kind, on values that keep their promises and on values that
//! don't.

use super::*;
use crate::loader::Memory;
use crate::message::RequestHead;
use crate::random::Random;
use crate::ruleset::{Part, RuleSet};
use crate::transaction::Transaction;
use crate::transform::{Effect, Transform};
use std::sync::Arc;

/// Rules that count, want a length, miss something, negate, score, decode, and look for texts.
const RULES: &str = r#"
SecRule &ARGS "@gt 2" "id:1,phase:2,pass,log"
SecRule &ARGS:absent "@eq 0" "id:2,phase:2,pass,log"
SecRule ARGS "!@rx ^[0-9]+$" "id:3,phase:2,pass,log,setvar:tx.score=+3"
SecRule ARGS "@gt 5" "id:4,phase:2,pass,log,t:length"
SecRule ARGS "@rx ^\d{3}$" "id:5,phase:2,pass,log,setvar:tx.score=+2"
SecRule ARGS "@rx (?i)(?:union|select)\s" "id:6,phase:2,pass,log"
SecRule ARGS "@pm beef fade true false" "id:7,phase:2,pass,log,t:lowercase"
SecRule ARGS "@streq true" "id:8,phase:2,pass,log"
SecRule ARGS "@within 10 20 30" "id:9,phase:2,pass,log"
SecRule ARGS "@detectSQLi" "id:10,phase:2,pass,log,t:urlDecodeUni,multiMatch"
SecRule ARGS "@detectXSS" "id:11,phase:2,pass,log"
SecRule ARGS "@contains <script" "id:12,phase:2,pass,log,t:base64Decode"
SecRule ARGS "@validateByteRange 48-57,97-102" "id:13,phase:2,pass,log"
SecRule ARGS "@rx --|/\*" "id:14,phase:2,pass,log,t:removeWhitespace"
SecRule ARGS "@rx ^4\d{12}(?:\d{3})?$" "id:15,phase:2,pass,log,capture,logdata:'%{TX.0}'"
SecRule ARGS_GET:n|ARGS_POST:json.list.0.n "@rx ^-?[02468]+$" "id:16,phase:2,pass,log,chain"
SecRule MATCHED_VARS "@ge 4" "t:length,setvar:tx.score=+5"
SecRule ARGS "@rx a.*b.*c" "id:17,phase:2,pass,log,t:none,t:lowercase"
SecRule ARGS "@endsWith 7" "id:18,phase:2,pass,log"
SecRule ARGS "@rx e{3,}" "id:19,phase:2,pass,log,t:sha1,t:hexEncode"
SecRule TX:score "@ge 5" "id:20,phase:2,pass,log"
"#;

const SETS: [&[u8]; 6] = [
    b"0123456789",
    b"-0123456789",
    b"0123456789abcdefABCDEF-",
    b"truefals",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
    b"0123456789:.TZ+-",
];

fn matched(transaction: Transaction, n: &[u8], m: &[u8]) -> (Vec<u64>, i64) {
    let mut transaction = transaction;
    let headers: [(&[u8], &[u8]); 1] = [(b"Content-Type", b"application/json")];
    let escaped: String = n.iter().map(|byte| format!("%{byte:02x}")).collect();
    let target = format!("/x?n={escaped}&other=1");
    let head = RequestHead {
        method: b"POST",
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        headers: &headers,
        peer: (std::net::Ipv4Addr::LOCALHOST.into(), 1),
        unique_id: "x",
    };
    transaction.request_head(&head);
    let text = String::from_utf8_lossy(m).replace(['"', '\\'], "_");
    transaction.request_body(format!("{{\"list\":[{{\"n\":\"{text}\"}},{{\"n\":7}}]}}").as_bytes());
    (transaction.matched_ids().to_vec(), transaction.number("score"))
}

/// A value of these bytes, now and then with one that is none of them.
fn value(random: &mut Random, set: &[u8]) -> Vec<u8> {
    let length = random.below(20);
    let mut out: Vec<u8> = (0..length).map(|_| *random.pick(set)).collect();
    match random.below(8) {
        0 => out.extend_from_slice(b"' union select 1--"),
        1 => out.extend_from_slice(b"true"),
        2 => out.splice(.., *b"PHNjcmlwdD4=").for_each(drop),
        _ => {}
    }
    out
}

fn nothing_changes(rules: &RuleSet, rounds: usize) {
    let mut random = Random::new(11);
    for set in SETS {
        let promises = [
            Promise { place: Place::Query, name: "n", bytes: set },
            Promise { place: Place::Body, name: "json.list.*.n", bytes: set },
        ];
        let spared = Arc::new(rules.spared(&promises));
        for _ in 0..rounds {
            let (n, m) = (value(&mut random, set), value(&mut random, set));
            let plain = matched(rules.transaction().ungated(), &n, &m);
            let quick = matched(rules.transaction().sparing(&spared), &n, &m);
            assert_eq!(quick, plain, "{:?} {:?}", String::from_utf8_lossy(&n), String::from_utf8_lossy(&m));
        }
    }
}

#[test]
fn what_is_known_beforehand_changes_nothing() {
    let own = RuleSet::load(&[Part::Text { name: "t.conf".into(), text: RULES.into() }], &Memory::default()).unwrap();
    nothing_changes(&own, 2_000);
    nothing_changes(&RuleSet::builtin().unwrap(), 500);
}

#[test]
fn most_rules_are_spared_numbers_and_identifiers() {
    let rules = RuleSet::builtin().unwrap();
    for (set, most) in [(SETS[0], 2), (SETS[1], 2), (SETS[2], 6), (SETS[3], 6)] {
        let spared = rules.spared(&[Promise { place: Place::Query, name: "n", bytes: set }]);
        let [field] = spared.fields().collect::<Vec<_>>().try_into().unwrap();
        assert!(field.name == "n" && field.looking > 20 && field.tried <= most, "{field:?}");
    }
}

#[test]
fn what_is_made_for_another_set_is_not_used() {
    let (one, other) = (RuleSet::builtin().unwrap(), RuleSet::builtin().unwrap());
    let promise = Promise { place: Place::Query, name: "n", bytes: b"abcdefghijklmnopqrstuvwxyz' -" };
    let spared = Arc::new(one.spared(&[promise]));
    let attack = b"1' union select a from b--";
    assert_eq!(matched(other.transaction().sparing(&spared), attack, b""), matched(other.transaction(), attack, b""));
}

#[test]
fn a_step_that_leaves_classes_alone_leaves_fewer_of_them_alone() {
    let rank = |effect: Effect| match effect {
        Effect::Identity => 0,
        Effect::Fold => 1,
        Effect::Changes => 2,
    };
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let all = random.next_u64() & random.next_u64();
        let some = all & random.next_u64();
        for transform in Transform::all() {
            assert!(rank(transform.effect(some)) <= rank(transform.effect(all)), "{transform:?} {some:x} {all:x}");
        }
    }
}
