//! What the developer portal says, held against a running gateway: each way to call that it documents, copied from its pages and run,
//! and each error, limit and field that it promises.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText};
use portcullis_auth::principal::Scheme;
use portcullis_config::{Environment, load_text};
use portcullis_portal::model::{Operation, Version};
use portcullis_portal::{Portal, samples};
use portcullis_store::Home;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{Gatehouse, PROBLEM_BASE};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use serde_json::{Map, Value, json};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

const CONFIG: &str = r#"
version: 1
listeners: { plain: { bind: "ADDRESS", trusted_proxies: [127.0.0.0/8] } }
workers: 1
store: { path: ./data }
issuers: { corp: { issuer: "https://idp.test", audiences: [orders], jwks: { file: issuer.json } } }
signers: { partner: { jwks_file: signer.json } }
apis:
  open:
    hosts: ["*"]
    base_path: /open
    authn: public
    openapi: open.yaml
    cors: { origins: ["https://app.example.com"] }
    upstream: { targets: ["http://UPSTREAM"] }
  orders:
    hosts: ["*"]
    base_path: /orders
    authn: { any_of: [{ jwt: { issuers: [corp] } }, { api_key: {} }, { signature: { signers: [partner] } }] }
    authz: { rules: [{ operations: [listOrders, makeOrder], callers: authenticated }, { operations: [readOrder], scopes: ["orders:read"] }, { operations: [admitOrder], roles: [admin] }] }
    limits: { few: { key: [consumer, route], quota: 5000/month } }
    upstream: { targets: ["http://UPSTREAM"] }
    versions:
      v1:
        deprecated_at: 2026-10-01
        sunset_at: 2036-04-01
        deprecation_link: "https://developers.example.com/v2"
        routes:
          - { id: listOrders, path: "", methods: [GET] }
          - { id: readOrder, path: "/{id}", methods: [GET], limits: { once: { key: [credential], rate: 1/h } } }
          - { id: admitOrder, path: "/{id}/admission", methods: [DELETE] }
          - { id: makeOrder, path: "", methods: [POST], body_bytes: 1KiB, bodies: { json: { strict: true } } }
          - { id: closedOrder, path: /closed, methods: [GET], authn: refuse }
      v0:
        sunset_at: 2026-01-01
        routes: [{ id: listOrders, path: "", methods: [GET] }]
  down:
    hosts: ["*"]
    base_path: /down
    authn: public
    upstream: { targets: ["http://NOBODY"] }
    routes: [{ id: nobodyThere, path: "", methods: [GET] }]
"#;

const OPEN: &str = r#"
openapi: 3.1.0
info: { title: Open, version: "1" }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }]
    get: { operationId: readThing, responses: { "200": { description: one } } }
    put:
      operationId: putThing
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [name], properties: { name: { type: string, maxLength: 5 } } } } } }
      responses: { "200": { description: one } }
"#;

static IDS: AtomicU32 = AtomicU32::new(0);

/// A gateway, the pages of its policy, and what callers need.
struct House {
    scratch: Scratch,
    gate: Gatehouse,
    portal: Portal,
    issuer: SigningKey,
    key: KeyText,
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Makes a key pair in a file; its public half as JWK, without an id.
fn key_pair(file: &Path, curve: &str) -> Value {
    let path = file.to_str().unwrap();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    if curve == "P-256" {
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path]);
        let public = openssl(&["pkey", "-in", path, "-pubout", "-outform", "DER"]);
        let (x, y) = public[public.len() - 64..].split_at(32);
        return json!({ "crv": "P-256", "kty": "EC", "x": encoded(x), "y": encoded(y) });
    }
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", path]);
    let public = openssl(&["pkey", "-in", path, "-pubout", "-outform", "DER"]);
    json!({ "crv": "Ed25519", "kty": "OKP", "x": encoded(&public[public.len() - 32..]) })
}

/// The thumbprint of a key (RFC 7638); the members are in their order.
fn thumbprint(jwk: &Value) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, jwk.to_string().as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

