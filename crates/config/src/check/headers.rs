//! What answers tell browsers to refuse: fields that can be said, and that are not the gateway's to decide otherwise.

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{HeaderProfile, Headers};
use crate::plan::{HeadersPlan, RoutePlan, VersionPlan};
use crate::tree::At;

/// LIMIT: fields that are set, and bytes of a value.
const MAX_FIELDS: usize = 32;
const MAX_VALUE: usize = 4_096;

/// Fields that the gateway answers for elsewhere, or that frame a message.
pub(super) const TAKEN: [&str; 22] = [
    "age",
    "allow",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "deprecation",
    "keep-alive",
    "link",
    "location",
    "proxy-status",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "set-cookie",
    "sunset",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
    "x-request-id",
];

impl Check<'_> {
    /// Where reports come: below the base path, and nowhere else.
    fn reports(&mut self, written: &Headers, at: &At<'_>) -> Option<String> {
        let path = written.reports.as_ref()?;
        let place = at.key("reports");
        let names = |name: &&String| name.eq_ignore_ascii_case("reporting-endpoints");
        if let Some(name) = written.set.iter().flat_map(|set| set.keys()).find(names) {
            let set = at.key("set");
            let item = set.key(name);
            let diagnostic = Diagnostic::new("contradiction", item.name_span(), "`reports` says where reports come")
                .also(place.name_span(), "said here")
                .help("remove one of the two");
            self.reject(&item, diagnostic);
        }
        let is_field =
            path.0.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b';' | b',' | b'\\'));
        if path.0.is_empty() || !is_field {
            let diagnostic = self.wrong(&place, "bad-value", "reports cannot come there");
            self.reject(&place, diagnostic.help("write a path of its own, such as `/.reports`"));
            return None;
        }
        Some(path.0.clone())
    }

    /// Routes that stand where reports come, and would never be asked.
    pub(super) fn reports_over_routes(&mut self, plan: &HeadersPlan, at: &At<'_>, versions: &[VersionPlan]) {
        let Some(reports) = &plan.reports else { return };
        let place = at.key("headers");
        let covers = |version: &VersionPlan, route: &RoutePlan| {
            let path = version.path.as_ref().map(|path| format!("/{path}{}", route.template));
            path.as_ref() == Some(reports) || ((path.is_none() || version.default) && route.template == *reports)
        };
        let mut routes = versions.iter().flat_map(|version| version.routes.iter().map(move |route| (version, route)));
        if let Some((_, route)) = routes.find(|(version, route)| covers(version, route)) {
            let message = format!("reports come where the route `{}` is", route.id);
            let diagnostic = Diagnostic::new("same-place", place.name_span(), message);
            self.reject(&place, diagnostic.help("choose another path for `headers.reports`"));
        }
    }

    pub(super) fn headers(&mut self, written: Option<&Headers>, at: &At<'_>) -> Option<HeadersPlan> {
        let written = written?;
        let mut plan = match written.profile {
            None | Some(HeaderProfile::Api) => HeadersPlan::default(),
            Some(HeaderProfile::Browser) => HeadersPlan::browser(),
            Some(HeaderProfile::Portal) => HeadersPlan::portal(),
        };
        plan.reports = self.reports(written, at);
        let set = at.key("set");
        if written.set.as_ref().is_some_and(|set| set.len() > MAX_FIELDS) {
            let diagnostic = Diagnostic::new("too-large", set.name_span(), format!("more than {MAX_FIELDS} fields"));
            self.reject(&set, diagnostic.help("let the servers say what is theirs"));
        }
        for (name, value) in written.set.iter().flatten() {
            let item = set.key(name);
            let lower = name.to_ascii_lowercase();
            if !is_field_name(name) {
                let message = format!("{} is not the name of a field", crate::diagnostic::quote(name));
                let diagnostic = Diagnostic::new("bad-name", item.name_span(), message);
                self.reject(&item, diagnostic.help("letters, digits and `-`, without a colon"));
                continue;
            }
            if TAKEN.contains(&lower.as_str()) || lower.starts_with("access-control-") {
                let message = format!("{} is not said here", crate::diagnostic::quote(name));
                let help =
                    "`cors` says who may read answers; other fields of this name are the gateway's or the server's own";
                self.reject(&item, Diagnostic::new("not-yours", item.name_span(), message).help(help));
                continue;
            }
            let is_value = value.0.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.0.len() <= MAX_VALUE;
            if !is_value || value.0.trim() != value.0 || value.0.is_empty() {
                let diagnostic = self.wrong(&item, "bad-value", "it cannot be the value of a field");
                self.reject(&item, diagnostic.help("printable ASCII, without blanks at its ends"));
                continue;
            }
            if lower == "strict-transport-security" {
                plan.transport_security.clone_from(&value.0);
                continue;
            }
            match plan.fields.iter_mut().find(|(known, _)| *known == lower) {
                Some((_, known)) => known.clone_from(&value.0),
                None => plan.fields.push((lower, value.0.clone())),
            }
        }
        Some(plan)
    }
}

/// Whether a field of ours or of a server can have this name; less than RFC 9110 section 5.6.2 allows.
pub(super) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
