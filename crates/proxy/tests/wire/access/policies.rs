//! The same shop with Cedar policies beside a rule: what they permit and forbid, what cannot be evaluated, and who is named.

use super::{ADA, ADAM, AUDREY, EVE, SAM, Shop, Who};
use crate::check::problem;
use serde_json::{Value, json};

const FILE: &str = include_str!("policies.cedar");

fn open() -> Shop {
    Shop::with(include_str!("policies.yaml"), &[("policies.cedar", FILE)])
}

/// The line of the policy with this name, which is that of its first annotation.
fn line_of(name: &str) -> String {
    let needle = format!("@id(\"{name}\")");
    let line = FILE.lines().position(|line| line.starts_with(&needle)).unwrap_or_else(|| panic!("no policy {name}"));
    format!("policies.cedar:{}", line + 1)
}

fn names(record: &Value, key: &str, name: &str) -> bool {
    record[key].as_str().is_some_and(|place| place.ends_with(&line_of(name)))
}

#[test]
fn what_policies_permit_is_served() {
    let shop = open();
    for (who, line, fields, policy) in [
        (ADA, "GET /users/ada", "", "own-user"),
        (ADA, "GET /users/%61da", "", "own-user"),
        (EVE, "PUT /users/eve", "", "own-user"),
        (ADA, "GET /orders?userId=ada", "", "own-orders"),
        (SAM, "GET /orders?userId=sam", "", "own-orders"),
        (ADAM, "DELETE /users/eve", "", "admin"),
        (ADA, "GET /near/ada", "", "near"),
    ] {
        let answer = shop.served(who, line, fields);
        let record = shop.record(&answer);
        assert_eq!([&record["permit"], &record["rule"]], [&json!("allowed"), &json!(policy)], "{line}: {record}");
        assert!(names(&record, "allowed_by", policy), "{line}: {record}");
    }
    // Rules and policies stand beside each other.
    let record = shop.record(&shop.served(AUDREY, "GET /orders/export", ""));
    assert_eq!(record["rule"], "export", "{record}");
    let record = shop.record(&shop.served(ADA, "GET /trial", ""));
    assert_eq!([&record["rule"], &record["would_refuse"]], [&json!("anybody"), &json!("trial")], "{record}");
    assert!(names(&record, "would_refuse_by", "trial"), "{record}");
}

#[test]
fn what_they_do_not_permit_or_cannot_tell_is_refused() {
    let shop = open();
    let (here, forbidden) = ((403, "forbidden_here"), (403, "forbidden"));
    for (who, line, fields, expected, rule) in [
        (ADA, "GET /users/eve", "", here, "default"),
        (ADA, "GET /users/%65ve", "", here, "default"),
        (ADA, "GET /users/ada/../eve", "", here, "default"),
        (ADA, "GET /users/%2561da", "", here, "own-user"),
        (ADA, "GET /near/eve", "", here, "default"),
        (ADA, "DELETE /users/ada", "", forbidden, "default"),
        (AUDREY, "GET /orders?userId=audrey", "", forbidden, "default"),
        (ADA, "GET /orders?userId=eve", "", here, "default"),
        (ADA, "GET /orders", "", here, "default"),
        // What servers could read in two ways is no yes and no no.
        (ADA, "GET /orders?userId=ada&userId=eve", "", here, "own-orders"),
        (ADA, "GET /orders?userId=ada;userId=eve", "", here, "own-orders"),
        (ADA, "GET /users/ada", "X-Tenant: globex\r\n", here, "own-tenant-only"),
        (ADA, "GET /users/ada", "X-Tenant: acme\r\nX-Tenant: globex\r\n", here, "own-tenant-only"),
        (ADAM, "DELETE /users/eve", "X-Tenant: globex\r\n", here, "own-tenant-only"),
        // Seven times what fits, and a claim that is no number.
        (Who("seven", "acme", "user", ""), "GET /level", "", here, "high"),
        (Who("text", "acme", "user", ""), "GET /level", "", here, "high"),
        (ADA, "GET /level", "", here, "default"),
    ] {
        let answer = shop.refused(who, line, fields, expected);
        let record = shop.record(&answer);
        assert_eq!(record["rule"], rule, "{line} {fields}: {record}");
        assert!(rule == "default" || names(&record, "decided_by", rule), "{line}: {record}");
        assert!(!answer.text().contains("cedar") && !answer.text().contains(rule), "{}", answer.text());
    }
    let series =
        "portcullis_access_rules_total{api=\"shop\",route=\"/level\",version=\"\",rule=\"high\",decision=\"refused\"}";
    shop.gate.wait_metric(series, 2.0);
    let answer = shop.ask(Who("one", "acme", "user", ""), "GET /level", "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let nobody = portcullis_testkit::Client::connect(shop.gate.address())
        .ask("GET /users/ada HTTP/1.1\r\nHost: api.test\r\n\r\n");
    problem(&nobody, 401, "missing_credential", "no token");
}
