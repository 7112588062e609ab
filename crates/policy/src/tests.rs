//! What policies come to, what is said about those that do not fit, and that nothing unclear is taken for a no.

use crate::{Action, Judge, Kind, Policies, Principals, Shape, Unclear, Value, Values, World};
use proptest::prelude::*;
use std::borrow::Cow;
use std::net::IpAddr;

/// Ada of the tenant acme asks for a user.
#[derive(Clone, Debug)]
struct Asked {
    caller: Option<&'static str>,
    roles: Vec<&'static str>,
    path: &'static str,
    tenant: Result<Option<&'static str>, Unclear>,
    claim: Result<Option<&'static str>, Unclear>,
    owner: Result<Option<&'static str>, Unclear>,
    address: IpAddr,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            caller: Some("ada"),
            roles: vec!["viewer"],
            path: "/users/ada",
            tenant: Ok(Some("acme")),
            claim: Ok(Some("acme")),
            owner: Ok(None),
            address: [192, 0, 2, 7].into(),
        }
    }
}

impl Values for Asked {
    fn caller(&self) -> Option<&str> {
        self.caller
    }

    fn property(&self, name: &str) -> Option<&str> {
        (name == "scheme").then_some("jwt")
    }

    fn roles(&self) -> Vec<Cow<'_, str>> {
        self.roles.iter().map(|role| Cow::Borrowed(*role)).collect()
    }

    fn scopes(&self) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed("read")]
    }

    fn path(&self) -> &str {
        self.path
    }

    fn address(&self) -> IpAddr {
        self.address
    }

    fn now(&self) -> u64 {
        1_000
    }

    fn value(&self, kind: Kind, name: &str, shape: Shape) -> Result<Option<Value<'_>>, Unclear> {
        let text = |text: &'static str| Value::Text(Cow::Borrowed(text));
        match (kind, name, shape) {
            (Kind::Path, "userId", _) => Ok(self.path.rsplit('/').next().map(text)),
            (Kind::Header, "X-Tenant", _) => self.tenant.map(|one| one.map(text)),
            (Kind::Claim, "tid", _) => self.claim.map(|one| one.map(text)),
            (Kind::Body, "owner", _) => self.owner.map(|one| one.map(text)),
            (Kind::Claim, "level", Shape::Number) => Ok(Some(Value::Number(3))),
            (Kind::Claim, "groups", Shape::Texts) => Ok(Some(Value::Texts(vec!["staff".into(), "ops".into()]))),
            _ => Ok(None),
        }
    }
}

fn action(id: &str, parameters: &[&str]) -> Action {
    Action {
        id: id.to_owned(),
        parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
        anonymous: id == "open",
    }
}

fn world() -> World {
    let value = |kind, name: &str, shape| (kind, name.to_owned(), shape);
    World {
        actions: vec![
            action("getUser", &["userId"]),
            action("getUsers", &[]),
            action("GET /a b", &["id"]),
            action("open", &[]),
        ],
        values: vec![
            value(Kind::Claim, "tid", Shape::Text),
            value(Kind::Claim, "level", Shape::Number),
            value(Kind::Claim, "groups", Shape::Texts),
            value(Kind::Header, "X-Tenant", Shape::Text),
            value(Kind::Body, "owner", Shape::Text),
        ],
    }
}

/// What each policy of a text comes to, `?` where that cannot be told; the library and we agree about it.
fn hear(text: &str, asked: &Asked) -> String {
    let told = hear_by(text, asked, false);
    let measure = hear_by(text, asked, true);
    let agree = |(one, other): (char, char)| one == other || other == '?';
    assert!(told.chars().zip(measure.chars()).all(agree), "{text}: {told} where the library says {measure}");
    told
}

