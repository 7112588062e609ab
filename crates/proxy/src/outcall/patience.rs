//! How long somebody is waited for who takes what the gateway sends by itself: pauses between attempts, and the end.

use portcullis_types::{Clock, Millis};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;

// LIMIT: what one attempt may take, connecting included.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);
// LIMIT: what the last items may take once no request is open any more; less than a stop grants for it.
const FLUSH_MS: Millis = 2_000;
/// The first pause; each one after it is twice as long.
const PAUSE_MS: Millis = 500;
// LIMIT: the longest pause, whatever the other side asks for.
const PAUSE_MS_MAX: Millis = 30_000;

/// The end of sending, which is told once and bounds what is left.
#[derive(Debug)]
pub(crate) struct Ending {
    /// 0 while serving; else the moment in milliseconds when nothing more is sent.
    until: AtomicU64,
    told: Notify,
    clock: Clock,
}

/// The pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses(Millis);

// === impl Ending ===

impl Ending {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { until: AtomicU64::new(0), told: Notify::new(), clock: clock.clone() }
    }

    /// Gives what is left its time.
    pub(crate) fn begin(&self) {
        let until = self.clock.millis().saturating_add(FLUSH_MS).max(1);
        self.until.store(until, Ordering::Relaxed);
        self.told.notify_one();
    }

    /// Whether it has been told.
    pub(crate) fn has_begun(&self) -> bool {
        self.until.load(Ordering::Relaxed) != 0
    }

    /// What `work` gives, unless nothing more may be sent before.
    pub(crate) async fn before<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, mut cut) = (pin!(work), pin!(self.cut()));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => cut.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Rests before the next attempt; whether there may be one.
    pub(crate) async fn rest(&self, pause: Duration) -> bool {
        self.before(tokio::time::sleep(pause)).await.is_some()
    }

    async fn cut(&self) {
        loop {
            let until = self.until.load(Ordering::Relaxed);
            if until != 0 {
                let left = until.saturating_sub(self.clock.millis());
                return tokio::time::sleep(Duration::from_millis(left)).await;
            }
            self.told.notified().await;
        }
    }
}

// === impl Pauses ===

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSE_MS)
    }
}

impl Pauses {
    /// The next one, or what the other side asked for, within bounds.
    pub(crate) fn next(&mut self, asked: Option<Millis>) -> Duration {
        let pause = asked.unwrap_or(self.0).min(PAUSE_MS_MAX);
        self.0 = self.0.saturating_mul(2).min(PAUSE_MS_MAX);
        Duration::from_millis(pause)
    }
}
