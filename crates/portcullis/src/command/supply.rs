//! `sbom` and `vulns`: what this program is made of, and what is known against it. Nothing is fetched.

use crate::arguments::{VulnsFormat, VulnsQuestion};
use crate::ending::{Ending, Stop};
use crate::output::{bad, bold, faint, good, note, say};
use crate::service::bounded;
use portcullis_audit::supply::{Entry, Known, Package, cyclonedx, osv, packages, rustsec};
use portcullis_types::Clock;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What `build.rs` wrote down.
const LIST: &str = include_str!(concat!(env!("OUT_DIR"), "/dependencies.json"));

/// LIMIT: files of a database, how deep they lie, and bytes of one.
const FILES_MAX: usize = 200_000;
const DEPTH_MAX: usize = 8;
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The bill of materials.
pub(super) fn sbom() -> Result<Ending, Stop> {
    say(&format!("{:#}", bill()?))?;
    Ok(Ending::Done)
}

/// The same for others to put somewhere.
pub(super) fn bill() -> Result<Value, Stop> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, LIST.as_bytes());
    let digest = digest.as_ref().try_into().map_err(|_| Stop::environment("a digest has another length"))?;
    Ok(cyclonedx(&own()?, &digest))
}

fn own() -> Result<Vec<Package>, Stop> {
    packages(LIST).map_err(|error| Stop::environment(format!("the list of packages in this program: {error}")))
}

/// What is known against it.
pub(super) fn vulns(question: &VulnsQuestion) -> Result<Ending, Stop> {
    let known = known(&question.db)?;
    let is_old = known.is_older(question.max_age);
    match question.format {
        VulnsFormat::Text => say(&text(&known))?,
        VulnsFormat::Json => say(&format!("{:#}", known.to_json()))?,
        VulnsFormat::Metrics => say(&metrics(&known))?,
    }
    if is_old {
        let age = known.age_days().map_or_else(|| "has no date".to_owned(), |days| format!("is {days} days old"));
        note(&format!(
            "warning: the newest entry of the database {age}, and more than {} are too many; fetch it anew",
            question.max_age
        ));
    }
    let fails = known.vulnerabilities().next().is_some() || (is_old && question.fail_on_age);
    Ok(if fails { Ending::No } else { Ending::Done })
}

/// Reads a database whole. What cannot be read is an error: it might be what is known.
pub(super) fn known(folder: &Path) -> Result<Known, Stop> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)?;
    files.sort();
    let mut entries = Vec::new();
    for path in &files {
        entries.push(entry(path)?);
    }
    if entries.is_empty() {
        return Err(Stop::environment(format!("{}: there is no advisory in it", folder.display())));
    }
    let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let system = (std::env::consts::OS, std::env::consts::ARCH);
    Ok(Known::of(&own()?, entries, system, i64::try_from(now).unwrap_or(i64::MAX)))
}

/// Files that are advisories by their names: `RUSTSEC-….md`, `….json`. Folders that begin with a dot are the checkout's own.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Stop> {
    let cannot = |why: &dyn std::fmt::Display| Stop::environment(format!("{}: {why}", folder.display()));
    if depth > DEPTH_MAX {
        return Err(cannot(&format!("folders lie more than {DEPTH_MAX} deep")));
    }
    for found in std::fs::read_dir(folder).map_err(|error| cannot(&error))? {
        let found = found.map_err(|error| cannot(&error))?;
        let (name, path) = (found.file_name().to_string_lossy().into_owned(), found.path());
        if name.starts_with('.') {
            continue;
        }
        // Links are not followed: a database has none, and they could lead in a circle.
        let kind = found.file_type().map_err(|error| cannot(&error))?;
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if kind.is_file() && (name.ends_with(".json") || (name.starts_with("RUSTSEC-") && name.ends_with(".md")))
        {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(cannot(&format!("there are more than {FILES_MAX} files in it")));
        }
    }
    Ok(())
}

fn entry(path: &Path) -> Result<Entry, Stop> {
    let cannot = |why: &dyn std::fmt::Display| Stop::environment(format!("{}: {why}", path.display()));
    let bytes = bounded(path, FILE_BYTES_MAX).map_err(|error| cannot(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| cannot(&"it is not text"))?;
    let is_json = path.extension().is_some_and(|end| end == "json");
    if is_json { osv(&text) } else { rustsec(&text) }.map_err(|error| cannot(&error))
}

fn text(known: &Known) -> String {
    let mut out = String::new();
    for one in &known.against {
        let (advisory, (package, version)) = (&one.advisory, &one.package);
        let kind = advisory.informational.as_deref();
        let kind = kind.map_or_else(|| bad("vulnerability"), bold);
        let builds = if one.build { faint(" (only helps to build)") } else { String::new() };
        out.push_str(&format!("{kind} {} {package} {version}{builds}\n  {}\n", advisory.id, advisory.title));
        if !advisory.fixed.is_empty() {
            out.push_str(&format!("  mended in {}\n", good(&advisory.fixed)));
        }
        if let Some(url) = &advisory.url {
            out.push_str(&format!("  {url}\n"));
        }
    }
    let vulnerabilities = known.vulnerabilities().count();
    let told = known.against.len() - vulnerabilities;
    let age = known.age_days().map_or_else(|| "no date".to_owned(), |days| format!("newest {days} days old"));
    out.push_str(&format!(
        "{vulnerabilities} vulnerabilities, {told} notices; {} entries in the database, {age}\n",
        known.entries
    ));
    out
}

/// In Prometheus' text format, for a collector of files.
fn metrics(known: &Known) -> String {
    let age = known.newest.map_or(f64::NAN.to_string(), |newest| (known.now - newest).to_string());
    format!(
        "# HELP portcullis_known_vulnerabilities Vulnerabilities that are known of what this program is made of.\n\
         # TYPE portcullis_known_vulnerabilities gauge\nportcullis_known_vulnerabilities {}\n\
         # HELP portcullis_vulnerability_database_age_seconds Time since the newest entry of the database.\n\
         # TYPE portcullis_vulnerability_database_age_seconds gauge\nportcullis_vulnerability_database_age_seconds {age}\n",
        known.vulnerabilities().count()
    )
}
