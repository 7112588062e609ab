//! Who a verified client certificate stands for. That it is verified, and not revoked, is TLS's business.

use crate::jwt::encode;
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

// LIMIT: bytes of a certificate.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
// LIMIT: names of one certificate.
const NAMES_MAX: usize = 100;
// LIMIT: bytes of one name.
const NAME_BYTES_MAX: usize = 512;

/// Which name of a certificate says who it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameRule {
    /// A DNS name among the subject's alternative names.
    SanDns,
    /// A URI there, as SPIFFE uses it.
    SanUri,
    /// A mail address there.
    SanEmail,
    /// The subject's common name.
    CommonName,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    names: Vec<(NameRule, String)>,
    /// SHA-256 of the whole of it, as bound tokens name it (RFC 8705).
    pub sha256: [u8; 32],
    /// The serial number in hexadecimal, for records.
    pub serial: String,
    /// The seconds since 1970 between which it is good.
    pub validity: (i64, i64),
}

/// Why a certificate identifies nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// It cannot be read whole.
    Malformed,
    /// It is over by now; a connection can outlive it.
    Expired,
    /// It has no name of a kind that counts.
    NoName,
    /// It has several where one counts.
    Several,
    /// Nobody who counts vouches for it any more.
    Revoked,
    /// The name is a pattern, or holds what no name holds.
    Name,
}

// === impl ClientCertificate ===

impl ClientCertificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// One that cannot be read whole: a name that one reader skips and another takes is how identities are forged.
    pub fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed = CertificateError::Malformed;
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(malformed);
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| malformed)?;
        if !rest.is_empty() {
            return Err(malformed);
        }
        let mut names = Vec::new();
        let alternative = parsed.subject_alternative_name().map_err(|_| malformed)?;
        for name in alternative.iter().flat_map(|extension| &extension.value.general_names) {
            match name {
                GeneralName::DNSName(text) => names.push((NameRule::SanDns, text.to_ascii_lowercase())),
                GeneralName::URI(text) => names.push((NameRule::SanUri, (*text).to_owned())),
                GeneralName::RFC822Name(text) => names.push((NameRule::SanEmail, (*text).to_owned())),
                GeneralName::Invalid(..) => return Err(malformed),
                GeneralName::OtherName(..)
                | GeneralName::X400Address(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EDIPartyName(_)
                | GeneralName::IPAddress(_)
                | GeneralName::RegisteredID(_) => {}
            }
        }
        for attribute in parsed.subject().iter_common_name() {
            let text = attribute.as_str().map_err(|_| malformed)?;
            names.push((NameRule::CommonName, text.to_owned()));
        }
        if names.len() > NAMES_MAX {
            return Err(malformed);
        }
        let validity = parsed.validity();
        Ok(Self {
            names,
            sha256: digest(&SHA256, der).as_ref().try_into().map_err(|_| malformed)?,
            serial: parsed.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            validity: (validity.not_before.timestamp(), validity.not_after.timestamp()),
        })
    }

    /// The hash of the whole of it as text: `x5t#S256`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        encode(self.sha256)
    }

    /// Whether it is within its time.
    #[must_use]
    pub fn is_good_at(&self, now: u64) -> bool {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        (self.validity.0..=self.validity.1).contains(&now)
    }

    /// Who it stands for: the one name of the first kind in `rules` of which it has any.
    ///
    /// # Errors
    /// Why it stands for nobody.
    pub fn identify(&self, rules: &[NameRule], now: u64) -> Result<&str, CertificateError> {
        if !self.is_good_at(now) {
            return Err(CertificateError::Expired);
        }
        let mut found = None;
        for rule in rules {
            let mut names = self.names.iter().filter(|(kind, _)| kind == rule).map(|(_, name)| name.as_str());
            if let Some(first) = names.next() {
                found = Some((first, names.next()));
                break;
            }
        }
        let name = match found {
            None => return Err(CertificateError::NoName),
            Some((_, Some(_))) => return Err(CertificateError::Several),
            Some((name, None)) => name,
        };
        let sound = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
        if sound && !name.contains('*') { Ok(name) } else { Err(CertificateError::Name) }
    }
}

// === impl CertificateError ===

impl CertificateError {
    /// What the record says.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Malformed => "the client certificate cannot be read whole",
            Self::Expired => "the client certificate is not good now",
            Self::Revoked => "nobody vouches for the client certificate any more",
            Self::NoName => "the client certificate has no name of a kind that counts",
            Self::Several => "the client certificate has several names where one counts",
            Self::Name => "the name in the client certificate is a pattern or no name",
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.detail())
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
mod tests {
    use super::{CertificateError, ClientCertificate, NameRule};
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

    fn made(common_names: &[&str], names: &[SanType]) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for name in common_names {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        params.subject_alt_names = names.to_vec();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    const NOW: u64 = 1_780_000_000;

    #[test]
    fn names_by_rule() {
        use NameRule::{CommonName, SanDns, SanEmail, SanUri};
        let dns = |text: &str| SanType::DnsName(text.try_into().unwrap());
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let mail = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
        let full = made(&["Ada"], &[dns("A.example"), uri("spiffe://x/a"), mail("a@x.example")]);
        let two = made(&[], &[dns("a.example"), dns("b.example")]);
        for (der, rules, outcome) in [
            (&full, &[SanDns][..], Ok("a.example")),
            (&full, &[SanUri], Ok("spiffe://x/a")),
            (&full, &[SanEmail], Ok("a@x.example")),
            (&full, &[CommonName], Ok("Ada")),
            (&full, &[CommonName, SanDns], Ok("Ada")),
            (&full, &[], Err(CertificateError::NoName)),
            (&made(&["Ada"], &[]), &[SanDns, SanUri, CommonName], Ok("Ada")),
            (&made(&["Ada"], &[]), &[SanDns], Err(CertificateError::NoName)),
            (&two, &[SanDns, CommonName], Err(CertificateError::Several)),
            (&made(&[], &[dns("*.example")]), &[SanDns], Err(CertificateError::Name)),
            (&made(&["a\u{0}b"], &[]), &[CommonName], Err(CertificateError::Name)),
            (&made(&["a\nb"], &[]), &[CommonName], Err(CertificateError::Name)),
            (&made(&[""], &[]), &[CommonName], Err(CertificateError::Name)),
            (&made(&[&"x".repeat(600)], &[]), &[CommonName], Err(CertificateError::Name)),
        ] {
            let read = ClientCertificate::read(der).unwrap();
            assert_eq!(read.identify(rules, NOW), outcome, "{read:?} {rules:?}");
        }
    }

    #[test]
    fn what_is_over_or_broken_identifies_nobody() {
        let der = made(&["Ada"], &[]);
        let read = ClientCertificate::read(&der).unwrap();
        assert_eq!(read.identify(&[NameRule::CommonName], 1_700_000_000), Err(CertificateError::Expired));
        assert_eq!(read.identify(&[NameRule::CommonName], 1_800_000_000), Err(CertificateError::Expired));
        assert_eq!(read.identify(&[NameRule::CommonName], u64::MAX), Err(CertificateError::Expired));
        assert_eq!(ClientCertificate::read(&[&der[..], &[0]].concat()), Err(CertificateError::Malformed));
        for length in 0..der.len() {
            assert_eq!(ClientCertificate::read(&der[..length]), Err(CertificateError::Malformed), "{length}");
        }
        assert_eq!(ClientCertificate::read(&[0x30; 70_000]), Err(CertificateError::Malformed));
        let expected = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
        assert_eq!(expected.as_ref(), read.sha256);
    }
}
