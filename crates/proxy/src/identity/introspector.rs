//! Who asks an issuer about tokens that say nothing themselves: how the gateway proves itself there, what an answer has to say, and
//! one question about a token, whichever cores want to know: what one of them was told, the others are told as well.

use super::outside::{Lines, Question, tls_of};
use super::random;
use crate::snapshot::CompileError;
use crate::tls::files;
use crate::upstream::tls::UpstreamTls;
use portcullis_auth::introspect::{
    Answer, AnswerRules, Ask, Client, Dated, Digest, Flight, IntrospectionPolicy, Introspections, Moment,
};
use portcullis_auth::jwt::SigningKey;
use portcullis_config::plan::{ClientPlan, IntrospectionPlan, IssuerPlan};
use portcullis_h1::ResponseHead;
use portcullis_types::{Clock, Secret};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::oneshot;

// LIMIT: questions that wait for the thread to take them.
pub(super) const WAITING_MAX: usize = 1024;
// LIMIT: questions to one issuer that are under way at once.
const UNDER_WAY_MAX: usize = 1024;
// LIMIT: good answers of one issuer that are kept for all cores.
const KEPT_MAX: usize = 32_768;
// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How much longer a worker waits than the question may take.
const MARGIN: Duration = Duration::from_millis(500);

/// One issuer that is asked about tokens.
#[derive(Debug)]
pub(crate) struct Introspector {
    pub(crate) name: Arc<str>,
    plan: IntrospectionPlan,
    tls: Option<UpstreamTls>,
    client: Client,
    rules: AnswerRules,
    known: Arc<Known>,
    pub(super) counts: Arc<Counts>,
    line: OnceLock<Sender<Asked>>,
    lines: Lines,
}

/// What is known of an issuer's tokens, by all cores. Only the thread that asks looks into it.
#[derive(Debug)]
struct Known {
    /// Under what all keep answers, so that they mean the same token by the same name.
    key: [u8; 32],
    answers: Mutex<Introspections>,
}

/// What came of questions.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) active: AtomicU64,
    pub(crate) inactive: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// A question on its way to the thread that asks.
#[derive(Debug)]
pub(crate) struct Asked {
    of: Arc<Introspector>,
    token: Secret,
    digest: Digest,
    /// Of what was revoked, as far as whoever asks has heard.
    generation: u64,
    reply: Reply,
}

type Reply = oneshot::Sender<Option<Dated>>;

/// Who waits for the answer to each question.
type UnderWay = Rc<RefCell<HashMap<Flight, Vec<Reply>>>>;

// === impl Introspector ===

impl Introspector {
    pub(crate) fn compile(issuer: &IssuerPlan, plan: &IntrospectionPlan) -> Result<Self, CompileError> {
        let cannot = |error: String| CompileError::Issuer { issuer: issuer.name.to_string(), error };
        let client = match plan.client.clone() {
            ClientPlan::Basic { id, secret } => Client::Basic { id, secret },
            ClientPlan::Post { id, secret } => Client::Post { id, secret },
            ClientPlan::PrivateKeyJwt { id, key_file } => {
                let der = files::private_key(&key_file).map_err(|error| cannot(error.to_string()))?;
                let key = SigningKey::from_pkcs8(der.secret_der());
                let key = key.map_err(|error| cannot(format!("{}: {error}", key_file.display())))?;
                Client::PrivateKeyJwt { id, key, audience: issuer.issuer.clone() }
            }
        };
        let key = random().map_err(|error| cannot(error.to_string()))?;
        let policy = IntrospectionPolicy { active_max: KEPT_MAX, flights_max: UNDER_WAY_MAX, ..policy(plan) };
        Ok(Self {
            name: Arc::clone(&issuer.name),
            tls: tls_of(&plan.at).map_err(|error| cannot(error.to_string()))?,
            plan: plan.clone(),
            client,
            rules: issuer.answer_rules(),
            known: Arc::new(Known { key, answers: Mutex::new(Introspections::new(policy, key)) }),
            counts: Arc::default(),
            line: OnceLock::new(),
            lines: Lines::default(),
        })
    }

    /// Lets it ask over this line, and go on where another of its name has been: with what that has counted, and with what it
    /// knows, if it asked by the same rules.
    pub(super) fn connect(&mut self, line: Sender<Asked>, before: Option<&Self>) {
        self.line = OnceLock::from(line);
        let Some(before) = before else { return };
        self.counts = Arc::clone(&before.counts);
        if before.plan == self.plan && before.rules == self.rules {
            self.known = Arc::clone(&before.known);
        }
    }

    /// How a core keeps answers. It never gives up by itself: an issuer that does not answer is left alone by whoever asks, who
    /// may know all the same what another core was told.
    pub(crate) fn policy(&self) -> IntrospectionPolicy {
        IntrospectionPolicy { failures_max: u32::MAX, ..policy(&self.plan) }
    }

