//! Which addresses there are and what each answers. Every text is fixed or comes from the configuration; nothing
//! that a client sent is repeated.

mod forms;
mod problems;

use crate::html;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use portcullis_proxy::Handle;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// The gateway that is asked, once there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source(Arc<OnceLock<Handle>>);

/// On every answer. Pages load one style sheet from here and nothing else.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

const STYLE: &str = include_str!("site/style.css");
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

// === impl Source ===

impl Source {
    pub(crate) fn attach(&self, handle: Handle) {
        // The first one stays: there is one gateway in a process.
        drop(self.0.set(handle));
    }

    fn is_ready(&self) -> bool {
        self.0.get().is_some_and(Handle::is_ready)
    }
}

/// Everything that the status listener serves.
pub(crate) fn router(source: Source) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/jwks.json", get(keys))
        .route("/problems", get(problems::index))
        .route("/problems/{code}", get(problems::page))
        .route("/assets/style.css", get(style))
        .fallback(nothing)
        .method_not_allowed_fallback(only_reading)
        .layer(map_response(headed))
        .with_state(source)
}

async fn headed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn index(State(source): State<Source>) -> Response {
    let ready = if source.is_ready() { "ready" } else { "not ready" };
    let body = format!(
        "<h1>Portcullis</h1>\n<p>Version {version}. This instance is <strong>{ready}</strong>.</p>\n<ul>\n\
         <li><a href=\"/livez\">/livez</a>: whether the process is alive</li>\n\
         <li><a href=\"/readyz\">/readyz</a>: whether new requests are welcome</li>\n\
         <li><a href=\"/metrics\">/metrics</a>: counters and times for Prometheus, and as OpenMetrics</li>\n\
         <li><a href=\"/jwks.json\">/jwks.json</a>: the keys of X-Identity-Token, where it is configured</li>\n\
         <li><a href=\"/problems\">/problems</a>: what each refusal means, and what to do about it</li>\n</ul>\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    html::page("Status", &body).into_response()
}

async fn livez() -> Response {
    text(StatusCode::OK, "alive\n")
}

async fn readyz(State(source): State<Source>) -> Response {
    match source.is_ready() {
        true => text(StatusCode::OK, "ready\n"),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready: starting, or finishing what was begun\n"),
    }
}

async fn metrics(State(source): State<Source>, headers: HeaderMap) -> Response {
    match source.0.get() {
        Some(handle) => {
            let (form, text) = match forms::wants_openmetrics(&headers) {
                true => (OPENMETRICS_TYPE, handle.openmetrics()),
                false => (METRICS_TYPE, handle.metrics()),
            };
            ([(CONTENT_TYPE, form), (VARY, "accept")], text).into_response()
        }
        None => text(StatusCode::SERVICE_UNAVAILABLE, "# the gateway is starting\n"),
    }
}

/// The keys of `X-Identity-Token`. They may be kept for a while: the next one is in the set long before it signs.
async fn keys(State(source): State<Source>) -> Response {
    match source.0.get().map(Handle::identity_keys) {
        Some(Some(keys)) => {
            let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "max-age=300")];
            (headers, keys).into_response()
        }
        Some(None) => problem(StatusCode::NOT_FOUND, "Not found", "the configuration has no identity_token"),
        None => problem(StatusCode::SERVICE_UNAVAILABLE, "Not ready", "the gateway is starting"),
    }
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")];
    (headers, STYLE).into_response()
}

async fn nothing() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "Not found",
        "the status listener has /, /livez, /readyz, /metrics, /jwks.json and /problems",
    )
}

async fn only_reading() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "the status listener answers GET and HEAD only")
}

fn text(status: StatusCode, body: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    (status, [(CONTENT_TYPE, "application/problem+json")], format!("{body}\n")).into_response()
}

fn data(value: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (VARY, "accept")];
    (headers, format!("{value:#}\n")).into_response()
}
