//! Calling an operation from its page, with the visitor's own credential. The form is made here, a script sends it, and nothing of it is
//! kept; where a page cannot call, it says why.

use super::Page;
use crate::html::Html;
use crate::model::{Operation, Parameter, Way};
use crate::samples::Call;
use portcullis_auth::principal::Scheme;
use portcullis_config::plan::VersionBy;

pub(super) const SCRIPT: &str = "assets/trial.js";

/// Fields that every page may set (Fetch standard, "CORS-safelisted request-header").
const EVERYBODYS: [&str; 3] = ["accept", "accept-language", "content-language"];

/// No credential.
static NOTHING: Way = Way {
    title: String::new(),
    schemes: Vec::new(),
    proof: None,
    issuers: Vec::new(),
    key: None,
    certificate_names: Vec::new(),
    signature: None,
};

/// Adds the part of the page.
pub(super) fn add(page: &mut Page, operation: &Operation, up: &str) {
    let trial = Trial::of(operation);
    let html = page.section("trial", "Try it");
    match trial {
        Err(why) => html.element("p", &[("class", "note")], |html| {
            html.text(&format!("This operation cannot be called from here: {why}.")).done();
        }),
        Ok(trial) => {
            trial.write(html, up);
            page.script = Some(SCRIPT);
            page.calls = Some(operation.origin.clone());
            &mut page.body
        }
    }
    .line();
}

/// A call that a page can make.
struct Trial<'o> {
    operation: &'o Operation,
    /// What proves who calls: what it is called, and the call. None of them where nothing is asked for.
    ways: Vec<(&'o str, Call<'o>)>,
    call: Call<'o>,
}

// === impl Trial ===

