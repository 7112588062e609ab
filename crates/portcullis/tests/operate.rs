//! A running gateway and those who operate it: commands over the admin socket, systemd, listeners that come and go.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use portcullis_types::Clock;
use serde_json::Value;

use crate::support::{DEADLINE, Running, folder, get, get_until, portcullis};

fn with_socket(folder: &Path) {
    let text = fs::read_to_string(folder.join("good.yaml")).expect("the file");
    fs::write(folder.join("good.yaml"), text + "admin: { socket: admin.sock }\n").expect("it can be written");
}

fn run(folder: &Path) -> Running {
    Running::start(portcullis(folder, &["run", "-c", "good.yaml"]))
}

fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = portcullis(folder, arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn change(folder: &Path, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(folder.join("good.yaml")).expect("the file");
    fs::write(folder.join("next"), change(text)).expect("the folder can be written");
    fs::rename(folder.join("next"), folder.join("good.yaml")).expect("the file can be replaced");
}

#[test]
fn commands_ask_the_running_gateway() {
    let folder = folder("commands");
    with_socket(&folder);
    let (code, _, error) = ask(&folder, &["status", "-c", "good.yaml"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no gateway answers on admin.sock"), "{error}");
    let mut running = run(&folder);
    let gateway = running.address("listening");
    running.line("admin socket=admin.sock");
    running.line("ready");
    assert_eq!(fs::metadata(folder.join("admin.sock")).expect("it is there").permissions().mode() & 0o777, 0o600);

    let (code, text, error) = ask(&folder, &["status", "-c", "good.yaml"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    for part in ["serving  portcullis ", "reloads        0 done, 0 failed", &gateway.to_string(), "UPSTREAM"] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
    let (code, text, _) = ask(&folder, &["status", "--socket", "admin.sock", "--format", "json"]);
    let status: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (code, &status["phase"], &status["listeners"][0]["name"]),
        (Some(0), &"serving".into(), &"local".into())
    );

    let (code, text, error) = ask(&folder, &["contract", "report", "-c", "good.yaml"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert_eq!(text, "no API has a contract; add `openapi: FILE` to one\n");
    let (code, _, error) = ask(&folder, &["contract", "report", "orders", "--socket", "admin.sock"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("has no API `orders` with a contract"), "{error}");

    let (code, text, error) = ask(&folder, &["reload", "-c", "good.yaml"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(text.starts_with("reloaded, configuration "), "{text}");
    running.line("reloaded cause=admin");

    // The mistakes come back to whoever asked, and everything stays.
    change(&folder, |text| text.replace("authn: refuse", "autn: refuse"));
    running.line("reload_failed cause=\"a file changed\"");
    let (code, text, _) = ask(&folder, &["reload", "--socket", "admin.sock"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("error[unknown-setting]") && text.contains("not reloaded"), "{text}");
    let (code, text, _) = ask(&folder, &["reload", "--socket", "admin.sock", "--format", "json"]);
    let refused: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &refused["reloaded"]), (Some(1), &Value::Bool(false)));
    assert_eq!(refused["details"]["diagnostics"][0]["code"], "unknown-setting", "{text}");
    let (_, text, _) = ask(&folder, &["status", "--socket", "admin.sock", "--format", "json"]);
    let status: Value = serde_json::from_str(&text).expect("JSON");
    assert!(status["reloads"]["last_error"].as_str().expect("why").contains("autn"), "{text}");
    let (code, _, error) = ask(&folder, &["status", "-c", "good.yaml"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("name the socket with `--socket PATH`"), "{error}");

    // Mistakes are an answer to who asks to reload, also where they hide the socket.
    let (code, text, error) = ask(&folder, &["reload", "-c", "good.yaml"]);
    assert_eq!((code, text.as_str()), (Some(1), ""), "{error}");
    assert!(error.contains("error[unknown-setting]"), "{error}");

    let (code, text, error) = ask(&folder, &["drain", "--socket", "admin.sock"]);
    assert_eq!((code, text.as_str()), (Some(0), "drained\n"), "{error}");
    running.line("stopped how=drained");
    assert_eq!(running.ended(), 0);
    assert!(!folder.join("admin.sock").exists());
}

#[test]
fn two_gateways_do_not_share_a_socket() {
    let folder = folder("one-socket");
    with_socket(&folder);
    let mut running = run(&folder);
    running.line("ready");
    let (code, _, error) = ask(&folder, &["run", "-c", "good.yaml"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("another gateway answers on admin.sock"), "{error}");
    let (code, _, _) = ask(&folder, &["status", "-c", "good.yaml"]);
    assert_eq!(code, Some(0), "the first one answers as before");
    // Killed without a chance to clean up: the next one replaces what is left.
    running.signal("KILL");
    drop(running);
    assert!(folder.join("admin.sock").exists());
    let mut running = run(&folder);
    running.line("ready");
    assert_eq!(ask(&folder, &["status", "-c", "good.yaml"]).0, Some(0));
}

#[test]
fn what_has_no_socket_says_so() {
    let folder = folder("no-socket");
    for command in ["status", "reload", "drain"] {
        let (code, _, error) = ask(&folder, &[command, "-c", "good.yaml"]);
        assert_eq!(code, Some(2));
        assert!(error.contains("good.yaml has no admin socket; add `admin: { socket: admin.sock }`"), "{error}");
    }
}

#[test]
fn a_listener_added_to_the_file_is_served() {
    let folder = folder("add-listener");
    let mut running = run(&folder);
    let gateway = running.address("listening");
    running.line("ready");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let with = |address: SocketAddr| {
        change(&folder, |text| {
            let kept: String =
                text.lines().filter(|line| !line.contains("more:")).map(|line| format!("{line}\n")).collect();
            kept.replacen("listeners:\n", &format!("listeners:\n  more: {{ bind: \"{address}\" }}\n"), 1)
        });
    };
    with(taken.local_addr().expect("an address"));
    running.signal("HUP");
    running.line("reload_failed");
    running.line("listeners.more: cannot listen on");
    with(free);
    running.signal("HUP");
    running.line("reloaded");
    get_until(free, "/orders/v2/7", "HTTP/1.1 403");
    change(&folder, |text| {
        text.lines().filter(|line| !line.contains("more:")).map(|line| format!("{line}\n")).collect()
    });
    running.signal("HUP");
    running.line("reloaded");
    until(|| TcpStream::connect(free).is_err(), "the port is closed");
    assert!(get(gateway, "/orders/v2/7").starts_with("HTTP/1.1 403"));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

fn until(mut is_so: impl FnMut() -> bool, what: &str) {
    let clock = Clock::system();
    while !is_so() {
        assert!(clock.millis() < 30_000, "{what}");
        // SLEEP: between two looks; the deadline is above.
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What systemd would hear.
fn heard(socket: &UnixDatagram, with: &str) -> String {
    let mut room = [0; 4096];
    for _ in 0..1000 {
        let count = socket.recv(&mut room).unwrap_or_else(|error| panic!("no `{with}`: {error}"));
        let text = String::from_utf8_lossy(room.get(..count).unwrap_or_default()).into_owned();
        if text.contains(with) {
            return text;
        }
    }
    panic!("no `{with}`");
}

#[test]
fn systemd_hears_how_it_goes() {
    let folder = folder("systemd");
    let manager = UnixDatagram::bind(folder.join("notify")).expect("a socket");
    manager.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let mut command = portcullis(&folder, &["run", "-c", "good.yaml"]);
    command.env("NOTIFY_SOCKET", folder.join("notify")).env("WATCHDOG_USEC", "400000");
    let mut running = Running::start(command);
    assert_eq!(heard(&manager, "READY=1"), "READY=1\nSTATUS=serving 3 routes");
    for _ in 0..3 {
        assert_eq!(heard(&manager, "WATCHDOG=1"), "WATCHDOG=1");
    }
    running.signal("HUP");
    let reloading = heard(&manager, "RELOADING=1");
    let usec = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).expect("a moment");
    assert!(usec.parse::<u64>().expect("a number") > 0);
    heard(&manager, "READY=1");
    change(&folder, |text| text.replace("authn: refuse", "autn: refuse"));
    running.signal("HUP");
    heard(&manager, "RELOADING=1");
    let refused = heard(&manager, "READY=1");
    assert!(refused.contains("STATUS=serving; the last configuration was not taken over"), "{refused}");
    running.signal("TERM");
    heard(&manager, "STOPPING=1");
    running.line("stopped");
    assert_eq!(running.ended(), 0);
    // A name that leads nowhere would let systemd wait in vain.
    let mut command = portcullis(&folder, &["run", "-c", "danger.yaml"]);
    let output = command.env("NOTIFY_SOCKET", "/no/such/socket").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_process_that_stands_still_gives_no_sign_of_life() {
    let folder = folder("watchdog");
    let manager = UnixDatagram::bind(folder.join("notify")).expect("a socket");
    manager.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let mut command = portcullis(&folder, &["run", "-c", "good.yaml"]);
    command.env("NOTIFY_SOCKET", folder.join("notify")).env("WATCHDOG_USEC", "400000");
    let running = Running::start(command);
    heard(&manager, "WATCHDOG=1");
    running.signal("STOP");
    manager.set_read_timeout(Some(Duration::from_secs(1))).expect("a deadline");
    // What was on its way.
    let mut room = [0; 4096];
    while manager.recv(&mut room).is_ok() {}
    assert!(manager.recv(&mut room).is_err(), "a whole second without a sign");
    running.signal("CONT");
    manager.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    heard(&manager, "WATCHDOG=1");
    // The watchdog of another process is none of our business.
    drop(running);
    let mut command = portcullis(&folder, &["run", "-c", "good.yaml"]);
    command.env("NOTIFY_SOCKET", folder.join("notify")).env("WATCHDOG_USEC", "400000").env("WATCHDOG_PID", "1");
    let _running = Running::start(command);
    heard(&manager, "READY=1");
    manager.set_read_timeout(Some(Duration::from_secs(1))).expect("a deadline");
    assert!(manager.recv(&mut room).is_err(), "no sign is asked for");
}

/// As systemd does: the socket is descriptor 3 of a process that finds its own number in the environment.
fn activated(folder: &Path, socket: TcpListener, names: &str) -> Command {
    let mut command = Command::new("sh");
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ exec \"$0\" run -c good.yaml";
    command.args(["-c", script, env!("CARGO_BIN_EXE_portcullis")]).current_dir(folder);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", names);
    command.stdin(Stdio::from(OwnedFd::from(socket)));
    command
}

#[test]
fn a_socket_of_systemd_is_the_listener_of_its_name() {
    let folder = folder("activation");
    let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let socket = listen();
    let address = socket.local_addr().expect("an address");
    // A client that came before the gateway did.
    let early = TcpStream::connect(address).expect("systemd listens");
    let mut running = Running::start(activated(&folder, socket, "local"));
    assert_eq!(running.address("listening"), address);
    running.line("ready");
    for _ in 0..20 {
        assert!(get(address, "/orders/v2/7").starts_with("HTTP/1.1 403"));
    }
    drop(early);
    running.signal("TERM");
    assert_eq!(running.ended(), 0);

    // A single socket that is named after its unit is the single listener's.
    let socket = listen();
    let address = socket.local_addr().expect("an address");
    let mut running = Running::start(activated(&folder, socket, "portcullis.socket"));
    assert_eq!(running.address("listening"), address);
    running.line("ready");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);

    let mut running = Running::start(activated(&folder, listen(), "nobody"));
    running.line("the socket `nobody` was inherited, but there is no listener of that name");
    assert_eq!(running.ended(), 2);

    change(&folder, |text| text.replace("local: { bind: \"127.0.0.1:0\"", "local: { bind: \"127.0.0.1:7\""));
    let mut running = Running::start(activated(&folder, listen(), "local"));
    running.line("the configuration says 127.0.0.1:7; make them the same");
    assert_eq!(running.ended(), 2);
}

#[test]
fn an_end_that_cuts_requests_off_is_told_as_one() {
    // A server that takes the request and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = silent.local_addr().expect("an address").to_string();
    let folder = folder("cut-off");
    with_socket(&folder);
    change(&folder, |text| text.replace("deadline: 60s", "deadline: 1s").replace("127.0.0.1:9000", &server));
    change(&folder, |text| text.replace(", \"https://orders.internal:8443\"", ""));
    let mut running = run(&folder);
    let gateway = running.address("listening");
    running.line("ready");
    let waiting = std::thread::spawn(move || get(gateway, "/orders/v1"));
    let (connection, _) = silent.accept().expect("the request comes");
    let (code, text, error) = ask(&folder, &["drain", "-c", "good.yaml"]);
    assert_eq!((code, text.as_str()), (Some(1), "ended at its deadline with 1 connections open\n"), "{error}");
    running.line("stopped how=");
    waiting.join().expect("the client ends");
    drop(connection);
}

#[test]
fn limits_are_shown_and_forgiven() {
    let folder = folder("limits");
    with_socket(&folder);
    change(&folder, |text| {
        let limit = "defaults: { authn: refuse, limits: { per_address: { rate: 1/h, burst: 2 } } }";
        text.replace("defaults: { authn: refuse }", limit)
    });
    let mut running = run(&folder);
    let gateway = running.address("listening");
    running.line("ready");
    let ask = |words: &str| {
        let words: Vec<&str> = words.split(' ').chain(["-c", "good.yaml"]).collect();
        ask(&folder, &words)
    };
    let (code, text, error) = ask("limits show");
    assert_eq!(code, Some(0), "{error}");
    assert!(text.contains("defaults.limits.per_address") && text.contains("enforce"), "{text}");
    for (status, left) in [(403, "1 of 2 left"), (403, "0 of 2 left"), (429, "0 of 2 left")] {
        assert!(get(gateway, "/orders/v2/7").starts_with(&format!("HTTP/1.1 {status}")));
        let (code, text, error) = ask("limits show defaults.limits.per_address 127.0.0.1");
        assert_eq!(code, Some(0), "{error}");
        assert!(text.starts_with(left), "{text}");
    }
    let (code, text, _) = ask("limits reset defaults.limits.per_address 127.0.0.1");
    assert_eq!((code, text.as_str()), (Some(0), "forgotten\n"));
    assert!(get(gateway, "/orders/v2/7").starts_with("HTTP/1.1 403"));
    let (code, text, _) = ask("limits reset defaults.limits.per_address 192.0.2.1");
    assert_eq!((code, text.as_str()), (Some(1), "there was nothing to forget\n"));
    for (words, why) in [
        ("limits show defaults.limits.nothing 192.0.2.1", "there is no limit `defaults.limits.nothing`"),
        ("limits show defaults.limits.per_address shop", "`shop` is no address"),
        ("limits reset defaults.limits.per_address 192.0.2.1 shop", "is named by address"),
    ] {
        let (code, _, error) = ask(words);
        assert_eq!(code, Some(2), "{words}");
        assert!(error.contains(why), "{words}: {error}");
    }
}

#[test]
fn load_balancers_have_time_to_notice_the_end() {
    let folder = folder("grace");
    change(&folder, |text| text.replace("deadline: 60s", "grace: 2s, deadline: 60s"));
    let mut running = run(&folder);
    let (gateway, status) = (running.address("listening"), running.address("status"));
    running.line("ready");
    running.signal("TERM");
    running.line("draining grace_s=2 deadline_s=60");
    assert!(get(status, "/readyz").starts_with("HTTP/1.1 503"));
    assert!(get(gateway, "/orders/v2/7").starts_with("HTTP/1.1 403"), "who has not noticed is still served");
    running.line("stopped how=drained");
    assert_eq!(running.ended(), 0);
}
