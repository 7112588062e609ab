//! What is told, and in which form.

use super::json::Subject;
use super::security::Event;
use super::wall::WallTexts;
use super::{AccessRecord, common, ecs, json, ocsf};
use crate::anomalies::FindingFacts;
use crate::snapshot::{Route, Snapshot};
use portcullis_config::plan::LogFormat;
use std::net::SocketAddr;

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) record: &'a AccessRecord,
    pub(crate) subject: Subject<'a>,
    pub(crate) snapshot: &'a Snapshot,
}

/// A connection that was turned away before there was a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned<'a> {
    pub(crate) listener: &'a str,
    pub(crate) peer: SocketAddr,
    /// Why, from a closed set.
    pub(crate) reason: &'static str,
    /// What the library says of it.
    pub(crate) detail: &'a str,
}

/// Something that was done to the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action<'a> {
    /// What, in words with points: `config.reload`.
    pub(crate) what: &'a str,
    /// By whom.
    pub(crate) actor: &'a str,
    /// To what, and how, by name.
    pub(crate) details: &'a [(&'a str, String)],
}

/// What is told besides requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told<'a> {
    Turned(Turned<'a>),
    Found(&'a FindingFacts),
    Done(Action<'a>),
}

/// Appends a request's line, its line feed included: of the access record, or of the security record where there is an event.
pub(crate) fn request(
    format: LogFormat,
    ended: Ended<'_>,
    event: Option<Event>,
    wall: &mut WallTexts,
    out: &mut Vec<u8>,
) {
    match format {
        LogFormat::Json => json::line(ended, event, wall, out),
        LogFormat::Ecs => ecs::request(ended, event, wall, out),
        LogFormat::Ocsf => ocsf::request(ended, event, out),
        LogFormat::Common => common::line(ended, wall, out),
    }
}

/// Appends another line of the security record.
pub(crate) fn other(format: LogFormat, told: Told<'_>, wall_ms: u64, wall: &mut WallTexts, out: &mut Vec<u8>) {
    match format {
        LogFormat::Ecs => ecs::other(told, wall_ms, wall, out),
        LogFormat::Ocsf => ocsf::other(told, wall_ms, out),
        // The Common Log Format has no words for it, and no configuration asks for it here.
        LogFormat::Json | LogFormat::Common => json::other(told, wall_ms, wall, out),
    }
}

// === impl Ended ===

impl<'a> Ended<'a> {
    pub(super) fn route(self) -> Option<&'a Route> {
        self.record.route.and_then(|index| self.snapshot.routes.get(index))
    }

    /// Path and query as they may be shown.
    pub(super) fn shown(self) -> Vec<u8> {
        json::shown_target(self.subject.target, self.snapshot)
    }

    /// The address of whoever asks.
    pub(super) fn address(self) -> Option<std::net::IpAddr> {
        self.record.client.or(self.record.peer.map(|peer| peer.ip()))
    }

    /// Why, in a word: the reason of a refusal.
    pub(super) fn reason(self) -> &'static str {
        self.record.decision.as_ref().map_or("", |decision| decision.reason.code())
    }
}

// === impl Told ===

impl Told<'_> {
    pub(crate) const fn event(self) -> Event {
        match self {
            Self::Turned(_) => Event::ConnectionRefused,
            Self::Found(_) => Event::Anomaly,
            Self::Done(_) => Event::AdminAction,
        }
    }
}
