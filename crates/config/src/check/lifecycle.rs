//! The end of a version: an end before its beginning, times that never come, links that no field can hold.

use std::sync::Arc;

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{self, Api, Version};
use crate::plan::{LifecyclePlan, VersionBy, VersionPlan};
use crate::scalar::Text;
use crate::tree::At;

/// LIMIT: announced outages of one version.
const MAX_BROWNOUTS: usize = 100;
/// LIMIT: callers who are served then all the same.
const MAX_EXEMPT: usize = 1_000;
/// LIMIT: characters of what says which version is meant.
const MAX_SELECTOR_CHARS: usize = 64;
/// Fields that mean something else to everybody, or never reach the choice of a version.
const TAKEN_FIELDS: [&str; 10] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "te",
    "transfer-encoding",
];

impl Check<'_> {
    pub(super) fn lifecycle(&mut self, version: &Version, at: &At<'_>) -> Option<LifecyclePlan> {
        let (deprecated_at, sunset_at) =
            (version.deprecated_at.map(|when| when.unix), version.sunset_at.map(|when| when.unix));
        let says_nothing = deprecated_at.is_none() && sunset_at.is_none();
        if let (Some(deprecated), Some(sunset)) = (deprecated_at, sunset_at)
            && sunset < deprecated
        {
            // RFC 9745 section 4: a resource is not gone before it is deprecated.
            let (end, begin) = (at.key("sunset_at"), at.key("deprecated_at"));
            let diagnostic = self
                .wrong(&end, "contradiction", "the version would be gone before it is deprecated")
                .also(begin.span(), "deprecated here")
                .help("`sunset_at` is the later one of the two");
            self.reject(&end, diagnostic);
        }
        if let (Some(_), true) = (&version.deprecation_link, says_nothing) {
            let link = at.key("deprecation_link");
            let message = "`deprecation_link` has no effect, because the version is neither deprecated nor to be gone";
            let diagnostic = Diagnostic::new("no-effect", link.name_span(), message)
                .help("add `deprecated_at` or `sunset_at`, or remove it");
            self.reject(&link, diagnostic);
        }
        let link = version.deprecation_link.as_ref().map(|link| link.0.clone());
        if let Some(link) = &link {
            self.link(link, &at.key("deprecation_link"));
        }
        let brownouts = self.brownouts(version, at);
        let exempt = self.brownout_exempt(version, at);
        let plan = LifecyclePlan { deprecated_at, sunset_at, link, successor: None, brownouts, exempt };
        (!says_nothing || !plan.brownouts.is_empty()).then_some(plan)
    }

    /// A link stands between angle brackets in a field (RFC 8288 section 3).
    fn link(&mut self, link: &str, at: &At<'_>) {
        let fits = |byte: u8| {
            byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        };
        let is_page = link.starts_with("https://") || link.starts_with("http://") || link.starts_with('/');
        if !is_page || !link.bytes().all(fits) {
            let message = format!("{} is not a link", self.shown(at, link));
            let diagnostic =
                self.wrong(at, "bad-value", message).help("for example `https://developers.example.com/v2`");
            self.reject(at, diagnostic);
        }
    }

    /// Who is served at times when others are not.
    fn brownout_exempt(&mut self, version: &Version, at: &At<'_>) -> Vec<String> {
        let Some(written) = &version.brownout_exempt else { return Vec::new() };
        let list = at.key("brownout_exempt");
        if version.brownouts.is_none() {
            let message = "`brownout_exempt` has no effect, because the version has no `brownouts`";
            let diagnostic = Diagnostic::new("no-effect", list.name_span(), message);
            self.reject(&list, diagnostic.help("add `brownouts`, or remove it"));
        }
        if written.is_empty() || written.len() > MAX_EXEMPT {
            let diagnostic = Diagnostic::new("bad-list", list.name_span(), "there are none of them, or too many");
            self.reject(&list, diagnostic.help(format!("name 1 to {MAX_EXEMPT} consumers, or leave it out")));
        }
        written.iter().map(|name| name.0.clone()).collect()
    }

    /// How requests say which version they are for, and whether servers see it.
    pub(super) fn version_by(&mut self, api: &Api, at: &At<'_>) -> (VersionBy, bool) {
        let (section, strip) = (at.key("version_by"), at.key("strip_version"));
        let versions = api.versions.as_ref();
        for (place, is_there) in [(&section, api.version_by.is_some()), (&strip, api.strip_version.is_some())] {
            if is_there && versions.is_none() && !at.key("versions").is_tainted() {
                let diagnostic = Diagnostic::new("no-effect", place.name_span(), "the API has no versions");
                self.reject(place, diagnostic.help("add `versions`, or remove it"));
            }
        }
        let lower = |text: &Text| text.0.to_ascii_lowercase();
        let plan = match &api.version_by {
            None | Some(file::VersionBy::Path) => VersionBy::Path,
            Some(file::VersionBy::Header(name)) => VersionBy::Header(lower(name)),
            Some(file::VersionBy::Query(name)) => VersionBy::Query(name.0.clone()),
            Some(file::VersionBy::MediaType(name)) => VersionBy::MediaType(lower(name)),
        };
        let (kind, name) = match &plan {
            VersionBy::Path => return (plan, api.strip_version.is_some_and(|flag| flag.0)),
            VersionBy::Header(name) => ("header", name),
            VersionBy::Query(name) => ("query", name),
            VersionBy::MediaType(name) => ("media_type", name),
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let item = section.key(kind);
        if name.is_empty() || name.len() > MAX_SELECTOR_CHARS || !name.bytes().all(is_plain) || name == "q" {
            let message = format!("{} cannot say which version is meant", self.shown(&item, name));
            let diagnostic = self.wrong(&item, "bad-name", message);
            self.reject(&item, diagnostic.help("letters, digits, `-`, `_` and `.`, such as `X-API-Version`"));
        } else if kind == "header" && TAKEN_FIELDS.contains(&name.as_str()) {
            let message = format!("{} says something else", self.shown(&item, name));
            let diagnostic = self.wrong(&item, "not-yours", message);
            self.reject(&item, diagnostic.help("choose a field of its own, such as `X-API-Version`"));
        }
        let all = at.key("versions");
        for (name, _) in versions.into_iter().flatten().filter(|(_, version)| version.path.is_some()) {
            let version_at = all.key(name);
            let path = version_at.key("path");
            let message = "`path` has no effect, because `version_by` does not choose by path";
            let diagnostic = Diagnostic::new("no-effect", path.name_span(), message);
            self.reject(&path, diagnostic.help("remove it; the version is chosen by its name"));
        }
        (plan, api.strip_version.is_none_or(|flag| flag.0))
    }

    fn brownouts(&mut self, version: &Version, at: &At<'_>) -> Vec<(i64, i64)> {
        let Some(written) = &version.brownouts else { return Vec::new() };
        let list = at.key("brownouts");
        if written.is_empty() || written.len() > MAX_BROWNOUTS {
            let diagnostic = Diagnostic::new("bad-list", list.name_span(), "there are none of them, or too many");
            self.reject(&list, diagnostic.help(format!("write 1 to {MAX_BROWNOUTS}, or leave `brownouts` out")));
        }
        let mut all = Vec::new();
        for (index, brownout) in written.iter().enumerate() {
            let item = list.index(index);
            let until = item.key("until");
            let gone = version.sunset_at.is_some_and(|sunset| brownout.from.unix >= sunset.unix);
            let diagnostic = if brownout.until.unix <= brownout.from.unix {
                self.wrong(&until, "contradiction", "it is over before it begins")
                    .help("`until` is the later one of the two")
            } else if gone {
                self.wrong(&until, "no-effect", "the version is gone by then")
                    .help("remove it, or choose an earlier time")
            } else {
                all.push((brownout.from.unix, brownout.until.unix));
                continue;
            };
            self.reject(&until, diagnostic);
        }
        all
    }

    /// What callers of the other versions are told to use.
    pub(super) fn successors(base_path: &str, plans: &mut [VersionPlan]) {
        let default = plans.iter().find(|plan| plan.default);
        let path = default.and_then(|plan| plan.path.as_ref()).map(|path| format!("{base_path}/{path}"));
        for plan in plans.iter_mut().filter(|plan| !plan.default) {
            if let Some(life) = &mut plan.lifecycle {
                Arc::make_mut(life).successor.clone_from(&path);
            }
        }
    }
}
