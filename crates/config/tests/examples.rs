//! Every file under `examples/` loads, and the longest of them gives the plan that it describes.

use std::path::{Path, PathBuf};

use portcullis_config::plan::{Authn, Balance, HostPattern, Methods};
use portcullis_config::{Environment, Loaded, effective_policy, load, routes};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn example(name: &str) -> Loaded {
    let path = root().join("examples").join(name);
    load(&path, &Environment::process()).unwrap_or_else(|failure| panic!("{}", failure.render(false)))
}

fn yaml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_example_loads() {
    let mut files = Vec::new();
    yaml_files(&root().join("examples"), &mut files);
    assert!(!files.is_empty());
    for path in files {
        // Parts that others include are no configurations of their own, and contracts none at all.
        if path.components().any(|part| part.as_os_str() == "parts" || part.as_os_str() == "contracts") {
            continue;
        }
        if let Err(failure) = load(&path, &Environment::process()) {
            panic!("{}", failure.render(false));
        }
    }
}

#[test]
fn the_full_example_means_what_it_says() {
    let plan = example("full.yaml").plan;
    assert_eq!(plan.workers.map(usize::from), Some(2));
    assert_eq!(plan.listeners.len(), 3);
    assert!(plan.listeners[2].provenance.proxy_protocol && plan.listeners[2].provenance.trusted.len() == 2);
    let orders = &plan.apis[0];
    assert_eq!(
        orders.hosts,
        [HostPattern::Exact("api.example.com".into()), HostPattern::Suffix(".example.org".into())]
    );
    assert_eq!(orders.base_path, "/orders");
    let [v1, v2] = orders.versions.as_slice() else { panic!("two versions") };
    assert_eq!(v1.path.as_deref(), Some("v1"));
    let pool = &v1.routes[0].upstream.pool;
    assert_eq!(pool.balance, Balance::Header("x-tenant".to_owned()));
    assert_eq!((pool.weights.as_slice(), pool.groups.as_slice()), ([1, 2, 1].as_slice(), [0, 0, 1].as_slice()));
    assert_eq!((pool.connections, pool.slow_start.as_secs()), (Some(1024), 30));
    assert!(!v1.default && v2.default);
    assert_eq!(v1.routes[0].authn, Authn::Public);
    assert_eq!(v1.routes[2].authn, Authn::Refuse);
    assert_eq!(v1.routes[1].timeout.as_secs(), 5);
    assert_eq!(v1.routes[0].timeout.as_secs(), 20);
    assert!(v1.routes[0].upstream.tls.is_none());
    let upstream = &v2.routes[0].upstream;
    assert_eq!(&*upstream.name, "orders/v2");
    assert!(upstream.targets[0].tls);
    assert_eq!(upstream.tls.as_ref().and_then(|tls| tls.server_name.as_deref()), Some("orders.internal"));
    assert_eq!(v2.routes[0].timeout.as_secs(), 20, "the total is the API's");
    assert_eq!(v2.routes[0].body_bytes, 0);
    let files = &plan.apis[1];
    assert_eq!(files.versions[0].name, None);
    assert_eq!(files.versions[0].routes[0].methods, Methods::Any);
    let export = plan.tracing.export.as_ref().expect("a collector");
    assert_eq!((export.collector.port, export.logs, plan.tracing.sample_millionths), (4318, false, 100_000));
    assert_eq!(export.headers[0].0, "x-scope");
    assert!(!format!("{export:?}").contains("gateway"), "values of header lines are never printed");
    assert_eq!(plan.watched.len(), 9, "the contract, the policies and what pages are made of are watched as well");
    assert_eq!(plan.hash.len(), 64);
}

#[test]
fn a_route_is_found_by_each_of_its_names() {
    let loaded = example("full.yaml");
    for (name, count) in [
        ("getOrder", 2),
        ("orders/getOrder", 2),
        ("orders/v1/getOrder", 1),
        ("GET /orders/v1/{id}", 1),
        ("GET /orders/{id}", 1),
        ("PATCH /files/{*rest}", 1),
        ("POST /orders/{id}", 0),
        ("getInvoice", 1),
        ("nothing", 0),
    ] {
        assert_eq!(effective_policy(&loaded, name).len(), count, "{name}");
    }
}

