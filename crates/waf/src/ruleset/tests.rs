//! Rows of rule sets that load and that do not.

use super::*;
use crate::loader::Memory;
use crate::message::RequestHead;
use crate::verdict::Verdict;

fn files() -> Memory {
    Memory::default()
        .with("rules/a.conf", "SecRule ARGS \"@pmFromFile words.data\" \"id:1,phase:2,deny,msg:'word'\"")
        .with("rules/b.conf", "SecRule ARGS \"@streq b\" \"id:2,phase:2,deny\"")
        .with("rules/words.data", "alpha\n#no\nbeta\n")
}

fn load(text: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    RuleSet::load(&[Part::Text { name: "t.conf".into(), text: text.into() }], &files())
}

/// The mistakes as `line: message`.
fn mistakes(text: &str) -> Vec<String> {
    load(text).err().unwrap_or_default().iter().map(|d| format!("{}: {}", d.line, d.message)).collect()
}

/// The rules that match a request for `target`, gated and ungated alike, and the status if it is refused.
fn matched(text: &str, target: &str) -> (Vec<u64>, Option<u16>) {
    let rules = load(text).unwrap();
    let run = |mut t: Transaction| {
        let headers: [(&[u8], &[u8]); 1] = [(b"Host", b"h")];
        let mut verdict = t.request_head(&RequestHead {
            method: b"GET",
            target: target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &headers,
            peer: (std::net::Ipv4Addr::LOCALHOST.into(), 1),
            unique_id: "x",
        });
        if verdict == Verdict::Pass {
            verdict = t.request_body(b"");
        }
        t.finish();
        let status = match verdict {
            Verdict::Pass => None,
            Verdict::Refuse(refused) => Some(refused.status),
        };
        (t.matched_ids().to_vec(), status)
    };
    let gated = run(rules.transaction());
    assert_eq!(gated, run(rules.transaction().ungated()), "gates change nothing");
    gated
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let text = "SecRule ARGS \"@rx (\" \"id:1\"\n\
                SecRule NOSUCH \"@rx a\" \"id:2\"\n\
                SecRule ARGS \"@nosuch a\" \"id:3\"\n\
                SecRule ARGS \"@rx a\" \"id:4,t:nosuch\"\n\
                SecRule ARGS \"@rx a\" \"id:5,\\\n  nosuch\"\n\
                SecNoSuch On\n\
                SecRule ARGS \"@rx a\" \"phase:1\"\n\
                SecRule ARGS \"@rx a\" \"id:6,skipAfter:NOWHERE\"\n\
                SecRule ARGS \"@rx a\" \"id:6\"\n\
                SecRule ARGS \"@pmFromFile no.data\" \"id:8\"\n\
                SecRule ARGS \"@rx a\" \"id:9,setvar:ip.x=1\"\n\
                SecRule ARGS \"@rx a\n\
                SecRule ARGS \"@rx a\" \"id:10,chain\"";
    let found = mistakes(text);
    let expect = [
        (2, "unknown variable `NOSUCH`"),
        (3, "unknown operator `@nosuch`"),
        (4, "unknown transformation `nosuch`"),
        (5, "unknown action `nosuch`"),
        (7, "unknown directive `SecNoSuch`"),
        (8, "a rule needs an id"),
        (10, "there is another rule 6"),
        (12, "only `tx` lives here"),
        (13, "a quote isn't closed"),
        (14, "the chain isn't finished"),
        (1, "expression"),
        (9, "there is no marker `NOWHERE`"),
        (11, "no.data"),
    ];
    assert_eq!(found.len(), expect.len(), "{found:#?}");
    for (line, part) in expect {
        assert!(
            found.iter().any(|f| f.starts_with(&format!("{line}: ")) && f.contains(part)),
            "{line} {part}: {found:#?}"
        );
    }
}

#[test]
fn includes_follow_patterns_and_are_relative() {
    let rules = RuleSet::load(&[Part::File("rules/*.conf".into())], &files()).unwrap();
    assert_eq!(rules.rules().map(|r| r.id).collect::<Vec<_>>(), [1, 2]);
    assert!(RuleSet::load(&[Part::File("none/*.conf".into())], &files()).is_err());
    assert!(mistakes("Include none.conf").first().is_some_and(|m| m.contains("none.conf")));
    assert!(load("IncludeOptional none/*.conf").is_ok());
}

const TWO: &str = "SecRule ARGS \"@contains evil\" \"id:1,phase:2,deny,status:406,log,tag:'a/b',msg:'first'\"\n\
                   SecRule ARGS \"@contains evil\" \"id:2,phase:2,pass,log,tag:'c',msg:'second'\"\n";

#[test]
fn removals_and_updates() {
    for (more, target, expect) in [
        ("", "/?x=evil", (vec![1], Some(406))),
        ("", "/?x=good", (vec![], None)),
        ("SecRuleRemoveById 1", "/?x=evil", (vec![2], None)),
        ("SecRuleRemoveById 5-9 1-2", "/?x=evil", (vec![], None)),
        ("SecRuleRemoveByTag ^a/", "/?x=evil", (vec![2], None)),
        ("SecRuleRemoveByMsg first", "/?x=evil", (vec![2], None)),
        ("SecRuleUpdateTargetById 1 !ARGS:x", "/?x=evil", (vec![2], None)),
        ("SecRuleUpdateTargetById 1 !ARGS:x", "/?y=evil", (vec![1], Some(406))),
        ("SecRuleUpdateTargetByTag a/b \"!ARGS:/^x/\"", "/?xyz=evil", (vec![2], None)),
        ("SecRuleUpdateTargetByMsg first REQUEST_FILENAME", "/evil", (vec![1], Some(406))),
        ("SecRuleUpdateActionById 1 \"pass\"", "/?x=evil", (vec![1, 2], None)),
        ("SecRuleEngine DetectionOnly", "/?x=evil", (vec![1, 2], None)),
        ("SecRuleEngine Off", "/?x=evil", (vec![], None)),
    ] {
        assert_eq!(matched(&format!("{TWO}{more}"), target), expect, "{more}");
    }
    assert_eq!(load("SecRuleRemoveById 77").unwrap().notes().len(), 1, "a removal that removes nothing is noted");
}

