//! Encryption, towards clients and towards servers.

use super::{Looks, NO_EXAMPLES, Practice, Rule, Severity, Subject, rule};
use crate::facts::{CertificateFact, FileUse, KeyKind};
use portcullis_config::plan::{CertificateSource, HostPattern, TargetPlan, TlsVersion};
use std::net::IpAddr;

const P: Practice = Practice::Https;
const DAY_S: i64 = 86_400;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0301",
        P,
        Severity::Critical,
        (
            "a listener speaks plain HTTP to other machines",
            "Credentials and data can be read and changed on the way.",
            "Give it `tls`, and take `danger_plaintext` away.",
        ),
        &["API8:2023", "ASVS 12.2.1", "CWE-319"],
        ("listeners: { public: { bind: '0.0.0.0:8080', danger_plaintext: true } }", ""),
        plain,
    ),
    rule(
        "PC0302",
        P,
        Severity::Low,
        (
            "a listener speaks TLS 1.2",
            "TLS 1.3 has fewer ways to be wrong, and hides more of the handshake.",
            "Set `min_version: \"1.3\"` once your callers can.",
        ),
        &["ASVS 12.1.1", "CWE-326"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        old_tls,
    ),
    rule(
        "PC0303",
        P,
        Severity::High,
        (
            "a listener for other machines shows a certificate of its own making",
            "Callers cannot tell this gateway from anybody who sits in between.",
            "Name `certificates` from an authority that callers trust.",
        ),
        &["API8:2023", "ASVS 12.2.2", "CWE-295"],
        (
            "listeners: { public: { bind: '0.0.0.0:8443', tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "listeners: { public: { bind: '0.0.0.0:8443', tls: { certificates: [{ cert_file: a.pem, key_file: a.key }] } } }",
        ),
        self_signed,
    ),
    rule(
        "PC0304",
        P,
        Severity::Medium,
        (
            "requests go on to another machine in plain HTTP",
            "Whoever is in the network behind the gateway reads and changes them.",
            "Name targets with `https://`.",
        ),
        &["API8:2023", "ASVS 12.3.3", "CWE-319"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['http://10.0.0.1:9000'] }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        plain_upstream,
    ),
    rule(
        "PC0351",
        P,
        Severity::High,
        (
            "a certificate is over",
            "Callers refuse it, or have learned to look away.",
            "Renew it; the gateway takes a new file over by itself.",
        ),
        &["ASVS 12.2.2", "CWE-298"],
        NO_EXAMPLES,
        expired,
    ),
    rule(
        "PC0352",
        P,
        Severity::Medium,
        (
            "a certificate ends within two weeks",
            "When it is over, nobody can call.",
            "Renew it, and let a machine do so next time.",
        ),
        &["CWE-298"],
        NO_EXAMPLES,
        ending,
    ),
    rule(
        "PC0353",
        P,
        Severity::Low,
        (
            "a certificate is good for more than 398 days",
            "Browsers refuse such, and a stolen key is good for as long.",
            "Take certificates of 90 days and renew them by machine.",
        ),
        &["CWE-324"],
        NO_EXAMPLES,
        long,
    ),
    rule(
        "PC0354",
        P,
        Severity::High,
        (
            "a certificate has an RSA key of less than 2048 bits",
            "Such keys can be broken.",
            "Make a key of 2048 bits or more, or better one on P-256.",
        ),
        &["ASVS 11.2.3", "CWE-326"],
        NO_EXAMPLES,
        short,
    ),
    rule(
        "PC0355",
        P,
        Severity::High,
        (
            "a certificate was signed with SHA-1 or MD5",
            "Such signatures can be forged.",
            "Take one from an authority that signs with SHA-256.",
        ),
        &["CWE-328"],
        NO_EXAMPLES,
        weak,
    ),
    rule(
        "PC0356",
        P,
        Severity::Medium,
        (
            "no certificate names a host of an API",
            "Callers who ask for that host are shown a certificate of another one.",
            "Take a certificate with this name, or take the host away.",
        ),
        &["CWE-297"],
        NO_EXAMPLES,
        unnamed,
    ),
    rule(
        "PC0357",
        P,
        Severity::High,
        (
            "a file with a secret can be read by others on this machine",
            "A private key or a password that others can read is not a secret.",
            "`chmod 600` it.",
        ),
        &["ASVS 13.3.2", "CWE-732"],
        NO_EXAMPLES,
        exposed,
    ),
];

