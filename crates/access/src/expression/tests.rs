//! What expressions come to, and what is said about those that cannot be read.

use super::{Expression, Truth};
use crate::caller::{Caller, RoleSource};
use crate::request::{Field, Member, Request};
use proptest::prelude::*;
use serde_json::json;

const TEMPLATE: &str = "/t/{tenant}/users/{userId}/{*rest}";

fn judge(text: &str) -> Truth {
    let claims =
        json!({ "sub": "ada", "tid": "acme", "n": 7, "groups": ["a", "b"], "deep": { "x": "y" }, "odd": [{}] });
    let scopes = ["read".to_owned()];
    let roles = ["corp-support".to_owned()];
    let source = RoleSource { claim: None, map: Some(vec![("corp-support".to_owned(), vec!["support".to_owned()])]) };
    let caller = Caller {
        id: "ada",
        username: None,
        issuer: Some("https://idp.test"),
        scheme: "jwt",
        also: &[],
        scopes: &scopes,
        roles: &roles,
        claims: claims.as_object().unwrap(),
    };
    let request = Request {
        path: "/t/acme/users/ada/x/y",
        query: Some("userId=ada&n=7&twice=1&twice=1"),
        field: &|name| match name {
            "X-Tenant" => Field::One(b" acme "),
            "X-Twice" => Field::Several,
            _ => Field::Nothing,
        },
        body: &|names| match names.join("/").as_str() {
            "userId" => Member::One("ada".into()),
            "order/owner" => Member::One("eve".into()),
            "a.b" => Member::One("dotted".into()),
            "members" => Member::Many(vec!["ada".into(), "eve".into()]),
            "twice" => Member::Unclear,
            "later" => Member::Later,
            _ => Member::Nothing,
        },
        ..Request::of_caller(Some(caller), std::net::Ipv4Addr::LOCALHOST.into())
    };
    Expression::parse(text).unwrap().resolve(TEMPLATE).unwrap().judge(&request, &source)
}

#[test]
fn what_expressions_come_to() {
    use Truth::{False, Later, True, Undecided};
    for (text, expected) in [
        ("path.userId == principal.sub", True),
        ("path.userId==principal.id", True),
        ("body.userId == principal.sub", True),
        ("body.order.owner == principal.sub", False),
        ("body[\"/order/owner\"] == 'eve'", True),
        ("body['a.b'] == 'dotted'", True),
        ("body.a.b == 'dotted'", Undecided),
        ("principal.sub in body.members", True),
        ("body.members == principal.sub", Undecided),
        ("body.twice == '1'", Undecided),
        ("not body.none == '1'", Undecided),
        ("body.later == principal.sub", Later),
        ("not body.later == principal.sub", Later),
        ("body.later == claims.none", Undecided),
        ("body.later == 'x' and path.tenant == 'other'", False),
        ("body.later == 'x' and header.X-None == 'x'", Later),
        ("path.tenant == 'acme' or body.later == 'x'", True),
        ("path.tenant == 'other' or body.later == 'x'", Later),
        ("path.tenant == principal.sub", False),
        ("path.rest == \"x/y\"", True),
        ("header.X-Tenant == claims.tid", True),
        ("header.X-Twice == claims.tid", Undecided),
        ("header.X-None == claims.tid", Undecided),
        ("header.X-None != claims.tid", Undecided),
        ("not header.X-None == claims.tid", Undecided),
        ("query.userId == principal.sub", True),
        ("query.n == claims.n", True),
        ("query.twice == '1'", Undecided),
        ("claims.deep.x == 'y'", True),
        ("claims.groups == 'a'", Undecided),
        ("'a' in claims.groups", True),
        ("'c' in claims.groups", False),
        ("'c' in claims.odd", Undecided),
        ("'acme' in claims.tid", True),
        ("path.tenant in [\"acme\", 'other']", True),
        ("path.tenant in ['other']", False),
        ("\"support\" in principal.roles", True),
        ("\"corp-support\" in principal.roles", False),
        ("\"read\" in principal.scopes", True),
        ("principal.scheme == 'jwt'", True),
        ("principal.issuer == 'https://idp.test'", True),
        ("principal.username == 'ada'", Undecided),
        ("claims[\"tid\"] == 'acme'", True),
        ("path.userId == principal.sub and path.tenant == claims.tid", True),
        ("path.userId == 'eve' || path.tenant == claims.tid", True),
        ("header.X-None == 'a' or path.tenant == claims.tid", True),
        ("header.X-None == 'a' or path.tenant == 'b'", Undecided),
        ("header.X-None == 'a' and path.tenant == 'b'", False),
        ("header.X-None == 'a' && path.tenant == claims.tid", Undecided),
        ("!(path.userId == principal.sub)", False),
        ("not path.userId == 'eve' and path.tenant != 'b'", True),
    ] {
        assert_eq!(judge(text), expected, "{text}");
    }
}

