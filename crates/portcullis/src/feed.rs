//! Bundles of the feed: which of them may be taken over, and which is in force. Each is held to the same checks, whoever brings it: so long,
//! signed by so many keys, not over, and newer than all before.

mod folder;
#[cfg(test)]
mod tests;

use crate::ending::Stop;
use crate::signed::{PublicKey, open};
use folder::{Entry, Folder, State};
use portcullis_config::plan::{FeedPlan, Plan};
use portcullis_patch::{Bundle, Stage};
use portcullis_proxy::Feed;
use portcullis_store::Home;
use portcullis_types::Clock;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub(crate) const KIND: &str = "portcullis-feed 1";

/// Why a bundle is not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// `oversized`, `signature`, `malformed`, `expired`, `rolled_back`, `unreadable`, `unfetched`.
    pub(crate) code: &'static str,
    pub(crate) why: String,
}

/// What came of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is in force from now on.
    New { name: String, version: u64 },
    /// It is the newest that there was; whether it is in force stays as it is.
    Known,
}

/// Who brings a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bringer {
    /// A command: after a step back it may go forward again.
    Command,
    /// The place where bundles come from by themselves, which still has what was stepped back from.
    Source,
}

/// The feed of one configuration: whom it believes, and what it remembers.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    pub(crate) plan: FeedPlan,
    folder: Folder,
}

// === impl Intake ===

impl Intake {
    /// `None` where there is no feed.
    pub(crate) fn of(plan: &Plan) -> Option<Self> {
        let store = plan.identity.store.as_deref()?;
        plan.feed.clone().map(|plan| Self { plan, folder: Folder::new(Home::new(store).feed()) })
    }

    /// What changes whenever another bundle is in force, or this one goes further.
    pub(crate) fn state_file(&self) -> &Path {
        self.folder.state_file()
    }

    /// What of a bundle may be believed, if all of it may.
    pub(crate) fn read(&self, sealed: &[u8]) -> Result<(Bundle, String), Refused> {
        if u64::try_from(sealed.len()).unwrap_or(u64::MAX) > self.plan.bytes_max {
            return Err(refused("oversized", format!("it has more than {} bytes", self.plan.bytes_max)));
        }
        let keys: Vec<PublicKey> = self.plan.keys.iter().copied().map(PublicKey::of).collect();
        let sealed = std::str::from_utf8(sealed).map_err(|_| refused("signature", "it is no text"))?;
        let text = open(KIND, sealed, &keys, self.plan.threshold).map_err(|why| refused("signature", why))?;
        let bundle = Bundle::read(text).map_err(|error| refused("malformed", error.to_string()))?;
        Ok((bundle, folder::digest_of(text)))
    }

    /// The same of one that may be put in force now.
    pub(crate) fn check(&self, sealed: &[u8], state: &State) -> Result<(Bundle, String), Refused> {
        let (bundle, digest) = self.read(sealed)?;
        if bundle.is_expired(now_s()) {
            return Err(refused("expired", format!("its last day was {}", bundle.expires)));
        }
        if bundle.version < state.greatest || bundle.version == state.greatest && digest != state.greatest_digest {
            let why = match bundle.version == state.greatest {
                true => format!("version {} was another one when it was taken over", bundle.version),
                false => {
                    format!("version {} is older than {}, which was taken over before", bundle.version, state.greatest)
                }
            };
            return Err(refused("rolled_back", why));
        }
        Feed::new(bundle.clone(), Stage::Observe).map_err(|why| refused("malformed", why))?;
        Ok((bundle, digest))
    }

    /// What is remembered.
    pub(crate) fn state(&self) -> Result<State, Stop> {
        self.folder.state().map_err(unusable)
    }

    /// Takes a bundle over. Whoever is told so finds it in force within a second, and after any death of this process.
    pub(crate) fn take(&self, sealed: &[u8], stage: Stage, bringer: Bringer) -> Result<Result<Taken, Refused>, Stop> {
        let _lock = self.folder.lock().map_err(unusable)?;
        let mut state = self.state()?;
        let (bundle, digest) = match self.check(sealed, &state) {
            Ok(checked) => checked,
            Err(refused) => return Ok(Err(refused)),
        };
        let version = bundle.version;
        let is_current = state.current.as_ref().is_some_and(|entry| entry.version == version);
        if version == state.greatest && (bringer == Bringer::Source || is_current) {
            return Ok(Ok(Taken::Known));
        }
        self.folder.put(version, sealed).map_err(unusable)?;
        state.previous = state.current.take();
        state.current = Some(Entry { version, stage });
        (state.greatest, state.greatest_digest) = (version, digest);
        self.folder.write(&state).map_err(unusable)?;
        Ok(Ok(Taken::New { name: bundle.name, version }))
    }

    /// Lets the bundle in force go this far. Nothing where there is none.
    pub(crate) fn set_stage(&self, stage: Stage) -> Result<Option<Entry>, Stop> {
        let _lock = self.folder.lock().map_err(unusable)?;
        let mut state = self.state()?;
        let Some(entry) = &mut state.current else { return Ok(None) };
        entry.stage = stage;
        let entry = entry.clone();
        self.folder.write(&state).map_err(unusable)?;
        Ok(Some(entry))
    }

    /// Goes back to the bundle before, or to none where there was none: what was in force, and what is from now on. Nothing where none is in
    /// force. What was the greatest version stays it.
    pub(crate) fn roll_back(&self) -> Result<Option<(Entry, Option<Entry>)>, Stop> {
        let _lock = self.folder.lock().map_err(unusable)?;
        let mut state = self.state()?;
        let Some(entry) = state.current.take() else { return Ok(None) };
        state.current = state.previous.take();
        self.folder.write(&state).map_err(unusable)?;
        Ok(Some((entry, state.current)))
    }

    /// What is in force. It was signed when it was taken over and has to be still: who can write this folder is not who may patch. One that is
    /// over by now stays, since nothing else closes what it closes.
    pub(crate) fn in_force(&self) -> Result<Option<Arc<Feed>>, Stop> {
        let Some(entry) = self.state()?.current else { return Ok(None) };
        let sealed = self.folder.get(entry.version, self.plan.bytes_max).map_err(unusable)?;
        let damaged = |why: String| {
            Stop::environment(format!(
                "the bundle {} in {} is not what was taken over: {why}; `portcullis feed rollback` goes back to the one before",
                entry.version,
                self.folder.path().display()
            ))
        };
        let (bundle, _) = self.read(&sealed).map_err(|refused| damaged(refused.why))?;
        if bundle.version != entry.version {
            return Err(damaged("it has another version".to_owned()));
        }
        Feed::new(bundle, entry.stage).map(|feed| Some(Arc::new(feed))).map_err(damaged)
    }
}

pub(crate) fn now_s() -> u64 {
    Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

pub(crate) fn refused(code: &'static str, why: impl Into<String>) -> Refused {
    Refused { code, why: why.into() }
}

fn unusable(error: std::io::Error) -> Stop {
    Stop::environment(format!("the folder of the feed cannot be used: {error}"))
}

// === impl Refused ===

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.why, self.code)
    }
}