fn hear_by(text: &str, asked: &Asked, by_library: bool) -> String {
    let policies = Policies::read(&[text]).unwrap();
    let mistakes = policies.check(&world(), &[text]);
    assert_eq!(mistakes, [], "{text}");
    let chosen: Vec<_> = (0..policies.statements().len()).map(|place| (&policies, place, place + 7)).collect();
    let judge = Judge::prepare(&action("getUser", &["userId"]), &world().values, &chosen, by_library).unwrap();
    let hearing = judge.hear(asked);
    let told = chosen.iter().map(|(_, _, number)| match hearing.applies(*number) {
        Some(true) => '+',
        Some(false) => '-',
        None => '?',
    });
    told.collect()
}

#[test]
fn what_policies_come_to() {
    let asked = Asked::default();
    for (text, expected) in [
        ("permit(principal, action, resource);", "+"),
        ("permit(principal, action == Action::\"getUser\", resource);", "+"),
        ("permit(principal, action == Action::\"getUsers\", resource);", "-"),
        ("permit(principal in Role::\"viewer\", action, resource);", "+"),
        ("permit(principal in Role::\"admin\", action, resource);", "-"),
        ("permit(principal == Caller::\"ada\", action, resource);", "+"),
        ("permit(principal is Caller in Role::\"viewer\", action, resource);", "+"),
        (
            "permit(principal, action == Action::\"getUser\", resource) when { resource.path.userId == principal.sub };",
            "+",
        ),
        ("permit(principal, action == Action::\"getUser\", resource is Resource_getUser);", "+"),
        (
            "permit(principal is Caller, action, resource) when { principal.claims has tid && context.header has \"X-Tenant\" && principal.claims.tid == context.header[\"X-Tenant\"] };",
            "+",
        ),
        (
            "permit(principal is Caller, action, resource) when { principal.claims has level && principal.claims.level >= 3 };",
            "+",
        ),
        (
            "permit(principal is Caller, action, resource) when { principal.claims has groups && principal.claims.groups.contains(\"ops\") };",
            "+",
        ),
        ("permit(principal is Caller, action, resource) when { principal.scopes.contains(\"write\") };", "-"),
        (
            "permit(principal is Caller, action, resource) when { principal.roles == [\"viewer\"] && principal.scheme == \"jwt\" };",
            "+",
        ),
        ("permit(principal is Caller, action, resource) unless { principal has username };", "+"),
        (
            "permit(principal, action, resource) when { context.address.isInRange(ip(\"192.0.2.0/24\")) && context.time < 2000 };",
            "+",
        ),
        ("permit(principal, action, resource) when { resource.body has owner };", "-"),
        ("permit(principal is Caller, action, resource) when { principal.sub like \"a*\" };", "+"),
        ("permit(principal is Caller, action, resource) when { principal.sub like \"a\\*\" };", "-"),
        ("permit(principal, action, resource) when { context.address.isInRange(ip(\"10.0.0.0/8\")) };", "-"),
        ("permit(principal, action, resource); forbid(principal, action, resource) when { context.time > 5 };", "++"),
        // What overflows cannot be told.
        (
            "permit(principal is Caller, action, resource) when { principal.claims has level && principal.claims.level * 9223372036854775807 > 0 }; permit(principal, action, resource); forbid(principal, action, resource) when { context.time > 5 };",
            "?++",
        ),
    ] {
        assert_eq!(hear(text, &asked), expected, "{text}");
    }
}

#[test]
fn what_is_unclear_is_never_a_no() {
    let tenant = "forbid(principal, action, resource) when { context.header has \"X-Tenant\" };";
    let whole = "forbid(principal, action, resource) when { context == context };";
    let claim = "permit(principal is Caller, action, resource) when { principal.claims has tid };";
    let asked = |tenant, claim| Asked { tenant, claim, ..Asked::default() };
    for (text, asked, expected) in [
        (tenant, asked(Ok(Some("acme")), Ok(None)), "+"),
        (tenant, asked(Ok(None), Ok(None)), "-"),
        (tenant, asked(Err(Unclear), Ok(None)), "?"),
        (tenant, asked(Ok(None), Err(Unclear)), "-"),
        (whole, asked(Err(Unclear), Ok(None)), "?"),
        (claim, asked(Ok(None), Err(Unclear)), "?"),
        (claim, asked(Err(Unclear), Ok(None)), "-"),
    ] {
        assert_eq!(hear(text, &asked), expected, "{text} of {asked:?}");
    }
}

