//! Follows the feed beside the gateway: takes over bundles where they come from by themselves, and puts in force what is remembered to be,
//! whoever changed that. Commands change the same folder, so that they work with and without a gateway.

use super::Journal;
use super::watch::{Print, print_of};
use crate::audit::Audit;
use crate::ending::Stop;
use crate::feed::{Bringer, Intake, Refused, Taken, refused};
use portcullis_audit_log::Entry;
use portcullis_config::plan::{Endpoint, FeedSource, Plan};
use portcullis_patch::BUNDLE_BYTES_CAP;
use portcullis_proxy::{Feed, Handle, fetch_bundle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// How often files are looked at: a patch is in force within a second, and one that is being written is waited for once.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const ACTOR: &str = "feed";

/// What a thread does until it is told to end.
type Work = Box<dyn FnOnce(&Receiver<()>) + Send>;

/// Two threads at most, for as long as this lives.
#[derive(Debug)]
pub(super) struct FeedWatch {
    #[expect(dead_code, reason = "dropping them ends the threads")]
    ends: Vec<SyncSender<()>>,
}

/// What is in force before anybody is served, and what follows from then on.
pub(super) struct Begun {
    intake: Intake,
    store: PathBuf,
    /// Of the state that it was read from.
    print: Print,
}

/// What follows it.
struct Follower {
    intake: Intake,
    handle: Handle,
    journal: Journal,
    store: PathBuf,
    /// What was said last of a bundle that is not taken over: it is said once.
    said: Option<Refused>,
    /// And of what stands in the way of deciding.
    failed: Option<String>,
}

/// The feed of a plan, and the bundle that is in force.
pub(super) fn begin(plan: &Plan) -> Result<(Option<Begun>, Option<Arc<Feed>>), Stop> {
    let Some((intake, store)) = Intake::of(plan).zip(plan.identity.store.clone()) else { return Ok((None, None)) };
    let print = print_of(intake.state_file());
    let bundle = intake.in_force()?;
    Ok((Some(Begun { intake, store, print }), bundle))
}

// === impl Begun ===

impl Begun {
    /// Follows it for as long as what comes back lives.
    pub(super) fn follow(self, handle: &Handle, journal: Journal) -> Result<FeedWatch, Stop> {
        FeedWatch::start(self, handle, journal)
    }
}

// === impl FeedWatch ===

impl FeedWatch {
    fn start(begun: Begun, handle: &Handle, journal: Journal) -> Result<Self, Stop> {
        let Begun { intake, store, print } = begun;
        let follower = || Follower {
            intake: intake.clone(),
            handle: handle.clone(),
            journal,
            store: store.clone(),
            said: None,
            failed: None,
        };
        let mut ends = Vec::new();
        let mut spawn = |name: &str, work: Work| {
            let (sender, end) = sync_channel(1);
            ends.push(sender);
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&end));
            thread.map(drop).map_err(|error| Stop::environment(format!("the feed cannot be followed: {error}")))
        };
        let mut local = follower();
        spawn("feed", Box::new(move |end| local.follow(print, end)))?;
        if let Some(FeedSource::Address(at, interval)) = &intake.plan.source {
            let (mut far, at, interval) = (follower(), at.clone(), *interval);
            spawn("feed-fetch", Box::new(move |end| far.fetch(&at, interval, end)))?;
        }
        Ok(Self { ends })
    }
}

