//! Which advisories are about something in the program.

use super::advisory::{Advisory, Entry};
use super::package::{Origin, Package};
use serde_json::{Value, json};

/// What is known against a package.
#[derive(Clone, Debug)]
pub struct Against {
    /// Name and version of the package.
    pub package: (String, String),
    /// Whether it only helps to build the program.
    pub build: bool,
    /// What is known.
    pub advisory: Advisory,
}

/// What is known against a program.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Vulnerabilities first, then what is only told, by package.
    pub against: Vec<Against>,
    /// Files of the database.
    pub entries: usize,
    /// When the newest of them was written or changed, in seconds since 1970.
    pub newest: Option<i64>,
    /// Seconds since 1970.
    pub now: i64,
}

// === impl Known ===

impl Known {
    /// Holds a database against a program, as of `now`, for an operating system and a processor.
    #[must_use]
    pub fn of(packages: &[Package], entries: impl IntoIterator<Item = Entry>, system: (&str, &str), now: i64) -> Self {
        let mut known = Self { now, ..Self::default() };
        for entry in entries {
            known.entries += 1;
            // A moment ahead of us would make every database new.
            known.newest = known.newest.max(entry.at.filter(|at| *at <= now));
            for advisory in entry.advisories {
                let is_about = |package: &&Package| {
                    package.origin == Origin::Registry
                        && package.name == advisory.package
                        && advisory.affects(&package.version)
                        && names(&advisory.systems[0], system.0)
                        && names(&advisory.systems[1], system.1)
                };
                for package in packages.iter().filter(is_about) {
                    known.against.push(Against {
                        package: (package.name.clone(), package.version.to_string()),
                        build: package.build,
                        advisory: advisory.clone(),
                    });
                }
            }
        }
        known.against.sort_by(|one, other| {
            let key =
                |one: &Against| (one.advisory.informational.is_some(), one.package.clone(), one.advisory.id.clone());
            key(one).cmp(&key(other))
        });
        known
    }

    /// What is a vulnerability, and not only told.
    pub fn vulnerabilities(&self) -> impl Iterator<Item = &Against> {
        self.against.iter().filter(|one| one.advisory.informational.is_none())
    }

    /// Days since the newest entry; `None` for a database that has none.
    #[must_use]
    pub fn age_days(&self) -> Option<i64> {
        self.newest.map(|newest| (self.now - newest) / 86_400)
    }

    /// Whether the database is older than this, or of no age.
    #[must_use]
    pub fn is_older(&self, days: u32) -> bool {
        self.age_days().is_none_or(|age| age > i64::from(days))
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let against = self.against.iter().map(|one| {
            let Against { package, build, advisory } = one;
            json!({
                "id": advisory.id, "package": package.0, "version": package.1, "title": advisory.title, "fixed": advisory.fixed,
                "informational": advisory.informational, "url": advisory.url, "build": build,
            })
        });
        json!({
            "vulnerabilities": self.vulnerabilities().count(),
            "found": against.collect::<Vec<_>>(),
            "database": { "entries": self.entries, "newest": self.newest, "age_days": self.age_days() },
        })
    }
}

fn names(all: &[String], one: &str) -> bool {
    all.is_empty() || all.iter().any(|name| name == one)
}
