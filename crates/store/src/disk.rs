//! What is on disk: keys, when they were used, revocations, and the numbered changes that mirrors follow.
//!
//! Several processes may have the file open and change it, one change at a time; the database sees to that.

use crate::StoreError;
use crate::accounts;
use crate::calls::CALLS;
use portcullis_auth::key::KeyRecord;
use portcullis_auth::revocation::{Revocation, Revocations};
use redb::{
    ConcurrencyMode, Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    WriteTransaction,
};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

pub(crate) const KEYS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("keys");
pub(crate) const USED: TableDefinition<'_, u64, u64> = TableDefinition::new("used");
const REVOKED: TableDefinition<'_, &[u8; 32], (u64, u64)> = TableDefinition::new("revoked");
/// By number, which key was changed; `TOKENS` stands for the revocations as a whole.
const CHANGES: TableDefinition<'_, u64, u64> = TableDefinition::new("changes");
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
const GENERATION: &str = "generation";
const FORMAT: &str = "format";
const FORMAT_NOW: u64 = 1;
/// A change of revocations. It is no key: ids of keys are random, and this one is refused.
pub(crate) const TOKENS: u64 = u64::MAX;
// LIMIT: changes that are kept for mirrors to follow; one that is further behind reads everything anew.
const CHANGES_KEPT: u64 = 10_000;
// LIMIT: memory of the database's own cache; requests are served from the index, not from here.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// The store on disk.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What is stored.
    pub record: KeyRecord,
    /// When it was last used, to the hour, in seconds since 1970.
    pub last_used_at: Option<u64>,
}

/// What happened after a number.
pub(crate) enum Changes {
    /// The keys that were changed, `TOKENS` among them.
    Few(Vec<u64>),
    /// Too much to list.
    Many,
}

/// All that a mirror holds, and the number of the change up to which it is.
pub(crate) struct Everything {
    pub(crate) generation: u64,
    pub(crate) keys: Vec<(u64, Vec<u8>)>,
    pub(crate) revocations: Revocations,
}

// === impl Store ===