fn goes_on(end: &Receiver<()>, wait: Duration) -> bool {
    matches!(end.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
}

// === impl Follower ===

impl Follower {
    fn follow(&mut self, mut applied: Print, end: &Receiver<()>) {
        let file = match &self.intake.plan.source {
            Some(FeedSource::File(path)) => Some(path.clone()),
            Some(FeedSource::Address(..)) | None => None,
        };
        let (mut taken, mut seen) = (None, None);
        loop {
            if let Some(path) = &file {
                let now = Some(print_of(path));
                // One that still changes is being written.
                if now != taken && now == seen && self.take_file(path) {
                    taken = now;
                }
                seen = now;
            }
            let print = print_of(self.intake.state_file());
            if print != applied {
                match self.apply() {
                    Ok(()) => (applied, self.failed) = (print, None),
                    // It is tried again: what stands in the way may go away.
                    Err(stop) => self.fail(&stop),
                }
            }
            if !goes_on(end, LOOK_EVERY) {
                return;
            }
        }
    }

    /// Whether it is known what is to become of it; otherwise it is tried again.
    fn take_file(&mut self, path: &Path) -> bool {
        let bytes_max = self.intake.plan.bytes_max;
        match super::bounded(path, bytes_max) {
            Ok(sealed) => self.take(&sealed),
            Err(error) => {
                let is_long = std::fs::metadata(path).is_ok_and(|file| file.len() > bytes_max.min(BUNDLE_BYTES_CAP));
                let code = if is_long { "oversized" } else { "unreadable" };
                self.refuse(refused(code, format!("{}: {error}", path.display())));
                is_long
            }
        }
    }

    fn fetch(&mut self, at: &Endpoint, interval: Duration, end: &Receiver<()>) {
        loop {
            match fetch_bundle(at, self.intake.plan.bytes_max) {
                Ok(sealed) => drop(self.take(&sealed)),
                Err("too_large") => self.refuse(refused("oversized", "the answer is longer than a bundle may be")),
                Err(why) => self.refuse(refused("unfetched", format!("{} does not give it: {why}", at.host))),
            }
            if !goes_on(end, interval) {
                return;
            }
        }
    }

    /// Whether it was decided about.
    fn take(&mut self, sealed: &[u8]) -> bool {
        match self.intake.take(sealed, self.intake.plan.stage, Bringer::Source) {
            Ok(Ok(Taken::Known)) => self.said = None,
            Ok(Ok(Taken::New { name, version })) => {
                self.said = None;
                let details = [("bundle", name), ("version", version.to_string()), ("stage", self.stage_text())];
                self.journal.event("feed_taken", &details);
                self.note("feed.take", &details);
            }
            Ok(Err(refused)) => self.refuse(refused),
            // A folder that cannot be written now: it is said once, and tried again.
            Err(stop) => {
                self.fail(&stop);
                return false;
            }
        }
        self.failed = None;
        true
    }

    /// Says once what stands in the way.
    fn fail(&mut self, stop: &Stop) {
        let why = stop.summary();
        if self.failed.as_ref() != Some(&why) {
            self.journal.event("feed_failed", &[("why", why.clone())]);
            self.failed = Some(why);
        }
    }

    fn stage_text(&self) -> String {
        self.intake.plan.stage.name().to_owned()
    }

    fn refuse(&mut self, refused: Refused) {
        if self.said.as_ref() == Some(&refused) {
            return;
        }
        self.handle.note_refused_bundle();
        let details = [("code", refused.code.to_owned()), ("why", refused.why.clone())];
        self.journal.event("feed_refused", &details);
        self.note("feed.refuse", &details);
        self.said = Some(refused);
    }

    /// Puts in force what is remembered to be.
    fn apply(&self) -> Result<(), Stop> {
        let feed = self.intake.in_force()?;
        let what = match &feed {
            Some(feed) => {
                let bundle = feed.bundle();
                vec![
                    ("bundle", bundle.name.clone()),
                    ("version", bundle.version.to_string()),
                    ("stage", feed.stage().name().to_owned()),
                    ("patches", bundle.patches.len().to_string()),
                ]
            }
            None => vec![("bundle", "none".to_owned())],
        };
        self.handle.feed(feed).map_err(|error| Stop::Unfit(error.to_string()))?;
        self.journal.event("feed_in_force", &what);
        Ok(())
    }

    fn note(&self, kind: &str, details: &[(&str, String)]) {
        let mut entry = Entry::new(kind, ACTOR);
        for (name, value) in details {
            entry = entry.with(name, value.clone());
        }
        let written = Audit::open(&self.store).and_then(|audit| audit.add(std::slice::from_ref(&entry)));
        if let Err(stop) = written {
            self.journal.event("audit_log_failed", &[("why", stop.summary())]);
        }
        self.handle.note_action(kind, ACTOR, details);
    }
}
