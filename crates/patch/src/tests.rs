//! Patches: what they are about, what gets by them, what is wrong with them.

use crate::{Asked, Body, Bundle, Fields, Held, Kind, Part, Stage, Step, Supposed, judge};

/// A request of a test; its JSON is read by a library that is not ours.
#[derive(Default)]
struct Request {
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<&'static str>,
    unread: bool,
}

impl Asked for Request {
    fn method(&self) -> &[u8] {
        if self.method.is_empty() { b"GET" } else { self.method.as_bytes() }
    }

    fn path(&self) -> &str {
        self.path
    }

    fn query(&self) -> Option<&str> {
        self.query
    }

    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) {
        let mut named = self.headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
        named.any(|(_, value)| each(value.as_bytes()));
    }

    fn body(&self) -> Body<'_> {
        match self.body {
            _ if self.unread => Body::Unread,
            Some(text) => Body::Whole(text.as_bytes()),
            None => Body::Nothing,
        }
    }

    fn field(&self, place: &[Step], each: &mut dyn FnMut(&Held<'_>) -> bool) -> Fields {
        match serde_json::from_str(self.body.unwrap_or_default()) {
            Ok(value) => {
                walk(&value, place, each);
                Fields::Read
            }
            Err(_) => Fields::Unreadable,
        }
    }
}

fn walk(value: &serde_json::Value, place: &[Step], each: &mut dyn FnMut(&Held<'_>) -> bool) -> bool {
    let Some((step, rest)) = place.split_first() else {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let kind = match value {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(_) => Kind::Boolean,
            serde_json::Value::Number(_) => Kind::Number,
            serde_json::Value::String(_) => Kind::Text,
            serde_json::Value::Array(_) => Kind::Array,
            serde_json::Value::Object(_) => Kind::Object,
        };
        return each(&Held { bytes: text.as_bytes(), kind: Some(kind) });
    };
    let members = value.as_object().into_iter().flatten();
    let items = value.as_array().into_iter().flatten();
    match step {
        Step::Named(name) => members.filter(|(have, _)| *have == name).any(|(_, inner)| walk(inner, rest, each)),
        Step::Each => members.map(|(_, inner)| inner).chain(items).any(|inner| walk(inner, rest, each)),
        Step::Within => {
            walk(value, rest, each)
                || members.map(|(_, inner)| inner).chain(items).any(|inner| walk(inner, place, each))
        }
    }
}

fn bundle(when: &str) -> Bundle {
    let text = format!(
        r#"{{ "name": "test", "version": 1, "expires": "2026-12-31", "patches": [
            {{ "id": "VP-1", "reason": "CVE-2026-1", "action": "refuse", "api": "files", "when": {when} }} ] }}"#
    );
    Bundle::read(&text).unwrap()
}

/// Whether a patch with these conditions is about a request.
fn meets(when: &str, request: &Request) -> bool {
    let met = judge(&bundle(when).patches, "/files/{name}/of/{*rest}", Stage::Enforce, request);
    assert!(met.as_ref().is_none_or(|met| met.refuses));
    met.is_some()
}

#[test]
fn a_form_in_parts_is_taken_for_what_must_not_be() {
    let form = r#"[{ "target": "form_field", "name": "role", "equals": "admin" }]"#;
    let sent =
        |kind, body| Request { headers: vec![("Content-Type", kind)], body, method: "POST", ..Request::default() };
    assert!(meets(form, &sent("Multipart/Form-Data; boundary=x", Some("--x\r\n"))));
    assert!(!meets(form, &sent("multipart/form-data; boundary=x", None)));
    assert!(!meets(form, &sent("application/x-www-form-urlencoded", Some("role=user"))));
    assert!(meets(form, &sent("application/x-www-form-urlencoded", Some("role=admin"))));
}

