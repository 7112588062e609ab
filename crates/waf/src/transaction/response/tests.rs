//! Rows of responses: what is refused, what is looked at, and what is kept of a request until its response comes.

use super::*;
use crate::loader::Memory;
use crate::message::{Field, RequestHead};
use crate::ruleset::{Part, RuleSet};
use crate::verdict::Refused;

fn load(text: &str) -> RuleSet {
    RuleSet::load(&[Part::Text { name: "t.conf".into(), text: text.into() }], &Memory::default()).unwrap()
}

/// A request that went on, with a body of a megabyte.
fn requested(transaction: Transaction) -> Transaction {
    let mut transaction = transaction.with_body_limit(2 << 20);
    let headers: [Field<'_>; 2] = [(b"Host", b"h"), (b"Content-Type", b"text/plain")];
    let head = RequestHead {
        method: b"POST",
        target: b"/orders?q=word",
        protocol: b"HTTP/1.1",
        headers: &headers,
        peer: (std::net::Ipv4Addr::LOCALHOST.into(), 1),
        unique_id: "x",
    };
    assert_eq!(transaction.request_head(&head), Verdict::Pass);
    assert_eq!(transaction.request_body(&vec![b'a'; 1 << 20]), Verdict::Pass);
    transaction
}

fn answered(mut transaction: Transaction, status: u16, headers: &[Field<'_>], body: &[u8]) -> Transaction {
    let head = ResponseHead { status, protocol: b"HTTP/1.1", headers };
    if !transaction.response_head(&head).is_refused() {
        transaction.response_body(body);
    }
    transaction.finish();
    transaction
}

/// The verdict on a response: with gates and without, paused and not, in an own worker and in another's.
fn verdict(rules: &RuleSet, status: u16, headers: &[Field<'_>], body: &[u8]) -> Verdict {
    let over = |transaction: Transaction| {
        let (paused, scratch) = requested(transaction).pause();
        // Another request runs on the worker in between.
        let other = requested(rules.transaction_with(scratch)).into_scratch();
        let seen = answered(paused.resume(other), status, headers, body);
        (seen.verdict(), seen.matched_ids().to_vec(), seen.would_refuse())
    };
    let plain = answered(requested(rules.transaction()), status, headers, body);
    let plain = (plain.verdict(), plain.matched_ids().to_vec(), plain.would_refuse());
    assert_eq!(over(rules.transaction()), plain, "a pause changes nothing");
    assert_eq!(over(rules.transaction().ungated()), plain, "gates change nothing");
    plain.0
}

fn refused(status: u16, rule: u64) -> Verdict {
    Verdict::Refuse(Refused { status, rule, limit: None, drop: false })
}

fn beyond(limit: Limit) -> Verdict {
    Verdict::Refuse(Refused { status: 500, rule: 0, limit: Some(limit), drop: false })
}

const JSON: Field<'static> = (b"Content-Type", b"application/json; charset=utf-8");

const RULES: &str = r#"
SecRule RESPONSE_STATUS "@streq 503" "id:1,phase:3,deny,status:502"
SecRule RESPONSE_HEADERS:X-Powered-By "@rx php/[0-9]" "id:2,phase:3,deny,status:502"
SecRule RESPONSE_BODY "@rx (?i)stack trace:" "id:3,phase:4,deny,status:502"
SecRule ARGS "@streq word" "id:4,phase:2,pass,nolog,setvar:tx.seen=%{MATCHED_VAR}"
SecRule RESPONSE_BODY "@contains %{tx.seen} of %{request_headers.host}" "id:5,phase:4,deny,status:502"
"#;

#[test]
fn status_fields_and_body_are_looked_at() {
    let rules = load(RULES);
    assert!(rules.inspects_responses());
    for (status, headers, body, expect) in [
        (200, &[JSON][..], "{\"a\":1}", Verdict::Pass),
        (503, &[JSON], "", refused(502, 1)),
        (200, &[JSON, (b"X-Powered-By", b"php/8")], "", refused(502, 2)),
        (200, &[JSON], "{\"error\":\"Stack Trace: at\"}", refused(502, 3)),
        (200, &[(b"content-type", b"Application/Problem+JSON")], "stack trace:", refused(502, 3)),
        (200, &[(b"Content-Type", b"image/png"), JSON], "stack trace:", refused(502, 3)),
        // Images, and what says nothing of itself, are not.
        (200, &[(b"Content-Type", b"image/png")], "stack trace:", Verdict::Pass),
        (200, &[], "stack trace:", Verdict::Pass),
        // What rules kept of the request is still there.
        (200, &[JSON], "a word of h", refused(502, 5)),
        (200, &[JSON], "a word of i", Verdict::Pass),
    ] {
        assert_eq!(verdict(&rules, status, headers, body.as_bytes()), expect, "{status} {body}");
    }
}

#[test]
fn a_body_is_wanted_only_where_rules_look_at_it() {
    let wants = |text: &str, prepare: fn(Transaction) -> Transaction| {
        let rules = load(text);
        let mut transaction = requested(prepare(rules.transaction()));
        transaction.response_head(&ResponseHead { status: 200, protocol: b"HTTP/1.1", headers: &[JSON] });
        transaction.wants_response_body()
    };
    let plain: fn(Transaction) -> Transaction = |t| t;
    assert!(wants(RULES, plain));
    assert!(wants(RULES, Transaction::observing));
    assert!(!wants(&format!("SecResponseBodyAccess Off\n{RULES}"), plain));
    assert!(!wants(&format!("SecResponseBodyMimeType text/html\n{RULES}"), plain));
    assert!(!wants(&format!("SecRuleEngine Off\n{RULES}"), plain));
    assert!(!wants(&format!("SecAction \"id:9,phase:1,allow,nolog\"\n{RULES}"), plain));
    assert!(!wants("SecRule RESPONSE_STATUS \"@streq 503\" \"id:1,phase:4,deny\"\n", plain));
    assert!(!wants("SecRule RESPONSE_STATUS \"@streq 200\" \"id:1,phase:3,deny\"\n", plain), "refused already");
    let requests = load("SecRule ARGS \"@streq x\" \"id:1,phase:2,deny\"\n");
    assert!(!requests.inspects_responses());
    assert!(!RuleSet::builtin().unwrap().inspects_responses());
}

#[test]
fn a_body_that_is_too_long_is_refused_or_cut_as_the_rules_say() {
    let body = format!("{}stack trace:", "a".repeat(100));
    for (settings, expect) in [
        ("SecResponseBodyLimit 100\nSecResponseBodyLimitAction Reject\n", beyond(Limit::BodyTooLong)),
        ("SecResponseBodyLimit 100\nSecResponseBodyLimitAction ProcessPartial\n", Verdict::Pass),
        ("SecResponseBodyLimit 100\nSecResponseBodyLimitAction Reject\nSecResponseBodyMimeType a/b\n", Verdict::Pass),
        ("SecResponseBodyLimit 112\nSecResponseBodyLimitAction Reject\n", refused(502, 3)),
        ("SecResponseBodyLimit 112\nSecResponseBodyLimitAction ProcessPartial\n", refused(502, 3)),
    ] {
        let rules = load(&format!("{settings}{RULES}"));
        assert_eq!(verdict(&rules, 200, &[JSON], body.as_bytes()), expect, "{settings}");
    }
    let rules = load(&format!("SecResponseBodyLimit 100\nSecResponseBodyLimitAction Reject\n{RULES}"));
    let seen = answered(requested(rules.transaction().observing()), 200, &[JSON], body.as_bytes());
    assert_eq!(seen.verdict(), Verdict::Pass);
    assert_eq!(seen.would_refuse().and_then(|r| r.limit), Some(Limit::BodyTooLong));
    assert_eq!(rules.transaction().response_body_limit(), 100);
}

#[test]
fn a_request_that_is_too_long_is_noted_where_rules_only_look() {
    let rules = load("SecRequestBodyLimit 10\nSecRule ARGS \"@streq x\" \"id:1,phase:2,deny\"\n");
    let mut transaction = rules.transaction().observing();
    assert_eq!(transaction.request_body(&[b'a'; 11]), Verdict::Pass);
    assert_eq!(transaction.would_refuse().and_then(|r| r.limit), Some(Limit::BodyTooLong));
    assert!(rules.transaction().request_body(&[b'a'; 11]).is_refused());
}

#[test]
fn what_a_response_is_too_much_for_is_the_servers_fault() {
    // As many expressions as it takes, each of which is tried.
    let rules: String = (1..=400)
        .map(|id| format!("SecRule RESPONSE_BODY \"!@rx never\" \"id:{id}00,phase:4,pass,nolog\"\n"))
        .collect();
    let rules = load(&rules);
    let body = vec![b'a'; 400 << 10];
    let seen = answered(requested(rules.transaction()), 200, &[JSON], &body);
    assert_eq!(seen.verdict(), beyond(Limit::TooMuchWork));
    // What is a word for a few of them is not.
    let few = load(RULES);
    assert_eq!(answered(requested(few.transaction()), 200, &[JSON], &body).verdict(), Verdict::Pass);
}

#[test]
fn little_is_kept_of_a_request_that_waits() {
    fn sent<T: Send + 'static>(value: T) -> T {
        value
    }
    let rules = load(RULES);
    let (paused, _scratch) = requested(rules.transaction()).pause();
    let paused = sent(paused);
    assert!(paused.bytes() < 200, "{}", paused.bytes());
    // A rule about responses that reads the request's body keeps it.
    let rules =
        load("SecRequestBodyAccess On\nSecRule REQUEST_HEADERS:Host|REQUEST_URI \"@rx x\" \"id:1,phase:4,deny\"\n");
    let (paused, _scratch) = requested(rules.transaction()).pause();
    assert!(paused.bytes() > "/orders?q=word".len() && paused.bytes() < 200, "{}", paused.bytes());
}
