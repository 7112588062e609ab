//! Reference pages are made from what the program says, and compared with what is in the repository.

use std::path::Path;

use portcullis_types::Reason;

use crate::support::{Running, folder, get, golden, portcullis};

const COMMANDS: [&str; 27] = [
    "demo",
    "init",
    "validate",
    "run",
    "status",
    "reload",
    "drain",
    "admin",
    "limits",
    "routes",
    "effective-policy",
    "explain",
    "access",
    "mask",
    "portal",
    "waf",
    "keys",
    "jwt",
    "tokens",
    "audit",
    "pentest",
    "audit-log",
    "schema",
    "problems",
    "version",
    "completions",
    "man",
];

/// Commands below commands.
const BELOW: [(&str, &str); 23] = [
    ("admin", "password"),
    ("limits", "show"),
    ("limits", "reset"),
    ("access", "matrix"),
    ("access", "diff"),
    ("access", "test"),
    ("mask", "report"),
    ("mask", "reveal"),
    ("portal", "export"),
    ("waf", "check"),
    ("waf", "test"),
    ("waf", "explain"),
    ("waf", "tune"),
    ("keys", "create"),
    ("keys", "list"),
    ("keys", "rotate"),
    ("keys", "revoke"),
    ("keys", "leaked"),
    ("jwt", "explain"),
    ("tokens", "revoke"),
    ("audit-log", "verify"),
    ("audit-log", "show"),
    ("audit-log", "export"),
];

fn compare(name: &str, text: &str) {
    golden(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name), text);
}

fn help_of(folder: &Path, arguments: &[&str]) -> String {
    let output = portcullis(folder, arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("```text\n{}\n```\n", lines.join("\n").trim_end())
}

#[test]
fn the_command_line() {
    let folder = folder("documents-cli");
    let mut text = "# Command line\n\nMade from the program's own help by a test; change `crates/portcullis/src/arguments.rs`.\n\n"
        .to_owned();
    text.push_str(&help_of(&folder, &["--help"]));
    for command in COMMANDS {
        text.push_str(&format!("\n## portcullis {command}\n\n{}", help_of(&folder, &[command, "--help"])));
        for (above, below) in BELOW.iter().filter(|(above, _)| *above == command) {
            let help = help_of(&folder, &[above, below, "--help"]);
            text.push_str(&format!("\n### portcullis {above} {below}\n\n{help}"));
        }
    }
    for command in COMMANDS {
        assert!(text.contains(&format!("\n  {command} ")), "{command} is missing from the list");
    }
    compare("cli.md", &text);
}

#[test]
fn the_reasons() {
    let mut text = "# Reasons\n\nWhy a request is not served. The code stands in the problem that the caller gets, in the \
                    access record and in the\nmetric `portcullis_decisions_total`; codes are added and never renamed. Made \
                    from `crates/types/src/reason.rs` by a test.\n\n| status | code | what happened |\n|---|---|---|\n"
        .to_owned();
    for reason in Reason::ALL {
        let (status, code, title) = (reason.status(), reason.code(), reason.title());
        text.push_str(&format!("| {status} | [`{code}`](#{code}) | {title} |\n"));
    }
    for reason in Reason::ALL {
        let page = reason.page();
        text.push_str(&format!(
            "\n## {}\n\n{} {}\n\n**What it means.** {}\n\n**What the caller can do.** {}\n\n\
             **What the operator can look at.** {}\n",
            reason.code(),
            reason.status(),
            reason.title(),
            page.meaning,
            page.caller,
            page.operator
        ));
    }
    compare("reasons.md", &text);
}

/// Names, kinds and words come from a running gateway; one request makes the labels visible.
#[test]
fn the_metrics() {
    let folder = folder("documents-metrics");
    std::fs::write(folder.join("logged.yaml"), logged(&folder)).expect("a configuration");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "logged.yaml"]));
    let gateway = running.address("listening");
    let status = running.address("status");
    assert!(get(gateway, "/orders/v2/7").starts_with("HTTP/1.1 403"));
    let page = crate::support::get_until(status, "/metrics", "route_closed");
    let mut text = "# Metrics\n\n`/metrics` of the status listener, in the text format of Prometheus. A label holds a name \
                    from the configuration or from a\nclosed set, never anything that a client chose. With `Accept: application/openmetrics-text` they come as \
                    OpenMetrics 1.0:\ncounters are families without `_total` (but for `portcullis_connections_total`, which would \
                    share its name with a gauge), and buckets of times\nhave exemplars, the trace ids of requests whose \
                    spans went to the collector. Made from a running gateway by a test.\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n"
        .to_owned();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) else { continue };
        let kind = lines.next().and_then(|line| line.split(' ').nth(3)).expect("a kind");
        let labels = lines.peek().map(|line| labels(line)).unwrap_or_default();
        text.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    compare("metrics.md", &text);
}

