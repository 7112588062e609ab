//! Issuers: where their keys are, which may be asked for, and how long the last good ones stand.
//!
//! Nothing here opens a connection: events and times come in, and what to do comes out.

mod cache;
mod metadata;

#[cfg(test)]
mod tests;

pub use cache::{
    CacheFacts, CachePolicy, Event, FetchFault, Flight, KeyCache, KeysUnavailable, Next, PolicyError, Unknown,
};
pub use metadata::{Metadata, MetadataError, may_ask, metadata_addresses};