#[test]
fn control_at_run_time() {
    let with = |ctl: &str| format!("SecRule ARGS:off \"@streq 1\" \"id:9,phase:1,pass,nolog,ctl:{ctl}\"\n{TWO}");
    for (ctl, expect) in [
        ("ruleRemoveById=1", vec![2]),
        ("ruleRemoveByTag=^a", vec![2]),
        ("ruleRemoveByMsg=second", vec![1]),
        ("ruleRemoveTargetById=1;ARGS:x", vec![2]),
        ("ruleRemoveTargetByTag=c;ARGS", vec![1]),
        ("ruleEngine=Off", vec![]),
        ("ruleEngine=DetectionOnly", vec![1, 2]),
    ] {
        assert_eq!(matched(&with(ctl), "/?off=1&x=evil").0, expect, "{ctl}");
        assert_eq!(matched(&with(ctl), "/?off=0&x=evil").0, [1], "{ctl}");
    }
}

#[test]
fn flow_and_scores() {
    let text = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=2,setvar:tx.limit=5\"\n\
                SecRule TX:level \"@lt 2\" \"id:2,phase:2,pass,nolog,skipAfter:END\"\n\
                SecRule ARGS|!ARGS:safe \"@rx (?i)b(a+)d\" \"id:3,phase:2,pass,log,capture,t:urlDecodeUni,multiMatch,\
                msg:'%{TX.1} in %{MATCHED_VAR_NAME}',setvar:tx.score=+3\"\n\
                SecRule ARGS_NAMES \"@rx .\" \"id:4,phase:2,pass,nolog,chain,setvar:tx.seen_%{MATCHED_VAR_NAME}=+1\"\n\
                SecRule TX:/^seen_/ \"@ge 2\" \"setvar:tx.double=1\"\n\
                SecMarker END\n\
                SecRule TX:score \"@ge %{tx.limit}\" \"id:5,phase:2,deny,log\"\n";
    assert_eq!(matched(text, "/?a=baad"), (vec![3], None));
    assert_eq!(matched(text, "/?a=baad&b=bad"), (vec![3, 3, 5], Some(403)));
    assert_eq!(matched(text, "/?safe=baad&b=b%2561d"), (vec![3], None));
    let rules = load(text).unwrap();
    let mut t = rules.transaction();
    let head = RequestHead {
        method: b"GET",
        target: b"/?q=baaad&q=1",
        protocol: b"HTTP/1.1",
        headers: &[],
        peer: (std::net::Ipv4Addr::LOCALHOST.into(), 1),
        unique_id: "x",
    };
    t.request_head(&head);
    t.request_body(b"");
    assert_eq!(t.matches().first().map(|m| m.message.as_str()), Some("aaa in ARGS:q"));
    assert_eq!((t.number("score"), t.number("double")), (3, 1));
}

#[test]
fn a_stock_configuration_of_the_reference_loads() {
    let text = "SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 13107200\nSecRequestBodyNoFilesLimit 131072\n\
        SecRequestBodyInMemoryLimit 131072\nSecRequestBodyLimitAction Reject\nSecRequestBodyJsonDepthLimit 512\n\
        SecArgumentsLimit 1000\nSecPcreMatchLimit 1000\nSecPcreMatchLimitRecursion 1000\nSecResponseBodyAccess On\n\
        SecResponseBodyMimeType text/plain text/html\nSecResponseBodyLimit 524288\nSecResponseBodyLimitAction ProcessPartial\n\
        SecTmpDir /tmp/\nSecDataDir /tmp/\nSecAuditEngine RelevantOnly\nSecAuditLogParts ABIJ\nSecAuditLogType Serial\n\
        SecAuditLog /x\nSecArgumentSeparator &\nSecCookieFormat 0\nSecUnicodeMapFile unicode.mapping 20127\nSecStatusEngine Off\n\
        SecRule REQBODY_ERROR \"!@eq 0\" \"id:'200002', phase:2,t:none,log,deny,status:400,msg:'bad',logdata:'%{reqbody_error_msg}',severity:2\"\n\
        SecRule MULTIPART_STRICT_ERROR \"!@eq 0\" \"id:'200003',phase:2,t:none,log,deny,msg:'PE %{REQBODY_PROCESSOR_ERROR}, \
        BQ %{MULTIPART_BOUNDARY_QUOTED}'\"\n\
        SecRule MULTIPART_UNMATCHED_BOUNDARY \"@eq 1\" \"id:'200004',phase:2,t:none,log,deny\"\n\
        SecRule TX:/^MSC_/ \"!@streq 0\" \"id:'200005',phase:2,t:none,deny,msg:'%{MATCHED_VAR_NAME}'\"\n";
    let rules = load(text).unwrap();
    assert_eq!(rules.counts().rules, 4);
    assert!(rules.notes().iter().any(|n| n.message.contains("no effect")));
}
