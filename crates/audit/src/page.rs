//! The frame of a report that is one page and needs nothing beside it: no script, no other file, nothing from anywhere.

use portcullis_types::markup::{escaped, legible};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
pre{background:#f3f3f3;padding:.75rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}\
.severity{font-weight:700}.critical,.high{color:#a00000}.medium{color:#7a4a00}.low{color:#404040}li{overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#242424}.critical,.high{color:#ff9a9a}.medium{color:#ffc878}.low{color:#c8c8c8}th,td{border-color:#444}}";

/// A whole page: its title as text, its body as HTML.
#[must_use]
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · Portcullis</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        text(title),
    )
}

/// Text within a page, whatever is in it.
#[must_use]
pub fn text(text: &str) -> String {
    escaped(&legible(text))
}

/// A table, its cells as HTML.
#[must_use]
pub fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", text(head))).collect();
    let row = |cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.map(row).collect();
    format!("<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}
