//! Reads typed settings out of a tree and finds every mistake of shape on the way: a setting that is wrong is reported
//! once, and a made-up value stands in for it from then on. What values mean together is decided in `check`.

mod access;
mod deserializer;
#[cfg(test)]
mod tests;
mod variant;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeOwned};

use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS, Report, closest, one_of, quote};
use crate::schema::Descriptions;
use crate::sources::Sources;
use crate::tree::{At, Kind, NodeId, Tree};
use crate::values::{Environment, NO_NAME, ValueSource, resolve};

use deserializer::Place;

/// LIMIT: runs over one tree. Every run but the last reports something new, or something that was hidden by it.
const MAX_RUNS: usize = 2 * MAX_DIAGNOSTICS;

/// Settings that are named in the documentation of later versions. A reader of those deserves better than a guess.
const PLANNED: &[&str] = &[
    "acme",
    "authz",
    "cache",
    "consumers",
    "cors",
    "deprecated_at",
    "dpop",
    "headers",
    "health",
    "http_signature",
    "limits",
    "mask",
    "mtls",
    "oauth",
    "proxy_protocol",
    "retries",
    "sunset_at",
    "telemetry",
    "tls",
    "tracing",
    "waf",
];

/// Where values from outside the file come from, or should have, by the node that asks for them.
pub(crate) type Outside = HashMap<NodeId, ValueSource>;

/// Reads the whole tree. `None` if even made-up values could not complete it, which the report explains.
pub(crate) fn recover<T: DeserializeOwned>(
    tree: &mut Tree,
    root: NodeId,
    sources: &Sources,
    environment: &Environment,
    report: &mut Report,
) -> (Option<T>, Outside) {
    let mut outside = Outside::new();
    for _ in 0..MAX_RUNS {
        let session = Session {
            sources,
            environment,
            report: RefCell::new(std::mem::take(report)),
            effects: RefCell::default(),
            outside: RefCell::new(std::mem::take(&mut outside)),
        };
        let at = At::root(tree, root);
        let outcome = T::deserialize(Place { at, session: &session, made_up: false });
        let outcome = outcome.map_err(|stop| session.record(&at, stop));
        let effects = session.effects.into_inner();
        *report = session.report.into_inner();
        outside = session.outside.into_inner();
        let changed = !effects.is_empty();
        for effect in effects {
            effect.apply(tree);
        }
        match outcome {
            Ok(value) => return (Some(value), outside),
            Err(_) if !changed || report.is_full() => break,
            Err(_) => {}
        }
    }
    (None, outside)
}

/// Why serde stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A required setting is not there.
    Missing(&'static str),
    /// The value refused what it was given, and says what would be right.
    Said(String),
    /// It is in the report, and the tree will answer differently next time.
    Recorded,
}

/// What a mistake changes in the tree, so that the next run gets past it.
enum Effect {
    Poison(NodeId),
    Inject(NodeId, &'static str),
    Rename(NodeId, Box<str>, &'static str),
}

/// What one run needs and leaves behind.
struct Session<'s> {
    sources: &'s Sources,
    environment: &'s Environment,
    report: RefCell<Report>,
    effects: RefCell<Vec<Effect>>,
    outside: RefCell<Outside>,
}

impl Effect {
    fn apply(self, tree: &mut Tree) {
        match self {
            Self::Poison(id) => tree.poison(id),
            Self::Inject(id, name) => tree.inject(id, name),
            Self::Rename(id, written, meant) => tree.rename(id, &written, meant),
        }
    }
}

impl Session<'_> {
    fn push(&self, diagnostic: Diagnostic) {
        self.report.borrow_mut().push(diagnostic);
    }

    fn effect(&self, effect: Effect) {
        self.effects.borrow_mut().push(effect);
    }

    /// Reports a mistake at a place and lets its value be made up from now on.
    fn reject(&self, at: &At<'_>, diagnostic: Diagnostic) {
        if !at.is_tainted() {
            self.push(diagnostic.path(at.path()));
        }
        self.effect(Effect::Poison(at.id()));
    }

    /// Reports why serde stopped at a place, unless that has been done further inside.
    fn record(&self, at: &At<'_>, stop: Stop) -> Stop {
        match stop {
            Stop::Recorded => {}
            Stop::Missing(name) => {
                if !at.is_tainted() {
                    let message = format!("{} is missing", quote(name));
                    let mut diagnostic =
                        Diagnostic::new("missing-setting", at.name_span(), message).path(at.key(name).path());
                    diagnostic.help = Descriptions::get().of(&at.key(name)).map(help_from);
                    self.push(diagnostic);
                }
                self.effect(Effect::Inject(at.id(), name));
            }
            Stop::Said(text) => self.reject(at, Diagnostic::new("bad-value", at.span(), text)),
        }
        Stop::Recorded
    }

