//! Rows of small configurations: which codes they give, and what plans hold that are good.

use std::path::Path;

use crate::check::listeners::collide;
use crate::plan::{Authn, Plan};
use crate::{Environment, load_text};

const LISTENER: &str = "version: 1\nlisteners: { local: { bind: '127.0.0.1:8080' } }\n";
const API: &str = "apis:\n  a:\n    hosts: ['*']\n    upstream: { targets: ['http://127.0.0.1:9000'] }\n";

fn load(text: &str) -> Result<Plan, Vec<&'static str>> {
    let environment = Environment::fixed([("TARGET", "http://10.0.0.1:9000"), ("BYTES", "1MiB")]);
    match load_text("test.yaml", text, Path::new(""), &environment) {
        Ok(loaded) => Ok(loaded.plan),
        Err(failure) => Err(failure.diagnostics().iter().map(|diagnostic| diagnostic.code).collect()),
    }
}

fn plan(text: &str) -> Plan {
    load(text).unwrap_or_else(|codes| panic!("{codes:?}\n{text}"))
}

#[test]
fn a_route_without_a_decision_is_refused() {
    let undecided = format!("{LISTENER}{API}    routes: [{{ path: /, methods: [GET] }}]\n");
    assert_eq!(load(&undecided), Err(vec!["no-authentication"]));
    for decided in [
        format!("{LISTENER}{API}    routes: [{{ path: /, methods: [GET], authn: refuse }}]\n"),
        format!("{LISTENER}{API}    authn: refuse\n    routes: [{{ path: /, methods: [GET] }}]\n"),
        format!(
            "{LISTENER}{API}    versions: {{ v1: {{ authn: refuse, routes: [{{ path: /, methods: [GET] }}] }} }}\n"
        ),
        format!("{LISTENER}defaults: {{ authn: refuse }}\n{API}    routes: [{{ path: /, methods: [GET] }}]\n"),
    ] {
        assert_eq!(plan(&decided).apis[0].versions[0].routes[0].authn, Authn::Refuse);
    }
}

#[test]
fn the_nearest_setting_counts() {
    let text = format!(
        "{LISTENER}defaults: {{ authn: refuse, body_bytes: 1B, upstream: {{ timeout: 9s, connect_timeout: 1s }} }}\n{API}\
         \x20   body_bytes: 2B\n    versions:\n      v1: {{ body_bytes: 3B, upstream: {{ timeout: 8s }}, routes: [\n\
         \x20       {{ path: /a, methods: [GET], body_bytes: 4B, timeout: 7s, authn: public }},\n\
         \x20       {{ path: /b, methods: [GET] }}] }}\n      v2: {{ routes: [{{ path: /c, methods: [GET] }}] }}\n"
    );
    let plan = plan(&text);
    let [v1, v2] = plan.apis[0].versions.as_slice() else { panic!("two versions") };
    let row = |version: &crate::plan::VersionPlan, index: usize| {
        let route = &version.routes[index];
        (route.body_bytes, route.timeout.as_secs(), route.upstream.connect_timeout.as_secs(), route.authn.clone())
    };
    assert_eq!(row(v1, 0), (4, 7, 1, Authn::Public));
    assert_eq!(row(v1, 1), (3, 8, 1, Authn::Refuse));
    assert_eq!(row(v2, 0), (2, 9, 1, Authn::Refuse));
}

#[test]
fn what_is_built_in_gives_way_to_a_shorter_total() {
    let text = format!(
        "{LISTENER}{}    authn: public\n    routes: [{{ path: /, methods: [GET] }}]\n",
        API.replace(" }", ", timeout: 1s }")
    );
    let upstream = plan(&text).apis[0].versions[0].routes[0].upstream.clone();
    assert_eq!((upstream.connect_timeout.as_secs(), upstream.first_byte_timeout.as_secs()), (1, 1));
}

#[test]
fn a_small_head_makes_the_target_small() {
    let text = format!(
        "{}{API}    authn: public\n    routes: [{{ path: /, methods: [GET] }}]\n",
        LISTENER.replace("8080'", "8080', limits: { head_bytes: 8KiB }")
    );
    let limits = &plan(&text).listeners[0].limits;
    assert!(limits.target_bytes < limits.head_bytes);
}

#[test]
fn dangers_are_listed_with_their_lines() {
    let text = format!(
        "version: 1\nlisteners: {{ open: {{ bind: '0.0.0.0:8080', danger_plaintext: true }} }}\n\
         status: {{ bind: '0.0.0.0:9901', danger_exposed: true }}\n{API}    authn: public\n    routes: [{{ path: /, methods: [GET] }}]\n"
    );
    let dangers: Vec<(String, u32)> =
        plan(&text).dangers.into_iter().map(|danger| (danger.path, danger.origin.line)).collect();
    assert_eq!(dangers, [("listeners.open.danger_plaintext".to_owned(), 2), ("status.danger_exposed".to_owned(), 3)]);
}

