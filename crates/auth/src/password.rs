//! Passwords of people, as hashes by Argon2id (RFC 9106) in the PHC string format: read, judged, made. How often somebody may try is
//! others' business.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;

// LIMIT: what a hash may cost whoever verifies it; beyond it a mistake is more likely than a wish.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 8;
// LIMIT: what it has to cost whoever guesses: the least that the OWASP Password Storage Cheat Sheet names.
const MEMORY_KIB_MIN: u32 = 7 * 1024;
const WORK_KIB_MIN: u32 = 5 * MEMORY_KIB_MIN;
// LIMIT: bytes of a hash and of its salt.
const DIGEST_BYTES: std::ops::RangeInclusive<usize> = 32..=64;
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=64;
/// LIMIT: bytes of a password: beyond it, only the time of hashing grows.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// LIMIT: characters of a password that a hash is made of.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// What we make: 32 MiB, three passes.
const OURS: Cost = Cost { memory_kib: 32 * 1024, passes: 3, lanes: 1 };

/// A hash as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: Cost,
    salt: Vec<u8>,
    /// Empty for the one that nothing fits.
    digest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why a text is no hash that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// It is no hash by Argon2id, version 19, in the PHC string format.
    Malformed,
    /// Guessing is too cheap.
    Weak,
    /// Verifying is too dear.
    Dear,
}

// === impl PasswordHash ===

impl PasswordHash {
    /// Reads `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
    ///
    /// # Errors
    /// Why it does not count. The text is in no error.
    pub fn read(text: &str) -> Result<Self, PasswordError> {
        let rest = text.strip_prefix("$argon2id$v=19$").ok_or(PasswordError::Malformed)?;
        let parts: Vec<&str> = rest.split('$').collect();
        let [cost, salt, digest] = parts.as_slice() else { return Err(PasswordError::Malformed) };
        let cost = Cost::read(cost).ok_or(PasswordError::Malformed)?;
        let bytes = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_| PasswordError::Malformed);
        let (salt, digest) = (bytes(salt)?, bytes(digest)?);
        if !SALT_BYTES.contains(&salt.len()) || !DIGEST_BYTES.contains(&digest.len()) {
            return Err(PasswordError::Malformed);
        }
        cost.judge()?;
        Ok(Self { cost, salt, digest })
    }

    /// The hash of a password, as it is written into a configuration; `None` if there is no memory for it.
    #[must_use]
    pub fn make(password: &str, salt: &[u8; 16]) -> Option<String> {
        let digest = OURS.digest(password.as_bytes(), salt, *DIGEST_BYTES.start())?;
        let Cost { memory_kib, passes, lanes } = OURS;
        let (salt, digest) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(digest));
        Some(format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${digest}"))
    }

    /// One that no password fits, and that costs as much as another to find out: for names that nobody has.
    #[must_use]
    pub fn of_nobody(like: Option<&Self>) -> Self {
        let cost = like.map_or(OURS, |like| like.cost);
        Self { cost, salt: vec![0; 16], digest: Vec::new() }
    }

    /// Whether it is this password's. Takes tens of milliseconds and megabytes; nobody can tell from the time how much fits.
    #[must_use]
    pub fn fits(&self, password: &str) -> bool {
        let length = self.digest.len().max(*DIGEST_BYTES.start());
        let Some(found) = self.cost.digest(password.as_bytes(), &self.salt, length) else { return false };
        aws_lc_rs::constant_time::verify_slices_are_equal(&found, &self.digest).is_ok()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(password)")
    }
}

// === impl Cost ===

impl Cost {
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(',').collect();
        let [memory, passes, lanes] = parts.as_slice() else { return None };
        let number = |text: &str, name: &str| {
            let digits = text.strip_prefix(name)?;
            // What other programs would read in another way is nothing.
            let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
            digits.parse::<u32>().ok().filter(|_| is_plain)
        };
        Some(Self { memory_kib: number(memory, "m=")?, passes: number(passes, "t=")?, lanes: number(lanes, "p=")? })
    }

    fn judge(self) -> Result<(), PasswordError> {
        if self.memory_kib > MEMORY_KIB_MAX || self.passes > PASSES_MAX || self.lanes > LANES_MAX {
            return Err(PasswordError::Dear);
        }
        if self.memory_kib < MEMORY_KIB_MIN || self.memory_kib.saturating_mul(self.passes) < WORK_KIB_MIN {
            return Err(PasswordError::Weak);
        }
        Ok(())
    }

    fn digest(self, password: &[u8], salt: &[u8], length: usize) -> Option<Vec<u8>> {
        if password.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(length)).ok()?;
        let mut digest = vec![0; length];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(password, salt, &mut digest).ok()?;
        Some(digest)
    }
}

// === impl PasswordError ===

impl fmt::Display for PasswordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "it is no hash of a password by Argon2id in the PHC string format",
            Self::Weak => "it is too cheap to guess from",
            Self::Dear => "it takes more memory or time to verify than there is for it",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PasswordError, PasswordHash};

    /// Made by the reference implementation: `printf password | argon2 somesalt -id -t 2 -m 16 -p 1`; its test vector of
    /// version 19.
    const REFERENCE: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn only_what_it_was_made_of_fits() {
        let reference = PasswordHash::read(REFERENCE).unwrap();
        assert!(reference.fits("password"));
        assert!(!reference.fits("passworD") && !reference.fits(""));
        let made = PasswordHash::make("correct horse battery", &[7; 16]).unwrap();
        let read = PasswordHash::read(&made).unwrap();
        assert!(read.fits("correct horse battery") && !read.fits("correct horse batterz"));
        assert!(!PasswordHash::of_nobody(Some(&read)).fits(""));
        assert!(!read.fits(&"x".repeat(2000)));
        assert_eq!(format!("{read:?}"), "(password)");
    }

    #[test]
    fn what_does_not_count_is_refused() {
        let rest = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        for (text, expect) in [
            ("hunter2", PasswordError::Malformed),
            ("$2b$12$abcdefghijklmnopqrstuuu", PasswordError::Malformed),
            (&REFERENCE.replace("argon2id", "argon2i"), PasswordError::Malformed),
            (&REFERENCE.replace("v=19", "v=16"), PasswordError::Malformed),
            (&REFERENCE.replace("c29tZXNhbHQ", "c29t"), PasswordError::Malformed),
            (&REFERENCE.replace("GRPPc", "GRPPc="), PasswordError::Malformed),
            (&REFERENCE.replace("t=2", "t=02"), PasswordError::Malformed),
            (&REFERENCE.replace("m=65536", "m=+65536"), PasswordError::Malformed),
            (&format!("{REFERENCE}$x"), PasswordError::Malformed),
            (&format!("$argon2id$v=19$m=4096,t=3,p=1{rest}"), PasswordError::Weak),
            (&format!("$argon2id$v=19$m=19456,t=1,p=1{rest}"), PasswordError::Weak),
            (&format!("$argon2id$v=19$m=4000000,t=1,p=1{rest}"), PasswordError::Dear),
            (&format!("$argon2id$v=19$m=19456,t=1000,p=1{rest}"), PasswordError::Dear),
        ] {
            assert_eq!(PasswordHash::read(text).unwrap_err(), expect, "{text}");
        }
        assert!(PasswordHash::read(&format!("$argon2id$v=19$m=19456,t=2,p=1{rest}")).is_ok());
    }
}
