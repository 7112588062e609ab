//! Certificate and key files: that they are there, can be read, and look like what they should hold. Whether a key fits
//! its certificate is decided by the part that loads them.

use std::net::IpAddr;
use std::path::PathBuf;

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Certificate, SelfSigned};
use crate::plan::{CertificateFiles, CertificateSource};
use crate::scalar::FileName;
use crate::tree::At;

/// LIMIT: bytes of a PEM file.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// What a PEM file should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pem {
    Certificate,
    Key,
    /// A list of revoked certificates.
    Crl,
}

impl Check<'_> {
    pub(super) fn certificates(&mut self, pairs: &[Certificate], at: &At<'_>) -> CertificateSource {
        if pairs.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "there is no certificate")
                .help("add `{ cert_file: tls.crt, key_file: tls.key }`");
            self.reject(at, diagnostic);
        }
        let mut files = Vec::new();
        for (index, pair) in pairs.iter().enumerate() {
            let item = at.index(index);
            files.push(self.pair(&item, &pair.cert_file, &pair.key_file));
        }
        CertificateSource::Files(files)
    }

    /// A certificate and its key, wherever they are named.
    pub(super) fn pair(&mut self, at: &At<'_>, cert: &FileName, key: &FileName) -> CertificateFiles {
        CertificateFiles {
            cert_file: self.pem(&at.key("cert_file"), cert, Pem::Certificate),
            key_file: self.pem(&at.key("key_file"), key, Pem::Key),
        }
    }

    pub(super) fn pem(&mut self, at: &At<'_>, name: &FileName, wanted: Pem) -> PathBuf {
        let path = self.locate(at, name);
        self.watch(&path);
        if at.is_tainted() {
            return path;
        }
        let shown = self.shown(at, &name.0);
        let diagnostic = match self.environment.read(&path, MAX_PEM_BYTES) {
            Err(why) => {
                let help = match wanted {
                    _ if path.is_absolute() => "the path must lead to a PEM file that the gateway may read".to_owned(),
                    Pem::Certificate | Pem::Key | Pem::Crl => format!("it was looked for at `{}`", path.display()),
                };
                let mut diagnostic = self.wrong(at, "unreadable-file", format!("{shown} cannot be read: {why}"));
                // The place of a value from outside the file is the value.
                diagnostic.help = (!self.outside.contains_key(&at.id())).then_some(help);
                Some(diagnostic)
            }
            Ok(bytes) => {
                let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
                let has_certificate = holds(b"-----BEGIN CERTIFICATE-----");
                let has_key = holds(b"PRIVATE KEY-----");
                match wanted {
                    Pem::Certificate if !has_certificate => {
                        Some(self.wrong(at, "not-pem", format!("{shown} holds no certificate")).help(if has_key {
                            "it holds a key; are the two files swapped?"
                        } else {
                            PEM_HELP
                        }))
                    }
                    Pem::Key if !has_key => Some(
                        self.wrong(at, "not-pem", format!("{shown} holds no private key")).help(if has_certificate {
                            "it holds a certificate; are the two files swapped?"
                        } else {
                            PEM_HELP
                        }),
                    ),
                    Pem::Crl if !holds(b"-----BEGIN X509 CRL-----") => Some(
                        self.wrong(at, "not-pem", format!("{shown} holds no list of revoked certificates"))
                            .help(CRL_HELP),
                    ),
                    Pem::Certificate | Pem::Key | Pem::Crl => None,
                }
            }
        };
        if let Some(diagnostic) = diagnostic {
            self.reject(at, diagnostic);
        }
        path
    }

    pub(super) fn self_signed(&mut self, written: &SelfSigned, at: &At<'_>) -> CertificateSource {
        let list = at.key("names");
        if written.names.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "a certificate needs a name")
                .help("write `names: [localhost, 127.0.0.1]`");
            self.reject(&list, diagnostic);
        }
        let mut names = Vec::new();
        for (index, name) in written.names.iter().enumerate() {
            let item = list.index(index);
            let is_name = name.0.parse::<IpAddr>().is_ok()
                || name.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            if !is_name {
                let message = format!("{} is no host name or address", self.shown(&item, &name.0));
                let diagnostic = self.wrong(&item, "bad-value", message).help("write it without scheme, port or path");
                self.reject(&item, diagnostic);
            }
            names.push(name.0.to_ascii_lowercase());
        }
        let directory = self.locate(&at.key("directory"), &written.directory);
        CertificateSource::SelfSigned { names, directory }
    }
}

const CRL_HELP: &str = "write it in PEM: `openssl crl -inform DER -in list.crl -out list.pem`";
const PEM_HELP: &str = "a PEM file holds lines that begin with `-----BEGIN`";
