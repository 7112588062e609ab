//! What browsers make of answers: a real one reads a refusal across origins where it may, and is kept out where it may not; the
//! policies for pages hold before a judge that is not ours.

use portcullis_config::plan::{Authn, CorsPlan, HeadersPlan, HostPattern, Methods, Origins};
use portcullis_testkit::FakeUpstream;
use portcullis_testkit::gateway::Gatehouse;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Where `cargo xtask test needs` has put a package.
pub(crate) fn packages(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("npm").join(name).join("node_modules");
    assert!(place.join(name).is_dir(), "{} is missing; `cargo xtask test needs` brings it", place.join(name).display());
    place
}

/// Runs a script of `tests/browser`; what it prints.
pub(crate) fn run(script: &str, package: &str, arguments: &[&str]) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    let output = Command::new("node").arg(script).arg(packages(package)).args(arguments).output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// Opens pages below an address, light and dark: what they are called, and what their search finds if there is one. Nothing about
/// them may be in anybody's way, come from elsewhere or be complained about.
pub(crate) fn look(home: &str, pages: &Value) -> Value {
    let axe = packages("axe-core");
    let (axe, pages_text) = (axe.to_str().expect("a name"), pages.to_string());
    #[expect(clippy::disallowed_methods, reason = "asks whether pictures are to be taken")]
    let pictures = std::env::var("PORTCULLIS_PICTURES").ok();
    let arguments = [axe, "/usr/bin/chromium", home, &pages_text].into_iter().chain(pictures.as_deref());
    let seen = run("look.mjs", "playwright-core", &arguments.collect::<Vec<_>>());
    let all = seen["seen"].as_array().expect("pages");
    assert_eq!(all.len(), 2 * pages.as_array().expect("pages").len());
    for page in all {
        for what in ["violations", "elsewhere", "said"] {
            assert_eq!(page[what], json!([]), "{what} of {} ({})", page["path"], page["colorScheme"]);
        }
    }
    seen
}

fn page() -> FakeUpstream {
    let text = "<!doctype html><title>a page</title>";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    FakeUpstream::answering(head)
}

#[test]
fn a_browser_reads_refusals_where_it_may() {
    let upstream = FakeUpstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\nAccess-Control-Allow-Origin: *\r\n\r\n{\"id\":7}",
    );
    let (known, unknown) = (page(), page());
    let address = |page: &FakeUpstream| format!("http://{}", page.address());
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.apis[0].hosts = vec![HostPattern::Any];
        plan.apis[0].cors =
            Some(Arc::new(CorsPlan { origins: Origins::Only(vec![address(&known)]), ..CorsPlan::default() }));
        let route = plan.apis[0].versions[0].routes[0].clone();
        let of = |template: &str, authn: Authn| {
            let mut route = route.clone();
            (route.id, route.template, route.authn) = (template.into(), template.to_owned(), authn);
            route.methods = Methods::Only(vec!["GET".to_owned(), "DELETE".to_owned()]);
            route
        };
        plan.apis[0].versions[0].routes = vec![of("/orders", Authn::Public), of("/closed", Authn::Refuse)];
    });
    let gateway = format!("http://{}", gate.address());
    let call = |page: &FakeUpstream, path: &str, options: Value| json!({ "page": address(page), "url": format!("{gateway}{path}"), "options": options });
    let calls = json!([
        call(&known, "/orders", json!({})),
        call(&known, "/closed", json!({})),
        call(&known, "/nowhere", json!({})),
        call(&known, "/orders", json!({ "method": "DELETE", "headers": { "X-API-Key": "k" } })),
        call(&unknown, "/orders", json!({})),
        call(&unknown, "/closed", json!({})),
        call(&unknown, "/orders", json!({ "method": "DELETE" })),
        call(&known, "/orders", json!({ "method": "PUT" })),
        call(&known, "/orders", json!({ "headers": { "X-Unknown": "1" } })),
    ]);
    let seen = run("visit.mjs", "playwright-core", &["/usr/bin/chromium", &calls.to_string()]);
    assert_eq!((&seen[0]["status"], &seen[0]["body"]), (&json!(200), &json!("{\"id\":7}")), "{seen}");
    let problem: Value = serde_json::from_str(seen[1]["body"].as_str().expect("the refusal is read")).unwrap();
    assert_eq!((&seen[1]["status"], &problem["status"]), (&json!(403), &json!(403)), "{seen}");
    assert_eq!(problem["request_id"], seen[1]["fields"]["x-request-id"], "the id can be read as well");
    let nowhere: Value =
        serde_json::from_str(seen[2]["body"].as_str().expect("nothing is there, and the page may know")).unwrap();
    assert_eq!((&seen[2]["status"], &nowhere["code"]), (&json!(404), &json!("route_not_found")), "{seen}");
    assert_eq!(seen[3]["status"], 200, "a call that needs a preflight: {seen}");
    for (index, about) in [
        (4, "a page of another origin"),
        (5, "a refusal, to a page of another origin"),
        (6, "a method that needs a preflight, from another origin"),
        (7, "a method that is not allowed"),
        (8, "a field that is not allowed"),
    ] {
        assert!(seen[index]["blocked"].is_string(), "{about}: {}", seen[index]);
    }
    let asked = upstream.text();
    assert!(!asked.contains("PUT ") && !asked.contains("x-unknown"), "what a preflight refuses never comes: {asked}");
}

#[test]
fn policies_for_pages_hold_before_a_judge() {
    /// What is certainly wrong, and what probably is (`Severity` of the judge).
    const MEDIUM: u64 = 30;
    let policy = |plan: HeadersPlan| {
        let mut fields = plan.fields.into_iter();
        fields
            .find(|(name, _)| name == "content-security-policy")
            .map(|(_, value)| value)
            .expect("every profile has one")
    };
    let weak = "default-src *; script-src 'unsafe-inline' *".to_owned();
    let policies =
        [policy(HeadersPlan::default()), policy(HeadersPlan::browser()), policy(HeadersPlan::portal()), weak];
    let judged = run("judge.mjs", "csp_evaluator", &[&json!(policies).to_string()]);
    let grave = |index: usize| -> Vec<&Value> {
        let findings = judged[index].as_array().expect("findings").iter();
        findings.filter(|finding| finding["severity"].as_u64().is_some_and(|severity| severity <= MEDIUM)).collect()
    };
    for (index, policy) in policies.iter().take(3).enumerate() {
        assert!(grave(index).is_empty(), "{policy}: {:?}", grave(index));
    }
    assert!(!grave(3).is_empty(), "the judge sees what is weak");
}
