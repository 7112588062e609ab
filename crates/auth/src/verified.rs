//! Tokens that were verified already, so that a signature is checked once and not with every request.
//!
//! One table a core. What it says is what a verification would say now: it knows when a token begins and ends, and it is
//! emptied when keys or revocations change. A token is kept under a keyed hash of the whole of it, never as text.

use crate::bounded::{Digest, Table, digest};
use crate::jwt::{Rules, Token};

/// From when and until when a verification passes, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: u64,
    /// The first second after.
    pub until: u64,
}

/// Under what a token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenDigest(Digest);

/// The verified tokens of one core.
#[derive(Debug)]
pub struct VerifiedTokens<T> {
    key: [u8; 32],
    table: Table<(Validity, T)>,
    generation: u64,
}

// === impl Validity ===

impl Validity {
    /// When a token that passed `rules` passes them.
    #[must_use]
    pub fn of(token: &Token, rules: &Rules) -> Self {
        let begins = [token.seconds("nbf"), token.seconds("iat")].into_iter().flatten().max().unwrap_or(0);
        Self {
            from: begins.saturating_sub(rules.skew_seconds),
            until: token.seconds("exp").map_or(0, |exp| exp.saturating_add(rules.skew_seconds)),
        }
    }
}

// === impl VerifiedTokens ===

impl<T: Clone> VerifiedTokens<T> {
    /// A table of this many tokens under a random key.
    #[must_use]
    pub fn new(tokens: usize, key: [u8; 32]) -> Self {
        Self { key, table: Table::new(tokens), generation: 0 }
    }

    /// What a token is kept under. `context` is whatever else the verdict depends on: the name of the rules.
    #[must_use]
    pub fn digest(&self, context: &str, token: &str) -> TokenDigest {
        TokenDigest(digest(&self.key, &[context.as_bytes(), token.as_bytes()]))
    }

    /// What was kept for a token, if a verification would pass now. `generation` is that of keys and revocations now.
    pub fn find(&mut self, digest: &TokenDigest, generation: u64, now: u64) -> Option<T> {
        self.turn(generation);
        let (validity, value) = self.table.find(&digest.0, now)?;
        (validity.from <= now).then(|| value.clone())
    }

    /// Keeps a verdict. `generation` is what it was before the verification began; if it has changed since, the verdict
    /// is from keys or revocations of yesterday and is not kept.
    pub fn keep(&mut self, digest: TokenDigest, generation: u64, validity: Validity, value: T, now: u64) {
        if generation == self.generation {
            self.table.keep(digest.0, validity.until, (validity, value), now);
        }
    }

    /// How many tokens are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    fn turn(&mut self, generation: u64) {
        if generation != self.generation {
            self.table.clear();
            self.generation = generation;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Validity, VerifiedTokens};
    use crate::jwt::tests::{HEADER, NOW, claims, setting, signed};
    use crate::jwt::{KeySet, verify};
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_verdict_of_yesterday_is_not_kept() {
        let mut tokens = VerifiedTokens::new(8, [1; 32]);
        let digest = tokens.digest("corp", "a.b.c");
        assert_eq!(tokens.find(&digest, 5, 10), None);
        let validity = Validity { from: 0, until: 100 };
        tokens.keep(digest, 4, validity, (), 10);
        assert!(tokens.is_empty(), "the keys changed while it was verified");
        tokens.keep(digest, 5, validity, (), 10);
        assert_eq!(tokens.find(&digest, 5, 99), Some(()));
        assert_eq!(tokens.find(&digest, 5, 100), None);
        assert_eq!(tokens.find(&tokens.digest("other", "a.b.c"), 5, 10), None);
        assert_eq!(tokens.find(&digest, 6, 10), None);
        assert_eq!(tokens.find(&digest, 5, 10), None, "it is gone, whatever comes back");
    }

    proptest! {
        /// Tokens of any times, looked at in any order, with keys that come and go: never another verdict.
        #[test]
        fn a_cached_verdict_is_the_uncached_one(
            tokens in proptest::collection::vec((0u64..400, 0u64..400, 0u64..400), 1..8),
            looks in proptest::collection::vec((any::<proptest::sample::Index>(), 0u64..600, 0u8..20), 1..60),
            slots in 1usize..16,
        ) {
            let start = NOW - 200;
            let (rules, good) = setting();
            let texts: Vec<String> = tokens.iter().map(|(iat, nbf, exp)| {
                let all = claims(&format!(r#""iat":{},"nbf":{}"#, start + iat, start + nbf));
                signed(HEADER, &all.replace("1800000600", &(start + exp).to_string()))
            }).collect();
            let mut cache = VerifiedTokens::new(slots, [1; 32]);
            let mut generation = 1;
            for (which, at, dice) in looks {
                // One look in twenty finds the keys gone or back.
                generation += u64::from(dice == 0);
                let keys = if generation % 2 == 1 { good.clone() } else { KeySet::default() };
                let (text, now) = (which.get(&texts), start + at);
                let fresh = verify(text, &rules, &keys, now);
                let digest = cache.digest("corp", text);
                match cache.find(&digest, generation, now) {
                    Some(token) => assert_eq!(Ok(token), fresh),
                    None => if let Ok(token) = fresh {
                        let validity = Validity::of(&token, &rules);
                        cache.keep(digest, generation, validity, token, now);
                        assert!(cache.find(&digest, generation, now).is_some(), "it is of use");
                    }
                }
            }
        }
    }
}
