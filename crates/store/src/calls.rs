//! Who calls which version of an API, how often and since when: noted by each worker for itself, written in batches. It is for
//! people who want to end a version, not for bills: what a process has not written when it dies is not counted.

use crate::StoreError;
use crate::disk::Store;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::collections::HashMap;
use std::sync::Arc;

/// API, version, issuer and caller.
type Key = (&'static str, &'static str, &'static str, &'static str);
/// How many calls, when the first and when the last one came.
type Value = (u64, u64, u64);

pub(crate) const CALLS: TableDefinition<'_, Key, Value> = TableDefinition::new("calls");
// LIMIT: callers of all versions that are kept; those that come on top are counted together.
const CALLERS_MAX: u64 = 100_000;
// LIMIT: callers that a worker notes between two batches; those that come on top are counted together.
const NOTED_MAX: usize = 10_000;
// LIMIT: bytes of what a caller is called; the rest is cut off.
const NAME_BYTES_MAX: usize = 256;
/// Those for whom there was no room. No caller is called so: control characters are left out of names.
const OTHERS: &str = "\u{1}";

/// Whose call it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caller {
    /// Nobody who said so: the route is public, or the call was refused before.
    Unknown,
    /// A consumer, or the subject of an issuer's token.
    Known {
        /// Its issuer; empty for consumers of the gateway.
        issuer: String,
        /// Its name.
        id: String,
    },
    /// Those for whom there was no room.
    Others,
}

/// Calls of one caller to one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The API.
    pub api: String,
    /// Its version.
    pub version: String,
    /// Who called.
    pub caller: Caller,
    /// How often.
    pub count: u64,
    /// When first, in seconds since 1970.
    pub first_at: u64,
    /// When last.
    pub last_at: u64,
}

/// What one worker has noted since its last batch.
#[derive(Debug, Default)]
pub struct Callers {
    versions: Vec<Noted>,
    noted: usize,
}

#[derive(Debug)]
struct Noted {
    api: Arc<str>,
    version: Arc<str>,
    unknown: Times,
    others: Times,
    /// By issuer, then by name.
    known: HashMap<String, HashMap<String, Times>>,
}

/// How often, when first and when last.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    count: u64,
    first: u64,
    last: u64,
}

// === impl Times ===

impl Times {
    fn add(&mut self, now: u64) {
        if self.count == 0 {
            self.first = now;
        }
        self.count = self.count.saturating_add(1);
        self.last = self.last.max(now);
    }
}

// === impl Callers ===

impl Callers {
    /// Notes a call; `caller` is the issuer, if there is one, and the name.
    pub fn note(&mut self, api: &Arc<str>, version: &Arc<str>, caller: Option<(Option<&str>, &str)>, now: u64) {
        let is_it = |have: &Noted| Arc::ptr_eq(&have.version, version) && Arc::ptr_eq(&have.api, api);
        let index = self.versions.iter().position(is_it).unwrap_or_else(|| {
            let (api, version) = (Arc::clone(api), Arc::clone(version));
            let (unknown, others, known) = (Times::default(), Times::default(), HashMap::new());
            self.versions.push(Noted { api, version, unknown, others, known });
            self.versions.len().saturating_sub(1)
        });
        let Some(noted) = self.versions.get_mut(index) else { return };
        let Some((issuer, id)) = caller else { return noted.unknown.add(now) };
        let issuer = issuer.unwrap_or_default();
        if let Some(times) = noted.known.get_mut(issuer).and_then(|callers| callers.get_mut(id)) {
            return times.add(now);
        }
        if self.noted >= NOTED_MAX {
            return noted.others.add(now);
        }
        self.noted += 1;
        noted.known.entry(issuer.to_owned()).or_default().entry(id.to_owned()).or_default().add(now);
    }

    /// What is to be written; nothing is noted any more after that.
    pub fn take(&mut self) -> Vec<Calls> {
        self.noted = 0;
        let mut all = Vec::new();
        for Noted { api, version, unknown, others, known } in self.versions.drain(..) {
            let mut add = |caller: Caller, times: Times| {
                if times.count > 0 {
                    let (api, version) = (api.to_string(), version.to_string());
                    let Times { count, first, last } = times;
                    all.push(Calls { api, version, caller, count, first_at: first, last_at: last });
                }
            };
            add(Caller::Unknown, unknown);
            add(Caller::Others, others);
            for (issuer, callers) in known {
                for (id, times) in callers {
                    add(Caller::Known { issuer: named(&issuer), id: named(&id) }, times);
                }
            }
        }
        all
    }
}

/// A name as it is kept: without control characters, and not too long.
fn named(name: &str) -> String {
    let mut kept = String::new();
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if kept.len() + letter.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        kept.push(letter);
    }
    kept
}

// === impl Caller ===

impl Caller {
    fn key(&self) -> (&str, &str) {
        match self {
            Self::Unknown => ("", ""),
            Self::Others => (OTHERS, ""),
            Self::Known { issuer, id } => (issuer, id),
        }
    }

    fn of(issuer: &str, id: &str) -> Self {
        match (issuer, id) {
            ("", "") => Self::Unknown,
            (OTHERS, _) => Self::Others,
            _ => Self::Known { issuer: issuer.to_owned(), id: id.to_owned() },
        }
    }
}

// === impl Store ===