fn plain(subject: &Subject<'_>, looks: &mut Looks) {
    for listener in &subject.plan.listeners {
        let well = listener.tls.is_some() || listener.bind.ip().is_loopback();
        looks.at(&*listener.name, None, well, || format!("plain HTTP on {}", listener.bind));
    }
}

fn old_tls(subject: &Subject<'_>, looks: &mut Looks) {
    for listener in &subject.plan.listeners {
        let Some(tls) = &listener.tls else { continue };
        looks.at(&*listener.name, None, tls.min_version == TlsVersion::Tls13, || "`min_version` is 1.2".to_owned());
    }
}

fn self_signed(subject: &Subject<'_>, looks: &mut Looks) {
    for listener in &subject.plan.listeners {
        let Some(tls) = &listener.tls else { continue };
        if listener.bind.ip().is_loopback() {
            continue;
        }
        let well = !matches!(tls.certificates, CertificateSource::SelfSigned { .. });
        looks.at(&*listener.name, None, well, || format!("`self_signed` on {}", listener.bind));
    }
}

/// Whether a target is on this machine, as far as its name says.
fn is_here(target: &TargetPlan) -> bool {
    let host = &*target.host;
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn plain_upstream(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let upstream = &operation.route.upstream;
        let plain = upstream.targets.iter().find(|target| !target.tls && !is_here(target));
        looks.at(operation.place(), operation.origin(), plain.is_none(), || {
            format!("{} is asked in plain HTTP", plain.map(ToString::to_string).unwrap_or_default())
        });
    }
}

fn certificates(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&CertificateFact, i64) -> Result<(), String>) {
    let now = i64::try_from(subject.facts.now).unwrap_or(i64::MAX);
    for certificate in &subject.facts.certificates {
        let outcome = well(certificate, now);
        let place = format!("{}: {}", certificate.listener, certificate.path.display());
        looks.at(place, None, outcome.is_ok(), || outcome.err().unwrap_or_default());
    }
}

fn expired(subject: &Subject<'_>, looks: &mut Looks) {
    certificates(subject, looks, |one, now| if one.not_after > now { Ok(()) } else { Err("it is over".to_owned()) });
}

fn ending(subject: &Subject<'_>, looks: &mut Looks) {
    certificates(subject, looks, |one, now| {
        let days = (one.not_after - now) / DAY_S;
        if one.not_after <= now || days >= 14 { Ok(()) } else { Err(format!("it ends in {days} days")) }
    });
}

fn long(subject: &Subject<'_>, looks: &mut Looks) {
    certificates(subject, looks, |one, _| {
        let days = (one.not_after - one.not_before) / DAY_S;
        if days <= 398 { Ok(()) } else { Err(format!("it is good for {days} days")) }
    });
}

fn short(subject: &Subject<'_>, looks: &mut Looks) {
    certificates(subject, looks, |one, _| match one.key {
        KeyKind::Rsa(bits) if bits < 2048 => Err(format!("its RSA key has {bits} bits")),
        KeyKind::Rsa(_) | KeyKind::Other => Ok(()),
    });
}

fn weak(subject: &Subject<'_>, looks: &mut Looks) {
    certificates(
        subject,
        looks,
        |one, _| if one.weak_digest { Err("its signature can be forged".to_owned()) } else { Ok(()) },
    );
}

fn unnamed(subject: &Subject<'_>, looks: &mut Looks) {
    if subject.facts.certificates.is_empty() {
        return;
    }
    let named = |host: &str| {
        subject.facts.certificates.iter().flat_map(|one| &one.names).any(|name| match name.strip_prefix("*.") {
            Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest == domain),
            None => name == host,
        })
    };
    for api in &subject.plan.apis {
        for host in &api.hosts {
            let HostPattern::Exact(host) = host else { continue };
            if host.parse::<IpAddr>().is_err() && host != "localhost" {
                looks.at(&*api.name, None, named(host), || format!("{host} is in no certificate"));
            }
        }
    }
}

fn exposed(subject: &Subject<'_>, looks: &mut Looks) {
    for file in subject.facts.files.iter().filter(|file| file.holds == FileUse::Secret) {
        let mode = file.mode & 0o777;
        looks.at(file.path.display().to_string(), None, mode & 0o077 == 0, || format!("its mode is {mode:o}"));
    }
}
