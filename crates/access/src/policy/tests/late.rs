//! Rules with several ways, and decisions before and after there is a body.

use super::{Somebody, allow, policy, texts, when};
use crate::expression::{Expression, Truth};
use crate::policy::Decision;
use crate::request::{Member, Request};
use crate::rule::{Effect, Mode, Rule, Way};
use proptest::prelude::*;

fn require(ways: &[Way]) -> Rule {
    Rule { ways: ways.to_vec(), ..Rule::new(Effect::Require) }
}

#[test]
fn one_of_several_ways() {
    let role = |roles: &[&str]| Way { roles: texts(roles), ..Way::default() };
    let scope = |scopes: &[&str]| Way { scopes: texts(scopes), ..Way::default() };
    let scheme = |all: &[&[&str]]| Way { schemes: all.iter().map(|any| texts(any)).collect(), ..Way::default() };
    let with = |way: Way, scopes: &[&str]| Way { scopes: texts(scopes), ..way };
    let fields = || Way { leaves: texts(&["$.role"]), ..Way::default() };
    let ada = Somebody::new(&["editor", "viewer"], &["read", "write"]);
    for (ways, expected) in [
        (vec![role(&["editor", "viewer"])], "allowed by 0"),
        (vec![role(&["editor", "admin"])], "refused by 1"),
        (vec![role(&["admin"]), scope(&["read"])], "allowed by 0"),
        (vec![role(&["admin"]), scope(&["read", "delete"])], "refused by 1, scopes of 1"),
        (vec![scheme(&[&["jwt", "introspection"]])], "allowed by 0"),
        (vec![scheme(&[&["api_key"]])], "refused by 1"),
        (vec![scheme(&[&["api_key"]]), scheme(&[&["jwt"], &["mtls"]])], "allowed by 0"),
        (vec![scheme(&[&["jwt"], &["api_key"]])], "refused by 1"),
        (vec![with(scheme(&[&["jwt"], &["mtls"]]), &["read"])], "allowed by 0"),
        // Scopes of one credential are not those of another one.
        (vec![with(scheme(&[&["mtls"], &["jwt"]]), &["read"])], "refused by 1"),
        (vec![Way { consumers: texts(&["eve", "ada"]), ..Way::default() }], "allowed by 0"),
        (vec![Way { consumers: texts(&["eve"]), ..Way::default() }], "refused by 1"),
        (vec![Way { claims: vec![("tid".to_owned(), texts(&["acme"]))], ..Way::default() }], "allowed by 0"),
        (vec![Way { claims: vec![("tid".to_owned(), texts(&["b"]))], ..Way::default() }], "refused by 1"),
        // By its number this rule's fields are set.
        (vec![fields()], "refused by 1, fields of 1"),
        (vec![role(&["admin"]), fields()], "refused by 1, fields of 1"),
        (vec![role(&["viewer"]), fields()], "allowed by 0"),
    ] {
        let rules = [allow(), require(&ways)];
        assert_eq!(ada.decide(&policy(&rules), "/orders/ada"), expected, "{}", rules[1]);
    }
    let open = Rule { anonymous: true, ..allow() };
    let decide = |rules: &[Rule]| Somebody::nobody().decide(&policy(rules), "/orders/ada");
    assert_eq!(decide(&[open.clone(), require(&[scheme(&[&["jwt"]])])]), "refused by 1");
    assert_eq!(decide(&[require(&[fields()]), open]), "allowed by 1", "the fields of rule 0 are left alone");
}

/// What is decided for a body with this owner, or before there is one.
fn decide(rules: &[Rule], body: Option<&'static str>) -> Option<Decision> {
    let ada = Somebody::new(&["a", "b"], &["a"]);
    let leaves = |_| body.map_or(Truth::Later, |body| Truth::of(body != "ada"));
    let shown = |_: &[String]| match body {
        None => Member::Later,
        Some("") => Member::Nothing,
        Some("?") => Member::Unclear,
        Some(text) => Member::One(text.into()),
    };
    let policy = policy(rules);
    let request = Request {
        path: "/orders/ada",
        body: &shown,
        leaves: &leaves,
        foreign: &leaves,
        ..Request::of_caller(Some(ada.caller()), "192.0.2.7".parse().unwrap())
    };
    if body.is_some() { Some(policy.decide(&request)) } else { policy.foresee(&request) }
}

