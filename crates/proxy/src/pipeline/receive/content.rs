//! A body as stages look into it: whole, its content codings undone, JSON read once.

use super::{no_room, refuse};
use crate::carry::room::{Full, Room};
use crate::pipeline::decode::{Said, decoded};
use crate::snapshot::bodies::Looks;
use portcullis_coding::CodingError;
use portcullis_contract::Reading;
use portcullis_contract::json::{Json, Unsafe};
use portcullis_types::{Reason, Refusal};

/// What stages know of a request's body.
#[derive(Debug)]
pub(crate) enum Seen {
    /// There is none, or it is empty.
    Nothing,
    /// There is one, and nobody looks into it: it passes as it comes.
    Unread,
    /// All of it.
    Whole(Box<Content>),
}

/// A whole body without its content codings.
#[derive(Debug)]
pub(crate) struct Content {
    read: Read,
    /// Whether its bytes are the ones that were sent, lent by whoever carries them.
    pub(super) lent: bool,
    _room: Room,
}

#[derive(Debug)]
enum Read {
    Json(Json<'static>),
    /// It says that it is JSON.
    Flawed(Unsafe, Vec<u8>),
    Bytes(Vec<u8>),
}

// === impl Content ===

impl Content {
    /// A body that came without a content coding.
    pub(super) fn of_plain(said: &Said, sent: Vec<u8>, looks: &Looks, room: Room) -> Result<Self, Refusal> {
        Self::new(said, sent, true, looks, room)
    }

    /// A body in content codings.
    pub(super) fn of_coded(said: &Said, sent: &[u8], looks: &Looks, mut room: Room) -> Result<Self, Refusal> {
        let bytes =
            decoded(said, sent, looks.coding, &mut room).map_err(|error| error.map_or_else(no_room, undecodable))?;
        Self::new(said, bytes, false, looks, room)
    }

    fn new(said: &Said, bytes: Vec<u8>, lent: bool, looks: &Looks, mut room: Room) -> Result<Self, Refusal> {
        let read = match said.reading() {
            Some(Reading::Json) => match Json::read(bytes, &looks.json) {
                Ok(json) => Read::Json(json),
                Err((flaw, bytes)) => Read::Flawed(flaw, bytes),
            },
            Some(Reading::Form | Reading::Multipart | Reading::Text | Reading::Xml | Reading::Bytes) | None => {
                Read::Bytes(bytes)
            }
        };
        if let Read::Json(json) = &read {
            room.grow_by(json.weight()).map_err(|Full| no_room())?;
        }
        Ok(Self { read, lent, _room: room })
    }

    /// Its bytes, decoded.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.read {
            Read::Json(json) => json.source().as_bytes(),
            Read::Flawed(_, bytes) | Read::Bytes(bytes) => bytes,
        }
    }

    /// Its value, where its media type is JSON and it is well-formed within the limits.
    pub(crate) fn json(&self) -> Option<&Json<'static>> {
        match &self.read {
            Read::Json(json) => Some(json),
            Read::Flawed(..) | Read::Bytes(_) => None,
        }
    }

    /// Why a body that says that it is JSON is none that programs agree about. A stage that needs its value refuses it.
    pub(crate) fn flaw(&self) -> Option<Unsafe> {
        match &self.read {
            Read::Flawed(flaw, _) => Some(*flaw),
            Read::Json(_) | Read::Bytes(_) => None,
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.read {
            Read::Json(json) => json.into_bytes(),
            Read::Flawed(_, bytes) | Read::Bytes(bytes) => bytes,
        }
    }
}

pub(super) fn undecodable(error: CodingError) -> Refusal {
    let reason = match error {
        CodingError::UnknownCoding => Reason::UnknownCoding,
        CodingError::TooLarge | CodingError::RatioExceeded => Reason::BodyInflated,
        CodingError::Malformed | CodingError::Truncated | CodingError::TrailingBytes => Reason::MalformedCoding,
    };
    let refusal = refuse(reason, error.rule());
    // RFC 9110 section 15.5.16.
    if reason == Reason::UnknownCoding { refusal.header("accept-encoding", "gzip, deflate, br, zstd") } else { refusal }
}
