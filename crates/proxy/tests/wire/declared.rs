//! What contracts say about who may see what: marks on their schemas, and answers of which only what is declared leaves.

use crate::check::problem;
use portcullis_auth::jwt::SigningKey;
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use serde_json::json;
use std::time::SystemTime;

const CONFIG: &str = r#"
version: 1
listeners: { public: { bind: "127.0.0.1:0" } }
access_log: { show_query: [mail, page] }
issuers:
  corp: { issuer: "https://idp.test", audiences: [people], jwks: { file: jwks.json } }
apis:
  open:
    hosts: [api.test]
    base_path: /open
    openapi: people.yaml
    upstream: { targets: ["http://UPSTREAM"] }
    authn: { any_of: [{ jwt: { issuers: [corp] } }, anonymous] }
    mask: [{ name: people, sensitivity: [pii], unless_roles: [support], show: { partial: { last: 4 } } }]
  closed:
    hosts: [api.test]
    base_path: /closed
    openapi: people.yaml
    upstream: { targets: ["http://UPSTREAM"] }
    authn: { any_of: [{ jwt: { issuers: [corp] } }, anonymous] }
    mask:
      - { name: people, sensitivity: [pii], unless_roles: [support] }
      - { name: contract, declared: true }
"#;

const CONTRACT: &str = "
openapi: 3.1.0
info: { title: People, version: '1' }
paths:
  /{mail}/{page}:
    parameters:
      - { name: mail, in: path, required: true, x-sensitivity: pii, schema: { type: string } }
      - { name: page, in: path, required: true, schema: { type: string } }
      - { name: mail, in: query, schema: { type: string, x-sensitivity: pii } }
      - { name: page, in: query, schema: { type: string } }
    get:
      responses:
        '200':
          description: one
          content:
            application/json: { schema: { $ref: '#/components/schemas/Person' } }
            application/x-ndjson: { schema: { $ref: '#/components/schemas/Person' } }
        '404':
          description: none
          content:
            application/json: { schema: { type: object, properties: { said: { type: string } } } }
components:
  schemas:
    Person:
      type: object
      required: [id]
      properties:
        id: { type: integer }
        mail: { type: string, x-sensitivity: pii }
        token: { type: string, x-sensitivity: secret }
        salary: { type: number, x-visible-to: [hr] }
        friends: { type: array, items: { $ref: '#/components/schemas/Person' } }
        born: { type: string }
";

const PERSON: &str = r#"{"id":1,"mail":"ada@example.com","token":"t0p","salary":9.5,"friends":[{"id":2,"mail":"bob@example.com","extra":{"mail":"x"}}],"born":{"year":1985},"\u0065xtra":[1]}"#;

struct People {
    gate: Gatehouse,
    signer: SigningKey,
    _upstream: FakeUpstream,
    _scratch: Scratch,
}