#[test]
fn what_a_body_cannot_change_is_decided_before_it_comes() {
    let own = |effect| when(effect, "body.owner == principal.sub");
    let other = |effect| when(effect, "path.id == 'eve'");
    let admin = || Rule { roles: texts(&["admin"]), ..allow() };
    let fields = || require(&[Way { leaves: texts(&["$.x"]), ..Way::default() }]);
    let observed = |rule: Rule| Rule { mode: Mode::Observe, ..rule };
    for (rules, waits) in [
        (vec![own(Effect::Allow)], true),
        (vec![own(Effect::Allow), allow()], false),
        (vec![own(Effect::Require), allow()], true),
        (vec![own(Effect::Refuse), allow()], true),
        (vec![own(Effect::Require), admin()], false),
        (vec![own(Effect::Allow), other(Effect::Require)], false),
        (vec![own(Effect::Allow), Rule { roles: texts(&["a"]), ..Rule::new(Effect::Refuse) }], false),
        (vec![when(Effect::Allow, "body.owner == 'ada' and path.id == 'eve'"), admin()], false),
        (vec![observed(own(Effect::Refuse)), allow()], true),
        (vec![observed(own(Effect::Allow))], true),
        (vec![observed(own(Effect::Allow)), observed(allow())], false),
        (vec![fields(), allow()], true),
        (vec![require(&[Way { roles: texts(&["a"]), ..Way::default() }, fields().ways[0].clone()]), allow()], false),
        // One that cannot be evaluated refuses although it allows.
        (vec![allow(), Rule { foreign: Some("p".to_owned()), ..allow() }], false),
        (vec![Rule { foreign: Some("p".to_owned()), ..allow() }, allow()], true),
    ] {
        assert_eq!(
            decide(&rules, None).is_none(),
            waits,
            "{}",
            rules.iter().map(|rule| format!("{rule}; ")).collect::<String>()
        );
    }
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let name = || proptest::sample::subsequence(vec!["a", "b", "c"], 0..=2);
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Allow), Just(Effect::Refuse), Just(Effect::Require)];
    let text = prop_oneof![
        Just(None),
        Just(Some("body.owner == principal.sub")),
        Just(Some("not body.owner == 'eve' or path.id == 'eve'")),
        Just(Some("path.id == 'ada' and body.owner != 'x'")),
        Just(Some("header.X-None == 'x' and body.owner == 'ada'")),
    ];
    let ways = prop_oneof![Just(vec![]), Just(vec![0]), Just(vec![1]), Just(vec![1, 2])];
    let rule = (effect, name(), any::<bool>(), text, ways, any::<bool>());
    let rule = rule.prop_map(|(effect, roles, observed, text, ways, foreign)| Rule {
        roles: texts(&roles),
        mode: if observed { Mode::Observe } else { Mode::Enforce },
        when: text.into_iter().map(|text| Expression::parse(text).unwrap()).collect(),
        ways: ways
            .into_iter()
            .map(|which| match which {
                0 => Way { scopes: texts(&["a"]), ..Way::default() },
                1 => Way { roles: texts(&["c"]), ..Way::default() },
                _ => Way { leaves: texts(&["$.x"]), ..Way::default() },
            })
            .collect(),
        foreign: foreign.then(|| "p".to_owned()),
        ..Rule::new(effect)
    });
    proptest::collection::vec(rule, 0..6)
}

proptest! {
    /// What is decided before there is a body is what would be decided with any, as far as callers can tell and rules count.
    #[test]
    fn what_is_foreseen_comes_true(rules in rules()) {
        if let Some(foreseen) = decide(&rules, None) {
            for body in ["ada", "eve", "", "?"] {
                let decided = decide(&rules, Some(body)).unwrap();
                prop_assert_eq!(foreseen.refused.is_some(), decided.refused.is_some(), "with {:?}: {:?}", body, rules);
                if foreseen.refused.is_none() {
                    prop_assert_eq!(foreseen.would_refuse, decided.would_refuse, "with {:?}: {:?}", body, rules);
                }
            }
        }
    }
}
