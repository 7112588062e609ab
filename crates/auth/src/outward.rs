//! What the gateway says about identity: to APIs behind it, who calls; to callers, what is wanted.

mod challenge;
mod identity;
mod resource;

#[cfg(test)]
mod tests;

pub use challenge::{Offer, challenges, scope_challenge};
pub use identity::IdentityTokens;
pub use resource::Resource;
