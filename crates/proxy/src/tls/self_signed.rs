//! Development certificates: an authority and a leaf below it, made once and kept in a directory.
//!
//! Clients trust `ca.pem`. The authority's key is not kept: when the leaf has to change, both are made anew.

use super::files::TlsError;
use portcullis_config::plan::CertificateFiles;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file that clients trust: `curl --cacert DIRECTORY/ca.pem`.
pub const AUTHORITY_FILE: &str = "ca.pem";

/// Makes the certificates unless they are there for the same names.
///
/// # Errors
/// A directory that cannot be written, or a name that cannot stand in a certificate.
pub fn ensure(names: &[String], directory: &Path) -> Result<CertificateFiles, TlsError> {
    let files =
        CertificateFiles { cert_file: directory.join("server.pem"), key_file: directory.join("server-key.pem") };
    let names_file = directory.join("names.txt");
    let wanted = names.join("\n");
    let present = [&files.cert_file, &files.key_file].iter().all(|path| path.exists());
    if present && fs::read_to_string(&names_file).is_ok_and(|have| have == wanted) {
        return Ok(files);
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| TlsError::new(directory, &error))?;
    let (authority, leaf, key) = make(names).map_err(|error| TlsError::text(format!("self_signed: {error}")))?;
    write(&directory.join(AUTHORITY_FILE), &authority, 0o644)?;
    write(&files.cert_file, &leaf, 0o644)?;
    write(&files.key_file, &key, 0o600)?;
    write(&names_file, &wanted, 0o644)?;
    Ok(files)
}

fn make(names: &[String]) -> Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "Portcullis development authority");
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut leaf = CertificateParams::new(names.to_vec())?;
    leaf.distinguished_name.push(DnType::CommonName, "Portcullis development");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?;
    Ok((authority_certificate.pem(), certificate.pem(), key.serialize_pem()))
}

/// Writes beside the file and renames, so that nobody reads half of it.
fn write(path: &PathBuf, text: &str, mode: u32) -> Result<(), TlsError> {
    let fresh = path.with_extension("new");
    let result = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&fresh);
    let result = result.and_then(|mut file| file.write_all(text.as_bytes()));
    result.and_then(|()| fs::rename(&fresh, path)).map_err(|error| TlsError::new(path, &error))
}
