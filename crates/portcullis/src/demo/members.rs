//! Clients of the demo that have certificates: the authority that vouches for them, one member, and a stranger.

use crate::ending::Stop;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_types::Clock;
use portcullis_types::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// How long a list of certificates that count no longer is good.
const LIST_DAYS: i64 = 30;
const REVOKED: u64 = 2;

/// A certificate and its key in PEM.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// By which tokens are bound to it (RFC 8705 section 3.1).
    pub(super) thumbprint: String,
}

/// Makes an authority and a member, and leaves in the folder what the gateway and people need: `clients.pem`, `clients.crl`, `client.pem`,
/// `client-key.pem`, and `gateway-key.pem`, with which the gateway proves itself. The second one has the same name, and an authority of
/// its own that nobody listens to; the third one has a certificate that counts no longer.
pub(super) fn make(folder: &Path) -> Result<(Member, Member, Member), Stop> {
    let failed = |error: &dyn std::fmt::Display| Stop::environment(format!("{}: {error}", folder.display()));
    let Issued { authority, list, member, revoked } = issue().map_err(|error| failed(&error))?;
    let stranger = issue().map_err(|error| failed(&error))?.member;
    for (name, text) in [("clients.pem", authority), ("clients.crl", list)] {
        fs::write(folder.join(name), text).map_err(|error| failed(&error))?;
    }
    let own = KeyPair::generate().map_err(|error| failed(&error))?.serialize_pem();
    for (name, text) in
        [("client.pem", &member.certificate), ("client-key.pem", &member.key), ("gateway-key.pem", &own)]
    {
        super::callers::write(&folder.join(name), text).map_err(|error| failed(&error))?;
    }
    Ok((member, stranger, revoked))
}

/// What an authority has made, in PEM.
struct Issued {
    authority: String,
    list: String,
    member: Member,
    revoked: Member,
}

fn issue() -> Result<Issued, rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "Clients of the demo");
    let authority_key = KeyPair::generate()?;
    let certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let (member, revoked) = (sign(&issuer, 1)?, sign(&issuer, REVOKED)?);
    Ok(Issued { authority: certificate.pem(), list: list(&issuer)?, member, revoked })
}

fn sign(issuer: &Issuer<'_, KeyPair>, number: u64) -> Result<Member, rcgen::Error> {
    let mut params = CertificateParams::new(vec!["shop.demo".to_owned()])?;
    params.serial_number = Some(SerialNumber::from(number));
    params.distinguished_name = DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let member = params.signed_by(&key, issuer)?;
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, member.der()));
    Ok(Member { certificate: member.pem(), key: key.serialize_pem(), thumbprint })
}

/// The list of certificates that count no longer.
fn list(issuer: &Issuer<'_, KeyPair>) -> Result<String, rcgen::Error> {
    let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let today = now.cast_signed().div_euclid(24 * 60 * 60);
    let day = |day: i64| {
        let Date { year, month, day } = Date::of_day(day);
        let (year, month, day) = (i32::try_from(year), u8::try_from(month), u8::try_from(day));
        let parts = year.ok().zip(month.ok()).zip(day.ok());
        parts.map(|((year, month), day)| date_time_ymd(year, month, day)).ok_or(rcgen::Error::Time)
    };
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(REVOKED),
        revocation_time: day(today - 1)?,
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: day(today - 1)?,
        next_update: day(today + LIST_DAYS)?,
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer)?.pem()
}
