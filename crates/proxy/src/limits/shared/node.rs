//! One connection to one server of the store: what is written leaves together, answers come in the same order, and whatever
//! the connection ends with, everybody who waits is told.

use super::hub::{Flight, Hub};
use super::resp::{self, Reply};
use crate::carry::socket::Socket;
use crate::outcall::secure;
use portcullis_config::plan::TargetPlan;
use portcullis_limit::{Breaker, BreakerRules};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;

// LIMIT: questions under way to one server.
const UNDER_WAY_MAX: usize = 16_384;
// LIMIT: bytes of answers that wait for their end.
const INPUT_BYTES_MAX: usize = 256 * 1024;
/// How often the oldest question is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// To open a connection and to log in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Pauses between attempts double from the first to the second.
const REST: (u64, u64) = (50_000_000, 1_000_000_000);
/// A server most of whose answers are late is left alone for a while.
const BREAKER: BreakerRules = BreakerRules {
    window_ns: 1_000_000_000,
    calls_min: 5,
    failed_percent: 50,
    open_ns: 200_000_000,
    open_max_ns: 2_000_000_000,
    trials: 1,
};

/// One server.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: TargetPlan,
    up: Cell<bool>,
    /// Nobody knows yet whether it can be reached; what is to be sent waits for that.
    fresh: Cell<bool>,
    output: RefCell<Vec<u8>>,
    flights: RefCell<VecDeque<Box<Flight>>>,
    wake: Notify,
}

// === impl Node ===

impl Node {
    pub(super) fn new(at: TargetPlan) -> Rc<Self> {
        let (up, fresh, wake) = (Cell::new(false), Cell::new(true), Notify::new());
        Rc::new(Self { at, up, fresh, output: RefCell::default(), flights: RefCell::default(), wake })
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.get()
    }

    /// Sends a command; gives the flight back where that cannot be.
    pub(super) fn send(&self, flight: Box<Flight>) -> Result<(), Box<Flight>> {
        let mut flights = self.flights.borrow_mut();
        if !(self.up.get() || self.fresh.get()) || flights.len() >= UNDER_WAY_MAX {
            return Err(flight);
        }
        self.output.borrow_mut().extend_from_slice(&flight.command);
        flights.push_back(flight);
        self.wake.notify_one();
        Ok(())
    }

