//! `run` from start to end: ports that are taken, reloads, signals.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::support::{DEADLINE, Running, answer, folder, get, get_until, portcullis};

fn run(folder: &Path, file: &str) -> Running {
    Running::start(portcullis(folder, &["run", "-c", file]))
}

/// Writes a configuration made from another one, as one step: nobody sees half of it.
fn rewrite(folder: &Path, file: &str, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(folder.join(file)).expect("the file");
    fs::write(folder.join("next"), change(text)).expect("the folder can be written");
    fs::rename(folder.join("next"), folder.join(file)).expect("the file can be replaced");
}

/// A server that answers each request when it is told to.
fn slow_upstream() -> (SocketAddr, SyncSender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (go, told) = sync_channel::<()>(1);
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut head = [0; 4096];
        drop(stream.read(&mut head));
        if told.recv().is_ok() {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nlate\n"));
        }
    });
    (address, go)
}

#[test]
fn a_taken_port_is_one_line_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let bind = format!("127.0.0.1:{port}");
    for (section, from) in
        [("listeners.local", "local: { bind: \"127.0.0.1:0\""), ("status", "status: { bind: \"127.0.0.1:0\"")]
    {
        let folder = folder(&format!("taken-{section}"));
        rewrite(&folder, "good.yaml", |text| text.replace(from, &from.replace("127.0.0.1:0", &bind)));
        let output = portcullis(&folder, &["run", "-c", "good.yaml"]).output().expect("it runs");
        let expected = format!(
            "error: {section}: cannot listen on {bind}: the port is taken by another process; stop it or choose another port\n"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn start_is_told_in_lines() {
    let folder = folder("start");
    let mut running = run(&folder, "danger.yaml");
    let danger = running.line("danger");
    assert!(danger.contains("setting=listeners.open.danger_plaintext at=danger.yaml:3"), "{danger}");
    let listening = running.line("listening");
    assert!(listening.contains("listener=open address=0.0.0.0:") && listening.ends_with("scheme=http"), "{listening}");
    running.line("status address=127.0.0.1:");
    let ready = running.line("ready");
    assert!(ready.contains("config=danger.yaml config_hash="), "{ready}");
    running.signal("INT");
    running.line("stopped how=drained");
    assert_eq!(running.ended(), 0);
}

#[test]
fn lines_are_json_when_asked_for() {
    let folder = folder("start-json");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "good.yaml", "--format", "json"]));
    let ready: serde_json::Value = serde_json::from_str(&running.line("\"ready\"")).expect("JSON");
    assert_eq!((ready["event"].as_str(), ready["routes"].as_str()), (Some("ready"), Some("3")));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_reload_takes_all_or_nothing() {
    let folder = folder("reload");
    let mut running = run(&folder, "good.yaml");
    let (gateway, status) = (running.address("listening"), running.address("status"));
    running.line("ready");
    assert!(get(gateway, "/orders/v2/7").starts_with("HTTP/1.1 403"));
    assert!(get(gateway, "/orders/v2/7/items").starts_with("HTTP/1.1 404"));

    // Good: the new route answers.
    let route = "          - { id: items, path: \"/{id}/items\", methods: [GET] }\n";
    rewrite(&folder, "good.yaml", |text| text + route);
    running.signal("HUP");
    running.line("reloaded");
    assert!(get(gateway, "/orders/v2/7/items").starts_with("HTTP/1.1 403"));

    // Bad: all mistakes are told, and everything stays.
    rewrite(&folder, "good.yaml", |text| text.replace("authn: refuse", "autn: refuse").replace("60s", "sixty"));
    running.signal("HUP");
    running.line("reload_failed");
    running.line("unknown-setting");
    running.line("mistakes found");
    assert!(get(gateway, "/orders/v2/7/items").starts_with("HTTP/1.1 403"));
    let metrics = get(status, "/metrics");
    assert!(metrics.contains("\nportcullis_reloads_failed_total 1\n"), "{metrics}");
    assert!(get(status, "/readyz").starts_with("HTTP/1.1 200"));

    // What only a restart can change says so.
    rewrite(&folder, "good.yaml", |text| {
        text.replace("autn: refuse", "authn: refuse").replace("sixty", "60s").replace("{ to: off }", "{ to: stdout }")
    });
    running.signal("HUP");
    running.line("a change of access_log.file needs a restart");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn changed_files_are_noticed() {
    let folder = folder("watch");
    let names = ["localhost".to_owned()];
    for pair in ["one", "other"] {
        portcullis_proxy::ensure_self_signed(&names, &folder.join(pair)).expect("certificates");
    }
    rewrite(&folder, "mismatch.yaml", |text| text.replace("other/server-key.pem", "one/server-key.pem"));
    let mut running = run(&folder, "mismatch.yaml");
    let status = running.address("status");
    running.line("ready");
    // The certificate alone: it no longer matches its key, and the old pair stays in force.
    fs::copy(folder.join("other/server.pem"), folder.join("one/server.pem")).expect("a copy");
    running.line("reload_failed");
    running.line("does not belong to the certificate");
    // Its key: the new pair is taken over.
    fs::copy(folder.join("other/server-key.pem"), folder.join("one/server-key.pem")).expect("a copy");
    running.line("reloaded cause=\"a file changed\"");
    get_until(status, "/metrics", "\nportcullis_reloads_total 1\n");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_mended_include_is_noticed() {
    let folder = folder("watch-include");
    let mut running = run(&folder, "good.yaml");
    let gateway = running.address("listening");
    running.line("ready");
    // A new file with a mistake in it: only the configuration that failed names it.
    fs::write(folder.join("more.yaml"), "apis: [\n").expect("the folder can be written");
    rewrite(&folder, "good.yaml", |text| text + "include: [more.yaml]\n");
    running.line("reload_failed cause=\"a file changed\"");
    assert!(get(gateway, "/more").starts_with("HTTP/1.1 404"));
    let more = "apis: { more: { hosts: [\"*\"], upstream: { targets: [\"http://127.0.0.1:9000\"] },
      routes: [{ path: /more, methods: [GET] }] } }\n";
    rewrite(&folder, "more.yaml", |_| more.to_owned());
    running.line("reloaded cause=\"a file changed\"");
    assert!(get(gateway, "/more").starts_with("HTTP/1.1 403"));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn open_requests_end_before_the_process() {
    let folder = folder("drain");
    let (upstream, go) = slow_upstream();
    rewrite(&folder, "good.yaml", |text| {
        text.replace("\"http://127.0.0.1:9000\", \"https://orders.internal:8443\"", &format!("\"http://{upstream}\""))
    });
    let mut running = run(&folder, "good.yaml");
    let (gateway, status) = (running.address("listening"), running.address("status"));
    running.line("ready");
    let mut client = TcpStream::connect(gateway).expect("it listens");
    client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client.write_all(b"GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
    get_until(status, "/metrics", "\nportcullis_connections 1\n");
    running.signal("TERM");
    running.line("draining deadline_s=60");
    assert!(get(status, "/readyz").starts_with("HTTP/1.1 503"));
    assert!(get(status, "/livez").starts_with("HTTP/1.1 200"));
    go.send(()).expect("the upstream waits");
    let answer = answer(client);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("late\n"), "{answer}");
    running.line("stopped how=drained");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = folder("impatient");
    let (upstream, _go) = slow_upstream();
    rewrite(&folder, "good.yaml", |text| {
        text.replace("\"http://127.0.0.1:9000\", \"https://orders.internal:8443\"", &format!("\"http://{upstream}\""))
    });
    let mut running = run(&folder, "good.yaml");
    let (gateway, status) = (running.address("listening"), running.address("status"));
    running.line("ready");
    let mut client = TcpStream::connect(gateway).expect("it listens");
    client.write_all(b"GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
    get_until(status, "/metrics", "\nportcullis_connections 1\n");
    running.signal("TERM");
    // Some send a signal to a process and to its group: two in one instant are one.
    running.signal("TERM");
    running.line("draining");
    running.signal_until_ended("TERM");
    running.line("stopped how=at_once");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_log_that_takes_nothing_does_not_hold_the_end_back() {
    let folder = folder("blocked-log");
    rewrite(&folder, "good.yaml", |text| {
        let text = text.replace("{ to: off }", "{ to: stdout }").replace("deadline: 60s", "deadline: 1s");
        text.replace("authn: refuse }", "authn: refuse, limits: { per_address: { mode: off } } }")
    });
    // Nobody reads the pipe.
    let mut running = Running::start_with(portcullis(&folder, &["run", "-c", "good.yaml"]), Stdio::piped());
    let gateway = running.address("listening");
    running.line("ready");
    let path = format!("/orders/v2/{}", "7".repeat(2000));
    for _ in 0..300 {
        assert!(get(gateway, &path).starts_with("HTTP/1.1 403"));
    }
    running.signal("TERM");
    running.line("draining deadline_s=1");
    running.line("not_written what=\"the last records of the access log\"");
    running.line("stopped how=forced");
    assert_eq!(running.ended(), 1);
}

#[test]
fn as_many_header_lines_as_can_be_set_can_be_read() {
    let folder = folder("header-lines");
    let with = |count: u32| {
        let limits = format!("local: {{ limits: {{ headers: {count} }}, ");
        rewrite(&folder, "good.yaml", |text| {
            text.lines()
                .map(|line| {
                    if line.contains("local:") {
                        format!("  {limits}bind: \"127.0.0.1:0\" }}\n")
                    } else {
                        format!("{line}\n")
                    }
                })
                .collect()
        });
    };
    let most = portcullis_config::schema()["$defs"]["ListenerLimits"]["properties"]["headers"]["maximum"].as_u64();
    let most = u32::try_from(most.expect("a maximum")).expect("a small number");
    with(most);
    let mut running = run(&folder, "good.yaml");
    let gateway = running.address("listening");
    running.line("ready");
    for (lines, expect) in [(most, "HTTP/1.1 403"), (most + 1, "HTTP/1.1 431"), (2, "HTTP/1.1 403")] {
        let mut stream = TcpStream::connect(gateway).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        // Two of them are always there.
        let more: String = (2..lines).map(|number| format!("x-{number}: 1\r\n")).collect();
        write!(stream, "GET /orders/v2/7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n")
            .expect("it reads");
        let answer = answer(stream);
        assert!(answer.starts_with(expect), "{lines}: {answer}");
    }
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    with(1000);
    let output = portcullis(&folder, &["run", "-c", "good.yaml"]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("help: choose a value from 1 to 256"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
