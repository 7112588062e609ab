//! What the contract marks of a target: segments of the path and parameters of the query that no record shows, whoever calls.

use portcullis_config::plan::RoutePlan;
use portcullis_contract::{Location, decoded_name};
use std::borrow::Cow;

/// What stands in a record in place of a marked value.
const HIDDEN: &[u8] = b"[marked]";

/// Places of a target that are marked.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// Segments of the path, the first being 0.
    segments: Vec<usize>,
    /// Names of query parameters.
    names: Vec<String>,
}

// === impl Marked ===

impl Marked {
    /// `template` is that of the whole path.
    pub(super) fn of(route: &RoutePlan, template: &str) -> Self {
        let mut marked = Self::default();
        let Some(contract) = &route.contract else { return marked };
        let engine = &contract.plan.contract;
        if !engine.has_marks() {
            return marked;
        }
        // The names of the document may be others than those of the route; their order is the same.
        let segments = template.split('/').skip(1).enumerate();
        let holes = segments.flat_map(|(at, text)| std::iter::repeat_n(at, text.matches('{').count()));
        let holes: Vec<usize> = holes.collect();
        let all = engine.operations();
        for operation in contract.operations.iter().filter_map(|(_, index)| all.get(*index)) {
            for (location, name, _) in engine.marked_parameters(operation) {
                match location {
                    Location::Path => {
                        let place = operation.path_names().position(|own| own == name);
                        marked.segments.extend(place.and_then(|place| holes.get(place)));
                    }
                    Location::Query => marked.names.push(name.to_owned()),
                    // Records show no fields.
                    Location::Header | Location::Cookie => {}
                }
            }
        }
        marked
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.names.is_empty()
    }

    /// Whether a parameter of the query is marked, or stands within one: `filter[mail]` within `filter`. Names are written with
    /// escapes in a target. What cannot be read is not shown.
    fn hides(&self, name: &[u8]) -> bool {
        let Some(name) = std::str::from_utf8(name).ok().and_then(decoded_name) else {
            return !self.names.is_empty();
        };
        let is_within =
            |own: &String| name.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
        self.names.iter().any(is_within)
    }

    /// A target without what is marked; nothing where it holds none of it.
    pub(super) fn hide(&self, target: &[u8]) -> Option<Vec<u8>> {
        let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
        let (path, query) = target.split_at_checked(end)?;
        let mut parts: Vec<Cow<'_, [u8]>> = Vec::new();
        let mut is_hidden = false;
        for (at, segment) in path.split(|byte| *byte == b'/').enumerate() {
            let hides = at.checked_sub(1).is_some_and(|at| self.segments.contains(&at)) && !segment.is_empty();
            is_hidden |= hides;
            parts.push(if hides { HIDDEN.into() } else { segment.into() });
        }
        let mut shown = parts.join(&b'/');
        if let Some(query) = query.strip_prefix(b"?") {
            let pairs = query.split(|byte| *byte == b'&').map(|pair| {
                let at = pair.iter().position(|byte| *byte == b'=');
                let name = at.and_then(|at| pair.get(..at)).unwrap_or(pair);
                let hides = at.is_some() && self.hides(name);
                is_hidden |= hides;
                if hides { [name, b"=", HIDDEN].concat().into() } else { Cow::Borrowed(pair) }
            });
            let pairs: Vec<Cow<'_, [u8]>> = pairs.collect();
            shown.push(b'?');
            shown.extend_from_slice(&pairs.join(&b'&'));
        }
        is_hidden.then_some(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::Marked;

    #[test]
    fn marked_parts_are_hidden() {
        let marked = Marked { segments: vec![1, 3], names: vec!["mail".to_owned()] };
        for (target, expected) in [
            ("/users/ada/x/1", Some("/users/[marked]/x/[marked]")),
            ("/users/ada?mail=a@b&page=2&mail=", Some("/users/[marked]?mail=[marked]&page=2&mail=[marked]")),
            ("/users?mail&mails=1", None),
            ("/users?mail%5Bwork%5D=a&m%61il=b", Some("/users?mail%5Bwork%5D=[marked]&m%61il=[marked]")),
            ("/users", None),
            ("/users//x", None),
        ] {
            let shown = marked.hide(target.as_bytes()).map(|shown| String::from_utf8(shown).unwrap());
            assert_eq!(shown.as_deref(), expected, "{target}");
        }
    }
}
