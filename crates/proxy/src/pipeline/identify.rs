//! `identify`: who calls.
//!
//! Cheap checks come first: where credentials stand, whether the caller has to wait, and only then what costs a
//! cryptographic operation. One credential that is not good is a refusal, whatever the others are.

mod binding;
mod certificate;
mod opaque;
mod signed;

use super::Stop;
use super::cors::Cleared;
use super::route::Routed;
use crate::anomalies::Anomalies;
use crate::exchange::Connection;
use crate::identity::{Bench, Remote};
use crate::snapshot::Snapshot;
use crate::snapshot::access::{Access, Demands, Issuer, IssuerKeys};
use crate::worker::{Pending, Told};
use binding::ShownToken;
use portcullis_auth::credential::{Authorization, QUERY_NAMES, api_key, authorization, in_query};
use portcullis_auth::dpop::Bound;
use portcullis_auth::jwt::claimed_issuer;
use portcullis_auth::key::{Door, KeyText, Refused};
use portcullis_auth::outward::challenges;
use portcullis_auth::principal::{Failure, Outcome, Principal, Scheme, Verdict};
use portcullis_auth::revocation::TokenNames;
use portcullis_auth::verified::Validity;
use portcullis_auth::{Check, Token, jwt};
use portcullis_h1::{Fields, Known};
use portcullis_types::{Reason, Refusal, Stage};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// Proof that the route's way of identifying callers has been followed: anybody may call it, or the record names the caller.
#[derive(Debug)]
pub(crate) struct Authenticated<'a> {
    routed: Box<Routed<'a>>,
}

/// What a request shows of itself, not yet believed.
struct Shown<'a> {
    token: Result<Option<ShownToken<'a>>, Failure>,
    key: Result<Option<KeyText>, Failure>,
    /// Whether there is anything of a signature.
    signed: bool,
}

/// What stands while a request is judged, however often it is looked at.
struct Ground<'g> {
    /// What it came over.
    connection: &'g Connection,
    /// The configuration in force.
    snapshot: &'g Snapshot,
    /// What came of its signature, which can be used once.
    signed: RefCell<Option<Outcome>>,
}

/// One judgement.
struct Judging<'j> {
    bench: &'j Bench<'j>,
    ground: &'j Ground<'j>,
    connection: &'j Connection,
    snapshot: &'j Snapshot,
    demands: &'j Demands,
    api: &'j str,
    address: std::net::IpAddr,
    /// What would have to be waited for.
    wanting: Cell<Option<Wanting>>,
    /// What was waited for; `None` where nobody is asked.
    told: Asked,
}

/// Whether issuers are asked about tokens, and what came of it.
#[derive(Clone, Debug)]
enum Asked {
    /// Nobody is asked; what is known has to do.
    Nobody,
    /// They are, if need be.
    Whoever,
    /// One has been, and said this.
    Told(Told),
}

/// Somebody, by the credential that says who he is, and the schemes of all others that were good.
struct Proved {
    caller: Rc<Principal>,
    also: Vec<&'static str>,
}

/// What a judgement lacks, and may come.
enum Wanting {
    /// The issuer does not have the key of a token, as far as is known.
    Keys(Arc<Remote>),
    /// The issuer is being asked about a token.
    Answer(Rc<Pending>),
}

/// Why there is no caller yet.
enum Short {
    /// And there will be none.
    Refused(Box<Refusal>),
    /// It is too early to say.
    Early(Wanting),
}

/// What a judgement came to where it let nobody in.
enum Denied {
    /// Before any credential was looked at.
    Refused(Box<Refusal>),
    /// By a credential, or for want of one.
    Failed(Failure),
}

// === impl Authenticated ===

impl<'a> Authenticated<'a> {
    pub(super) fn into_routed(self) -> Box<Routed<'a>> {
        self.routed
    }

    pub(super) fn routed_mut(&mut self) -> &mut Routed<'a> {
        &mut self.routed
    }
}

