//! Who asks an issuer about tokens that say nothing themselves: how the gateway proves itself there, what an answer has to say, and
//! one question at a time about a token, whichever cores want to know.

use super::outside::{Question, ask, tls_of};
use super::random;
use crate::snapshot::CompileError;
use crate::tls::files;
use crate::upstream::tls::UpstreamTls;
use portcullis_auth::introspect::{Answer, AnswerRules, Client, IntrospectionPolicy};
use portcullis_auth::jwt::SigningKey;
use portcullis_config::plan::{ClientPlan, IntrospectionPlan, IssuerPlan};
use portcullis_h1::ResponseHead;
use portcullis_types::{Clock, Secret};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::oneshot;

// LIMIT: questions that wait for the thread to take them.
pub(super) const WAITING_MAX: usize = 1024;
// LIMIT: questions of all issuers that are under way at once.
const UNDER_WAY_MAX: usize = 1024;
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
    key: [u8; 32],
    pub(super) counts: Arc<Counts>,
    line: OnceLock<Sender<Asked>>,
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
    digest: [u8; 32],
    reply: oneshot::Sender<Option<Answer>>,
}

/// Who waits for the answer about each token.
type UnderWay = Rc<RefCell<HashMap<[u8; 32], Vec<oneshot::Sender<Option<Answer>>>>>>;

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
        Ok(Self {
            name: Arc::clone(&issuer.name),
            tls: tls_of(&plan.at).map_err(|error| cannot(error.to_string()))?,
            plan: plan.clone(),
            client,
            rules: issuer.answer_rules(),
            key: random().map_err(|error| cannot(error.to_string()))?,
            counts: Arc::default(),
            line: OnceLock::new(),
        })
    }

    /// Lets it ask over this line, and count on where another of its name has counted.
    pub(super) fn connect(&mut self, line: Sender<Asked>, counts: Option<Arc<Counts>>) {
        self.line = OnceLock::from(line);
        self.counts = counts.unwrap_or_default();
    }

    /// How answers are kept.
    pub(crate) fn policy(&self) -> IntrospectionPolicy {
        let patience = u64::try_from(self.patience().as_millis()).unwrap_or(u64::MAX);
        IntrospectionPolicy {
            active_seconds_max: self.plan.keep_active.as_secs(),
            inactive_seconds: self.plan.keep_inactive.as_secs(),
            deadline_ms: patience,
            ..IntrospectionPolicy::default()
        }
    }

    /// Under what all cores keep answers, so that they mean the same token by the same name.
    pub(crate) const fn key(&self) -> [u8; 32] {
        self.key
    }

    /// How long whoever waits for an answer waits.
    pub(crate) fn patience(&self) -> Duration {
        self.plan.timeout.saturating_add(MARGIN)
    }

    /// Sends a question; `None` where it cannot even be sent.
    pub(crate) fn ask(self: &Arc<Self>, token: &str, digest: &[u8; 32]) -> Option<oneshot::Receiver<Option<Answer>>> {
        let (reply, receiver) = oneshot::channel();
        let asked = Asked { of: Arc::clone(self), token: Secret::new(token.to_owned()), digest: *digest, reply };
        self.line.get()?.try_send(asked).ok()?;
        Some(receiver)
    }

    /// Asks once; `None` where no usable answer came.
    async fn question(&self, token: &str, clock: &Clock) -> Option<Answer> {
        let unique: String = random().ok()?.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let question = self.client.ask(token, seconds(clock), &unique).ok()?;
        let body = question.body.expose().as_bytes();
        let mut lines = format!(
            "accept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            body.len()
        );
        if let Some(authorization) = &question.authorization {
            lines.push_str(&format!("authorization: {}\r\n", authorization.expose()));
        }
        let question = Question { method: "POST", lines: &lines, body, bytes_max: ANSWER_BYTES_MAX };
        let asking = ask(&self.plan.at, self.tls.as_ref(), question);
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

/// Asks whatever comes along the line.
pub(super) async fn answer(mut asked: Receiver<Asked>, clock: Clock) {
    let under_way = UnderWay::default();
    while let Some(Asked { of, token, digest, reply }) = asked.recv().await {
        let mut waiting = under_way.borrow_mut();
        let room = waiting.len() < UNDER_WAY_MAX;
        match waiting.entry(digest) {
            // INVARIANT: each core asks once about a token, so that these are few.
            Entry::Occupied(mut others) => others.get_mut().push(reply),
            // Without room the reply is dropped, which is no answer.
            Entry::Vacant(_) if !room => of.count(None),
            Entry::Vacant(first) => {
                first.insert(vec![reply]);
                let (under_way, clock) = (Rc::clone(&under_way), clock.clone());
                tokio::task::spawn_local(async move {
                    let answer = of.question(token.expose(), &clock).await;
                    of.count(answer.as_ref());
                    for reply in under_way.borrow_mut().remove(&digest).unwrap_or_default() {
                        // Whoever has gone away meanwhile needs no answer.
                        drop(reply.send(answer.clone()));
                    }
                });
            }
        }
    }
}

fn seconds(clock: &Clock) -> u64 {
    clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn media_type(head: &ResponseHead) -> Option<&str> {
    let mut lines = head.fields().iter().filter(|line| line.name.eq_ignore_ascii_case(b"content-type"));
    std::str::from_utf8(lines.next()?.value).ok()
}
