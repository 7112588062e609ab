//! Tables: a caption for those who do not see them, heads that say what they are of, and room to scroll.

use crate::document::Row;
use crate::html::Html;
use crate::markdown::markdown;

/// A table of texts.
pub(super) fn table(html: &mut Html, caption: &str, heads: &[&str], rows: &[Vec<String>]) {
    html.table(caption, heads, |html| {
        for row in rows {
            html.element("tr", &[], |html| {
                for (index, cell) in row.iter().enumerate() {
                    match index {
                        0 => html.element("th", &[("scope", "row")], |html| html.prose(cell).done()),
                        _ => html.element("td", &[], |html| html.prose(cell).done()),
                    };
                }
            });
            html.line();
        }
    });
}

/// Members of a schema, or parameters.
pub(super) fn fields<'r>(html: &mut Html, caption: &str, rows: impl IntoIterator<Item = (&'r Row, &'r str)>) {
    html.table(caption, &["Name", "Type", "Description"], |html| {
        for (row, place) in rows {
            html.element("tr", &[], |html| {
                html.element("th", &[("scope", "row")], |html| {
                    let name = if row.path.is_empty() { "(the value itself)" } else { &row.path };
                    html.leaf("code", &[], name);
                    if row.required {
                        html.text(" ").leaf("span", &[("class", "required")], "required");
                    }
                    if !place.is_empty() {
                        html.text(" ").leaf("span", &[("class", "note")], place);
                    }
                });
                html.element("td", &[], |html| html.text(&row.kind).done());
                html.element("td", &[], |html| {
                    html.append(&markdown(&row.description, 4));
                    if !row.rules.is_empty() {
                        html.leaf("p", &[("class", "rules")], &row.rules.join("; "));
                    }
                });
            });
            html.line();
        }
    });
}
