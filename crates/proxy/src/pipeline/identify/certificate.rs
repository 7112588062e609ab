//! Callers who show a certificate.

use super::Judging;
use portcullis_auth::certificate::{CertificateError, ClientCertificate};
use portcullis_auth::principal::{Failure, Outcome, Principal, Scheme};
use portcullis_types::Reason;
use std::rc::Rc;

impl Judging<'_> {
    /// The certificate of the connection, if there is one and the listener's authorities vouch for it now.
    pub(super) fn certificate(&self) -> Option<Result<&ClientCertificate, CertificateError>> {
        let identity = self.connection.identity.as_ref()?;
        let tls = self.snapshot.listeners.get(&self.connection.listener).and_then(|listener| listener.tls.as_ref());
        Some(identity.vouched_by(tls.and_then(|tls| tls.authorities.as_ref()), self.bench.now))
    }

    /// Whom it stands for.
    pub(super) fn certified(&self) -> Outcome {
        let certificate = match self.certificate() {
            None => return Outcome::Absent,
            Some(certificate) => certificate,
        };
        let named = certificate.and_then(|certificate| {
            let name = certificate.identify(&self.demands.proofs.certificate_names, self.bench.now)?;
            Ok((certificate, name))
        });
        match named {
            Err(error) => Outcome::Failed(Failure { reason: Reason::InvalidCertificate, detail: error.detail() }),
            Ok((certificate, name)) => Outcome::Proved(Rc::new(Principal {
                scheme: Scheme::Certificate,
                id: name.to_owned(),
                username: None,
                credential: certificate.thumbprint(),
                issuer: None,
                scopes: Vec::new(),
                roles: Vec::new(),
                claims: Default::default(),
                expires_at: u64::try_from(certificate.validity.1).ok(),
            })),
        }
    }
}