/// Finds out who calls, and lets nobody by who is up to something unusual.
pub(super) async fn identify<'a, 'w>(
    before: Cleared<'a>,
    ground: (&Connection, &Snapshot),
    bench: impl Fn() -> Bench<'w>,
    anomalies: Option<&Anomalies>,
) -> Result<Authenticated<'a>, Stop> {
    let found = recognise(before, ground, bench).await?;
    if let (Some(anomalies), Some(caller)) = (anomalies, found.routed.record.caller.as_deref()) {
        anomalies.meet(|names| names.principal(caller), Stage::Identify).await?;
    }
    Ok(found)
}

/// Follows the route's decision about authentication; there is always one.
///
/// `bench` is asked for only where there is something to judge: a public route costs nothing here. Only a token that names a
/// key which its issuer did not have when it was asked last waits, until it has been asked again, and one that says nothing
/// itself and that nobody has asked about lately.
async fn recognise<'a, 'w>(
    before: Cleared<'a>,
    (connection, snapshot): (&Connection, &Snapshot),
    bench: impl Fn() -> Bench<'w>,
) -> Result<Authenticated<'a>, Stop> {
    let routed = before.into_routed();
    let ground = &Ground { connection, snapshot, signed: RefCell::default() };
    let mut told = Asked::Whoever;
    // Twice, because a fetch that was under way already may have brought the keys of before.
    for _ in 0..2 {
        match step(&routed, ground, &bench, &told, false) {
            Ok(caller) => return accept(routed, ground, caller),
            Err(Short::Refused(refusal)) => return Err((*refusal).into()),
            Err(Short::Early(Wanting::Keys(remote))) => remote.look().await,
            Err(Short::Early(Wanting::Answer(pending))) => {
                told = pending.wait().await.map_or(Asked::Whoever, Asked::Told);
            }
        }
    }
    finish(routed, ground, &bench, &told)
}

/// The same without waiting for anybody.
pub(super) fn identify_at_once<'a, 'w>(
    before: Cleared<'a>,
    (connection, snapshot): (&Connection, &Snapshot),
    bench: impl Fn() -> Bench<'w>,
) -> Result<Authenticated<'a>, Stop> {
    let ground = &Ground { connection, snapshot, signed: RefCell::default() };
    finish(before.into_routed(), ground, &bench, &Asked::Nobody)
}

fn finish<'a, 'w>(
    routed: Box<Routed<'a>>,
    ground: &Ground<'_>,
    bench: &impl Fn() -> Bench<'w>,
    told: &Asked,
) -> Result<Authenticated<'a>, Stop> {
    match step(&routed, ground, bench, told, true) {
        Ok(caller) => accept(routed, ground, caller),
        Err(Short::Refused(refusal)) => Err((*refusal).into()),
        Err(Short::Early(_)) => Err(refuse(Reason::InvalidToken).into()),
    }
}

fn accept<'a>(
    mut routed: Box<Routed<'a>>,
    ground: &Ground<'_>,
    known: Option<Proved>,
) -> Result<Authenticated<'a>, Stop> {
    if let Some(Proved { caller, also }) = known {
        (routed.record.caller, routed.record.also) = (Some(caller), also);
    }
    signed::announce(&mut routed, ground)?;
    Ok(Authenticated { routed })
}

/// One look; `last` is the one that counts.
fn step<'w>(
    routed: &Routed<'_>,
    ground: &Ground<'_>,
    bench: &impl Fn() -> Bench<'w>,
    told: &Asked,
    last: bool,
) -> Result<Option<Proved>, Short> {
    match &routed.route().access {
        Access::Public => Ok(None),
        Access::Refuse => {
            let refusal = Refusal::new(Stage::Identify, Reason::RouteClosed, "nobody may call this operation");
            Err(Short::Refused(Box::new(refusal)))
        }
        Access::Demand(demands) => {
            let (api, address) = (&*routed.route().api, routed.request.client.address);
            let told = if last && matches!(told, Asked::Whoever) { Asked::Nobody } else { told.clone() };
            let bench = &bench();
            let Ground { connection, snapshot, .. } = *ground;
            let judging =
                Judging { bench, ground, connection, snapshot, demands, api, address, wanting: Cell::new(None), told };
            let verdict = judging.judge(routed);
            match (verdict, judging.wanting.take()) {
                (Ok(caller), _) => Ok(caller),
                (Err(Denied::Failed(_)), Some(wanting)) if !last => Err(Short::Early(wanting)),
                (Err(denied), _) => Err(Short::Refused(Box::new(judging.deny(denied, routed)))),
            }
        }
    }
}