impl Store {
    /// Adds a batch of calls to those that are kept. It is no change that anybody has to follow.
    ///
    /// # Errors
    /// What the database says.
    pub fn note_calls(&self, batch: &[Calls]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let write = self.database().begin_write()?;
        {
            let mut table = write.open_table(CALLS)?;
            for calls in batch {
                let (issuer, id) = calls.caller.key();
                let (api, version) = (calls.api.as_str(), calls.version.as_str());
                let own = (api, version, issuer, id);
                let is_known = table.get(own)?.is_some();
                let key = if is_known || table.len()? < CALLERS_MAX { own } else { (api, version, OTHERS, "") };
                let before = table.get(key)?.map(|value| value.value());
                let (count, first, last) = before.unwrap_or((0, calls.first_at, 0));
                let value = (count.saturating_add(calls.count), first.min(calls.first_at), last.max(calls.last_at));
                table.insert(key, value)?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// Forgets who has not called since a moment, in seconds since 1970, so that there is room for those who do.
    ///
    /// # Errors
    /// What the database says.
    pub fn forget_calls(&self, before: u64) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        write.open_table(CALLS)?.retain(|_, (_, _, last_at)| last_at >= before)?;
        write.commit()?;
        Ok(())
    }

    /// The calls of one consumer of the gateway to these versions, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub fn calls_of<'v>(
        &self,
        versions: impl Iterator<Item = (&'v str, &'v str)>,
        consumer: &str,
    ) -> Result<Vec<Calls>, StoreError> {
        let table = self.database().begin_read()?.open_table(CALLS)?;
        let mut all = Vec::new();
        for (api, version) in versions {
            let Some(found) = table.get((api, version, "", consumer))?.map(|found| found.value()) else { continue };
            let (count, first_at, last_at) = found;
            let (api, version, caller) = (api.to_owned(), version.to_owned(), Caller::of("", consumer));
            all.push(Calls { api, version, caller, count, first_at, last_at });
        }
        Ok(all)
    }

    /// All calls that are kept, in the order of API, version, issuer and caller.
    ///
    /// # Errors
    /// What the database says.
    pub fn calls(&self) -> Result<Vec<Calls>, StoreError> {
        let table = self.database().begin_read()?.open_table(CALLS)?;
        let mut all = Vec::new();
        for entry in table.iter()? {
            let (key, value) = entry?;
            let ((api, version, issuer, id), (count, first_at, last_at)) = (key.value(), value.value());
            let (api, version) = (api.to_owned(), version.to_owned());
            all.push(Calls { api, version, caller: Caller::of(issuer, id), count, first_at, last_at });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Callers, NOTED_MAX};
    use crate::Home;
    use std::sync::Arc;

    #[test]
    fn calls_add_up_across_batches_and_processes() {
        let folder = std::env::temp_dir().join(format!("portcullis-calls-{}", std::process::id()));
        let (store, _) = Home::new(&folder).open([1; 32]).unwrap();
        let (api, v1, v2): (Arc<str>, Arc<str>, Arc<str>) = ("orders".into(), "v1".into(), "v2".into());
        let mut callers = Callers::default();
        callers.note(&api, &v1, Some((None, "shop")), 100);
        callers.note(&api, &v1, Some((None, "shop")), 90);
        callers.note(&api, &v1, Some((Some("https://idp"), "shop\u{0}\n")), 110);
        callers.note(&api, &v2, None, 120);
        store.note_calls(&callers.take()).unwrap();
        assert!(callers.take().is_empty());
        callers.note(&api, &v1, Some((None, "shop")), 200);
        store.note_calls(&callers.take()).unwrap();
        drop(store);
        let (store, _) = Home::new(&folder).open([1; 32]).unwrap();
        let all = store.calls().unwrap().into_iter();
        let all: Vec<_> = all.map(|one| (one.version, one.caller, one.count, one.first_at, one.last_at)).collect();
        let known = |issuer: &str, id: &str| Caller::Known { issuer: issuer.to_owned(), id: id.to_owned() };
        assert_eq!(
            all,
            [
                ("v1".to_owned(), known("", "shop"), 3, 100, 200),
                ("v1".to_owned(), known("https://idp", "shop"), 1, 110, 110),
                ("v2".to_owned(), Caller::Unknown, 1, 120, 120),
            ]
        );
        let own = store.calls_of([("orders", "v1"), ("orders", "v2"), ("orders", "v3")].into_iter(), "shop").unwrap();
        assert_eq!(own.iter().map(|one| (one.version.as_str(), one.count)).collect::<Vec<_>>(), [("v1", 3)]);
        store.forget_calls(115).unwrap();
        let left: Vec<_> = store.calls().unwrap().into_iter().map(|one| one.caller).collect();
        assert_eq!(left, [known("", "shop"), Caller::Unknown], "who has not called since makes room");
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn those_without_room_are_counted_together() {
        let (api, version): (Arc<str>, Arc<str>) = ("a".into(), "v".into());
        let mut callers = Callers::default();
        for number in 0..NOTED_MAX + 5 {
            callers.note(&api, &version, Some((None, &number.to_string())), 1);
        }
        callers.note(&api, &version, Some((None, "3")), 2);
        let all = callers.take();
        assert_eq!(all.len(), NOTED_MAX + 1);
        assert_eq!(all.iter().find(|one| one.caller == Caller::Others).unwrap().count, 5);
        let known = Caller::Known { issuer: String::new(), id: "3".to_owned() };
        assert_eq!(all.iter().find(|one| one.caller == known).unwrap().count, 2);
    }
}
