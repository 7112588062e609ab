//! Who still calls a version, told by a running gateway's store, and kept through its restart.

use std::fs;

use portcullis_testkit::deadline::eventually;
use serde_json::Value;

use crate::keys::{ask, status_of, text};
use crate::support::{Running, folder, portcullis};

const CONFIG: &str = "version: 1
listeners: { local: { bind: '127.0.0.1:0', trusted_proxies: [127.0.0.1] } }
status: { bind: '127.0.0.1:0' }
access_log: { to: off }
store: { path: ./data }
apis:
  orders:
    hosts: ['*']
    base_path: /orders
    authn: { any_of: [{ api_key: {} }] }
    upstream: { targets: ['http://127.0.0.1:9'] }
    versions:
      v1: { sunset_at: 2099-01-01, routes: [{ path: /, methods: [GET] }] }
      v2: { routes: [{ path: /, methods: [GET] }] }
";

/// Of each version, who called it how often.
fn callers(report: &Value) -> Vec<(String, Vec<(String, u64)>)> {
    let all = |value: &Value, name: &str| value[name].as_array().cloned().expect("a list");
    let who = |caller: &Value| caller["id"].as_str().unwrap_or(text(caller, "kind")).to_owned();
    let one = |caller: &Value| (who(caller), caller["calls"].as_u64().expect("a number"));
    let row = |row: &Value| {
        let mut callers: Vec<_> = all(row, "callers").iter().map(one).collect();
        callers.sort();
        (text(row, "version").to_owned(), callers)
    };
    all(report, "versions").iter().map(row).collect()
}

#[test]
fn who_calls_a_version_is_known_after_a_restart() {
    let folder = folder("versions-live");
    fs::write(folder.join("keys.yaml"), CONFIG).expect("a configuration");
    let key = |consumer: &str| text(&ask(&folder, &["keys", "create", "--consumer", consumer]).1, "key").to_owned();
    let (shop, lab) = (key("shop"), key("lab"));
    let expected = |shop: u64| {
        let named = |name: &str, calls: u64| (name.to_owned(), calls);
        vec![
            ("v1".to_owned(), vec![named("shop", shop)]),
            ("v2".to_owned(), vec![named("lab", 1), named("unknown", 1)]),
        ]
    };
    for (round, calls) in [(1, 3), (2, 2)] {
        let mut running = Running::start(portcullis(&folder, &["run", "-c", "keys.yaml"]));
        let gateway = running.address("listening");
        running.line("ready");
        // The server is not there; whoever is let in gets 502.
        (0..calls).for_each(|_| assert_eq!(status_of(gateway, "/orders/v1/", &shop), "502"));
        if round == 1 {
            assert_eq!(status_of(gateway, "/orders/v2/", &lab), "502");
            assert_eq!(status_of(gateway, "/orders/v2/", "pk_nobody"), "401");
        }
        let expected = expected(if round == 1 { 3 } else { 5 });
        eventually("the calls are told", || {
            let (code, told) = ask(&folder, &["versions", "report"]);
            assert_eq!(code, Some(0));
            (callers(&told) == expected).then_some(())
        });
        running.signal("TERM");
        assert_eq!(running.ended(), 0);
    }
}