// === impl Shown ===

impl<'a> Shown<'a> {
    fn of(fields: Fields<'a>, demands: &Demands, key_field: &str, key_prefix: &str) -> Self {
        let shown = |scheme| demands.offer.schemes.contains(&scheme);
        let tokens = shown(Scheme::Jwt) || shown(Scheme::Introspection);
        let token = if tokens { bearer(fields) } else { Ok(None) };
        let key = if shown(Scheme::ApiKey) {
            let named = |line: &portcullis_h1::Field<'a>| line.name.eq_ignore_ascii_case(key_field.as_bytes());
            let lines: Vec<&[u8]> = fields.iter().filter(named).take(2).map(|line| line.value).collect();
            api_key(key_prefix, &lines)
        } else {
            Ok(None)
        };
        Self { token, key, signed: shown(Scheme::Signature) && signed::is_shown(fields) }
    }

    fn is_nothing(&self) -> bool {
        matches!((&self.token, &self.key, self.signed), (Ok(None), Ok(None), false))
    }

    fn key_id(&self) -> Option<&str> {
        self.key.as_ref().ok()?.as_ref().map(KeyText::id)
    }
}

fn bearer(fields: Fields<'_>) -> Result<Option<ShownToken<'_>>, Failure> {
    let mut lines = fields.all(Known::Authorization);
    let found = match (lines.next(), lines.next()) {
        (None, _) => return Ok(None),
        (Some(one), None) => authorization(&[one])?,
        (Some(one), Some(other)) => authorization(&[one, other])?,
    };
    match found {
        Some(Authorization::Bearer(text)) => Ok(Some(ShownToken { text, as_dpop: false })),
        Some(Authorization::Dpop(text)) => Ok(Some(ShownToken { text, as_dpop: true })),
        None => Ok(None),
    }
}

// === impl Judging ===

impl Judging<'_> {
    fn shown<'r>(&self, routed: &Routed<'r>) -> Shown<'r> {
        let callers = &self.snapshot.callers;
        Shown::of(routed.request.head.fields(), self.demands, &callers.key_field, &callers.key_prefix)
    }

    /// On the clock that never goes back, so that no correction of the time opens a door early.
    fn seconds(&self) -> u64 {
        self.bench.millis / 1000
    }

    fn judge(&self, routed: &Routed<'_>) -> Result<Option<Proved>, Denied> {
        let refused = |refusal| Denied::Refused(Box::new(refusal));
        if let Some(query) = routed.request.target.query()
            && let Some(exposed) = in_query(&self.snapshot.callers.key_prefix, QUERY_NAMES, query)
        {
            let private = exposed.key.map(KeyText::id_of).map_or_else(
                || "a parameter that is named like a credential".to_owned(),
                |id| format!("the key {id} is exposed"),
            );
            return Err(refused(refuse(Reason::CredentialInQuery).private(private)));
        }
        let shown = self.shown(routed);
        if !shown.is_nothing() {
            let checked = self.bench.identity.failures.check(self.address, shown.key_id(), self.seconds());
            checked.map_err(|many| {
                let wait = many.retry_after_seconds.to_string();
                let refusal = refuse(Reason::TooManyFailures).header("retry-after", wait);
                refused(refusal.violating(vec!["failed_attempts".to_owned()]))
            })?;
        }
        match self.demands.demand.judge(|scheme| self.look(scheme, routed, &shown)) {
            Verdict::Caller { principal, also } => {
                let also = also.iter().map(|one| one.scheme.code()).collect();
                Ok(Some(Proved { caller: principal, also }))
            }
            Verdict::Anonymous => Ok(None),
            Verdict::Refused(failure) => Err(Denied::Failed(failure)),
        }
    }

    /// Counts a failure, and says what the caller is told.
    fn deny(&self, denied: Denied, routed: &Routed<'_>) -> Refusal {
        match denied {
            Denied::Refused(refusal) => *refusal,
            Denied::Failed(failure) => {
                let shown = self.shown(routed);
                if is_guess(failure.reason) {
                    self.bench.identity.failures.note(self.address, shown.key_id(), self.seconds());
                }
                self.refusal(failure, shown.key_id())
            }
        }
    }

    fn look(&self, scheme: Scheme, routed: &Routed<'_>, shown: &Shown<'_>) -> Outcome {
        match scheme {
            Scheme::ApiKey => match &shown.key {
                Ok(None) => Outcome::Absent,
                Ok(Some(key)) => self.key(key),
                Err(failure) => Outcome::Failed(*failure),
            },
            Scheme::Jwt => match shown.token {
                Ok(None) => Outcome::Absent,
                Ok(Some(token)) if self.is_opaque(token.text) => Outcome::Absent,
                // The principal is shared with the table of verified tokens, not copied out of it.
                Ok(Some(token)) => self.held_token(routed, token).map_or_else(Outcome::Failed, Outcome::Proved),
                Err(failure) => Outcome::Failed(failure),
            },
            Scheme::Introspection => match shown.token {
                Ok(None) => Outcome::Absent,
                Ok(Some(token)) if !self.is_opaque(token.text) => Outcome::Absent,
                Ok(Some(token)) => self.opaque(routed, token).map_or_else(Outcome::Failed, Outcome::Proved),
                Err(failure) => Outcome::Failed(failure),
            },
            Scheme::Certificate => self.certified(),
            Scheme::Signature => self.signed(routed),
        }
    }

    fn key(&self, key: &KeyText) -> Outcome {
        let door = Door { api: self.api, address: self.address, now: self.bench.now };
        match self.bench.identity.look_up(key, door, self.bench.millis) {
            Err(_) => Outcome::Failed(UNREADABLE),
            Ok(Err(refused)) => Outcome::Failed(Failure { reason: Reason::InvalidApiKey, detail: why(refused) }),
            Ok(Ok(found)) => {
                self.bench.tokens.borrow_mut().used.note(found.id, self.bench.now);
                Outcome::Proved(Rc::new(found.into()))
            }
        }
    }

    fn held_token(&self, routed: &Routed<'_>, token: ShownToken<'_>) -> Result<Rc<Principal>, Failure> {
        let (principal, bound) = self.token(token.text)?;
        self.held(routed, token, bound.as_deref(), self.demands.proofs.dpop)?;
        Ok(principal)
    }

    /// Whom a token names, and what it is bound to, which is still to be looked at.
    fn token(&self, text: &str) -> Result<(Rc<Principal>, Option<Rc<Bound>>), Failure> {
        let (identity, now) = (self.bench.identity, self.bench.now);
        // Revocations that cannot be read might hold this token.
        identity.check(self.bench.millis).map_err(|_| UNREADABLE)?;
        // All of them only grow, so that their sum changes whenever one of them does.
        let issuers = &self.snapshot.callers.issuers;
        let fetched = issuers.iter().fold(0, |sum: u64, issuer| sum.wrapping_add(issuer.keys.generation()));
        let generation = self.snapshot.generation.wrapping_add(identity.generation()).wrapping_add(fetched);
        let mut tokens = self.bench.tokens.borrow_mut();
        let verified = tokens.verified().ok_or(UNREADABLE)?;
        let digest = verified.digest("", text);
        if let Some((issuer, principal, bound)) = verified.find(&digest, generation, now)
            && self.demands.issuers.contains(&issuer)
        {
            // Keys that have become too old are no change of keys.
            let fresh = issuers.get(issuer).is_some_and(|issuer| issuer.keys.are_fresh(self.bench.millis));
            return if fresh { Ok((principal, bound)) } else { Err(NO_KEYS) };
        }
        let invalid = |detail| Failure { reason: Reason::InvalidToken, detail };
        let claimed = claimed_issuer(text).ok_or(invalid("the token is malformed, or names no issuer"))?;
        let mut accepted = self.demands.issuers.iter().filter_map(|index| Some((*index, issuers.get(*index)?)));
        let (index, issuer) = accepted
            .find(|(_, issuer)| issuer.rules.issuer == claimed)
            .ok_or(invalid("the token is of an issuer that is not accepted here"))?;
        let keys = issuer.keys.find(self.bench.millis).ok_or_else(|| self.without_keys(issuer))?;
        let token = jwt::verify(text, &issuer.rules, &keys, now).map_err(|error| {
            if let (Check::KeyFound, IssuerKeys::There(remote)) = (error.0, &issuer.keys) {
                self.wanting.set(Some(Wanting::Keys(Arc::clone(remote))));
            }
            Failure { reason: error.reason(), detail: error.0.failure() }
        })?;
        self.still_good(&token, &issuer.rules.issuer)?;
        let bound = binding::of(&token)?;
        let principal = Principal::of_token(Scheme::Jwt, &token, &issuer.roles_claim);
        let principal = Rc::new(principal.ok_or(invalid("the token names nobody"))?);
        let validity = Validity::of(&token, &issuer.rules);
        verified.keep(digest, generation, validity, (index, Rc::clone(&principal), bound.clone()), now);
        Ok((principal, bound))
    }

    /// What is missing of an issuer without keys. Before the first fetch has ended there is something to wait for.
    fn without_keys(&self, issuer: &Issuer) -> Failure {
        match &issuer.keys {
            IssuerKeys::There(remote) if !remote.was_asked() => {
                self.wanting.set(Some(Wanting::Keys(Arc::clone(remote))));
                UNFETCHED
            }
            IssuerKeys::Here(_) | IssuerKeys::There(_) | IssuerKeys::Nowhere => NO_KEYS,
        }
    }

    /// What is asked of every token besides that its issuer vouches for it.
    fn still_good(&self, token: &Token, issuer: &str) -> Result<(), Failure> {
        if self.bench.identity.is_revoked(names(token, issuer)) {
            let detail = "the token, its subject or its session was revoked";
            return Err(Failure { reason: Reason::RevokedToken, detail });
        }
        Ok(())
    }

    fn refusal(&self, failure: Failure, key: Option<&str>) -> Refusal {
        let private = match key.filter(|_| failure.reason == Reason::InvalidApiKey) {
            Some(id) => format!("{}: {id}", failure.detail),
            None => failure.detail.to_owned(),
        };
        let refusal = refuse(failure.reason).private(private);
        if failure.reason.status() != 401 {
            return refusal;
        }
        let nonces = self.snapshot.callers.proofs.nonces.as_ref().filter(|_| failure.reason == Reason::NonceRequired);
        let refusal = nonces
            .into_iter()
            .fold(refusal, |refusal, nonces| refusal.header("dpop-nonce", nonces.issue(self.bench.now)));
        let all = challenges(&self.demands.offer, failure.reason);
        all.into_iter().fold(refusal, |refusal, one| refusal.header("www-authenticate", one))
    }
}