impl House {
    fn new() -> Self {
        let scratch = Scratch::new();
        let upstream =
            FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        let issuer = SigningKey::from_seed(&[7; 32]).unwrap();
        drop(scratch.file("issuer.json", &json!({ "keys": [issuer.public_jwk()] }).to_string()));
        let mut signer = key_pair(&scratch.path().join("signing-key.pem"), "Ed25519");
        signer["kid"] = json!("partner-1");
        drop(scratch.file("signer.json", &json!({ "keys": [signer] }).to_string()));
        drop(scratch.file("open.yaml", OPEN));
        // Free a moment ago; pages name it before anybody listens.
        let address = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap().local_addr().unwrap();
        let config = CONFIG
            .replace("ADDRESS", &address.to_string())
            .replace("UPSTREAM", &upstream.address().to_string())
            .replace("NOBODY", &FakeUpstream::nobody().to_string());
        let nothing: [(String, String); 0] = [];
        let loaded = load_text("portal.yaml", &config, scratch.path(), &Environment::fixed(nothing));
        let plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
        let portal = Portal::of(&plan, PROBLEM_BASE, &mut |path| fs::read(path).map_err(|error| error.to_string()));
        let mut entropy = [0; ENTROPY_BYTES];
        aws_lc_rs::rand::fill(&mut entropy).unwrap();
        let key = KeyText::mint("pk", &entropy).unwrap();
        let (store, peppers) = Home::new(scratch.path().join("data")).open([0; 32]).unwrap();
        store.create([KeyRecord::new(&key, peppers.current(), "shop", now())]).unwrap();
        drop(store);
        let gate = Gatehouse::start(plan);
        // It lives as long as the test.
        std::mem::forget(upstream);
        Self { scratch, gate, portal: portal.unwrap(), issuer, key }
    }

    fn token(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let id = format!("t-{}", IDS.fetch_add(1, Ordering::Relaxed));
        let claims = json!({
            "iss": "https://idp.test", "aud": "orders", "sub": "ada", "client_id": "web", "jti": id, "iat": now(), "exp": now() + 300,
            "scope": "orders:read", "roles": ["admin"],
        });
        let mut claims = claims.as_object().unwrap().clone();
        change(&mut claims);
        self.issuer.sign("at+jwt", &claims, false).unwrap()
    }

    /// Asks from an address that nobody has called from.
    fn ask(&self, head: &str, body: &str) -> Answer {
        let number = IDS.fetch_add(1, Ordering::Relaxed);
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let (line, fields) = head.split_once("\r\n").unwrap_or((head, ""));
        let request = format!(
            "{line} HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: 10.9.{}.{}\r\n{fields}{length}\r\n{body}",
            number >> 8 & 255,
            number & 255
        );
        Client::connect(self.gate.address()).ask(request)
    }

    fn operations(&self) -> impl Iterator<Item = (&Version, &Operation)> {
        self.portal.versions().flat_map(|version| version.operations.iter().map(move |operation| (version, operation)))
    }

    fn operation(&self, method: &str, path: &str) -> (&Version, &Operation) {
        let mut all = self.operations();
        all.find(|(_, one)| one.method == method && one.path == path).unwrap_or_else(|| panic!("{method} {path}"))
    }
}

