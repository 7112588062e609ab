//! What the gateway signs about callers: by which keys, through every reload and rotation, and which keys are published.

use super::random;
use crate::tls::files;
use arc_swap::ArcSwapOption;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::outward::IdentityTokens;
use portcullis_auth::principal::Principal;
use portcullis_config::plan::{IdentityPlan, StatementKeys, StatementPlan};
use portcullis_store::Home;
use portcullis_types::{Fault, FaultKind};
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How often keys beside the store are looked at, in seconds.
const LOOK_EVERY: u64 = 60;

/// Statements about callers.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    signing: ArcSwapOption<IdentityTokens>,
    /// Where keys that change by themselves come from.
    source: Mutex<Option<(StatementPlan, PathBuf)>>,
    looked: AtomicU64,
}

// === impl Statements ===

impl Statements {
    /// Signs as a plan says from now on; what has signed before stays published for a while.
    ///
    /// # Errors
    /// Keys that cannot be made or read. Everything stays as it was then.
    pub(crate) fn take_over(&self, plan: &IdentityPlan, now: u64) -> io::Result<()> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(statement) = &plan.statement else {
            // Requests of the snapshot before may still have to be signed for.
            *source = None;
            return Ok(());
        };
        let folder = plan.store.clone().unwrap_or_default();
        self.sign_by(statement, keys(&statement.keys, &folder, now)?, now)?;
        *source = Some((statement.clone(), folder)).filter(|(of, _)| matches!(of.keys, StatementKeys::Store(_)));
        Ok(())
    }

    /// Looks once in a while whether there are other keys, and makes the next one in time. Without success the keys that are
    /// known go on.
    pub(super) fn look(&self, now: u64) {
        if now < self.looked.load(Ordering::Relaxed).saturating_add(LOOK_EVERY) {
            return;
        }
        self.looked.store(now, Ordering::Relaxed);
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((statement, folder)) = &*source else { return };
        if let Ok(keys) = keys(&statement.keys, folder, now) {
            drop(self.sign_by(statement, keys, now));
        }
    }

    fn sign_by(&self, plan: &StatementPlan, keys: Vec<(u64, SigningKey)>, now: u64) -> io::Result<()> {
        let signing = IdentityTokens::new(plan.issuer.clone(), keys);
        let mut signing = signing.ok_or_else(|| io::Error::other("identity_token: there is no key"))?;
        if let Some(before) = &*self.signing.load() {
            signing.inherit(before, now);
        }
        self.signing.store(Some(Arc::new(signing)));
        Ok(())
    }

    /// Who calls, said to an API.
    ///
    /// # Errors
    /// When there is no key, or it refuses to sign: then nobody is spoken of, and nothing is forwarded.
    pub(crate) fn issue(&self, caller: &Principal, api: &str, unique: &str, now: u64) -> Result<String, Fault> {
        let fault = |why: &dyn Display| Fault::new(FaultKind::Internal, format!("identity_token: {why}"));
        let signing = self.signing.load();
        let signing = signing.as_ref().ok_or_else(|| fault(&"there is no key"))?;
        signing.issue(caller, api, unique, now).map_err(|error| fault(&error))
    }

    /// The published keys; `None` where nothing is signed.
    pub(crate) fn key_set(&self, now: u64) -> Option<String> {
        self.signing.load().as_ref().map(|signing| signing.key_set(now).to_string())
    }
}

fn keys(keys: &StatementKeys, folder: &Path, now: u64) -> io::Result<Vec<(u64, SigningKey)>> {
    let cannot = |error: &dyn Display| io::Error::other(format!("identity_token: {error}"));
    let read = |path: &Path| {
        let der = files::private_key(path).map_err(|error| cannot(&error))?;
        SigningKey::from_pkcs8(der.secret_der()).map_err(|error| cannot(&format!("{}: {error}", path.display())))
    };
    match keys {
        StatementKeys::File { current, next } => {
            let mut all = vec![(0, read(current)?)];
            if let Some(next) = next {
                // It signs when the configuration names it as the current one.
                all.push((u64::MAX, read(next)?));
            }
            Ok(all)
        }
        StatementKeys::Store(every) => {
            let file = Home::new(folder).signing_keys();
            let seeds = file.open([random()?, random()?], every.as_secs(), now).map_err(|error| cannot(&error))?;
            let key =
                |(from, seed)| SigningKey::from_seed(&seed).map(|key| (from, key)).map_err(|error| cannot(&error));
            seeds.into_iter().map(key).collect()
        }
    }
}
