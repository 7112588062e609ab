//! `evidence`: what shows how an API is protected, in one signed file.

use crate::arguments::{Config, EvidenceCommand, EvidenceKey, MakeEvidence, VerifyEvidence};
use crate::audit::random;
use crate::ending::{Ending, Stop};
use crate::hex::digits;
use crate::output::{good, report, say};
use crate::service::{bounded, read};
use crate::signed::{PublicKey, Signer, open, seal};
use aws_lc_rs::digest::{SHA256, digest};
use portcullis_config::Loaded;
use portcullis_types::Clock;
use portcullis_types::civil::Moment;
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const KIND: &str = "portcullis-evidence 1";
/// LIMIT: bytes of evidence, and of a report that goes into it or a file that is named in it.
const EVIDENCE_BYTES_MAX: u64 = 256 * 1024 * 1024;
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Does what was asked for.
pub(super) fn evidence(command: &EvidenceCommand) -> Result<Ending, Stop> {
    match command {
        EvidenceCommand::Key(question) => key(question),
        EvidenceCommand::Make(question) => make(question),
        EvidenceCommand::Verify(question) => verify(question),
    }
}

fn cannot(path: &Path, why: &dyn std::fmt::Display) -> Stop {
    Stop::environment(format!("{}: {why}", path.display()))
}

fn key(question: &EvidenceKey) -> Result<Ending, Stop> {
    let made = Signer::make(&question.file, &random()?).map_err(|error| cannot(&question.file, &error))?;
    say(&made.public().map_err(Stop::environment)?.to_string())?;
    Ok(Ending::Done)
}

fn make(question: &MakeEvidence) -> Result<Ending, Stop> {
    let signer = Signer::read(&question.key).map_err(|error| cannot(&question.key, &error))?;
    let sealed = sealed(question, signer)?;
    let written = OpenOptions::new().write(true).create_new(true).open(&question.output);
    let written = written.and_then(|mut file| file.write_all(sealed.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| cannot(&question.output, &error))?;
    say(&format!("{} is written, {} bytes", question.output.display(), sealed.len()))?;
    Ok(Ending::Done)
}

/// About a configuration alone, by a key that nobody keeps.
pub(super) fn about(config: &Path) -> Result<(String, PublicKey), Stop> {
    let signer = Signer::from_seed(&random()?).map_err(Stop::environment)?;
    let key = signer.public().map_err(Stop::environment)?;
    let question = MakeEvidence {
        config: Config { path: config.to_owned() },
        key: PathBuf::new(),
        output: PathBuf::new(),
        waivers: None,
        pentest: None,
        tests: None,
        db: None,
    };
    Ok((sealed(&question, signer)?, key))
}

/// Whether this key signed exactly this.
pub(super) fn is_sealed(sealed: &str, signer: &PublicKey) -> bool {
    open(KIND, sealed, std::slice::from_ref(signer), 1).is_ok()
}

fn sealed(question: &MakeEvidence, signer: Signer) -> Result<String, Stop> {
    let path = &question.config.path;
    let loaded = read(path)?;
    let mut parts = Map::new();
    parts.insert("made_at".to_owned(), now().into());
    parts.insert("by".to_owned(), json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") }));
    parts.insert("configuration".to_owned(), configuration(path, &loaded)?);
    parts.insert("policies".to_owned(), super::inspect::policies(&loaded));
    let audit = super::audit::report(&loaded, question.waivers.as_deref(), question.db.as_deref())?;
    parts.insert("audit".to_owned(), audit.to_json());
    if let Some(path) = &question.pentest {
        parts.insert("pentest".to_owned(), pentest(path)?);
    }
    if let Some(file) = &question.tests {
        parts.insert("access_tests".to_owned(), super::access::outcome(path, file)?);
    }
    if let Some(store) = loaded.plan.identity.store.as_deref() {
        parts.insert("audit_log".to_owned(), super::audit_log::checkpoint(store)?);
    }
    parts.insert("sbom".to_owned(), super::supply::bill()?);
    let text = format!("{:#}\n", Value::Object(parts));
    seal(KIND, &text, &[signer]).map_err(Stop::environment)
}

fn now() -> String {
    let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{}Z", Moment::told(now))
}

/// Its digest as the gateway states it, and that of every file that it was made from. Files that hold values have none here: a digest of a
/// short secret gives it away.
fn configuration(path: &Path, loaded: &Loaded) -> Result<Value, Stop> {
    let secret = loaded.value_files();
    let mut files = Vec::new();
    for path in loaded.plan.watched.iter().filter(|path| !secret.contains(path)) {
        let bytes = bounded(path, FILE_BYTES_MAX).map_err(|error| cannot(path, &error))?;
        files.push(json!({ "path": path.display().to_string(), "sha256": digits(digest(&SHA256, &bytes)) }));
    }
    Ok(json!({ "file": path.display().to_string(), "hash": loaded.plan.hash, "files": files }))
}

fn pentest(path: &Path) -> Result<Value, Stop> {
    let bytes = bounded(path, FILE_BYTES_MAX).map_err(|error| cannot(path, &error))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| cannot(path, &error))?;
    let is_one = |value: &Value| value.get("findings").is_some_and(Value::is_array) && value.get("target").is_some();
    if is_one(&value) || ["straight", "through"].iter().all(|name| value.get(name).is_some_and(is_one)) {
        return Ok(value);
    }
    Err(cannot(path, &"it is not what `portcullis pentest --format json` writes"))
}

/// A change is an answer, "no"; a file that cannot be read is none.
fn verify(question: &VerifyEvidence) -> Result<Ending, Stop> {
    let signer = PublicKey::parse(&question.signer).map_err(|why| Stop::environment(format!("--signer: {why}")))?;
    let bytes = bounded(&question.file, EVIDENCE_BYTES_MAX).map_err(|error| cannot(&question.file, &error))?;
    let changed = |why: &str| Stop::Unfit(format!("{} is not as it was signed: {why}", question.file.display()));
    let sealed = String::from_utf8(bytes).map_err(|_| changed("it is not text"))?;
    let text = open(KIND, &sealed, &[signer], 1).map_err(|why| changed(&why))?;
    let value: Value = serde_json::from_str(text).map_err(|error| changed(&error.to_string()))?;
    let at = |place: &str| value.pointer(place).cloned().unwrap_or_default();
    let summary = json!({
        "verified": true, "signer": signer.to_string(), "made_at": at("/made_at"), "config_hash": at("/configuration/hash"),
        "score": at("/audit/score"),
        "parts": value.as_object().map(|parts| parts.keys().cloned().collect::<Vec<_>>()),
    });
    let words = |place: &str| at(place).as_str().unwrap_or("?").to_owned();
    let text = || {
        let parts = value.as_object().map(|parts| parts.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
        format!(
            "{}, made at {} of configuration {}, audit score {}\nin it: {}\n",
            good("as it was signed"),
            words("/made_at"),
            words("/configuration/hash"),
            at("/audit/score"),
            parts.unwrap_or_default()
        )
    };
    report(question.form.format, text, || summary.clone())?;
    Ok(Ending::Done)
}
