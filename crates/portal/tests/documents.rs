//! The documents for programs: what the gateway adds to a contract, the catalog of APIs, `security.txt`.

use crate::support::{PROBLEMS, fetch, folder, load, made, portal, text};
use portcullis_contract::Options;
use serde_json::{Value, json};

const SHOP: &str = "openapi: 3.1.0
info: { title: Shop, version: '7' }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { operationId: getThing, responses: { '200': { description: one }, '404': { description: none } } }
  /hidden:
    get: { responses: { '200': { description: one } } }
";

const CONFIG: &str = "version: 1
listeners: { public: { bind: '127.0.0.1:8443', tls: { self_signed: { names: [api.example.com], directory: ./tls } } } }
store: { path: ./data }
issuers: { corp: { issuer: 'https://idp.example.com', audiences: [shop], algorithms: [ES256], jwks: { uri: 'https://idp.example.com/jwks' } } }
portal:
  address: https://developers.example.com/
  security: { contact: ['mailto:security@example.com'], expires: 2027-01-31, policy: https://example.com/policy, languages: [en, de] }
apis:
  shop:
    hosts: [api.example.com]
    base_path: /shop
    authn: { any_of: [{ jwt: { issuers: [corp] } }, { api_key: {} }] }
    limits: { calls: { key: [consumer], quota: 10/hour } }
    upstream: { targets: ['https://10.0.0.1:9000'] }
    versions:
      v1:
        deprecated_at: 2026-10-01
        sunset_at: 2036-04-01
        openapi: shop.yaml
        routes: [{ id: getThing, path: '/things/{id}', methods: [GET] }]
";

#[test]
fn the_contract_says_what_the_gateway_adds() {
    let site = made(CONFIG, &folder("enriched", &[("shop.yaml", SHOP)]));
    let document: Value = serde_json::from_str(&text(&site, "apis/shop/v1/openapi.json")).unwrap();
    let operation = &document["paths"]["/things/{id}"]["get"];
    assert_eq!(operation["security"], json!([{ "accessToken": [] }, { "apiKey": [] }]), "{operation:#}");
    assert_eq!(operation["deprecated"], json!(true));
    let refused = &operation["responses"]["401"];
    assert!(refused["headers"]["WWW-Authenticate"]["example"].as_str().unwrap().starts_with("Bearer realm=\"shop\""));
    let example = &refused["content"]["application/problem+json"]["examples"]["missing_credential"]["value"];
    assert_eq!(example["type"], json!(format!("{PROBLEMS}missing_credential")));
    let over = &operation["responses"]["429"];
    assert!(over["headers"].get("Retry-After").is_some(), "{over:#}");
    let limits = operation["x-rate-limits"]["limits"].as_array().unwrap();
    assert!(limits.iter().any(|limit| limit["name"] == "calls" && limit["quota"] == 10), "{limits:?}");
    assert_eq!(operation["responses"]["404"]["description"], "none", "what the contract says stays");
    assert!(document["paths"].get("/hidden").is_none(), "what is not served is not told");
    assert_eq!(document["servers"][0]["url"], "https://api.example.com:8443/shop/v1");
    // It is still a contract.
    let loaded =
        portcullis_contract::load("x.json", document.to_string().as_bytes(), Options::default(), &mut |_| None);
    assert!(loaded.contract.is_some(), "{:?}", loaded.diagnostics);
}

#[test]
fn programs_find_apis_and_people_to_tell() {
    let site = made(CONFIG, &folder("wellknown", &[("shop.yaml", SHOP)]));
    let catalog: Value = serde_json::from_str(&text(&site, ".well-known/api-catalog")).unwrap();
    let context = &catalog["linkset"][1];
    assert_eq!(context["anchor"], "https://api.example.com:8443/shop/v1");
    let document = context["service-desc"][0]["href"].as_str().unwrap();
    let path = document.strip_prefix("https://developers.example.com/").unwrap();
    assert!(site.file(path).is_some(), "{path}");
    assert_eq!(
        text(&site, ".well-known/security.txt"),
        "Contact: mailto:security@example.com\nExpires: 2027-01-31T00:00:00Z\nPreferred-Languages: en, de\n\
         Policy: https://example.com/policy\nCanonical: https://developers.example.com/.well-known/security.txt\n"
    );
    let list = text(&site, "llms.txt");
    assert!(list.contains("- [GET /shop/v1/things/{id}](apis/shop/v1/getthing.md)"), "{list}");
    let page = text(&site, "apis/shop/v1/getthing.md");
    assert!(page.contains("- calls: 10 requests a calendar hour"), "{page}");
}

#[test]
fn what_is_not_shown_is_nowhere() {
    let folder = folder("shown", &[("shop.yaml", SHOP)]);
    let config = CONFIG.replace("apis:\n", "apis:\n  inner: { hosts: [in.example.com], authn: public, upstream: { targets: ['https://10.0.0.1:1'] }, routes: [{ path: /secret, methods: [GET] }] }\n");
    let config = config.replace("portal:\n", "portal:\n  apis: [shop]\n");
    let site = made(&config, &folder);
    for (path, file) in site.files() {
        assert!(!path.contains("inner") && !String::from_utf8_lossy(&file.body).contains("in.example.com"), "{path}");
    }
    assert_eq!(portal(&config, &folder).apis.len(), 2, "only the site leaves it out");
}

#[test]
fn every_document_says_how_a_version_is_named() {
    for (by, told, code, other) in [
        ("{ header: X-Api }", "field `x-api`: `v1`", "version_unknown", "version_not_acceptable"),
        ("{ query: v }", "`v=v1`", "version_unknown", "version_not_acceptable"),
        ("{ media_type: v }", "`application/json;v=v1`", "version_not_acceptable", "version_unknown"),
    ] {
        let config = CONFIG.replace("    versions:\n", &format!("    version_by: {by}\n    versions:\n"));
        let site = made(&config, &folder("named", &[("shop.yaml", SHOP)]));
        let document: Value = serde_json::from_str(&text(&site, "apis/shop/v1/openapi.json")).unwrap();
        let operation = &document["paths"]["/things/{id}"]["get"];
        assert!(operation["x-version"].as_str().is_some_and(|text| text.contains(told)), "{by}: {operation:#}");
        let place = if by.contains("header") { "header" } else { "query" };
        let parameters = operation["parameters"].as_array();
        let named = parameters.into_iter().flatten().find(|one| one["in"] == place);
        assert_eq!(named.is_some(), !by.contains("media_type"), "{by}: {operation:#}");
        assert!(named.is_none_or(|one| one["schema"]["enum"] == json!(["v1"])), "{by}: {named:?}");
        for page in ["apis/shop/v1/getthing.md", "apis/shop/v1/getthing.html"] {
            let page = text(&site, page).replace("<code>", "`").replace("</code>", "`");
            assert!(page.contains(told) && page.contains(code) && !page.contains(other), "{by}: {page}");
        }
    }
}

#[test]
fn a_file_that_is_gone_is_told() {
    let folder = folder("gone", &[("shop.yaml", SHOP)]);
    let plan = load(CONFIG, &folder).plan;
    std::fs::remove_file(folder.join("shop.yaml")).unwrap();
    let error = portcullis_portal::site(&plan, PROBLEMS, &mut fetch).unwrap_err();
    assert!(error.to_string().contains("shop.yaml cannot be read"), "{error}");
}

#[test]
fn nothing_takes_the_place_of_another_page() {
    const API: &str = "{ base_path: /at/NAME, authn: public, hosts: ['*'], upstream: { targets: ['https://10.0.0.1:9000'] }, \
                       routes: [{ path: /NAME, methods: [GET] }] }";
    let api = |name: &str, key: &str| format!("  {key}: {}\n", API.replace("NAME", name));
    let config = format!(
        "version: 1\nlisteners: {{ public: {{ bind: '127.0.0.1:8080' }} }}\nportal: {{ pages: {{ 'Terms!': one.md, 'terms?': two.md }} }}\n\
         apis:\n{}{}",
        api("one", "orders"),
        api("two", "Orders")
    );
    let site = made(&config, &folder("places", &[("one.md", "the first"), ("two.md", "the second")]));
    for (path, holds) in [
        ("pages/terms.html", "the first"),
        ("pages/terms-2.html", "the second"),
        ("apis/orders/index.html", "/at/one"),
        ("apis/orders-2/index.html", "/at/two"),
    ] {
        assert!(text(&site, path).contains(holds), "{path}");
    }
    crate::links::check(&site);
}