#[test]
fn mistakes_have_a_place_and_a_way_out() {
    let deep = format!("{}path.a == 'b'", "(".repeat(20));
    let long = format!("path.a == '{}'", "x".repeat(1100));
    for (text, place, message) in [
        ("", "", "a value is missing here"),
        ("path.a", "", "a comparison is missing here"),
        ("path.a =", "=", "this sign has no meaning here"),
        ("path.a == ", "", "a value is missing here"),
        ("path.a == 'b", "'b", "the text has no end"),
        ("path.a == admin", "admin", "`admin` is nothing that a request has"),
        ("path == 'b'", "path", "`path` has no name behind it"),
        ("path. == 'b'", "path.", "`path.` has no name behind it"),
        ("pth.a == 'b'", "pth.a", "`pth` is nothing that a request has"),
        ("principal.name == 'b'", "principal.name", "a principal has no `name`"),
        ("body == principal.sub", "body", "`body` has no name behind it"),
        ("body.a..b == 'x'", "body.a..b", "a name is missing here"),
        ("body['/a//b'] == 'x'", "body", "a name is missing here"),
        ("header.X.Y == 'b'", "header.X.Y", "this is not the name of a field"),
        ("'a' == 'b'", "'a' == 'b'", "both sides are fixed, so that the answer is always the same"),
        ("path.a == path.a", "path.a == path.a", "both sides are the same"),
        ("principal.roles == 'a'", "principal.roles == 'a'", "a list cannot be equal to a value"),
        ("path.a == ['a']", "['a']", "a list cannot be equal to a value"),
        ("path.a in [a]", "a", "a list holds texts in quotes"),
        ("path.a in ['a'", "", "the list has no end"),
        ("(path.a == 'b'", "", "a `)` is missing here"),
        ("path.a == 'b' path.c == 'd'", "path.c", "the expression should have ended here"),
        ("path.a > 'b'", ">", "this sign has no meaning here"),
        ("claims[tid] == 'b'", "tid", "a name in quotes is missing here"),
        (deep.as_str(), "(", "this is nested too deeply"),
        (long.as_str(), long.as_str(), "the expression is longer than 1024 bytes"),
    ] {
        let mistake = Expression::parse(text).unwrap_err();
        assert_eq!(mistake.message, message, "{text}");
        assert_eq!(text.get(mistake.start..mistake.end), Some(place), "{text}");
    }
}

#[test]
fn a_parameter_that_the_path_lacks_is_named() {
    let expression = Expression::parse("path.a == 'b' and path.userId == 'c'").unwrap();
    assert_eq!(expression.resolve(TEMPLATE), Err("a".to_owned()));
}

#[test]
fn fuzz_smoke_expression() {
    for seed in ["path.a == principal.sub", "'x' in claims[\"a b\"]", "not (a", "header.é", "'", "[", "\u{2028}path.a"]
    {
        for cut in 0..=seed.len() {
            crate::fuzz::expression(&seed.as_bytes()[..cut]);
            crate::fuzz::expression(&seed.as_bytes()[cut..]);
        }
    }
    crate::fuzz::expression(&[0xff, b'=']);
}

proptest! {
    #[test]
    fn any_text_is_read_or_explained(text in "\\PC*") {
        crate::fuzz::expression(text.as_bytes());
    }

    #[test]
    fn any_words_are_read_or_explained(
        words in proptest::collection::vec(
            prop_oneof![
                Just("path.a"), Just("query.b"), Just("header.X-C"), Just("principal.sub"), Just("principal.roles"),
                Just("claims.d"), Just("claims"), Just("[\"e\"]"), Just("\"f\""), Just("["), Just("]"), Just(","),
                Just("("), Just(")"), Just("=="), Just("!="), Just("in"), Just("and"), Just("or"), Just("not"), Just("é"),
            ],
            0..14,
        )
    ) {
        crate::fuzz::expression(words.join(" ").as_bytes());
    }
}