#[test]
fn versions_that_share_an_upstream_share_it() {
    let text = format!(
        "{LISTENER}{API}    authn: public\n    versions:\n      v1: {{ routes: [{{ path: /, methods: [GET] }}] }}\n      \
         v2: {{ routes: [{{ path: /, methods: [GET] }}] }}\n"
    );
    let plan = plan(&text);
    let upstream = |version: usize| &plan.apis[0].versions[version].routes[0].upstream;
    assert!(std::sync::Arc::ptr_eq(upstream(0), upstream(1)));
}

#[test]
fn values_from_outside_are_used_but_not_shown() {
    let text = format!(
        "{LISTENER}{}    authn: public\n    body_bytes: {{ env: BYTES }}\n    routes: [{{ path: /, methods: [GET] }}]\n",
        API.replace("'http://127.0.0.1:9000'", "{ env: TARGET }")
    );
    let environment = Environment::fixed([("TARGET", "http://10.0.0.1:9000"), ("BYTES", "1MiB")]);
    let loaded = load_text("test.yaml", &text, Path::new(""), &environment).expect("good");
    let route = &loaded.plan.apis[0].versions[0].routes[0];
    assert_eq!(route.upstream.targets[0].host, "10.0.0.1");
    assert_eq!(route.body_bytes, 1 << 20);
    assert!(!format!("{loaded:?}").contains("10.0.0.1"), "{loaded:?}");
    let policy = crate::effective_policy(&loaded, "GET /");
    let shown: Vec<&str> = policy[0].1.iter().map(|line| line.value.as_str()).collect();
    assert!(shown.contains(&"(from env BYTES)") && shown.contains(&"(from env TARGET)"), "{shown:?}");
    assert_eq!(policy[0].0.targets, ["(from env TARGET)"]);
}

#[test]
fn routes_that_differ_do_not_conflict() {
    let text = format!(
        "{LISTENER}defaults: {{ authn: public }}\n{API}    base_path: /a\n    routes:\n\
         \x20     - {{ path: '', methods: [GET] }}\n      - {{ path: /, methods: [GET] }}\n      - {{ path: /x, methods: [GET] }}\n\
         \x20     - {{ path: /x, methods: [POST] }}\n      - {{ path: '/{{id}}', methods: [GET] }}\n      \
         - {{ path: '/{{*rest}}', methods: [GET] }}\n  b:\n    hosts: [b.example.com]\n    base_path: /a\n    \
         upstream: {{ targets: ['http://127.0.0.1:9000'] }}\n    routes: [{{ path: /x, methods: [GET] }}]\n"
    );
    assert_eq!(plan(&text).apis.len(), 2);
}

#[test]
fn a_call_of_grpc_has_the_whole_path() {
    let text = |base: &str, path: &str| {
        format!(
            "{LISTENER}defaults: {{ authn: public }}\n{API}    base_path: {base}\n    routes:\n      \
             - {{ path: '{path}', methods: [POST], grpc: {{ methods: [a.B/Get] }} }}\n"
        )
        .replace("upstream: {", "upstream: { protocol: http2,")
    };
    for (base, path, calls) in [("/a.B", "/{method}", 1), ("/a.B", "/Get", 1), ("/", "/a.B/{method}", 1)] {
        let plan = plan(&text(base, path));
        let route = &plan.apis[0].versions[0].routes[0];
        assert_eq!(route.grpc_calls.as_ref().map(Vec::len), Some(calls), "{base} {path}");
    }
    for (base, path) in [("/a.C", "/{method}"), ("/a.B", "/Put"), ("/x", "/{method}")] {
        assert_eq!(load(&text(base, path)).unwrap_err(), ["no-effect"], "{base} {path}");
    }
}

#[test]
fn addresses_collide_if_they_cannot_both_be_bound() {
    let address = |text: &str| text.parse().expect("an address");
    for (one, other, expected) in [
        ("127.0.0.1:80", "127.0.0.1:80", true),
        ("127.0.0.1:80", "127.0.0.1:81", false),
        ("127.0.0.1:80", "127.0.0.2:80", false),
        ("0.0.0.0:80", "127.0.0.1:80", true),
        ("127.0.0.1:80", "0.0.0.0:80", true),
        ("[::]:80", "127.0.0.1:80", true),
        ("[::]:80", "0.0.0.0:80", true),
        ("0.0.0.0:80", "[::1]:80", false),
        ("127.0.0.1:0", "127.0.0.1:0", false),
    ] {
        assert_eq!(collide(address(one), address(other)), expected, "{one} {other}");
    }
}

#[test]
fn the_digest_is_of_the_text() {
    let text = format!("{LISTENER}{API}    authn: public\n    routes: [{{ path: /, methods: [GET] }}]\n");
    assert_eq!(plan(&text).hash, plan(&text).hash);
    assert_ne!(plan(&text).hash, plan(&format!("{text}# a comment\n")).hash);
}
