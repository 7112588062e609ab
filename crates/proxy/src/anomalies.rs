//! Requests that are watched for what is unusual: each worker tells of those that have ended, one thread compares them with
//! what is usual, and what follows from its findings is looked up by the requests that come after.
//!
//! Telling never delays a request: what finds no room in the queue is counted. A request that asks what is to be done about its
//! caller reads one number while nothing is to be done about anybody.

mod finding;
mod judge;
mod names;
mod seen;
mod shelf;
mod steps;
#[cfg(test)]
mod tests;

pub use finding::FindingFacts;
pub(crate) use names::Names;
pub(crate) use seen::{Ended, Tally};

use crate::pipeline::Stop;
use crate::record::security::Security;
use arc_swap::ArcSwap;
use finding::Findings;
use judge::Judge;
use portcullis_anomaly::{Kind, Step};
use portcullis_config::plan::AnomaliesPlan;
use portcullis_types::{Clock, Reason, Refusal, Stage};
use seen::Batch;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::SystemTime;
use steps::Steps;

// LIMIT: batches between workers and judge.
const BATCHES_MAX: usize = 64;

/// What workers, judge and operators share.
#[derive(Debug)]
pub(crate) struct Anomalies {
    sender: SyncSender<Message>,
    pub(crate) names: Names,
    steps: Steps,
    settings: ArcSwap<AnomaliesPlan>,
    findings: Findings,
    counts: Counts,
    /// Where findings are told besides.
    security: Option<Arc<Security>>,
    clock: Clock,
}

/// What the judge is told.
#[derive(Debug)]
enum Message {
    Seen(Batch),
    /// Somebody looked at whoever is called so, and found nothing wrong.
    Pardon(String),
}

#[derive(Debug, Default)]
struct Counts {
    /// Findings by kind.
    found: [AtomicU64; Kind::ALL.len()],
    /// Requests by what was done about their caller.
    treated: [AtomicU64; Step::ALL.len()],
    /// Requests of which the judge was not told, because it was busy.
    dropped: AtomicU64,
    /// Findings that could not be written to their file.
    unwritten: AtomicU64,
}

// === impl Anomalies ===

impl Anomalies {
    /// Starts the judge, with what was found before the last stop. `folder` is where findings are kept.
    ///
    /// # Errors
    /// No thread, a file of findings that cannot be read.
    pub(crate) fn start(
        plan: &AnomaliesPlan,
        (folder, security): (Option<&Path>, Option<Arc<Security>>),
        seed: [u64; 2],
        clock: &Clock,
    ) -> io::Result<Arc<Self>> {
        let (sender, receiver) = sync_channel(BATCHES_MAX);
        let anomalies = Arc::new(Self {
            sender,
            names: Names::new(seed),
            steps: Steps::default(),
            settings: ArcSwap::from_pointee(plan.clone()),
            findings: Findings::default(),
            counts: Counts::default(),
            security,
            clock: clock.clone(),
        });
        let judge = Judge::new(Arc::downgrade(&anomalies), &anomalies, folder)?;
        std::thread::Builder::new().name("anomalies".to_owned()).spawn(move || judge.run(&receiver))?;
        Ok(anomalies)
    }

    /// Takes over what follows from findings; how many are remembered stays.
    pub(crate) fn take_over(&self, plan: &AnomaliesPlan) {
        self.settings.store(Arc::new(plan.clone()));
    }

    /// What is to be done about somebody at this stage: nothing, a pause, or a refusal.
    ///
    /// # Errors
    /// A refusal, where it has come that far.
    pub(crate) async fn meet(&self, name: impl FnOnce(&Names) -> u64, stage: Stage) -> Result<(), Stop> {
        if self.steps.is_empty() {
            return Ok(());
        }
        let name = name(&self.names);
        let now = self.unix_ms();
        let (step, until_ms) = self.steps.of(name, now);
        if step == Step::Observe {
            return Ok(());
        }
        if let Some(count) = self.counts.treated.get(step as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        match step {
            Step::Observe => Ok(()),
            Step::Slow => {
                tokio::time::sleep(self.settings.load().delay).await;
                Ok(())
            }
            Step::Refuse | Step::Block => {
                let wait = until_ms.saturating_sub(now).div_ceil(1000).max(1);
                let private = format!("the step `{}` holds; `portcullis findings` says why", step.name());
                let refusal = Refusal::new(stage, Reason::AbnormalUsage, Reason::AbnormalUsage.page().caller);
                let refusal = refusal.private(private).violating(vec!["usual_behaviour".to_owned()]);
                Err(refusal.header("retry-after", wait.to_string()).into())
            }
        }
    }

    /// The findings that are remembered, the oldest first.
    pub(crate) fn findings(&self) -> Vec<FindingFacts> {
        self.findings.all()
    }

    /// How many findings there were in all, and those that came after so many, as far as they are remembered.
    pub(crate) fn findings_since(&self, count: u64) -> (u64, Vec<FindingFacts>) {
        self.findings.since(count)
    }

    /// Who is treated in what way now: how often each step is in force.
    pub(crate) fn in_force(&self) -> [u64; Step::ALL.len()] {
        self.steps.count(self.unix_ms())
    }

    /// Lets the judge forget the points of a caller or an address, and what follows from them. Whether anything did; `None` if the
    /// judge is too busy to be told.
    pub(crate) fn pardon(&self, who: &str) -> Option<bool> {
        let now = self.unix_ms();
        let held = self.called(who).into_iter().any(|name| self.steps.of(name, now).0 > Step::Observe);
        self.sender.try_send(Message::Pardon(who.to_owned())).ok()?;
        Some(held)
    }

    /// The numbers of whoever is called so.
    fn called(&self, who: &str) -> Vec<u64> {
        self.names.of_text(who).into_iter().chain(self.findings.names_of(who)).collect()
    }

    /// All series, in the text format of Prometheus.
    pub(crate) fn counted(&self) -> Counted {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            found: Kind::ALL.iter().zip(&self.counts.found).map(|(kind, count)| (kind.name(), load(count))).collect(),
            treated: Step::ALL
                .iter()
                .zip(&self.counts.treated)
                .map(|(step, count)| (step.name(), load(count)))
                .collect(),
            in_force: Step::ALL.iter().zip(self.in_force()).map(|(step, count)| (step.name(), count)).collect(),
            dropped: load(&self.counts.dropped),
            unwritten: load(&self.counts.unwritten),
        }
    }

    fn unix_ms(&self) -> u64 {
        let wall = self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(wall.as_millis()).unwrap_or(0)
    }
}

/// What was counted, by name.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) found: Vec<(&'static str, u64)>,
    pub(crate) treated: Vec<(&'static str, u64)>,
    pub(crate) in_force: Vec<(&'static str, u64)>,
    pub(crate) dropped: u64,
    pub(crate) unwritten: u64,
}
