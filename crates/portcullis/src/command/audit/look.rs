//! What an audit has to look up: how files are kept, what certificates say, how keys are used.

use crate::audit::random;
use crate::ending::Stop;
use portcullis_audit::{CertificateFact, Facts, FileFact, FileUse, KeyFact, KeyKind};
use portcullis_auth::key::KeyText;
use portcullis_config::Loaded;
use portcullis_config::plan::{CertificateSource, LogSink, Plan};
use portcullis_store::{Home, Listed};
use portcullis_types::Clock;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

/// Keys that are read from the store at once, and LIMIT: how many are looked at.
const PAGE: usize = 1_000;
const KEYS_MAX: usize = 100_000;
/// LIMIT: bytes of a certificate file.
const CERTIFICATE_BYTES_MAX: u64 = 1024 * 1024;
/// Signatures with digests that can be forged: MD5 and SHA-1 with RSA, SHA-1 with ECDSA.
const WEAK: [&str; 3] = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

/// All of it. What cannot be read is an error: an audit that looks away would be a good one.
pub(super) fn facts(loaded: &Loaded) -> Result<Facts, Stop> {
    let plan = &loaded.plan;
    let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut facts = Facts { now, ..Facts::default() };
    for listener in &plan.listeners {
        let Some(CertificateSource::Files(pairs)) = listener.tls.as_ref().map(|tls| &tls.certificates) else {
            continue;
        };
        for pair in pairs {
            facts.certificates.push(certificate(&listener.name, &pair.cert_file)?);
            file(&mut facts, &pair.key_file, FileUse::Secret)?;
        }
    }
    for path in client_keys(plan).chain(loaded.value_files()) {
        file(&mut facts, &path, FileUse::Secret)?;
    }
    for path in &plan.watched {
        file(&mut facts, path, FileUse::Settings)?;
    }
    let logs = [Some(&plan.access_log.sink), plan.security_log.as_ref().map(|log| &log.sink)];
    for sink in logs.into_iter().flatten() {
        if let LogSink::File(path) = sink {
            file(&mut facts, path, FileUse::Records)?;
        }
    }
    if let Some(home) = plan.identity.store.as_deref().map(Home::new).filter(Home::is_there) {
        keys(&mut facts, &home)?;
    }
    Ok(facts)
}

/// Keys by which the gateway shows servers who it is.
fn client_keys(plan: &Plan) -> impl Iterator<Item = PathBuf> {
    let versions = plan.apis.iter().flat_map(|api| &api.versions);
    let upstreams = versions.flat_map(|version| &version.routes).filter_map(|route| route.upstream.tls.as_ref());
    upstreams.filter_map(|tls| tls.client_certificate.as_ref()).map(|pair| pair.key_file.clone())
}

/// A file that is not there yet, as a log before the first start, has no mode. One that is named in several places is what it was
/// named as first.
fn file(facts: &mut Facts, path: &Path, holds: FileUse) -> Result<(), Stop> {
    if facts.files.iter().any(|known| known.path == path) {
        return Ok(());
    }
    match std::fs::metadata(path) {
        Ok(metadata) => {
            facts.files.push(FileFact { path: path.to_owned(), mode: metadata.permissions().mode(), holds });
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Stop::environment(format!("{}: {error}", path.display()))),
    }
}

fn certificate(listener: &str, path: &Path) -> Result<CertificateFact, Stop> {
    let cannot = |why: &dyn std::fmt::Display| Stop::environment(format!("{}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| cannot(&error))?.len();
    if length > CERTIFICATE_BYTES_MAX {
        return Err(cannot(&"it is too long for a certificate"));
    }
    let bytes = std::fs::read(path).map_err(|error| cannot(&error))?;
    let leaf = Pem::iter_from_buffer(&bytes).next().ok_or_else(|| cannot(&"it holds no certificate"))?;
    let leaf = leaf.map_err(|error| cannot(&error))?;
    let (_, leaf) = X509Certificate::from_der(&leaf.contents).map_err(|error| cannot(&error))?;
    let names = leaf.subject_alternative_name().ok().flatten().map(|names| {
        let dns = |name: &GeneralName<'_>| {
            if let GeneralName::DNSName(name) = name { Some(name.to_ascii_lowercase()) } else { None }
        };
        names.value.general_names.iter().filter_map(dns).collect::<Vec<_>>()
    });
    let key = match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => KeyKind::Rsa(key.key_size()),
        Ok(_) | Err(_) => KeyKind::Other,
    };
    Ok(CertificateFact {
        listener: listener.to_owned(),
        path: path.to_owned(),
        names: names.unwrap_or_default(),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
        key,
        weak_digest: WEAK.contains(&leaf.signature_algorithm.algorithm.to_id_string().as_str()),
    })
}

fn keys(facts: &mut Facts, home: &Home) -> Result<(), Stop> {
    let unusable = |error: portcullis_store::StoreError| Stop::environment(error.to_string());
    let (store, _) = home.open(random()?).map_err(unusable)?;
    let mut from = 0;
    while facts.keys.len() < KEYS_MAX {
        let page = store.list(from, PAGE).map_err(unusable)?;
        let Some(next) = page.last().and_then(|listed| listed.record.number.checked_add(1)) else { break };
        let good = page.iter().filter(|listed| is_good(listed, facts.now));
        let found: Vec<KeyFact> = good.map(key).collect();
        facts.keys.extend(found);
        from = next;
    }
    Ok(())
}

fn is_good(listed: &Listed, now: u64) -> bool {
    listed.record.revoked_at.is_none() && listed.record.expires_at.is_none_or(|end| end > now)
}

fn key(listed: &Listed) -> KeyFact {
    let record = &listed.record;
    KeyFact {
        id: KeyText::id_of(record.number),
        consumer: record.consumer.clone(),
        created_at: record.created_at,
        last_used_at: listed.last_used_at,
        expires_at: record.expires_at,
        all_apis: record.apis.is_empty(),
        has_rights: !record.scopes.is_empty() || !record.roles.is_empty(),
        replaced: record.rotated_to.is_some(),
    }
}