#[test]
fn who_has_proved_nothing() {
    let nobody = Asked { caller: None, roles: Vec::new(), ..Asked::default() };
    let text = "permit(principal is Anonymous, action == Action::\"open\", resource); forbid(principal, action, resource) when { context.time > 5 };";
    let policies = Policies::read(&[text]).unwrap();
    assert_eq!(policies.check(&world(), &[text]), []);
    let judge = Judge::compile(&action("open", &[]), &[], &[(&policies, 0, 0), (&policies, 1, 1)]).unwrap();
    let hearing = judge.hear(&nobody);
    assert_eq!([hearing.applies(0), hearing.applies(1), hearing.applies(2)], [Some(true), Some(true), None]);
}

#[test]
fn heads_say_what_needs_no_evaluation() {
    let all = |text: &str| {
        let one = Policies::read(&[text]).unwrap().statements().first().unwrap().clone();
        (one.permits, one.principals, one.actions, one.is_conditional)
    };
    let of = |role: &str| Principals::Role(role.to_owned());
    let actions = Some(vec!["a".to_owned(), "b".to_owned()]);
    let both = "action in [Action::\"a\", Action::\"b\"]";
    for (text, expected) in [
        (format!("permit(principal in Role::\"x\", {both}, resource);"), (true, of("x"), actions.clone(), false)),
        (format!("forbid(principal is Caller in Role::\"x\", {both}, resource);"), (false, of("x"), actions, false)),
        ("permit(principal, action, resource);".to_owned(), (true, Principals::All, None, false)),
        ("permit(principal is Caller, action, resource);".to_owned(), (true, Principals::Known, None, false)),
        ("forbid(principal is Caller, action, resource);".to_owned(), (false, Principals::Known, None, true)),
        ("permit(principal is Anonymous, action, resource);".to_owned(), (true, Principals::Anonymous, None, true)),
        ("permit(principal in Team::\"x\", action, resource);".to_owned(), (true, Principals::Other, None, true)),
        ("permit(principal, action, resource == R::\"x\");".to_owned(), (true, Principals::All, None, true)),
        ("permit(principal, action, resource) when { true };".to_owned(), (true, Principals::All, None, true)),
    ] {
        assert_eq!(all(&text), expected, "{text}");
    }
    let marked = "// one\n@id(\"own\") @mode(\"observe\")\npermit(principal, action, resource);\npermit(principal, action, resource);";
    let policies = Policies::read(&["", marked]).unwrap();
    let shown: Vec<_> = policies
        .statements()
        .iter()
        .map(|one| (one.place.file, &marked[one.place.start..one.place.start + 6], one.name.as_deref(), one.observes))
        .collect();
    assert_eq!(shown, [(1, "@id(\"o", Some("own"), Some(true)), (1, "permit", None, None)]);
}

