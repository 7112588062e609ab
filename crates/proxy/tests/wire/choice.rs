//! Versions that a field, a parameter of the query or of `Accept` names, and brownouts with exempt callers.

use crate::check::{problem, security_headers};
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};

const CONFIG: &str = r#"
version: 1
listeners: { public: { bind: "127.0.0.1:0" } }
defaults: { authn: public, upstream: { timeout: 5s } }
apis:
  field:
    hosts: [api.test]
    base_path: /field
    upstream: { targets: ["http://UPSTREAM"] }
    version_by: { header: X-API-Version }
    cors: { origins: ["https://app.test"], headers: [x-api-version] }
    versions: &versions
      v1: { default: true, upstream: { targets: ["http://UPSTREAM"] }, routes: [{ id: one, path: "/{id}", methods: [GET] }] }
      v2: { routes: [{ id: two, path: "/{id}", methods: [GET, POST] }, { id: more, path: "/{id}/more", methods: [GET] }] }
  query:
    hosts: [api.test]
    base_path: /query
    upstream: { targets: ["http://UPSTREAM"] }
    version_by: { query: v }
    versions: *versions
  kept:
    hosts: [api.test]
    base_path: /kept
    upstream: { targets: ["http://UPSTREAM"] }
    version_by: { query: v }
    strip_version: false
    versions: *versions
  type:
    hosts: [api.test]
    base_path: /type
    upstream: { targets: ["http://UPSTREAM"] }
    version_by: { media_type: version }
    versions:
      v1: { routes: [{ path: "/{id}", methods: [GET] }] }
      v2: { routes: [{ path: "/{id}", methods: [GET] }] }
  path:
    hosts: [api.test]
    base_path: /path
    upstream: { targets: ["http://UPSTREAM"] }
    strip_version: true
    versions:
      v1: { routes: [{ path: "/{id}", methods: [GET] }] }
      v2: { default: true, routes: [{ path: "/{id}/more", methods: [GET] }] }
  below:
    hosts: [api.test]
    base_path: /field/other
    upstream: { targets: ["http://UPSTREAM"] }
    routes: [{ id: below, path: "/a/b", methods: [GET] }]
"#;

struct Gate {
    gate: Gatehouse,
    _upstream: FakeUpstream,
    _scratch: Scratch,
}

