//! What callers may do: two tenants and four roles against risks 1, 3 and 5 of the OWASP API Security Top 10 (2023). Each
//! attack is refused and reaches nobody, each legitimate call passes, and the record names the line that decided.

#[cfg(test)]
#[path = "access/bodies.rs"]
mod bodies;
#[cfg(test)]
#[path = "access/policies.rs"]
mod policies;
#[cfg(test)]
#[path = "access/security.rs"]
mod security;

use crate::check::problem;
use portcullis_auth::jwt::SigningKey;
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use serde_json::{Value, json};
use std::time::SystemTime;

const SHOP: &str = include_str!("access/shop.yaml");

pub(crate) struct Shop {
    pub(crate) gate: Gatehouse,
    upstream: FakeUpstream,
    signer: SigningKey,
    _scratch: Scratch,
}

/// Who calls: subject, tenant, roles, scopes.
#[derive(Clone, Copy)]
pub(crate) struct Who(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

pub(crate) const ADA: Who = Who("ada", "acme", "user", "");
pub(crate) const EVE: Who = Who("eve", "globex", "user", "");
const SAM: Who = Who("sam", "acme", "support", "");
const AUDREY: Who = Who("audrey", "acme", "auditor", "orders:export");
const ADAM: Who = Who("adam", "acme", "admin", "");
const NOROLE: Who = Who("bob", "acme", "", "");

impl Shop {
    fn open() -> Self {
        Self::with(SHOP, &[])
    }

    fn with(text: &str, files: &[(&str, &str)]) -> Self {
        Self::before(FakeUpstream::echoing(), text, files)
    }

    /// A shop before this server, by this configuration with these files beside it.
    pub(crate) fn before(upstream: FakeUpstream, text: &str, files: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new();
        let signer = SigningKey::from_seed(&[7; 32]).unwrap();
        let jwks = scratch.file("jwks.json", &json!({ "keys": [signer.public_jwk()] }).to_string());
        assert!(jwks.starts_with(scratch.path()));
        files.iter().for_each(|(name, text)| drop(scratch.file(name, text)));
        let text = text.replace("UPSTREAM", &upstream.address().to_string());
        let loaded = load_text("shop.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
        let mut plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
        plan.status.bind = "127.0.0.1:0".parse().unwrap();
        Self { gate: Gatehouse::start(plan), upstream, signer, _scratch: scratch }
    }

    fn token(&self, Who(sub, tid, role, scope): Who) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": "https://idp.test", "aud": "shop", "sub": sub, "client_id": "web", "jti": "t", "iat": now,
            "exp": now + 300, "tid": tid, "scope": scope, "realm_access": { "roles": [format!("corp-{role}")] },
        });
        let level =
            [("one", json!(1)), ("seven", json!(7)), ("text", json!("7"))].into_iter().find(|(of, _)| *of == sub);
        level.into_iter().for_each(|(_, level)| claims["level"] = level);
        self.signer.sign("at+jwt", claims.as_object().unwrap(), false).unwrap()
    }

    pub(crate) fn ask(&self, who: Who, line: &str, fields: &str) -> Answer {
        let Who(_, tenant, ..) = who;
        let tenant = if fields.to_ascii_lowercase().contains("x-tenant") {
            String::new()
        } else {
            format!("X-Tenant: {tenant}\r\n")
        };
        let token = self.token(who);
        let request = format!(
            "{line} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\n{tenant}{fields}Content-Length: 0\r\n\r\n"
        );
        Client::connect(self.gate.address()).ask(request)
    }

    pub(crate) fn record(&self, answer: &Answer) -> Value {
        self.gate.records().of(answer.field("x-request-id").unwrap())
    }

    pub(crate) fn served(&self, who: Who, line: &str, fields: &str) -> Answer {
        let answer = self.ask(who, line, fields);
        assert_eq!(answer.status, 200, "{} {line} {fields}: {}", who.0, answer.text());
        answer
    }

    /// Refused, and nothing of it reached the server; then a good request works.
    fn refused(&self, who: Who, line: &str, fields: &str, (status, code): (u16, &str)) -> Answer {
        let before = self.upstream.requests();
        let answer = self.ask(who, line, fields);
        problem(&answer, status, code, &format!("{} {line} {fields}", who.0));
        assert_eq!(self.upstream.requests(), before, "{line} {fields}");
        self.served(ADA, "GET /users/ada", "");
        answer
    }
}

