//! Every rule has a configuration, or facts, that break it and others that do not.

mod compare;
mod facts;

use crate::example::{BASE, with};
use crate::{Facts, Report, Rule, Severity, audit, rules, sarif, waivers};
use portcullis_config::{Environment, Plan, load_text};

/// 2026-11-27.
pub(super) const NOW: u64 = 1_795_737_600;

pub(super) fn plan(text: &str) -> Plan {
    load(text).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

fn load(text: &str) -> Result<Plan, String> {
    // Files that examples name have to be there; what is in them does not matter before they are compiled.
    let folder = std::env::temp_dir().join(format!("portcullis-audit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let revoked = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let contract = "openapi: 3.1.0\ninfo: { title: a, version: '1' }\npaths: { /a: { get: { operationId: a, responses: { '200': { description: a } } } } }\n";
    for (name, text) in [
        ("k.json", set),
        ("ca.pem", certificate),
        ("a.pem", certificate),
        ("ca.crl", revoked),
        ("o.yaml", contract),
        ("a.key", key),
        ("g.pem", key),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let loaded = load_text("example.yaml", text, &folder, &Environment::process());
    loaded.map(|loaded| loaded.plan).map_err(|failure| failure.render(false))
}

#[test]
fn a_gateway_that_cannot_be_asked_is_told() {
    let text = BASE.replace("admin: { socket: ./admin.sock }\n", "");
    assert!(breaks(&report(&text, Facts::default()), "PC0904"));
    assert!(!breaks(&report(BASE, Facts::default()), "PC0904"));
}

#[test]
fn a_gateway_that_tells_nobody_is_told() {
    let text = BASE.replace("alerts: { file: alerts.log }\n", "");
    assert!(breaks(&report(&text, Facts::default()), "PC0908"));
    assert!(!breaks(&report(BASE, Facts::default()), "PC0908"));
}

#[test]
fn without_a_store_nobody_knows_who_changed_what() {
    let text = BASE.replace("store: { path: ./data }\n", "").replace(", { api_key: {} }", "");
    assert!(breaks(&report(&text, Facts::default()), "PC0906"));
    assert!(!breaks(&report(BASE, Facts::default()), "PC0906"));
}

#[test]
fn what_looks_whose_it_is_and_what_bounds_a_server_may_be_of_several_kinds() {
    let one = |authz: &str, upstream: &str| {
        let api = format!(
            "apis:\n  one: {{ hosts: [a.test], authn: {{ any_of: [{{ api_key: {{}} }}] }}, authz: {{ rules: [{{ operations: [list, get], roles: [a] }}]{authz} }}, \
             upstream: {{ targets: ['https://10.0.0.1']{upstream} }}, routes: [{{ id: list, path: /, methods: [GET] }}, {{ id: get, path: '/{{id}}', methods: [GET] }}] }}"
        );
        let report = report(&with(&api), Facts::default());
        ["PC0602", "PC1005"].map(|rule| breaks(&report, rule))
    };
    let learned = ", learned: { objects: { order: { shown: { list: '$[*].id' }, asked: { get: path.id } } } }";
    let call = |path: &str| {
        let api = format!(
            "apis:\n  one: {{ hosts: [a.test], authn: {{ any_of: [{{ api_key: {{}} }}] }}, authz: {{ rules: [{{ roles: [a] }}] }}, \
             upstream: {{ targets: ['https://10.0.0.1'], protocol: http2 }}, routes: [{{ path: '{path}', methods: [POST], grpc: true }}] }}"
        );
        breaks(&report(&with(&api), Facts::default()), "PC0602")
    };
    assert_eq!(["/{service}/{method}", "/of/{tenant}/{service}/{method}"].map(call), [false, true]);
    assert_eq!(one("", ""), [true, true]);
    assert_eq!(one(learned, ", adaptive: {}"), [false, false]);
    assert_eq!(one(learned, ", connections: 9"), [false, false]);
}

pub(super) fn report(text: &str, facts: Facts) -> Report {
    audit(&plan(text), &Facts { now: NOW, ..facts }, &[])
}

pub(super) fn breaks(report: &Report, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

/// What is wrong with the examples of a rule.
fn wrong(rule: &Rule) -> Result<(), String> {
    let (fails, passes) = rule.examples;
    if fails.is_empty() {
        return Ok(());
    }
    let facts = Facts { now: NOW, ..Facts::default() };
    let weak = audit(&load(&with(fails))?, &facts, &[]);
    if !breaks(&weak, rule.id) {
        return Err(format!("is not broken: {:?}", weak.findings));
    }
    let sound = if passes.is_empty() { BASE.to_owned() } else { with(passes) };
    let sound = audit(&load(&sound)?, &facts, &[]);
    if breaks(&sound, rule.id) {
        return Err(format!("is broken by the sound one: {:?}", sound.findings));
    }
    // A rule that finds nothing to look at would hold as well.
    if sound.looked_at(rule.id) { Ok(()) } else { Err("has nothing to look at in the sound one".to_owned()) }
}

#[test]
fn every_example_shows_what_it_should() {
    let wrong: Vec<String> =
        rules().filter_map(|rule| wrong(rule).err().map(|why| format!("{}: {why}", rule.id))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_are_numbered_once_and_say_what_to_do() {
    let ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted, "in order, and each once");
    for rule in rules() {
        assert!(rule.id.starts_with("PC") && rule.id.len() == 6, "{}", rule.id);
        for text in [rule.why, rule.fix] {
            assert!(text.ends_with('.') && text.len() > 12, "{}: {text}", rule.id);
        }
        assert!(!rule.refs.is_empty(), "{}", rule.id);
    }
}

#[test]
fn a_score_is_what_holds_of_what_matters() {
    let sound = report(BASE, Facts::default());
    let weak = report(&with("access_log: { to: off }"), Facts::default());
    let logging =
        |report: &Report| report.practices.iter().find(|one| one.practice == crate::Practice::Logging).unwrap().score;
    assert_eq!(logging(&sound), 100, "{:?}", sound.findings);
    assert!(logging(&weak) < 100 && weak.score < sound.score);
    assert!(weak.has(Severity::High) && !sound.has(Severity::High), "{:?}", sound.findings);
}

#[test]
fn what_is_waived_counts_until_its_day_and_no_longer() {
    let text = with("access_log: { to: off }");
    let list = |until: &str| {
        format!(r#"[{{ "rule": "PC0901", "place": "access_log", "reason": "a lab", "until": "{until}" }}]"#)
    };
    let facts = Facts { now: NOW, ..Facts::default() };
    let waived = audit(&plan(&text), &facts, &waivers(&list("2026-11-27")).unwrap());
    assert!(!waived.has(Severity::High) && waived.idle_waivers.is_empty());
    assert_eq!(
        waived.findings.iter().find(|finding| finding.rule == "PC0901").unwrap().waived.as_deref(),
        Some("a lab")
    );
    let over = audit(&plan(&text), &facts, &waivers(&list("2026-11-26")).unwrap());
    assert!(over.has(Severity::High));
    assert_eq!(over.idle_waivers, ["PC0901 at access_log: it is over"]);
    let idle = audit(&plan(BASE), &facts, &waivers(&list("2027-01-01")).unwrap());
    assert_eq!(idle.idle_waivers, ["PC0901 at access_log: nothing is wrong there"]);
}

#[test]
fn a_wrong_waiver_is_a_mistake() {
    for (text, why) in [
        ("{", "it is not JSON"),
        ("{}", "it is not a list"),
        ("[1]", "entry 1: it is not an object"),
        (r#"[{ "rule": "PC9999", "reason": "x", "until": "2027-01-01" }]"#, "entry 1: there is no rule `PC9999`"),
        (r#"[{ "rule": "PC0901", "until": "2027-01-01" }]"#, "entry 1: `reason` is missing"),
        (r#"[{ "rule": "PC0901", "reason": " ", "until": "2027-01-01" }]"#, "entry 1: `reason` is missing"),
        (r#"[{ "rule": "PC0901", "reason": "x" }]"#, "entry 1: `until` is not a day"),
        (r#"[{ "rule": "PC0901", "reason": "x", "until": "2027-02-30" }]"#, "entry 1: `until` is not a day"),
        (
            r#"[{ "rule": "PC0901", "reason": "x", "until": "2027-01-01", "plase": "y" }]"#,
            "entry 1: `plase` is unknown",
        ),
    ] {
        let error = waivers(text).unwrap_err().to_string();
        assert!(error.starts_with(why), "{text}: {error}");
    }
}

#[test]
fn sarif_names_rules_lines_and_levels() {
    let report = report(
        &with(
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST] }] }",
        ),
        Facts::default(),
    );
    let sarif = sarif(&report, "0.1.0", None);
    let run = &sarif["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), rules().count());
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "PC0101").unwrap();
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "example.yaml");
    assert!(place["region"]["startLine"].as_u64().unwrap() > 1);
}
