//! A first configuration from an OpenAPI 3 contract: every operation becomes a route, and nobody may call any of them
//! until somebody has decided. Reads only what it needs; checking the contract itself is not its work.

mod contract;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use contract::{Contract, Operation};

use crate::diagnostic::{Diagnostic, Failure, Report, quote};
use crate::loaded::load_text;
use crate::plan::HostPattern;
use crate::read::MAX_FILE_BYTES;
use crate::scalar::{BasePath, Host, Method, Raw, Scalar, Target, Template, Text, shape};
use crate::sources::{Sources, Span, narrow};
use crate::tree::{At, Tree, build};
use crate::values::Environment;

/// LIMIT: characters of an API's name.
const MAX_NAME_CHARS: usize = 40;

/// How operators ask, and what they are told.
const OPERATING: &str = "\
# `portcullis status`, `reload` and `drain` ask here.
admin: { socket: admin.sock }

# The audit log of who changed what; keys of consumers, once somebody makes some.
store: { path: ./portcullis-data }

# Refusals and attacks apart from what everybody does; and what is wrong, for something that watches the file.
security_log: { to: { file: security.log }, rotate: { size: 64MiB, keep: 4 } }
alerts: { file: alerts.log }

";

/// Writes a configuration for the operations of a contract (YAML or JSON), forwarding to `upstream`.
pub fn init(openapi: &str, upstream: &str) -> Result<String, Failure> {
    let mut sources = Sources::default();
    let mut report = Report::default();
    if let Err(help) = Target::parse(Raw { text: upstream, plain: true }) {
        let file = sources.add("--upstream", upstream.to_owned(), Path::new(""));
        let span = Span { file, start: 0, end: narrow(upstream.len()) };
        let message = format!("{} is not {}", quote(upstream), Target::WHAT);
        report.push(Diagnostic::new("bad-value", span, message).help(help));
    }
    let file = sources.add("the contract", openapi.to_owned(), Path::new(""));
    let too_large = u64::try_from(openapi.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES;
    if too_large {
        let message = format!("the contract is larger than {MAX_FILE_BYTES} bytes");
        report.push(Diagnostic::new("too-large", Span::start_of(file), message));
    }
    let mut tree = Tree::default();
    let root = if too_large { None } else { build(&mut tree, &mut report, file, openapi) };
    let contract = root.and_then(|root| Contract::read(&At::root(&tree, root), &mut report));
    let Some(contract) = contract.filter(|_| report.is_empty()) else {
        let (diagnostics, dropped) = report.into_sorted();
        return Err(Failure::new(diagnostics, dropped, sources));
    };
    let text = write(&contract, upstream);
    // What is handed out loads; should a contract ever defeat that, the reader learns where.
    load_text("portcullis.yaml", &text, Path::new(""), &Environment::sealed()).map(|_| text)
}

fn write(contract: &Contract<'_>, upstream: &str) -> String {
    let (host, host_note) = host(contract);
    let (base_path, base_note) = base_path(contract);
    let mut out = String::new();
    out.push_str("# Written from an OpenAPI contract. Nobody may call anything yet: look for `authn` below.\n");
    out.push_str(
        "# `portcullis validate -c portcullis.yaml` says what is wrong, `portcullis routes` what is served.\n",
    );
    out.push_str("version: 1\n\nlisteners:\n  public:\n");
    out.push_str(
        "    # Only this machine. `0.0.0.0:8443` is every address of it.\n    bind: \"127.0.0.1:8443\"\n    tls:\n",
    );
    out.push_str("      # Clients that know nothing newer need \"1.2\".\n      min_version: \"1.3\"\n");
    out.push_str("      # For development. For real clients:\n");
    out.push_str("      # certificates: [{ cert_file: tls.crt, key_file: tls.key }]\n");
    out.push_str("      self_signed: { names: [localhost, 127.0.0.1], directory: ./dev-tls }\n\n");
    out.push_str(
        "# /livez, /readyz, /metrics and the pages that explain problems.\nstatus: { bind: \"127.0.0.1:9901\" }\n\n",
    );
    out.push_str(OPERATING);
    out.push_str("defaults:\n");
    out.push_str("  # refuse: nobody may call. public: anybody may. Decide here, or for one API or route below.\n");
    out.push_str("  authn: refuse\n\napis:\n");
    out.push_str(&format!("  {}:\n", api_name(contract.title)));
    out.push_str(&format!("    {host_note}\n    hosts: [{}]\n", text(&host)));
    if let Some(note) = base_note {
        out.push_str(&format!("    {note}\n"));
    }
    out.push_str(&format!("    base_path: {}\n", text(&base_path)));
    out.push_str(&format!("    upstream: {{ targets: [{}] }}\n", text(upstream)));
    routes(contract, &base_path, &mut out);
    out
}

/// Routes that can be served, then, as comments, those that cannot.
fn routes(contract: &Contract<'_>, base_path: &str, out: &mut String) {
    let mut claimed: HashSet<(String, &str)> = HashSet::new();
    let mut left_out: Vec<String> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    for operation in &contract.operations {
        if let Some(id) = operation.id {
            *ids.entry(id).or_default() += 1;
        }
    }
    for operation in &contract.operations {
        match problem(operation) {
            Some(why) => left_out.push(format!("{} {}: {why}", operation.method, operation.path)),
            None if !claimed.insert((shape(operation.path), &operation.method)) => {
                left_out.push(format!(
                    "{} {}: another path of the contract matches the same",
                    operation.method, operation.path
                ));
            }
            None => lines.push(route(operation, &ids)),
        }
    }
    if lines.is_empty() {
        out.push_str("    # The contract has no operation that can be served; this one stands in.\n    routes:\n");
        let path = if base_path == "/" { "/" } else { "" };
        out.push_str(&format!("      - {{ path: {}, methods: [GET] }}\n", text(path)));
    } else {
        out.push_str("    routes:\n");
        lines.iter().for_each(|line| out.push_str(line));
    }
    for line in left_out {
        out.push_str(&format!("      # left out: {}\n", comment(&line)));
    }
}

fn route(operation: &Operation<'_>, ids: &HashMap<&str, usize>) -> String {
    let id = operation.id.filter(|id| ids.get(id) == Some(&1) && parses::<Text>(id));
    let id = id.map(|id| format!("id: {}, ", text(id))).unwrap_or_default();
    let note = if operation.is_open { " # the contract lets anybody call it: `authn: public`" } else { "" };
    format!("      - {{ {id}path: {}, methods: [{}] }}{note}\n", text(operation.path), operation.method)
}

/// Why an operation cannot be a route.
fn problem(operation: &Operation<'_>) -> Option<String> {
    let path = Raw { text: operation.path, plain: true };
    if let Err(why) = Template::parse(path) {
        return Some(why);
    }
    if operation.path.is_empty() || operation.path.contains(';') || operation.path.contains("%3B") {
        return Some("the path would need `allow_path_parameters` or a base path".to_owned());
    }
    Method::parse(Raw { text: &operation.method, plain: true }).err()
}

fn host(contract: &Contract<'_>) -> (String, &'static str) {
    const ANY: &str = "# Any host. Name the one that clients use, so that others are refused.";
    let named = contract.server.and_then(|server| server.split_once("://")).map(|(_, rest)| rest);
    let authority = named.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let name = authority.map(|authority| match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    });
    match name.map(|name| Host::parse(Raw { text: name, plain: true })) {
        Some(Ok(Host(HostPattern::Exact(host)))) if host.contains('.') && host.parse::<std::net::IpAddr>().is_err() => {
            (host, "# From the contract's first server. `\"*\"` answers for any host, which helps while trying.")
        }
        _ => ("*".to_owned(), ANY),
    }
}

fn base_path(contract: &Contract<'_>) -> (String, Option<&'static str>) {
    let Some(server) = contract.server else { return ("/".to_owned(), None) };
    let path = match server.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/"),
        None => server,
    };
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return ("/".to_owned(), None);
    }
    match parses::<BasePath>(path) && !path.contains(';') {
        true => (path.to_owned(), Some("# From the contract's first server.")),
        false => ("/".to_owned(), Some("# The path of the contract's first server cannot be used as it is.")),
    }
}

fn api_name(title: Option<&str>) -> String {
    let mut name = String::new();
    for character in title.unwrap_or_default().chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() >= MAX_NAME_CHARS {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    // A name of digits would be a number to other tools.
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name.to_owned(),
        false => format!("api-{name}").trim_end_matches('-').to_owned(),
    }
}

fn parses<T: Scalar>(text: &str) -> bool {
    T::parse(Raw { text, plain: true }).is_ok()
}

/// A text in double quotes; YAML reads the escapes of JSON.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// One line without anything that could end a comment.
fn comment(line: &str) -> String {
    line.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
