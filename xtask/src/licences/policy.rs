//! What deny.toml says, as far as this repository uses its format.

use crate::toml;

/// The lists of deny.toml.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) targets: Vec<String>,
    pub(super) bans: Vec<Ban>,
    allowed: Vec<String>,
    /// Package and licence: allowed for this package alone.
    exceptions: Vec<(String, String)>,
}

/// A package that must not be in the tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ban {
    name: String,
    /// Versions below this one; without it, all.
    below: Option<Vec<u64>>,
    pub(super) reason: String,
    /// Packages that may depend on it all the same.
    pub(super) wrappers: Vec<String>,
}

impl Policy {
    pub(super) fn read(text: &str) -> Policy {
        let mut policy = Policy::default();
        for entry in toml::entries(text) {
            let owned = |value: &str| toml::strings(value).into_iter().map(str::to_owned).collect::<Vec<_>>();
            match (entry.table.as_str(), entry.key.as_str()) {
                ("graph", "targets") => policy.targets = owned(&entry.value),
                ("licenses", "allow") => policy.allowed = owned(&entry.value),
                ("licenses", "exceptions") => policy.exceptions = tables(&entry.value).flat_map(exceptions).collect(),
                ("bans", "deny") => policy.bans = tables(&entry.value).filter_map(ban).collect(),
                _ => {}
            }
        }
        policy
    }

    pub(super) fn allows(&self, package: &str, licence: &str) -> bool {
        let excepted = self.exceptions.iter().any(|(name, allowed)| name == package && allowed == licence);
        excepted || self.allowed.iter().any(|allowed| allowed == licence)
    }
}

impl Ban {
    pub(super) fn hits(&self, name: &str, version: &str) -> bool {
        self.name == name && self.below.as_ref().is_none_or(|below| numbers(version) < *below)
    }
}

/// The inline tables of a list.
fn tables(value: &str) -> impl Iterator<Item = &str> {
    value.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// The strings of the list that belongs to a key of an inline table.
fn list_of<'v>(table: &'v str, key: &str) -> Vec<&'v str> {
    let list = table.split_once(&format!("{key} = [")).and_then(|(_, rest)| rest.split(']').next());
    list.map(toml::strings).unwrap_or_default()
}

fn exceptions(table: &str) -> Vec<(String, String)> {
    let name = toml::string_of(table, "crate").unwrap_or_default();
    list_of(table, "allow").into_iter().map(|licence| (name.to_owned(), licence.to_owned())).collect()
}

/// `crate = "name"`, or `crate = "name@<1.2.3"` for a floor.
fn ban(table: &str) -> Option<Ban> {
    let named = toml::string_of(table, "crate")?;
    let (name, below) = match named.split_once("@<") {
        Some((name, version)) => (name, Some(numbers(version))),
        None => (named, None),
    };
    Some(Ban {
        name: name.to_owned(),
        below,
        reason: toml::string_of(table, "reason").unwrap_or("no reason given").to_owned(),
        wrappers: list_of(table, "wrappers").into_iter().map(str::to_owned).collect(),
    })
}

/// The numbers of a version; what follows `-` or `+` does not order releases.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    release.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_hits_what_lies_below() {
        let ban = ban(" crate = \"hyper@<1.11.1\", reason = \"r\" ").unwrap();
        for (name, version, expected) in [
            ("hyper", "1.11.0", true),
            ("hyper", "1.9.9", true),
            ("hyper", "1.11.1", false),
            ("hyper", "1.12.0", false),
            ("hyper-util", "0.1.0", false),
        ] {
            assert_eq!(ban.hits(name, version), expected, "{name} {version}");
        }
    }
}