#[test]
fn each_setting_names_the_line_that_decided() {
    let loaded = example("full.yaml");
    let found = effective_policy(&loaded, "orders/v1/getOrder");
    let text = std::fs::read_to_string(root().join("examples/full.yaml")).expect("readable");
    for (setting, value, line) in [
        ("authn", "public", Some("authn: public")),
        ("timeout", "5s", Some("id: getOrder, path: \"/{id}\", methods: [GET], timeout: 5s")),
        ("body_bytes", "10MiB", Some("  body_bytes: 10MiB")),
        ("limits.per_address", "20/s burst 40 by address", Some("per_address: { rate: 20/s")),
        (
            "limits.per_team",
            "1000/10m sliding and 100000/month by header X-Team, address, route",
            Some("      per_team:"),
        ),
        (
            "limits.same_time",
            "10 at once by address",
            Some("id: getOrder, path: \"/{id}\", methods: [GET], timeout: 5s"),
        ),
        ("limits.bandwidth", "50MiB/s in bytes by address (observed)", Some("bandwidth: { key: [address]")),
        ("idle_connections", "64", Some("idle_connections: 64")),
        (
            "upstream.targets",
            "http://127.0.0.1:9000, http://127.0.0.1:9001",
            Some("targets: [\"http://127.0.0.1:9000\""),
        ),
    ] {
        let (_, lines) = &found[0];
        let policy = lines.iter().find(|line| line.setting == setting).unwrap_or_else(|| panic!("{setting}"));
        assert_eq!(policy.value, value, "{setting}");
        let origin = policy.origin.as_ref().map(|origin| text.lines().nth(origin.line as usize - 1).expect("a line"));
        match (origin, line) {
            (Some(origin), Some(line)) => assert!(origin.contains(line), "{setting}: {origin}"),
            (origin, line) => assert_eq!(origin, line, "{setting}"),
        }
    }
}

#[test]
fn the_table_of_routes_has_whole_paths() {
    let rows = routes(&example("full.yaml"));
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/orders/v1",
            "/orders/v1/{id}",
            "/orders/v1/{id}",
            "/orders/v2/{id}",
            "/files/{*rest}",
            "/files/live",
            "/{*method}",
            "/graphql",
            "/people/{id}",
            "/account/",
            "/account/secrets",
            "/account/partners",
            "/account/signed",
            "/",
            "/invoices/",
            "/invoices/{id}",
            "/",
            "/{userId}",
            "/{userId}",
            "/{userId}"
        ]
    );
    assert_eq!(rows[0].hosts, ["api.example.com", "*.example.org"]);
    assert_eq!(rows[4].methods, ["any"]);
}

#[test]
fn what_a_contract_spares_rules_is_told() {
    let loaded = example("full.yaml");
    for (route, said) in [
        ("createInvoice", Some("body json.lines.*.amount")),
        // Its only field is in the path, which rules see as a whole.
        ("getInvoice", None),
        ("getOrder", None),
    ] {
        let found = effective_policy(&loaded, route);
        let line = found[0].1.iter().find(|line| line.setting == "waf.spared").map(|line| line.value.as_str());
        assert_eq!(line.is_some(), said.is_some(), "{route}: {line:?}");
        let Some((line, said)) = line.zip(said) else { continue };
        let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        assert!(line.contains(said) && numbers[0] * 2 > numbers[1] && numbers[1] > 20, "{line}");
    }
}

#[test]
fn several_files_are_one_configuration() {
    let loaded = example("split/portcullis.yaml");
    let names: Vec<&str> = loaded.plan.apis.iter().map(|api| &*api.name).collect();
    assert_eq!(names, ["orders", "invoices"]);
    let watched: Vec<String> = loaded
        .plan
        .watched
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(watched, ["portcullis.yaml", "orders.yaml", "invoices.yaml", "orders-target.txt"]);
    let orders = &loaded.plan.apis[0].versions[0].routes[0];
    assert_eq!(orders.upstream.targets[0].port, 9000);
    assert!(orders.origin.file.ends_with("split/parts/orders.yaml"), "{}", orders.origin);
    let found = effective_policy(&loaded, "getInvoice");
    let authn = found[0].1.iter().find(|line| line.setting == "authn").expect("a decision");
    let origin = authn.origin.as_ref().expect("written");
    assert!(origin.file.ends_with("split/portcullis.yaml") && origin.line == 11, "{origin}");
    let locked: Vec<&str> = found[0].1.iter().filter(|line| line.locked).map(|line| line.setting.as_str()).collect();
    assert_eq!(locked, ["body_bytes", "allow_path_parameters"]);
}