/// Runs what a page says; what it printed.
fn run(folder: &Path, language: &str, text: &str, token: &str, key: &str) -> String {
    let (program, file) = if language == "curl" { ("bash", "call.sh") } else { ("node", "call.mjs") };
    let text = if language == "curl" {
        text.replace("curl --fail-with-body", "curl -s -w '%{http_code}\\n' --fail-with-body")
    } else {
        text.to_owned()
    };
    fs::write(folder.join(file), text).unwrap();
    let output = Command::new(program)
        .arg(file)
        .current_dir(folder)
        .env("ACCESS_TOKEN", token)
        .env("API_KEY", key)
        .env("KEY_ID", "partner-1")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder for each language, with the keys that its programs read.
fn desks(house: &House) -> Vec<(&'static str, PathBuf, String)> {
    [("curl", "Ed25519"), ("JavaScript", "P-256")]
        .map(|(language, curve)| {
            let folder = house.scratch.path().join(language);
            fs::create_dir(&folder).unwrap();
            fs::copy(house.scratch.path().join("signing-key.pem"), folder.join("signing-key.pem")).unwrap();
            let jwk = key_pair(&folder.join("dpop-key.pem"), curve);
            (language, folder, thumbprint(&jwk))
        })
        .into()
}

#[test]
fn what_pages_give_to_copy_works() {
    let house = House::new();
    let first = format!("GET /orders/v1\r\nX-API-Key: {}\r\n", house.key.reveal());
    eventually("the key is known", || (house.ask(&first, "").status == 200).then_some(()));
    let desks = desks(&house);
    let (mut calls, mut wrong) = (0, Vec::new());
    for (version, operation) in house.operations() {
        let is_served = !operation.callers.closed && version.name.as_deref() != Some("v0") && version.api != "down";
        // The contract's own limits and those of one call an hour are another test's business.
        if !is_served || operation.id == "readOrder" {
            continue;
        }
        let public = portcullis_portal::model::Way::default();
        let ways =
            if operation.callers.ways.is_empty() { vec![&public] } else { operation.callers.ways.iter().collect() };
        for way in ways {
            // A signer and a key have no role.
            let has_roles = way.schemes.contains(&Scheme::Jwt) || operation.id != "admitOrder";
            for (language, folder, print) in &desks {
                let sample = samples(operation, way).into_iter().find(|one| one.language == *language).unwrap();
                let token = house.token(|claims| {
                    if way.proof.is_some() {
                        claims.insert("cnf".to_owned(), json!({ "jkt": print }));
                    }
                });
                let printed = run(folder, language, &sample.text, &token, house.key.reveal());
                let expected = if has_roles { "200" } else { "403" };
                calls += 1;
                if !printed.contains(expected) {
                    wrong.push(format!(
                        "{} {} with {} in {language}: {printed}\n{}",
                        operation.method, operation.path, way.title, sample.text
                    ));
                }
            }
        }
    }
    println!("{calls} calls, {} differences", wrong.len());
    assert!(wrong.is_empty() && calls >= 20, "{calls}: {}", wrong.join("\n---\n"));
}

/// What is asked, with which body, and the code that the page has to know.
type Row<'r> = (&'r str, &'r str, String, &'r str, &'r str);

fn rows(house: &House) -> Vec<Row<'static>> {
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let good = bearer(&house.token(|_| {}));
    let json = "Content-Type: application/json\r\n".to_owned();
    let expired = bearer(&house.token(|claims| drop(claims.insert("exp".to_owned(), json!(now() - 3600)))));
    let plain = bearer(&house.token(|claims| drop(claims.insert("scope".to_owned(), json!("other")))));
    let lowly = bearer(&house.token(|claims| drop(claims.insert("roles".to_owned(), json!(["guest"])))));
    let bound = bearer(&house.token(|claims| drop(claims.insert("cnf".to_owned(), json!({ "jkt": "a" })))));
    let known = "GET /open/things/1";
    vec![
        (known, "", "X-Nothing: 1\r\n".to_owned(), "invalid_request", "/open/things/{id}"),
        ("GET /open/things/0", "", String::new(), "invalid_request", "/open/things/{id}"),
        ("GET /open/things/1?q=1", "", String::new(), "invalid_request", "/open/things/{id}"),
        ("PATCH /open/things/1", "", String::new(), "method_not_allowed", "/open/things/{id}"),
        ("PUT /open/things/1", "{\"name\":\"too long\"}", json.clone(), "invalid_body", "/open/things/{id}"),
        ("PUT /open/things/1", "{\"name\":", json.clone(), "invalid_request", "/open/things/{id}"),
        (
            "PUT /open/things/1",
            "a=b",
            "Content-Type: text/csv\r\n".to_owned(),
            "unsupported_media_type",
            "/open/things/{id}",
        ),
        ("PUT /open/things/1", "x", format!("{json}Content-Encoding: odd\r\n"), "unknown_coding", "/open/things/{id}"),
        (
            "PUT /open/things/1",
            "x",
            format!("{json}Content-Encoding: gzip\r\n"),
            "malformed_coding",
            "/open/things/{id}",
        ),
        (
            "OPTIONS /open/things/1",
            "",
            "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n".to_owned(),
            "preflight_refused",
            "/open/things/{id}",
        ),
        ("GET /orders/v1", "", String::new(), "missing_credential", "/orders/v1"),
        ("GET /orders/v1", "", "X-API-Key: pk_nonsense\r\n".to_owned(), "invalid_api_key", "/orders/v1"),
        ("GET /orders/v1", "", bearer("nonsense"), "invalid_token", "/orders/v1"),
        ("GET /orders/v1", "", expired, "expired_token", "/orders/v1"),
        ("GET /orders/v1", "", bound, "insufficient_binding", "/orders/v1"),
        ("GET /orders/v1?access_token=a", "", good.clone(), "credential_in_query", "/orders/v1"),
        (
            "GET /orders/v1",
            "",
            "Signature-Input: sig=(\"@method\");created=1;keyid=\"x\";nonce=\"n\"\r\nSignature: sig=:AAAA:\r\n"
                .to_owned(),
            "invalid_signature",
            "/orders/v1",
        ),
        ("GET /orders/v1/1", "", plain, "insufficient_scope", "/orders/v1/{id}"),
        ("DELETE /orders/v1/1/admission", "", lowly, "forbidden", "/orders/v1/{id}/admission"),
        ("GET /orders/v1/closed", "", good.clone(), "route_closed", "/orders/v1/closed"),
        ("GET /orders/v0", "", good.clone(), "version_gone", "/orders/v0"),
        ("POST /orders/v1", "{\"a\":1,\"a\":2}", format!("{good}{json}"), "malformed_json", "/orders/v1"),
        ("POST /orders/v1", "[1]", format!("{good}Content-Encoding: odd\r\n{json}"), "unknown_coding", "/orders/v1"),
        ("GET /orders/v1?q=%27%20OR%201=1--%20<script>alert(1)</script>", "", good, "attack_refused", "/orders/v1"),
        ("GET /down", "", String::new(), "upstream_unreachable", "/down"),
        ("GET /orders/v1/..%2f", "", String::new(), "ambiguous_target", "/orders/v1"),
        ("GET /orders/v1", "", "Expect: miracles\r\n".to_owned(), "unknown_expectation", "/orders/v1"),
    ]
}

