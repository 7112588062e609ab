//! Forms, parts and XML: members that are not named, header fields of parts, and all that is wrong at once.

use super::tests::{section, shown};
use crate::document::{Options, load};
use crate::message::{Body, Bounds, Reply, Request};

const API: &str = r"
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /maps:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded: {schema: &map {type: object, additionalProperties: {type: integer}}}
          multipart/form-data: {schema: *map}
          application/xml: {schema: *map}
      responses: {}
  /patterns:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: &patterns {type: object, patternProperties: {'^n': {type: integer}}, additionalProperties: false}
          multipart/form-data: {schema: *patterns}
          application/xml: {schema: *patterns}
      responses: {}
  /parts:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              required: [meta, file]
              properties:
                meta: {type: object, required: [n], properties: {n: {type: integer}}}
                file: {type: string, maxLength: 9}
                num: {type: integer}
                sizes: {type: array, prefixItems: [{type: integer}, {type: string}]}
            encoding:
              file:
                contentType: image/png
                headers:
                  X-H: {required: true, schema: {type: integer}}
                  X-L: {schema: {type: array, items: {type: integer}}}
                  Content-Type: {schema: {type: integer}}
      responses: {}
  /bytes:
    post:
      requestBody:
        content:
          application/octet-stream: {schema: {type: string, format: binary, maxLength: 5}}
          image/png: {schema: {$ref: '#/components/schemas/Picture'}}
          image/gif: {schema: {type: string, format: binary}}
          image/bmp: {schema: {type: object}}
          audio/*: {schema: {maxLength: 1.0e1}}
      responses:
        '200': {description: ok, content: {image/png: {schema: {type: string, maxLength: 3}}}}
components: {schemas: {Picture: {allOf: [{type: string, format: binary, maxLength: 5}, {minLength: 2, maxLength: 9}]}}}
";

fn post(path: &str, content_type: &str, body: &str) -> String {
    let loaded = load("api.yaml", API.as_bytes(), Options::default(), &mut |_| None);
    let contract = loaded.contract.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let operation = contract.operation("POST", path).unwrap();
    let headers = [("Content-Type", content_type)];
    let request = Request { path, query: "", headers: &headers, body: Body::Whole(body.as_bytes()) };
    shown(contract.conform(operation, &request, &Bounds::default()).map(drop))
}

#[test]
fn members_without_names_have_types_too() {
    let (form, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b");
    let xml = "application/xml";
    let part = |name: &str, value: &str| format!("{}--b--", section(&format!("name={name}"), value));
    for (path, content_type, body, expected) in [
        ("/maps", form, "a=1&b=2".to_owned(), "fits"),
        ("/maps", form, "a=x".to_owned(), "422: Body /a type"),
        ("/maps", form, "a=1&a=2&b=x".to_owned(), "400: Body a repeated, Body /b type"),
        ("/maps", multipart, part("a", "1"), "fits"),
        ("/maps", multipart, part("a", "x"), "422: Body /a type"),
        ("/maps", xml, "<m><a>1</a></m>".to_owned(), "fits"),
        ("/maps", xml, "<m a='1'/>".to_owned(), "fits"),
        ("/maps", xml, "<m><a>x</a></m>".to_owned(), "422: Body /a type"),
        ("/maps", xml, "<m><a><b/></a></m>".to_owned(), "422: Body /a type"),
        ("/patterns", form, "n1=1".to_owned(), "fits"),
        ("/patterns", form, "n1=x".to_owned(), "422: Body /n1 type"),
        ("/patterns", form, "m=1".to_owned(), "422: Body /m additionalProperties"),
        ("/patterns", multipart, part("n1", "1"), "fits"),
        ("/patterns", multipart, part("m", "1"), "422: Body /m additionalProperties"),
        ("/patterns", xml, "<m><n1>1</n1></m>".to_owned(), "fits"),
        ("/patterns", xml, "<m><m>1</m></m>".to_owned(), "422: Body /m additionalProperties"),
    ] {
        assert_eq!(post(path, content_type, &body), expected, "{path} {content_type} {body}");
    }
}

#[test]
fn all_that_is_wrong_with_parts_is_said() {
    let file = |head: &str| section(&format!("name=file; filename=a\r\nContent-Type: image/png{head}"), "\u{1}");
    let meta = section("name=meta", r#"{"n":1}"#);
    for (body, expected) in [
        (format!("{}{meta}", file("\r\nX-H: 1")), "fits"),
        (format!("{}{meta}", file("\r\nx-h: 1\r\nX-L: 1, 2\r\nX-Other: 1")), "fits"),
        (format!("{}{meta}", file("")), "400: Body file: x-h required"),
        (format!("{}{meta}", file("\r\nX-H: x")), "400: Body file: x-h type"),
        (format!("{}{meta}", file("\r\nX-H: 1\r\nX-H: 2")), "400: Body file: x-h repeated"),
        (format!("{}{meta}", file("\r\nX-H: 1\r\nX-L: 1\r\nX-L: x")), "400: Body file: x-l/1 type"),
        (
            section("name=file\r\nContent-Type: text/html\r\nX-H: 1", "0123456789")
                + &section("name=meta", r#"{"n":"x","o":1}"#)
                + &section("name=num", "x")
                + &section("name=admin", "1"),
            "415: Body file encoding, Body /file maxLength, Body /meta/n type, Body /meta/o additionalProperties, Body /num type, Body /admin additionalProperties",
        ),
        (
            file("\r\nX-H: 1") + &section("name=meta", "{") + &section("name=num", "x"),
            "400: Body meta malformed, Body /num type",
        ),
        (
            section("name=num", "1") + &section("name=num", "x") + &section("name=admin", "1"),
            "400: Body num repeated, Body /admin additionalProperties, Body /meta required, Body /file required",
        ),
        (format!("{}{meta}{}{}", file("\r\nX-H: 1"), section("name=sizes", "1"), section("name=sizes", "2")), "fits"),
        (
            format!("{}{meta}{}{}", file("\r\nX-H: 1"), section("name=sizes", "x"), section("name=sizes", "2")),
            "422: Body /sizes/0 type",
        ),
    ] {
        assert_eq!(post("/parts", "multipart/form-data; boundary=b", &format!("{body}--b--")), expected, "{body}");
    }
}

#[test]
fn bytes_have_a_length() {
    let loaded = load("api.yaml", API.as_bytes(), Options::default(), &mut |_| None);
    let contract = loaded.contract.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let operation = contract.operation("POST", "/bytes").unwrap();
    // What a body unread comes to, whether it has to be read, and to how much it is held otherwise.
    for (kind, unread, reads, most) in [
        ("application/octet-stream", "fits", false, Some(5)),
        ("image/png", "415: Body  mediaType", true, None),
        ("image/gif", "fits", false, None),
        ("image/bmp", "415: Body  mediaType", true, None),
        ("audio/wav", "fits", false, Some(10)),
        ("video/mp4", "415: Body  mediaType", false, None),
    ] {
        assert_eq!((operation.reads(Some(kind)), operation.body_bytes(Some(kind))), (reads, most), "{kind}");
        let headers = [("Content-Type", kind)];
        let request = Request { path: "/bytes", query: "", headers: &headers, body: Body::Unread };
        assert_eq!(shown(contract.conform(operation, &request, &Bounds::default()).map(drop)), unread, "{kind}");
    }
    for (kind, body, expected) in [
        ("application/octet-stream", "12345", "fits"),
        ("application/octet-stream", "123456", "422: Body  maxLength"),
        ("application/octet-stream", "ééé", "422: Body  maxLength"),
        ("image/png", "1", "422: Body  minLength"),
        ("image/png", "12345", "fits"),
        ("image/png", "123456", "422: Body  maxLength"),
        ("image/gif", "123456", "fits"),
        ("audio/wav", "1234567890", "fits"),
        ("audio/wav", "1234567890a", "422: Body  maxLength"),
    ] {
        assert_eq!(post("/bytes", kind, body), expected, "{kind} {body}");
    }
    assert!(operation.reads_answer(200, Some("image/png")));
    for (body, expected) in [
        (Body::Whole(b"123"), "fits"),
        (Body::Whole(b"1234"), "502: Body  maxLength"),
        (Body::Unread, "502: Body  mediaType"),
    ] {
        let reply = Reply { status: 200, headers: &[("Content-Type", "image/png")], body };
        let found = contract.conform_answer(operation, &reply, &Bounds::default()).map(drop);
        assert_eq!(shown(found), expected, "{body:?}");
    }
}
