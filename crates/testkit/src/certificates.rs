//! Certificates for tests: an authority of its own, leaves below it, and the settings of both sides.

use crate::scratch::Scratch;
use portcullis_config::plan::CertificateFiles;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An authority and the folder where its files are.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    scratch: Scratch,
}

// === impl Authority ===

impl Authority {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, scratch: Scratch::new() }
    }

    /// The file to trust.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.scratch.file("ca.pem", &self.pem)
    }

    /// A certificate for these names.
    #[must_use]
    pub fn leaf(&self, names: &[&str]) -> CertificateFiles {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let file = names[0].replace(['*', ':'], "_");
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        CertificateFiles {
            cert_file: self.scratch.file(&format!("{file}.pem"), &certificate.pem()),
            key_file: self.scratch.file(&format!("{file}-key.pem"), &key.serialize_pem()),
        }
    }

    /// A client that trusts this authority and speaks these versions; all where there is none.
    #[must_use]
    pub fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = if versions.is_empty() { rustls::ALL_VERSIONS } else { versions };
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// The certificates of a file.
#[must_use]
pub fn chain(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
}

/// Chain and key as the library takes them.
#[must_use]
pub fn pair(files: &CertificateFiles) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    (chain(&files.cert_file), PrivateKeyDer::from_pem_file(&files.key_file).unwrap())
}

/// The server side of an upstream with this certificate.
#[must_use]
pub fn server(files: &CertificateFiles) -> Arc<ServerConfig> {
    let (chain, key) = pair(files);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}
