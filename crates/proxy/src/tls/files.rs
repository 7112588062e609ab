//! Certificates and keys from PEM files, with errors that name the file.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::path::Path;

/// Why a TLS setting cannot be used: one sentence that names the file and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError(String);

// === impl TlsError ===

impl TlsError {
    pub(crate) fn new(path: &Path, error: &dyn fmt::Display) -> Self {
        Self(format!("{}: {error}", path.display()))
    }

    pub(crate) fn text(text: String) -> Self {
        Self(text)
    }

    #[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
    pub(crate) fn internal(error: rustls::Error) -> Self {
        Self(format!("TLS cannot be set up: {error}"))
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

/// The chain in a file, leaf first; at least one certificate.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| unreadable(path, &error))?.collect();
    let found = found.map_err(|error| unreadable(path, &error))?;
    if found.is_empty() {
        return Err(TlsError::new(path, &"holds no certificate; expected PEM with BEGIN CERTIFICATE"));
    }
    Ok(found)
}

/// The first private key in a file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> TlsError {
    if matches!(error, rustls::pki_types::pem::Error::NoItemsFound) {
        return TlsError::new(path, &"holds nothing usable; expected PEM with BEGIN PRIVATE KEY or BEGIN CERTIFICATE");
    }
    TlsError::new(path, error)
}