impl People {
    fn open() -> Self {
        let scratch = Scratch::new();
        let upstream = FakeUpstream::with(|talk| {
            while let Some(heard) = talk.request() {
                let (status, kind, body) = match heard.target().split('?').next().unwrap().rsplit('/').next().unwrap() {
                    "one" => ("200 OK", "application/json", PERSON.to_owned()),
                    "lines" => ("200 OK", "application/x-ndjson", format!("{PERSON}\n{PERSON}\n")),
                    "none" => ("404 Not Found", "application/json", r#"{"said":"none","id":1}"#.to_owned()),
                    "moved" => ("202 Accepted", "application/json", PERSON.to_owned()),
                    _ => ("200 OK", "text/html", PERSON.to_owned()),
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
                if !talk.send(head + &body) {
                    return;
                }
            }
        });
        let signer = SigningKey::from_seed(&[7; 32]).unwrap();
        let keys = json!({ "keys": [signer.public_jwk()] }).to_string();
        for (name, text) in [("jwks.json", keys.as_str()), ("people.yaml", CONTRACT)] {
            assert!(scratch.file(name, text).starts_with(scratch.path()));
        }
        let text = CONFIG.replace("UPSTREAM", &upstream.address().to_string());
        let loaded = load_text("people-gateway.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
        let mut plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
        plan.status.bind = "127.0.0.1:0".parse().unwrap();
        Self { gate: Gatehouse::start(plan), signer, _upstream: upstream, _scratch: scratch }
    }

    fn ask(&self, target: &str, role: &str) -> Answer {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({ "iss": "https://idp.test", "aud": "people", "sub": "bob", "client_id": "web", "jti": "t", "iat": now, "exp": now + 300, "roles": [role] });
        let token = self.signer.sign("at+jwt", claims.as_object().unwrap(), false).unwrap();
        let fields = if role.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        Client::connect(self.gate.address()).ask(format!("GET {target} HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n"))
    }
}

#[test]
fn marks_of_the_contract_decide_who_sees_what() {
    let people = People::open();
    let everything_else = r#""born":{"year":1985},"\u0065xtra":[1]}"#;
    for (role, expected) in [
        ("", r#"{"id":1,"mail":"***********.com","friends":[{"id":2,"mail":"***********.com","extra":{"mail":"x"}}],"#),
        (
            "support",
            r#"{"id":1,"mail":"ada@example.com","friends":[{"id":2,"mail":"bob@example.com","extra":{"mail":"x"}}],"#,
        ),
        (
            "hr",
            r#"{"id":1,"mail":"***********.com","salary":9.5,"friends":[{"id":2,"mail":"***********.com","extra":{"mail":"x"}}],"#,
        ),
    ] {
        let answer = people.ask("/open/ada/one", role);
        assert_eq!((answer.status, answer.text()), (200, format!("{expected}{everything_else}")), "{role}");
        assert_eq!(answer.all("cache-control"), ["no-store"]);
    }
    // Of an answer that the contract does not declare, marks count wherever they may stand.
    let moved = people.ask("/open/ada/moved", "");
    assert!(!moved.text().contains("t0p") && !moved.text().contains("ada@"), "{}", moved.text());
    problem(&people.ask("/open/ada/page", ""), 502, "answer_unreadable", "a type that cannot be masked");
    for (rule, count) in [("people", 6.0), ("x-sensitivity.secret", 4.0), ("x-visible-to", 3.0)] {
        let labels = format!("api=\"open\",route=\"/open/{{mail}}/{{page}}\",version=\"\",rule=\"{rule}\"");
        people.gate.wait_metric(&format!("portcullis_masked_values_total{{{labels}}}"), count);
    }
}

#[test]
fn only_what_the_contract_declares_leaves() {
    let people = People::open();
    let support = r#"{"id":1,"mail":"ada@example.com","friends":[{"id":2,"mail":"bob@example.com"}],"born":{}}"#;
    for (path, role, status, expected) in [
        ("one", "", 200, r#"{"id":1,"friends":[{"id":2}],"born":{}}"#.to_owned()),
        ("one", "support", 200, support.to_owned()),
        ("lines", "support", 200, format!("{support}\n{support}\n")),
        ("none", "", 404, r#"{"said":"none"}"#.to_owned()),
        ("moved", "support", 202, "null".to_owned()),
    ] {
        let answer = people.ask(&format!("/closed/ada/{path}"), role);
        assert_eq!((answer.status, answer.text()), (status, expected), "{path} as {role}");
    }
    problem(&people.ask("/closed/ada/page", "support"), 502, "answer_unreadable", "a type that cannot be masked");
}

#[test]
fn records_do_not_show_marked_parameters() {
    let people = People::open();
    for (target, shown) in [
        ("/open/ada@example.com/one", "/open/[marked]/one"),
        ("/closed/ada@example.com/one?mail=x&page=2", "/closed/[marked]/one?mail=[marked]&page=2"),
    ] {
        let answer = people.ask(target, "");
        let record = people.gate.records().of(answer.field("x-request-id").unwrap());
        assert_eq!(record["target"], shown);
    }
}