impl Gate {
    fn open() -> Self {
        let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
        let text = CONFIG.replace("UPSTREAM", &upstream.address().to_string());
        let loaded = load_text("gate.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
        let mut plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
        plan.status.bind = "127.0.0.1:0".parse().unwrap();
        Self { gate: Gatehouse::start(plan), _upstream: upstream, _scratch: scratch }
    }

    fn ask(&self, line: &str, fields: &str) -> Answer {
        Client::connect(self.gate.address()).ask(format!("{line} HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n"))
    }

    /// The version and the route that a request comes to.
    fn comes_to(&self, line: &str, fields: &str) -> (String, String) {
        let answer = self.ask(line, fields);
        assert_eq!(answer.status, 200, "{line} {fields}: {}", answer.text());
        let record = self.gate.records().of(answer.field("x-request-id").unwrap());
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        (text("version"), text("route"))
    }
}

#[test]
fn a_request_says_which_version_it_is_for() {
    let gate = Gate::open();
    for (line, fields, version, route) in [
        ("GET /field/7", "", "v1", "/field/{id}"),
        ("GET /field/7", "X-API-Version: v2\r\n", "v2", "/field/{id}"),
        ("GET /field/7/more", "x-api-version:  v2 \r\n", "v2", "/field/{id}/more"),
        ("GET /query/7", "", "v1", "/query/{id}"),
        ("GET /query/7?a=1&v=v2", "", "v2", "/query/{id}"),
        ("GET /query/7?%76=v%32", "", "v2", "/query/{id}"),
        ("GET /type/7", "Accept: application/json; version=v2\r\n", "v2", "/type/{id}"),
        ("GET /type/7", "Accept: text/html;Version=\"v1\", */*\r\n", "v1", "/type/{id}"),
        ("GET /path/v1/7", "", "v1", "/path/v1/{id}"),
        ("GET /field/other/a/b", "", "", "/field/other/a/b"),
        ("GET /field/other/a/b", "X-API-Version: v9\r\n", "", "/field/other/a/b"),
    ] {
        assert_eq!(gate.comes_to(line, fields), (version.to_owned(), route.to_owned()), "{line} {fields}");
    }
}

#[test]
fn a_version_that_is_not_there_is_refused_with_the_list() {
    let gate = Gate::open();
    for (line, fields, status, code) in [
        ("GET /field/7", "X-API-Version: v3\r\n", 404, "version_unknown"),
        ("GET /field/7", "X-API-Version:\r\n", 404, "version_unknown"),
        ("GET /field/7", "X-API-Version: v1\r\nX-API-Version: v2\r\n", 404, "version_unknown"),
        ("GET /field/7", "X-API-Version: v1, v2\r\n", 404, "version_unknown"),
        ("GET /query/7?v=v1&v=v2", "", 404, "version_unknown"),
        ("GET /query/7?v=", "", 404, "version_unknown"),
        // What some servers take for the same.
        ("GET /field/7", "X-API-Version: v1\r\nX_API_Version: v2\r\n", 404, "version_unknown"),
        ("GET /query/7?V=v2", "", 404, "version_unknown"),
        ("GET /query/7?v=v1&v[]=v2", "", 404, "version_unknown"),
        ("GET /query/7?a=1;v=v2", "", 404, "version_unknown"),
        ("GET /type/7", "", 406, "version_not_acceptable"),
        ("GET /type/7", "Accept: a/b; version=v1, c/d; version=v2\r\n", 406, "version_not_acceptable"),
        ("GET /path/v9/7", "", 404, "route_not_found"),
    ] {
        let answer = gate.ask(line, fields);
        problem(&answer, status, code, line);
        security_headers(&answer, line);
        assert!(answer.text().contains("this API has the versions v1, v2, named by"), "{}", answer.text());
    }
    // Within a version it is the path that nobody knows.
    let answer = gate.ask("GET /path/v1/7/8", "");
    assert!(answer.status == 404 && !answer.text().contains("versions"), "{}", answer.text());
    assert_eq!(gate.ask("POST /field/7", "Content-Length: 0\r\n").status, 405, "v1 has no POST");
    assert_eq!(gate.ask("POST /field/7", "X-API-Version: v2\r\nContent-Length: 0\r\n").status, 200);
}

#[test]
fn servers_see_nothing_of_the_choice_and_caches_all_of_it() {
    let gate = Gate::open();
    for (line, fields, seen, hidden) in [
        ("GET /field/7", "X-API-Version: v2\r\nX-Other: v\r\n", "GET /field/7 ", "x-api-version"),
        ("GET /query/7?a=1&v=v2&b=2", "", "GET /query/7?a=1&b=2 ", "v=v2"),
        ("GET /query/7?v=v2", "", "GET /query/7 ", "v=v2"),
        ("GET /query/7?%76=v%32", "", "GET /query/7 ", "%76"),
        ("GET /field/7", "X_API_Version: v2\r\n", "GET /field/7 ", "x_api_version"),
        (
            "GET /type/7",
            "Accept: application/json; version=v2, */*;q=0.1\r\n",
            "application/json, */*;q=0.1",
            "version=v2",
        ),
        ("GET /path/v1/7?a=1", "", "GET /path/7?a=1 ", "/v1"),
        ("GET /path/7/more", "", "GET /path/7/more ", "/v2"),
        ("GET /kept/7?v=v2", "", "GET /kept/7?v=v2 ", "x-api-version"),
    ] {
        let answer = gate.ask(line, fields);
        let text = answer.text();
        assert!(text.contains(seen), "{seen} in {text}");
        assert!(!text.to_ascii_lowercase().contains(hidden), "{hidden} in {text}");
    }
    let varies = |line: &str, fields: &str| gate.ask(line, fields).all("vary").join(", ");
    assert!(varies("GET /field/7", "").contains("x-api-version"));
    assert!(varies("GET /type/7", "Accept: */*; version=v1\r\n").contains("accept"));
    assert!(!varies("GET /query/7", "").contains("x-api-version"));
}

/// A browser asks without the field that says which version it is about.
#[test]
fn a_preflight_is_answered_for_whichever_version_has_the_route() {
    let gate = Gate::open();
    let asked = |line: &str, method: &str| {
        let fields = "Origin: https://app.test\r\nAccess-Control-Request-Headers: x-api-version\r\n";
        gate.ask(line, &format!("{fields}Access-Control-Request-Method: {method}\r\n"))
    };
    for (line, method) in [("OPTIONS /field/7", "GET"), ("OPTIONS /field/7", "POST"), ("OPTIONS /field/7/more", "GET")]
    {
        let answer = asked(line, method);
        assert_eq!(answer.status, 204, "{line} {method}: {}", answer.text());
        assert_eq!(answer.field("access-control-allow-methods"), Some(method), "{line}");
        assert_eq!(answer.field("access-control-allow-headers"), Some("x-api-version"), "{line}");
    }
    assert_eq!(asked("OPTIONS /field/7/none", "GET").status, 404);
    assert_eq!(asked("OPTIONS /field/7", "DELETE").status, 403, "what no version serves no page may call");
    // A query is there in a preflight as well, and says it.
    assert_eq!(asked("OPTIONS /query/7", "POST").status, 405);
}
