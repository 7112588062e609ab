//! The wall around other people's decoders: should one of them panic on hostile bytes, the body is malformed and nothing
//! else happens. The decoder is not used again, because every error is final.

use crate::error::CodingError;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a foreign decoder.
pub(crate) fn behind<T>(run: impl FnOnce() -> Result<T, CodingError>) -> Result<T, CodingError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(CodingError::Malformed))
}
