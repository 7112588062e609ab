//! What the gateway serves about its APIs: where a client without a token learns whose token it needs.

use crate::check::problem;
use crate::identity::{House, either};
use portcullis_config::plan::{HostPattern, ResourcePlan};
use portcullis_testkit::Client;
use serde_json::json;

const ADDRESS: &str = "https://api.test:8443/.well-known/oauth-protected-resource";

/// One API that takes everything, and its address.
fn house(base: &str) -> House {
    House::with(&either(), |plan| {
        let api = &mut plan.apis[0];
        api.hosts = vec![HostPattern::Any];
        api.base_path = base.to_owned();
        api.resource = Some(ResourcePlan {
            address: format!("https://api.test:8443{base}"),
            origin: "https://api.test:8443".to_owned(),
            host: "api.test".to_owned(),
        });
    })
}

fn get(house: &House, method: &str, host: &str, path: &str) -> portcullis_testkit::Answer {
    let mut client = Client::connect(house.gate().address());
    client.send(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    client.answer_to(method == "HEAD")
}

#[test]
fn a_client_without_a_token_learns_whose_it_needs() {
    for base in ["", "/orders"] {
        let house = house(base);
        let path = format!("/.well-known/oauth-protected-resource{base}");
        let answer = get(&house, "GET", "API.test:8443", &path);
        assert_eq!((answer.status, answer.field("content-type")), (200, Some("application/json")), "{base}");
        let document = answer.json();
        assert_eq!(document["resource"], format!("https://api.test:8443{base}"));
        assert_eq!(document["authorization_servers"], json!(["https://idp.test"]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert_eq!(document["dpop_bound_access_tokens_required"], false);
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], json!(null), "nobody is asked for one");
        assert_eq!(answer.field("access-control-allow-origin"), Some("*"));
        assert!(answer.field("x-content-type-options").is_some() && answer.field("x-request-id").is_some());
        let record = house.gate().records().of(answer.field("x-request-id").unwrap());
        assert_eq!((record["status"].as_u64(), record["outcome"].as_str()), (Some(200), Some("answered")), "{record}");
        assert_eq!(get(&house, "HEAD", "api.test", &path).status, 200);
        problem(&get(&house, "POST", "api.test", &path), 405, "method_not_allowed", base);
        // Another host of the API is another resource, and other paths are the API's own.
        assert_ne!(get(&house, "GET", "other.test", &path).status, 200, "{base}");
        assert_ne!(get(&house, "GET", "api.test", &format!("{path}/x")).status, 200, "{base}");
        let refused = get(&house, "GET", "api.test", &format!("{base}/x"));
        problem(&refused, 401, "missing_credential", base);
        let wanted = format!("Bearer realm=\"api\", resource_metadata=\"{ADDRESS}{base}\"");
        assert_eq!(refused.all("www-authenticate")[0], wanted);
    }
}

#[test]
fn an_api_that_says_nothing_about_itself_has_no_document() {
    let house = House::with(&either(), |_| {});
    let answer = get(&house, "GET", "api.test", "/.well-known/oauth-protected-resource");
    assert_ne!(answer.status, 200);
}
