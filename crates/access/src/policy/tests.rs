//! What rules decide, one by one and together, and that bits decide as names do.

mod late;

use super::{NAMES_MAX, Policy, Unfit, Why};
use crate::caller::{Caller, RoleSource};
use crate::expression::{Expression, Truth};
use crate::request::Request;
use crate::rule::{Effect, Mode, Rule};
use crate::window::Window;
use portcullis_types::Network;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const TEMPLATE: &str = "/orders/{id}";

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

/// Who calls: `ada`, with these roles and scopes; without either, nobody.
struct Somebody {
    roles: Vec<String>,
    scopes: Vec<String>,
    claims: Map<String, Value>,
    known: bool,
}

impl Somebody {
    fn new(roles: &[&str], scopes: &[&str]) -> Self {
        let claims = json!({ "tid": "acme", "level": 3, "groups": ["staff", "ops"], "realm": { "roles": ["boss"] } });
        Self { roles: texts(roles), scopes: texts(scopes), claims: claims.as_object().unwrap().clone(), known: true }
    }

    fn nobody() -> Self {
        Self { known: false, ..Self::new(&[], &[]) }
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            id: "ada",
            username: None,
            issuer: None,
            scheme: "jwt",
            also: &["mtls"],
            scopes: &self.scopes,
            roles: &self.roles,
            claims: &self.claims,
        }
    }

    fn decide(&self, policy: &Policy, path: &str) -> String {
        let by_number = |rule: usize| [Truth::True, Truth::False, Truth::Undecided][rule % 3];
        let decision = policy.decide(&Request {
            path,
            foreign: &by_number,
            leaves: &by_number,
            ..Request::of_caller(self.known.then_some(self.caller()), "192.0.2.7".parse().unwrap())
        });
        let rule = decision.rule.map_or("-".to_owned(), |rule| rule.to_string());
        let would = decision.would_refuse.map_or(String::new(), |rule| match rule {
            Some(rule) => format!(" would be refused by {rule}"),
            None => " would be refused".to_owned(),
        });
        match decision.refused {
            None => format!("allowed by {rule}{would}"),
            Some(Why::Caller) => format!("refused by {rule}"),
            Some(Why::Scope(of)) => format!("refused by {rule}, scopes of {of}"),
            Some(Why::Circumstances) => format!("refused by {rule}, circumstances"),
            Some(Why::Fields(of)) => format!("refused by {rule}, fields of {of}"),
        }
    }
}

fn allow() -> Rule {
    Rule::new(Effect::Allow)
}

fn when(effect: Effect, text: &str) -> Rule {
    Rule { when: vec![Expression::parse(text).unwrap()], ..Rule::new(effect) }
}

fn policy(rules: &[Rule]) -> Policy {
    Policy::compile(rules, &RoleSource::default(), TEMPLATE).unwrap()
}

#[test]
fn one_condition_each() {
    let ada = Somebody::new(&["editor", "viewer"], &["read", "write"]);
    let network = |text| vec![Network::parse(text).unwrap()];
    let claim = |name: &str, values: &[&str]| vec![(name.to_owned(), texts(values))];
    for (rule, expected) in [
        (allow(), "allowed by 0"),
        (Rule { roles: texts(&["admin", "viewer"]), ..allow() }, "allowed by 0"),
        (Rule { roles: texts(&["admin"]), ..allow() }, "refused by -"),
        (Rule { scopes: texts(&["read", "write"]), ..allow() }, "allowed by 0"),
        (Rule { scopes: texts(&["read", "delete"]), ..allow() }, "refused by -, scopes of 0"),
        (Rule { roles: texts(&["admin"]), scopes: texts(&["delete"]), ..allow() }, "refused by -"),
        (Rule { consumers: texts(&["ada"]), ..allow() }, "allowed by 0"),
        (Rule { consumers: texts(&["eve"]), ..allow() }, "refused by -"),
        (Rule { claims: claim("tid", &["acme", "b"]), ..allow() }, "allowed by 0"),
        (Rule { claims: claim("tid", &["b"]), ..allow() }, "refused by -, circumstances"),
        (Rule { claims: claim("level", &["3"]), ..allow() }, "allowed by 0"),
        (Rule { claims: claim("groups", &["ops"]), ..allow() }, "allowed by 0"),
        (Rule { claims: claim("realm.roles", &["boss"]), ..allow() }, "allowed by 0"),
        (Rule { claims: claim("realm", &["boss"]), ..allow() }, "refused by -, circumstances"),
        (Rule { networks: network("192.0.2.0/24"), ..allow() }, "allowed by 0"),
        (Rule { networks: network("10.0.0.0/8"), ..allow() }, "refused by -, circumstances"),
        (Rule { times: vec![Window::new(&[3], 0, 60)], ..allow() }, "allowed by 0"),
        (Rule { times: vec![Window::new(&[4], 0, 60)], ..allow() }, "refused by -, circumstances"),
        (when(Effect::Allow, "path.id == principal.sub"), "allowed by 0"),
        (when(Effect::Allow, "path.id == claims.tid"), "refused by -, circumstances"),
        (when(Effect::Allow, "path.id == claims.none"), "refused by -, circumstances"),
    ] {
        assert_eq!(ada.decide(&policy(std::slice::from_ref(&rule)), "/orders/ada"), expected, "{rule:?}");
    }
}