#[test]
fn mistakes_have_a_place_and_a_way_out() {
    for (text, at, part) in [
        ("permit(principal, action, resource)", "", "unexpected end"),
        ("permit(principal, action);", "", "resource"),
        ("allow(principal, action, resource);", "allow", "allow"),
        (
            "permit(principal == ?principal, action, resource);",
            "permit(principal == ?principal, action, resource);",
            "template",
        ),
        (
            "@weight(\"1\") permit(principal, action, resource);",
            "@weight(\"1\") permit(principal, action, resource);",
            "@weight",
        ),
        (
            "@mode(\"off\") permit(principal, action, resource);",
            "@mode(\"off\") permit(principal, action, resource);",
            "no mode",
        ),
        (
            "permit(principal is Caller, action, resource) when { principal.claims.tid == \"x\" };",
            "principal.claims.tid",
            "tid",
        ),
        (
            "permit(principal is Caller, action, resource) when { principal.claims has tid && principal.claims.tid == 7 };",
            "principal.claims.tid == 7",
            "types",
        ),
        ("permit(principal is Caller, action, resource) when { principal.age > 7 };", "principal.age", "age"),
        (
            "permit(principal, action == Action::\"getUsers\", resource) when { resource.path.userId == \"x\" };",
            "resource.path.userId",
            "userId",
        ),
        ("permit(principal is Team, action, resource);", "Team", "Team"),
        (
            "permit(principal, action, resource) when { 1 == 2 };",
            "permit(principal, action, resource) when { 1 == 2 };",
            "never apply",
        ),
        (
            "permit(principal is Anonymous, action == Action::\"getUser\", resource);",
            "permit(principal is Anonymous, action == Action::\"getUser\", resource);",
            "never apply",
        ),
    ] {
        let mistakes = match Policies::read(&[text]) {
            Err(mistakes) => mistakes,
            Ok(policies) => policies.check(&world(), &[text]),
        };
        let first = mistakes.first().unwrap_or_else(|| panic!("nothing is wrong with {text}"));
        assert_eq!(text.get(first.place.start..first.place.end), Some(at), "{text}: {mistakes:?}");
        assert!(first.message.contains(part) && !first.help.is_empty(), "{text}: {mistakes:?}");
        assert!(!first.message.contains("for policy"), "{text}: {mistakes:?}");
    }
    // Whoever knows the operations says which one was meant.
    let unknown = "permit(principal, action == Action::\"getUsrs\", resource);";
    assert_eq!(Policies::read(&[unknown]).unwrap().check(&world(), &[unknown]), []);
}

