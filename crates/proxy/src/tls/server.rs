//! The server side of TLS of one listener: versions, and a certificate chosen by the name that the client asks for.

use super::client::{self, Authorities};
use super::expiry::{self, Expiry};
use super::files::{self, TlsError};
use super::self_signed;
use portcullis_config::plan::{CertificateFiles, CertificateSource, TlsPlan, TlsVersion};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// A listener's TLS as its connections use it.
#[derive(Clone, Debug)]
pub(crate) struct ListenerTls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) names: Arc<Certificates>,
    /// Who vouches for clients; `None` where they are not asked for certificates.
    pub(crate) authorities: Option<Authorities>,
}

/// The certificates of a listener in the order of the file; the first one answers names that none has.
#[derive(Debug)]
pub(crate) struct Certificates(Vec<Named>);

#[derive(Debug)]
struct Named {
    /// When it expires, in seconds since 1970.
    expires: Option<i64>,
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

/// Builds what a listener needs to speak TLS.
///
/// # Errors
/// Files that cannot be read, that hold nothing usable, or a certificate that doesn't match its key.
pub(crate) fn listener(plan: &TlsPlan, http2: bool) -> Result<ListenerTls, TlsError> {
    let certificates = match &plan.certificates {
        CertificateSource::Files(files) => files.iter().map(named).collect::<Result<Vec<_>, _>>()?,
        CertificateSource::SelfSigned { names, directory } => vec![named(&self_signed::ensure(names, directory)?)?],
    };
    let names = Arc::new(Certificates(certificates));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = match plan.min_version {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let authorities = plan.client_auth.as_ref().map(|plan| client::authorities(plan, &provider)).transpose()?;
    let builder =
        ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).map_err(TlsError::internal)?;
    let builder = match &authorities {
        Some(authorities) => builder.with_client_cert_verifier(Arc::clone(authorities)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::clone(&names) as Arc<dyn ResolvesServerCert>);
    if http2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    // Tickets need no shared table of sessions: any worker can resume what another one began.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::internal)?;
    config.send_tls13_tickets = 1;
    Ok(ListenerTls { config: Arc::new(config), names, authorities })
}

/// What the listener of the console needs, which speaks HTTP/1 only.
///
/// # Errors
/// As of any listener.
pub fn for_people(plan: &TlsPlan) -> Result<Arc<ServerConfig>, TlsError> {
    listener(plan, false).map(|tls| tls.config)
}

fn named(files: &CertificateFiles) -> Result<Named, TlsError> {
    let chain = files::certificates(&files.cert_file)?;
    let names = chain.first().map(|leaf| dns_names(leaf)).unwrap_or_default();
    let expires = chain.first().and_then(|leaf| expiry::not_after(leaf));
    let key = files::private_key(&files.key_file)?;
    let signer = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| TlsError::new(&files.key_file, &error))?;
    let key = CertifiedKey::new(chain, signer);
    match key.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(_) => {
            return Err(TlsError::text(format!(
                "the key in {} does not belong to the certificate in {}; name the pair that was issued together",
                files.key_file.display(),
                files.cert_file.display()
            )));
        }
    }
    Ok(Named { expires, names, key: Arc::new(key) })
}

fn dns_names(leaf: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(leaf) else { return Vec::new() };
    certificate.valid_dns_names().map(str::to_ascii_lowercase).collect()
}

// === impl Certificates ===

impl Certificates {
    /// Which certificate answers a name: an exact one before a wildcard, else the first.
    pub(crate) fn index(&self, name: &str) -> usize {
        let exact = |named: &Named| named.names.iter().any(|have| have.eq_ignore_ascii_case(name));
        let wildcard = |named: &Named| {
            let parent = name.split_once('.').map(|(_, parent)| parent);
            named.names.iter().any(|have| {
                have.strip_prefix("*.")
                    .is_some_and(|rest| parent.is_some_and(|parent| rest.eq_ignore_ascii_case(parent)))
            })
        };
        self.0.iter().position(exact).or_else(|| self.0.iter().position(wildcard)).unwrap_or(0)
    }

    /// The first name and the end of each.
    pub(crate) fn expiries(&self) -> impl Iterator<Item = Expiry<'_>> {
        self.0.iter().map(|named| Expiry { name: named.names.first().map(String::as_str), seconds: named.expires })
    }

    /// Whether names choose between several certificates.
    pub(crate) fn differ(&self) -> bool {
        self.0.len() > 1
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let index = hello.server_name().map_or(0, |name| self.index(name));
        self.0.get(index).map(|named| Arc::clone(&named.key))
    }
}
