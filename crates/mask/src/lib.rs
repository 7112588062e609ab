//! What of an answer leaves. Values are masked by their place or by what they look like while the answer passes, and what a
//! server says when it fails is kept from those whom it does not concern.

mod act;
mod automaton;
mod detect;
mod events;
mod fuzz;
mod keys;
mod masker;
mod path;
mod rewrite;
mod rules;
mod scrub;
mod target;
mod text;
mod token;

pub use detect::{Detector, Detectors, Finding, find, redact};
pub use fuzz::fuzz_mask;
pub use keys::Keys;
pub use masker::{EventMasker, Form, Masker};
pub use path::{Path, PathError, Step};
pub use rewrite::{MaskError, Rewriter};
pub use rules::{Action, Active, Coarser, RULES_MAX, Rule, RulesError, Ruleset, Select, Start};
pub use scrub::{Leak, Undecided, is_readable, is_telling, leak, names_inner_host, shown};
pub use target::redact_target;
pub use token::reveal;
