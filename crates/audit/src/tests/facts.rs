//! Rules about files, certificates and keys.

use super::{NOW, breaks, report};
use crate::example::BASE;
use crate::supply::{Known, packages, rustsec};
use crate::{CertificateFact, Facts, FileFact, FileUse, KeyFact, KeyKind};

const DAY: u64 = 86_400;

fn key() -> KeyFact {
    KeyFact {
        id: "k1".to_owned(),
        consumer: "shop".to_owned(),
        created_at: NOW - 30 * DAY,
        last_used_at: Some(NOW - DAY),
        expires_at: Some(NOW + 30 * DAY),
        all_apis: false,
        has_rights: true,
        replaced: false,
    }
}

fn certificate() -> CertificateFact {
    let at = |days: i64| i64::try_from(NOW).unwrap() + days * 86_400;
    CertificateFact {
        listener: "public".to_owned(),
        path: "tls.crt".into(),
        names: vec!["*.example.com".to_owned()],
        not_before: at(-10),
        not_after: at(80),
        key: KeyKind::Other,
        weak_digest: false,
    }
}

#[test]
fn keys() {
    let check = |rule: &str, change: fn(&mut KeyFact)| {
        let mut other = key();
        change(&mut other);
        let with = |key| report(BASE, Facts { keys: vec![key], ..Facts::default() });
        assert!(breaks(&with(other), rule), "{rule}");
        assert!(!breaks(&with(key()), rule), "{rule}");
    };
    check("PC0151", |key| key.expires_at = None);
    check("PC0152", |key| key.last_used_at = Some(NOW - 91 * DAY));
    check("PC0152", |key| (key.last_used_at, key.created_at) = (None, NOW - 91 * DAY));
    check("PC0153", |key| key.created_at = NOW - 400 * DAY);
    check("PC0154", |key| (key.all_apis, key.has_rights) = (true, false));
    check("PC0155", |key| key.replaced = true);
}

#[test]
fn certificates() {
    let check = |rule: &str, change: fn(&mut CertificateFact)| {
        let mut other = certificate();
        change(&mut other);
        let with = |certificate| report(BASE, Facts { certificates: vec![certificate], ..Facts::default() });
        assert!(breaks(&with(other), rule), "{rule}");
        assert!(!breaks(&with(certificate()), rule), "{rule}");
    };
    check("PC0351", |one| one.not_after = one.not_before);
    check("PC0352", |one| one.not_after -= 70 * 86_400);
    check("PC0353", |one| one.not_after += 400 * 86_400);
    check("PC0354", |one| one.key = KeyKind::Rsa(1024));
    check("PC0355", |one| one.weak_digest = true);
    check("PC0356", |one| one.names = vec!["example.com".to_owned()]);
}

#[test]
fn files() {
    let with = |mode, holds| {
        report(BASE, Facts { files: vec![FileFact { path: "f".into(), mode, holds }], ..Facts::default() })
    };
    for (rule, holds, open, closed) in [
        ("PC0357", FileUse::Secret, 0o100_640, 0o100_600),
        ("PC0951", FileUse::Records, 0o100_666, 0o100_644),
        ("PC0952", FileUse::Settings, 0o100_664, 0o100_644),
    ] {
        assert!(breaks(&with(open, holds), rule), "{rule}");
        assert!(!breaks(&with(closed, holds), rule), "{rule}");
    }
}

#[test]
fn what_is_known_of_the_program() {
    let advisory = |date: &str| {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"a\"\ndate = \"{date}\"\n[versions]\npatched = [\">= 1.2.0\"]\n```\n# Bad\n"
        );
        rustsec(&text).unwrap()
    };
    let with = |version: &str, date: &str| {
        let list = format!(
            r#"{{"packages":[{{"name":"a","version":"{version}","source":"crates.io","licence":"MIT","dependencies":[]}}]}}"#
        );
        let known =
            Known::of(&packages(&list).unwrap(), [advisory(date)], ("linux", "x86_64"), NOW.try_into().unwrap());
        report(BASE, Facts { known: Some(known), ..Facts::default() })
    };
    assert!(breaks(&with("1.1.0", "2026-11-20"), "PC1401"));
    assert!(!breaks(&with("1.2.0", "2026-11-20"), "PC1401") && with("1.2.0", "2026-11-20").looked_at("PC1401"));
    assert!(breaks(&with("1.2.0", "2026-11-12"), "PC1402"));
    assert!(!breaks(&with("1.2.0", "2026-11-13"), "PC1402"));
    assert!(!report(BASE, Facts::default()).looked_at("PC1401"), "nobody looked");
}
