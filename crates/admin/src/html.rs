//! The frame of every page: plain, readable without its style sheet, and without scripts.

#[cfg(test)]
mod tests;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

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

/// A text in which no character means anything to a browser.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// The same, with what stands between backticks as code.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        match index % 2 {
            0 => out.push_str(&escaped(part)),
            _ => out.push_str(&format!("<code>{}</code>", escaped(part))),
        }
    }
    out
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
