//! The pages that the `type` of a problem leads to, made from the one list of reasons: for people, and as JSON.

use super::{Source, data, nothing};
use crate::html::{self, escaped};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, VARY};
use axum::response::{IntoResponse, Response};
use portcullis_types::Reason;
use serde_json::{Value, json};

/// Every reason in one list.
pub(super) async fn index(State(_source): State<Source>, headers: HeaderMap) -> Response {
    if wants_json(&headers) {
        let reasons: Vec<Value> = Reason::ALL.iter().copied().map(value).collect();
        return data(&json!({ "problems": reasons }));
    }
    let mut rows = String::new();
    for reason in Reason::ALL.iter().copied() {
        let (code, status, title) = (reason.code(), reason.status(), escaped(reason.title()));
        rows.push_str(&format!(
            "<tr><td>{status}</td><td><a href=\"/problems/{code}\"><code>{code}</code></a></td><td>{title}</td></tr>\n"
        ));
    }
    let body = format!(
        "<h1>Problems</h1>\n<p>Why a request was not served. Every answer that Portcullis makes itself names one of \
         these codes and a request id.</p>\n<table>\n<thead><tr><th scope=\"col\">Status</th>\
         <th scope=\"col\">Code</th><th scope=\"col\">What happened</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    );
    varied(&html::page("Problems", &body))
}

/// One reason.
pub(super) async fn page(Path(code): Path<String>, headers: HeaderMap) -> Response {
    let Some(reason) = Reason::from_code(&code) else { return nothing().await };
    if wants_json(&headers) {
        return data(&value(reason));
    }
    let page = reason.page();
    let body = format!(
        "<p><a href=\"/problems\">All problems</a></p>\n<h1>{title}</h1>\n\
         <p class=\"facts\">Status <strong>{status}</strong>, code <code>{code}</code></p>\n\
         <h2>What it means</h2>\n<p>{meaning}</p>\n<h2>What the caller can do</h2>\n<p>{caller}</p>\n\
         <h2>What the operator can look at</h2>\n<p>{operator}</p>\n",
        title = escaped(reason.title()),
        status = reason.status(),
        code = reason.code(),
        meaning = html::prose(page.meaning),
        caller = html::prose(page.caller),
        operator = html::prose(page.operator),
    );
    varied(&html::page(reason.title(), &body))
}

fn varied(page: &html::Page) -> Response {
    ([(VARY, "accept")], page).into_response()
}

fn value(reason: Reason) -> Value {
    let page = reason.page();
    json!({
        "code": reason.code(),
        "status": reason.status(),
        "title": reason.title(),
        "meaning": page.meaning,
        "caller": page.caller,
        "operator": page.operator,
    })
}

/// Whether JSON is named, and named before HTML. Quality values don't matter between two forms of one text.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let json = ["application/json", "application/problem+json"].iter().filter_map(|form| accept.find(form)).min();
    let html = accept.find("text/html");
    json.is_some_and(|json| html.is_none_or(|html| json < html))
}
