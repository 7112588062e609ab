//! What an upstream's certificate is verified against, and what we show of ourselves. There is no switch to skip it.

use crate::tls::files::{self, TlsError};
use portcullis_config::plan::{UpstreamProtocol, UpstreamTlsPlan};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The client side of TLS for one upstream.
#[derive(Debug)]
pub(crate) struct UpstreamTls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    /// A digest of everything above: connections outlive a reload where it stays the same.
    mark: blake3::Hash,
}

// === impl UpstreamTls ===

impl UpstreamTls {
    /// # Errors
    /// Files that cannot be read or don't belong together, and names that are none.
    pub(crate) fn new(plan: &UpstreamTlsPlan, protocol: UpstreamProtocol) -> Result<Self, TlsError> {
        Self::speaking(
            plan,
            match protocol {
                UpstreamProtocol::Http1 => vec![b"http/1.1".to_vec()],
                UpstreamProtocol::Http2 => vec![b"h2".to_vec()],
            },
        )
    }

    /// For a server that is told these protocols (RFC 7301), or none.
    ///
    /// # Errors
    /// As [`UpstreamTls::new`].
    pub(crate) fn speaking(plan: &UpstreamTlsPlan, protocols: Vec<Vec<u8>>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let mut mark = blake3::Hasher::new();
        let mut note = |bytes: &[u8]| {
            mark.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        match &plan.ca_file {
            Some(path) => {
                for certificate in files::certificates(path)? {
                    note(&certificate);
                    roots.add(certificate).map_err(|error| TlsError::new(path, &error))?;
                }
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::internal)?
            .with_root_certificates(roots);
        let mut config = match &plan.client_certificate {
            Some(own) => {
                let (chain, key) = (files::certificates(&own.cert_file)?, files::private_key(&own.key_file)?);
                note(b"own");
                chain.iter().for_each(|certificate| note(certificate));
                note(key.secret_der());
                builder.with_client_auth_cert(chain, key).map_err(|error| TlsError::new(&own.cert_file, &error))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols;
        let server_name = plan.server_name.as_deref().map(parse_name).transpose()?;
        note(config.alpn_protocols.concat().as_slice());
        note(plan.server_name.as_deref().unwrap_or_default().as_bytes());
        Ok(Self { config: Arc::new(config), server_name, mark: mark.finalize() })
    }

    /// Whether connections made by the one are as good as those made by the other.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.mark == other.mark
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The name that the certificate must have: the configured one, else the target's host.
    pub(crate) fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        self.server_name.clone().map_or_else(|| parse_name(host), Ok)
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|error| TlsError::text(format!("`{name}`: {error}")))
}