#[test]
fn rules_together() {
    let observed = |rule: Rule| Rule { mode: Mode::Observe, ..rule };
    let admin = || Rule { roles: texts(&["admin"]), ..allow() };
    let banned = || Rule { roles: texts(&["banned"]), ..Rule::new(Effect::Refuse) };
    let own = || when(Effect::Require, "path.id == principal.sub");
    let foreign = |rule: Rule| Rule { foreign: Some("p".to_owned()), ..rule };
    let (ada, root, ban) = (&["user"][..], &["admin"][..], &["admin", "banned"][..]);
    for (rules, roles, path, expected) in [
        (vec![], ada, "ada", "refused by -"),
        (vec![admin(), allow()], ada, "ada", "allowed by 1"),
        (vec![admin(), allow()], root, "ada", "allowed by 0"),
        (vec![admin(), banned()], ban, "ada", "refused by 1"),
        (vec![admin(), banned()], root, "ada", "allowed by 0"),
        (vec![allow(), own()], ada, "ada", "allowed by 0"),
        (vec![allow(), own()], ada, "eve", "refused by 1, circumstances"),
        // What cannot be told is neither a requirement that is met nor a refusal that does not hold.
        (vec![allow(), when(Effect::Require, "header.X == claims.tid")], ada, "ada", "refused by 1, circumstances"),
        (vec![allow(), when(Effect::Refuse, "header.X == claims.tid")], ada, "ada", "refused by 1, circumstances"),
        (vec![allow(), when(Effect::Refuse, "path.id == 'eve'")], ada, "ada", "allowed by 0"),
        (vec![allow(), observed(banned())], &["banned"], "ada", "allowed by 0 would be refused by 1"),
        (vec![allow(), observed(own())], ada, "eve", "allowed by 0 would be refused by 1"),
        (vec![observed(admin())], ada, "ada", "allowed by - would be refused"),
        (vec![observed(admin())], root, "ada", "allowed by 0"),
        // Beside a rule that counts, one that is tried out opens nothing.
        (vec![admin(), observed(allow())], ada, "ada", "refused by -"),
        (vec![observed(admin()), banned()], ban, "ada", "refused by 1"),
        // Of policies in another language, the first holds, the second does not, and of the third it cannot be told.
        (vec![foreign(allow())], ada, "ada", "allowed by 0"),
        (vec![banned(), foreign(allow())], ada, "ada", "refused by -, circumstances"),
        (vec![banned(), banned(), foreign(allow())], ada, "ada", "refused by 2, circumstances"),
        (
            vec![banned(), banned(), observed(foreign(allow())), allow()],
            ada,
            "ada",
            "allowed by 3 would be refused by 2",
        ),
        (vec![allow(), banned(), foreign(allow())], ada, "ada", "allowed by 0"),
        (vec![foreign(Rule::new(Effect::Refuse)), allow()], ada, "ada", "refused by 0, circumstances"),
        (vec![allow(), foreign(Rule::new(Effect::Refuse))], ada, "ada", "allowed by 0"),
        (vec![allow(), banned(), foreign(Rule::new(Effect::Refuse))], ada, "ada", "refused by 2, circumstances"),
    ] {
        let somebody = Somebody::new(roles, &[]);
        assert_eq!(somebody.decide(&policy(&rules), &format!("/orders/{path}")), expected, "{roles:?} with {rules:?}");
    }
}

#[test]
fn nobody_is_let_in_by_name_only() {
    let open = || Rule { anonymous: true, ..allow() };
    for (rules, expected) in [
        (vec![allow()], "refused by -"),
        (vec![open()], "allowed by 0"),
        (vec![Rule { scopes: texts(&["read"]), ..open() }], "refused by -"),
        (vec![Rule { roles: texts(&["user"]), ..open() }], "refused by -"),
        (
            vec![Rule { when: vec![Expression::parse("path.id == principal.sub").unwrap()], ..open() }],
            "refused by -, circumstances",
        ),
        (
            vec![open(), Rule { networks: vec![Network::parse("192.0.2.7").unwrap()], ..Rule::new(Effect::Refuse) }],
            "refused by 1, circumstances",
        ),
    ] {
        assert_eq!(Somebody::nobody().decide(&policy(&rules), "/orders/ada"), expected, "{rules:?}");
    }
}

