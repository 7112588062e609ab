//! What one worker knows of tokens that say nothing themselves, and which of its requests wait for an answer.

use crate::identity::Introspector;
use portcullis_auth::Token;
use portcullis_auth::dpop::Bound;
use portcullis_auth::introspect::{Ask, Dated, Flight, Introspections, Moment};
use portcullis_auth::principal::{Failure, Principal};
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
    names: RefCell<Names>,
    // LIMIT: as many as the answers allow flights.
    waiting: RefCell<HashMap<Flight, Rc<Pending>>>,
}

/// Who the callers of known tokens are, made once and shared by all their requests.
#[derive(Debug, Default)]
struct Names(HashMap<*const Token, Named>);

/// The caller of a token.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// Held, so that no other token gets its address.
    _token: Arc<Token>,
    pub(crate) principal: Rc<Principal>,
    pub(crate) bound: Option<Rc<Bound>>,
}

// LIMIT: callers that are remembered; then all of them are forgotten, which costs making them again.
const NAMES_MAX: usize = 4_096;

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
            let (names, waiting) = (RefCell::default(), RefCell::default());
            Rc::new(Desk { of: Arc::clone(issuer), answers, names, waiting })
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

    /// The caller of a token that its issuer has said to be good, as `make` says it of a new one.
    pub(crate) fn named(
        &self,
        token: &Arc<Token>,
        make: impl FnOnce() -> Result<(Principal, Option<Rc<Bound>>), Failure>,
    ) -> Result<Named, Failure> {
        self.names.borrow_mut().of(token, make)
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

// === impl Names ===

impl Names {
    fn of(
        &mut self,
        token: &Arc<Token>,
        make: impl FnOnce() -> Result<(Principal, Option<Rc<Bound>>), Failure>,
    ) -> Result<Named, Failure> {
        let address = Arc::as_ptr(token);
        if let Some(named) = self.0.get(&address) {
            return Ok(named.clone());
        }
        let (principal, bound) = make()?;
        let named = Named { _token: Arc::clone(token), principal: Rc::new(principal), bound };
        if self.0.len() >= NAMES_MAX {
            self.0.clear();
        }
        self.0.insert(address, named.clone());
        Ok(named)
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

#[cfg(test)]
mod tests {
    use super::{NAMES_MAX, Names};
    use portcullis_auth::Token;
    use portcullis_auth::principal::{Failure, Principal, Scheme};
    use portcullis_types::Reason;
    use serde_json::json;
    use std::rc::Rc;
    use std::sync::Arc;

    fn token(subject: &str) -> Arc<Token> {
        let claims = json!({ "sub": subject }).as_object().cloned().unwrap();
        Arc::new(Token { header: Default::default(), claims })
    }

    fn name(names: &mut Names, token: &Arc<Token>) -> Rc<Principal> {
        let make = || Ok((Principal::of_token(Scheme::Introspection, token, "roles").unwrap(), None));
        names.of(token, make).unwrap().principal
    }

    #[test]
    fn requests_of_one_token_share_their_caller_and_others_do_not() {
        let (mut names, ada, again) = (Names::default(), token("ada"), token("ada"));
        let first = name(&mut names, &ada);
        assert!(Rc::ptr_eq(&first, &name(&mut names, &ada)), "made once");
        assert!(!Rc::ptr_eq(&first, &name(&mut names, &again)), "an answer that came anew is another one");
        let failure = Failure { reason: Reason::InvalidToken, detail: "nobody" };
        let nobody = token("");
        assert_eq!(names.of(&nobody, || Err(failure)).err(), Some(failure));
        assert_eq!(name(&mut names, &token("ben")).id, "ben", "nothing is remembered of a failure");
    }

    #[test]
    fn they_are_bounded_and_a_token_keeps_its_address_while_it_is_remembered() {
        let mut names = Names::default();
        for number in 0..3 * NAMES_MAX {
            let subject = format!("caller-{number}");
            assert_eq!(name(&mut names, &token(&subject)).id, subject);
            assert!(names.0.len() <= NAMES_MAX);
        }
    }
}
