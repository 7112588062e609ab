//! Words that every crate of Portcullis shares.
