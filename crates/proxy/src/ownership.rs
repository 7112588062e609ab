//! Who was shown which ids: what answers teach, and what requests ask.
//!
//! INVARIANT: nothing is learned from an answer that is not whole, or that could not be read within its bounds.

use crate::exchange::Exchange;
use crate::snapshot::Route;
use portcullis_access::Request;
use portcullis_access::learned::{Answer, Learned, Learning};
use portcullis_coding::{Coding, Decoder, Limits};
use portcullis_config::plan::{LearnedPlan, LearnedRoute};
use portcullis_contract::Reading;
use portcullis_h1::Known;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

/// LIMIT: parts of the memory. What one worker has learned the others must know at once, so that it cannot be a worker's own; a part
/// is locked for the time of a look-up, and only where something is learned.
const PARTS: usize = 16;
const STEP_BYTES: usize = 16 * 1024;

/// What one level has learned, for as long as the level stays as it is.
#[derive(Debug)]
pub(crate) struct Ownership {
    plan: Arc<LearnedPlan>,
    parts: [Mutex<Learned>; PARTS],
}

/// All levels of a snapshot.
pub(crate) type Ownerships = Vec<Arc<Ownership>>;

/// What a route shows and asks for.
#[derive(Debug)]
pub(crate) struct Owned {
    route: LearnedRoute,
    ownership: Arc<Ownership>,
}

/// What is to be learned from one answer, once it is whole.
#[derive(Debug)]
pub(crate) struct Lesson {
    ownership: Arc<Ownership>,
    route: LearnedRoute,
    caller: String,
    codings: Vec<Coding>,
    now: u64,
}

// === impl Ownership ===

impl Ownership {
    /// The memory of a level: the one that is there, if the level has not changed.
    fn of(plan: &Arc<LearnedPlan>, known: &mut Ownerships, before: &[Arc<Self>]) -> Arc<Self> {
        let same = |one: &&Arc<Self>| one.plan == *plan;
        if let Some(have) = known.iter().find(same) {
            return Arc::clone(have);
        }
        let kept = before.iter().find(same).map(Arc::clone);
        let made = kept.unwrap_or_else(|| {
            let part = |_| Mutex::new(Learned::new(plan.mode, plan.limits));
            Arc::new(Self { plan: Arc::clone(plan), parts: std::array::from_fn(part) })
        });
        known.push(Arc::clone(&made));
        made
    }

    /// Does something with what is known of a caller.
    fn with<T>(&self, caller: &str, act: impl FnOnce(&mut Learned) -> T) -> Option<T> {
        let mut hasher = DefaultHasher::new();
        caller.hash(&mut hasher);
        let part = usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0);
        let mut learned = self.parts.get(part)?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(act(&mut learned))
    }
}

// === impl Owned ===

impl Owned {
    pub(crate) fn compile(
        route: &LearnedRoute,
        known: &mut Ownerships,
        before: &[Arc<Ownership>],
    ) -> Option<Box<Self>> {
        let wants = route.plan.mode != Learning::Off;
        wants.then(|| Box::new(Self { route: route.clone(), ownership: Ownership::of(&route.plan, known, before) }))
    }

    /// Whether the caller was shown everything that he asks for, and how often he has guessed if he was not.
    pub(crate) fn knows(&self, request: &Request<'_>) -> (bool, u64) {
        let mut told = (true, 0);
        let caller = request.caller.map(|caller| name(caller.issuer, caller.id));
        for (kind, operand) in &self.route.asks {
            // Whoever has proved nothing was shown nothing, and what has no one meaning is no id.
            let found = caller.as_deref().zip(operand.text(request));
            let answer = found.and_then(|(caller, id)| {
                self.ownership.with(caller, |learned| learned.ask(caller, kind, &id, request.now))
            });
            match answer {
                Some(Answer::Known) => {}
                Some(Answer::Guess(guesses) | Answer::Refused(guesses)) => told = (false, guesses),
                None => told.0 = false,
            }
        }
        told
    }

    /// What the answer to a request teaches, if it is one that does: of success, in JSON, to somebody.
    pub(crate) fn lesson(&self, exchange: &Exchange, now: u64) -> Option<(Lesson, usize)> {
        let (answer, caller) = (&exchange.answer, exchange.record.caller.as_deref()?);
        let is_success = (200..300).contains(&answer.status());
        if self.route.shows.is_empty() || !is_success {
            return None;
        }
        let fields = answer.fields();
        let kind = fields.only(Known::ContentType).and_then(|value| std::str::from_utf8(value).ok());
        kind.and_then(Reading::of).filter(|reading| *reading == Reading::Json)?;
        let mut codings = Vec::new();
        for line in fields.iter().filter(|line| line.name.eq_ignore_ascii_case(b"content-encoding")) {
            codings.extend(Coding::list(line.value).ok()?);
        }
        let lesson = Lesson {
            ownership: Arc::clone(&self.ownership),
            route: self.route.clone(),
            caller: name(caller.issuer.as_deref(), &caller.id),
            codings,
            now,
        };
        Some((lesson, self.route.plan.answer_bytes))
    }
}

/// Subjects of two issuers may have the same name.
fn name(issuer: Option<&str>, id: &str) -> String {
    format!("{}\n{id}", issuer.unwrap_or_default())
}

/// What the route shows and asks for, if it learns.
pub(crate) fn of(route: &Route) -> Option<&Owned> {
    route.rules.as_ref()?.owned()
}

// === impl Lesson ===

impl Lesson {
    /// Learns from a whole body.
    pub(crate) fn learn(&self, body: &[u8]) {
        let decoded = match self.codings.is_empty() {
            true => None,
            false => match self.decoded(body) {
                Some(decoded) => Some(decoded),
                None => return,
            },
        };
        let Ok(value) = serde_json::from_slice(decoded.as_deref().unwrap_or(body)) else { return };
        self.ownership.with(&self.caller, |learned| {
            for (kind, place) in &self.route.shows {
                place.each(&value, &mut |id| learned.show(&self.caller, kind, id, self.now));
            }
        });
    }

    fn decoded(&self, body: &[u8]) -> Option<Vec<u8>> {
        let bytes_max = self.route.plan.answer_bytes;
        let limits = Limits { output_bytes_max: u64::try_from(bytes_max).ok()?, ..Limits::default() };
        let mut decoder = Decoder::new(&self.codings, limits).ok()?;
        let (mut out, mut length, mut rest) = (Vec::new(), 0_usize, body);
        loop {
            out.resize(length.checked_add(STEP_BYTES)?, 0);
            let step = decoder.step(rest, out.get_mut(length..)?).ok()?;
            rest = rest.get(step.consumed..)?;
            length = length.checked_add(step.produced)?;
            if step.consumed == 0 && step.produced == 0 {
                break;
            }
        }
        decoder.finish().ok().filter(|()| rest.is_empty())?;
        out.truncate(length);
        Some(out)
    }
}
