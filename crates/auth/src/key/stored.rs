//! The binary form of a record: what the store keeps and the index serves, read in place, without copies.
//!
//! The first byte is the version. A form that is not understood whole is refused, never read in part.

use super::record::{Door, KeyDigest, KeyRecord, Peppers, Refused};
use super::text::KeyText;
use crate::network::Network;
use std::fmt;

const VERSION: u8 = 1;
// LIMIT: bytes of one text in a record.
const TEXT_BYTES_MAX: usize = 255;
// LIMIT: scopes, roles, APIs or networks of one key.
const ITEMS_MAX: usize = 255;
/// A time that is not set; no clock reaches it.
const NEVER: u64 = u64::MAX;

/// A record that cannot be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A text, or a list, that is longer than its limit.
    TooLong,
    /// A version that this program does not know.
    Version,
    /// Bytes that are no record.
    Malformed,
}

/// A record in its binary form.
#[derive(Clone, Copy, Debug)]
pub struct StoredKey<'a> {
    pepper: u32,
    digest: &'a [u8; 32],
    created_at: u64,
    expires_at: u64,
    revoked_at: u64,
    rotated_to: Option<u64>,
    /// Who holds it: the consumer's id.
    pub consumer: &'a str,
    /// The consumer's name.
    pub username: &'a str,
    /// What it may do.
    pub scopes: Texts<'a>,
    /// As whom.
    pub roles: Texts<'a>,
    /// The APIs that it is for; empty means all.
    pub apis: Texts<'a>,
    networks: &'a [u8],
}

/// A list of texts in binary form.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a>(&'a [u8]);

// === impl KeyRecord ===

impl KeyRecord {
    /// The binary form, without the number: that is the key under which it is kept.
    ///
    /// # Errors
    /// What does not fit.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.pepper.to_le_bytes());
        out.extend_from_slice(self.digest.as_bytes());
        for time in [Some(self.created_at), self.expires_at, self.revoked_at] {
            out.extend_from_slice(&time.unwrap_or(NEVER).to_le_bytes());
        }
        out.push(u8::from(self.rotated_to.is_some()));
        out.extend(self.rotated_to.map(u64::to_le_bytes).into_iter().flatten());
        for one in [&self.consumer, &self.username] {
            put_text(&mut out, one)?;
        }
        for list in [&self.scopes, &self.roles, &self.apis] {
            let mut bytes = Vec::new();
            if list.len() > ITEMS_MAX {
                return Err(RecordError::TooLong);
            }
            list.iter().try_for_each(|text| put_text(&mut bytes, text))?;
            let length = u16::try_from(bytes.len()).map_err(|_| RecordError::TooLong)?;
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&bytes);
        }
        out.push(u8::try_from(self.networks.len()).map_err(|_| RecordError::TooLong)?);
        for network in &self.networks {
            out.extend_from_slice(&network.to_bytes());
        }
        Ok(out)
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Why it is none.
    pub fn decode(number: u64, bytes: &[u8]) -> Result<Self, RecordError> {
        let stored = StoredKey::read(bytes)?;
        let texts = |list: Texts<'_>| list.iter().map(str::to_owned).collect();
        let time = |at: u64| (at != NEVER).then_some(at);
        Ok(Self {
            number,
            pepper: stored.pepper,
            digest: KeyDigest::from_bytes(*stored.digest),
            consumer: stored.consumer.to_owned(),
            username: stored.username.to_owned(),
            scopes: texts(stored.scopes),
            roles: texts(stored.roles),
            created_at: stored.created_at,
            expires_at: time(stored.expires_at),
            revoked_at: time(stored.revoked_at),
            rotated_to: stored.rotated_to,
            apis: texts(stored.apis),
            networks: stored.networks().collect(),
        })
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), RecordError> {
    let length = u8::try_from(text.len()).map_err(|_| RecordError::TooLong)?;
    debug_assert!(text.len() <= TEXT_BYTES_MAX, "a byte says how long it is");
    out.push(length);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

// === impl StoredKey ===

impl<'a> StoredKey<'a> {
    /// Reads a record in place; everything in it is checked here, so that nothing later can meet a broken one.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, RecordError> {
        if bytes.first() != Some(&VERSION) {
            return Err(if bytes.is_empty() { RecordError::Malformed } else { RecordError::Version });
        }
        let mut reader = Reader(bytes.get(1..).unwrap_or_default());
        let stored = reader.record().ok_or(RecordError::Malformed)?;
        if reader.0.is_empty() { Ok(stored) } else { Err(RecordError::Malformed) }
    }

    /// Whether the key opens this door. The secret is compared first, in constant time, so that whoever has only an id
    /// learns nothing else about it.
    ///
    /// # Errors
    /// The first thing that keeps the door closed.
    pub fn admits(&self, peppers: &Peppers, key: &KeyText, door: Door<'_>) -> Result<(), Refused> {
        let pepper = peppers.find(self.pepper).ok_or(Refused::Pepper)?;
        if pepper.digest(key) != KeyDigest::from_bytes(*self.digest) {
            return Err(Refused::Secret);
        }
        if self.revoked_at != NEVER {
            return Err(Refused::Revoked);
        }
        if door.now >= self.expires_at {
            return Err(Refused::Expired);
        }
        if !self.apis.is_empty() && !self.apis.iter().any(|name| name == door.api) {
            return Err(Refused::Api);
        }
        if !self.networks.is_empty() && !self.networks().any(|network| network.holds(door.address)) {
            return Err(Refused::Network);
        }
        Ok(())
    }

    /// Whether it opens anything at all now.
    #[must_use]
    pub fn stands(&self, now: u64) -> bool {
        self.revoked_at == NEVER && now < self.expires_at
    }

    /// When it ends, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        (self.expires_at != NEVER).then_some(self.expires_at)
    }

    fn networks(&self) -> impl Iterator<Item = Network> + 'a {
        self.networks.as_chunks::<{ Network::BYTES }>().0.iter().filter_map(Network::from_bytes)
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    /// The texts in order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let mut reader = Reader(self.0);
        std::iter::from_fn(move || reader.text())
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

