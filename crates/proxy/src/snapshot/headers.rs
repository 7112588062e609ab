//! What answers tell browsers to refuse, ready to be written.

use super::CompileError;
use crate::head::Block;
use portcullis_config::plan::HeadersPlan;

/// The fields of every answer of an API.
#[derive(Debug)]
pub(crate) struct SecurityHeaders {
    pub(crate) always: Block,
    /// With those that mean something over TLS alone (RFC 6797 section 7.2).
    pub(crate) secure: Block,
}

// === impl SecurityHeaders ===

impl SecurityHeaders {
    pub(crate) fn compile(plan: &HeadersPlan, base_path: &str) -> Result<Self, CompileError> {
        let all = plan.fields_of(base_path);
        let fields = || all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let transport = (!plan.transport_security.is_empty())
            .then_some(("strict-transport-security", plan.transport_security.as_str()));
        let wrong =
            || CompileError::Template { template: plan.profile.to_owned(), error: "a field cannot be said".to_owned() };
        Ok(Self {
            always: Block::of(fields()).ok_or_else(wrong)?,
            secure: Block::of(fields().chain(transport)).ok_or_else(wrong)?,
        })
    }

    /// Those that count for a connection.
    pub(crate) fn of(&self, secure: bool) -> &Block {
        if secure { &self.secure } else { &self.always }
    }
}
