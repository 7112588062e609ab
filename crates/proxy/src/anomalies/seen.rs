//! What a worker tells of requests that have ended: numbers, and the names that a finding would be told with.

use super::names::{Names, Realm};
use super::{Anomalies, Message};
use portcullis_anomaly::{Event, Kind, Object, Places};
use portcullis_auth::principal::Principal;
use portcullis_config::plan::AnomaliesPlan;
use portcullis_h1::{Fields, Known};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Requests that are told of together, at the latest with the next sweep.
const BATCH: usize = 256;
// LIMIT: bytes of a name that a finding is told with.
const NAME_BYTES_MAX: usize = 128;

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    event: Event<'static>,
    pub(super) address: IpAddr,
    object: Option<Object>,
    /// When it ended, in nanoseconds of the monotonic clock.
    pub(super) ended: u64,
    /// Where the names are in the batch's text: of the issuer, the caller, the operation, one after another.
    names: [u32; 4],
}

/// Requests with their names.
#[derive(Debug, Default)]
pub(super) struct Batch {
    seen: Vec<Seen>,
    text: String,
}

/// What a request is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Called<'b> {
    pub(super) issuer: &'b str,
    pub(super) caller: &'b str,
    pub(super) operation: &'b str,
}

/// A request that has ended, as the worker knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) at_ms: u64,
    /// The same moment in nanoseconds of the monotonic clock.
    pub(crate) nanos: u64,
    pub(crate) address: IpAddr,
    pub(crate) caller: Option<&'a Principal>,
    /// The operation's name and, in the path, its last parameter.
    pub(crate) operation: Option<(&'a str, Option<&'a str>)>,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) fields: Fields<'a>,
    /// A credential that is not good.
    pub(crate) failed: Option<&'a [u8]>,
}

/// The worker's end.
#[derive(Debug)]
pub(crate) struct Tally {
    anomalies: Arc<Anomalies>,
    batch: Batch,
}

// === impl Tally ===

impl Tally {
    pub(crate) fn new(anomalies: Arc<Anomalies>) -> Self {
        Self { anomalies, batch: Batch::default() }
    }

    pub(crate) fn add(&mut self, ended: &Ended<'_>) {
        let names = &self.anomalies.names;
        let agent = ended.fields.first(Known::UserAgent);
        // A product without its version: a browser that is updated is the same kind of client.
        let product = agent.map(|value| value.split(|byte| matches!(byte, b'/' | b' ')).next().unwrap_or_default());
        let object = |text: &str| match text.parse() {
            Ok(number) => Object::Number(number),
            Err(_) => Object::Name(names.of(Realm::Object, [text.as_bytes(), b""])),
        };
        let event = Event {
            at_ms: ended.at_ms,
            principal: ended.caller.map(|caller| names.principal(caller)),
            address: names.address(ended.address),
            operation: ended.operation.map(|(name, _)| names.of(Realm::Operation, [name.as_bytes(), b""])),
            status: ended.status,
            objects: &[],
            bytes: ended.bytes,
            client: product.map_or(0, |product| names.of(Realm::Client, [product, b""])),
            network: names.network(ended.address),
            country: 0,
            failed_credential: ended.failed.map(|text| names.of(Realm::Credential, [text, b""])),
        };
        let object = ended.operation.and_then(|(_, last)| last).map(object);
        let text = &mut self.batch.text;
        let issuer = ended.caller.and_then(|caller| caller.issuer.as_deref()).unwrap_or_default();
        let caller = ended.caller.map_or("", |caller| caller.id.as_str());
        let operation = ended.operation.map_or("", |(name, _)| name);
        let names = ["", issuer, caller, operation].map(|name| {
            text.push_str(cut(name));
            u32::try_from(text.len()).unwrap_or(u32::MAX)
        });
        self.batch.seen.push(Seen { event, address: ended.address, object, ended: ended.nanos, names });
        if self.batch.seen.len() >= BATCH {
            self.flush();
        }
    }

    /// Hands over what has been collected.
    pub(crate) fn flush(&mut self) {
        let count = self.batch.seen.len();
        if count == 0 {
            return;
        }
        let room = Batch { seen: Vec::with_capacity(count), text: String::with_capacity(self.batch.text.len()) };
        let batch = std::mem::replace(&mut self.batch, room);
        if self.anomalies.sender.try_send(Message::Seen(batch)).is_err() {
            self.anomalies.counts.dropped.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}

// === impl Batch ===

impl Batch {
    /// When each of its requests ended, in their order.
    pub(super) fn moments(&self) -> impl Iterator<Item = u64> {
        self.seen.iter().map(|seen| seen.ended)
    }

    /// One request with the names that belong to it.
    pub(super) fn get(&self, index: usize) -> Option<(&Seen, Called<'_>)> {
        let seen = self.seen.get(index)?;
        let [start, issuer, caller, operation] = seen.names.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        let text = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let called =
            Called { issuer: text(start, issuer), caller: text(issuer, caller), operation: text(caller, operation) };
        Some((seen, called))
    }
}

// === impl Seen ===

impl Seen {
    /// Lets somebody look at it as an event, with where its address is. That is looked up here, on the judge's thread and no worker's.
    pub(super) fn with<T>(&self, plan: &AnomaliesPlan, names: &Names, look: impl FnOnce(&Event<'_>) -> T) -> T {
        let found = |places: &Option<Arc<Places>>| places.as_ref().map_or(0, |places| places.of(self.address));
        let network = match found(&plan.networks) {
            // Nobody announces it: it is told by its own number, so that such places are no way around.
            0 => self.event.network,
            system => names.system(system),
        };
        let country = u16::try_from(found(&plan.countries)).unwrap_or(0);
        look(&Event { objects: self.object.as_slice(), network, country, ..self.event })
    }

    /// What a finding of this kind is about besides its numbers: where the address is, by a file that says so.
    pub(super) fn place(&self, plan: &AnomaliesPlan, kind: Kind) -> String {
        let places = match kind {
            Kind::NewCountry => &plan.countries,
            Kind::NewNetwork => &plan.networks,
            Kind::Rate
            | Kind::Volume
            | Kind::Errors
            | Kind::Unauthorized
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::Sequential
            | Kind::Sweep
            | Kind::Sequence
            | Kind::Stuffing
            | Kind::NewClient
            | Kind::Hour => &None,
        };
        let found = places.as_ref().map(|places| (places, places.of(self.address)));
        found.filter(|(_, value)| *value != 0).map(|(places, value)| places.name(value)).unwrap_or_default()
    }
}

/// The beginning of a name, at the border of a character.
fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(name)
}
