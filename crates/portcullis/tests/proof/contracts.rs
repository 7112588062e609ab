//! Contracts that are not ours, tried by a program that is not ours: what it makes up of a contract is let through or refused as the
//! contract says. `cargo xtask test needs` brings the program; the contracts are beside the repository.
//!
//! Its own header field and members that a schema leaves open are allowed, because it takes both for good requests. Answers
//! are not held to the contract: the server behind the gateway only says who may ask.

use crate::support::{Running, folder, portcullis};
use portcullis_testkit::{FakeUpstream, suite};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What it must find nothing wrong with.
const CHECKS: &str = "negative_data_rejection,positive_data_acceptance,ignored_auth,unsupported_method";
/// Requests that it makes up for each operation and kind, the same each time: what time allows would differ from machine to machine.
const EXAMPLES: &str = "20";

fn program(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venv").join("schemathesis/bin").join(name);
    assert!(place.exists(), "{} is missing: run `cargo xtask test needs`", place.display());
    place
}

/// Answers whoever has the token, and nobody else.
fn server() -> FakeUpstream {
    FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let head = String::from_utf8_lossy(&heard.head).to_ascii_lowercase();
            let status =
                if head.contains("\r\nauthorization: bearer good\r\n") { "200 OK" } else { "401 Unauthorized" };
            let body = if head.starts_with("head ") { "" } else { "{}" };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{body}");
            if !talk.send(answer.as_bytes()) {
                return;
            }
        }
    })
}

fn tried(name: &str) {
    let upstream = server();
    let folder = folder(&format!("schemathesis-{name}"));
    let prepare = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis/prepare.py");
    let mut python = Command::new(program("python"));
    let made = python.arg(prepare).arg(suite::folder("openapi").join(name)).arg(folder.join("contract.json")).status();
    assert!(made.expect("it runs").success(), "the contract cannot be prepared");
    let configuration = format!(
        "version: 1
listeners: {{ local: {{ bind: \"127.0.0.1:0\" }} }}
status: {{ bind: \"127.0.0.1:0\" }}
access_log: {{ to: off }}
# Texts that are made up look like attacks; whether they are is not the question here.
defaults: {{ authn: public, waf: {{ mode: off }}, limits: {{ per_address: {{ mode: off }} }} }}
apis:
  tried:
    hosts: [\"*\"]
    openapi: contract.json
    validation: {{ response: off, security: off, open_objects: true, headers: [x-schemathesis-testcaseid] }}
    upstream: {{ targets: [\"http://{}\"] }}
",
        upstream.address()
    );
    fs::write(folder.join("tried.yaml"), configuration).expect("it can be written");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "tried.yaml"]));
    let gateway = running.address("listening");
    running.line("ready");
    let mut program = Command::new(program("schemathesis"));
    program.args(["run", "contract.json", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    program.args(["--max-examples", EXAMPLES, "--generation-deterministic", "--continue-on-failure", "--no-color"]);
    program.args(["-H", "Authorization: Bearer good", "--url", &format!("http://{gateway}")]);
    let output = program.current_dir(&folder).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.split("= SUMMARY =").last().unwrap_or_default();
    println!("{summary}");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(upstream.requests() > 20, "only {} requests were let through", upstream.requests());
}

#[test]
fn vampi_is_kept_as_it_is_written() {
    tried("vampi.yaml");
}

#[test]
fn crapi_is_kept_as_it_is_written() {
    tried("crapi.json");
}