    /// Under what all cores keep answers.
    pub(crate) fn key(&self) -> [u8; 32] {
        self.known.key
    }

    /// How long whoever waits for an answer waits.
    pub(crate) fn patience(&self) -> Duration {
        patience(&self.plan)
    }

    /// Sends a question; `None` where it cannot even be sent.
    pub(crate) fn ask(
        self: &Arc<Self>,
        token: &str,
        digest: &Digest,
        generation: u64,
    ) -> Option<oneshot::Receiver<Option<Dated>>> {
        let (reply, receiver) = oneshot::channel();
        let token = Secret::new(token.to_owned());
        let asked = Asked { of: Arc::clone(self), token, digest: *digest, generation, reply };
        self.line.get()?.try_send(asked).ok()?;
        Some(receiver)
    }

    /// Asks once; `None` where no usable answer came.
    async fn question(&self, token: &str, clock: &Clock) -> Option<Answer> {
        let unique: String = random::<16>().ok()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let question = self.client.ask(token, seconds(clock), &unique).ok()?;
        let body = question.body.expose().as_bytes();
        let mut lines = format!(
            "accept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            body.len()
        );
        if let Some(authorization) = &question.authorization {
            lines.push_str(&format!("authorization: {}\r\n", authorization.expose()));
        }
        let question = &Question { method: "POST", lines: &lines, body, bytes_max: ANSWER_BYTES_MAX };
        let asking = self.lines.ask(&self.plan.at, self.tls.as_ref(), question, clock.millis());
        let (head, body) = tokio::time::timeout(self.plan.timeout, asking).await.ok()?.ok()?;
        Answer::parse(head.status(), media_type(&head), &body, &self.rules, seconds(clock)).ok()
    }

    fn count(&self, answer: Option<&Answer>) {
        let count = match answer {
            Some(Answer::Active(..)) => &self.counts.active,
            Some(Answer::Inactive(_)) => &self.counts.inactive,
            None => &self.counts.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Answers whatever comes along the line, by what is known or by asking.
pub(super) async fn answer(mut asked: Receiver<Asked>, clock: Clock) {
    let under_way = UnderWay::default();
    while let Some(Asked { of, token, digest, generation, reply }) = asked.recv().await {
        let ask = of.known.lock().ask(digest, generation, moment(&clock));
        let known = match ask {
            Ask::Known(known) => Some(known),
            // INVARIANT: each core asks once about a token, so that these are few.
            Ask::Await(flight) => {
                under_way.borrow_mut().entry(flight).or_default().push(reply);
                continue;
            }
            Ask::Send(flight) => {
                under_way.borrow_mut().entry(flight).or_default().push(reply);
                let (under_way, clock) = (Rc::clone(&under_way), clock.clone());
                tokio::task::spawn_local(send(of, token, flight, under_way, clock));
                continue;
            }
            Ask::Unavailable => None,
        };
        // Whoever has gone away meanwhile needs no answer.
        drop(reply.send(known));
    }
}

/// Asks, and tells whoever waits.
async fn send(of: Arc<Introspector>, token: Secret, flight: Flight, under_way: UnderWay, clock: Clock) {
    let answer = of.question(token.expose(), &clock).await;
    of.count(answer.as_ref());
    let now = moment(&clock);
    let answer = answer.map(|answer| policy(&of.plan).dated(answer, now.wall));
    // Whether it is kept depends on what was revoked meanwhile. Those who wait have their own view of that.
    of.known.lock().landed(flight, answer.clone(), now);
    for reply in under_way.borrow_mut().remove(&flight).unwrap_or_default() {
        drop(reply.send(answer.clone()));
    }
}

// === impl Known ===

impl Known {
    fn lock(&self) -> MutexGuard<'_, Introspections> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn policy(plan: &IntrospectionPlan) -> IntrospectionPolicy {
    IntrospectionPolicy {
        active_seconds_max: plan.keep_active.as_secs(),
        inactive_seconds: plan.keep_inactive.as_secs(),
        deadline_ms: u64::try_from(patience(plan).as_millis()).unwrap_or(u64::MAX),
        ..IntrospectionPolicy::default()
    }
}

fn patience(plan: &IntrospectionPlan) -> Duration {
    plan.timeout.saturating_add(MARGIN)
}

fn moment(clock: &Clock) -> Moment {
    Moment { wall: seconds(clock), millis: clock.millis() }
}

fn seconds(clock: &Clock) -> u64 {
    clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn media_type(head: &ResponseHead) -> Option<&str> {
    let mut lines = head.fields().iter().filter(|line| line.name.eq_ignore_ascii_case(b"content-type"));
    std::str::from_utf8(lines.next()?.value).ok()
}