#[test]
fn roles_of_elsewhere() {
    let source = |claim: Option<&str>, map: Option<&[(&str, &[&str])]>| RoleSource {
        claim: claim.map(str::to_owned),
        map: map.map(|map| map.iter().map(|(from, to)| ((*from).to_owned(), texts(to))).collect()),
    };
    let admin = Rule { roles: texts(&["admin"]), ..allow() };
    for (source, expected) in [
        (source(None, None), "allowed by 0"),
        (source(Some("realm.roles"), None), "refused by -"),
        (source(Some("realm.roles"), Some(&[("boss", &["admin"])])), "allowed by 0"),
        (source(Some("groups"), Some(&[("ops", &["user", "admin"]), ("staff", &["user"])])), "allowed by 0"),
        (source(Some("level"), None), "refused by -"),
        // Where there is a map, a role that it does not list is none, whatever it is called.
        (source(None, Some(&[("boss", &["admin"])])), "refused by -"),
    ] {
        let policy = Policy::compile(std::slice::from_ref(&admin), &source, TEMPLATE).unwrap();
        assert_eq!(Somebody::new(&["admin"], &[]).decide(&policy, "/orders/ada"), expected, "{source:?}");
    }
}

#[test]
fn what_does_not_fit_an_operation_is_told() {
    let rule = when(Effect::Allow, "path.userId == principal.sub");
    let unfit = Policy::compile(&[allow(), rule], &RoleSource::default(), TEMPLATE).unwrap_err();
    assert_eq!(unfit, Unfit::Parameter { rule: 1, name: "userId".to_owned() });
    let names = |count: usize| Rule { roles: (0..count).map(|index| format!("r{index}")).collect(), ..allow() };
    let compile = |rule: Rule| Policy::compile(&[rule.clone(), rule], &RoleSource::default(), TEMPLATE).map(|_| ());
    assert_eq!(compile(names(NAMES_MAX)), Ok(()));
    assert_eq!(compile(names(NAMES_MAX + 1)), Err(Unfit::Names));
}

/// Any rule over a few names, without conditions on the request.
fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let name = || proptest::sample::subsequence(vec!["a", "b", "c"], 0..=2);
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Allow), Just(Effect::Refuse)];
    let rule = (effect, name(), name(), any::<bool>()).prop_map(|(effect, roles, scopes, anonymous)| Rule {
        roles: texts(&roles),
        scopes: texts(&scopes),
        anonymous,
        ..Rule::new(effect)
    });
    proptest::collection::vec(rule, 0..6)
}

/// The same by sets of texts.
fn naive(rules: &[Rule], roles: &[&str], scopes: &[&str], known: bool) -> bool {
    let holds = |rule: &&Rule| {
        let role = rule.roles.is_empty() || (known && rule.roles.iter().any(|one| roles.contains(&one.as_str())));
        let scope = rule.scopes.iter().all(|one| known && scopes.contains(&one.as_str()));
        (known || rule.anonymous || rule.effect == Effect::Refuse) && role && scope
    };
    let any = |effect| rules.iter().filter(|rule| rule.effect == effect).any(|rule| holds(&rule));
    any(Effect::Allow) && !any(Effect::Refuse)
}

proptest! {
    #[test]
    fn bits_decide_as_names_do(
        rules in rules(),
        roles in proptest::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4),
        scopes in proptest::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4),
        known in any::<bool>(),
    ) {
        let somebody = Somebody { known, ..Somebody::new(&roles, &scopes) };
        let decided = somebody.decide(&policy(&rules), "/orders/ada");
        prop_assert_eq!(decided.starts_with("allowed"), naive(&rules, &roles, &scopes, known), "{}", decided);
    }

    #[test]
    fn a_refusal_never_opens(rules in rules(), more in rules(), known in any::<bool>()) {
        let somebody = Somebody { known, ..Somebody::new(&["a", "c"], &["b"]) };
        let tighter: Vec<Rule> = more.into_iter().map(|rule| Rule { effect: Effect::Refuse, ..rule }).collect();
        let before = somebody.decide(&policy(&rules), "/orders/ada");
        let after = somebody.decide(&policy(&[rules, tighter].concat()), "/orders/ada");
        prop_assert!(before.starts_with("allowed") || after.starts_with("refused"), "{} then {}", before, after);
    }

    #[test]
    fn what_covers_holds_wherever_the_other_does(
        one in rules(), other in rules(),
        roles in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3),
        scopes in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3),
        known in any::<bool>(),
    ) {
        let somebody = Somebody { known, ..Somebody::new(&roles, &scopes) };
        let holds = |rule: &Rule| {
            let rule = Rule { effect: Effect::Allow, ..rule.clone() };
            somebody.decide(&policy(&[rule]), "/orders/ada").starts_with("allowed")
        };
        for (one, other) in one.iter().zip(&other) {
            prop_assert!(!one.covers(other) || !holds(other) || holds(one), "{:?} covers {:?}", one, other);
        }
    }
}
