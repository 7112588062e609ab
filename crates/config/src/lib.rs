//! Files into a checked plan, and mistakes into messages.

pub mod plan;

pub use plan::Plan;
