//! Rows of requests that hold more than rules see, or hold it where it is easily overlooked.

use super::*;
use crate::loader::Memory;
use crate::ruleset::Part;

/// A request, and what of it counts here.
#[derive(Clone, Copy)]
struct Sent<'a> {
    target: &'a str,
    cookie: &'a str,
    content_type: &'a str,
    body: &'a [u8],
}

const NOTHING: Sent<'static> = Sent { target: "/", cookie: "", content_type: "", body: b"" };

fn load(text: &str) -> RuleSet {
    RuleSet::load(&[Part::Text { name: "t.conf".into(), text: text.into() }], &Memory::default()).unwrap()
}

fn run(mut transaction: Transaction, sent: Sent<'_>) -> Transaction {
    let headers: [(&[u8], &[u8]); 3] =
        [(b"Host", b"h"), (b"Cookie", sent.cookie.as_bytes()), (b"Content-Type", sent.content_type.as_bytes())];
    let empty = |value: &[u8]| value.is_empty();
    let headers: Vec<(&[u8], &[u8])> = headers.into_iter().filter(|(_, value)| !empty(value)).collect();
    let head = RequestHead {
        method: b"POST",
        target: sent.target.as_bytes(),
        protocol: b"HTTP/1.1",
        headers: &headers,
        peer: (std::net::Ipv4Addr::LOCALHOST.into(), 1),
        unique_id: "x",
    };
    if !transaction.request_head(&head).is_refused() {
        transaction.request_body(sent.body);
    }
    transaction
}

/// The status and the rule that refuse it, with gates and without.
fn refused(rules: &RuleSet, sent: Sent<'_>) -> Option<(u16, u64)> {
    let status = |transaction: Transaction| match run(transaction, sent).verdict() {
        Verdict::Pass => None,
        Verdict::Refuse(refused) => Some((refused.status, refused.rule)),
    };
    let gated = status(rules.transaction());
    assert_eq!(gated, status(rules.transaction().ungated()), "gates change nothing");
    gated
}

