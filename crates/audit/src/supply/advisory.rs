//! What is known against a package: an advisory of RustSec (Markdown with a head in TOML) or of OSV (JSON, schema 1.x).

use super::span::{Span, holds, meets};
use super::toml::{self, Item};
use portcullis_types::civil::{Date, Moment};
use semver::{Version, VersionReq};
use serde_json::Value;
use std::fmt;
use std::ops::Bound::{Excluded, Included, Unbounded};

/// LIMIT: ranges, and versions that are named one by one, of one advisory.
const RANGES_MAX: usize = 100_000;

/// One advisory about one package.
#[derive(Clone, Debug)]
pub struct Advisory {
    /// Its name, such as `RUSTSEC-2021-0001`.
    pub id: String,
    /// The package that it is about.
    pub package: String,
    /// What it says, in a line.
    pub title: String,
    /// What it is, if it is no vulnerability: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
    /// Operating systems and processors that it is about; all where there is none.
    pub(super) systems: [Vec<String>; 2],
    affected: Affected,
    /// What mends it, as people read it.
    pub fixed: String,
}

#[derive(Clone, Debug)]
enum Affected {
    /// All versions that meet none of these.
    Except(Vec<VersionReq>),
    /// Versions in these, and those that are named.
    Within(Vec<Span>, Vec<Version>),
}

/// What a file of a database says.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its advisories; none if they were withdrawn, or are about packages of others.
    pub advisories: Vec<Advisory>,
    /// When it was written or changed last, in seconds since 1970.
    pub at: Option<i64>,
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvisoryError(String);

// === impl Advisory ===

impl Advisory {
    /// Whether it is about this version.
    #[must_use]
    pub fn affects(&self, version: &Version) -> bool {
        match &self.affected {
            Affected::Except(good) => !good.iter().any(|requirement| meets(requirement, version)),
            Affected::Within(spans, named) => {
                spans.iter().any(|span| holds(span, version))
                    || named.iter().any(|one| one.cmp_precedence(version).is_eq())
            }
        }
    }
}

/// Reads an advisory of RustSec.
///
/// # Errors
/// What is missing in it, or cannot be read.
pub fn rustsec(text: &str) -> Result<Entry, AdvisoryError> {
    let head = text.trim_start().strip_prefix("```toml").and_then(|rest| rest.split_once("\n```"));
    let (head, body) = head.ok_or_else(|| AdvisoryError("it does not begin with a head in TOML".to_owned()))?;
    let items = toml::items(head).map_err(AdvisoryError)?;
    let text = |key: &str| find(&items, "advisory", key).and_then(as_text);
    let named = |key: &str| text(key).ok_or_else(|| AdvisoryError(format!("`{key}` is missing")));
    let at = day(&named("date")?).ok_or_else(|| AdvisoryError("`date` is no day".to_owned()))?;
    let (id, package) = (named("id")?, named("package")?);
    if find(&items, "advisory", "withdrawn").is_some() {
        return Ok(Entry { advisories: Vec::new(), at: Some(at) });
    }
    let patched = requirements(&items, "patched")?.unwrap_or_default();
    let fixed = patched.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let good = [patched, requirements(&items, "unaffected")?.unwrap_or_default()].concat();
    let title = body.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().trim().to_owned();
    let systems = |key: &str| find(&items, "affected", key).map(texts).transpose().map(Option::unwrap_or_default);
    let advisory = Advisory {
        id,
        package,
        title: text("title").unwrap_or(title),
        informational: text("informational"),
        url: text("url"),
        systems: [systems("os")?, systems("arch")?],
        affected: Affected::Except(good),
        fixed,
    };
    Ok(Entry { advisories: vec![advisory], at: Some(at) })
}

fn find<'i>(items: &'i [Item], table: &str, key: &str) -> Option<&'i toml::Value> {
    items.iter().find(|(of, name, _)| of == table && name == key).map(|(.., value)| value)
}

fn as_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Text(text) | toml::Value::Word(text) => Some(text.clone()),
        toml::Value::List(_) | toml::Value::Inline => None,
    }
}

fn texts(value: &toml::Value) -> Result<Vec<String>, AdvisoryError> {
    let toml::Value::List(all) = value else { return Err(AdvisoryError("a list is none".to_owned())) };
    all.iter().map(|one| as_text(one).ok_or_else(|| AdvisoryError("a list holds no texts".to_owned()))).collect()
}