/// What the dashboard and the alert rules of `packaging` speak of exists, with those labels.
#[test]
fn what_is_packaged_speaks_of_metrics_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    let reference = read("docs/reference/metrics.md");
    let known: Vec<(&str, Vec<&str>)> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `portcullis_"))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (cells[0].trim().trim_end_matches('`'), cells[2].split('`').skip(1).step_by(2).collect())
        })
        .collect();
    assert!(known.len() > 40, "the reference was not read");
    let mut spoken = 0;
    for file in ["packaging/grafana/portcullis.json", "packaging/prometheus/portcullis.yaml"] {
        let text = read(file).replace("\\\"", "\"");
        for rest in text.split("portcullis_").skip(1) {
            let end =
                rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let found = known.iter().find(|(known, _)| *known == name || *known == base);
            let (_, labels) = found.unwrap_or_else(|| panic!("{file}: portcullis_{name} is in no reference"));
            let selector =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
            for label in
                selector.split("\",").filter_map(|pair| pair.split(['=', '!']).next()).filter(|one| !one.is_empty())
            {
                let own = ["job", "instance"].contains(&label) || labels.contains(&label);
                assert!(own, "{file}: portcullis_{name} has no label {label}");
            }
            spoken += 1;
        }
    }
    assert!(spoken > 60, "{spoken} mentions");
    let dashboard: serde_json::Value = serde_json::from_str(&read("packaging/grafana/portcullis.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.iter().all(|panel| panel["title"].as_str().is_some_and(|title| !title.is_empty())));
    let rules = read("packaging/prometheus/portcullis.yaml");
    let count = |what: &str| rules.matches(what).count();
    let alerts = count("- alert: ");
    assert!(alerts > 15 && count("expr: ") == alerts && count("severity: ") == alerts && count("summary: ") == alerts);
}

fn logged(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("good.yaml")).expect("a configuration");
    let secure = "  secure: { bind: \"127.0.0.1:0\", tls: { self_signed: { names: [localhost], directory: tls } } }\n";
    let text = text.replacen("status:", &format!("{secure}status:"), 1);
    let text = text.replace("{ to: off }", "{ to: { file: access.log } }");
    // Nobody takes the records, and nobody hears the alerts.
    let security = "security_log:\n  to: { syslog: { server: \"tcp://127.0.0.1:1\" } }\n  buffer: { folder: buffer }\n";
    let text = format!("{text}{security}alerts: {{ file: alerts.log }}\nstore: {{ path: data }}\n");
    // Nobody is there; the series are.
    let store = "shared_store: { servers: [\"redis://127.0.0.1:1\"] }\n";
    let limits = "limits: { per_address: { rate: 100/s, shared: true } }";
    text.replace("defaults: { authn: refuse }", &format!("{store}defaults: {{ authn: refuse, {limits} }}"))
}

fn labels(line: &str) -> String {
    let Some((_, rest)) = line.split_once('{') else { return String::new() };
    let names = rest.split("=\"").filter_map(|part| part.rsplit([',', '{', '"']).next());
    let names: Vec<String> = names.filter(|name| !name.contains('}')).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
