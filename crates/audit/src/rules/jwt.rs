//! Tokens.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_auth::{Algorithm, Profile};
use portcullis_config::plan::{IssuerPlan, JwksPlan};

const P: Practice = Practice::Jwt;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0201",
        P,
        Severity::High,
        (
            "any kind of token of an issuer is accepted",
            "With `profile: legacy`, a token that was made for something else can be taken for an access token.",
            "Let the issuer make access tokens by RFC 9068 and take `profile` away.",
        ),
        &["API2:2023", "ASVS 9.2.2", "CWE-287"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], profile: legacy, jwks: { file: k.json } } }",
            "",
        ),
        legacy,
    ),
    rule(
        "PC0202",
        P,
        Severity::Low,
        (
            "ID tokens of an issuer are accepted",
            "They tell an application who signed in, and are not meant to open an API.",
            "Let callers ask for access tokens (RFC 9068) and take `profile: oidc` away.",
        ),
        &["API2:2023", "ASVS 9.2.2"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], profile: oidc, jwks: { file: k.json } } }",
            "",
        ),
        id_tokens,
    ),
    rule(
        "PC0203",
        P,
        Severity::High,
        (
            "tokens are signed with a shared secret",
            "Everybody who can check such a token can make one.",
            "Use an issuer with asymmetric keys.",
        ),
        &["API2:2023", "CWE-347"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { secret: { algorithm: HS256, secret: 0123456789abcdef0123456789abcdef } } } }",
            "",
        ),
        symmetric,
    ),
    rule(
        "PC0204",
        P,
        Severity::Low,
        (
            "tokens are accepted for more than a minute beyond their end",
            "Clocks that far apart are a fault; a stolen token gains by it.",
            "Mend the clocks and lower `clock_skew`.",
        ),
        &["CWE-613"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], clock_skew: 5m, jwks: { file: k.json } } }",
            "",
        ),
        skewed,
    ),
    rule(
        "PC0205",
        P,
        Severity::Medium,
        (
            "keys of an issuer are believed for more than two days without news",
            "A key that the issuer has taken back still opens as long as the issuer cannot be reached.",
            "Lower `max_staleness` to what an outage of the issuer may last.",
        ),
        &["API2:2023", "CWE-672"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { uri: 'https://idp.test/jwks' }, max_staleness: 7d } }",
            "",
        ),
        stale,
    ),
    rule(
        "PC0206",
        P,
        Severity::Low,
        (
            "keys of an issuer come from a file",
            "Nobody notices when the issuer takes another key, until callers are refused, or one is stolen.",
            "Name `jwks: { uri: ... }`, which is fetched again and again.",
        ),
        &["ASVS 9.1.3"],
        ("issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json } } }", ""),
        from_file,
    ),
    rule(
        "PC0207",
        P,
        Severity::Low,
        (
            "RSA signatures with PKCS #1 v1.5 padding are accepted",
            "It is sound as far as anybody knows, and old; newer algorithms are smaller and stricter.",
            "Let the issuer sign with ES256, EdDSA or PS256, and list only these in `algorithms`.",
        ),
        &["ASVS 11.3.1"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], algorithms: [RS256], jwks: { uri: 'https://idp.test/jwks' } } }",
            "",
        ),
        padded,
    ),
    rule(
        "PC0208",
        P,
        Severity::Low,
        (
            "many audiences are accepted",
            "A token for any of them opens all APIs of this issuer here.",
            "List the audiences of this gateway's APIs only.",
        ),
        &["API2:2023", "ASVS 9.2.3"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [a, b, c, d, e, f], jwks: { uri: 'https://idp.test/jwks' } } }",
            "",
        ),
        audiences,
    ),
];

fn issuers(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&IssuerPlan) -> Option<Result<(), String>>) {
    for issuer in &subject.plan.identity.issuers {
        let Some(outcome) = well(issuer) else { continue };
        looks.at(format!("issuer {}", issuer.name), None, outcome.is_ok(), || outcome.err().unwrap_or_default());
    }
}

/// Nothing, or words.
fn unless(broken: bool, words: impl FnOnce() -> String) -> Option<Result<(), String>> {
    Some(if broken { Err(words()) } else { Ok(()) })
}

fn legacy(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| unless(issuer.profile == Profile::Legacy, || "`profile: legacy`".to_owned()));
}

fn id_tokens(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| unless(issuer.profile == Profile::Oidc, || "`profile: oidc`".to_owned()));
}

fn symmetric(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| {
        unless(matches!(issuer.jwks, Some(JwksPlan::Secret { .. })), || {
            "its tokens are made with a secret that is here as well".to_owned()
        })
    });
}

fn skewed(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| {
        let seconds = issuer.clock_skew.as_secs();
        unless(seconds > 60, || format!("`clock_skew` is {seconds} s"))
    });
}

fn stale(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| match &issuer.jwks {
        Some(JwksPlan::Address(remote)) => {
            let hours = remote.max_staleness.as_secs() / 3600;
            unless(hours > 48, || format!("`max_staleness` is {hours} h"))
        }
        Some(JwksPlan::File(_) | JwksPlan::Secret { .. }) | None => None,
    });
}

fn from_file(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| match &issuer.jwks {
        Some(JwksPlan::File(path)) => unless(true, || format!("its keys are in {}", path.display())),
        Some(JwksPlan::Address(_)) => Some(Ok(())),
        Some(JwksPlan::Secret { .. }) | None => None,
    });
}

fn padded(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| {
        issuer.jwks.as_ref()?;
        let old = |one: &&Algorithm| matches!(one, Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512);
        let found: Vec<&str> = issuer.algorithms.iter().filter(old).map(|one| one.name()).collect();
        unless(!found.is_empty(), || format!("{} may sign", found.join(", ")))
    });
}

fn audiences(subject: &Subject<'_>, looks: &mut Looks) {
    issuers(subject, looks, |issuer| {
        let count = issuer.audiences.len();
        unless(count > 5, || format!("{count} audiences"))
    });
}
