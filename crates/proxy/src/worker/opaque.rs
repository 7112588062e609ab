//! What one worker knows of tokens that say nothing themselves, and which of its requests wait for an answer.

use crate::identity::Introspector;
use portcullis_auth::Token;
use portcullis_auth::introspect::{Ask, Dated, Flight, Introspections, Moment};
use portcullis_types::Clock;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::sync::oneshot::Receiver;

/// A desk for each issuer that is asked, by its index in a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Desks {
    generation: u64,
    desks: HashMap<usize, Rc<Desk>>,
}

/// What is known of one issuer's tokens.
#[derive(Debug)]
pub(crate) struct Desk {
    of: Arc<Introspector>,
    answers: RefCell<Introspections>,
    // LIMIT: as many as the answers allow flights.
    waiting: RefCell<HashMap<Flight, Rc<Pending>>>,
}

/// An answer that is being waited for.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    told: RefCell<Option<Told>>,
    done: Notify,
    patience: Duration,
}

/// What is known about a token.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// Its issuer says that it is good.
    Active(Arc<Token>),
    /// Its issuer says that it is not.
    Inactive,
    /// Nobody can tell.
    Nothing,
}

/// What came of a look.
#[derive(Debug)]
pub(crate) enum Look {
    Known(Told),
    Wait(Rc<Pending>),
}

// === impl Desks ===

impl Desks {
    /// The desk of an issuer. Another snapshot has other rules, so that nothing of before is believed; whoever asks knows
    /// which of its answers are still good.
    pub(crate) fn of(&mut self, generation: u64, index: usize, issuer: &Arc<Introspector>) -> Rc<Desk> {
        if generation != self.generation {
            self.desks.clear();
            self.generation = generation;
        }
        let desk = self.desks.entry(index).or_insert_with(|| {
            let answers = RefCell::new(Introspections::new(issuer.policy(), issuer.key()));
            Rc::new(Desk { of: Arc::clone(issuer), answers, waiting: RefCell::default() })
        });
        Rc::clone(desk)
    }
}

// === impl Desk ===

impl Desk {
    /// What is known about a token; its issuer is asked where nothing is, if there is a clock to judge the answer by.
    pub(crate) fn look(self: &Rc<Self>, token: &str, generation: u64, now: Moment, ask: Option<&Clock>) -> Look {
        let mut answers = self.answers.borrow_mut();
        let digest = answers.digest(token);
        let Some(clock) = ask else {
            return Look::Known(answers.known(&digest, generation, now).map_or(Told::Nothing, told));
        };
        match answers.ask(digest, generation, now) {
            Ask::Await(flight) => match self.waiting.borrow().get(&flight) {
                Some(pending) => Look::Wait(Rc::clone(pending)),
                None => Look::Known(Told::Nothing),
            },
            Ask::Send(flight) => {
                let Some(reply) = self.of.ask(token, &digest, generation) else {
                    answers.landed(flight, None, now);
                    return Look::Known(Told::Nothing);
                };
                let pending = Rc::new(Pending { patience: self.of.patience(), ..Pending::default() });
                self.waiting.borrow_mut().insert(flight, Rc::clone(&pending));
                // A task of its own, since the client may go away before the answer comes.
                tokio::task::spawn_local(Rc::clone(self).take(flight, reply, Rc::clone(&pending), clock.clone()));
                Look::Wait(pending)
            }
            known @ (Ask::Known(_) | Ask::Unavailable) => Look::Known(told(known)),
        }
    }

    async fn take(self: Rc<Self>, flight: Flight, reply: Receiver<Option<Dated>>, pending: Rc<Pending>, clock: Clock) {
        let answer = reply.await.ok().flatten();
        let wall = clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let answered = answer.is_some();
        let outcome = self.answers.borrow_mut().landed(flight, answer, Moment { wall, millis: clock.millis() });
        self.waiting.borrow_mut().remove(&flight);
        // An answer that does not count any more tells nothing: something was revoked while it was on its way.
        let told = Some(told(outcome)).filter(|told| !answered || !matches!(told, Told::Nothing));
        *pending.told.borrow_mut() = told;
        pending.done.notify_waiters();
    }
}

// === impl Pending ===

impl Pending {
    /// What the issuer says; `None` where it has to be asked again.
    pub(crate) async fn wait(&self) -> Option<Told> {
        if tokio::time::timeout(self.patience, self.done.notified()).await.is_err() {
            return Some(Told::Nothing);
        }
        self.told.borrow().clone()
    }
}

fn told(known: Ask) -> Told {
    match known {
        Ask::Known(Dated { token: Some(token), .. }) => Told::Active(token),
        Ask::Known(Dated { token: None, .. }) => Told::Inactive,
        Ask::Send(_) | Ask::Await(_) | Ask::Unavailable => Told::Nothing,
    }
}