impl Store {
    /// Opens the store at this path, or makes it.
    ///
    /// # Errors
    /// A file that is no store of this version, that others can read, or that another program holds.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |error| StoreError::Io(path.to_owned(), error);
        // Made by us, so that there is no moment in which others can read it; the database fills an empty file.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        if let Err(error) = made
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(io(error));
        }
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(StoreError::Exposed(path.to_owned(), mode));
        }
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_concurrency_mode(ConcurrencyMode::MultiWriter);
        let database = builder.create(path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen | redb::DatabaseError::LockProtocolMismatch => {
                StoreError::InUse(path.to_owned())
            }
            redb::DatabaseError::RepairAborted
            | redb::DatabaseError::UpgradeRequired(_)
            | redb::DatabaseError::TransactionInProgress
            | redb::DatabaseError::Storage(_) => StoreError::Database(error.into()),
            // The library may add kinds.
            _ => StoreError::Database(error.into()),
        })?;
        let store = Self { database };
        store.prepare(path)?;
        Ok(store)
    }

    fn prepare(&self, path: &Path) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        {
            write.open_table(KEYS)?;
            write.open_table(USED)?;
            write.open_table(CALLS)?;
            accounts::prepare(&write)?;
            write.open_table(REVOKED)?;
            write.open_table(CHANGES)?;
            let mut facts = write.open_table(FACTS)?;
            let format = facts.get(FORMAT)?.map(|value| value.value());
            match format {
                None => {
                    facts.insert(FORMAT, FORMAT_NOW)?;
                    facts.insert(GENERATION, 1)?;
                }
                Some(FORMAT_NOW) => {}
                Some(_) => return Err(StoreError::Damaged(path.to_owned(), "it was made by another version")),
            }
        }
        write.commit()?;
        Ok(())
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// What the database says.
    pub fn generation(&self) -> Result<u64, StoreError> {
        let facts = self.database.begin_read()?.open_table(FACTS)?;
        Ok(facts.get(GENERATION)?.map_or(0, |value| value.value()))
    }

    /// Stores new keys, all or none. A million at once is one change.
    ///
    /// # Errors
    /// A key that is there already, or a record that does not fit.
    pub fn create(&self, records: impl IntoIterator<Item = KeyRecord>) -> Result<(), StoreError> {
        let encoded = records.into_iter().map(|record| Ok((record.number, record.encode()?)));
        let mut encoded = encoded.collect::<Result<Vec<_>, StoreError>>()?;
        // In order they fill whole pages one after the other.
        encoded.sort_unstable_by_key(|(id, _)| *id);
        let write = self.database.begin_write()?;
        let mut changed = Vec::with_capacity(encoded.len());
        {
            let mut keys = write.open_table(KEYS)?;
            for (id, bytes) in encoded {
                if id == TOKENS || keys.insert(id, bytes.as_slice())?.is_some() {
                    return Err(StoreError::Exists);
                }
                changed.push(id);
            }
        }
        finish(write, &changed)
    }

    /// Changes one key.
    ///
    /// # Errors
    /// When there is none, or what `change` makes of it does not fit.
    pub fn change(&self, id: u64, change: impl FnOnce(&mut KeyRecord)) -> Result<KeyRecord, StoreError> {
        let write = self.database.begin_write()?;
        let record = {
            let mut keys = write.open_table(KEYS)?;
            let mut record = read_record(&keys, id)?;
            change(&mut record);
            keys.insert(id, record.encode()?.as_slice())?;
            record
        };
        finish(write, &[id])?;
        Ok(record)
    }

    /// Revokes keys; those that are revoked already or unknown are passed over. Gives those that it revoked.
    ///
    /// # Errors
    /// What the database says.
    pub fn revoke(&self, ids: &[u64], now: u64) -> Result<Vec<KeyRecord>, StoreError> {
        let write = self.database.begin_write()?;
        let mut revoked: Vec<KeyRecord> = Vec::new();
        {
            let mut keys = write.open_table(KEYS)?;
            for id in ids {
                let mut record = match read_record(&keys, *id) {
                    Err(StoreError::UnknownKey) => continue,
                    outcome => outcome?,
                };
                if record.revoked_at.is_none() {
                    record.revoked_at = Some(now);
                    keys.insert(*id, record.encode()?.as_slice())?;
                    revoked.push(record);
                }
            }
        }
        let changed: Vec<u64> = revoked.iter().map(|record| record.number).collect();
        finish(write, &changed)?;
        Ok(revoked)
    }

    /// Stores a key in place of another one, which goes on opening for `overlap_seconds`.
    ///
    /// # Errors
    /// When there is none of the old id or one of the new.
    pub fn rotate(
        &self,
        old: u64,
        mut new: KeyRecord,
        now: u64,
        overlap_seconds: u64,
    ) -> Result<KeyRecord, StoreError> {
        let write = self.database.begin_write()?;
        {
            let mut keys = write.open_table(KEYS)?;
            let mut old_record = read_record(&keys, old)?;
            new.replace(&mut old_record, now, overlap_seconds);
            keys.insert(old, old_record.encode()?.as_slice())?;
            if new.number == TOKENS || keys.insert(new.number, new.encode()?.as_slice())?.is_some() {
                return Err(StoreError::Exists);
            }
            accounts::inherit(&write, old, &new)?;
        }
        finish(write, &[old, new.number])?;
        Ok(new)
    }

    /// The key of an id.
    ///
    /// # Errors
    /// When there is none.
    pub fn key(&self, id: u64) -> Result<Listed, StoreError> {
        let read = self.database.begin_read()?;
        let record = read_record(&read.open_table(KEYS)?, id)?;
        let last_used_at = read.open_table(USED)?.get(id)?.map(|value| value.value());
        Ok(Listed { record, last_used_at })
    }

    /// Keys in the order of their ids, from `from` on, at most `count`.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub fn list(&self, from: u64, count: usize) -> Result<Vec<Listed>, StoreError> {
        let read = self.database.begin_read()?;
        let (keys, used) = (read.open_table(KEYS)?, read.open_table(USED)?);
        let mut listed = Vec::new();
        for entry in keys.range(from..)?.take(count) {
            let (id, bytes) = entry?;
            let record = KeyRecord::decode(id.value(), bytes.value())?;
            let last_used_at = used.get(id.value())?.map(|value| value.value());
            listed.push(Listed { record, last_used_at });
        }
        Ok(listed)
    }

    /// How many keys there are.
    ///
    /// # Errors
    /// What the database says.
    pub fn len(&self) -> Result<u64, StoreError> {
        Ok(self.database.begin_read()?.open_table(KEYS)?.len()?)
    }

    /// Whether there is none.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.len()? == 0)
    }

    /// Notes when keys were used, a batch at a time. It is no change that anybody has to follow.
    ///
    /// # Errors
    /// What the database says.
    pub fn note_used(&self, batch: &[(u64, u64)]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let write = self.database.begin_write()?;
        {
            let (keys, mut used) = (write.open_table(KEYS)?, write.open_table(USED)?);
            for (id, at) in batch {
                let before = used.get(id)?.map_or(0, |value| value.value());
                if *at > before && keys.get(id)?.is_some() {
                    used.insert(id, at)?;
                }
            }
        }
        write.commit()?;
        Ok(())
    }

    /// Revokes tokens, and forgets revocations that no token can be about any more.
    ///
    /// # Errors
    /// A revocation that is not taken.
    pub fn revoke_tokens(&self, revocations: &[Revocation], now: u64) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(REVOKED)?;
            let mut all = read_revocations(&table)?;
            all.prune(now);
            table.retain(|_, (_, until)| until > now)?;
            for one in revocations {
                all.add(one)?;
                let digest = one.digest();
                let before = table.get(&digest)?.map_or((0, 0), |value| value.value());
                table.insert(&digest, (before.0.max(one.revoked_at), before.1.max(one.until)))?;
            }
        }
        finish(write, &[TOKENS])
    }

    /// Every revocation of tokens.
    pub(crate) fn revocations(&self) -> Result<Revocations, StoreError> {
        read_revocations(&self.database.begin_read()?.open_table(REVOKED)?)
    }

    /// Every key in binary form, as of one moment.
    pub(crate) fn everything(&self) -> Result<Everything, StoreError> {
        let read = self.database.begin_read()?;
        let generation = read.open_table(FACTS)?.get(GENERATION)?.map_or(0, |value| value.value());
        let keys = read.open_table(KEYS)?;
        let mut all = Vec::with_capacity(usize::try_from(keys.len()?).unwrap_or(0));
        for entry in keys.iter()? {
            let (id, bytes) = entry?;
            all.push((id.value(), bytes.value().to_vec()));
        }
        Ok(Everything { generation, keys: all, revocations: read_revocations(&read.open_table(REVOKED)?)? })
    }

    /// What happened after the change of this number, and the number of the last one.
    pub(crate) fn since(&self, known: u64) -> Result<(u64, Changes), StoreError> {
        let read = self.database.begin_read()?;
        let generation = read.open_table(FACTS)?.get(GENERATION)?.map_or(0, |value| value.value());
        if generation == known {
            return Ok((generation, Changes::Few(Vec::new())));
        }
        let table = read.open_table(CHANGES)?;
        // Numbers grow by one; where the first of those that are asked for is gone, some were not kept.
        if known > generation || table.get(known.saturating_add(1))?.is_none() {
            return Ok((generation, Changes::Many));
        }
        let mut changed = Vec::new();
        for entry in table.range(known.saturating_add(1)..=generation)? {
            changed.push(entry?.1.value());
        }
        Ok((generation, Changes::Few(changed)))
    }

    /// The binary form of one key.
    pub(crate) fn bytes(&self, id: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let keys = self.database.begin_read()?.open_table(KEYS)?;
        Ok(keys.get(id)?.map(|value| value.value().to_vec()))
    }
}