/// The line of the rule with this name.
fn line_of(name: &str) -> String {
    let needle = format!("name: {name},");
    let line = SHOP.lines().position(|line| line.contains(&needle)).unwrap_or_else(|| panic!("no rule {name}"));
    format!("shop.yaml:{}", line + 1)
}

#[test]
fn what_is_theirs_is_served() {
    let shop = Shop::open();
    for (who, line, fields, rule) in [
        (ADA, "GET /users/ada", "", "own-user"),
        (ADA, "HEAD /users/ada", "", "own-user"),
        (ADA, "GET /users/%61da", "", "own-user"),
        (ADA, "GET /users/eve/../ada", "", "own-user"),
        (ADA, "PUT /users/ada", "", "own-user"),
        (EVE, "GET /users/eve", "", "own-user"),
        (ADA, "GET /orders?userId=ada&page=2", "", "own-orders"),
        (ADA, "GET /orders?userId=%61da", "", "own-orders"),
        (SAM, "GET /users/ada", "", "support"),
        (SAM, "GET /tenants/acme/report", "", "own-tenant"),
        (AUDREY, "GET /orders/export", "", "export"),
        (ADAM, "DELETE /users/eve", "", "admin"),
        (ADAM, "GET /orders/export", "", "admin"),
        (ADAM, "GET /tenants/acme/report", "", "admin"),
    ] {
        let answer = shop.served(who, line, fields);
        let record = shop.record(&answer);
        let expected = [json!("allowed"), json!(rule), json!(line_of(rule))];
        assert_eq!(
            [&record["permit"], &record["rule"], &record["allowed_by"]],
            expected.each_ref(),
            "{line}: {record}"
        );
    }
}

/// API1:2023, broken object level authorization: other people's ids, in every place and every spelling.
#[test]
fn somebody_elses_objects_are_refused() {
    let shop = Shop::open();
    let (here, ambiguous, malformed) = ((403, "forbidden_here"), (400, "ambiguous_target"), (400, "malformed_target"));
    for (who, line, fields, expected) in [
        (ADA, "GET /users/eve", "", here),
        (ADA, "GET /users/%65ve", "", here),
        (ADA, "GET /users/ada/../eve", "", here),
        (ADA, "GET /users/./eve", "", here),
        (ADA, "GET //users//eve", "", here),
        (ADA, "GET /users/%2561da", "", here),
        (ADA, "GET /users/ADA", "", here),
        (ADA, "GET /users/ada%20", "", here),
        (ADA, "GET /users/ada%2f..%2feve", "", ambiguous),
        (ADA, "GET /users/ada%5c..%5ceve", "", ambiguous),
        (ADA, "GET /users/eve;/ada", "", ambiguous),
        (ADA, "GET /users/ada;eve", "", ambiguous),
        (ADA, "GET /users/ada%00", "", malformed),
        (ADA, "PUT /users/eve", "", here),
        (ADA, "HEAD /users/eve", "", here),
        (ADA, "GET /orders?userId=eve", "", here),
        (ADA, "GET /orders?user%49d=eve", "", here),
        (ADA, "GET /orders?userId=ada&userId=eve", "", here),
        (ADA, "GET /orders?userId=ada&userid=eve", "", here),
        (ADA, "GET /orders?userId=ada&userId[]=eve", "", here),
        (ADA, "GET /orders?userId=ada;userId=eve", "", here),
        (ADA, "GET /orders?userId=%2561da", "", here),
        (ADA, "GET /orders", "", here),
        (SAM, "GET /tenants/globex/report", "", here),
        (SAM, "GET /tenants/%67lobex/report", "", here),
        // The tenant of the field has to be the caller's own, once and for all roles.
        (ADA, "GET /users/ada", "X-Tenant: globex\r\n", here),
        (ADA, "GET /users/ada", "X-Tenant:\r\n", here),
        (ADA, "GET /users/ada", "X-Tenant: acme\r\nX-Tenant: globex\r\n", here),
        (ADA, "GET /users/ada", "x-tenant: globex\r\nX-Tenant: acme\r\n", here),
        (ADA, "GET /users/ada", "X-Tenant: acme, globex\r\n", here),
        // Some servers take one for the other.
        (ADA, "GET /users/ada", "X-Tenant: acme\r\nX_Tenant: globex\r\n", here),
        (ADA, "GET /users/ada", "X_Tenant: acme\r\n", here),
        (ADAM, "DELETE /users/eve", "X-Tenant: globex\r\n", here),
    ] {
        if line.starts_with("HEAD") {
            let mut client = Client::connect(shop.gate.address());
            let token = shop.token(who);
            client.send(format!(
                "{line} HTTP/1.1\r\nHost: api.test\r\nX-Tenant: acme\r\nAuthorization: Bearer {token}\r\n\r\n"
            ));
            assert_eq!(client.answer_to(true).status, expected.0, "{line}");
            continue;
        }
        shop.refused(who, line, fields, expected);
    }
    let answer = shop.refused(ADA, "GET /users/ada", "X-Tenant: globex\r\n", here);
    let record = shop.record(&answer);
    assert_eq!(
        [&record["rule"], &record["decided_by"]],
        [&json!("own-tenant-only"), &json!(line_of("own-tenant-only"))]
    );
    assert_eq!(record["principal"], "ada", "guesses can be counted by caller: {record}");
}

