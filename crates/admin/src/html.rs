//! The frame of every page: plain, readable without its style sheet, and without scripts.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
pub(crate) use portcullis_portal::html::prose;
pub(crate) use portcullis_types::markup::escaped;

/// A whole page.
#[derive(Debug)]
pub(crate) struct Page(String);

/// Puts a body that is HTML already under a title that is not.
pub(crate) fn page(title: &str, body: &str) -> Page {
    let title = escaped(title);
    Page(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · Portcullis</title>\n\
         <link rel=\"stylesheet\" href=\"/assets/style.css\">\n</head>\n<body>\n\
         <header><a href=\"/\">Portcullis</a></header>\n<main>\n{body}</main>\n</body>\n</html>\n"
    ))
}

// === impl Page ===

impl IntoResponse for &Page {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "text/html; charset=utf-8")], self.0.clone()).into_response()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (&self).into_response()
    }
}
