//! Says when the store that gateways share goes away and comes back.

use super::Journal;
use portcullis_proxy::Handle;

/// What was said last; nothing while it has always answered.
#[derive(Debug, Default)]
pub(super) struct SharedStoreWatch {
    is_away: bool,
}

// === impl SharedStoreWatch ===

impl SharedStoreWatch {
    /// Looks once, about every second.
    pub(super) fn look(&mut self, journal: Journal, handle: &Handle) {
        let Some(store) = handle.shared_store() else { return };
        if store.answers != self.is_away {
            return;
        }
        self.is_away = !store.answers;
        let gateways = ("gateways", store.gateways.to_string());
        if store.answers {
            journal.event("shared_store_back", &[gateways]);
        } else {
            let what = "limits are divided by the number of gateways until it answers";
            journal.event("shared_store_away", &[gateways, ("what", what.to_owned())]);
        }
    }
}
