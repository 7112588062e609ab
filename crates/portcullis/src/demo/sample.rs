//! What the sample API answers: a small shop, and a corner where things go wrong.

use serde_json::{Value, json};
use std::time::Duration;

/// A request as the sample API sees it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What it answers.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
}

struct Order {
    id: u32,
    customer: u32,
    status: &'static str,
    created_at: &'static str,
    items: &'static [(&'static str, &'static str, u32, u32)],
}

/// Number, article, pieces, price of one in cents.
const ORDERS: [Order; 4] = [
    Order {
        id: 1001,
        customer: 7,
        status: "shipped",
        created_at: "2026-11-02T08:14:31Z",
        items: &[("KB-104", "Keyboard, 104 keys", 1, 8990), ("CB-USBC-2", "Cable, USB-C, 2 m", 2, 1290)],
    },
    Order {
        id: 1002,
        customer: 9,
        status: "paid",
        created_at: "2026-11-09T17:40:05Z",
        items: &[("MN-27-4K", "Monitor, 27 inches, 4K", 1, 34900)],
    },
    Order {
        id: 1003,
        customer: 7,
        status: "open",
        created_at: "2026-11-20T11:02:58Z",
        items: &[("DS-LAMP", "Desk lamp", 1, 4550), ("BLB-E27", "Bulb, E27, 806 lm", 4, 399)],
    },
    Order {
        id: 1004,
        customer: 12,
        status: "cancelled",
        created_at: "2026-11-21T06:31:12Z",
        items: &[("CH-ERGO", "Office chair", 1, 27900)],
    },
];

/// Number, name, address, telephone, role.
const USERS: [(u32, &str, &str, &str, &str); 3] = [
    (7, "Ada Nowak", "ada.nowak@example.com", "+48 22 555 01 07", "customer"),
    (9, "Ben Okafor", "ben.okafor@example.org", "+234 1 555 0109", "customer"),
    (12, "Chiara Rossi", "chiara.rossi@example.net", "+39 06 555 0112", "support"),
];

const TRACE: &str = "Traceback (most recent call last):\n  File \"/srv/shop/app/orders.py\", line 212, in load\n    \
    row = db.execute(\"SELECT * FROM orders WHERE id = '%s'\" % key)\n\
    psycopg.OperationalError: connection to server at \"db-1.internal\" (10.3.0.14), port 5432 failed\n";

/// The one token of the demo that says nothing itself.
pub(crate) const OPAQUE_TOKEN: &str = "demo-opaque-token";

/// Where the keys of the issuer are that is asked for them.
pub(crate) const KEYS: &str = "/issuer-keys";
/// And those of the demo's own issuer.
pub(crate) const DEMO_KEYS: &str = "/demo-keys";

/// What an issuer says about itself.
pub(crate) fn metadata(issuer: &str) -> String {
    json!({ "issuer": issuer, "jwks_uri": format!("{issuer}{KEYS}") }).to_string()
}

/// What an issuer says about a token that says nothing itself (RFC 7662).
fn introspect(body: &[u8]) -> Told {
    let text = String::from_utf8_lossy(body);
    // Whoever asks has to say who he is (RFC 7662 section 2.1); the sample believes it.
    if !text.contains("&client_id=gateway&client_assertion_type=") {
        return told(401, &json!({ "error": "invalid_client" }));
    }
    let known = text.starts_with(&format!("token={OPAQUE_TOKEN}&"));
    let good = json!({ "active": true, "aud": "account", "sub": "olga", "client_id": "demo", "scope": "account:read" });
    told(200, &if known { good } else { json!({ "active": false }) })
}

