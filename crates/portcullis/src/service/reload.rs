//! Taking over a changed configuration, whole or not at all, and telling everybody who wants to know.

use super::{Facts, Service, Shutdown, announce_dangers, console, read, site};
use crate::ending::Stop;
use portcullis_audit_log::Entry;
use portcullis_console::Reloaded;
use portcullis_proxy::ReloadError;
use serde_json::{Value, json};

// === impl Service ===

impl Service {
    /// Takes over the whole file or nothing of it.
    pub(super) fn reload(&mut self, cause: &str, actor: &str) -> Reloaded {
        self.notify.reloading();
        let outcome = self.take_over(cause);
        let _said = self.note(&match &outcome {
            Ok(facts) => Entry::new("config.reload", actor).with("cause", cause).with("config_hash", &*facts.hash),
            Err(stop) => {
                Entry::new("config.refused", actor).with("cause", cause).with("why", shortened(&stop.summary()))
            }
        });
        let status = match &outcome {
            Ok(facts) => format!("serving {} routes", facts.routes),
            Err(stop) => format!("serving; the last configuration was not taken over: {}", stop.summary()),
        };
        self.notify.ready(&status);
        match outcome {
            Ok(facts) => Reloaded { done: true, text: String::new(), details: json!({ "config_hash": facts.hash }) },
            Err(stop) => Reloaded { done: false, text: stop.plain(), details: details(&stop) },
        }
    }

    fn take_over(&mut self, cause: &str) -> Result<Facts, Stop> {
        let handle = self.handle();
        let loaded =
            self.watch.read(|| read(&self.path)).inspect_err(|stop| handle.note_failed_reload(&stop.summary()));
        let outcome = loaded.and_then(|loaded| {
            let (facts, shutdown) = (Facts::of(&loaded.plan), Shutdown::of(&loaded.plan));
            announce_dangers(&self.journal, &loaded.plan);
            // Before anything is taken over, so that no page is missing behind a policy that is in force.
            let pages = self.portal.as_ref().map(|_| site(&loaded.plan, &self.status.problem_base())).transpose();
            let pages = pages.inspect_err(|stop| handle.note_failed_reload(&stop.summary()))?;
            let tls = console::tls(&loaded.plan).inspect_err(|stop| handle.note_failed_reload(&stop.summary()))?;
            let taken = handle.reload(loaded.plan.clone()).map_err(|error| match error {
                ReloadError::Compile(_) => Stop::Unfit(error.to_string()),
                ReloadError::NeedsRestart(_) | ReloadError::Listen(_) | ReloadError::Draining => {
                    Stop::environment(error.to_string())
                }
            });
            taken.map(|()| {
                if let (Some(portal), Some(pages)) = (&self.portal, pages) {
                    let frame = pages.frame().clone();
                    portal.show(pages);
                    portal.service().iter().for_each(|service| service.take_over(&loaded.plan, frame.clone()));
                }
                if let Some(listener) = &self.console {
                    console::take_over(listener, tls, loaded);
                }
                (facts, shutdown)
            })
        });
        match outcome {
            Ok((facts, shutdown)) => {
                self.shutdown = shutdown;
                let fields = [("cause", cause.to_owned()), ("config_hash", facts.hash.clone())];
                self.journal.event("reloaded", &fields);
                Ok(facts)
            }
            Err(stop) => {
                self.journal.event("reload_failed", &[("cause", cause.to_owned()), ("kept", "true".to_owned())]);
                self.journal.detail(&stop);
                Err(stop)
            }
        }
    }
}

/// LIMIT: characters of a reason in the audit log.
const WHY_MAX: usize = 500;

fn shortened(text: &str) -> String {
    text.chars().take(WHY_MAX).collect()
}

pub(super) fn details(stop: &Stop) -> Value {
    match stop {
        Stop::Mistakes(failure) => failure.to_json(),
        Stop::Unfit(text) | Stop::Environment(text) => json!({ "message": text }),
    }
}
