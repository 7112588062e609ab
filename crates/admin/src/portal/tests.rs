//! Pages over real connections, before and after a change.

use super::Portal;
use portcullis_config::{Environment, load_text};
use portcullis_portal::Site;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

fn site(api: &str) -> Site {
    let text = format!(
        "version: 1\nlisteners: {{ local: {{ bind: '127.0.0.1:0' }} }}\napis: {{ {api}: {{ hosts: ['*'], upstream: {{ targets: ['http://127.0.0.1:9'] }}, routes: [{{ id: one, path: /, methods: [GET], authn: public }}] }} }}\n"
    );
    let loaded = load_text("test.yaml", &text, Path::new(""), &Environment::sealed()).unwrap();
    portcullis_portal::site(&loaded.plan, "http://127.0.0.1/problems/", &mut |_| Err("none".to_owned())).unwrap()
}

fn ask(portal: &Portal, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(portal.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk) {
        if count == 0 {
            break;
        }
        answer.push_str(&String::from_utf8_lossy(&chunk[..count]));
    }
    answer
}

#[test]
fn pages_are_those_of_the_policy_in_force() {
    let portal = Portal::listen(SocketAddr::from(([127, 0, 0, 1], 0)), site("orders")).unwrap();
    for (method, path, status, holds) in [
        ("GET", "/", "200", "apis/orders/index.html"),
        ("GET", "/apis/orders/one.html", "200", "<h1>one</h1>"),
        ("GET", "/apis/orders/", "200", "Operations"),
        ("GET", "/assets/style.css", "200", "text/css"),
        ("GET", "/.well-known/api-catalog", "200", "application/linkset+json"),
        ("HEAD", "/", "200", "text/html; charset=utf-8"),
        ("GET", "/apis/../etc/passwd", "404", "no such page"),
        ("GET", "/apis/users/one.html", "404", "no such page"),
        ("POST", "/", "405", "only GET"),
    ] {
        let answer = ask(&portal, method, path);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(holds), "{path}: {answer}");
        assert!(answer.contains("content-security-policy: default-src 'self'; script-src 'self'"), "{path}: {answer}");
        assert!(!answer.contains("unsafe-"), "{path}: {answer}");
    }
    portal.show(site("users"));
    assert!(ask(&portal, "GET", "/apis/users/one.html").starts_with("HTTP/1.1 200"));
    assert!(ask(&portal, "GET", "/apis/orders/one.html").starts_with("HTTP/1.1 404"));
    portal.stop();
}
