//! Ownership that is learned from answers: who was shown an id may ask for it, and nobody else; what passes is not changed.

use crate::access::{ADA, EVE, Shop, Who};
use portcullis_testkit::{Answer, FakeUpstream};
use serde_json::json;

const YAML: &str = include_str!("learned/shop.yaml");

fn open(mode: &str, upstream: FakeUpstream) -> Shop {
    Shop::before(upstream, &YAML.replace("MODE", mode), &[])
}

/// A shop whose server lists two orders, in whichever way the answer is written.
fn listing(head: &str, body: &[u8]) -> FakeUpstream {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}").into_bytes();
    if !head.contains("Transfer-Encoding") {
        answer.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(body);
    FakeUpstream::answering(answer)
}

const ORDERS: &[u8] = br#"{"items":[{"id":"o-1"},{"id":17}]}"#;

fn get(shop: &Shop, who: Who, target: &str) -> Answer {
    shop.ask(who, &format!("GET {target}"), "")
}

#[test]
fn what_was_shown_may_be_asked_for_and_nothing_else() {
    let shop = open("enforce", listing("", ORDERS));
    assert_eq!(get(&shop, ADA, "/orders/o-1").status, 403, "nothing has been shown yet");
    let list = get(&shop, ADA, "/orders");
    assert_eq!((list.status, list.body.as_slice()), (200, ORDERS), "the answer is as the server has given it");
    for (who, target, status) in [
        (ADA, "/orders/o-1", 200),
        (ADA, "/orders/%6f-1", 200),
        (ADA, "/orders/17", 200),
        (ADA, "/orders/o-2", 403),
        (ADA, "/orders/o-1%20", 403),
        (ADA, "/orders/%256f-1", 403),
        (ADA, "/lines?order=o-1", 200),
        (ADA, "/lines?order=o-2", 403),
        (ADA, "/lines?order=o-1&order=o-2", 403),
        (ADA, "/lines", 403),
        // Ids of another kind are not these, and other people have been shown nothing.
        (ADA, "/invoices/o-1", 403),
        (EVE, "/orders/o-1", 403),
    ] {
        assert_eq!(get(&shop, who, target).status, status, "{} {target}", who.0);
    }
    let answer = get(&shop, EVE, "/orders/17");
    assert!(answer.text().contains("Read the list that shows this id first"), "{}", answer.text());
    let record = shop.record(&answer);
    assert!(record["detail"].as_str().is_some_and(|detail| detail.contains("was not shown this id")), "{record}");
    let expected = [json!("forbidden_here"), json!("learned"), json!(2)];
    assert_eq!([&record["reason"], &record["rule"], &record["guesses"]], expected.each_ref(), "{record}");
    assert!(record["decided_by"].as_str().is_some_and(|line| line.starts_with("shop.yaml:")), "{record}");
    let series = "portcullis_access_rules_total{api=\"shop\",route=\"/orders/{id}\",version=\"\",rule=\"learned\",decision=\"refused\"}";
    shop.gate.wait_metric(series, 6.0);
    assert_eq!(get(&shop, ADA, "/orders/o-1").status, 200, "after all of that");
}

#[test]
fn trying_it_out_refuses_nobody_and_counts() {
    let shop = open("observe", listing("", ORDERS));
    let record = shop.record(&shop.served(ADA, "GET /orders/o-9", ""));
    assert_eq!([&record["would_refuse"], &record["guesses"]], [&json!("learned"), &json!(1)], "{record}");
    shop.served(ADA, "GET /orders", "");
    let record = shop.record(&shop.served(ADA, "GET /orders/o-1", ""));
    assert!(record["would_refuse"].is_null() && record["guesses"].is_null(), "{record}");
    let off = open("off", listing("", ORDERS));
    let record = off.record(&off.served(ADA, "GET /orders/o-9", ""));
    assert!(record["would_refuse"].is_null() && record["guesses"].is_null(), "{record}");
}

#[test]
fn answers_are_read_as_they_are_written_or_not_at_all() {
    let chunked = "14\r\n{\"items\":[{\"id\":\"o-1\r\ne\r\n\"},{\"id\":17}]}\r\n0\r\n\r\n";
    let long = format!("{{\"pad\":\"{}\",\"items\":[{{\"id\":\"o-1\"}}]}}", "x".repeat(4096));
    for (head, body, status, why) in [
        ("Transfer-Encoding: chunked\r\n", chunked.as_bytes(), 200, "in chunks"),
        ("", long.as_bytes(), 403, "longer than is looked into"),
        ("", br#"{"items":[{"id":"o-1"}"#, 403, "not whole"),
        ("Content-Encoding: gzip\r\n", ORDERS, 403, "not in the coding that it says"),
        ("Content-Encoding: unknown\r\n", ORDERS, 403, "in a coding that nobody knows"),
    ] {
        let shop = open("enforce", listing(head, body));
        let list = get(&shop, ADA, "/orders");
        assert_eq!(list.status, 200, "{why}");
        assert_eq!(get(&shop, ADA, "/orders/o-1").status, status, "{why}");
    }
}

/// A contract holds answers back until they are judged; what they show is learned as well.
#[test]
fn what_a_contract_judges_teaches_as_well() {
    let contract = "openapi: 3.1.0\ninfo: { title: t, version: '1' }\npaths:\n  /orders: { get: { responses: { '200': { description: d, \
                    content: { application/json: { schema: { type: object } } } } } } }\n  '/orders/{id}':\n    get:\n      parameters: \
                    [{ name: id, in: path, required: true, schema: { type: string } }]\n      responses: { '200': { description: d, content: \
                    { application/json: { schema: { type: object } } } } }\n";
    let yaml = YAML.replace("MODE", "enforce").replace(
        "    hosts: [api.test]\n",
        "    hosts: [api.test]\n    openapi: contract.yaml\n    validation: { unknown_headers: true }\n",
    );
    let (kept, _) = yaml.split_once("      - { id: listLines").unwrap();
    let kept = kept.replace(", listLines: query.order", "");
    let (before, rest) = kept.split_once("          invoice:").unwrap();
    let (_, routes) = rest.split_once("    routes:").unwrap();
    let yaml = format!("{before}    routes:{routes}").replace("\n              routes:", "\n    routes:");
    let shop = Shop::before(listing("", ORDERS), &yaml, &[("contract.yaml", contract)]);
    assert_eq!(get(&shop, ADA, "/orders/o-1").status, 403, "nothing has been shown yet");
    let list = get(&shop, ADA, "/orders");
    assert_eq!((list.status, list.body.as_slice()), (200, ORDERS), "the answer is as the server has given it");
    for (who, target, status) in [(ADA, "/orders/o-1", 200), (ADA, "/orders/o-2", 403), (EVE, "/orders/o-1", 403)] {
        assert_eq!(get(&shop, who, target).status, status, "{} {target}", who.0);
    }
}
