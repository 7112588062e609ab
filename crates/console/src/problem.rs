//! Why something is not answered, as RFC 9457 has it. Every text is ours.

use http::StatusCode;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) detail: Cow<'static, str>,
    /// When to try again, in seconds.
    pub(crate) retry_after: Option<u64>,
}

// === impl Problem ===

impl Problem {
    fn of(status: StatusCode, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, title, detail: detail.into(), retry_after: None }
    }

    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "Malformed", detail)
    }

    pub(crate) fn unknown_caller() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "Not logged in", "log in, or send the token of a session")
    }

    pub(crate) fn wrong_password() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "Not logged in", "name and password do not belong together")
    }

    pub(crate) fn too_often(seconds: u64) -> Self {
        let problem = Self::of(StatusCode::TOO_MANY_REQUESTS, "Too many failed logins", "wait before you try again");
        Self { retry_after: Some(seconds), ..problem }
    }

    pub(crate) fn unknown_visitor() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "Not signed in", "sign in first")
    }

    pub(crate) fn too_many_changes(seconds: u64) -> Self {
        let problem = Self::of(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many changes",
            "your account has changed too much within an hour",
        );
        Self { retry_after: Some(seconds), ..problem }
    }

    pub(crate) fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::FORBIDDEN, "Not allowed", detail)
    }

    pub(crate) fn nothing(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::NOT_FOUND, "Not found", detail)
    }

    pub(crate) fn method() -> Self {
        Self::of(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "this address has other methods")
    }

    pub(crate) fn changed() -> Self {
        Self::of(StatusCode::PRECONDITION_FAILED, "Changed meanwhile", "it is not what you have seen; look again")
    }

    pub(crate) fn refused(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::CONFLICT, "Not done", detail)
    }

    pub(crate) fn unclear(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "Not possible", detail)
    }

    pub(crate) fn busy() -> Self {
        let problem =
            Self::of(StatusCode::SERVICE_UNAVAILABLE, "Busy", "the gateway ends already, or has too much to do");
        Self { retry_after: Some(2), ..problem }
    }

    pub(crate) fn unwritten() -> Self {
        Self::of(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not written down",
            "the audit log cannot be written, and what cannot be written down is not done",
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "type": "about:blank", "title": self.title, "status": self.status.as_u16(), "detail": self.detail })
    }
}
