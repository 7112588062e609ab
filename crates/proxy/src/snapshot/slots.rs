//! Which version of an API a request is for, where a path segment does not say so: a field, a parameter of the query or of the
//! media types that it accepts. The routes of such versions share their paths, so that each stands in the tables below a segment
//! that no request can have.

use super::Snapshot;
use super::paths::Found;
use portcullis_access::{self as access, Ambiguous};
use portcullis_config::plan::{ApiPlan, HostPattern, Plan, VersionBy};
use portcullis_h1::{Known, RequestHead, is_read_as};
use portcullis_types::{CanonicalTarget, Reason, Refusal, Stage};
use std::borrow::Cow;
use std::sync::Arc;

/// What begins the segment of a version: no canonical target holds it.
const MARK: char = '\u{1}';

/// APIs with versions.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    all: Vec<Slot>,
    /// Whether any of them chooses by anything but the path.
    chooses: bool,
}

#[derive(Debug)]
struct Slot {
    hosts: Vec<HostPattern>,
    base_path: String,
    by: VersionBy,
    /// Names, or segments of paths.
    versions: Vec<Arc<str>>,
    default: Option<Arc<str>>,
    /// `this API has the versions v1, v2, named by the field x-api-version`
    said: String,
}

/// What others see of how a version was chosen.
#[derive(Debug)]
pub(crate) struct Choice {
    by: VersionBy,
    /// Whether servers see nothing of it.
    strips: bool,
    /// Of a version that is chosen by path, what its paths begin with, and what servers get in place of it.
    prefix: (String, String),
}

/// Where the tables keep a route of a version.
pub(super) fn inner(base_path: &str, version: &str, rest: &str) -> String {
    format!("{base_path}/{MARK}{version}{rest}")
}

/// Whether a path is a base path or below it.
pub(super) fn below<'p>(path: &'p str, base_path: &str) -> Option<&'p str> {
    path.strip_prefix(base_path).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

// === impl Slots ===

impl Slots {
    pub(super) fn compile(plan: &Plan) -> Self {
        let mut all: Vec<Slot> = plan.apis.iter().filter_map(Slot::of).collect();
        // The longest base path decides.
        all.sort_by_key(|slot| std::cmp::Reverse(slot.base_path.len()));
        Self { chooses: all.iter().any(|slot| slot.by != VersionBy::Path), all }
    }

    fn at(&self, host: &str, path: &str, chooses: bool) -> Option<&Slot> {
        let fits = |slot: &&Slot| {
            (slot.by != VersionBy::Path) == chooses
                && below(path, &slot.base_path).is_some()
                && slot.hosts.iter().any(|pattern| pattern.fits(host))
        };
        self.all.iter().find(fits)
    }
}

// === impl Slot ===

impl Slot {
    fn of(api: &ApiPlan) -> Option<Self> {
        let by_path = api.version_by == VersionBy::Path;
        let name = |version: &portcullis_config::plan::VersionPlan| match &version.path {
            Some(path) if by_path => Some(Arc::from(path.as_str())),
            Some(_) | None => version.name.clone(),
        };
        let versions: Vec<Arc<str>> = api.versions.iter().filter(|one| one.name.is_some()).filter_map(name).collect();
        if versions.is_empty() {
            return None;
        }
        let default = api.versions.iter().find(|version| version.default).and_then(name);
        let place = match &api.version_by {
            VersionBy::Path => "named by the segment of the path after its base".to_owned(),
            VersionBy::Header(name) => format!("named by the field {name}"),
            VersionBy::Query(name) => format!("named by the parameter {name} of the query"),
            VersionBy::MediaType(name) => format!("named by the parameter {name} of the media types in Accept"),
        };
        let said = format!("this API has the versions {}, {place}", versions.join(", "));
        let (hosts, base_path, by) = (api.hosts.clone(), api.base_path.clone(), api.version_by.clone());
        Some(Self { hosts, base_path, by, versions, default, said })
    }

    /// The version that a request names, or the default one. One that names several has to be refused: who looks at the other
    /// one would take it for another request.
    fn version(&self, head: &RequestHead, query: Option<&str>) -> Result<&Arc<str>, Refusal> {
        let mut named: Vec<Cow<'_, str>> = Vec::new();
        let text = |bytes| String::from_utf8_lossy(<[u8]>::trim_ascii(bytes));
        match &self.by {
            VersionBy::Path => {}
            VersionBy::Header(name) => {
                let lines = head.fields().iter().filter(|line| is_read_as(line.name, name.as_bytes()));
                named.extend(lines.map(|line| text(line.value)));
            }
            VersionBy::Query(name) => {
                // What servers read in several ways would be another version to one of them.
                let value =
                    access::parameter(query.unwrap_or_default(), name).map_err(|_: Ambiguous| self.unknown())?;
                named.extend(value);
            }
            VersionBy::MediaType(name) => {
                let lines = head.fields().all(Known::Accept).flat_map(|line| line.split(|byte| *byte == b','));
                for range in lines {
                    let parts = range.split(|byte| *byte == b';').skip(1);
                    named.extend(parts.filter_map(|part| parameter(part, name)).map(text));
                }
                named.dedup();
            }
        }
        match named.as_slice() {
            [] => self.default.as_ref().ok_or_else(|| self.unknown()),
            [one] => self.versions.iter().find(|version| ***version == **one).ok_or_else(|| self.unknown()),
            [_, _, ..] => Err(self.unknown()),
        }
    }

