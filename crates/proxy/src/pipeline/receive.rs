//! `receive`: the body, within bounds. What no stage has to look at is streamed; what one looks into is held whole.

mod content;

use super::Stop;
use super::charge::Admitted;
use super::forward;
use super::route::{Announced, Routed};
use crate::carry::channel::{Broken, Channel};
use crate::carry::relay::{Leaving, Relay, Stopped};
use crate::carry::room::Room;
use crate::carry::timer::NEVER;
use crate::exchange::Connection;
use crate::pipeline::decode::{self, Said};
use crate::problem::is_grpc;
use crate::snapshot::bodies::Looks;
use crate::worker::Worker;
use portcullis_contract::Reading;
use portcullis_h1::{Fields, Framing, RequestHead, Version};
use portcullis_types::{Reason, Refusal, Stage};
use std::future::poll_fn;
use std::time::Duration;

pub(crate) use content::{Content, Seen};

/// Proof that the body is bounded, with the reader that enforces it.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    routed: Box<Routed<'a>>,
    upload: Relay,
    seen: Seen,
}

/// Why a body is held.
struct Holding {
    /// Stages look into it.
    said: Option<Said>,
    /// A signature covers it.
    announced: Option<Box<Announced>>,
}

// === impl Received ===

impl<'a> Received<'a> {
    /// Gives the body back to whoever carries it on, as it was sent.
    pub(super) fn into_parts(mut self) -> (Box<Routed<'a>>, Relay) {
        if let Seen::Whole(content) = self.seen
            && content.lent
        {
            self.upload.put_back(content.into_bytes());
        }
        (self.routed, self.upload)
    }

    /// For the stages after this one, to add what they find.
    pub(super) fn parts_mut(&mut self) -> (&mut Routed<'a>, &Seen) {
        (&mut self.routed, &self.seen)
    }

    /// Why the body is held, if it is.
    fn holding(&mut self) -> Result<Option<Holding>, Refusal> {
        let announced = self.routed.announced.take();
        let head = self.routed.request.head;
        let looks = self.routed.route().looks.as_deref().filter(|_| has_body(head.framing()));
        let looks = looks.filter(|looks| !(looks.grpc && is_grpc(head.fields())));
        if looks.is_some() && is_grpc(head.fields()) {
            // Any body could call itself so to go by unseen.
            let reason = Reason::GrpcNotDeclared;
            return Err(Refusal::new(Stage::Receive, reason, reason.page().caller));
        }
        let looks = looks.filter(|looks| self.needs(looks));
        let said = looks.map(|_| Said::of(head.fields())).transpose().map_err(content::undecodable)?;
        Ok((said.is_some() || announced.is_some()).then_some(Holding { said, announced }))
    }

    /// Whether anybody has to know what is in a body of this media type.
    fn needs(&self, looks: &Looks) -> bool {
        let head = self.routed.request.head;
        let content_type = decode::content_type(head.fields());
        let is_json = || content_type.and_then(Reading::of) == Some(Reading::Json);
        let contract = self.routed.route().contract.as_deref();
        // Of a body that decides nothing any more, nobody has to know anything.
        let is_open = looks.access && self.routed.record.permit.is_none();
        looks.everything
            || is_open
            || looks.strict_json && is_json()
            || self.routed.route().graphql.is_some()
            || contract.is_some_and(|contract| contract.reads(head.method(), content_type, is_coded(head.fields())))
    }

    /// The most that is held.
    fn bytes_max(&self, holding: &Holding) -> u64 {
        let route = self.routed.route();
        let looked = route.looks.as_deref().filter(|_| holding.said.is_some()).map(|looks| looks.bytes_max);
        let announced = holding.announced.as_ref().map(|announced| announced.bytes_max);
        let least = looked.into_iter().chain(announced).min();
        least.unwrap_or(route.body_bytes)
    }

    /// Reads what has been taken in.
    fn look(&mut self, said: Option<&Said>, room: Room) -> Result<(), Refusal> {
        let (Some(said), Some(looks)) = (said, self.routed.route().looks.as_deref()) else { return Ok(()) };
        if self.upload.held().is_empty() {
            self.seen = Seen::Nothing;
            return Ok(());
        }
        let lent = said.is_plain();
        let content = if lent {
            Content::of_plain(said, self.upload.lend(), looks, room)
        } else {
            Content::of_coded(said, self.upload.held(), looks, room)
        };
        self.seen = Seen::Whole(Box::new(content?));
        Ok(())
    }
}

/// Bounds the body, and tells a client that waits for that to send it.
pub(super) async fn receive<'a>(
    before: Admitted<'a>,
    worker: &Worker,
    connection: &Connection,
    client: &mut Channel,
) -> Result<Received<'a>, Stop> {
    let mut received = bound(before)?;
    let holding = received.holding()?;
    if let Some(holding) = &holding {
        within(received.routed.request.head.framing(), received.bytes_max(holding))?;
    }
    go_on(received.routed.request.head, worker, connection, client).await?;
    match holding {
        Some(holding) => hold(received, holding, worker, connection, client).await,
        None => Ok(received),
    }
}

/// Tells a client to send its body, if it waits for that.
pub(crate) async fn go_on(
    head: &RequestHead,
    worker: &Worker,
    connection: &Connection,
    client: &mut Channel,
) -> Result<(), Stop> {
    if !head.expects_continue() {
        return Ok(());
    }
    match client.stream() {
        Some(stream) => stream.go_on(),
        None => client.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n"),
    }
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    let flushed = poll_fn(|context| client.poll_flush(context, &worker.timers)).await;
    flushed.map_err(|_: Broken| Stop::Gone)
}