/// API3:2023, broken object property level authorization, as far as the address says which properties are meant.
#[test]
fn properties_for_others_are_refused() {
    let shop = Shop::open();
    for (who, expected) in [(ADA, None), (SAM, None), (ADAM, Some(200))] {
        for line in ["GET /users/ada/salary", "GET /users/ada/s%61lary", "GET /users/ada/x/../salary"] {
            match expected {
                Some(_) => drop(shop.served(who, line, "")),
                None => drop(shop.refused(who, line, "", (403, "forbidden_here"))),
            }
        }
    }
    shop.served(ADA, "GET /users/ada/name", "");
    shop.served(SAM, "GET /users/ada/name", "");
}

/// API5:2023, broken function level authorization: operations of other roles, by every way to ask for them.
#[test]
fn somebody_elses_functions_are_refused() {
    let shop = Shop::open();
    let (forbidden, missing) = ((403, "forbidden"), (404, "route_not_found"));
    for (who, line, fields, expected) in [
        (ADA, "DELETE /users/ada", "", forbidden),
        (ADA, "DELETE /users/eve", "", forbidden),
        (SAM, "DELETE /users/eve", "", forbidden),
        (AUDREY, "DELETE /users/eve", "", forbidden),
        (NOROLE, "DELETE /users/eve", "", forbidden),
        (SAM, "PUT /users/ada", "", (403, "forbidden_here")),
        (ADA, "GET /orders/export", "", forbidden),
        (ADA, "GET /orders/ex%70ort", "", forbidden),
        (ADA, "GET /tenants/acme/report", "", forbidden),
        (Who("audrey", "acme", "auditor", ""), "GET /orders/export", "", (403, "insufficient_scope")),
        (ADA, "DELETE /USERS/eve", "", missing),
        (ADA, "DELETE /users/eve/", "", missing),
        (ADA, "PATCH /users/eve", "", (405, "method_not_allowed")),
        (ADA, "GET /nobody", "", forbidden),
        (ADAM, "GET /closed", "", (403, "route_closed")),
        // What a role is called elsewhere is no role here.
        (Who("ada", "acme", "corp-admin", ""), "DELETE /users/eve", "", forbidden),
    ] {
        shop.refused(who, line, fields, expected);
    }
    // An override of the method is not one: the method that was judged is the one that is asked for.
    let answer = shop.served(ADA, "GET /users/ada", "X-HTTP-Method-Override: DELETE\r\n");
    assert!(!answer.text().to_ascii_lowercase().contains("override"), "{}", answer.text());
}

