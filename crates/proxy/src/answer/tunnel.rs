//! A conversation over WebSocket: frames pass both ways until one side ends it, it rests or lasts too long, or the gateway
//! drains, which both sides are told between two frames.

use super::watch::{LAPSED, Watch};
use crate::carry::channel::{Broken, Channel};
use crate::carry::timer::NEVER;
use crate::carry::websocket::{Frames, Sender, goodbye};
use crate::exchange::Connection;
use crate::record::Outcome;
use crate::worker::Worker;
use portcullis_config::plan::StreamsPlan;
use portcullis_types::Millis;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long the sides may take to end a conversation that is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// How it ended, and what the client sent.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) received: u64,
    pub(super) why: Option<&'static str>,
}

struct Direction {
    frames: Frames,
    ended: bool,
    shut: bool,
    passed: u64,
}

struct Tunnel<'a> {
    worker: &'a Worker,
    connection: &'a Connection,
    idle: Duration,
    due: Millis,
    up: Direction,
    down: Direction,
    closing: bool,
    why: Option<&'static str>,
    watch: Option<Watch>,
    lapsed: bool,
}

/// Lets the conversation run its course.
pub(super) async fn run(
    (worker, connection): (&Worker, &Connection),
    (streams, watch): (StreamsPlan, Option<Watch>),
    client: &mut Channel,
    upstream: &mut Channel,
) -> Ended {
    client.set_patience(None);
    upstream.set_patience(None);
    upstream.set_due(NEVER);
    let mut tunnel = Tunnel {
        worker,
        connection,
        idle: streams.idle_timeout,
        due: worker.timers.after(streams.lifetime),
        up: Direction::of(Sender::Client),
        down: Direction::of(Sender::Server),
        closing: false,
        why: None,
        watch,
        lapsed: false,
    };
    tunnel.wait(client, upstream);
    let outcome = poll_fn(|context| tunnel.poll(client, upstream, context)).await;
    client.timer.clear();
    Ended { outcome, received: tunnel.up.passed, why: tunnel.why }
}

// === impl Direction ===

impl Direction {
    fn of(sender: Sender) -> Self {
        Self { frames: Frames::of(sender), ended: false, shut: false, passed: 0 }
    }

    /// Moves what there is; says whether anything moved.
    fn poll(
        &mut self,
        worker: &Worker,
        source: &mut Channel,
        sink: &mut Channel,
        context: &mut Context<'_>,
    ) -> Result<bool, Stop> {
        let mut moved = false;
        loop {
            let flushed = sink.poll_flush(context, &worker.timers);
            match flushed {
                Poll::Ready(Err(Broken::Late | Broken::Slow)) => return Err(Stop::Late),
                Poll::Ready(Err(Broken::Io(_))) => return Err(Stop::Broken),
                Poll::Pending if sink.is_full() => return Ok(moved),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            if self.ended {
                if flushed.is_ready() && !self.shut {
                    self.shut = true;
                    // The other side may have gone already.
                    drop(sink.poll_shutdown(context, &worker.timers));
                }
                return Ok(moved);
            }
            if source.input.is_empty() {
                match source.poll_fill(context, &worker.timers, &worker.buffers) {
                    Poll::Pending => return Ok(moved),
                    Poll::Ready(Ok(0)) => self.ended = true,
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(Broken::Late | Broken::Slow)) => return Err(Stop::Late),
                    Poll::Ready(Err(Broken::Io(_))) => return Err(Stop::Broken),
                }
            }
            let bytes = source.input.bytes();
            self.frames.pass(bytes).map_err(Stop::Frame)?;
            sink.output.extend_from_slice(bytes);
            moved |= !bytes.is_empty();
            self.passed += bytes.len() as u64;
            source.input.consume(usize::MAX, &worker.buffers);
        }
    }