/// Takes in a body that is held, within a time.
pub(crate) async fn held(
    upload: &mut Relay,
    client: &mut Channel,
    worker: &Worker,
    timeout: Duration,
) -> Result<(), Stopped> {
    let carry = (&worker.timers, &worker.buffers);
    // No answer is under way that could be late: what the whole exchange may take bounds this as well.
    client.set_due(worker.timers.after(timeout));
    let held = poll_fn(|context| upload.poll_hold(client, context, carry)).await;
    client.set_due(NEVER);
    if held.is_ok() {
        client.timer.clear();
    }
    held
}

/// A body that may have so many bytes, before any of it has been read.
pub(crate) fn bounded(head: &RequestHead, bytes_max: u64) -> Result<Relay, Refusal> {
    within(head.framing(), bytes_max)?;
    Ok(Relay::new(arriving(head.framing(), head.version()), Leaving::Bare, bytes_max))
}

/// Takes in a body whole, and lets it go on only if it is the one that was signed, where one was: what is acted upon before
/// its end is known must be nobody else's.
async fn hold<'a>(
    mut received: Received<'a>,
    holding: Holding,
    worker: &Worker,
    connection: &Connection,
    client: &mut Channel,
) -> Result<Received<'a>, Stop> {
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    let (bytes_max, timeout) = (received.bytes_max(&holding), received.routed.route().timeout);
    received.upload.hold(bytes_max, worker.rooms.room());
    held(&mut received.upload, client, worker, timeout).await.map_err(forward::stop)?;
    let record = &mut received.routed.record;
    (record.body_read, record.request_bytes) = (true, received.upload.received());
    if let Some(mut announced) = holding.announced {
        announced.check.update(received.upload.held());
        announced.check.finish().map_err(|error| {
            let reason = Reason::DigestMismatch;
            Refusal::new(Stage::Receive, reason, reason.page().caller).private(error.to_string()).closing()
        })?;
    }
    received.look(holding.said.as_ref(), worker.rooms.room())?;
    Ok(received)
}

/// Bounds the body by what its head says of it, and while it arrives.
pub(super) fn bound(before: Admitted<'_>) -> Result<Received<'_>, Stop> {
    let routed = before.into_inner().into_inner().into_routed();
    let framing = routed.request.head.framing();
    let upload = bounded(routed.request.head, bytes_most(&routed))?;
    let seen = if has_body(framing) { Seen::Unread } else { Seen::Nothing };
    Ok(Received { routed, upload, seen })
}

/// What the route says, or less where the contract asks of bytes only that there are not more of them.
fn bytes_most(routed: &Routed<'_>) -> u64 {
    let route = routed.route();
    let Some(contract) = route.contract.as_deref() else { return route.body_bytes };
    let head = routed.request.head;
    let most = contract.body_bytes(head.method(), decode::content_type(head.fields()), is_coded(head.fields()));
    most.map_or(route.body_bytes, |most| most.min(route.body_bytes))
}

/// Whether a body may be longer, or shorter, than it is as it comes.
fn is_coded(fields: Fields<'_>) -> bool {
    fields.iter().any(|line| line.name.eq_ignore_ascii_case(b"content-encoding"))
}

/// The same for a body that is there, without a client: `explain`.
pub(super) fn bound_at_once<'a>(before: Admitted<'a>, body: &[u8], room: Room) -> Result<Received<'a>, Stop> {
    let mut received = bound(before)?;
    let holding = received.holding()?;
    let Some(holding) = holding else { return Ok(received) };
    let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
    within(Framing::Length(bytes), received.bytes_max(&holding))?;
    received.upload.put_in(body, room.sibling());
    received.look(holding.said.as_ref(), room)?;
    Ok(received)
}

/// What stages would see of a body that is there, of a request that is only supposed.
pub(super) fn seen(fields: Fields<'_>, body: &[u8], looks: &Looks, room: Room) -> Result<Seen, Refusal> {
    if body.is_empty() {
        return Ok(Seen::Nothing);
    }
    let said = Said::of(fields).map_err(content::undecodable)?;
    let content = if said.is_plain() {
        Content::of_plain(&said, body.to_vec(), looks, room)
    } else {
        Content::of_coded(&said, body, looks, room)
    };
    Ok(Seen::Whole(Box::new(content?)))
}

/// Refuses a body that is longer than may be, before it is sent.
fn within(framing: Framing, bytes_max: u64) -> Result<(), Refusal> {
    match framing {
        Framing::Length(bytes) if bytes > bytes_max => Err(too_large()),
        Framing::None | Framing::Length(_) | Framing::Chunked | Framing::UntilClose => Ok(()),
    }
}

/// Whether a body comes with this framing.
pub(super) fn has_body(framing: Framing) -> bool {
    !matches!(framing, Framing::None | Framing::Length(0))
}

/// How a body arrives: on a stream, only the stream's end ends it, whatever length was declared.
fn arriving(framing: Framing, version: Version) -> Framing {
    match (version, framing) {
        (Version::Http2, Framing::Length(_) | Framing::Chunked) => Framing::UntilClose,
        (_, framing) => framing,
    }
}

/// A body over its limit; nothing after it on the connection can be told apart.
pub(super) fn too_large() -> Refusal {
    Refusal::new(Stage::Receive, Reason::BodyTooLarge, "the body exceeds what this operation accepts").closing()
}

/// There is no room for another body.
pub(super) fn no_room() -> Refusal {
    let reason = Reason::NoRoomForBody;
    refuse(reason, reason.page().caller).header("retry-after", "1").closing()
}

fn refuse(reason: Reason, detail: &'static str) -> Refusal {
    Refusal::new(Stage::Receive, reason, detail)
}
