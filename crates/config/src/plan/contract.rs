//! The contract of a version, loaded, and which of its operations a route stands for.

use std::path::PathBuf;
use std::sync::Arc;

use portcullis_contract::{Contract, Operation, Options, Security};

use super::Origin;

/// What becomes of a message that does not fit its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractMode {
    /// Nobody looks.
    Off,
    /// It passes, and the record says what is wrong with it.
    Report,
    /// It is refused.
    Enforce,
}

/// A document and how it is kept to.
#[derive(Debug, Clone)]
pub struct ContractPlan {
    /// The document.
    pub file: PathBuf,
    /// Hex digest of the document and of all files that it refers to.
    pub hash: String,
    /// What is let through though the document does not say so.
    pub options: Options,
    /// The document, compiled.
    pub contract: Arc<Contract>,
    /// For requests.
    pub request: ContractMode,
    /// For answers.
    pub response: ContractMode,
    /// For what it asks of callers.
    pub security: ContractMode,
    /// Bytes of an answer that is held to be judged.
    pub answer_bytes: u64,
}

/// What a route has of its contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteContract {
    /// Whose.
    pub plan: Arc<ContractPlan>,
    /// By method, in upper case: the operation's place in the contract.
    pub operations: Vec<(String, usize)>,
    /// What it asks of callers, if it says something about that.
    pub security: Option<SecurityPlan>,
}

/// What a contract asks of the callers of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityPlan {
    /// As it is shown: `oauth (read) and key, or bearer`.
    pub text: String,
    /// As it is written.
    pub security: Security,
    /// Where.
    pub origin: Origin,
}

// === impl ContractMode ===

impl ContractMode {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Report => "report",
            Self::Enforce => "enforce",
        }
    }
}

// === impl ContractPlan ===

impl PartialEq for ContractPlan {
    fn eq(&self, other: &Self) -> bool {
        let all = |plan: &Self| (plan.request, plan.response, plan.security, plan.answer_bytes);
        (&self.file, &self.hash, &self.options, all(self)) == (&other.file, &other.hash, &other.options, all(other))
    }
}

impl Eq for ContractPlan {}

// === impl RouteContract ===

impl RouteContract {
    /// The number of the operation for a method. Where GET is served, so is HEAD (RFC 9110 section 9.3.2).
    #[must_use]
    pub fn index(&self, method: &[u8]) -> Option<usize> {
        let find = |method: &[u8]| self.operations.iter().find(|(name, _)| name.as_bytes() == method);
        let found = find(method).or_else(|| find(b"GET").filter(|_| method == b"HEAD"));
        found.map(|(_, index)| *index)
    }

    /// The operation for a method.
    #[must_use]
    pub fn operation(&self, method: &[u8]) -> Option<&Operation> {
        self.plan.contract.operations().get(self.index(method)?)
    }

    /// Whether bodies of requests have to be read.
    pub(super) fn looks_into_bodies(&self) -> bool {
        let all = self.plan.contract.operations();
        let mut own = self.operations.iter().filter_map(|(_, index)| all.get(*index));
        self.plan.request != ContractMode::Off && own.any(Operation::looks_into_body)
    }
}
