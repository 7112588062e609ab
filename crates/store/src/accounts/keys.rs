//! Keys that belong to an account: made within what it may have, replaced, revoked, and at last forgotten.

use super::{APPLICATIONS, OWN_KEYS};
use crate::StoreError;
use crate::disk::{KEYS, Listed, Store, TOKENS, USED, finish, read_record};
use portcullis_auth::key::KeyRecord;
use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

// LIMIT: keys of an account that open nothing any more and are still listed; the oldest are forgotten.
pub(super) const DEAD_KEPT: usize = 20;

/// A key of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// What it was made for. The application may have ended.
    pub application: u64,
    /// The key as it is listed.
    pub listed: Listed,
}

// === impl OwnKey ===

impl OwnKey {
    /// Whether it opens something still.
    #[must_use]
    pub fn is_open(&self, now: u64) -> bool {
        let record = &self.listed.record;
        record.revoked_at.is_none() && record.expires_at.is_none_or(|end| end > now)
    }

    /// Whether it does, and none has taken its place.
    #[must_use]
    pub fn is_current(&self, now: u64) -> bool {
        self.is_open(now) && self.listed.record.rotated_to.is_none()
    }
}

/// All keys of an account, without when they were used.
pub(super) fn all(
    owned: &impl ReadableTable<(&'static str, u64), u64>,
    keys: &impl ReadableTable<u64, &'static [u8]>,
    account: &str,
) -> Result<Vec<OwnKey>, StoreError> {
    let mut all = Vec::new();
    for entry in owned.range((account, 0)..=(account, u64::MAX))? {
        let (key, application) = entry?;
        let record = read_record(keys, key.value().1)?;
        all.push(OwnKey { application: application.value(), listed: Listed { record, last_used_at: None } });
    }
    Ok(all)
}

/// A key that takes the place of an account's belongs to the same application.
pub(crate) fn inherit(write: &WriteTransaction, old: u64, new: &KeyRecord) -> Result<(), StoreError> {
    let mut owned = write.open_table(OWN_KEYS)?;
    let application = owned.get((new.consumer.as_str(), old))?.map(|found| found.value());
    if let Some(application) = application {
        owned.insert((new.consumer.as_str(), new.number), application)?;
    }
    Ok(())
}

/// Adds a key to those of an account that has fewer than `most` current ones; what has long ended makes room.
pub(super) fn add(
    write: &WriteTransaction,
    (account, application): (&str, u64),
    record: &KeyRecord,
    most: usize,
) -> Result<Vec<u64>, StoreError> {
    let now = record.created_at;
    let (mut keys, mut owned) = (write.open_table(KEYS)?, write.open_table(OWN_KEYS)?);
    if write.open_table(APPLICATIONS)?.get((account, application))?.is_none() {
        return Err(StoreError::NotOwn("application"));
    }
    let have = all(&owned, &keys, account)?;
    if have.iter().filter(|one| one.is_current(now)).count() >= most {
        return Err(StoreError::Full(most, "keys"));
    }
    let mut changed = forget(write, (&mut keys, &mut owned), account, have, now)?;
    if record.number == TOKENS || keys.insert(record.number, record.encode()?.as_slice())?.is_some() {
        return Err(StoreError::Exists);
    }
    owned.insert((account, record.number), application)?;
    changed.push(record.number);
    Ok(changed)
}

type Tables<'t, 'w> = (&'t mut redb::Table<'w, u64, &'static [u8]>, &'t mut redb::Table<'w, (&'static str, u64), u64>);

/// Forgets the oldest of those that open nothing any more; a key that nobody knows opens nothing either.
fn forget(
    write: &WriteTransaction,
    (keys, owned): Tables<'_, '_>,
    account: &str,
    have: Vec<OwnKey>,
    now: u64,
) -> Result<Vec<u64>, StoreError> {
    let mut dead: Vec<KeyRecord> =
        have.into_iter().filter(|one| !one.is_open(now)).map(|one| one.listed.record).collect();
    dead.sort_by_key(|record| record.created_at);
    let many = dead.len().saturating_sub(DEAD_KEPT);
    let mut used = write.open_table(USED)?;
    let mut gone = Vec::new();
    for record in dead.into_iter().take(many) {
        keys.remove(record.number)?;
        used.remove(record.number)?;
        owned.remove((account, record.number))?;
        gone.push(record.number);
    }
    Ok(gone)
}

// === impl Store ===

impl Store {
    /// The keys of an account, in the order in which they were made.
    ///
    /// # Errors
    /// What the database says.
    pub fn own_keys(&self, account: &str) -> Result<Vec<OwnKey>, StoreError> {
        let read = self.database().begin_read()?;
        let used = read.open_table(USED)?;
        let mut all = all(&read.open_table(OWN_KEYS)?, &read.open_table(KEYS)?, account)?;
        for one in &mut all {
            one.listed.last_used_at = used.get(one.listed.record.number)?.map(|at| at.value());
        }
        all.sort_by_key(|one| (one.listed.record.created_at, one.listed.record.number));
        Ok(all)
    }

    /// One key of an account.
    ///
    /// # Errors
    /// It has none of this number.
    pub fn own_key(&self, account: &str, number: u64) -> Result<OwnKey, StoreError> {
        let owned = self.database().begin_read()?.open_table(OWN_KEYS)?;
        let application = owned.get((account, number))?.ok_or(StoreError::NotOwn("key"))?.value();
        Ok(OwnKey { application, listed: self.key(number)? })
    }

    /// Stores a key for an application of an account that has fewer than `most` of them.
    ///
    /// # Errors
    /// The account has no such application, or as many keys already.
    pub fn create_own_key(
        &self,
        account: &str,
        application: u64,
        record: &KeyRecord,
        most: usize,
    ) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        let changed = add(&write, (account, application), record, most)?;
        finish(write, &changed)
    }

    /// Stores a key in place of one of an account, which goes on opening for `overlap_seconds`. What the new one may is what the
    /// old one may; when it ends, it says itself.
    ///
    /// # Errors
    /// The account has no such key, or it opens nothing any more, or another one has taken its place.
    pub fn rotate_own_key(
        &self,
        account: &str,
        old: u64,
        mut new: KeyRecord,
        overlap_seconds: u64,
    ) -> Result<KeyRecord, StoreError> {
        let now = new.created_at;
        let write = self.database().begin_write()?;
        let changed = {
            let application = write.open_table(OWN_KEYS)?.get((account, old))?.map(|found| found.value());
            let application = application.ok_or(StoreError::NotOwn("key"))?;
            let record = {
                let mut keys = write.open_table(KEYS)?;
                let mut record = read_record(&keys, old)?;
                let one = OwnKey { application, listed: Listed { record: record.clone(), last_used_at: None } };
                if !one.is_current(now) {
                    return Err(StoreError::Unfit("this key has ended, or another one has taken its place"));
                }
                new.replace(&mut record, now, overlap_seconds);
                keys.insert(old, record.encode()?.as_slice())?;
                record
            };
            // It takes the place of one that counts no more.
            let mut changed = add(&write, (account, application), &new, usize::MAX)?;
            changed.push(record.number);
            changed
        };
        finish(write, &changed)?;
        Ok(new)
    }

    /// Revokes a key of an account at once; whether it was not revoked already.
    ///
    /// # Errors
    /// The account has no such key.
    pub fn revoke_own_key(&self, account: &str, number: u64, now: u64) -> Result<bool, StoreError> {
        self.own_key(account, number)?;
        Ok(!self.revoke(&[number], now)?.is_empty())
    }
}
