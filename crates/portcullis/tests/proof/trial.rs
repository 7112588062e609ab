//! The pages of the portal that call, and those of an account: somebody tries an operation with a key of his own, is refused and reads
//! why, and runs into a limit; somebody else signs in, and makes, tries, replaces and revokes a key.

use crate::browser::{look, packages, run};
use crate::support::{Running, folder, portcullis};
use portcullis_testkit::FakeUpstream;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

const PASSWORD: &str = "correct horse battery staple";

const CONFIG: &str = r#"version: 1
listeners: { plain: { bind: "GATEWAY" } }
status: { bind: "127.0.0.1:0" }
access_log: { to: { file: access.log } }
store: { path: ./data }
portal:
  bind: "PORTAL"
  address: "http://PORTAL"
  try_it: true
  accounts: { plans: { free: { apis: [things], scopes: ["things:write"] } } }
apis:
  things:
    hosts: ["*"]
    base_path: /things
    openapi: things.yaml
    authn: { any_of: [{ api_key: {} }] }
    authz: { rules: [{ callers: authenticated }] }
    cors: { origins: ["http://PORTAL"] }
    limits: { few: { key: [credential], rate: 3/h } }
    upstream: { targets: ["http://UPSTREAM"] }
  others:
    hosts: ["*"]
    base_path: /others
    authn: public
    upstream: { targets: ["http://UPSTREAM"] }
    routes: [{ id: other, path: "", methods: [GET] }]
"#;

const CONTRACT: &str = r#"openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /{id}:
    put:
      operationId: putThing
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer, minimum: 1 }, example: 7 }
        - { name: note, in: query, schema: { type: string, maxLength: 20 } }
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [name], properties: { name: { type: string, maxLength: 5 } } }, example: { name: lamp } } } }
      responses: { "200": { description: one } }
"#;

/// Lets somebody in by the command; how that ends.
fn let_in(folder: &Path, name: &str, plan: &str, password: &str) -> Option<i32> {
    let words = ["portal", "account", "create", name, "--plan", plan, "-c", "trial.yaml"];
    let mut command = portcullis(folder, &words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    // One that says no has not read it.
    drop(child.stdin.take().expect("a pipe").write_all(format!("{password}\n").as_bytes()));
    child.wait().expect("it ends").code()
}

#[test]
fn somebody_tries_an_operation_from_its_page() {
    let folder = folder("portal-trial");
    let upstream = FakeUpstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":7}",
    );
    // Addresses have to be known before anybody listens at them.
    let [portal, gateway] = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [portal, gateway] = [portal, gateway].map(|one| one.local_addr().expect("an address").to_string());
    let config = CONFIG
        .replace("PORTAL", &portal)
        .replace("GATEWAY", &gateway)
        .replace("UPSTREAM", &upstream.address().to_string());
    fs::write(folder.join("trial.yaml"), config).expect("a file");
    fs::write(folder.join("things.yaml"), CONTRACT).expect("a file");
    let words = ["keys", "create", "-c", "trial.yaml", "--consumer", "acme", "--format", "json"];
    let made = portcullis(&folder, &words).output().expect("it runs");
    let key: Value = serde_json::from_slice(&made.stdout).expect("a key");
    let key = key["key"].as_str().unwrap_or_else(|| panic!("no key in {key}"));
    for (name, plan, password, expected) in [
        ("dora", "free", PASSWORD, 0),
        ("dora", "free", PASSWORD, 1),
        ("other", "gold", PASSWORD, 2),
        ("other", "free", "short", 2),
        ("no name", "free", PASSWORD, 2),
    ] {
        assert_eq!(let_in(&folder, name, plan, password), Some(expected), "{name} {plan} {password}");
    }
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "trial.yaml"]));
    running.line("ready");
    let home = format!("http://{portal}");
    let page = "/apis/things/putthing.html";
    let axe = packages("axe-core");
    #[expect(clippy::disallowed_methods, reason = "asks whether pictures are to be taken")]
    let pictures = std::env::var("PORTCULLIS_PICTURES").ok();
    let arguments = ["/usr/bin/chromium", &home, page, key, axe.to_str().expect("a name"), PASSWORD];
    let arguments: Vec<&str> = arguments.into_iter().chain(pictures.as_deref()).collect();
    let seen = run("trial.mjs", "playwright-core", &arguments);
    let text = |name: &str| seen[name].as_str().unwrap_or_else(|| panic!("`{name}` in {seen}"));
    assert_eq!((text("state"), text("path")), ("Answered with 200.", "/things/8?note=a+b"), "{seen}");
    for part in ["PUT http", "x-api-key: •••", "\"id\": 7", "ratelimit: ", "\"name\": \"lamp\""] {
        assert!(text("answer").to_lowercase().contains(part.to_lowercase().as_str()), "`{part}` in {}", text("answer"));
    }
    assert!(!text("answer").contains(key), "what was typed is not shown");
    assert_eq!(text("unfit"), "Answered with 422.", "{seen}");
    assert!(text("unfitWhy").contains("/name"), "{}", text("unfitWhy"));
    assert_eq!((text("limited"), text("wrong")), ("Answered with 429.", "Answered with 401."), "{seen}");
    assert!(text("limitedWhy").contains("There is more in"), "{}", text("limitedWhy"));
    assert!(text("wrongWhy").contains("What invalid_api_key means and what to do"), "{}", text("wrongWhy"));
    assert_eq!(seen["opened"], json!(true), "the link leads to what the error means");
    assert_eq!((&seen["kept"], &seen["said"]), (&json!(0), &json!([])), "nothing is kept, and no policy is broken");
    assert!(text("without").contains("takes a script"), "{seen}");
    assert!(text("other").contains("cannot be called from here: the API lets no page"), "{seen}");
    lives(&seen["account"]);
    look(&home, &json!([page]));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

/// The life of a key, as the browser has seen it.
fn lives(seen: &Value) {
    let text = |name: &str| seen[name].as_str().unwrap_or_else(|| panic!("`{name}` in {seen}"));
    assert_eq!((text("found"), text("asked")), ("/apis/things/putthing.html", "/account/sign-in"), "{seen}");
    assert_eq!(text("wrong"), "name and password do not belong together");
    let cookie = json!([{ "name": "portcullis-portal", "httpOnly": true, "sameSite": "Strict" }]);
    assert_eq!(seen["cookie"], cookie);
    assert_eq!(text("application"), "Shop <img src=x onerror=alert(1)>", "what was typed is text");
    assert_eq!(seen["again"], json!(false), "a key is shown once");
    assert_eq!((text("good"), text("refused")), ("Answered with 200.", "Answered with 422."), "{seen}");
    for part in ["PUT /things/8", "422", "What to do", "invalid_body"] {
        assert!(text("why").contains(part), "`{part}` in {}", text("why"));
    }
    assert!(text("usage").contains("few things key") && text("usage").contains("3 in 60 min"), "{}", text("usage"));
    assert_eq!(seen["both"], json!(["Answered with 200.", "Answered with 200."]), "a key and its successor");
    assert!(text("state").contains("revoked"), "{}", text("state"));
    assert_eq!((text("revoked"), text("out")), ("Answered with 401.", "/account/sign-in"), "{seen}");
    for what in ["pages", "entrance", "said"] {
        assert_eq!(seen[what], json!([]), "{what}");
    }
}