#[test]
fn a_refusal_names_its_rule_in_the_record_and_its_code_to_the_caller() {
    let shop = Shop::open();
    let answer =
        shop.refused(Who("audrey", "acme", "auditor", ""), "GET /orders/export", "", (403, "insufficient_scope"));
    assert_eq!(
        answer.all("www-authenticate"),
        ["Bearer realm=\"shop\", error=\"insufficient_scope\", scope=\"orders:export\""]
    );
    for name in ["export", "shop.yaml", "auditor"] {
        let shown = answer.text().replace("orders:export", "");
        assert!(!shown.contains(name), "the answer tells of {name}: {shown}");
    }
    let record = shop.record(&answer);
    assert_eq!([&record["stage"], &record["reason"]], ["permit", "insufficient_scope"], "{record}");
    let answer = shop.refused(ADA, "DELETE /users/ada", "", (403, "forbidden"));
    assert!(answer.all("www-authenticate").is_empty(), "another token would not help");
    let record = shop.record(&answer);
    let authz = SHOP.lines().position(|line| line.trim() == "authz:").unwrap() + 1;
    assert_eq!([&record["rule"], &record["decided_by"]], [&json!("default"), &json!(format!("shop.yaml:{authz}"))]);
    let labels = |rule: &str, decision: &str| {
        format!(
            "portcullis_access_rules_total{{api=\"shop\",route=\"/users/{{userId}}\",version=\"\",rule=\"{rule}\",decision=\"{decision}\"}}"
        )
    };
    shop.gate.wait_metric(&labels("default", "refused"), 1.0);
    shop.gate.wait_metric(&labels("own-user", "allowed"), 2.0);
}

#[test]
fn a_rule_that_is_tried_out_refuses_nobody_and_says_whom_it_would() {
    let shop = Shop::open();
    let answer = shop.served(ADA, "GET /trial", "");
    let record = shop.record(&answer);
    let expected = [json!("open"), json!("trial"), json!(line_of("trial"))];
    assert_eq!([&record["rule"], &record["would_refuse"], &record["would_refuse_by"]], expected.each_ref(), "{record}");
    let record = shop.record(&shop.served(ADAM, "GET /trial", ""));
    assert_eq!([&record["rule"], &record["would_refuse"]], [&json!("admin"), &Value::Null], "{record}");
    let series = "portcullis_access_rules_total{api=\"shop\",route=\"/trial\",version=\"\",rule=\"trial\",decision=\"would_refuse\"}";
    shop.gate.wait_metric(series, 1.0);
}

#[test]
fn a_call_of_grpc_is_refused_in_its_own_words() {
    let shop = Shop::open();
    let mut call = crate::http2::peer::post("/pkg.Service/Call");
    let token = format!("Bearer {}", shop.token(ADA));
    for (name, value) in [("content-type", "application/grpc"), ("x-tenant", "acme"), ("authorization", &token)] {
        call.headers_mut().insert(name, value.parse().unwrap());
    }
    let got = crate::http2::peer::Peer::connect(shop.gate.address()).ask(call, b"x");
    assert_eq!((got.status, got.field("grpc-status")), (200, Some("7")), "{got:?}");
    assert!(got.field("grpc-message").unwrap().ends_with("(forbidden)"), "{got:?}");
    // Over HTTP/1 as well, where such an answer needs an end.
    let answer = shop.ask(ADA, "POST /pkg.Service/Call", "Content-Type: application/grpc\r\n");
    assert_eq!((answer.status, answer.field("grpc-status")), (200, Some("7")), "{:?}", answer.head);
    assert_eq!(shop.upstream.requests(), 0);
    shop.served(ADA, "GET /users/ada", "");
}

#[test]
fn nobody_in_particular_is_asked_who_he_is_first() {
    let shop = Shop::open();
    let answer = Client::connect(shop.gate.address()).ask("DELETE /users/ada HTTP/1.1\r\nHost: api.test\r\n\r\n");
    problem(&answer, 401, "missing_credential", "no token");
    let answer = Client::connect(shop.gate.address()).ask("GET /public HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(answer.status, 200, "a public route has no rules");
}
