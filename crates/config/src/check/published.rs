//! The contract as callers know it, beside the one that is enforced: what breaks them is no mistake, since somebody may want it,
//! but nobody should do it without knowing.

use std::path::{Path, PathBuf};

use portcullis_contract::diff::{self, Named};
use portcullis_contract::{Diagnostic as Finding, Severity};

use super::Check;
use super::contract::{MAX_DOCUMENT_BYTES, MAX_FILES};
use crate::diagnostic::{Diagnostic, quote};
use crate::plan::{ContractPlan, Danger};
use crate::scalar::FileName;
use crate::tree::At;

/// LIMIT: breaking changes of one contract that are shown; `contract diff` shows all.
const MAX_SHOWN: usize = 10;

impl Check<'_> {
    /// What the contract of a level does to callers who know another state of it.
    pub(super) fn published(
        &mut self,
        level: &At<'_>,
        published: Option<&FileName>,
        enforced: Option<&ContractPlan>,
    ) -> Option<PathBuf> {
        let name = published?;
        let at = level.key("published");
        let path = self.locate(&at, name);
        self.watch(&path);
        let Some(plan) = enforced else {
            if level.key("openapi").is_missing() {
                let message = "`published` has no effect, because no contract is named";
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                self.reject(&at, diagnostic.help("add `openapi: FILE` beside it, or remove it"));
            }
            return None;
        };
        if at.is_tainted() {
            return None;
        }
        let read = |path: &Path| self.environment.read(path, MAX_DOCUMENT_BYTES);
        let shown = self.shown(&at, &name.0);
        let (old, new) = match (read(&path), read(&plan.file)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(why), _) | (_, Err(why)) => {
                let diagnostic = self.wrong(&at, "unreadable-file", format!("{shown} cannot be read: {why}"));
                self.reject(&at, diagnostic.help("name an OpenAPI document, YAML or JSON, of version 3.0 or 3.1"));
                return None;
            }
        };
        let names = (name.0.clone(), plan.file.display().to_string());
        let documents = (Named { file: &names.0, bytes: &old }, Named { file: &names.1, bytes: &new });
        let found = {
            let (mut of_old, mut of_new) = (self.beside(&path, &name.0), self.beside(&plan.file, &names.1));
            diff::diff(documents.0, documents.1, (&mut of_old, &mut of_new))
        };
        match found {
            Ok(found) => self.breaks(&at, &shown, &found),
            Err(error) => {
                let message = format!("{shown} line {}: {}", error.line, error.message);
                let diagnostic = self.wrong(&at, "contract", message);
                self.reject(&at, diagnostic.help(error.help.clone()));
            }
        }
        Some(path)
    }

    /// Gives the files that a document refers to, relative to where it lies.
    fn beside(&self, file: &Path, name: &str) -> impl FnMut(&str) -> Option<Vec<u8>> + '_ {
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let base: PathBuf = Path::new(name).parent().unwrap_or(Path::new("")).to_path_buf();
        let mut left = MAX_FILES;
        move |address: &str| {
            left = left.checked_sub(1).filter(|_| !address.contains("://"))?;
            let relative = Path::new(address).strip_prefix(&base).unwrap_or(Path::new(address));
            self.environment.read(&folder.join(relative), MAX_DOCUMENT_BYTES).ok()
        }
    }

    fn breaks(&mut self, at: &At<'_>, shown: &str, found: &[Finding]) {
        let breaking: Vec<&Finding> = found.iter().filter(|one| one.severity != Severity::Note).collect();
        for one in breaking.iter().take(MAX_SHOWN) {
            let place = if one.pointer.is_empty() { String::new() } else { format!(" at {}", quote(&one.pointer)) };
            let message = format!("{} {} line {}{place}: {}", one.code, quote(&one.file), one.line, one.message);
            self.warn(at, message);
        }
        if breaking.len() > MAX_SHOWN {
            let more = breaking.len() - MAX_SHOWN;
            self.warn(at, format!("{more} more changes break {shown}; `portcullis contract diff` shows all"));
        }
    }

    fn warn(&mut self, at: &At<'_>, message: String) {
        let warning = Danger { path: at.path(), message, origin: self.origin(at) };
        self.warnings.push(warning);
    }
}