/// Everything that the page says of an answer, held against it.
fn differences(operation: &Operation, answer: &Answer, code: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(case) = operation.errors.iter().find(|case| case.reason.code() == code) else {
        return vec![format!("the page does not know {code}; the answer is {}", answer.text())];
    };
    let mut same = |what: &str, said: String, got: String| {
        if said != got {
            wrong.push(format!("{what}: the page says {said}, the answer {got}"));
        }
    };
    let got = answer.json();
    let said: Value = serde_json::from_str(&case.body).unwrap();
    same("status", case.reason.status().to_string(), answer.status.to_string());
    same(
        "media type",
        "application/problem+json".to_owned(),
        answer.field("content-type").unwrap_or_default().to_owned(),
    );
    for member in ["type", "title", "status", "code"] {
        same(member, said[member].to_string(), got[member].to_string());
    }
    same("members", members(&said), members(&got));
    let challenges: Vec<&str> =
        case.fields.iter().filter(|(name, _)| *name == "WWW-Authenticate").map(|(_, value)| value.as_str()).collect();
    same("WWW-Authenticate", challenges.join("\n"), answer.all("www-authenticate").join("\n"));
    for (name, _) in case.fields.iter().filter(|(name, _)| *name != "WWW-Authenticate") {
        same(
            name,
            "there".to_owned(),
            if answer.field(&name.to_lowercase()).is_some() { "there" } else { "missing" }.to_owned(),
        );
    }
    wrong
}

