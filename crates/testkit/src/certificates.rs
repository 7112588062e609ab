//! Certificates for tests: an authority of its own, leaves below it, and the settings of both sides.

use crate::scratch::Scratch;
use portcullis_config::plan::CertificateFiles;
pub use rcgen::SanType;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An authority and the folder where its files are.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    scratch: Scratch,
    serials: AtomicU64,
}

// === impl Authority ===

impl Authority {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        Self::above(0)
    }

    /// Makes one that may have so many others below it.
    #[must_use]
    pub fn above(others: u8) -> Self {
        let (params, key) = authority("test authority", others);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, scratch: Scratch::new(), serials: AtomicU64::new(1) }
    }

    /// Makes one below this one.
    #[must_use]
    pub fn below(&self, name: &str, others: u8) -> Self {
        let (params, key) = authority(name, others);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, scratch: Scratch::new(), serials: AtomicU64::new(1) }
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate of a client with these names, and its number.
    #[must_use]
    pub fn member(&self, common_name: &str, names: &[SanType]) -> (CertificateFiles, u64) {
        self.member_until(common_name, names, (2020, 2090))
    }

    /// The same between the beginnings of two years.
    #[must_use]
    pub fn member_until(&self, common_name: &str, names: &[SanType], years: (i32, i32)) -> (CertificateFiles, u64) {
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        if !common_name.is_empty() {
            params.distinguished_name.push(DnType::CommonName, common_name);
        }
        params.subject_alt_names = names.to_vec();
        params.serial_number = Some(serial.into());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = CertificateFiles {
            cert_file: self.scratch.file(&format!("member-{serial}.pem"), &certificate.pem()),
            key_file: self.scratch.file(&format!("member-{serial}-key.pem"), &key.serialize_pem()),
        };
        (files, serial)
    }

    /// The list of what it has revoked, good between the beginnings of two years.
    #[must_use]
    pub fn revocations(&self, serials: &[u64], years: (i32, i32)) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: date_time_ymd(years.0, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(years.0, 1, 1),
            next_update: date_time_ymd(years.1, 1, 1),
            crl_number: 1u64.into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
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

    /// A client that trusts this authority and shows a certificate.
    #[must_use]
    pub fn client_with(
        &self,
        (chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS).unwrap();
        Arc::new(builder.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap())
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

fn authority(name: &str, others: u8) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(others));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    (params, KeyPair::generate().unwrap())
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
