//! Accounts of developers, their applications, which key belongs to which, and keys that they have asked for.
//!
//! Everything is kept under the name of its account, and looked up by it: there is no way to something of an account but through it.
//! How much there may be is held in the same transaction that adds.

mod keys;
mod requests;
#[cfg(test)]
mod tests;

use crate::StoreError;
use crate::disk::{KEYS, Store, finish};
pub use keys::OwnKey;
pub(crate) use keys::inherit;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};
pub use requests::{Decision, KeyRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// By name.
const ACCOUNTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("accounts");
/// By account and number.
type Owned = TableDefinition<'static, (&'static str, u64), &'static [u8]>;
const APPLICATIONS: Owned = TableDefinition::new("applications");
const REQUESTS: Owned = TableDefinition::new("key_requests");
/// By account and key: the application.
const OWN_KEYS: TableDefinition<'static, (&'static str, u64), u64> = TableDefinition::new("own_keys");
// LIMIT: accounts of a store.
const ACCOUNTS_MAX: u64 = 100_000;

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What he is called; keys that he makes are held by a consumer of this name.
    pub name: String,
    /// A hash by Argon2id in the PHC string format.
    pub password: String,
    /// Which plan of the configuration he has.
    pub plan: String,
    /// When he was let in, in seconds since 1970.
    pub created_at: u64,
    /// Since when he may not come in any more.
    pub closed_at: Option<u64>,
}

/// What keys are made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub account: String,
    /// What its owner calls it.
    pub name: String,
    /// What he says of it.
    pub about: String,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
}

// === impl Account ===

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Account({}, {})", self.name, self.plan)
    }
}

/// Makes the tables.
pub(crate) fn prepare(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(ACCOUNTS)?;
    write.open_table(APPLICATIONS)?;
    write.open_table(REQUESTS)?;
    write.open_table(OWN_KEYS)?;
    Ok(())
}

/// What is kept, as bytes.
fn encoded(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Unfit("it cannot be written"))
}

/// And back. What cannot be read is not guessed.
fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Unfit("what is kept of an account cannot be read"))
}

/// Everything of an account in one of its tables.
fn own<T: DeserializeOwned>(
    table: &impl ReadableTable<(&'static str, u64), &'static [u8]>,
    account: &str,
) -> Result<Vec<T>, StoreError> {
    table.range((account, 0)..=(account, u64::MAX))?.map(|entry| decoded(entry?.1.value())).collect()
}

// === impl Store ===

impl Store {
    /// Lets somebody in.
    ///
    /// # Errors
    /// There is one of this name, or there are too many.
    pub fn create_account(&self, account: &Account) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        {
            let mut table = write.open_table(ACCOUNTS)?;
            if table.len()? >= ACCOUNTS_MAX {
                return Err(StoreError::Full(usize::try_from(ACCOUNTS_MAX).unwrap_or(usize::MAX), "accounts"));
            }
            if table.insert(account.name.as_str(), encoded(account)?.as_slice())?.is_some() {
                return Err(StoreError::Taken("an account"));
            }
        }
        write.commit()?;
        Ok(())
    }

    /// The account of a name, if there is one.
    ///
    /// # Errors
    /// What the database says.
    pub fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let table = self.database().begin_read()?.open_table(ACCOUNTS)?;
        table.get(name)?.map(|bytes| decoded(bytes.value())).transpose()
    }

    /// Accounts in the order of their names, those after `after`, at most `count`.
    ///
    /// # Errors
    /// What the database says.
    pub fn accounts(&self, after: &str, count: usize) -> Result<Vec<Account>, StoreError> {
        let table = self.database().begin_read()?.open_table(ACCOUNTS)?;
        let mut all = Vec::new();
        for entry in table.range(after..)? {
            let (name, bytes) = entry?;
            if all.len() == count {
                break;
            }
            if name.value() > after {
                all.push(decoded(bytes.value())?);
            }
        }
        Ok(all)
    }

    /// Changes an account.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn change_account(&self, name: &str, change: impl FnOnce(&mut Account)) -> Result<Account, StoreError> {
        let write = self.database().begin_write()?;
        let account = {
            let mut table = write.open_table(ACCOUNTS)?;
            let mut account: Account = match table.get(name)? {
                Some(bytes) => decoded(bytes.value())?,
                None => return Err(StoreError::NotOwn("account")),
            };
            change(&mut account);
            table.insert(name, encoded(&account)?.as_slice())?;
            account
        };
        write.commit()?;
        Ok(account)
    }

    /// The applications of an account, in the order in which they were made.
    ///
    /// # Errors
    /// What the database says.
    pub fn applications(&self, account: &str) -> Result<Vec<Application>, StoreError> {
        let mut all: Vec<Application> = own(&self.database().begin_read()?.open_table(APPLICATIONS)?, account)?;
        all.sort_by_key(|one| (one.created_at, one.id));
        Ok(all)
    }

    /// One application of an account.
    ///
    /// # Errors
    /// It has none of this number.
    pub fn application(&self, account: &str, id: u64) -> Result<Application, StoreError> {
        let table = self.database().begin_read()?.open_table(APPLICATIONS)?;
        let found = table.get((account, id))?.ok_or(StoreError::NotOwn("application"))?;
        decoded(found.value())
    }

    /// Makes an application, where its account has fewer than `most`.
    ///
    /// # Errors
    /// There are as many already, or one of the same name.
    pub fn create_application(&self, application: &Application, most: usize) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        {
            let mut table = write.open_table(APPLICATIONS)?;
            let all: Vec<Application> = own(&table, &application.account)?;
            if all.len() >= most {
                return Err(StoreError::Full(most, "applications"));
            }
            if all.iter().any(|one| one.name == application.name || one.id == application.id) {
                return Err(StoreError::Taken("an application"));
            }
            let key = (application.account.as_str(), application.id);
            table.insert(key, encoded(application)?.as_slice())?;
        }
        write.commit()?;
        Ok(())
    }

    /// Ends an application of an account: its keys are revoked at once, and what was asked for on its behalf is gone.
    ///
    /// # Errors
    /// It has none of this number.
    pub fn remove_application(&self, account: &str, id: u64, now: u64) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        let mut changed = Vec::new();
        {
            if write.open_table(APPLICATIONS)?.remove((account, id))?.is_none() {
                return Err(StoreError::NotOwn("application"));
            }
            let mut requests = write.open_table(REQUESTS)?;
            for request in own::<KeyRequest>(&requests, account)?.iter().filter(|one| one.application == id) {
                requests.remove((account, request.id))?;
            }
            let (mut keys, owned) = (write.open_table(KEYS)?, write.open_table(OWN_KEYS)?);
            for one in keys::all(&owned, &keys, account)?.into_iter().filter(|one| one.application == id) {
                let mut record = one.listed.record;
                if record.revoked_at.is_none() {
                    record.revoked_at = Some(now);
                    keys.insert(record.number, record.encode()?.as_slice())?;
                    changed.push(record.number);
                }
            }
        }
        if changed.is_empty() {
            write.commit()?;
            return Ok(());
        }
        finish(write, &changed)
    }
}
