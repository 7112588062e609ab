//! Texts that are signed by Ed25519 keys (RFC 8032): what they are on the first line, then a line for each signature, an empty one, and
//! the text itself. A signature is about the first line and the text, so that no text can be taken for one of another kind.

#[cfg(test)]
mod tests;

use crate::hex::{bytes, digits};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

// LIMIT: signatures of one text.
const SIGNATURES_MAX: usize = 16;
// LIMIT: bytes of a file with a key.
const KEY_BYTES_MAX: u64 = 4 * 1024;
const KEY_FIRST_LINE: &str = "# A key by which Portcullis signs. Nobody else may read it.";

/// A key that signs.
#[derive(Debug)]
pub(crate) struct Signer(Ed25519KeyPair);

/// The half of it by which everybody can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey([u8; 32]);

/// A text with its signatures.
pub(crate) fn seal(kind: &str, text: &str, signers: &[Signer]) -> Result<String, String> {
    let mut out = format!("{kind}\n");
    for signer in signers {
        let signature = signer.0.sign(message(kind, text).as_bytes());
        out.push_str(&format!("signature {} {}\n", signer.public()?, digits(signature.as_ref())));
    }
    out.push('\n');
    out.push_str(text);
    Ok(out)
}

/// The text in a sealed one, if at least so many of these keys have signed it. A signature of theirs that is wrong refuses it, whatever the
/// others say; those of keys that are not known here count for nothing.
pub(crate) fn open<'s>(
    kind: &str,
    sealed: &'s str,
    trusted: &[PublicKey],
    threshold: usize,
) -> Result<&'s str, String> {
    let rest = sealed.strip_prefix(kind).and_then(|rest| rest.strip_prefix('\n'));
    let rest = rest.ok_or_else(|| format!("it does not begin with `{kind}`"))?;
    let (lines, text) = match rest.strip_prefix('\n') {
        Some(text) => ("", text),
        None => rest.split_once("\n\n").ok_or("it has no text")?,
    };
    let mut good: Vec<PublicKey> = Vec::new();
    for (at, line) in lines.lines().enumerate() {
        if at >= SIGNATURES_MAX {
            return Err(format!("it has more than {SIGNATURES_MAX} signatures"));
        }
        let words = line.strip_prefix("signature ").and_then(|rest| rest.split_once(' '));
        let (key, signature) = words.ok_or("a line above the text is no signature")?;
        let key: PublicKey = PublicKey::parse(key)?;
        let signature: [u8; 64] = bytes(signature).ok_or("a signature is not 128 hexadecimal digits")?;
        if !trusted.contains(&key) {
            continue;
        }
        UnparsedPublicKey::new(&ED25519, key.0)
            .verify(message(kind, text).as_bytes(), &signature)
            .map_err(|_| format!("the signature of {key} is not of this text"))?;
        // Signing twice is no second signature.
        if !good.contains(&key) {
            good.push(key);
        }
    }
    if good.len() < threshold.max(1) {
        return Err(format!(
            "{} of the keys that are trusted have signed it, and {} have to",
            good.len(),
            threshold.max(1)
        ));
    }
    Ok(text)
}

/// A text that others have signed, or nobody yet, with one more signature.
pub(crate) fn cosign(kind: &str, text: &str, signer: &Signer) -> Result<String, String> {
    let Some(rest) = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('\n')) else {
        return seal(kind, text, std::slice::from_ref(signer));
    };
    let (lines, text) = rest.split_once("\n\n").ok_or("it has no text")?;
    let fresh = seal(kind, text, std::slice::from_ref(signer))?;
    let own = fresh.lines().nth(1).unwrap_or_default();
    let key = signer.public()?;
    if lines.lines().any(|line| line.starts_with(&format!("signature {key} "))) {
        return Err(format!("{key} has signed it already"));
    }
    Ok(format!("{kind}\n{lines}\n{own}\n\n{text}"))
}

fn message(kind: &str, text: &str) -> String {
    format!("{kind}\n{text}")
}

// === impl Signer ===

impl Signer {
    /// Makes a key in a file that is not there yet.
    pub(crate) fn make(path: &Path, seed: &[u8; 32]) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(format!("{KEY_FIRST_LINE}\n{}\n", digits(seed)).as_bytes())?;
        file.sync_all()?;
        Self::from_seed(seed).map_err(io::Error::other)
    }

    /// The one in a file that only its owner may read.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let file = std::fs::File::open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::other("others may read this key; `chmod 600` it"));
        }
        let mut text = String::new();
        file.take(KEY_BYTES_MAX).read_to_string(&mut text)?;
        let seed = text.lines().find(|line| !line.starts_with('#')).and_then(bytes);
        Self::from_seed(&seed.ok_or_else(|| io::Error::other("it holds no key"))?).map_err(io::Error::other)
    }

    pub(crate) fn from_seed(seed: &[u8; 32]) -> Result<Self, &'static str> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| "it is no key")
    }

    pub(crate) fn public(&self) -> Result<PublicKey, String> {
        let key = self.0.public_key().as_ref().try_into();
        key.map(PublicKey).map_err(|_| "a public key has another length".to_owned())
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// Its bytes.
    #[cfg(test)]
    pub(crate) const fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// From its bytes.
    pub(crate) const fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        bytes(text).map(Self).ok_or_else(|| "a public key is 64 hexadecimal digits in small letters".to_owned())
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&digits(self.0))
    }
}
