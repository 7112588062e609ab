//! What an issuer publishes about itself (OpenID Connect Discovery, RFC 8414), and which addresses may be asked for it.

use crate::jwt::text;
use crate::network::{Network, is_public};
use crate::strict_json;
use crate::web::WebAddress;
use std::fmt;
use std::net::IpAddr;

// LIMIT: bytes of an issuer's metadata.
const METADATA_BYTES_MAX: usize = 128 * 1024;

/// An issuer's metadata, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where the keys are.
    pub jwks_uri: String,
    /// Where tokens are introspected, if anywhere.
    pub introspection_endpoint: Option<String>,
}

/// Why metadata is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataError {
    /// The issuer's own name is no address that could be asked.
    IssuerAddress,
    /// Larger than its limit.
    TooLarge,
    /// Not one JSON object without repeated members.
    Malformed,
    /// It speaks of another issuer: whoever is asked must not be able to answer for somebody else.
    OtherIssuer,
    /// There is no `jwks_uri`.
    NoKeys,
    /// An address in it may not be asked.
    Address,
}

/// Where an issuer's metadata may lie: first as OpenID Connect says, then as RFC 8414 section 3.1.
///
/// # Errors
/// An issuer that is no address, or one with a query or a fragment, or one that is neither `https` nor on this machine.
pub fn metadata_addresses(issuer: &str) -> Result<[String; 2], MetadataError> {
    let address = askable(issuer).filter(|address| !address.has_query).ok_or(MetadataError::IssuerAddress)?;
    let base = issuer.trim_end_matches('/');
    let path = if address.path == "/" { "" } else { address.path.trim_end_matches('/') };
    let root = base.get(..base.len().saturating_sub(path.len())).filter(|_| base.ends_with(path));
    let root = root.ok_or(MetadataError::IssuerAddress)?;
    Ok([
        format!("{base}/.well-known/openid-configuration"),
        format!("{root}/.well-known/oauth-authorization-server{path}"),
    ])
}

/// An address over which keys may come: verified TLS, or this machine.
fn askable(text: &str) -> Option<WebAddress> {
    WebAddress::parse(text).filter(|address| !address.has_fragment && (address.secure || address.is_loopback()))
}

/// Whether a resolved address may be asked on behalf of an issuer. An issuer on this machine may name places on this
/// machine; every other one may name public places, and those of `networks`, which the configuration lists for it. Addresses
/// that belong to one link, where the metadata services of clouds answer, are never asked.
#[must_use]
pub fn may_ask(issuer: &str, networks: &[Network], address: IpAddr) -> bool {
    let address = address.to_canonical();
    let here = WebAddress::parse(issuer).is_some_and(|issuer| issuer.is_loopback());
    let one_link = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let listed = networks.iter().any(|network| network.holds(address)) && !one_link && !address.is_loopback();
    is_public(address) || listed || (here && address.is_loopback())
}

// === impl Metadata ===

impl Metadata {
    /// Reads the metadata of `issuer`. `networks` are those besides the public ones that it may name.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn parse(issuer: &str, networks: &[Network], bytes: &[u8]) -> Result<Self, MetadataError> {
        if bytes.len() > METADATA_BYTES_MAX {
            return Err(MetadataError::TooLarge);
        }
        let document = strict_json::object(bytes).ok_or(MetadataError::Malformed)?;
        if text(&document, "issuer") != Some(issuer) {
            return Err(MetadataError::OtherIssuer);
        }
        let address = |name: &str| match document.get(name) {
            None => Ok(None),
            Some(value) => {
                let text = value.as_str().ok_or(MetadataError::Malformed)?;
                let sound = askable(text).is_some_and(|address| named_soundly(&address, issuer, networks));
                if sound { Ok(Some(text.to_owned())) } else { Err(MetadataError::Address) }
            }
        };
        Ok(Self {
            jwks_uri: address("jwks_uri")?.ok_or(MetadataError::NoKeys)?,
            introspection_endpoint: address("introspection_endpoint")?,
        })
    }
}

/// A host that is written as an address is judged here already; one that is a name when it has been resolved.
fn named_soundly(address: &WebAddress, issuer: &str, networks: &[Network]) -> bool {
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        return may_ask(issuer, networks, ip);
    }
    if address.is_loopback() {
        return WebAddress::parse(issuer).is_some_and(|issuer| issuer.is_loopback());
    }
    // `2130706433` and `0x7f.1` are addresses to some resolvers; a name ends in a label that is no number.
    let last = address.host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    !last.starts_with(|first: char| first.is_ascii_digit())
}

// === impl MetadataError ===

impl fmt::Display for MetadataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::IssuerAddress => "the issuer is not an https address without query and fragment",
            Self::TooLarge => "the metadata is larger than 128 KiB",
            Self::Malformed => "the metadata is not one JSON object without repeated members",
            Self::OtherIssuer => "the metadata is another issuer's",
            Self::NoKeys => "the metadata names no jwks_uri",
            Self::Address => "the metadata names an address that may not be asked",
        })
    }
}

impl std::error::Error for MetadataError {}
