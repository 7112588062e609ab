//! Every role at every operation, what answers look like, and that no secret comes back.

use super::{HASH, HOME, House, PASSWORD};
use crate::Via;
use crate::table::{BASE, ENDPOINTS, Endpoint};
use portcullis_config::plan::Role;
use portcullis_config::{Environment, load_text};
use portcullis_store::{Account, Application, Decision, KeyRequest};
use serde_json::{Value, json};

/// A question that fits an operation: its path and its body.
fn question(endpoint: &Endpoint, key: &str) -> (String, String) {
    let query = match endpoint.id {
        "getPolicy" => "?route=orders/listOrders",
        _ => "",
    };
    let path = format!("{BASE}{}{query}", endpoint.path.replace("{key_id}", key).replace("{request_id}", "nothing"));
    let body = match endpoint.id {
        "getAccount" | "resetAccount" => json!({ "limit": "apis.orders.limits.few", "values": ["acme"] }),
        "createKey" => json!({ "consumer": "acme", "scopes": ["read"], "expires_days": 7 }),
        "acknowledgeFinding" => json!({ "id": "0000" }),
        "pardonCaller" => json!({ "who": "acme" }),
        _ => json!({}),
    };
    (path, if endpoint.method == "GET" { String::new() } else { body.to_string() })
}