// === impl Reader ===

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| *byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        std::str::from_utf8(self.bytes(usize::from(length))?).ok()
    }

    fn texts(&mut self) -> Option<Texts<'a>> {
        let length = u16::from_le_bytes(*self.array()?);
        let bytes = self.bytes(usize::from(length))?;
        let mut inner = Reader(bytes);
        while !inner.0.is_empty() {
            inner.text()?;
        }
        Some(Texts(bytes))
    }

    fn record(&mut self) -> Option<StoredKey<'a>> {
        let pepper = u32::from_le_bytes(*self.array()?);
        let digest = self.array()?;
        let (created_at, expires_at, revoked_at) = (self.number()?, self.number()?, self.number()?);
        let rotated_to = match self.byte()? {
            0 => None,
            1 => Some(self.number()?),
            2.. => return None,
        };
        let (consumer, username) = (self.text()?, self.text()?);
        let (scopes, roles, apis) = (self.texts()?, self.texts()?, self.texts()?);
        let count = usize::from(self.byte()?);
        let networks = self.bytes(count * Network::BYTES)?;
        let sound = networks.as_chunks::<{ Network::BYTES }>().0.iter().all(|one| Network::from_bytes(one).is_some());
        let stored = StoredKey {
            pepper,
            digest,
            created_at,
            expires_at,
            revoked_at,
            rotated_to,
            consumer,
            username,
            scopes,
            roles,
            apis,
            networks,
        };
        sound.then_some(stored)
    }
}

// === impl RecordError ===

impl fmt::Display for RecordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLong => "a text of the key is longer than 255 bytes, or a list has more than 255 items",
            Self::Version => "the key was stored by another version of this program",
            Self::Malformed => "the stored key is damaged",
        })
    }
}

impl std::error::Error for RecordError {}
