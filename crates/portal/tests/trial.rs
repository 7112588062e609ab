//! Which operations can be called from their pages, and why the others cannot.

use crate::support::{folder, made, text};

const CONFIG: &str = "version: 1
listeners: { plain: { bind: '127.0.0.1:8080' } }
store: { path: ./data }
portal: { address: 'http://127.0.0.1:9902', try_it: true }
signers: { partner: { jwks_file: partner.json } }
apis:
  open: { hosts: [a.example.com], base_path: /open, authn: public, cors: { origins: ['http://127.0.0.1:9902'] }, upstream: { targets: ['http://127.0.0.1:1'] },
    routes: [{ id: good, path: /good, methods: [GET] }, { id: closed, path: /closed, methods: [GET], authn: refuse },
      { id: keyed, path: /keyed, methods: [GET], authn: { any_of: [{ api_key: {} }] } },
      { id: signed, path: /signed, methods: [GET], authn: { any_of: [{ signature: { signers: [partner] } }] } },
      { id: talk, path: /talk, methods: [GET], websocket: { origins: ['*'] } }] }
  few: { hosts: [a.example.com], base_path: /few, authn: public, cors: { origins: ['http://127.0.0.1:9902'], methods: [GET], headers: [] }, upstream: { targets: ['http://127.0.0.1:1'] },
    routes: [{ id: put, path: /put, methods: [PUT] }, { id: held, path: /held, methods: [GET], authn: { any_of: [{ api_key: {} }] } }] }
  others: { hosts: [a.example.com], base_path: /others, authn: public, cors: { origins: ['https://app.example.com'] }, upstream: { targets: ['http://127.0.0.1:1'] },
    routes: [{ id: other, path: '', methods: [GET] }] }
  below: { hosts: ['*.example.com'], base_path: /below, authn: public, cors: { origins: ['http://127.0.0.1:9902'] }, upstream: { targets: ['http://127.0.0.1:1'] },
    routes: [{ id: one, path: '', methods: [GET] }] }
";

#[test]
fn a_page_has_a_form_or_says_why_not() {
    let jwks = r#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "one", "alg": "EdDSA", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;
    let site = made(CONFIG, &folder("trial", &[("partner.json", jwks)]));
    for (page, expect) in [
        ("open/good", Ok("data-method=\"GET\"")),
        ("open/keyed", Ok("data-place=\"key\"")),
        ("open/closed", Err("nobody may call it")),
        ("open/signed", Err("its callers sign, or have certificates, which a page has not")),
        ("open/talk", Err("it is no plain call of HTTP")),
        ("few/put", Err("pages may not use its method")),
        ("few/held", Err("pages may not send what its callers prove themselves with")),
        ("others/other", Err("the API lets no page of this site call it")),
        ("below/one", Err("the configuration does not tell its whole address")),
    ] {
        let html = text(&site, &format!("apis/{page}.html"));
        match expect {
            Ok(part) => assert!(html.contains("id=\"trial-form\"") && html.contains(part), "{page}"),
            Err(why) => {
                assert!(html.contains(&format!("cannot be called from here: {why}.")), "{page}");
                assert!(!html.contains("trial-form") && !html.contains("trial.js"), "{page}");
            }
        }
    }
    let called: Vec<&str> = site.called().collect();
    assert_eq!(called, ["http://a.example.com:8080"], "the pages' policy lets nothing else through");
}
