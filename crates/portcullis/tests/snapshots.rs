//! What each command prints and how it ends, word for word. Each case is a file in `snapshots`.

use std::fs;
use std::path::Path;

use crate::support::{folder, golden, portcullis};

/// Name of the file; arguments; what is left out of the comparison because it differs from machine to machine.
fn check(name: &str, lines: &[&str]) {
    let folder = folder(&format!("snapshot-{name}"));
    certificates(&folder);
    let mut text = String::new();
    for line in lines {
        let arguments: Vec<&str> = split(line);
        let output = portcullis(&folder, &arguments).output().expect("it runs");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        text.push_str(&format!("$ portcullis {line}\nexit {}\n", output.status.code().expect("an exit code")));
        for (stream, content) in [("stdout", out), ("stderr", err)] {
            if !content.is_empty() {
                text.push_str(&format!("--- {stream}\n{}", filtered(&content)));
            }
        }
        text.push('\n');
    }
    golden(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt")), &text);
}

/// Two pairs, so that the key of one is not the key of the other.
fn certificates(folder: &Path) {
    for pair in ["one", "other"] {
        portcullis_proxy::ensure_self_signed(&["localhost".to_owned()], &folder.join(pair)).expect("certificates");
    }
}

/// Words; single quotes keep blanks.
fn split(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace()),
            _ => words.push(part),
        }
    }
    words
}