/// Answers as one of the two servers.
pub(crate) fn answer(name: &str, question: &Question) -> Told {
    let parts: Vec<&str> = question.path.trim_matches('/').split('/').collect();
    match (question.method.as_str(), parts.as_slice()) {
        ("GET", ["orders", version]) => {
            let orders: Vec<Value> = ORDERS.iter().map(|order| order_in(version, order, name)).collect();
            told(200, &json!({ "orders": orders }))
        }
        ("GET", ["orders", version, id]) => {
            let found = ORDERS.iter().find(|order| order.id.to_string() == *id);
            found.map_or_else(missing, |order| told(200, &order_in(version, order, name)))
        }
        ("POST", ["orders", _]) => match serde_json::from_slice::<Value>(&question.body) {
            Ok(order) => told(201, &json!({ "id": 1005, "status": "open", "ordered": order, "served_by": name })),
            Err(_) => told(400, &json!({ "error": "the body is not JSON" })),
        },
        ("GET", ["users"]) => told(200, &json!({ "users": USERS.map(user) })),
        ("GET", ["users" | "people" | "staff", id]) => {
            let found = USERS.into_iter().find(|(number, ..)| number.to_string() == *id);
            found.map_or_else(missing, |found| told(200, &user(found)))
        }
        ("GET", ["desk"]) => told(200, &json!({ "orders": [{ "id": 1001 }, { "id": 1003 }] })),
        (_, ["desk", ..] | ["ledger"]) => told(200, &echo(name, question)),
        (_, ["lab", "echo" | "limited" | "priced"] | ["account"] | ["account", _] | ["shop", ..] | ["graphql"]) => {
            told(200, &echo(name, question))
        }
        ("GET", ["narrow", _]) => Told { after: Duration::from_millis(500), ..told(200, &echo(name, question)) },
        ("POST", ["introspect"]) => introspect(&question.body),
        (_, ["lab", "crash"]) => {
            Told { status: 500, content_type: "text/plain", body: TRACE.into(), after: Duration::ZERO }
        }
        // A mistake that nobody has made an error of.
        (_, ["lab", "told"]) => match question.query {
            Some(_) => told(200, &json!({ "orders": [], "log": "You have an error in your SQL syntax near 'x'" })),
            None => told(200, &json!({ "orders": [] })),
        },
        (_, ["lab", "slow"]) => {
            Told { after: Duration::from_secs(3), ..told(200, &json!({ "answer": "late", "served_by": name })) }
        }
        _ => missing(),
    }
}

/// What it says that an answer has cost.
pub(crate) fn cost(path: &str) -> Option<u64> {
    (path == "/lab/priced").then_some(30)
}

fn told(status: u16, body: &Value) -> Told {
    let body = format!("{body:#}\n").into_bytes();
    Told { status, content_type: "application/json", body, after: Duration::ZERO }
}

fn missing() -> Told {
    told(404, &json!({ "error": "there is no such thing in the shop" }))
}

/// Version 2 says money as a decimal with its currency, where version 1 had cents.
fn order_in(version: &str, order: &Order, name: &str) -> Value {
    let total: u32 = order.items.iter().map(|(_, _, pieces, price)| pieces * price).sum();
    let items: Vec<Value> = order
        .items
        .iter()
        .map(|(sku, article, pieces, price)| json!({ "sku": sku, "article": article, "pieces": pieces, "price_cents": price }))
        .collect();
    let mut value = json!({
        "id": order.id,
        "customer": order.customer,
        "status": order.status,
        "created_at": order.created_at,
        "items": items,
        "served_by": name,
    });
    let (field, amount) = match version {
        "v1" => ("total_cents", json!(total)),
        _ => ("total", json!({ "amount": format!("{}.{:02}", total / 100, total % 100), "currency": "EUR" })),
    };
    if let Some(members) = value.as_object_mut() {
        members.insert(field.to_owned(), amount);
    }
    value
}

fn user((id, name, email, telephone, role): (u32, &str, &str, &str, &str)) -> Value {
    json!({ "id": id, "name": name, "email": email, "telephone": telephone, "role": role })
}

fn echo(name: &str, question: &Question) -> Value {
    let headers: Vec<Value> = question.headers.iter().map(|(name, value)| json!([name, value])).collect();
    json!({
        "method": question.method,
        "path": question.path,
        "query": question.query,
        "headers": headers,
        "body_bytes": question.body.len(),
        "served_by": name,
    })
}
