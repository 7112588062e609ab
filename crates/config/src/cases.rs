//! Tests of rules about access, as people write them: callers who are made up, their requests, and what is expected.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Failure};
use crate::file::Day;
use crate::read::{Read, read_file};
use crate::recover::recover;
use crate::scalar::{DayTime, Flag, Text};
use crate::tree::At;
use crate::values::Environment;

/// A week that began on a Monday, in seconds since 1970.
const MONDAY: u64 = 4 * 86_400;
const NOON: DayTime = DayTime { minutes: 12 * 60 };

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessCase {
    /// What it is about.
    pub name: String,
    /// The method of the request.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its fields.
    pub headers: Vec<(String, String)>,
    /// Its body, of JSON unless the fields say otherwise.
    pub body: String,
    /// Who calls; nothing for somebody who has proved nothing.
    pub caller: Option<AccessCaller>,
    /// From where.
    pub address: IpAddr,
    /// When, in seconds since 1970.
    pub seconds: u64,
    /// Whether it is expected to pass.
    pub allowed: bool,
    /// The rule that is expected to decide.
    pub rule: Option<String>,
    /// The code that is expected of the refusal.
    pub code: Option<String>,
}

/// A caller who is made up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessCaller {
    /// The subject, or the consumer of a key.
    pub id: String,
    /// The name.
    pub username: Option<String>,
    /// Who vouches for him.
    pub issuer: Option<String>,
    /// Whether he comes with a key instead of a token.
    pub is_key: bool,
    /// His scopes.
    pub scopes: Vec<String>,
    /// His roles, as his issuer calls them.
    pub roles: Vec<String>,
    /// His claims.
    pub claims: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: Text,
    request: Asked,
    caller: Option<Caller>,
    address: Option<Text>,
    day: Option<Day>,
    time: Option<DayTime>,
    expect: Expected,
    rule: Option<Text>,
    code: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: Text,
    url: Text,
    headers: Option<IndexMap<String, Text>>,
    body: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    sub: Text,
    username: Option<Text>,
    issuer: Option<Text>,
    api_key: Option<Flag>,
    scopes: Option<Vec<Text>>,
    roles: Option<Vec<Text>>,
    claims: Option<IndexMap<String, Vec<Text>>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Allowed,
    Refused,
}

/// Reads a file of tests.
///
/// # Errors
/// Everything that is wrong with it.
pub fn access_cases(path: &Path, environment: &Environment) -> Result<Vec<AccessCase>, Failure> {
    let Read { sources, mut tree, root, mut report, files, .. } = read_file(path, environment);
    let cases = root.and_then(|root| recover::<Cases>(&mut tree, root, &sources, environment, &mut report).0);
    let mut all = Vec::new();
    if let (Some(cases), Some(root)) = (&cases, root) {
        let root = At::root(&tree, root);
        let list = root.key("tests");
        for (index, case) in cases.tests.iter().enumerate() {
            let at = list.index(index);
            let place = at.key("address");
            let address = match case.address.as_ref().map(|text| text.0.parse()) {
                None => IpAddr::V4(Ipv4Addr::LOCALHOST),
                Some(Ok(address)) => address,
                Some(Err(_)) => {
                    let diagnostic = Diagnostic::new("bad-address", place.span(), "this is not an IP address");
                    report.push(diagnostic.help("write it like `192.0.2.7`").path(place.path()));
                    IpAddr::V4(Ipv4Addr::LOCALHOST)
                }
            };
            all.push(case_of(case, address));
        }
        if cases.tests.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "there is no test");
            report.push(
                diagnostic
                    .help("add `{ name: …, request: { method: GET, url: … }, expect: refused }`")
                    .path(list.path()),
            );
        }
    }
    if report.is_empty() {
        return Ok(all);
    }
    let (diagnostics, dropped) = report.into_sorted();
    Err(Failure::new(diagnostics, dropped, sources).naming(files))
}

fn case_of(case: &Case, address: IpAddr) -> AccessCase {
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.0.clone());
    let minutes = u64::from(case.time.unwrap_or(NOON).minutes);
    let fields = case.request.headers.iter().flatten();
    let mut headers: Vec<(String, String)> = fields.map(|(name, value)| (name.clone(), value.0.clone())).collect();
    if case.request.body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    AccessCase {
        name: case.name.0.clone(),
        method: case.request.method.0.clone(),
        url: case.request.url.0.clone(),
        headers,
        body: text(&case.request.body).unwrap_or_default(),
        caller: case.caller.as_ref().map(caller_of),
        address,
        seconds: MONDAY + u64::from(case.day.map_or(0, |day| day.number())) * 86_400 + minutes * 60,
        allowed: case.expect == Expected::Allowed,
        rule: text(&case.rule),
        code: text(&case.code),
    }
}

fn caller_of(caller: &Caller) -> AccessCaller {
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.0.clone());
    let texts = |list: &Option<Vec<Text>>| list.iter().flatten().map(|text| text.0.clone()).collect();
    let mut claims = Map::new();
    for (name, values) in caller.claims.iter().flatten() {
        let mut values: Vec<Value> = values.iter().map(|value| Value::from(value.0.as_str())).collect();
        // One value is a text, several are a list.
        let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        claims.insert(name.clone(), value);
    }
    AccessCaller {
        id: caller.sub.0.clone(),
        username: text(&caller.username),
        issuer: text(&caller.issuer),
        is_key: caller.api_key.is_some_and(|flag| flag.0),
        scopes: texts(&caller.scopes),
        roles: texts(&caller.roles),
        claims,
    }
}