fn filtered(text: &str) -> String {
    let machine = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim_end().replace(&machine, "MACHINE").replace("debug, MACHINE", "BUILD, MACHINE");
        let line = line.replace("release, MACHINE", "BUILD, MACHINE");
        let line = line.replace(&format!("\"arch\": \"{}\"", std::env::consts::ARCH), "\"arch\": \"ARCH\"");
        let line = line.replace("\"profile\": \"debug\"", "\"profile\": \"BUILD\"");
        let line = line.replace("\"profile\": \"release\"", "\"profile\": \"BUILD\"");
        let words: Vec<String> = line.split(' ').map(without_digest).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// A digest changes with every edit of a file, which says nothing here.
fn without_digest(word: &str) -> String {
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bare = word.trim_matches(['"', ',']);
    if is_hex(bare) { word.replace(bare, "DIGEST") } else { word.to_owned() }
}

#[test]
fn help() {
    check("help", &["--help", "", "--version", "nonsense", "validate --format yaml"]);
}

#[test]
fn validate() {
    let lines = [
        "validate -c good.yaml",
        "validate -c good.yaml --format json",
        "validate -c bad.yaml",
        "validate -c bad.yaml --format json",
        "validate -c danger.yaml",
        "validate -c danger.yaml --format json",
        "validate -c mismatch.yaml",
        "validate -c mismatch.yaml --format json",
    ];
    check("validate", &lines);
}

#[test]
fn what_is_not_there() {
    let lines = [
        "validate",
        "run",
        "run -c nowhere/portcullis.yaml",
        "routes -c .",
        "run -c bad.yaml",
        "run -c mismatch.yaml",
        "init --openapi nowhere.yaml --upstream http://127.0.0.1:9000",
        "explain -c good.yaml GET http://localhost/orders/v1 --body nowhere.json",
        "demo --data-dir good.yaml",
    ];
    check("what-is-not-there", &lines);
}

#[test]
fn contract() {
    let lines = [
        "contract check contract.yaml",
        "contract check contract.yaml --format json",
        "contract check contract.yaml --format sarif",
        "contract check good.yaml",
        "contract check nowhere.yaml",
    ];
    check("contract", &lines);
}

#[test]
fn contract_diff() {
    let lines = [
        "contract diff contract.yaml contract-next.yaml",
        "contract diff contract-next.yaml contract.yaml",
        "contract diff contract.yaml contract.yaml",
        "contract diff contract.yaml contract-next.yaml --format json",
        "contract diff contract.yaml contract-next.yaml --format sarif",
        "contract diff contract.yaml good.yaml",
        "contract diff nowhere.yaml contract.yaml",
        "validate -c marked.yaml",
        "validate -c marked.yaml --format json",
    ];
    check("contract-diff", &lines);
}

#[test]
fn mask() {
    check("mask", &["mask report -c marked.yaml", "mask report -c marked.yaml --format json"]);
}

#[test]
fn versions() {
    let lines = [
        "versions report -c marked.yaml",
        "versions report -c good.yaml",
        "versions report -c marked.yaml --api nothing",
        "versions report -c marked.yaml --format json",
    ];
    check("versions", &lines);
}

#[test]
fn routes() {
    check("routes", &["routes -c good.yaml", "routes -c good.yaml --format json", "routes -c bad.yaml"]);
}

#[test]
fn effective_policy() {
    let lines = [
        "effective-policy -c good.yaml orders/v1/getOrder",
        "effective-policy -c good.yaml getOrder",
        "effective-policy -c good.yaml 'GET /orders/v1' --format json",
        "effective-policy -c good.yaml nobody",
    ];
    check("effective-policy", &lines);
}

#[test]
fn explain() {
    let lines = [
        "explain -c good.yaml GET http://localhost/orders/v1/7 -H 'X-Consumer-ID: admin' -H 'Accept: */*'",
        "explain -c good.yaml GET http://localhost/orders/v2/7",
        "explain -c good.yaml GET http://localhost/orders/v2/7 --format json",
        "explain -c good.yaml GET http://localhost/orders/v1/a%2fb",
        "explain -c good.yaml DELETE http://localhost/orders/v1/7",
        "explain -c good.yaml GET http://localhost/orders/v1 -H nonsense",
    ];
    check("explain", &lines);
}

#[test]
fn access() {
    let lines = [
        "access matrix -c access.yaml",
        "access matrix -c access.yaml --format json",
        "access diff access.yaml access-new.yaml",
        "access diff access-new.yaml access.yaml --format json",
        "access diff access.yaml access.yaml",
        "access test -c access.yaml access-tests.yaml",
        "access test -c access-new.yaml access-tests.yaml --format json --all-rules",
        "access test -c access.yaml access-tests-bad.yaml",
        "access test -c access.yaml nowhere.yaml",
        "effective-policy -c access.yaml getUser",
        "explain -c access.yaml GET http://localhost/shop/health",
    ];
    check("access", &lines);
}

#[test]
fn init() {
    let lines = [
        "init --openapi contract.yaml --upstream http://127.0.0.1:9000",
        "validate",
        "init --openapi contract.yaml --upstream http://127.0.0.1:9000",
        "init --openapi nonsense.yaml --upstream http://127.0.0.1:9000 --output other.yaml",
        "init --openapi contract.yaml --upstream nonsense --output other.yaml",
    ];
    check("init", &lines);
}

#[test]
fn waf() {
    let lines = [
        "waf check",
        "waf check --format json",
        "waf check --rules bad-rules.conf",
        "waf explain attack.txt",
        "waf explain attack.txt --format json",
        "waf explain good.txt --paranoia 2",
        "waf explain no-such-request.txt",
        "waf tune records.log",
        "waf tune records.log --format json",
    ];
    check("waf", &lines);
}

#[test]
fn problems_and_version() {
    let lines = [
        "problems route_closed",
        "problems route_closed --format json",
        "problems nonsense",
        "version",
        "version --json",
        "version --format json",
        "version --json --format text",
    ];
    check("problems-and-version", &lines);
}

#[test]
fn man() {
    check("man", &["man", "man validate", "man nonsense"]);
}

/// Too long to be worth reading as a snapshot.
#[test]
fn generated_texts_are_whole() {
    let folder = folder("generated");
    for (arguments, begins, holds) in [
        (&["completions", "bash"][..], "_portcullis()", "effective-policy"),
        (&["completions", "zsh"][..], "#compdef portcullis", "effective-policy"),
        (&["completions", "fish"][..], "", "effective-policy"),
        (&["schema"][..], "{", "\"danger_plaintext\""),
        (&["problems", "--format", "json"][..], "{", "\"upstream_timeout\""),
    ] {
        let output = portcullis(&folder, arguments).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}");
        assert!(text.starts_with(begins) && text.contains(holds), "{arguments:?}:\n{text}");
    }
}

#[test]
fn nothing_is_coloured_where_nobody_sees_it() {
    let folder = folder("colours");
    for arguments in [&["routes", "-c", "good.yaml"][..], &["validate", "-c", "bad.yaml"][..], &["run"][..]] {
        let output = portcullis(&folder, arguments).env("TERM", "xterm-256color").output().expect("it runs");
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty() && !all.contains(&0x1b), "{arguments:?}");
    }
}

/// `portcullis schema | head -1` must not end in a panic.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder("pipe");
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let line = format!("{{ '{binary}' schema; echo \"exit $?\" >&2; }} | head -c 1");
    let output = std::process::Command::new("sh").args(["-c", &line]).current_dir(&folder).output().expect("sh");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "exit 0\n");
}

#[test]
fn init_writes_what_loads() {
    let folder = folder("init");
    let arguments = ["init", "--openapi", "contract.yaml", "--upstream", "http://127.0.0.1:9000", "-o", "new.yaml"];
    assert!(portcullis(&folder, &arguments).output().expect("it runs").status.success());
    let text = fs::read_to_string(folder.join("new.yaml")).expect("it is written");
    assert!(text.contains("authn: refuse") && text.contains("getOrder"), "{text}");
    assert!(portcullis(&folder, &["validate", "-c", "new.yaml"]).output().expect("it runs").status.success());
}
