//! A site from a small configuration.

use crate::site;
use portcullis_config::{Environment, load_text};
use std::path::Path;

const TEXT: &str = "\
version: 1
listeners: { public: { bind: '127.0.0.1:8443', tls: { self_signed: { names: [api.example.com], directory: ./tls } } } }
apis:
  orders:
    hosts: [api.example.com]
    base_path: /orders
    authn: public
    upstream: { targets: ['https://10.0.0.1:9000'] }
    routes: [{ id: getOrder, path: '/{id}', methods: [GET] }]
";

#[test]
fn there_is_a_page_for_every_operation() {
    let loaded = load_text("test.yaml", TEXT, Path::new("."), &Environment::sealed()).unwrap();
    let site = site(&loaded.plan, "http://127.0.0.1:9901/problems/", &mut |_| Err("no files".to_owned())).unwrap();
    let page = String::from_utf8(site.file("apis/orders/getorder.html").unwrap().body.clone()).unwrap();
    assert!(page.contains("https://api.example.com:8443/orders/ID"), "{page}");
    assert!(page.contains("RateLimit-Policy: "), "{page}");
    assert!(site.file("index.html").unwrap().body.len() < 100 * 1024);
}