/// Numbers the change and makes it last. A change of many keys is numbered beyond what is kept, so that mirrors read
/// everything.
pub(crate) fn finish(write: WriteTransaction, changed: &[u64]) -> Result<(), StoreError> {
    if changed.is_empty() {
        write.abort()?;
        return Ok(());
    }
    {
        let (mut facts, mut changes) = (write.open_table(FACTS)?, write.open_table(CHANGES)?);
        let count = u64::try_from(changed.len()).unwrap_or(u64::MAX);
        let before = facts.get(GENERATION)?.map_or(0, |value| value.value());
        let after = before.saturating_add(count);
        if count > CHANGES_KEPT {
            changes.retain(|_, _| false)?;
        } else {
            for (number, id) in (before.saturating_add(1)..).zip(changed) {
                changes.insert(number, id)?;
            }
            let keep = after.saturating_sub(CHANGES_KEPT);
            changes.retain_in(..=keep, |_, _| false)?;
        }
        facts.insert(GENERATION, after)?;
    }
    write.commit()?;
    Ok(())
}

pub(crate) fn read_record(keys: &impl ReadableTable<u64, &'static [u8]>, id: u64) -> Result<KeyRecord, StoreError> {
    let bytes = keys.get(id)?.ok_or(StoreError::UnknownKey)?;
    Ok(KeyRecord::decode(id, bytes.value())?)
}

fn read_revocations(table: &impl ReadableTable<&'static [u8; 32], (u64, u64)>) -> Result<Revocations, StoreError> {
    let mut all = Revocations::default();
    for entry in table.iter()? {
        let (digest, times) = entry?;
        let (revoked_at, until) = times.value();
        all.add_digest(*digest.value(), revoked_at, until)?;
    }
    Ok(all)
}