#[test]
fn each_role_does_what_it_may_and_nothing_else() {
    let house = House::new();
    let tokens = [("vic", Role::Viewer), ("oli", Role::Operator), ("ada", Role::Admin)]
        .map(|(name, role)| (house.token(name), role));
    let mut tried = 0;
    for endpoint in ENDPOINTS {
        for (token, role) in &tokens {
            let (_, made) = house.ask(&tokens[2].0, &format!("POST {BASE}/keys"), r#"{"consumer":"acme"}"#);
            let (path, body) = question(endpoint, made["id"].as_str().unwrap());
            let (status, answer) = house.ask(token, &format!("{} {path}", endpoint.method), &body);
            let expect = match endpoint.id {
                _ if *role < endpoint.role => 403,
                "getRecord" | "acknowledgeFinding" | "approveKeyRequest" | "declineKeyRequest" => 404,
                _ => endpoint.status,
            };
            assert_eq!(status, expect, "{} as {}: {answer}", endpoint.id, role.name());
            if status < 400 {
                fits(endpoint, &answer);
            }
            tried += 1;
        }
        let (path, body) = question(endpoint, "x");
        assert_eq!(house.send(HOME, &format!("{} {path}", endpoint.method), &body).0, 401, "{} by nobody", endpoint.id);
    }
    assert_eq!(tried, 3 * ENDPOINTS.len());
}

/// Whether an answer is what the table says.
fn fits(endpoint: &Endpoint, answer: &Value) {
    let members = answer.as_object().unwrap();
    for (name, value) in members {
        let member = endpoint.answer.iter().find(|member| member.name == name);
        let member = member.unwrap_or_else(|| panic!("{}: `{name}` is not declared", endpoint.id));
        assert!(member.kind.fits(value), "{}: `{name}` is {value}", endpoint.id);
    }
    for member in endpoint.answer.iter().filter(|member| member.is_required) {
        assert!(members.contains_key(member.name), "{}: `{}` is missing", endpoint.id, member.name);
    }
    assert!(!endpoint.answer.is_empty(), "{}: nothing is declared", endpoint.id);
}

#[test]
fn keys_that_somebody_waits_for_are_approved_and_declined() {
    let house = House::new();
    let handle = house.console.handle();
    let account = |name: &str| Account {
        name: name.to_owned(),
        password: HASH.clone(),
        plan: "free".to_owned(),
        created_at: 1,
        closed_at: None,
    };
    let request = |id: u64| KeyRequest {
        id,
        account: "acme".to_owned(),
        application: 5,
        apis: vec!["orders".to_owned()],
        scopes: Vec::new(),
        lasts_s: 86_400,
        why: "<script>alert(1)</script>".to_owned(),
        asked_at: id,
        decision: Decision::Waiting,
    };
    let application =
        Application { id: 5, account: "acme".to_owned(), name: "x".to_owned(), about: String::new(), created_at: 1 };
    let stored = handle.with_store(|store| {
        store.create_account(&account("acme"))?;
        store.create_application(&application, 1)?;
        store.ask_for_key(&request(1), 5)?;
        store.ask_for_key(&request(2), 5)
    });
    stored.unwrap();
    let (vic, ada) = (house.token("vic"), house.token("ada"));
    assert_eq!(house.ask(&vic, &format!("GET {BASE}/accounts"), "").1["accounts"][0]["name"], "acme");
    let (_, listed) = house.ask(&vic, &format!("GET {BASE}/key-requests"), "");
    let ids: Vec<&str> = listed["requests"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let (_, _, page) = house.send(HOME, &format!("GET /accounts\r\ncookie: portcullis={ada}"), "");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{page}");
    let decide = |token: &str, id: &str, word: &str, body: &str| {
        house.ask(token, &format!("POST {BASE}/key-requests/{id}/{word}"), body)
    };
    assert_eq!(decide(&vic, ids[0], "approve", "").0, 403);
    assert_eq!(decide(&ada, ids[0], "approve?dry_run=true", "").0, 200);
    assert_eq!(decide(&ada, ids[0], "approve", "").1["decision"], "approved");
    assert_eq!(decide(&ada, ids[0], "decline", "").0, 409, "once");
    assert_eq!(decide(&ada, ids[1], "decline", r#"{"why":"a\nb"}"#).0, 422);
    assert_eq!(decide(&ada, ids[1], "decline", r#"{"why":"no"}"#).1["decision"], "declined");
    let decisions = handle.with_store(|store| store.key_requests("acme")).unwrap();
    let named: Vec<&str> = decisions.iter().map(|one| one.decision.name()).collect();
    assert_eq!(named, ["approved", "declined"]);
    assert!(house.noted().iter().any(|entry| entry.starts_with("user:ada portal.key_approve")));
}

#[test]
fn no_secret_comes_back() {
    let house = House::new();
    let token = house.token("ada");
    let (status, made) = house.ask(&token, &format!("POST {BASE}/keys"), r#"{"consumer":"acme"}"#);
    assert_eq!(status, 201);
    let (key, id) = (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned());
    let mut all = String::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.id != "createKey" && endpoint.id != "rotateKey") {
        let (path, body) = question(endpoint, &id);
        let (_, _, text) =
            house.send(HOME, &format!("{} {path}\r\nauthorization: Bearer {token}", endpoint.method), &body);
        all.push_str(&text);
    }
    for path in [
        "/",
        "/traffic",
        "/routes",
        "/limits",
        "/keys",
        "/accounts",
        &format!("/keys/{id}"),
        "/issuers",
        "/upstreams",
        "/certificates",
        "/findings",
        "/rules",
        "/configuration",
        "/audit-log",
        "/policy?route=orders/listOrders",
        "/requests?id=nothing",
        "/nowhere",
    ] {
        all.push_str(&house.send(HOME, &format!("GET {path}\r\ncookie: portcullis={token}"), "").2);
    }
    all.push_str(&house.noted().join("\n"));
    let metrics = house.console.handle().metrics();
    all.push_str(&metrics);
    assert!(all.contains(&id) && all.len() > 10_000);
    for (secret, what) in
        [(key.as_str(), "a key"), (PASSWORD, "a password"), (HASH.as_str(), "a hash"), (&token, "a session")]
    {
        assert!(!all.contains(secret), "{what} comes back");
    }
    for secret in super::SECRETS {
        assert!(!all.contains(secret), "{secret} of the configuration comes back");
    }
    // A configuration in which all of them are others is told by the names of its parts alone.
    assert!(["alerts", "tracing"].iter().all(|section| all.contains(&format!("\"{section}\""))), "{all}");
    let secret = key.rsplit('_').next().unwrap();
    assert!(!all.contains(secret), "the secret part of a key comes back");
}

#[test]
fn what_has_changed_meanwhile_is_left_alone_and_a_dry_run_does_nothing() {
    let house = House::new();
    let token = house.token("ada");
    let bearer = format!("\r\nauthorization: Bearer {token}");
    let (_, dry) = house.ask(&token, &format!("POST {BASE}/keys?dry_run=true"), r#"{"consumer":"acme"}"#);
    assert_eq!((&dry["dry_run"], dry.get("key")), (&json!(true), None));
    assert_eq!(house.ask(&token, &format!("GET {BASE}/keys"), "").1["keys"], json!([]));
    let (_, made) = house.ask(&token, &format!("POST {BASE}/keys"), r#"{"consumer":"acme"}"#);
    let id = made["id"].as_str().unwrap();
    let (_, fields, _) = house.send(HOME, &format!("GET {BASE}/keys/{id}{bearer}"), "");
    let tag = fields["etag"].to_str().unwrap().to_owned();
    let revoke = |tag: &str, query: &str| {
        house.ask(&token, &format!("POST {BASE}/keys/{id}/revoke{query}\r\nif-match: {tag}"), "")
    };
    assert_eq!(revoke("\"other\"", "").0, 412);
    assert_eq!(revoke(&tag, "?dry_run=true"), (200, json!({ "id": id, "revoked": true, "dry_run": true })));
    assert_eq!(revoke(&tag, ""), (200, json!({ "id": id, "revoked": true })));
    assert_eq!(revoke(&tag, "").0, 412, "it is another one now");
    assert_eq!(house.ask(&token, &format!("GET {BASE}/keys/{id}"), "").1["state"], "revoked");
    let noted = house.noted();
    assert_eq!(noted.iter().filter(|entry| entry.contains("keys.revoke")).count(), 1);
    assert_eq!(noted.iter().filter(|entry| entry.contains("keys.create")).count(), 1);
}

#[test]
fn what_is_malformed_is_refused() {
    let house = House::new();
    let token = house.token("ada");
    for (line, body, expect) in [
        ("POST /api/v1/keys", r#"{"consumer":7}"#, 400),
        ("POST /api/v1/keys", r#"{"consumer":"a","admin":true}"#, 400),
        ("POST /api/v1/keys", "[]", 400),
        ("POST /api/v1/keys", "{}", 400),
        ("POST /api/v1/keys", r#"{"consumer":" "}"#, 422),
        ("POST /api/v1/keys", r#"{"consumer":"a","apis":["nothing"]}"#, 422),
        ("POST /api/v1/keys", r#"{"consumer":"a","networks":["x"]}"#, 422),
        ("POST /api/v1/keys?dry_run=maybe", r#"{"consumer":"a"}"#, 400),
        ("GET /api/v1/records?count=x", "", 400),
        ("GET /api/v1/records?cuont=1", "", 400),
        ("GET /api/v1/overview?dry_run=true", "", 400),
        ("GET /api/v1/keys/nokey", "", 404),
        ("GET /api/v1/nothing", "", 404),
        ("DELETE /api/v1/keys", "", 405),
        ("GET /api/v1/policy", "", 400),
        ("GET /api/v1/policy?route=%zz", "", 400),
    ] {
        let (status, answer) = house.ask(&token, line, body);
        assert_eq!((status, answer["status"].as_u64()), (expect, Some(u64::from(expect))), "{line} {body}: {answer}");
    }
}

#[test]
fn over_the_socket_nobody_logs_in_and_there_are_no_pages() {
    let house = House::new();
    let socket = Via::Socket(1000);
    let (status, _, text) = house.send(socket, "POST /api/v1/keys", r#"{"consumer":"acme"}"#);
    assert_eq!(status, 201, "{text}");
    assert!(house.noted().iter().any(|entry| entry.starts_with("uid:1000 keys.create")));
    assert_eq!(house.send(socket, "GET /", "").0, 404);
    assert_eq!(house.send(socket, "POST /api/v1/session", "{}").0, 404);
}

#[test]
fn a_difference_names_the_setting_and_both_values() {
    let house = House::new();
    let (status, difference) = house.ask(&house.token("vic"), &format!("GET {BASE}/configuration/difference"), "");
    assert_eq!((status, &difference["same"]), (200, &json!(false)), "{difference}");
    let changes = difference["changes"].as_array().unwrap();
    let limit = changes.iter().find(|change| change["setting"].as_str().unwrap().contains("limits")).unwrap();
    assert!(
        limit["before"].as_str().unwrap().contains("5/s") && limit["after"].as_str().unwrap().contains("7/s"),
        "{limit}"
    );
    assert!(limit["line"].as_str().unwrap().starts_with("test.yaml:"), "{limit}");
}

#[test]
fn a_difference_outside_of_routes_is_told_as_well() {
    const TEXT: &str = "version: 1\nlisteners: { local: { bind: '127.0.0.1:8080' } }\nstore: { path: ./data }\nfeed: { keys: [KEY] }\n\
        apis: { one: { hosts: ['*'], upstream: { targets: ['http://127.0.0.1:9'] }, routes: [{ path: /, methods: [GET], authn: refuse }] } }\n";
    let load = |key: &str| {
        let text = TEXT.replace("KEY", &format!("'{}'", key.repeat(32)));
        load_text("test.yaml", &text, std::path::Path::new(""), &Environment::sealed()).unwrap()
    };
    let (old, new) = (load("ab"), load("cd"));
    assert_eq!(crate::api::configuration::sections(&old, &new), ["feed"]);
    assert!(crate::api::configuration::sections(&old, &old).is_empty());
}

#[test]
fn the_document_is_of_the_table() {
    let document = serde_json::to_string_pretty(&crate::openapi()).unwrap() + "\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/admin-api.json");
    #[expect(clippy::disallowed_methods, reason = "asks whether golden files are to be written")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        std::fs::write(&path, &document).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "docs/reference/admin-api.json is not what the table says; run with UPDATE=1 and look at the difference"
    );
    for endpoint in ENDPOINTS {
        assert!(document.contains(&format!("\"operationId\": \"{}\"", endpoint.id)), "{}", endpoint.id);
    }
}