/// What keeps a credential from being judged at all.
const UNREADABLE: Failure =
    Failure { reason: Reason::IssuerUnavailable, detail: "the store could not be read for too long" };

const NO_KEYS: Failure = Failure {
    reason: Reason::IssuerUnavailable,
    detail: "the issuer's keys cannot be fetched, or are too old to be believed",
};

const UNFETCHED: Failure = Failure {
    reason: Reason::IssuerUnavailable,
    detail: "the issuer's keys are at an address, and have not been fetched yet (`explain` fetches nothing; `jwt explain` does)",
};

fn names<'t>(token: &'t Token, issuer: &'t str) -> TokenNames<'t> {
    TokenNames {
        issuer,
        token_id: token.text("jti"),
        subject: token.text("sub"),
        session: token.text("sid"),
        issued_at: token.seconds("iat"),
    }
}

/// Whether whoever fails so may be guessing. A good token whose time is over is no guess: its signature was verified.
fn is_guess(reason: Reason) -> bool {
    matches!(reason, Reason::InvalidApiKey | Reason::InvalidToken | Reason::InsufficientBinding | Reason::InvalidProof)
}

fn why(refused: Refused) -> &'static str {
    match refused {
        Refused::Unknown => "nobody holds this key",
        Refused::Secret => "the secret is not the one of this key",
        Refused::Pepper => "the hashing key of this key is gone",
        Refused::Revoked => "this key was revoked",
        Refused::Expired => "this key has expired",
        Refused::Api => "this key is for other APIs",
        Refused::Network => "this key may not come from this network",
    }
}

fn refuse(reason: Reason) -> Refusal {
    Refusal::new(Stage::Identify, reason, reason.page().caller)
}