/// What a problem has, but for the reasons why a message does not fit its contract.
fn members(problem: &Value) -> String {
    let names = problem.as_object().unwrap().keys().filter(|name| *name != "errors");
    names.cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn errors_limits_and_fields_are_as_the_pages_say() {
    let house = House::new();
    let mut wrong = Vec::new();
    let mut calls = 0;
    for (line, body, fields, code, path) in rows(&house) {
        let method = line.split(' ').next().unwrap();
        let own: Vec<_> = house.operations().filter(|(_, one)| one.path == path).collect();
        let (version, operation) = own.iter().find(|(_, one)| one.method == method).unwrap_or(&own[0]);
        let answer = house.ask(&format!("{line}\r\n{fields}"), body);
        let mut found = differences(operation, &answer, code);
        if code != "unknown_expectation" && code != "ambiguous_target" && code != "preflight_refused" {
            for (name, value) in version.lifecycle.iter().flat_map(|life| life.fields()) {
                if answer.field(name) != Some(value.as_str()) {
                    found.push(format!("{name}: the page says {value}, the answer {:?}", answer.field(name)));
                }
            }
        }
        wrong.extend(found.into_iter().map(|one| format!("{line} ({code}): {one}")));
        calls += 1;
    }
    // What answers say of limits, and what comes beyond one.
    let token = house.token(|_| {});
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for (line, fields, path) in [
        ("GET /open/things/1", "", "/open/things/{id}"),
        ("GET /orders/v1", bearer.as_str(), "/orders/v1"),
        ("GET /orders/v1/1", bearer.as_str(), "/orders/v1/{id}"),
    ] {
        let (_, operation) = house.operation("GET", path);
        let answer = house.ask(&format!("{line}\r\n{fields}"), "");
        calls += 1;
        if answer.field("ratelimit-policy") != operation.limit_fields.policy.as_deref() {
            wrong.push(format!(
                "{line}: the page says {:?}, the answer {}",
                operation.limit_fields.policy,
                answer.text()
            ));
        }
    }
    let (_, operation) = house.operation("GET", "/orders/v1/{id}");
    let answer = house.ask(&format!("GET /orders/v1/1\r\n{bearer}"), "");
    wrong.extend(differences(operation, &answer, "quota_exceeded"));
    calls += 1;
    println!("{calls} calls, {} differences", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everybody_can_use_the_pages() {
    let house = House::new();
    let plan = house.gate.plan();
    let mut fetch = |path: &Path| fs::read(path).map_err(|error| error.to_string());
    let site = portcullis_portal::site(&plan, PROBLEM_BASE, &mut fetch).unwrap();
    let portal = portcullis_admin::Portal::listen(SocketAddr::from(([127, 0, 0, 1], 0)), site).unwrap();
    let home = format!("http://{}", portal.address());
    let pages = json!([
        "/",
        "/search.html",
        "/apis/orders/v1/",
        "/apis/open/putthing.html",
        "/guides/retries.html",
        "/problems/quota_exceeded.html",
    ]);
    let seen = crate::browser::look(&home, &pages);
    assert!(seen["search"]["all"].as_u64().unwrap() >= 8, "{}", seen["search"]);
    assert_eq!(seen["search"]["said"], json!([]), "the page's policy forbids nothing that it does");
    let found = seen["search"]["found"].as_array().unwrap();
    assert!(found.len() == 1 && found[0].as_str().unwrap().contains("/open/things/{id}"), "{found:?}");
    assert_eq!(
        seen["without"]["found"].as_array().unwrap().len(),
        usize::try_from(seen["without"]["all"].as_u64().unwrap()).unwrap()
    );
    portal.stop();
}
