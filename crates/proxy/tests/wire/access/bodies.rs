//! The same risks where ids and properties stand in bodies: in JSON and in forms, in every spelling that some server would take, and
//! in bodies that nobody can read.

use super::{ADA, ADAM, AUDREY, EVE, SAM, Shop, Who};
use crate::check::problem;
use portcullis_testkit::{Answer, Client};
use serde_json::{Value, json};

const YAML: &str = include_str!("bodies.yaml");
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn open() -> Shop {
    Shop::with(YAML, &[("bodies.cedar", include_str!("bodies.cedar"))])
}

fn line_of(name: &str) -> String {
    let needle = format!("name: {name},");
    let line = YAML.lines().position(|line| line.contains(&needle)).unwrap_or_else(|| panic!("no rule {name}"));
    format!("shop.yaml:{}", line + 1)
}

impl Shop {
    fn send(&self, who: Who, line: &str, media_type: &str, body: &str) -> Answer {
        let (token, length) = (self.token(who), body.len());
        let media_type = if media_type.is_empty() { String::new() } else { format!("Content-Type: {media_type}\r\n") };
        Client::connect(self.gate.address()).ask(format!(
            "{line} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\n{media_type}Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// Refused with this code, while nothing of it reaches the server; then a good request works.
    fn turned_away(&self, who: Who, line: &str, (media_type, body): (&str, &str), code: &str) -> Answer {
        let before = self.upstream.requests();
        let answer = self.send(who, line, media_type, body);
        let status = if code.starts_with("malformed") || code == "invalid_json" { 400 } else { 403 };
        problem(&answer, status, code, &format!("{} {line} {body}", who.0));
        assert_eq!(self.upstream.requests(), before, "{line} {body}");
        assert_eq!(self.send(ADA, "GET /profile", "", "").status, 200);
        answer
    }

    fn goes_on(&self, who: Who, line: &str, media_type: &str, body: &str) -> Value {
        let answer = self.send(who, line, media_type, body);
        assert_eq!(answer.status, 200, "{} {line} {body}: {}", who.0, answer.text());
        self.record(&answer)
    }
}

/// API1:2023: whose it is, and whose tenant's, stands in the body.
#[test]
fn objects_of_others_in_bodies_are_refused() {
    let shop = open();
    let own = r#"{"owner":"ada","tenant":"acme","account":"1"}"#;
    for (who, media_type, body, rule) in [
        (ADA, JSON, own, "own"),
        (ADA, JSON, r#"{"own\u0065r":"ada","tenant":"acme","account":1}"#, "own"),
        (ADA, "application/vnd.bank+json; charset=utf-8", own, "own"),
        (ADA, FORM, "owner=ada&tenant=acme&account=1", "own"),
        (ADA, FORM, "owner=%61da&tenant=acme&account=1", "own"),
        (ADAM, JSON, r#"{"owner":"eve","tenant":"acme","account":"1"}"#, "any-admin"),
        (SAM, JSON, r#"{"owner":"sam","tenant":"acme","account":"1"}"#, "own"),
        (AUDREY, FORM, "owner=audrey&tenant=acme&account=1", "own"),
    ] {
        let record = shop.goes_on(who, "POST /transfer", media_type, body);
        let expected = [json!("allowed"), json!(rule), json!(line_of(rule))];
        assert_eq!(
            [&record["permit"], &record["rule"], &record["allowed_by"]],
            expected.each_ref(),
            "{body}: {record}"
        );
    }
    for (who, media_type, body, rule) in [
        (ADA, JSON, r#"{"owner":"eve","tenant":"acme","account":"1"}"#, "default"),
        (EVE, JSON, own, "tenant"),
        (SAM, JSON, own, "default"),
        (AUDREY, FORM, "owner=ada&tenant=acme&account=1", "default"),
        (ADAM, JSON, r#"{"owner":"adam","tenant":"globex","account":"1"}"#, "tenant"),
        (ADA, JSON, r#"{"owner":"ada","account":"1"}"#, "tenant"),
        (ADA, JSON, r#"{"owner":"ada","tenant":null,"account":"1"}"#, "tenant"),
        (ADA, JSON, r#"{"owner":["ada"],"tenant":"acme","account":"1"}"#, "default"),
        (ADA, JSON, r#"{"owner":"ADA","tenant":"acme","account":"1"}"#, "default"),
        (ADA, JSON, r#"{"tenant":"acme","account":"1"}"#, "default"),
        // Some programs take the other one of the two.
        (ADA, JSON, r#"{"owner":"ada","OWNER":"eve","tenant":"acme","account":"1"}"#, "default"),
        (ADA, JSON, r#"{"Owner":"ada","tenant":"acme","account":"1"}"#, "default"),
        (ADA, FORM, "owner=ada&owner=eve&tenant=acme&account=1", "default"),
        (ADA, FORM, "owner=ada&owner[]=eve&tenant=acme&account=1", "default"),
        (ADA, FORM, "owner=ada;owner=eve&tenant=acme&account=1", "tenant"),
        (ADA, FORM, "owner=%2561da&tenant=acme&account=1", "default"),
        // What a rule refuses it refuses also where nobody can tell.
        (ADAM, JSON, r#"{"owner":"adam","tenant":"acme","account":"frozen"}"#, "frozen"),
        (ADAM, JSON, r#"{"owner":"adam","tenant":"acme","ACCOUNT":"frozen"}"#, "frozen"),
        (ADAM, JSON, r#"{"owner":"adam","tenant":"acme","account":1e0}"#, "frozen"),
        // Bodies that nobody reads.
        (ADA, "text/plain", own, "tenant"),
        (ADA, "", own, "tenant"),
        (ADA, "application/json-patch+json", r#"[{"op":"replace","path":"/owner","value":"ada"}]"#, "tenant"),
        (ADA, "multipart/form-data; boundary=x", "--x\r\n\r\nada\r\n--x--\r\n", "tenant"),
        (ADA, JSON, r#"{"owner":"eve","owner":"ada","tenant":"acme"}"#, "tenant"),
        (ADA, JSON, r#"{"owner":"ada","tenant":"acme"#, "tenant"),
    ] {
        let answer = shop.turned_away(who, "POST /transfer", (media_type, body), "forbidden_here");
        let record = shop.record(&answer);
        assert_eq!(record["rule"], rule, "{body}: {record}");
        assert!(rule == "default" || record["decided_by"] == line_of(rule), "{body}: {record}");
        assert!(!answer.text().contains(&format!("\"{rule}\"")), "{}", answer.text());
    }
    let nested = r#"{"order":{"user id":"ada"}}"#;
    assert_eq!(shop.goes_on(ADA, "POST /nested", JSON, nested)["rule"], "deep");
    shop.turned_away(ADA, "POST /nested", (JSON, r#"{"order":{"user id":"eve"}}"#), "forbidden_here");
    shop.turned_away(ADA, "POST /nested", (JSON, r#"{"order user id":"ada"}"#), "forbidden_here");
    shop.turned_away(ADA, "POST /transfer", ("", ""), "forbidden_here");
}

/// API3:2023: properties that only some callers may set.
#[test]
fn properties_that_only_others_may_set_are_refused_and_named() {
    let shop = open();
    for (who, line, media_type, body) in [
        (ADA, "PUT /profile", JSON, r#"{"name":"ada","roles":"x"}"#),
        (ADA, "PATCH /profile", "application/merge-patch+json", r#"{"name":"ada"}"#),
        (ADA, "PUT /profile", FORM, "name=ada"),
        (ADA, "PUT /profile", "", ""),
        (ADAM, "PUT /profile", JSON, r#"{"role":"admin","x":[{"isAdmin":true}]}"#),
        (ADAM, "PUT /profile", "text/plain", "whatever it is"),
        (ADA, "POST /invoices", JSON, r#"{"items":[{"name":"a"}]}"#),
        (Who("ada", "acme", "user", "prices:write"), "POST /invoices", JSON, r#"{"items":[{"price":1}]}"#),
    ] {
        shop.goes_on(who, line, media_type, body);
    }
    for (line, media_type, body, pointers) in [
        ("PUT /profile", JSON, r#"{"name":"ada","role":"admin"}"#, &["/role"][..]),
        ("PATCH /profile", "application/merge-patch+json", r#"{"role":null}"#, &["/role"]),
        ("PUT /profile", JSON, r#"{"ROLE":"admin"}"#, &["/ROLE"]),
        ("PUT /profile", JSON, r#"{"r\u006fle":"admin"}"#, &["/role"]),
        ("PUT /profile", JSON, r#"{"a":[{"isAdmin":true}],"isadmin":1}"#, &["/a/0/isAdmin", "/isadmin"]),
        ("PUT /profile", FORM, "name=ada&r%6fle=admin", &["/role"]),
        ("PUT /profile", FORM, "role[]=admin", &["/role"]),
        ("PUT /profile", "text/plain", r#"{"name":"ada"}"#, &[]),
        ("PUT /profile", "application/json-patch+json", r#"[{"op":"add","path":"/role","value":"admin"}]"#, &[]),
        ("PUT /profile", JSON, r#"{"name":"ada""#, &[]),
        ("POST /invoices", JSON, r#"{"items":[{"name":"a"},{"price":1}]}"#, &["/items/1/price"]),
    ] {
        let answer = shop.turned_away(ADA, line, (media_type, body), "forbidden_field");
        let told: Value = serde_json::from_str(&answer.text()).unwrap();
        let errors = told["errors"].as_array().cloned().unwrap_or_default();
        let named: Vec<&str> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
        assert_eq!(named, pointers, "{body}: {told}");
        let rule = if line.contains("invoices") { "prices" } else { "roles" };
        let record = shop.record(&answer);
        assert_eq!([&record["rule"], &record["decided_by"]], [&json!(rule), &json!(line_of(rule))], "{record}");
        assert!(!answer.text().contains("shop.yaml") && !answer.text().contains("unless"), "{}", answer.text());
    }
    shop.turned_away(SAM, "PUT /profile", (JSON, r#"{"role":"admin"}"#), "forbidden_field");
    shop.turned_away(AUDREY, "PUT /profile", (JSON, r#"{"name":"audrey"}"#), "forbidden");
    // What is tried out refuses nobody.
    let record = shop.goes_on(ADA, "POST /invoices", JSON, r#"{"note":"x"}"#);
    assert_eq!([&record["would_refuse"], &record["would_refuse_by"]], [&json!("tried"), &json!(line_of("tried"))]);
    let series = "portcullis_access_rules_total{api=\"shop\",route=\"/invoices\",version=\"\",rule=\"tried\",decision=\"would_refuse\"}";
    shop.gate.wait_metric(series, 1.0);
}

#[test]
fn policies_see_members_of_bodies() {
    let shop = open();
    let record = shop.goes_on(ADA, "POST /policy", JSON, r#"{"order":{"owner":"ada"},"amount":7}"#);
    assert_eq!(record["rule"], "own-order", "{record}");
    for (body, rule) in [
        (r#"{"order":{"owner":"eve"},"amount":7}"#, "default"),
        (r#"{"amount":7}"#, "default"),
        (r#"{"order":{"owner":"ada"},"amount":7000}"#, "large"),
        (r#"{"order":{"owner":"ada"}}"#, "large"),
        (r#"{"order":{"owner":"ada"},"amount":"7"}"#, "large"),
        (r#"{"order":{"owner":"ada"},"amount":7.0}"#, "large"),
        (r#"{"order":{"owner":"ada"},"amount":7,"Amount":7000}"#, "large"),
        (r#"{"order":{"owner":7},"amount":7}"#, "own-order"),
        ("[", "large"),
    ] {
        let answer = shop.turned_away(ADA, "POST /policy", (JSON, body), "forbidden_here");
        assert_eq!(shop.record(&answer)["rule"], rule, "{body}");
    }
}

/// Whoever may not do it with any body is refused before we would hold one for him.
#[test]
fn who_may_not_send_it_is_refused_before_the_body_comes() {
    let shop = open();
    let token = shop.token(Who("bob", "acme", "", ""));
    let mut client = Client::connect(shop.gate.address());
    client.send(format!(
        "PUT /profile HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\nContent-Type: {JSON}\r\nContent-Length: 1000000\r\n\r\n"
    ));
    problem(&client.answer(), 403, "forbidden", "before a byte of the body");
}