    fn unknown(&self) -> Refusal {
        let reason = match self.by {
            VersionBy::MediaType(_) => Reason::VersionNotAcceptable,
            VersionBy::Path | VersionBy::Header(_) | VersionBy::Query(_) => Reason::VersionUnknown,
        };
        Refusal::new(Stage::Route, reason, self.said.clone())
    }
}

/// The field that says which version is meant, where one does.
pub(super) fn varying(by: &VersionBy) -> Option<&str> {
    match by {
        VersionBy::Header(name) => Some(name),
        VersionBy::MediaType(_) => Some("accept"),
        VersionBy::Path | VersionBy::Query(_) => None,
    }
}

/// The value of a parameter that is called so, without its quotes.
fn parameter<'p>(part: &'p [u8], name: &str) -> Option<&'p [u8]> {
    let at = part.iter().position(|byte| *byte == b'=')?;
    let (own, value) = part.split_at_checked(at)?;
    let value = value.get(1..)?.trim_ascii();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    own.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then_some(value)
}

// === impl Choice ===

impl Choice {
    /// `prefix` is what the paths of the route begin with. Nothing where nobody else has to know.
    pub(super) fn compile(api: &ApiPlan, prefix: &str) -> Option<Box<Self>> {
        let has_versions = api.versions.iter().any(|version| version.name.is_some());
        if !has_versions || (api.version_by == VersionBy::Path && !api.strip_version) {
            return None;
        }
        let prefix = (prefix.to_owned(), api.base_path.clone());
        Some(Box::new(Self { by: api.version_by.clone(), strips: api.strip_version, prefix }))
    }

    /// What caches have to know: the field that the answer depends on.
    pub(crate) fn vary(&self) -> Option<&str> {
        varying(&self.by)
    }

    /// Whether a field is for us alone.
    pub(crate) fn hides(&self, field: &[u8]) -> bool {
        matches!(&self.by, VersionBy::Header(name) if self.strips && is_read_as(field, name.as_bytes()))
    }

    /// The value of `Accept` as a server may see it, where it is another one.
    pub(crate) fn accept(&self, value: &[u8]) -> Option<Vec<u8>> {
        let VersionBy::MediaType(name) = &self.by else { return None };
        if !self.strips {
            return None;
        }
        let range = |range: &[u8]| -> Vec<u8> {
            let parts = range.split(|byte| *byte == b';').enumerate();
            let kept = parts.filter(|(at, part)| *at == 0 || parameter(part, name).is_none()).map(|(_, part)| part);
            kept.collect::<Vec<_>>().join(&b';')
        };
        Some(value.split(|byte| *byte == b',').map(range).collect::<Vec<_>>().join(&b','))
    }

    /// A query without what names the version, where it named one.
    pub(crate) fn query(&self, query: &str) -> Option<String> {
        let VersionBy::Query(name) = &self.by else { return None };
        let is_ours = |pair: &str| access::parameter(pair, name).is_ok_and(|value| value.is_some());
        let hides = self.strips && query.split('&').any(is_ours);
        hides.then(|| query.split('&').filter(|pair| !is_ours(pair)).collect::<Vec<_>>().join("&"))
    }

