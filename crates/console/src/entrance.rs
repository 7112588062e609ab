//! Coming and going, written down: for users of the console and for developers alike.

use crate::door::{Door, SessionName};
use crate::order::{By, Orders, note};
use crate::problem::Problem;
use http::StatusCode;
use portcullis_portal::html::Html;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

// LIMIT: characters of a name that somebody has typed, where it is written down.
const NAME_CHARS: usize = 64;

/// A door, and who is told of those who come through it.
pub(crate) struct Entrance<'e, R> {
    pub(crate) door: &'e Door<R>,
    pub(crate) orders: &'e Orders,
    /// What is written down of whoever comes in, of whoever does not, and of whoever goes.
    pub(crate) words: [&'static str; 3],
}

/// A name as it is written down.
pub(crate) fn told(name: &str) -> Arc<str> {
    Arc::from(name.chars().take(NAME_CHARS).collect::<String>())
}

// === impl Entrance ===

impl<R> Entrance<'_, R> {
    /// Lets somebody in, and writes down how that went. A flood of attempts is not written down one by one: those that wait are not.
    pub(crate) fn log_in(
        &self,
        by: By,
        (name, password, address): (&str, &str, IpAddr),
    ) -> Result<(String, R), Problem> {
        let outcome = self.door.log_in(name, password, address);
        let details = || json!({ "address": address.to_string() });
        let [came, failed, _] = self.words;
        match &outcome {
            Ok((token, _)) => {
                if let Err(problem) = note(self.orders, &by, came, details()) {
                    self.door.guest(token).iter().for_each(|guest| self.door.log_out(&guest.session));
                    return Err(problem);
                }
            }
            Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
                // Whether it was written changes nothing: he is not let in.
                drop(note(self.orders, &by, failed, details()));
            }
            Err(_) => {}
        }
        outcome
    }

    /// Lets him out.
    pub(crate) fn log_out(&self, by: &By, session: &SessionName) {
        self.door.log_out(session);
        // He is out, whether or not it was written.
        drop(note(self.orders, by, self.words[2], json!({})));
    }
}

/// The form of the way in: a name and a password, sent to `action`, and what went wrong before.
pub(crate) fn form(
    html: &mut Html,
    (class, action): (&str, &str),
    (next, word): (&str, &str),
    wrong: Option<&Problem>,
) {
    if let Some(problem) = wrong {
        html.element("p", &[("class", "warning"), ("role", "alert")], |html| html.prose(&problem.detail).done()).line();
    }
    html.element("form", &[("class", class), ("method", "post"), ("action", action)], |html| {
        html.open("input", &[("type", "hidden"), ("name", "next"), ("value", next)]);
        let field = |html: &mut Html, name: &str, label: &str, kind: &str, fill: &str| {
            html.element("label", &[], |html| {
                html.text(label);
                html.open("input", &[("name", name), ("type", kind), ("autocomplete", fill), ("required", "")]);
            });
        };
        field(html, "name", "Name", "text", "username");
        field(html, "password", "Password", "password", "current-password");
        html.leaf("button", &[], word).done();
    });
}