#[test]
fn conditions() {
    let query = |query| Request { query: Some(query), ..Request::default() };
    let body = |body| Request { body: Some(body), method: "POST", ..Request::default() };
    let path = |path| Request { path, ..Request::default() };
    let header = |name, value| Request { headers: vec![(name, value)], ..Request::default() };
    let climbs = r#"[{ "target": "query", "name": "file", "contains": "../" }]"#;
    let letters = r#"[{ "target": "path_parameter", "name": "name", "not_matches": "^[a-z]+$" }]"#;
    let rest = r#"[{ "target": "path_parameter", "name": "rest", "ends_with": "/etc" }]"#;
    let admin = r#"[{ "target": "body_field", "name": "/user/role", "equals": "ADMIN", "ignore_case": true }]"#;
    let object = r#"[{ "target": "body_field", "name": "/items/*/id", "is_not": "number" }]"#;
    let deep = r#"[{ "target": "body_field", "name": "/**/__proto__", "present": true }]"#;
    let form = r#"[{ "target": "form_field", "name": "role", "present": true }]"#;
    let debug = r#"[{ "target": "header", "name": "X-Debug", "present": true }]"#;
    let unnamed = r#"[{ "target": "header", "name": "x-tenant", "present": false }]"#;
    let both =
        r#"[{ "target": "query", "name": "a", "equals": "1" }, { "target": "query", "name": "b", "longer_than": 3 }]"#;
    for (when, request, expect) in [
        (climbs, query("file=a.txt"), false),
        (climbs, query("other=../"), false),
        (climbs, query("file=../a"), true),
        (climbs, query("file=a&file=..%2Fa"), true),
        (climbs, query("FILE=../"), true),
        (climbs, query("%66ile[]=../"), true),
        (climbs, query("file=%252e%252e%252f"), true),
        (climbs, query("x=1;file=../"), true),
        (climbs, query("file=x;../"), true),
        (climbs, Request::default(), false),
        (r#"[{ "target": "query", "name": "*", "equals": "x" }]"#, query("a=1&b=x"), true),
        (letters, path("/files/abc/of/x"), false),
        (letters, path("/files/a%20c/of/x"), true),
        (rest, path("/files/abc/of/a/etc"), true),
        (rest, path("/files/abc/of/etc"), false),
        (r#"[{ "target": "path", "contains": "etc" }]"#, path("/a/%65tc"), true),
        (admin, body(r#"{"user":{"role":"Admin"}}"#), true),
        (admin, body(r#"{"user":{"role":"reader"}}"#), false),
        (admin, body(r#"{"role":"admin"}"#), false),
        (admin, body(r#"{"user":{"role":"admin""#), true),
        (admin, Request { unread: true, ..Request::default() }, true),
        (object, body(r#"{"items":[{"id":1},{"id":{"$gt":0}}]}"#), true),
        (object, body(r#"{"items":[{"id":1},{"id":2}]}"#), false),
        (deep, body(r#"{"a":[{"__proto__":{}}]}"#), true),
        (deep, body(r#"{"a":[{"proto":"__proto__"}]}"#), false),
        (form, body("role=admin"), true),
        (form, body("name=role"), false),
        (r#"[{ "target": "body", "matches": "(?i)<!entity" }]"#, body("<!ENTITY x>"), true),
        (debug, header("x-debug", "1"), true),
        (debug, header("x-other", "1"), false),
        (unnamed, header("x-other", "1"), true),
        (unnamed, header("X-Tenant", "1"), false),
        (both, query("a=1&b=12"), false),
        (both, query("a=1&b=1234"), true),
        ("[]", Request::default(), true),
    ] {
        assert_eq!(meets(when, &request), expect, "{when} {:?} {:?} {:?}", request.query, request.path, request.body);
    }
}

#[test]
fn only_refusing_patches_of_an_enforced_bundle_refuse() {
    let text = r#"{ "name": "test", "version": 3, "expires": "2026-12-31", "patches": [
        { "id": "look", "reason": "wanted", "action": "observe", "api": "*", "when": [] },
        { "id": "other", "reason": "wanted", "action": "observe", "api": "*", "when": [] },
        { "id": "stop", "reason": "CVE-2026-2", "action": "refuse", "api": "files", "operation": "getFile", "methods": ["GET"], "when": [] } ] }"#;
    let bundle = Bundle::read(text).unwrap();
    let request = Request::default();
    let says =
        |patches: &[_], stage| judge(patches, "/", stage, &request).map(|met| (met.patch.id.to_string(), met.refuses));
    assert_eq!(says(&bundle.patches, Stage::Enforce), Some(("stop".to_owned(), true)));
    assert_eq!(says(&bundle.patches, Stage::Observe), Some(("look".to_owned(), false)));
    assert_eq!(says(&[], Stage::Enforce), None);
    let post = Request { method: "POST", ..Request::default() };
    assert!(judge(&bundle.patches[2..], "/", Stage::Enforce, &post).is_none(), "another method");
    let stop = &bundle.patches[2];
    assert!(stop.is_for("files", "getFile", "/files/{name}"));
    assert!(!stop.is_for("files", "putFile", "/files/{name}") && !stop.is_for("users", "getFile", "/"));
    assert_eq!(stop.place(), "files GET getFile");
    assert!(!bundle.is_expired(1_798_761_599) && bundle.is_expired(1_798_761_600), "{}", bundle.expires_s);
}

#[test]
fn a_patch_about_a_parameter_is_for_routes_that_have_it() {
    let bundle = bundle(r#"[{ "target": "path_parameter", "name": "id", "present": true }]"#);
    assert!(bundle.patches[0].is_for("files", "", "/files/{id}") && !bundle.patches[0].is_for("files", "", "/files"));
}

#[test]
fn mistakes() {
    let with = |fields: &str| format!(r#"{{ "name": "t", "version": 1, "expires": "2026-12-31", {fields} }}"#);
    let patch = |when: &str| {
        with(&format!(
            r#""patches": [{{ "id": "p", "reason": "r", "action": "refuse", "api": "a", "when": [{when}] }}]"#
        ))
    };
    for (text, expect) in [
        ("{".to_owned(), "EOF"),
        (with(r#""patches": []"#), "neither patches nor rules"),
        (with(r#""patch": []"#), "unknown field `patch`"),
        (with(r#""rules": "", "version": 2"#), "duplicate field `version`"),
        (r#"{ "name": "t", "version": 0, "expires": "2026-12-31", "rules": "" }"#.to_owned(), "count from 1"),
        (r#"{ "name": "t", "version": -1, "expires": "2026-12-31", "rules": "" }"#.to_owned(), "invalid value"),
        (r#"{ "name": "t t", "version": 1, "expires": "2026-12-31", "rules": "" }"#.to_owned(), "letters, digits"),
        (r#"{ "name": "t", "version": 1, "expires": "2026-02-30", "rules": "" }"#.to_owned(), "no day"),
        (r#"{ "name": "t", "version": 1, "expires": "2026-2-3", "rules": "" }"#.to_owned(), "no day"),
        (r#"{ "name": "t", "version": 1, "expires": "+026-12-31", "rules": "" }"#.to_owned(), "no day"),
        (patch(r#"{ "target": "query", "name": "q" }"#), "patch 1 (p): condition 1: it says nothing about its target"),
        (patch(r#"{ "target": "query", "name": "q", "equals": "a", "contains": "b" }"#), "two things"),
        (patch(r#"{ "target": "query", "equals": "a" }"#), "needs a `name`"),
        (patch(r#"{ "target": "path", "name": "x", "equals": "a" }"#), "has no name"),
        (patch(r#"{ "target": "cookie", "name": "x", "equals": "a" }"#), "unknown variant `cookie`"),
        (patch(r#"{ "target": "query", "name": "q", "contains": "" }"#), "empty text"),
        (patch(r#"{ "target": "query", "name": "q", "matches": "(?=a)" }"#), "not valid"),
        (patch(r#"{ "target": "query", "name": "q", "matches": "(a{1000}){1000}" }"#), "too large"),
        (patch(r#"{ "target": "query", "name": "q", "is": "text" }"#), "about a `body_field`"),
        (patch(r#"{ "target": "query", "name": "q", "present": true, "ignore_case": true }"#), "no effect"),
        (patch(r#"{ "target": "body_field", "name": "a", "present": true }"#), "begins with `/`"),
        (patch(r#"{ "target": "body_field", "name": "/**/**", "present": true }"#), "one `**`"),
    ] {
        let error = Bundle::read(&text).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expect), "{text}: {error}");
    }
    let twice = r#"{ "id": "p", "reason": "r", "action": "refuse", "api": "a", "when": [] }"#;
    let error = Bundle::read(&with(&format!(r#""patches": [{twice}, {twice}]"#))).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("patch 2 (p): another one has this id"), "{error}");
}

#[test]
fn what_is_not_written_down_may_be_anything() {
    let climbs = r#"[{ "target": "query", "name": "file", "contains": "../" }]"#;
    let there = r#"[{ "target": "query", "name": "file", "present": true }]"#;
    let debug = r#"[{ "target": "header", "name": "x-debug", "present": true }]"#;
    let body = r#"[{ "target": "body_field", "name": "/a", "present": true }]"#;
    for (when, query, expect) in [
        (climbs, Some("file=*"), Supposed::Maybe),
        (climbs, Some("other=*"), Supposed::No),
        (climbs, None, Supposed::No),
        (there, Some("file=*"), Supposed::Yes),
        (debug, None, Supposed::Maybe),
        (body, None, Supposed::No),
        ("[]", None, Supposed::Yes),
    ] {
        let request = Request { query, ..Request::default() };
        let hidden = |part| match part {
            Part::Values | Part::Fields => true,
            Part::Body => false,
        };
        assert_eq!(bundle(when).patches[0].supposed("/", &request, hidden), expect, "{when} {query:?}");
    }
}

#[test]
fn fuzz_smoke_bundle() {
    let patch = |when: &str| {
        format!(
            r#"{{ "name": "a", "version": 1, "expires": "2026-12-31", "rules": "SecRule ARGS x", "patches": [
            {{ "id": "1", "reason": "r", "action": "refuse", "api": "a", "operation": "o", "when": [{when}] }},
            {{ "id": "2", "reason": "r", "action": "observe", "api": "a", "when": [] }} ] }}"#
        )
    };
    for seed in [
        patch(r#"{ "target": "query", "name": "b", "contains": "../" }"#),
        patch(r#"{ "target": "header", "name": "x-a", "matches": "^o.e$" }"#),
        patch(r#"{ "target": "body_field", "name": "/role", "equals": "admin" }"#),
        patch(r#"{ "target": "body", "longer_than": 4 }, { "target": "path", "present": true }"#),
        "{ \"name\": \"\u{2028}\", \"version\": 18446744073709551616 }".to_owned(),
        format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
    ] {
        let bytes = seed.as_bytes();
        for cut in (0..=bytes.len()).step_by(3) {
            crate::fuzz::bundle(&bytes[..cut]);
            crate::fuzz::bundle(&bytes[cut..]);
        }
        // One byte after the other becomes another one.
        for at in 0..bytes.len().min(600) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x15;
            crate::fuzz::bundle(&changed);
        }
        crate::fuzz::bundle(bytes);
    }
    crate::fuzz::bundle(&[0xff, b'{']);
}
