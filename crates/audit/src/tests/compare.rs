//! A report beside an earlier one, and as a page.

use super::{NOW, breaks, plan, report};
use crate::example::{BASE, with};
use crate::{Comparison, Facts, Severity, audit, compare, html, waivers};

#[test]
fn what_is_new_what_is_gone_what_is_as_it_was() {
    let one = report(
        &with("access_log: { to: off }\nstatus: { bind: '0.0.0.0:9901', danger_exposed: true }"),
        Facts::default(),
    );
    let other = report(&with("access_log: { to: off }\nanomalies: { mode: off }"), Facts::default());
    let seen = compare(&other, &one.to_json().to_string()).unwrap();
    let named = |positions: &[usize]| Comparison::of(&other, positions).map(|one| one.rule).collect::<Vec<_>>();
    assert_eq!(named(&seen.new), ["PC0909"]);
    assert!(named(&seen.same).contains(&"PC0901"), "{seen:?}");
    let gone: Vec<&str> = seen.gone.iter().map(|(rule, ..)| &**rule).collect();
    assert_eq!(gone, ["PC0903", "PC1003"], "{seen:?}");
    assert!(seen.has(&other, Severity::Medium) && !seen.has(&other, Severity::High));
    let same = compare(&other, &other.to_json().to_string()).unwrap();
    assert!(same.new.is_empty() && same.gone.is_empty() && !same.has(&other, Severity::Low));
    assert_eq!(seen.to_json(&other)["new"][0]["rule"], "PC0909");
}

#[test]
fn what_is_waived_counts_on_neither_side() {
    let text = with("access_log: { to: off }");
    let facts = Facts { now: NOW, ..Facts::default() };
    let list = r#"[{ "rule": "PC0901", "reason": "a lab", "until": "2027-01-01" }]"#;
    let waived = audit(&plan(&text), &facts, &waivers(list).unwrap());
    let counts = audit(&plan(&text), &facts, &[]);
    let of = |report: &crate::Report, positions: &[usize]| {
        Comparison::of(report, positions).map(|one| one.rule).collect::<Vec<_>>()
    };
    let over = compare(&counts, &waived.to_json().to_string()).unwrap();
    assert_eq!(of(&counts, &over.new), ["PC0901"], "its waiver is over");
    let granted = compare(&waived, &counts.to_json().to_string()).unwrap();
    assert!(granted.new.is_empty());
    assert_eq!(granted.gone, [("PC0901".to_owned(), Severity::High, "access_log".to_owned())]);
}

#[test]
fn places_that_are_not_listed_do_not_pass_for_known() {
    let routes: String = (0..60).map(|at| format!("{{ path: /{at}, methods: [POST] }}, ")).collect();
    let many = with(&format!(
        "apis:\n  one: {{ hosts: [a.test], authn: public, upstream: {{ targets: ['https://10.0.0.1'], connections: 1 }}, routes: [{routes}] }}"
    ));
    let (few, many) = (report(BASE, Facts::default()), report(&many, Facts::default()));
    assert!(many.unlisted > 0);
    let seen = compare(&many, &many.to_json().to_string()).unwrap();
    assert!(!seen.has(&many, Severity::Low));
    let mut earlier = many.to_json();
    earlier["unlisted"] = 0.into();
    assert!(compare(&many, &earlier.to_string()).unwrap().has(&many, Severity::Critical), "{few:?}");
}

#[test]
fn what_is_no_report_is_an_error() {
    let report = report(BASE, Facts::default());
    for text in ["", "[]", "{}", r#"{"score":1,"unlisted":0,"findings":[{}]}"#, r#"{"score":1,"unlisted":0}"#] {
        assert!(compare(&report, text).is_err(), "{text}");
    }
}

#[test]
fn a_page_says_what_was_found_and_lets_nothing_out_of_its_text() {
    let text = with("access_log: { to: off }");
    let facts = Facts { now: NOW, ..Facts::default() };
    let list = r#"[{ "rule": "PC0901", "reason": "<script>alert(1)</script>", "until": "2027-01-01" }]"#;
    let report = audit(&plan(&text), &facts, &waivers(list).unwrap());
    assert!(breaks(&report, "PC0901"));
    let page = html(&report, Some(&compare(&report, &report.to_json().to_string()).unwrap()));
    assert!(page.contains("PC0901") && page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script"), "{page}");
}
