//! What a bundle holds: its version, its end, rules and virtual patches.

use crate::condition::{Condition, ConditionForm, Target};
use crate::judge::place;
use portcullis_types::civil::Date;
use serde::Deserialize;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// LIMIT: bytes of any bundle, whatever a configuration allows.
pub const BUNDLE_BYTES_CAP: u64 = 16 << 20;
/// LIMIT: patches of a bundle.
const PATCHES_MAX: usize = 1_000;
/// LIMIT: conditions of a patch.
const CONDITIONS_MAX: usize = 32;
/// LIMIT: methods of a patch.
const METHODS_MAX: usize = 16;
/// LIMIT: bytes of the name of a bundle or a patch, which become labels of metrics.
const ID_BYTES_MAX: usize = 64;
/// LIMIT: bytes of a reason.
const REASON_BYTES_MAX: usize = 200;
const DAY_S: u64 = 86_400;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleForm {
    name: String,
    version: u64,
    expires: String,
    #[serde(default)]
    patches: Vec<PatchForm>,
    rules: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatchForm {
    id: String,
    reason: String,
    action: ActionForm,
    api: String,
    operation: Option<String>,
    route: Option<String>,
    #[serde(default)]
    methods: Vec<String>,
    when: Vec<ConditionForm>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionForm {
    Refuse,
    Observe,
}

/// A bundle, checked.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Whose it is.
    pub name: String,
    /// Which of his it is; a later one has a greater number.
    pub version: u64,
    /// The last day on which it may be taken over, `2026-12-31`.
    pub expires: String,
    /// The end of that day in UTC, in seconds since 1970.
    pub expires_s: u64,
    /// Its patches, in order.
    pub patches: Vec<Arc<Patch>>,
    /// Rules in SecLang.
    pub rules: Option<String>,
}

/// A virtual patch: requests that it is about are refused although their route would serve them.
#[derive(Debug)]
pub struct Patch {
    /// What it is called.
    pub id: Box<str>,
    /// Why it is there: a CVE, or some words.
    pub reason: Box<str>,
    /// What it does.
    pub action: Action,
    api: Box<str>,
    operation: Option<Box<str>>,
    route: Option<Box<str>>,
    pub(crate) methods: Vec<Box<str>>,
    pub(crate) conditions: Vec<Condition>,
}

/// What a patch does to requests that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It refuses them.
    Refuse,
    /// It has them noted.
    Observe,
}

/// What is wrong with a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleError(String);

// === impl Bundle ===

impl Bundle {
    /// Reads a bundle that was opened already: whoever reads one that nobody signed reads what anybody wrote.
    ///
    /// # Errors
    /// The first thing that is wrong with it. None of it counts then.
    pub fn read(text: &str) -> Result<Self, BundleError> {
        let form: BundleForm = serde_json::from_str(text).map_err(|error| BundleError(error.to_string()))?;
        identifier(&form.name).map_err(|why| BundleError(format!("name: {why}")))?;
        if form.version == 0 {
            return Err(BundleError("version: versions count from 1".to_owned()));
        }
        let last =
            day(&form.expires).ok_or_else(|| BundleError("expires: it is no day, as in 2026-12-31".to_owned()))?;
        if form.patches.len() > PATCHES_MAX {
            return Err(BundleError(format!("it has more than {PATCHES_MAX} patches")));
        }
        if form.patches.is_empty() && form.rules.is_none() {
            return Err(BundleError("it has neither patches nor rules".to_owned()));
        }
        let mut patches = Vec::with_capacity(form.patches.len());
        let mut names = HashSet::new();
        for (index, patch) in form.patches.iter().enumerate() {
            let named = |why: String| BundleError(format!("patch {} ({}): {why}", index + 1, shown(&patch.id)));
            let made = Patch::of(patch).map_err(named)?;
            if !names.insert(made.id.clone()) {
                return Err(named("another one has this id".to_owned()));
            }
            patches.push(Arc::new(made));
        }
        let expires_s = last.saturating_add(1).saturating_mul(DAY_S);
        let BundleForm { name, version, expires, rules, .. } = form;
        Ok(Self { name, version, expires, expires_s, patches, rules })
    }