fn percent(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

const EVIL: &str = "SecRule ARGS|REQUEST_COOKIES \"@contains evil\" \"id:1,phase:2,deny\"\n";
const TOO_MUCH: Option<(u16, u64)> = Some((413, 0));
const BEYOND: Verdict = Verdict::Refuse(Refused { status: 413, rule: 0, limit: Some(Limit::TooMuchWork), drop: false });

#[test]
fn arguments_and_cookies_that_rules_do_not_see_are_refused() {
    let arguments = |count: usize| format!("/x?{}q=evil", "a&".repeat(count));
    let cookies = |count: usize| format!("{}q=evil", "a=1; ".repeat(count));
    for (more, few, many) in [
        ("", Some((403, 1)), TOO_MUCH),
        ("SecRequestBodyAccess Off\n", Some((403, 1)), TOO_MUCH),
        ("SecRuleEngine DetectionOnly\n", None, None),
        ("SecAction \"id:2,phase:1,pass,nolog,ctl:ruleEngine=Off\"\n", None, None),
        ("SecAction \"id:2,phase:1,allow,nolog\"\n", None, None),
    ] {
        let rules = load(&format!("{more}{EVIL}"));
        for (count, expect) in [(998, few), (999, few), (1000, many), (5000, many)] {
            let (target, cookie) = (arguments(count), cookies(count));
            assert_eq!(refused(&rules, Sent { target: &target, ..NOTHING }), expect, "{more} {count} arguments");
            assert_eq!(refused(&rules, Sent { cookie: &cookie, ..NOTHING }), expect, "{more} {count} cookies");
        }
        let few = format!("/x?{}", "a&".repeat(1000));
        assert_eq!(refused(&rules, Sent { target: &few, ..NOTHING }), None, "{more}");
    }
    // Over several fields as well, and by the built-in rules.
    let rules = RuleSet::builtin().unwrap();
    assert_eq!(refused(&rules, Sent { target: &arguments(1000), ..NOTHING }), TOO_MUCH);
    assert_eq!(refused(&rules, NOTHING), None);
}

#[test]
fn who_only_looks_is_told_what_was_not_seen() {
    let target = format!("/x?{}q=evil", "a&".repeat(1000));
    for access in ["On", "Off"] {
        let text =
            format!("SecRequestBodyAccess {access}\nSecRule REQBODY_ERROR \"@eq 1\" \"id:3,phase:2,pass,log\"\n");
        let seen = run(load(&text).transaction().observing(), Sent { target: &target, ..NOTHING });
        assert_eq!(seen.verdict(), Verdict::Pass);
        assert_eq!(seen.would_refuse().map(|r| (r.status, r.limit)), Some((413, Some(Limit::TooMuchWork))), "{access}");
        assert_eq!(seen.matched_ids(), [3], "{access}");
        assert!(seen.has_body_error());
    }
}

/// What the built-in rules say of it where they see it.
const HIDDEN: &str = r#""name":{"\u0024ne":1}"#;

#[test]
fn limits_inside_values_do_not_hide_what_follows() {
    let rules = RuleSet::builtin().unwrap();
    let deep = format!("{{\"a\":{}{},{HIDDEN}}}", "[".repeat(64), "]".repeat(64));
    let name = format!("{{\"{}\":1,{HIDDEN}}}", "n".repeat(4100));
    let many = format!("{{\"a\":[{}0],{HIDDEN}}}", "0,".repeat(1000));
    for text in [&deep, &name, &many] {
        let target = format!("/?filter={}", percent(text));
        let cookie = format!("filter={}", percent(text));
        assert_eq!(refused(&rules, Sent { target: &target, ..NOTHING }), TOO_MUCH);
        assert_eq!(refused(&rules, Sent { cookie: &cookie, ..NOTHING }), TOO_MUCH);
        for content_type in ["text/plain", ""] {
            let sent = Sent { content_type, body: text.as_bytes(), ..NOTHING };
            assert!(refused(&rules, sent).is_some(), "{content_type}");
        }
        let form = format!("filter={}", percent(text));
        let sent = Sent { content_type: "application/x-www-form-urlencoded", body: form.as_bytes(), ..NOTHING };
        assert!(refused(&rules, sent).is_some());
    }
    // Brackets that are no JSON are no limit.
    for text in ["[1] and {2}", "{{ name }}", "[a link](/x)", "{\"a\":[1,2"] {
        let target = format!("/?filter={}", percent(text));
        assert_eq!(refused(&rules, Sent { target: &target, ..NOTHING }), None, "{text}");
    }
}

/// A body that a limit of its processor cuts off, with an attack behind the limit; `few` of it is within the limit.
fn cut(few: bool) -> [(&'static str, String); 6] {
    let less = usize::from(few);
    let many = |text: &str, count: usize| text.repeat(count - less);
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let (form, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x");
    let evil = part.replace("1\r\n", "evil\r\n");
    [
        (form, format!("{}q=evil", many("a&", 1000))),
        ("application/json", format!("[{}\"evil\"]", many("1,", 1000 - less))),
        ("application/json", format!("{{\"a\":{}{},\"q\":\"evil\"}}", many("[", 64), many("]", 64))),
        (multipart, format!("{}{evil}--x--\r\n", part.repeat(1000 - less))),
        (multipart, format!("--x\r\n{}{}--x--\r\n", many("A: b\r\n", 64), evil.trim_start_matches("--x\r\n"))),
        ("text/xml", format!("{}evil{}", many("<a>", 513), many("</a>", 513))),
    ]
}

#[test]
fn what_a_processor_does_not_reach_is_refused_without_a_rule_for_it() {
    let rules = load("SecRule ARGS|XML:/*|XML://@* \"@contains evil\" \"id:1,phase:2,deny\"\n");
    let told = load("SecRule REQBODY_ERROR \"@eq 1\" \"id:3,phase:2,deny,status:400\"\n");
    for (few, expect, first) in [(true, Some((403, 1)), None), (false, TOO_MUCH, Some((400, 3)))] {
        for (content_type, body) in &cut(few) {
            let sent = Sent { content_type, body: body.as_bytes(), ..NOTHING };
            let start = &body.as_bytes()[..20];
            assert_eq!(refused(&rules, sent), expect, "{content_type} {start:?}");
            assert_eq!(refused(&told, sent), first, "rules come first: {content_type} {start:?}");
        }
    }
    let attributes = |count: usize| format!("<a {}/>", "a='1' ".repeat(count));
    for (count, expect) in [(10_000, None), (10_001, TOO_MUCH)] {
        let body = attributes(count);
        assert_eq!(refused(&rules, Sent { content_type: "text/xml", body: body.as_bytes(), ..NOTHING }), expect);
    }
}

#[test]
fn the_bound_of_derived_values_counts_for_the_whole_request() {
    let rules = load("SecRule DERIVED \"@streq evil\" \"id:1,phase:2,deny\"\n");
    let text = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
    let mebi = 1 << 20;
    for (target, cookie, body, expect) in [
        (mebi, mebi, mebi / 2, Verdict::Pass),
        (5 * mebi, 0, 0, BEYOND),
        (2 * mebi, 3 * mebi, 0, BEYOND),
        (3 * mebi, 0, 2 * mebi, BEYOND),
        (0, 0, 5 * mebi, BEYOND),
    ] {
        let (query, pair, held) = (format!("/?a={}", text(target)), format!("a={}", text(cookie)), text(body));
        let sent = Sent { target: &query, cookie: &pair, content_type: "text/plain", body: held.as_bytes() };
        let seen = run(rules.transaction().with_body_limit(8 << 20), sent);
        assert_eq!(seen.verdict(), expect, "{target} {cookie} {body}");
    }
}

#[test]
fn json_in_values_is_found_however_it_starts() {
    let rules = RuleSet::builtin().unwrap();
    let text = format!("{{{HIDDEN}}}");
    for (before, name) in [
        ("", "filter"),
        (" ", "filter"),
        ("\r\n\t", "filter"),
        ("\u{feff}", "filter"),
        ("", "query"),
        (" ", "json.query"),
    ] {
        let value = percent(&format!("{before}{text}"));
        let (target, cookie) = (format!("/?{name}={value}"), format!("{name}={value}"));
        assert_eq!(refused(&rules, Sent { target: &target, ..NOTHING }), Some((403, 100_999)), "{name} {before:?}");
        assert_eq!(refused(&rules, Sent { cookie: &cookie, ..NOTHING }), Some((403, 100_999)), "{name} {before:?}");
    }
    // As frameworks write and read cookies.
    for cookie in [
        format!("a=\"{value}\"", value = percent(&text)),
        format!("a={}", percent(&format!("j:{text}"))),
        format!("a=j:{text}"),
    ] {
        assert_eq!(refused(&rules, Sent { cookie: &cookie, ..NOTHING }), Some((403, 100_999)), "{cookie}");
    }
    // `' OR '1'='1`, in base64, in the argument that documents are in.
    let coded = "/?query=JyBPUiAnMSc9JzE%3D";
    assert_eq!(refused(&rules, Sent { target: coded, ..NOTHING }), Some((403, 100_999)));
    let good = percent(r#"{"name":"Ann","in":[1,2]}"#);
    let (target, cookie) = (format!("/?query={good}"), format!("settings={good}; a=100%"));
    assert_eq!(refused(&rules, Sent { target: &target, cookie: &cookie, ..NOTHING }), None);
}

#[test]
fn documents_that_are_the_body_are_looked_at() {
    let rules = RuleSet::builtin().unwrap();
    for (content_type, body, expect) in [
        (
            "application/graphql",
            r#"query { user(name: "\u0027 OR \u00271\u0027=\u00271") { id } }"#,
            Some((403, 100_999)),
        ),
        ("Application/GraphQL; charset=utf-8", r#"{ user(name: "' OR '1'='1") { id } }"#, Some((403, 100_999))),
        ("application/graphql", r#"query { user(name: "Ann") { id } }"#, None),
        ("application/graphql", "", None),
    ] {
        let sent = Sent { content_type, body: body.as_bytes(), ..NOTHING };
        assert_eq!(refused(&rules, sent), expect, "{content_type} {body}");
    }
}

#[test]
fn what_a_scan_did_not_reach_does_not_go_by() {
    let rules = load("SecRule ARGS \"@rx evilword\" \"id:1,phase:2,deny\"\n");
    let long = |value: &str| format!("/?a={}&q={value}", "drowlive ".repeat(600_000));
    for (target, expect) in [
        (
            "/?a=drowlive&q=evilword".to_owned(),
            Verdict::Refuse(Refused { status: 403, rule: 1, limit: None, drop: false }),
        ),
        (long("evilword"), BEYOND),
    ] {
        let seen = run(rules.transaction(), Sent { target: &target, ..NOTHING });
        assert_eq!(seen.verdict(), expect);
    }
}

#[test]
fn words_that_a_step_puts_together_are_seen() {
    for (chain, value) in [
        // What is taken out stood in the words themselves.
        ("t:removeNulls", "1 un\0ion sel\0ect 2"),
        ("t:urlDecodeUni,t:removeNulls", "1 un%00ion sel%00ect 2"),
        ("t:removeWhitespace", "1o\tr-1<2"),
        ("t:removeCommentsChar", "1 un*/ion sel*/ect 2"),
        // What is taken out came of what a step before made.
        ("t:urlDecodeUni,t:removeWhitespace", "1o+r-1<2"),
        ("t:urlDecode,t:compressWhitespace,t:removeWhitespace", "1o+r-1<2"),
        ("t:replaceNulls,t:removeWhitespace", "1o\0r-1<2"),
        ("t:replaceComments,t:urlDecodeUni,t:removeWhitespace", "1o+r-1<2"),
    ] {
        let rules = load(&format!("SecRule ARGS \"@detectSQLi\" \"id:1,phase:2,deny,{chain}\"\n"));
        let target = format!("/?q={}", percent(value));
        assert_eq!(refused(&rules, Sent { target: &target, ..NOTHING }), Some((403, 1)), "{chain} {value:?}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_refused_where_no_rule_decides_about_it() {
    let broken = Sent { content_type: "application/json", body: b"{\"a\":", ..NOTHING };
    let parts = Sent { content_type: "multipart/form-data", body: b"--b\r\n", ..NOTHING };
    let xml = Sent { content_type: "text/xml", body: b"<a><b></a>", ..NOTHING };
    let good = Sent { content_type: "application/json", body: b"{\"a\":1}", ..NOTHING };
    let plain = Sent { content_type: "text/plain", body: b"{\"a\":", ..NOTHING };
    const JUDGE: &str = "SecRule REQBODY_ERROR \"!@eq 0\" \"id:3,phase:2,deny,status:422\"\n";
    for (more, expect) in [
        ("", Some((400, 0))),
        (JUDGE, Some((422, 3))),
        ("SecRule REQBODY_ERROR \"!@eq 0\" \"id:3,phase:2,pass,log\"\n", None),
        (&*format!("{JUDGE}SecRuleRemoveById 3\n"), None),
        ("SecRuleEngine DetectionOnly\n", None),
        ("SecRequestBodyAccess Off\n", None),
        ("SecAction \"id:2,phase:1,allow,nolog\"\n", None),
        ("SecAction \"id:2,phase:1,pass,nolog,ctl:ruleEngine=Off\"\n", None),
    ] {
        let rules = load(&format!("{more}{EVIL}"));
        for sent in [broken, parts, xml] {
            assert_eq!(refused(&rules, sent), expect, "{more} {}", sent.content_type);
        }
        assert_eq!((refused(&rules, good), refused(&rules, plain)), (None, None), "{more}");
    }
    let seen = run(load(EVIL).transaction().observing(), broken);
    assert_eq!(seen.would_refuse().and_then(|refused| refused.limit), Some(Limit::BodyUnreadable));
    // Rules that match come first: their verdict says more.
    let evil = Sent { target: "/?q=evil", ..broken };
    assert_eq!(refused(&load(EVIL), evil), Some((403, 1)));
}