/// Conditions that the validator takes: over texts, numbers and sets, up to three levels deep.
fn condition() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("principal.sub"),
        Just("resource.path.userId"),
        Just("\"ada\""),
        Just("\"eve\""),
        Just("principal.scheme"),
    ];
    let text_like = text.clone();
    let number = prop_oneof![
        Just("context.time"),
        Just("3"),
        Just("1000"),
        Just("9223372036854775807"),
        Just("(context.time * 9223372036854775807)"),
        Just("(context.time - 997)"),
        Just("(3 + 4)"),
    ];
    let set = prop_oneof![
        Just("principal.roles"),
        Just("principal.scopes"),
        Just("[\"read\", \"viewer\"]"),
        Just("[\"viewer\"]"),
    ];
    let leaf = prop_oneof![
        (text.clone(), prop_oneof![Just("=="), Just("!=")], text.clone())
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (number.clone(), prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("==")], number)
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (set.clone(), prop_oneof![Just("containsAll"), Just("containsAny")], set.clone())
            .prop_map(|(a, op, b)| format!("{a}.{op}({b})")),
        (set.clone(), set.clone()).prop_map(|(a, b)| format!("{a} == {b}")),
        (set, text).prop_map(|(a, b)| format!("{a}.contains({b})")),
        Just("principal has username".to_owned()),
        Just("context.header has \"X-Tenant\"".to_owned()),
        Just("(principal.claims has tid && principal.claims.tid == \"acme\")".to_owned()),
        Just("principal in Role::\"viewer\"".to_owned()),
        Just("principal in Role::\"admin\"".to_owned()),
        (text_like, proptest::sample::select(vec!["ada", "a*", "*a", "*d*", "a*a", "*x*", "*", "", "\\*"]))
            .prop_map(|(a, b)| format!("{a} like \"{b}\"")),
        proptest::sample::select(vec!["192.0.2.0/24", "192.0.2.7", "10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32"])
            .prop_map(|range| format!("context.address.isInRange(ip(\"{range}\"))")),
        Just("context.address.isIpv4()".to_owned()),
        Just("context.address.isIpv6()".to_owned()),
        Just("context.address.isLoopback()".to_owned()),
        Just("(resource.body has owner && resource.body.owner == principal.sub)".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(if {a} then {b} else {c})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn conditions_come_to_what_cedar_makes_of_them(
        condition in condition(),
        tenant in proptest::sample::select(vec![None, Some("acme"), Some("other")]),
        claim in proptest::sample::select(vec![None, Some("acme"), Some("other")]),
        roles in proptest::sample::subsequence(vec!["viewer", "admin"], 0..=2),
        path in proptest::sample::select(vec!["/users/ada", "/users/eve"]),
        owner in proptest::sample::select(vec![None, Some("ada"), Some("eve")]),
        address in proptest::sample::select(vec!["192.0.2.7", "10.1.2.3", "2001:db8::7", "::1"]),
    ) {
        let text = format!("permit(principal is Caller, action == Action::\"getUser\", resource) when {{ {condition} }};");
        let asked = Asked { roles, path, tenant: Ok(tenant), claim: Ok(claim), owner: Ok(owner), address: address.parse().unwrap(), ..Asked::default() };
        let policies = Policies::read(&[&text]).unwrap();
        // Some can never hold, which the validator says; their value is the same all the same.
        let chosen = [(&policies, 0, 0)];
        let told = |by_library| {
            let judge = Judge::prepare(&action("getUser", &["userId"]), &world().values, &chosen, by_library).unwrap();
            judge.hear(&asked).applies(0)
        };
        prop_assert_eq!(told(false), told(true), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_explained(text in "\\PC{0,80}") {
        if let Err(mistakes) = Policies::read(&[&text]) {
            for one in mistakes {
                prop_assert!(text.get(one.place.start..one.place.end).is_some(), "{:?}", one);
            }
        }
    }

    #[test]
    fn roles_in_heads_are_what_cedar_makes_of_them(roles in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3)) {
        let asked = Asked { roles: roles.clone(), ..Asked::default() };
        let told = hear("permit(principal in Role::\"a\", action, resource); permit(principal in Role::\"b\", action, resource);", &asked);
        let expected: String = ["a", "b"].iter().map(|one| if roles.contains(one) { '+' } else { '-' }).collect();
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn who_speaks_of_the_body_says_so() {
    for (condition, reads) in [
        ("resource.body has owner", true),
        ("if principal.sub == \"x\" then true else (resource.body has owner && resource.body.owner == \"x\")", true),
        ("resource has body", true),
        ("resource.path.userId == \"body\"", false),
        ("context.time > 5", false),
    ] {
        let text =
            format!("permit(principal is Caller, action == Action::\"getUser\", resource) when {{ {condition} }};");
        let policies = Policies::read(&[&text]).unwrap();
        assert_eq!(policies.statements()[0].reads_body, reads, "{condition}");
        let judge = Judge::compile(&action("getUser", &["userId"]), &world().values, &[(&policies, 0, 4)]).unwrap();
        assert_eq!((judge.reads_body(4), judge.reads_body(5)), (reads, true), "{condition}");
    }
    // A member that is there and has no one meaning is no answer, whoever evaluates.
    let asked = Asked { owner: Err(Unclear), ..Asked::default() };
    let text = "permit(principal is Caller, action, resource) when { resource.body has owner }; permit(principal is Caller, action, resource) when { context.time > 5 };";
    assert_eq!(hear(text, &asked), "?+");
}

#[test]
fn the_common_operators_need_no_library() {
    let compiles = |condition: &str| {
        let text =
            format!("permit(principal is Caller, action == Action::\"getUser\", resource) when {{ {condition} }};");
        let policies = Policies::read(&[&text]).unwrap();
        let judge = Judge::compile(&action("getUser", &["userId"]), &world().values, &[(&policies, 0, 0)]).unwrap();
        judge.is_compiled(0)
    };
    for (condition, compiled) in [
        ("principal.sub like \"a*\"", true),
        ("context.address.isInRange(ip(\"192.0.2.0/24\"))", true),
        ("context.address.isIpv4() && context.time < 7", true),
        ("resource.body has owner && resource.body.owner == principal.sub", true),
        ("context.address.isLoopback()", false),
        ("context.address == ip(\"192.0.2.7\")", false),
        ("context == context", false),
    ] {
        assert_eq!(compiles(condition), compiled, "{condition}");
    }
}
