//! A page of an account before it is put into the portal's frame, and the forms on it.

use super::{BASE, Stay};
use portcullis_portal::Frame;
use portcullis_portal::html::Html;

/// A page.
pub(super) struct Sheet {
    title: String,
    /// Whether the account's first page is above it.
    is_below: bool,
    pub(super) body: Html,
}

// === impl Sheet ===

impl Sheet {
    /// A page with its heading.
    pub(super) fn headed(title: &str, lead: &str) -> Self {
        let mut sheet = Self { title: title.to_owned(), is_below: false, body: Html::default() };
        sheet.body.leaf("h1", &[], title).line();
        if !lead.is_empty() {
            sheet.body.element("p", &[("class", "lead")], |html| html.prose(lead).done()).line();
        }
        sheet
    }

    /// The same below the account's first page.
    pub(super) fn below(title: &str, lead: &str) -> Self {
        Self { is_below: true, ..Self::headed(title, lead) }
    }

    /// The whole page, as an answer at this path.
    pub(super) fn framed(&self, frame: &Frame, path: &str) -> String {
        let above = [(portcullis_portal::ACCOUNT, "Your account")];
        frame.page(path.trim_start_matches('/'), &self.title, if self.is_below { &above } else { &[] }, &self.body)
    }
}

/// A form that does something below the account.
pub(super) fn form(html: &mut Html, stay: &Stay<'_>, place: &str, inside: impl FnOnce(&mut Html)) {
    html.element("form", &[("class", "own"), ("method", "post"), ("action", &format!("{BASE}/{place}"))], |html| {
        html.open("input", &[("type", "hidden"), ("name", "csrf"), ("value", &stay.guest.change_token)]);
        inside(html);
    });
    html.line();
}

/// A field of one line.
pub(super) fn field(html: &mut Html, (name, label, note): (&str, &str, &str), more: &[(&'static str, &str)]) {
    html.element("label", &[], |html| {
        html.text(label);
        if !note.is_empty() {
            html.text(" ").leaf("span", &[("class", "note")], note);
        }
        let mut attributes = vec![("name", name), ("autocomplete", "off")];
        attributes.extend_from_slice(more);
        html.open("input", &attributes);
    });
}

/// What can be ticked.
pub(super) fn ticks<'t>(html: &mut Html, name: &str, title: &str, all: impl ExactSizeIterator<Item = &'t str>) {
    let is_only = all.len() == 1;
    html.element("fieldset", &[], |html| {
        html.leaf("legend", &[], title);
        for value in all {
            html.element("label", &[("class", "tick")], |html| {
                let mut attributes = vec![("type", "checkbox"), ("name", name), ("value", value)];
                if is_only {
                    attributes.push(("checked", ""));
                }
                html.open("input", &attributes);
                html.text(" ").leaf("code", &[], value);
            });
        }
    });
}