    /// Keeps a connection for as long as the gateway runs.
    pub(super) async fn serve(self: Rc<Self>, hub: Rc<Hub>) {
        let mut rest_ns = REST.0;
        let mut breaker = Breaker::new(BREAKER);
        loop {
            let now = hub.clock.nanos();
            let trial = match breaker.admit(now) {
                Ok(trial) => trial,
                Err(wait_ns) => {
                    tokio::time::sleep(Duration::from_nanos(wait_ns)).await;
                    continue;
                }
            };
            let login = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(&hub)).await;
            let outcome = login.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            breaker.record(&trial, outcome.is_err(), hub.clock.nanos());
            if let Ok(mut socket) = outcome {
                rest_ns = REST.0;
                self.up.set(true);
                hub.rose();
                // Why it ended makes no difference to what follows.
                drop(self.talk(&hub, &mut socket, &mut breaker).await);
            }
            self.ended(&hub);
            tokio::time::sleep(Duration::from_nanos(rest_ns)).await;
            rest_ns = rest_ns.saturating_mul(2).min(REST.1);
        }
    }

    /// There is no connection: whoever waits is told.
    fn ended(&self, hub: &Hub) {
        self.up.set(false);
        self.fresh.set(false);
        self.output.borrow_mut().clear();
        let lost: Vec<Box<Flight>> = self.flights.borrow_mut().drain(..).collect();
        lost.into_iter().for_each(|flight| hub.failed(*flight));
        hub.fell();
    }

    async fn connect(&self, hub: &Hub) -> io::Result<Socket> {
        let stream = TcpStream::connect((self.at.host.as_str(), self.at.port)).await?;
        let mut socket = secure(stream, hub.tls.as_ref(), &self.at.host).await?;
        let (mut output, mut expected) = (Vec::new(), 1);
        if let Some(password) = &hub.plan.password {
            let user = hub.plan.user.as_deref().unwrap_or("default");
            resp::command(&mut output, &[b"AUTH", user.as_bytes(), password.expose().as_bytes()]);
            expected += 1;
        }
        resp::command(&mut output, &[b"PING"]);
        let mut input = Vec::new();
        while expected > 0 {
            poll_fn(|context| poll_exchange(context, &mut socket, &mut output, &mut input)).await?;
            while let Some(reply) = take(&mut input)? {
                if let Reply::Error(_) = reply {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                expected -= 1;
            }
        }
        Ok(socket)
    }

    /// Carries questions and answers until the connection ends, or too much of it is late.
    async fn talk(self: &Rc<Self>, hub: &Rc<Hub>, socket: &mut Socket, breaker: &mut Breaker) -> io::Result<()> {
        let (mut output, mut input) = (Vec::new(), Vec::new());
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            output.append(&mut self.output.borrow_mut());
            let mut woken = std::pin::pin!(self.wake.notified());
            let is_due = poll_fn(|context| {
                if look.poll_tick(context).is_ready() {
                    return Poll::Ready(Ok(true));
                }
                if woken.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Ok(false));
                }
                poll_exchange(context, socket, &mut output, &mut input).map_ok(|()| false)
            });
            if is_due.await? {
                self.look(hub, breaker)?;
            }
            while let Some(reply) = take(&mut input)? {
                let flight = self.flights.borrow_mut().pop_front();
                // Nobody asked.
                let flight = flight.ok_or(io::ErrorKind::InvalidData)?;
                if !flight.is_late {
                    note(breaker, false, hub.clock.nanos());
                }
                hub.answered(flight, self, &reply);
            }
        }
    }

    /// Counts what is late, and gives up where that is most of it, or the question whether it lives.
    fn look(&self, hub: &Hub, breaker: &mut Breaker) -> io::Result<()> {
        let now = hub.clock.nanos();
        let patience_ns = u64::try_from(hub.plan.timeout.as_nanos()).unwrap_or(u64::MAX);
        for flight in self.flights.borrow_mut().iter_mut() {
            if now.saturating_sub(flight.sent.nanos) < patience_ns {
                break;
            }
            if !flight.is_late {
                flight.is_late = true;
                if !note(breaker, true, now) || flight.is_vital() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
        }
        Ok(())
    }
}

/// Tells the breaker of one question; whether it still lets others pass.
fn note(breaker: &mut Breaker, failed: bool, now: u64) -> bool {
    let Ok(trial) = breaker.admit(now) else { return false };
    breaker.record(&trial, failed, now);
    breaker.state() != portcullis_limit::BreakerState::Open
}

/// Writes what there is and reads what comes; done once something came. What was written is taken off `output` at once, so that
/// it can be left in the middle.
fn poll_exchange(
    context: &mut Context<'_>,
    socket: &mut Socket,
    output: &mut Vec<u8>,
    input: &mut Vec<u8>,
) -> Poll<io::Result<()>> {
    let mut wrote = false;
    while !output.is_empty() {
        match socket.poll_write(context, output) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) => drop(output.drain(..count)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => break,
        }
        wrote = true;
    }
    if wrote && let Poll::Ready(Err(error)) = socket.poll_flush(context) {
        return Poll::Ready(Err(error));
    }
    let mut room = [0; 4_096];
    let count = ready!(socket.poll_read(context, &mut room))?;
    if count == 0 || input.len() > INPUT_BYTES_MAX {
        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
    }
    input.extend_from_slice(room.get(..count).unwrap_or_default());
    Poll::Ready(Ok(()))
}

fn take(input: &mut Vec<u8>) -> io::Result<Option<Reply>> {
    let found = resp::reply(input).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(found.map(|(reply, used)| {
        input.drain(..used);
        reply
    }))
}
