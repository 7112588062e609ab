//! Clients of the demo that have certificates: the authority that vouches for them, one member, and a stranger.

use crate::ending::Stop;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::fs;
use std::path::Path;

/// A certificate and its key in PEM.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// By which tokens are bound to it (RFC 8705 section 3.1).
    pub(super) thumbprint: String,
}

/// Makes an authority and a member, and leaves in the folder what the gateway and people need: `clients.pem`, `client.pem`,
/// `client-key.pem`. The second one has the same name, and an authority of its own that nobody listens to.
pub(super) fn make(folder: &Path) -> Result<(Member, Member), Stop> {
    let failed = |error: &dyn std::fmt::Display| Stop::environment(format!("{}: {error}", folder.display()));
    let (authority, member) = issue().map_err(|error| failed(&error))?;
    let (_, stranger) = issue().map_err(|error| failed(&error))?;
    fs::write(folder.join("clients.pem"), authority).map_err(|error| failed(&error))?;
    for (name, text) in [("client.pem", &member.certificate), ("client-key.pem", &member.key)] {
        super::callers::write(&folder.join(name), text).map_err(|error| failed(&error))?;
    }
    Ok((member, stranger))
}

fn issue() -> Result<(String, Member), rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Clients of the demo");
    let authority_key = KeyPair::generate()?;
    let certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let mut params = CertificateParams::new(vec!["shop.demo".to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let member = params.signed_by(&key, &issuer)?;
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, member.der()));
    Ok((certificate.pem(), Member { certificate: member.pem(), key: key.serialize_pem(), thumbprint }))
}