/// `None` where there is no such list: then no version is good by it.
fn requirements(items: &[Item], key: &str) -> Result<Option<Vec<VersionReq>>, AdvisoryError> {
    let Some(value) = find(items, "versions", key) else { return Ok(None) };
    let read = |text: &String| VersionReq::parse(text).map_err(|error| AdvisoryError(format!("`{text}`: {error}")));
    texts(value)?.iter().map(read).collect::<Result<Vec<_>, _>>().map(Some)
}

fn day(text: &str) -> Option<i64> {
    let mut parts = text.get(..10)?.splitn(3, '-').map(|part| part.parse().ok());
    let date = Date { year: parts.next()??, month: parts.next()??, day: parts.next()?? };
    date.exists().then(|| Moment { date, second: 0 }.unix())
}

/// Reads an entry of OSV: what of it is about packages of crates.io.
///
/// # Errors
/// What is missing in it, or cannot be read.
pub fn osv(text: &str) -> Result<Entry, AdvisoryError> {
    let wrong = |why: &str| AdvisoryError(why.to_owned());
    let value: Value = serde_json::from_str(text).map_err(|error| AdvisoryError(format!("it is not JSON: {error}")))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let id = text("id").ok_or_else(|| wrong("`id` is missing"))?;
    let at = text("modified").and_then(day).ok_or_else(|| wrong("`modified` is missing, or no moment"))?;
    let mut entry = Entry { advisories: Vec::new(), at: Some(at) };
    if value.get("withdrawn").is_some_and(|withdrawn| !withdrawn.is_null()) {
        return Ok(entry);
    }
    for one in list(&value, "affected") {
        let package = |name: &str| one.pointer(&format!("/package/{name}")).and_then(Value::as_str);
        if package("ecosystem") != Some("crates.io") {
            continue;
        }
        let (affected, fixed) = within(one)?;
        let strings = |place: &str| {
            let all = one.pointer(place).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        entry.advisories.push(Advisory {
            id: id.to_owned(),
            package: package("name").ok_or_else(|| wrong("`name` of a package is missing"))?.to_owned(),
            title: text("summary").unwrap_or_default().to_owned(),
            informational: one.pointer("/database_specific/informational").and_then(Value::as_str).map(str::to_owned),
            url: None,
            systems: [strings("/ecosystem_specific/affects/os"), strings("/ecosystem_specific/affects/arch")],
            affected,
            fixed,
        });
    }
    Ok(entry)
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Ranges of versions: each `introduced` up to the `fixed` or `last_affected` that follows it.
fn within(affected: &Value) -> Result<(Affected, String), AdvisoryError> {
    let version = |text: &str| Version::parse(text).map_err(|error| AdvisoryError(format!("`{text}`: {error}")));
    let (mut spans, mut fixes): (Vec<Span>, Vec<String>) = (Vec::new(), Vec::new());
    for range in list(affected, "ranges").filter(|range| range.get("type").and_then(Value::as_str) == Some("SEMVER")) {
        let mut from = None;
        for event in list(range, "events") {
            let text = |name: &str| event.get(name).and_then(Value::as_str);
            if let Some(text) = text("introduced") {
                from = Some(if text == "0" { Unbounded } else { Included(version(text)?) });
            } else if let Some(text) = text("fixed") {
                fixes.push(format!(">={text}"));
                spans.extend(from.take().map(|from| Ok((from, Excluded(version(text)?)))).transpose()?);
            } else if let Some(text) = text("last_affected") {
                spans.extend(from.take().map(|from| Ok((from, Included(version(text)?)))).transpose()?);
            }
        }
        spans.extend(from.map(|from| (from, Unbounded)));
    }
    // One by one they may be versions of anything; what is no version cannot be ours.
    let named: Vec<Version> = list(affected, "versions").filter_map(|one| Version::parse(one.as_str()?).ok()).collect();
    if spans.len() + named.len() > RANGES_MAX {
        return Err(AdvisoryError(format!("it has more than {RANGES_MAX} ranges and versions")));
    }
    Ok((Affected::Within(spans, named), fixes.join(" or ")))
}

impl fmt::Display for AdvisoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for AdvisoryError {}
