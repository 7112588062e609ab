//! What the gateway signs about callers: that there is a key to sign with, and somebody to speak of.

use super::Check;
use super::certificates::Pem;
use crate::diagnostic::Diagnostic;
use crate::file::{File, defaults};
use crate::plan::{StatementKeys, StatementPlan};
use crate::scalar::Period;
use crate::tree::At;

const LEAST_ROTATION: Period = Period::seconds(60 * 60);
const LONGEST_ROTATION: Period = Period::seconds(365 * 24 * 60 * 60);

impl Check<'_> {
    /// By what the gateway signs.
    pub(super) fn statement(&mut self, file: &File, root: &At<'_>) -> Option<StatementPlan> {
        let written = file.identity_token.as_ref()?;
        let at = root.key("identity_token");
        let mut idle = Vec::new();
        let keys = match &written.key_file {
            Some(name) => {
                idle.push(("rotate_every", written.rotate_every.is_some(), "the key of a file changes with the file"));
                let current = self.pem(&at.key("key_file"), name, Pem::Key);
                let next =
                    written.next_key_file.as_ref().map(|name| self.pem(&at.key("next_key_file"), name, Pem::Key));
                StatementKeys::File { current, next }
            }
            None => {
                idle.push(("next_key_file", written.next_key_file.is_some(), "there is no `key_file` before it"));
                if !self.named.store {
                    let message = "there is no store beside which a key could be kept";
                    let diagnostic = Diagnostic::new("no-store", at.name_span(), message);
                    self.reject(&at, diagnostic.help("add `store: { path: ./portcullis-data }`, or name a `key_file`"));
                }
                let every = written.rotate_every.unwrap_or(defaults::ROTATE_EVERY);
                StatementKeys::Store(self.period(&at.key("rotate_every"), every, (LEAST_ROTATION, LONGEST_ROTATION)))
            }
        };
        for (key, _, why) in idle.into_iter().filter(|(_, is_written, _)| *is_written) {
            let at = at.key(key);
            let message = format!("`{key}` has no effect, because {why}");
            self.reject(&at, Diagnostic::new("no-effect", at.name_span(), message).help("remove it"));
        }
        Some(StatementPlan { issuer: written.issuer.0.clone(), keys })
    }

    /// Statements about nobody; to be called after every demand has been read.
    pub(super) fn statement_unused(&mut self, file: &File, root: &At<'_>) {
        let named = &self.named;
        let anybody = named.keys_used || named.certificates_used || !named.used.is_empty();
        if file.identity_token.is_some() && !anybody {
            let at = root.key("identity_token");
            let message = "`identity_token` has no effect, because no `authn` identifies anybody";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("write `authn: { any_of: [{ api_key: {} }] }`, or remove it"));
        }
    }
}