    /// Whether its last day is over.
    #[must_use]
    pub fn is_expired(&self, now_s: u64) -> bool {
        now_s >= self.expires_s
    }
}

/// The number of a day since 1970.
fn day(text: &str) -> Option<u64> {
    let mut parts =
        text.split('-').map(|part| part.parse::<i64>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())));
    let date = Date { year: parts.next()??, month: parts.next()??, day: parts.next()?? };
    (text.len() == 10 && parts.next().is_none() && date.exists()).then(|| u64::try_from(date.day_number()).ok())?
}

// === impl Patch ===

impl Patch {
    fn of(form: &PatchForm) -> Result<Self, String> {
        identifier(&form.id).map_err(|why| format!("id: {why}"))?;
        let plain = |text: &str| !text.chars().any(char::is_control);
        if form.reason.is_empty() || form.reason.len() > REASON_BYTES_MAX || !plain(&form.reason) {
            return Err(format!("reason: 1 to {REASON_BYTES_MAX} bytes on one line, such as a CVE"));
        }
        if form.operation.is_some() && form.route.is_some() {
            return Err("`operation` and `route` both say which route is meant; write one".to_owned());
        }
        if form.methods.len() > METHODS_MAX || form.when.len() > CONDITIONS_MAX {
            return Err(format!("it has at most {METHODS_MAX} methods and {CONDITIONS_MAX} conditions"));
        }
        if form.methods.iter().any(|method| method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            return Err("methods: they are written in capitals, as in GET".to_owned());
        }
        let condition = |(index, form): (usize, &ConditionForm)| {
            Condition::of(form).map_err(|why| format!("condition {}: {why}", index + 1))
        };
        Ok(Self {
            id: form.id.as_str().into(),
            reason: form.reason.as_str().into(),
            action: match form.action {
                ActionForm::Refuse => Action::Refuse,
                ActionForm::Observe => Action::Observe,
            },
            api: form.api.as_str().into(),
            operation: form.operation.as_deref().map(Into::into),
            route: form.route.as_deref().map(Into::into),
            methods: form.methods.iter().map(|method| method.as_str().into()).collect(),
            conditions: form.when.iter().enumerate().map(condition).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it is about a route: by its API, its operation and its whole template.
    #[must_use]
    pub fn is_for(&self, api: &str, operation: &str, template: &str) -> bool {
        let is = |wanted: &Option<Box<str>>, have: &str| wanted.as_deref().is_none_or(|wanted| wanted == have);
        (&*self.api == "*" || &*self.api == api)
            && is(&self.operation, operation)
            && is(&self.route, template)
            && self.parameters().all(|name| place(template, name).is_some())
    }

    /// Whether it has to see bodies.
    #[must_use]
    pub fn asks_body(&self) -> bool {
        self.conditions.iter().any(Condition::asks_body)
    }

    /// What it says of where it applies, for people.
    #[must_use]
    pub fn place(&self) -> String {
        let methods: Vec<&str> = self.methods.iter().map(|method| &**method).collect();
        let which = self.operation.as_deref().or(self.route.as_deref()).unwrap_or("*");
        let api = &self.api;
        if methods.is_empty() { format!("{api} {which}") } else { format!("{api} {} {which}", methods.join(",")) }
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match &condition.target {
            Target::PathParameter(name) => Some(name.as_str()),
            Target::Query(_)
            | Target::Header(_)
            | Target::Path
            | Target::Body
            | Target::BodyField(_)
            | Target::FormField(_) => None,
        })
    }
}

// === impl Action ===

impl Action {
    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Observe => "observe",
        }
    }
}

// === impl BundleError ===

impl fmt::Display for BundleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BundleError {}

fn identifier(text: &str) -> Result<(), String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    match is_plain && (1..=ID_BYTES_MAX).contains(&text.len()) {
        true => Ok(()),
        false => Err(format!("1 to {ID_BYTES_MAX} letters, digits, `_`, `-` or `.`")),
    }
}

fn shown(id: &str) -> String {
    id.chars().filter(|character| !character.is_control()).take(ID_BYTES_MAX).collect()
}
