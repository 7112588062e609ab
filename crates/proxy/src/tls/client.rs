//! Certificates of clients: who vouches for them, and whether somebody still does.
//!
//! A handshake, or one long ago that is resumed, says who vouched for a certificate then. A connection can outlive that: what
//! was revoked, or whose authority is gone, identifies nobody any more once a reload has taken that over.

use super::files::{self, TlsError};
use portcullis_auth::certificate::{CertificateError, ClientCertificate};
use portcullis_config::plan::ClientAuthPlan;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ServerConnection, WebPkiClientVerifier};
use rustls::{
    CertificateError as RustlsCertificateError, DigitallySignedStruct, DistinguishedName, Error, HandshakeKind,
    RootCertStore, SignatureScheme,
};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Who vouches for clients of one listener.
pub(crate) type Authorities = Arc<dyn ClientCertVerifier>;

/// The certificate of a connection.
#[derive(Debug)]
pub(crate) struct ClientIdentity {
    read: Result<ClientCertificate, CertificateError>,
    chain: Vec<CertificateDer<'static>>,
    /// Who has vouched for it last, of those that were in force.
    vouched: RefCell<Option<Authorities>>,
}

/// The library's verifier, with a limit on what a client may send along.
#[derive(Debug)]
struct Bounded {
    inner: Arc<dyn ClientCertVerifier>,
    intermediates: usize,
}

/// What a plan's files say.
///
/// # Errors
/// Files that cannot be read or hold nothing usable.
pub(super) fn authorities(plan: &ClientAuthPlan, provider: &Arc<CryptoProvider>) -> Result<Authorities, TlsError> {
    let mut roots = RootCertStore::empty();
    for path in &plan.ca_files {
        for certificate in files::certificates(path)? {
            roots.add(certificate).map_err(|error| TlsError::new(path, &error))?;
        }
    }
    let mut lists = Vec::new();
    for path in &plan.crl_files {
        lists.extend(revoked(path)?);
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if !lists.is_empty() {
        // What is not known to be good is not: each authority needs a list, and none whose time is over counts.
        builder = builder.with_crls(lists).enforce_revocation_expiration();
    }
    if !plan.required {
        builder = builder.allow_unauthenticated();
    }
    let inner = builder.build().map_err(|error| TlsError::text(format!("client_auth: {error}")))?;
    Ok(Arc::new(Bounded { inner, intermediates: plan.intermediates }))
}

fn revoked(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> =
        CertificateRevocationListDer::pem_file_iter(path).map_err(|error| TlsError::new(path, &error))?.collect();
    let found = found.map_err(|error| TlsError::new(path, &error))?;
    if found.is_empty() {
        return Err(TlsError::new(path, &"holds no list of revoked certificates; expected PEM with BEGIN X509 CRL"));
    }
    Ok(found)
}

// === impl ClientIdentity ===

impl ClientIdentity {
    /// The certificate that a client showed, if it did.
    pub(crate) fn of(session: &ServerConnection, authorities: Option<&Authorities>) -> Option<Self> {
        let chain: Vec<CertificateDer<'static>> =
            session.peer_certificates()?.iter().map(|one| one.clone().into_owned()).collect();
        let read = ClientCertificate::read(chain.first()?);
        // A session that goes on brings its certificate with it, and nobody has looked at that since.
        let looked_at = session.handshake_kind() != Some(HandshakeKind::Resumed);
        Some(Self { read, chain, vouched: RefCell::new(authorities.filter(|_| looked_at).cloned()) })
    }

    /// The certificate, if these still vouch for it. Asked again whenever they have changed.
    pub(crate) fn vouched_by(
        &self,
        authorities: Option<&Authorities>,
        now: u64,
    ) -> Result<&ClientCertificate, CertificateError> {
        let authorities = authorities.ok_or(CertificateError::Revoked)?;
        let known = self.vouched.borrow().as_ref().is_some_and(|before| Arc::ptr_eq(before, authorities));
        if !known {
            let (leaf, rest) = self.chain.split_first().ok_or(CertificateError::Malformed)?;
            let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
            authorities.verify_client_cert(leaf, rest, now).map_err(|_| CertificateError::Revoked)?;
            *self.vouched.borrow_mut() = Some(Arc::clone(authorities));
        }
        let certificate = self.read.as_ref().map_err(|error| *error)?;
        if certificate.is_good_at(now) { Ok(certificate) } else { Err(CertificateError::Expired) }
    }
}

// === impl Bounded ===

impl ClientCertVerifier for Bounded {
    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if intermediates.len() > self.intermediates {
            return Err(Error::InvalidCertificate(RustlsCertificateError::UnknownIssuer));
        }
        self.inner.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
