//! Tokens that are no longer good although nothing in them says so: by their own id, by their subject, by their session.

use std::collections::HashMap;
use std::fmt;

// LIMIT: revocations that are in force at once. One too many is an error of whoever revokes; none is ever dropped for it.
const REVOCATIONS_MAX: usize = 1_000_000;
// LIMIT: bytes of an issuer, a subject, a session or a token's id.
const NAME_BYTES_MAX: usize = 1024;

/// What a revocation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RevokedBy {
    /// One token, by its `jti`.
    TokenId,
    /// Every token of a subject, by `sub`.
    Subject,
    /// Every token of a session, by `sid`.
    Session,
}

/// One revocation, by which tokens of an issuer end early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What it names.
    pub by: RevokedBy,
    /// The exact `iss` of the tokens.
    pub issuer: String,
    /// The name.
    pub name: String,
    /// Seconds since 1970. Tokens of a subject or a session that were issued later are good again: somebody has logged in
    /// anew.
    pub revoked_at: u64,
    /// When the last token that it can be about has expired, so that it can be forgotten.
    pub until: u64,
}

/// What a token says about itself, as far as revocations are concerned.
#[derive(Clone, Copy, Debug)]
pub struct TokenNames<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `jti`.
    pub token_id: Option<&'a str>,
    /// `sub`.
    pub subject: Option<&'a str>,
    /// `sid`.
    pub session: Option<&'a str>,
    /// `iat`.
    pub issued_at: Option<u64>,
}

/// Every revocation in force.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    /// By the hash of what is named, so that an entry has one size.
    entries: HashMap<[u8; 32], (u64, u64)>,
}

/// Why a revocation is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationError {
    /// There are as many as there may be.
    Full,
    /// An empty or overlong name.
    Name,
}

// === impl RevokedBy ===

impl RevokedBy {
    /// The stable name in files and answers.
    #[must_use]
    pub const fn claim(self) -> &'static str {
        match self {
            Self::TokenId => "jti",
            Self::Subject => "sub",
            Self::Session => "sid",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_claim(name: &str) -> Option<Self> {
        [Self::TokenId, Self::Subject, Self::Session].into_iter().find(|by| by.claim() == name)
    }
}

// === impl Revocation ===

impl Revocation {
    /// The fixed-size name under which a revocation is kept.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest(self.by, &self.issuer, &self.name)
    }
}

/// Lengths go in as well, so that no two pairs of texts run together into one.
fn digest(by: RevokedBy, issuer: &str, name: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in [by.claim(), issuer, name] {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes()).update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

// === impl Revocations ===

impl Revocations {
    /// Takes a revocation; one that is there already is widened, never narrowed.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn add(&mut self, one: &Revocation) -> Result<(), RevocationError> {
        let sized = |text: &str| !text.is_empty() && text.len() <= NAME_BYTES_MAX;
        if !sized(&one.issuer) || !sized(&one.name) {
            return Err(RevocationError::Name);
        }
        self.add_digest(one.digest(), one.revoked_at, one.until)
    }

    /// Takes a revocation as it was stored.
    ///
    /// # Errors
    /// When there are as many as there may be.
    pub fn add_digest(&mut self, digest: [u8; 32], revoked_at: u64, until: u64) -> Result<(), RevocationError> {
        if self.entries.len() >= REVOCATIONS_MAX && !self.entries.contains_key(&digest) {
            return Err(RevocationError::Full);
        }
        let entry = self.entries.entry(digest).or_insert((revoked_at, until));
        *entry = (entry.0.max(revoked_at), entry.1.max(until));
        Ok(())
    }

    /// Forgets what no token can be about any more.
    pub fn prune(&mut self, now: u64) {
        self.entries.retain(|_, (_, until)| *until > now);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a verified token was revoked. One that does not say when it was issued counts as issued before.
    #[must_use]
    pub fn covers(&self, token: TokenNames<'_>) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        let entry = |by, name: Option<&str>| name.and_then(|name| self.entries.get(&digest(by, token.issuer, name)));
        let before = |entry: &(u64, u64)| token.issued_at.is_none_or(|issued_at| issued_at <= entry.0);
        entry(RevokedBy::TokenId, token.token_id).is_some()
            || entry(RevokedBy::Subject, token.subject).is_some_and(before)
            || entry(RevokedBy::Session, token.session).is_some_and(before)
    }
}

// === impl RevocationError ===

impl fmt::Display for RevocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "there are as many revocations in force as there may be",
            Self::Name => "the issuer or the name is empty or longer than 1024 bytes",
        })
    }
}

impl std::error::Error for RevocationError {}

#[cfg(test)]
mod tests {
    use super::{Revocation, RevocationError, Revocations, RevokedBy, TokenNames};

    fn revocation(by: RevokedBy, name: &str) -> Revocation {
        Revocation { by, issuer: "https://a".to_owned(), name: name.to_owned(), revoked_at: 100, until: 200 }
    }

    const TOKEN: TokenNames<'_> = TokenNames {
        issuer: "https://a",
        token_id: Some("t"),
        subject: Some("ada"),
        session: Some("s"),
        issued_at: Some(100),
    };

    #[test]
    fn each_kind_covers_its_own_tokens_only() {
        for (by, name, covered) in [
            (RevokedBy::TokenId, "t", true),
            (RevokedBy::Subject, "ada", true),
            (RevokedBy::Session, "s", true),
            (RevokedBy::TokenId, "ada", false),
            (RevokedBy::Subject, "t", false),
            (RevokedBy::Session, "ada", false),
        ] {
            let mut all = Revocations::default();
            assert!(!all.covers(TOKEN));
            all.add(&revocation(by, name)).unwrap();
            assert_eq!(all.covers(TOKEN), covered, "{by:?} {name}");
            assert!(!all.covers(TokenNames { issuer: "https://b", ..TOKEN }), "another issuer's");
            let later = TokenNames { issued_at: Some(101), ..TOKEN };
            assert_eq!(all.covers(later), covered && by == RevokedBy::TokenId, "issued later: {by:?}");
            assert_eq!(all.covers(TokenNames { issued_at: None, ..TOKEN }), covered);
            all.prune(199);
            assert_eq!(all.len(), 1);
            all.prune(200);
            assert!(all.is_empty());
            assert_eq!(RevokedBy::from_claim(by.claim()), Some(by));
        }
    }

    #[test]
    fn names_do_not_run_together_and_a_second_revocation_only_widens() {
        let mut all = Revocations::default();
        let ab = Revocation { issuer: "a".to_owned(), name: "bc".to_owned(), ..revocation(RevokedBy::TokenId, "") };
        let abc = Revocation { issuer: "ab".to_owned(), name: "c".to_owned(), ..ab.clone() };
        assert_ne!(ab.digest(), abc.digest());
        all.add(&ab).unwrap();
        all.add(&Revocation { revoked_at: 1, until: 2, ..ab }).unwrap();
        all.prune(199);
        assert_eq!(all.len(), 1);
        assert_eq!(all.add(&revocation(RevokedBy::Subject, "")), Err(RevocationError::Name));
        assert_eq!(all.add(&revocation(RevokedBy::Subject, &"x".repeat(1025))), Err(RevocationError::Name));
    }
}
