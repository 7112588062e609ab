//! The contract of a route, ready to be asked.

use crate::knowledge::Knowledge;
use portcullis_config::plan::{ContractMode, RouteContract, RoutePlan};
use portcullis_contract::{Bounds, Operation};
use portcullis_h1::Fields;
use portcullis_types::Violation;
use std::borrow::Cow;
use std::sync::Arc;

/// LIMIT: reasons that a record repeats.
const NOTED_MAX: usize = 3;

/// What messages of a route are held to.
#[derive(Debug)]
pub(crate) struct Conforms {
    contract: RouteContract,
    /// What is known of the whole contract.
    pub(crate) knowledge: Arc<Knowledge>,
    /// Bytes of a path before what the document's paths are about.
    prefix_bytes: usize,
    pub(crate) bounds: Bounds,
    /// Bytes that an answer may become once its codings are undone.
    pub(crate) decoded_bytes: u64,
}

/// Names and values of a head as the contract reads them.
pub(crate) type Texts<'h> = Vec<(&'h str, &'h str)>;

// === impl Conforms ===

impl Conforms {
    /// `None` where nothing is held to a contract.
    pub(crate) fn compile(plan: &RoutePlan, prefix: &str, knowledge: Option<&Arc<Knowledge>>) -> Option<Box<Self>> {
        let contract = plan.contract.clone()?;
        let knowledge = Arc::clone(knowledge?);
        let bounds = Bounds { json: plan.bodies.json, ..Bounds::default() };
        let decoded_bytes = plan.bodies.decoded_bytes;
        Some(Box::new(Self { contract, knowledge, prefix_bytes: prefix.len(), bounds, decoded_bytes }))
    }

    pub(crate) fn request(&self) -> ContractMode {
        self.contract.plan.request
    }

    pub(crate) fn response(&self) -> ContractMode {
        self.contract.plan.response
    }

    pub(crate) fn answer_bytes(&self) -> u64 {
        self.contract.plan.answer_bytes
    }

    pub(crate) fn engine(&self) -> &portcullis_contract::Contract {
        &self.contract.plan.contract
    }

    /// Whether a request's body has to be read to be judged. Of bytes only the length is, and [`Self::body_bytes`] holds them to
    /// it; it cannot where they are coded, and does not where what is wrong is only reported.
    pub(crate) fn reads(&self, method: &[u8], content_type: Option<&str>, is_coded: bool) -> bool {
        let operation = self.operation(method).filter(|_| self.request() != ContractMode::Off);
        operation.is_some_and(|operation| {
            let is_bounded = !is_coded && self.request() == ContractMode::Enforce;
            operation.reads(content_type) || (!is_bounded && operation.body_bytes(content_type).is_some())
        })
    }

    /// The most bytes that a request's body may have, where the contract asks nothing else of them.
    pub(crate) fn body_bytes(&self, method: &[u8], content_type: Option<&str>, is_coded: bool) -> Option<u64> {
        let is_bounded = !is_coded && self.request() == ContractMode::Enforce;
        self.operation(method).filter(|_| is_bounded)?.body_bytes(content_type)
    }

    /// The number of the operation for a method, in the order of the document.
    pub(crate) fn index(&self, method: &[u8]) -> Option<usize> {
        self.contract.index(method)
    }

    pub(crate) fn operation(&self, method: &[u8]) -> Option<&Operation> {
        self.contract.operation(method)
    }

    /// A canonical path as the document writes it.
    pub(crate) fn below<'p>(&self, path: &'p str) -> &'p str {
        path.get(self.prefix_bytes..).filter(|rest| !rest.is_empty()).unwrap_or("/")
    }
}

/// A head as the contract reads it. What is not UTF-8 fits no declaration but the loosest.
pub(crate) fn texts(fields: Fields<'_>) -> Texts<'_> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or("\u{fffd}");
    fields.iter().map(|line| (text(line.name), text(line.value))).collect()
}

/// Reasons as problems and records know them.
pub(crate) fn violations(found: Vec<portcullis_contract::Objection>) -> Vec<Violation> {
    let all = found.into_iter().map(|one| Violation {
        part: one.part.name(),
        name: one.name,
        pointer: one.pointer,
        keyword: one.keyword,
        detail: one.detail,
    });
    all.collect()
}

/// The first few reasons, for a record.
pub(crate) fn noted(found: &[Violation]) -> String {
    let shown = found.iter().take(NOTED_MAX).map(|one| {
        let place: Cow<'_, str> = match (one.name.is_empty(), one.pointer.is_empty()) {
            (true, true) => "".into(),
            (false, true) => format!(" {}", one.name).into(),
            (true, false) => format!(" {}", one.pointer).into(),
            (false, false) => format!(" {}{}", one.name, one.pointer).into(),
        };
        format!("{}{place}: {}", one.part, one.keyword)
    });
    let text = shown.collect::<Vec<_>>().join("; ");
    if found.len() > NOTED_MAX { format!("{text}; {} more", found.len() - NOTED_MAX) } else { text }
}