impl<'o> Trial<'o> {
    /// What a page can send, or why it can send nothing.
    fn of(operation: &'o Operation) -> Result<Self, &'static str> {
        let callers = &operation.callers;
        if callers.closed {
            return Err("nobody may call it");
        }
        if !operation.also.is_empty() {
            return Err("it is no plain call of HTTP");
        }
        if !operation.is_origin_whole {
            return Err("the configuration does not tell its whole address");
        }
        let Some(pages) = operation.pages.as_ref().filter(|pages| pages.includes_portal) else {
            return Err("the API lets no page of this site call it");
        };
        if operation.parameters.iter().any(|one| one.location == "cookie" && one.row.required) {
            return Err("it takes a cookie, and none is sent from here");
        }
        let call = Call::of(operation, &NOTHING);
        if pages.methods.as_ref().is_some_and(|names| !names.iter().any(|name| name == call.method)) {
            return Err("pages may not use its method");
        }
        let may_set = |name: &str| {
            let known = pages.fields.iter().map(String::as_str).chain(EVERYBODYS);
            known.into_iter().any(|one| one.eq_ignore_ascii_case(name))
        };
        if !call.fields.iter().all(|(name, _)| may_set(name)) {
            return Err("pages may not set a field that it takes");
        }
        let is_plain = |way: &&Way| {
            way.schemes.iter().all(|one| matches!(one, Scheme::Jwt | Scheme::Introspection | Scheme::ApiKey))
                && !way.proof.as_ref().is_some_and(|proof| proof.required)
        };
        let plain: Vec<&Way> = callers.ways.iter().filter(is_plain).collect();
        if plain.is_empty() && !callers.ways.is_empty() && !callers.anonymous {
            return Err("its callers sign, or have certificates, which a page has not");
        }
        let ways = plain.into_iter().map(|way| (way.title.as_str(), Call::of(operation, way)));
        let may_send = |(_, call): &(&str, Call<'_>)| {
            call.key_field.is_none_or(may_set) && (!call.token || may_set("authorization"))
        };
        let ways: Vec<_> = ways.filter(may_send).collect();
        if ways.is_empty() && !callers.ways.is_empty() && !callers.anonymous {
            return Err("pages may not send what its callers prove themselves with");
        }
        Ok(Self { operation, ways, call })
    }

    fn write(&self, html: &mut Html, up: &str) {
        let Self { operation, call, .. } = self;
        html.element("noscript", &[], |html| {
            html.leaf("p", &[("class", "note")], "Calling from here takes a script, which your browser does not run.")
                .done();
        });
        let form = [
            ("id", "trial-form"),
            ("class", "trial"),
            ("hidden", ""),
            ("autocomplete", "off"),
            ("data-method", call.method),
            ("data-origin", &operation.origin),
            ("data-path", &operation.path),
            ("data-errors", &format!("{up}problems/")),
        ];
        html.element("form", &form, |html| {
            for one in operation.parameters.iter().filter(|one| matches!(&*one.location, "path" | "query" | "header")) {
                parameter(html, one);
            }
            if let Some((VersionBy::Query(name), version)) = &operation.version_by {
                hidden(html, "query", name, version);
            }
            for (name, value) in &call.fields {
                let asked = |one: &&Parameter| one.location == "header" && one.row.path.eq_ignore_ascii_case(name);
                if !operation.parameters.iter().any(|one| asked(&one)) {
                    hidden(html, "header", name, value);
                }
            }
            self.credentials(html);
            if let Some(body) = call.body {
                html.element("label", &[("class", "whole")], |html| {
                    html.text("Body");
                    html.leaf("textarea", &[("data-place", "body"), ("rows", "8"), ("spellcheck", "false")], body)
                        .done();
                });
            }
            html.element("p", &[("class", "whole")], |html| html.leaf("button", &[], "Send").done());
        });
        html.line();
        html.leaf("p", &[("id", "trial-state"), ("role", "status")], "").line();
        html.element("div", &[("id", "trial-answer")], |_| {});
    }

    /// What proves who calls: the first way is chosen.
    fn credentials(&self, html: &mut Html) {
        if self.ways.len() > 1 || (self.operation.callers.anonymous && !self.ways.is_empty()) {
            html.element("label", &[], |html| {
                html.text("Credential");
                html.element("select", &[("id", "trial-way")], |html| {
                    for (at, (title, _)) in self.ways.iter().enumerate() {
                        html.leaf("option", &[("value", &at.to_string())], title);
                    }
                    if self.operation.callers.anonymous {
                        html.leaf("option", &[("value", "none")], "none").done();
                    }
                });
            });
        }
        for (at, (_, call)) in self.ways.iter().enumerate() {
            let mut secret = |label: &str, place: &str, name: &str| {
                html.element("label", &[("data-way", &at.to_string())], |html| {
                    html.text(label);
                    let kind = [("type", "password"), ("autocomplete", "off"), ("spellcheck", "false")];
                    html.open("input", &[&kind[..], &[("data-place", place), ("data-name", name)]].concat()).done();
                });
            };
            if call.token {
                secret("Access token", "token", "authorization");
            }
            if let Some(field) = call.key_field {
                secret("API key", "key", field);
            }
        }
    }
}

fn parameter(html: &mut Html, one: &Parameter) {
    let filled = if one.row.required { one.example.clone().unwrap_or_default() } else { String::new() };
    html.element("label", &[], |html| {
        html.leaf("code", &[], &one.row.path).text(&format!(
            " ({}{})",
            one.location,
            if one.row.required { "" } else { ", may be left out" }
        ));
        let mut attributes = vec![
            ("type", "text"),
            ("autocomplete", "off"),
            ("spellcheck", "false"),
            ("data-place", one.location.as_str()),
            ("data-name", one.row.path.as_str()),
            ("value", filled.as_str()),
        ];
        if one.row.required {
            attributes.push(("required", ""));
        }
        html.open("input", &attributes).done();
    });
}

fn hidden(html: &mut Html, place: &str, name: &str, value: &str) {
    html.open("input", &[("type", "hidden"), ("data-place", place), ("data-name", name), ("value", value)]).done();
}