    /// Says goodbye where a frame may stand.
    fn part(&self, from: Sender, sink: &mut Channel) {
        if self.frames.is_between() && !self.frames.is_closed() && !self.ended {
            goodbye(from, &mut sink.output);
        }
    }
}

/// Why a direction stopped.
enum Stop {
    Late,
    Broken,
    Frame(&'static str),
}

// === impl Tunnel ===

impl Tunnel<'_> {
    fn poll(&mut self, client: &mut Channel, upstream: &mut Channel, context: &mut Context<'_>) -> Poll<Outcome> {
        let lapsed = |watch: &Watch| watch.is_over(self.worker, self.connection, context);
        self.lapsed = self.lapsed || (!self.closing && self.watch.as_ref().is_some_and(lapsed));
        let late = client.timer.expired(&self.worker.timers, context) || (self.lapsed && !self.closing);
        if late && let Some(outcome) = self.late(client, upstream) {
            return Poll::Ready(outcome);
        }
        let up = self.up.poll(self.worker, client, upstream, context);
        let down = self.down.poll(self.worker, upstream, client, context);
        match (up, down) {
            (Ok(up), Ok(down)) => {
                if (up || down) && !self.closing {
                    self.wait(client, upstream);
                }
            }
            (Err(Stop::Late), _) | (_, Err(Stop::Late)) => {
                return self.late(client, upstream).map_or_else(
                    || {
                        context.waker().wake_by_ref();
                        Poll::Pending
                    },
                    Poll::Ready,
                );
            }
            (Err(Stop::Frame(why)), _) => return self.over(Outcome::Refused, Some(why)),
            (_, Err(Stop::Frame(why))) => return self.over(Outcome::Failed, Some(why)),
            (Err(Stop::Broken), _) | (_, Err(Stop::Broken)) => {
                let outcome = if self.said_goodbye() { Outcome::Served } else { Outcome::Truncated };
                return Poll::Ready(outcome);
            }
        }
        if self.up.ended && self.down.ended {
            return Poll::Ready(if self.said_goodbye() { Outcome::Served } else { Outcome::Gone });
        }
        if (self.up.ended || self.down.ended) && !self.closing {
            self.closing = true;
            self.farewell(client, upstream);
        }
        // What a deadline has to wake is asked for last, after whatever moved has set it anew.
        if client.timer.expired(&self.worker.timers, context) {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn said_goodbye(&self) -> bool {
        self.closing || self.up.frames.is_closed() || self.down.frames.is_closed()
    }

    fn over(&mut self, outcome: Outcome, why: Option<&'static str>) -> Poll<Outcome> {
        self.why = why;
        Poll::Ready(outcome)
    }

    /// The time is up, or the gateway drains: a goodbye to both sides, or an end if that has been said.
    fn late(&mut self, client: &mut Channel, upstream: &mut Channel) -> Option<Outcome> {
        if self.closing {
            return Some(Outcome::Served);
        }
        self.closing = true;
        self.why = Some(if self.worker.shared.is_draining() {
            "the gateway drains"
        } else if self.lapsed {
            LAPSED
        } else if self.connection.is_ending(&self.worker.shared) {
            "the listener is gone"
        } else if self.worker.timers.now() >= self.due {
            "the conversation lasted as long as `streams.lifetime` allows"
        } else {
            "neither side said anything for `streams.idle_timeout`"
        });
        self.down.part(Sender::Server, client);
        self.up.part(Sender::Client, upstream);
        self.farewell(client, upstream);
        None
    }

    /// Waits for the next bytes, no longer than the conversation may rest and last.
    fn wait(&self, client: &Channel, upstream: &Channel) {
        let due = self.worker.timers.after(self.idle).min(self.due);
        client.timer.set_idle_at(due);
        upstream.timer.set_idle_at(due);
    }

    fn farewell(&self, client: &Channel, upstream: &Channel) {
        client.timer.set(&self.worker.timers, FAREWELL);
        upstream.timer.set(&self.worker.timers, FAREWELL);
    }
}
