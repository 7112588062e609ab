//! Which versions something is about. All are in one order (SemVer 2.0.0 section 11, in which a pre-release stands before what it leads
//! to), where cargo's own requirements leave pre-releases out: a release candidate of a hole has the hole.

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::ops::RangeBounds as _;

/// Versions between two ends.
pub(super) type Span = (Bound<Version>, Bound<Version>);

/// Whether a version is in a span. What it was built from does not order it.
pub(super) fn holds(span: &Span, version: &Version) -> bool {
    let version = Version { build: BuildMetadata::EMPTY, ..version.clone() };
    span.contains(&version)
}

/// What a requirement is about: all of its parts at once.
pub(super) fn meets(requirement: &VersionReq, version: &Version) -> bool {
    requirement.comparators.iter().all(|part| span(part).is_some_and(|span| holds(&span, version)))
}

/// `None` for what a later version of the library might have, which meets nothing.
fn span(part: &Comparator) -> Option<Span> {
    let low = Version {
        major: part.major,
        minor: part.minor.unwrap_or(0),
        patch: part.patch.unwrap_or(0),
        pre: part.pre.clone(),
        build: BuildMetadata::EMPTY,
    };
    // Before every pre-release of what comes after.
    let major = || first(part.major.saturating_add(1), 0, 0);
    let minor = |minor: u64| first(part.major, minor.saturating_add(1), 0);
    let patch = |minor: u64, patch: u64| first(part.major, minor, patch.saturating_add(1));
    let after_part = || match (part.minor, part.patch) {
        (None, _) => Excluded(major()),
        (Some(number), None) => Excluded(minor(number)),
        (Some(_), Some(_)) => Included(low.clone()),
    };
    Some(match part.op {
        Op::Exact | Op::Wildcard => (Included(low.clone()), after_part()),
        Op::Greater => match after_part() {
            Included(end) => (Excluded(end), Unbounded),
            Excluded(end) => (Included(end), Unbounded),
            Unbounded => return None,
        },
        Op::GreaterEq => (Included(low), Unbounded),
        Op::Less => (Unbounded, Excluded(low)),
        Op::LessEq => (Unbounded, after_part()),
        Op::Tilde => (Included(low), Excluded(part.minor.map_or_else(major, minor))),
        Op::Caret => {
            let end = match (part.major, part.minor, part.patch) {
                (1.., _, _) | (_, None, _) => major(),
                (0, Some(number @ 1..), _) | (0, Some(number), None) => minor(number),
                (0, Some(0), Some(number)) => patch(0, number),
            };
            (Included(low), Excluded(end))
        }
        _ => return None,
    })
}

/// The first pre-release of a version.
fn first(major: u64, minor: u64, patch: u64) -> Version {
    Version { pre: Prerelease::new("0").unwrap_or(Prerelease::EMPTY), ..Version::new(major, minor, patch) }
}
