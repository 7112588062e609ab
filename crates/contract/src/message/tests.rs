//! Whole messages against whole operations.

use crate::document::{Contract, Options, load};
use crate::json::Json;
use crate::message::{Bounds, Refused, Reply, Request};

const API: &str = r"
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    put:
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/User'}}
          application/x-www-form-urlencoded: {schema: {$ref: '#/components/schemas/User'}}
          multipart/form-data:
            schema:
              type: object
              required: [file]
              properties:
                file: {type: string, format: binary}
                user: {$ref: '#/components/schemas/User'}
                tags: {type: array, items: {type: integer}}
            encoding: {file: {contentType: 'image/png, image/jpeg'}}
          text/plain: {schema: {type: string, maxLength: 5}}
          application/xml: {schema: {type: object}}
          image/png: {}
      responses:
        '200':
          headers: {X-Left: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}
        '204': {description: nothing}
        4XX: {content: {application/problem+json: {schema: {type: object, additionalProperties: true}}}}
    get: {responses: {'200': {description: ok}}}
components:
  schemas:
    User:
      type: object
      required: [name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, maxLength: 5}
        tags: {type: array, items: {type: string}}
        password: {type: string, writeOnly: true}
";

fn contract(options: Options) -> Contract {
    let loaded = load("api.yaml", API.as_bytes(), options, &mut |_| None);
    loaded.contract.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

pub(super) fn shown(outcome: Result<(), Refused>) -> String {
    match outcome {
        Ok(()) => "fits".to_owned(),
        Err(Refused { status, objections }) => {
            let all =
                objections.iter().map(|one| format!("{:?} {}{} {}", one.part, one.name, one.pointer, one.keyword));
            format!("{status}: {}", all.collect::<Vec<_>>().join(", "))
        }
    }
}

fn put(options: Options, content_type: &str, body: &str) -> String {
    let contract = contract(options);
    let operation = contract.operation("PUT", "/users/{id}").unwrap();
    let headers: &[(&str, &str)] = if content_type.is_empty() { &[] } else { &[("Content-Type", content_type)] };
    let request = Request { path: "/users/7", query: "", headers, body: super::Body::Whole(body.as_bytes()) };
    shown(contract.conform(operation, &request, &Bounds::default()).map(drop))
}

pub(super) fn section(head: &str, body: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
}

#[test]
fn bodies_are_judged_by_their_media_type() {
    let file = section("name=file; filename=a\r\nContent-Type: image/png", "\u{1}");
    let text_file = section("name=file; filename=a\r\nContent-Type: text/html", "<script>");
    let user = section("name=user\r\nContent-Type: application/json", r#"{"name":"ada"}"#);
    let bad_user = section("name=user", r#"{"nam":"ada"}"#);
    let tags = section("name=tags", "1") + &section("name=tags", "2");
    let stranger = section("name=admin", "1");
    let multipart = "multipart/form-data; boundary=b";
    for (content_type, body, expected) in [
        ("application/json", r#"{"name":"ada"}"#, "fits"),
        ("application/json; charset=UTF-8", r#"{"name":"ada","tags":["x"]}"#, "fits"),
        ("application/json; charset=utf-16", r#"{"name":"ada"}"#, "415: Body  charset"),
        ("application/json", r#"{"name":"ada","role":"admin"}"#, "422: Body /role additionalProperties"),
        ("application/json", r#"{"name":"ada","id":1}"#, "422: Body /id readOnly"),
        (
            "application/json",
            r#"{"name":"ada","tags":[1,2],"x":1}"#,
            "422: Body /tags/0 type, Body /tags/1 type, Body /x additionalProperties",
        ),
        ("application/json", r#"{"name":"ada","name":"eve"}"#, "400: Body  repeated_member"),
        ("application/json", r#"{"name":"ada"}}"#, "400: Body  trailing_bytes"),
        ("application/json", "", "400: Body  required"),
        ("", r#"{"name":"ada"}"#, "415: Body  mediaType"),
        ("text/html", "x", "415: Body  mediaType"),
        ("application/*", "x", "415: Body  mediaType"),
        ("application/xml", "<a/>", "fits"),
        ("application/xml", "<a", "400: Body  malformed"),
        ("application/xml", "<a><b/></a>", "422: Body /b additionalProperties"),
        ("text/plain", "abcde", "fits"),
        ("text/plain", "abcdef", "422: Body  maxLength"),
        ("image/png", "\u{1}", "fits"),
        ("application/x-www-form-urlencoded", "name=ada&tags=x&tags=y", "fits"),
        ("application/x-www-form-urlencoded", "name=12", "fits"),
        ("application/x-www-form-urlencoded", "name=ada&name=eve", "400: Body name repeated"),
        ("application/x-www-form-urlencoded", "name=ada&role=admin", "422: Body /role additionalProperties"),
        ("application/x-www-form-urlencoded", "tags=x", "422: Body /name required"),
        (multipart, &format!("{file}{user}{tags}--b--\r\n"), "fits"),
        (multipart, &format!("{text_file}--b--\r\n"), "415: Body file encoding"),
        (
            multipart,
            &format!("{file}{bad_user}--b--\r\n"),
            "422: Body /user/nam additionalProperties, Body /user/name required",
        ),
        (multipart, &format!("{file}{stranger}--b--\r\n"), "422: Body /admin additionalProperties"),
        (multipart, &format!("{file}{file}--b--\r\n"), "400: Body file repeated"),
        (multipart, &format!("{tags}--b--\r\n"), "422: Body /file required"),
        (multipart, "x", "400: Body  multipart"),
        ("multipart/form-data", "x", "400: Body  multipart"),
    ] {
        assert_eq!(put(Options::default(), content_type, body), expected, "{content_type} {body}");
    }
    assert_eq!(
        put(Options::default(), "application/json", r#"{"name":"ada"}"#),
        "fits",
        "a good request after all that"
    );
}

#[test]
fn what_the_document_does_not_know_has_switches() {
    let open = Options {
        open_objects: true,
        unknown_query: true,
        unknown_headers: true,
        unknown_cookies: true,
        undeclared_media_types: true,
        undeclared_bodies: true,
        undeclared_statuses: true,
        ..Options::default()
    };
    let ask = |options: Options, method: &str| {
        let contract = contract(options);
        let operation = contract.operation(method, "/users/{id}").unwrap();
        let headers = [("X-Debug", "1"), ("Cookie", "a=1"), ("User-Agent", "x"), ("Content-Type", "text/html")];
        let request = Request { path: "/users/7", query: "debug=1", headers: &headers, body: super::Body::Whole(b"x") };
        shown(contract.conform(operation, &request, &Bounds::default()).map(drop))
    };
    assert_eq!(
        ask(Options::default(), "GET"),
        "400: Query debug unknown, Cookie a unknown, Header x-debug unknown, Body  requestBody"
    );
    assert_eq!(
        ask(Options::default(), "PUT"),
        "400: Query debug unknown, Cookie a unknown, Header x-debug unknown, Body  mediaType"
    );
    assert_eq!(ask(open.clone(), "GET"), "fits");
    assert_eq!(ask(open.clone(), "PUT"), "fits");
    assert_eq!(put(open, "application/json", r#"{"name":"ada","role":"admin"}"#), "fits");
    let listed = Options {
        headers: vec!["x-debug".to_owned()],
        unknown_query: true,
        unknown_cookies: true,
        ..Options::default()
    };
    assert_eq!(ask(listed, "GET"), "400: Body  requestBody");
}

#[test]
fn answers_keep_what_the_document_promises() {
    let contract = contract(Options::default());
    let operation = contract.operation("PUT", "/users/{id}").unwrap();
    let json = ("Content-Type", "application/json");
    let left = ("X-Left", "3");
    for (status, headers, body, expected) in [
        (200, &[json, left][..], r#"{"id":1,"name":"ada"}"#, "fits"),
        (200, &[json, left], r#"{"id":1,"name":"ada","password":"x"}"#, "502: Body /password writeOnly"),
        (200, &[json, left], r#"{"id":1,"name":"ada","hash":"x"}"#, "502: Body /hash additionalProperties"),
        (200, &[json], r#"{"id":1,"name":"ada"}"#, "502: Header x-left required"),
        (200, &[json, ("X-Left", "many")], r#"{"name":"ada"}"#, "502: Header x-left type"),
        (200, &[left, ("Content-Type", "text/html")], "<html>", "502: Body  mediaType"),
        (204, &[], "", "fits"),
        (204, &[json], "{}", "502: Body  content"),
        (404, &[("Content-Type", "application/problem+json")], r#"{"x":1}"#, "fits"),
        (500, &[json], "{}", "502: Status  status"),
        (304, &[], "", "fits"),
    ] {
        let reply = Reply { status, headers, body: super::Body::Whole(body.as_bytes()) };
        let outcome = contract.conform_answer(operation, &reply, &Bounds::default()).map(drop);
        assert_eq!(shown(outcome), expected, "{status} {body}");
    }
}

/// A contract that says who may see what.
const MARKED: &str = r"
openapi: 3.0.3
paths:
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
        default: {content: {application/problem+json: {schema: {type: object}}}}
components:
  schemas:
    Text: {type: string, x-sensitivity: secret}
    User:
      type: object
      required: [nowhere]
      properties:
        id: {type: integer}
        mail: {type: string, x-sensitivity: [pii, contact]}
        note: {$ref: '#/components/schemas/Text', x-sensitivity: pii}
        code: {type: string, writeOnly: true}
        salary: {type: number, x-visible-to: hr}
        plain: {type: string, x-sensitivity: public}
        friends: {type: array, items: {$ref: '#/components/schemas/User'}}
        free: {type: object, additionalProperties: {}}
        way: {allOf: [{$ref: '#/components/schemas/Text'}, {description: x}]}
";

#[test]
fn outlines_say_what_is_declared_and_what_is_marked() {
    let loaded = load("api.yaml", MARKED.as_bytes(), Options::default(), &mut |_| None);
    let contract = loaded.contract.unwrap();
    assert!(contract.has_marks());
    let get = contract.operation("GET", "/users/{id}").unwrap();
    let outline = contract.outline([get]).unwrap();
    let places = |meaning| {
        let all = outline.places(meaning).into_iter();
        all.map(|(place, mark)| format!("{place} {}:{}", mark.file, mark.line)).collect::<Vec<_>>()
    };
    let said: Vec<String> = outline.meanings().iter().map(|one| format!("{one}: {}", places(one).join(", "))).collect();
    let expected = [
        "contact: $.mail api.yaml:18",
        "pii: $.mail api.yaml:18, $.note api.yaml:19",
        "secret: $.note api.yaml:12, $.way api.yaml:12",
        "for hr: $.salary api.yaml:21",
    ];
    assert_eq!(said, expected);
    let root = outline.root(get.answer_schema(200, Some("application/json; charset=utf-8")).unwrap()).unwrap();
    let shape = outline.shape(root).unwrap();
    let declared = |name: &str| shape.members.iter().find(|member| *member.name == *name).map(|member| member.declared);
    assert_eq!((declared("id"), declared("code"), declared("nowhere")), (Some(true), Some(false), None));
    assert_eq!(shape.others, None, "what is forbidden is not declared");
    let other = get.answer_schema(404, Some("application/problem+json")).unwrap();
    assert!(outline.root(other).is_some_and(|other| other != root));
    assert_eq!(get.answer_schema(404, Some("application/json")), None);
    assert_eq!(get.answer_schema(200, None), None);
}

#[test]
fn marks_that_say_nothing_keep_a_contract_from_loading() {
    for (from, to) in
        [("[pii, contact]", "[]"), ("[pii, contact]", "7"), ("[pii, contact]", "'a b'"), ("hr}", "[hr, {}]}")]
    {
        let text = MARKED.replacen(from, to, 1);
        let loaded = load("api.yaml", text.as_bytes(), Options::default(), &mut |_| None);
        assert!(loaded.contract.is_none(), "{to}");
        let code = if from == "hr}" { "x-visible-to" } else { "x-sensitivity" };
        assert!(
            loaded.diagnostics.iter().any(|one| one.code == code && one.line > 1),
            "{to}: {:?}",
            loaded.diagnostics
        );
    }
}

const OPEN: &str = r"
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /pets:
    get:
      responses:
        '200': {content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}
components:
  schemas:
    Pet:
      allOf:
        - {type: object, properties: {name: {type: string}, owner: {$ref: '#/components/schemas/Owner'}}}
        - {type: object, properties: {tags: {type: object, additionalProperties: {$ref: '#/components/schemas/Tag'}}}}
        - oneOf: [{type: object, properties: {purrs: {type: boolean}}}, {type: object, properties: {barks: {}}}]
    Owner: {type: object, properties: {id: {type: integer}, mother: {$ref: '#/components/schemas/Owner'}, extra: {}}}
    Tag: {type: object, properties: {color: {type: string}}}
";

#[test]
fn members_that_nothing_declares_are_named_without_what_they_hold() {
    for open_objects in [false, true] {
        let options = Options { open_objects, ..Options::default() };
        let contract = load("api.yaml", OPEN.as_bytes(), options, &mut |_| None).contract.unwrap();
        let operation = contract.operation("GET", "/pets").unwrap();
        let strangers = |status: u16, kind: &str, text: &str| {
            let bounds = Bounds::default();
            let json = Json::parse(text.as_bytes(), &bounds.json).unwrap();
            let found = contract.strangers(operation, (status, Some(kind)), &json, &bounds);
            found.iter().map(|one| format!("{} {}", one.place, one.kind)).collect::<Vec<_>>().join(", ")
        };
        for (text, expected) in [
            ("[]", ""),
            (r#"[{"name":"a","purrs":true,"barks":1,"tags":{"x":{"color":"red"}}}]"#, ""),
            (r#"[{"name":"a","chip":17},{"chip":18,"chip2":[]}]"#, "/*/chip number, /*/chip2 array"),
            (r#"[{"owner":{"mother":{"mother":{"ssn":"078-05-1120"}}}}]"#, "/*/owner/mother/mother/ssn string"),
            (r#"[{"owner":{"extra":{"anything":1}}}]"#, ""),
            // The names of a map are data, and so are names that look like it.
            (r#"[{"tags":{"ada@example.com":{"phone":"1"}}}]"#, "/*/tags/{}/phone string"),
            (r#"[{"ada@example.com":null,"12":{}}]"#, "/*/{} null, /*/{} object"),
            (r#"{"not":"an array"}"#, ""),
        ] {
            let sorted = |text: &str| {
                let mut all: Vec<String> = text.split(", ").map(str::to_owned).collect();
                all.sort();
                all
            };
            assert_eq!(sorted(&strangers(200, "application/json", text)), sorted(expected), "{text} {open_objects}");
        }
        assert_eq!(strangers(404, "application/json", r#"[{"chip":1}]"#), "");
        assert_eq!(strangers(200, "text/plain", r#"[{"chip":1}]"#), "");
    }
}