    /// A shape that doesn't fit: a list where a section is expected, and so on.
    fn mismatch(&self, at: &At<'_>, wanted: &str, help: Option<String>) {
        let found = &at.node().kind;
        let diagnostic = match found {
            // Whoever wrote nothing did not mean "the default"; `tls:` alone must not mean plain HTTP.
            Kind::Null => Diagnostic::new("empty-setting", at.name_span(), "this setting has no value")
                .help("give it a value, or remove it"),
            Kind::Bad | Kind::Scalar { .. } | Kind::Seq(_) | Kind::Map(_) => {
                let message = format!("{wanted} is expected here, not {}", found.what());
                let mut diagnostic = Diagnostic::new("wrong-shape", at.span(), message);
                diagnostic.help = help;
                diagnostic
            }
        };
        self.reject(at, diagnostic);
    }

    /// A name that a section does not have. If it is a slip, the value counts for the name that was meant.
    fn unknown_setting(
        &self,
        at: &At<'_>,
        written: &str,
        fields: &'static [&'static str],
        section: &str,
    ) -> Option<&'static str> {
        let Kind::Map(entries) = &at.node().kind else { return None };
        let span = entries.get(written)?.key;
        let diagnostic = Diagnostic::new("unknown-setting", span, format!("unknown setting {}", quote(written)))
            .path(at.key(written).path());
        if PLANNED.contains(&written) {
            let mut diagnostic = diagnostic.help("remove it, or it would seem to protect what it does not");
            diagnostic.code = "not-available";
            diagnostic.message = format!("{} is not available in this version", quote(written));
            self.push(diagnostic);
            return None;
        }
        let free = fields.iter().copied().filter(|field| !entries.contains_key(*field));
        let meant = closest(written, free);
        let help = match (meant, Descriptions::get().section_with(section, written)) {
            (Some(meant), _) => format!("did you mean `{meant}`?"),
            (None, Some(elsewhere)) => elsewhere,
            (None, None) => {
                format!("the settings here are {}", one_of(fields.iter().copied()).replace(" or ", " and "))
            }
        };
        self.push(diagnostic.help(help));
        if let Some(meant) = meant {
            self.effect(Effect::Rename(at.id(), written.into(), meant));
        }
        meant
    }

    /// The value behind `{ env: NAME }` or `{ file: PATH }`; `None` if it was reported.
    fn outside(&self, at: &At<'_>, kind: &str, inner: &At<'_>) -> Option<String> {
        let Kind::Scalar { text, .. } = &inner.node().kind else {
            self.mismatch(inner, "a name", None);
            self.effect(Effect::Poison(at.id()));
            return None;
        };
        let (source, value, what) = match kind {
            "env" => {
                let value = self.environment.variable(text).map_err(str::to_owned);
                (ValueSource::Env((**text).into()), value, "the environment variable")
            }
            _ => {
                let path = resolve(self.sources.folder(inner.node().span.file), text);
                let value = self.environment.value_file(&path).map_err(|why| format!("cannot be read: {why}"));
                (ValueSource::File((**text).into()), value, "the file")
            }
        };
        // Good or not: a file that could not be read is watched for the moment when it can.
        self.outside.borrow_mut().insert(at.id(), source);
        match value {
            Ok(value) => Some(value),
            Err(why) => {
                let message = match why.as_str() {
                    NO_NAME => format!("{} {why}", quote(text)),
                    _ => format!("{what} {} {why}", quote(text)),
                };
                let diagnostic = Diagnostic::new("outside-value", inner.span(), message).path(at.path());
                if !at.is_tainted() {
                    self.push(diagnostic);
                }
                self.effect(Effect::Poison(at.id()));
                None
            }
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(formatter, "`{name}` is missing"),
            Self::Said(text) => formatter.write_str(text),
            Self::Recorded => formatter.write_str("reported already"),
        }
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// The only entry of a map, if it names a value from outside the file.
fn outside_entry<'a>(at: &'a At<'a>) -> Option<(&'static str, At<'a>)> {
    let Kind::Map(entries) = &at.node().kind else { return None };
    match entries.first() {
        Some((name, _)) if entries.len() == 1 && &**name == "env" => Some(("env", at.key("env"))),
        Some((name, _)) if entries.len() == 1 && &**name == "file" => Some(("file", at.key("file"))),
        _ => None,
    }
}

/// A description as a help line: one sentence, lower case, no period.
fn help_from(description: &str) -> String {
    let sentence = description.split_once(". ").map_or(description, |(first, _)| first).trim_end_matches('.');
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect::<String>().replace('\n', " "),
        None => String::new(),
    }
}
