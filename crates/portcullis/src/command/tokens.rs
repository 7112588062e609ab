//! `jwt explain` and `tokens revoke`: what a token is worth here, and that it is worth nothing any more.

use super::keys::Opened;
use crate::arguments::{ExplainToken, RevokeTokens};
use crate::audit::by_user;
use crate::ending::{Ending, Stop};
use crate::output::{Table, bad, faint, good, report, say};
use crate::service::read;
use portcullis_auth::jwt::{Explanation, Outcome, VerifyingKey, claimed_issuer, explanation};
use portcullis_auth::revocation::{Revocation, RevokedBy};
use portcullis_auth::{KeySet, Rules};
use portcullis_config::plan::{IssuerPlan, JwksPlan};
use portcullis_proxy::fetch_keys;
use portcullis_types::Clock;
use serde_json::{Value, json};
use std::io::Read as _;
use std::time::SystemTime;

// LIMIT: bytes of a token from standard input.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Every check of a token.
pub(super) fn explain(question: &ExplainToken) -> Result<Ending, Stop> {
    let plan = read(&question.config.path)?.plan;
    let token = match question.token.as_str() {
        "-" => {
            let mut text = String::new();
            let taken = std::io::stdin().take(TOKEN_BYTES_MAX).read_to_string(&mut text);
            taken.map_err(|error| Stop::environment(format!("standard input cannot be read: {error}")))?;
            text.trim().to_owned()
        }
        text => text.to_owned(),
    };
    // Only the issuer that the token names is looked for: another one that does not answer says nothing about it.
    let claimed = claimed_issuer(&token);
    let issuers = plan.identity.issuers.iter().map(|plan| {
        let keys = if claimed.as_ref() == Some(&plan.issuer) { keys(plan)? } else { KeySet::default() };
        Ok((plan.rules(), keys))
    });
    let issuers = issuers.collect::<Result<Vec<_>, Stop>>()?;
    let pairs: Vec<(&Rules, &KeySet)> = issuers.iter().map(|(rules, keys)| (rules, keys)).collect();
    let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let explained = explanation(&token, &pairs, now);
    let name = explained.issuer.and_then(|at| plan.identity.issuers.get(at)).map(|issuer| issuer.name.to_string());
    report(question.form.format, || text(&explained, name.as_deref()), || as_json(&explained, name.as_deref()))?;
    Ok(if explained.token.is_some() { Ending::Done } else { Ending::No })
}

fn keys(plan: &IssuerPlan) -> Result<KeySet, Stop> {
    Ok(match &plan.jwks {
        None => {
            let name = &plan.name;
            return Err(Stop::environment(format!(
                "the tokens of `{name}` are not verified here: it is asked about them, and only it can explain one"
            )));
        }
        Some(JwksPlan::Secret { id, algorithm, secret }) => {
            let key = VerifyingKey::secret(id.clone(), *algorithm, secret.expose().as_bytes().to_vec());
            KeySet::of(vec![key.map_err(|_| Stop::environment("the secret is too short"))?])
        }
        Some(JwksPlan::File(path)) => {
            let bytes = std::fs::read(path);
            let path = path.display();
            let bytes = bytes.map_err(|error| Stop::environment(format!("{path} cannot be read: {error}")))?;
            KeySet::from_json(&bytes).map_err(|_| Stop::environment(format!("{path} is not a key set")))?
        }
        Some(JwksPlan::Address(remote)) => fetch_keys(remote).map_err(|fault| {
            Stop::environment(format!("the keys of `{}` cannot be fetched from {}: {fault}", plan.name, remote.at.host))
        })?,
    })
}

fn text(explained: &Explanation, issuer: Option<&str>) -> String {
    let mut table = Table::new(["CHECK", "OUTCOME", "WHAT HAS TO HOLD", "THE TOKEN SAYS"]);
    for line in &explained.lines {
        let outcome = match line.outcome {
            Outcome::Passed => good("passed"),
            Outcome::Failed => bad("failed"),
            Outcome::NotReached => faint("not reached"),
        };
        let says = line.says.clone().unwrap_or_default();
        table.row([line.check.code().to_owned(), outcome, line.check.demand().to_owned(), says]);
    }
    let verdict = if explained.token.is_some() { good("accepted") } else { bad("refused") };
    let held =
        issuer.map_or_else(|| "no issuer is configured".to_owned(), |name| format!("by the rules of issuer {name}"));
    format!("{}\n{verdict} {held}; whether it was revoked is not looked at\n", table.text())
}

fn as_json(explained: &Explanation, issuer: Option<&str>) -> Value {
    let line = |line: &portcullis_auth::jwt::Line| {
        let outcome = match line.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotReached => "not_reached",
        };
        json!({ "check": line.check.code(), "outcome": outcome, "demand": line.check.demand(), "says": line.says })
    };
    json!({
        "accepted": explained.token.is_some(),
        "issuer": issuer,
        "checks": explained.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

/// Revokes tokens.
pub(super) fn revoke(question: &RevokeTokens) -> Result<Ending, Stop> {
    let opened = Opened::at(&question.config.path)?;
    let issuer = opened.plan.identity.issuers.iter().find(|issuer| *issuer.name == *question.issuer);
    let issuer = issuer.ok_or_else(|| Stop::environment(format!("there is no issuer `{}`", question.issuer)))?;
    let named =
        [(RevokedBy::TokenId, &question.jti), (RevokedBy::Subject, &question.sub), (RevokedBy::Session, &question.sid)];
    let named = named.into_iter().find_map(|(by, name)| Some((by, name.clone()?)));
    let (by, name) = named.ok_or_else(|| Stop::environment("name a token, a subject or a session"))?;
    let until = question.forget_days.map_or(u64::MAX, |days| opened.now.saturating_add(u64::from(days) * DAY_SECONDS));
    let revocation = Revocation { by, issuer: issuer.issuer.clone(), name, revoked_at: opened.now, until };
    let entry = by_user("tokens.revoke").with("issuer", &*revocation.issuer).with("by", by.claim());
    opened.note(entry.with("name", &*revocation.name))?;
    opened.store.revoke_tokens(&[revocation], opened.now).map_err(|error| Stop::environment(error.to_string()))?;
    say(&format!("revoked by {}\n", by.claim()))?;
    Ok(Ending::Done)
}
