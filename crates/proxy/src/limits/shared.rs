//! The store that several gateways share: who asks it, how long anybody waits, and what is told of it.
//!
//! One thread talks to it (`hub`), over one connection per node, with everything that is to be asked in one write. A request
//! waits for it only when this gateway holds nothing for its caller, and only as long as `timeout` says.

mod desk;
mod hub;
mod node;
mod resp;
mod script;
mod slot;
#[cfg(test)]
mod tests;

use super::book::Book;
use crate::snapshot::CompileError;
use crate::upstream::tls::UpstreamTls;
use desk::Parcel;
use portcullis_config::plan::{SharedStorePlan, UpstreamProtocol};
use portcullis_limit::{Key, KeyHasher, Peers, Prefixes, Supply};
use portcullis_types::Clock;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

// LIMIT: questions that wait for the thread to take them.
const WAITING_MAX: usize = 8_192;

/// The way to the store.
#[derive(Debug)]
pub(crate) struct SharedStore {
    pub(crate) peers: Arc<Peers>,
    pub(crate) counts: Arc<Counts>,
    line: Sender<Parcel>,
    timeout: Duration,
}

/// What came of questions.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Answered with all that was wanted, answered with less, not answered.
    pub(crate) granted: AtomicU64,
    pub(crate) denied: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Calls of the script, each about one account or several.
    pub(crate) calls: AtomicU64,
    /// Requests that waited.
    pub(crate) waited: AtomicU64,
    /// Whether it has answered since the gateway began.
    pub(crate) reached: AtomicBool,
}

/// What is wanted of the store for one account.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(super) book: Arc<Book>,
    pub(super) key: Key,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// Units for a request that waits.
    Need(u64, oneshot::Sender<bool>),
    /// Units in advance.
    More,
    /// So many units were spent already.
    Spent(u64),
    /// What was spent is forgiven.
    Reset,
}

/// What a request asks before it can be decided about.
pub(crate) struct Question {
    pub(super) place: usize,
    pub(super) book: Arc<Book>,
    pub(super) key: Key,
    /// How much it cannot do without; `None` where it only pays to have more.
    pub(super) units: Option<u64>,
}

// === impl SharedStore ===

impl SharedStore {
    /// Begins the thread that talks to the store. Until it has been reached, this gateway goes by its share.
    pub(crate) fn start(
        plan: &SharedStorePlan,
        peers: Arc<Peers>,
        clock: &Clock,
        id: u128,
    ) -> Result<Self, CompileError> {
        let tls = plan.tls.as_ref().map(|tls| UpstreamTls::new(tls, UpstreamProtocol::Http1)).transpose();
        let tls = tls.map_err(|error| CompileError::Store(format!("shared_store: {error}")))?;
        let (line, receiver) = channel(WAITING_MAX);
        let counts: Arc<Counts> = Arc::default();
        let store = Self { peers, counts, line, timeout: plan.timeout };
        let began = store.begin(plan.clone(), tls, (receiver, id), clock.clone());
        began.map_err(|error| CompileError::Store(error.to_string()))?;
        Ok(store)
    }

    fn begin(
        &self,
        plan: SharedStorePlan,
        tls: Option<UpstreamTls>,
        (receiver, id): (Receiver<Parcel>, u128),
        clock: Clock,
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()?;
        let (peers, counts) = (Arc::clone(&self.peers), Arc::clone(&self.counts));
        std::thread::Builder::new().name("shared-store".to_owned()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, hub::serve((plan, tls), (peers, counts), receiver, (clock, id)));
            // A look-up of a name may hang in the system.
            runtime.shutdown_background();
        })?;
        Ok(())
    }

    /// Asks for all of them at once and waits for the answers, each by its place. What does not come in time is unanswered.
    pub(crate) async fn ask(&self, questions: Vec<Question>) -> Vec<(usize, Supply)> {
        self.counts.waited.fetch_add(1, Ordering::Relaxed);
        let mut waiting = Vec::with_capacity(questions.len());
        let asked = questions.into_iter().map(|Question { place, book, key, units }| {
            let what = units.map_or(What::More, |units| {
                let (reply, answer) = oneshot::channel();
                waiting.push((place, answer));
                What::Need(units, reply)
            });
            Asked { book, key, what }
        });
        let parcel: Parcel = asked.collect();
        // A line that is full is a store that does not answer: nobody keeps the other ends then.
        drop(self.line.try_send(parcel));
        let mut told = Vec::with_capacity(waiting.len());
        let mut patience = pin!(tokio::time::sleep(self.timeout));
        for (place, mut answer) in waiting {
            let supply = poll_fn(|context| match Pin::new(&mut answer).poll(context) {
                Poll::Ready(Ok(true)) => Poll::Ready(Supply::Granted),
                Poll::Ready(Ok(false)) => Poll::Ready(Supply::Denied),
                Poll::Ready(Err(_)) => Poll::Ready(Supply::Unanswered),
                Poll::Pending => patience.as_mut().poll(context).map(|()| Supply::Unanswered),
            });
            told.push((place, supply.await));
        }
        told
    }

    /// Tells it something for which nobody waits. What finds no room is forgotten: leases come when somebody waits, and what
    /// was spent is bounded by what is held here.
    pub(super) fn tell(&self, asked: Parcel) {
        drop(self.line.try_send(asked));
    }

    /// What an operator forgave at this gateway is forgiven at all of them.
    pub(crate) fn forgive(&self, book: &Arc<Book>, key: Key) {
        self.tell(vec![Asked { book: Arc::clone(book), key, what: What::Reset }]);
    }
}

/// The names of accounts where gateways share them: the same at each, and unknown to whoever has no password.
pub(crate) fn hasher(plan: &SharedStorePlan) -> KeyHasher {
    let password = plan.password.as_ref().map_or("", |password| password.expose());
    let mut secret = blake3::Hasher::new_derive_key("portcullis 2026 names of accounts in a shared store");
    secret.update(plan.prefix.as_bytes()).update(b"\0").update(password.as_bytes());
    let mut bytes = [0; 16];
    secret.finalize_xof().fill(&mut bytes);
    KeyHasher::new(bytes, Prefixes::default())
}