    /// A target as a server may see it, where it is another one.
    pub(crate) fn target(&self, target: &CanonicalTarget) -> Option<String> {
        match &self.by {
            VersionBy::Path if self.strips => {
                let (prefix, base) = &self.prefix;
                let rest = below(target.path(), prefix)?;
                let path = format!("{base}{rest}");
                let path = if path.is_empty() { "/" } else { &path };
                Some(target.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
            }
            VersionBy::Query(_) => {
                let left = self.query(target.query()?)?;
                let path = target.path();
                Some(if left.is_empty() { path.to_owned() } else { format!("{path}?{left}") })
            }
            VersionBy::Path | VersionBy::Header(_) | VersionBy::MediaType(_) => None,
        }
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The route of a request with this method.
    ///
    /// # Errors
    /// The API has versions, and the request names none of them.
    pub(crate) fn locate(
        &self,
        (head, target): (&RequestHead, &CanonicalTarget),
        host: &str,
        method: &[u8],
    ) -> Result<Found<'_>, Refusal> {
        let plain = self.hosts.find(host, target.path(), method);
        if !self.slots.chooses {
            return Ok(plain);
        }
        let Some(slot) = self.chooser(host, target.path(), &plain) else { return Ok(plain) };
        let version = match (slot.version(head, target.query()), plain) {
            (Ok(version), _) => version,
            (Err(refusal), Found::Nothing) => return Err(refusal),
            (Err(_), plain) => return Ok(plain),
        };
        let rest = below(target.path(), &slot.base_path).unwrap_or_default();
        match self.hosts.find(host, &inner(&slot.base_path, version, rest), method) {
            Found::Nothing => Ok(plain),
            found @ (Found::Route(_) | Found::OtherMethods(_)) => Ok(found),
        }
    }

    /// The API that chooses versions at a path by something else than the path.
    fn chooser(&self, host: &str, path: &str, plain: &Found<'_>) -> Option<&Slot> {
        let slot = self.slots.at(host, path, true)?;
        // A table of the very host decides before one of a looser pattern.
        let is_own = slot.hosts.iter().any(|pattern| pattern.is_exactly(host));
        (*plain == Found::Nothing || is_own || !self.hosts.names(host)).then_some(slot)
    }

    /// The route that a preflight is about. It comes without the fields of the request that it asks for (the Fetch standard, section
    /// 4.8), so that it cannot say which version that will be for: where a field says so, any version that has the route will do,
    /// because who may call from a page is the API's business.
    pub(crate) fn announced(&self, from: (&RequestHead, &CanonicalTarget), host: &str, method: &[u8]) -> Option<usize> {
        if let Ok(Found::Route(index)) = self.locate(from, host, method) {
            return Some(index);
        }
        let path = from.1.path();
        let slot = self.chooser(host, path, &self.hosts.find(host, path, method))?;
        if !matches!(slot.by, VersionBy::Header(_) | VersionBy::MediaType(_)) {
            return None;
        }
        let rest = below(path, &slot.base_path)?;
        // The last version is the one that is least likely to be over.
        slot.versions.iter().rev().find_map(|version| {
            match self.hosts.find(host, &inner(&slot.base_path, version, rest), method) {
                Found::Route(index) => Some(index),
                Found::OtherMethods(_) | Found::Nothing => None,
            }
        })
    }

    /// What is said where nothing is: where an API with versions stands, which there are.
    pub(crate) fn nothing(&self, host: &str, path: &str) -> Refusal {
        let refuse = |detail| Refusal::new(Stage::Route, Reason::RouteNotFound, detail);
        let nowhere: Cow<'static, str> = "no API answers to this host and path".into();
        let Some(slot) = self.slots.at(host, path, false) else { return refuse(nowhere) };
        let rest = below(path, &slot.base_path).unwrap_or_default().trim_start_matches('/');
        // Within a version it is the rest that nobody knows.
        let is_known = slot.versions.iter().any(|version| below(rest, version).is_some());
        refuse(if is_known { nowhere } else { format!("{nowhere}; {}", slot.said).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;
    use portcullis_config::plan::VersionBy;

    fn choice(by: VersionBy) -> Choice {
        Choice { by, strips: true, prefix: ("/orders/v1".to_owned(), "/orders".to_owned()) }
    }

    #[test]
    fn servers_see_nothing_of_the_choice() {
        let by_type = choice(VersionBy::MediaType("version".to_owned()));
        for (accept, expected) in [
            ("application/json; version=v2", "application/json"),
            ("application/json;q=0.9;Version=\"v2\";a=b, text/html", "application/json;q=0.9;a=b, text/html"),
            ("*/*", "*/*"),
        ] {
            assert_eq!(String::from_utf8(by_type.accept(accept.as_bytes()).unwrap()).unwrap(), expected);
        }
        let by_query = choice(VersionBy::Query("v".to_owned()));
        for (query, expected) in [
            ("v=1&a=2", Some("a=2")),
            ("a=2&v=1", Some("a=2")),
            ("v=1", Some("")),
            ("w=1&v=%31", Some("w=1")),
            ("w=1", None),
        ] {
            assert_eq!(by_query.query(query).as_deref(), expected, "{query}");
        }
        let by_field = choice(VersionBy::Header("x-version".to_owned()));
        assert!(by_field.hides(b"X-Version") && by_field.hides(b"x_version") && !by_field.hides(b"X-Versions"));
        assert_eq!((by_field.vary(), by_type.vary(), by_query.vary()), (Some("x-version"), Some("accept"), None));
    }
}
