//! What the rules of an operation come to for a role, without a request: the cells of a matrix, and what changes between two.

use crate::rule::{Effect, Mode, Rule, Way};
use std::fmt;

/// Of whom a cell speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Somebody who has proved nothing.
    Anonymous,
    /// Somebody who has proved who he is, without a role that any rule names.
    NoRole,
    /// Somebody with this role.
    Role(&'a str),
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Always.
    Allowed,
    /// Never.
    Refused,
    /// Whether these things are so decides: one of the lists has to hold whole. Sorted.
    Depends(Vec<Vec<String>>),
}

/// What a cell has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// More is allowed.
    Gains,
    /// Less is allowed.
    Loses,
    /// What it depends on is another thing, and which one is more cannot be told.
    Differs,
}

// === impl Outlook ===

impl Outlook {
    /// The cell of an operation with these rules. What is only observed does not count, as it does not for requests.
    #[must_use]
    pub fn of(rules: &[Rule], standing: Standing<'_>) -> Self {
        let allows = |rule: &&Rule| rule.effect == Effect::Allow;
        let enforced = rules.iter().filter(allows).any(|rule| rule.mode == Mode::Enforce);
        let observed = rules.iter().filter(allows).any(|rule| rule.mode == Mode::Observe);
        let mut always = Vec::new();
        for rule in rules.iter().filter(|rule| rule.mode == Mode::Enforce) {
            match rule.effect {
                Effect::Require => match conditions(&Rule { anonymous: true, ..rule.clone() }, standing) {
                    Some(conditions) => always.extend(conditions),
                    None => return Self::Refused,
                },
                // A refusal is for everybody who fits, known or not.
                Effect::Refuse => match conditions(&Rule { anonymous: true, ..rule.clone() }, standing) {
                    Some(conditions) if conditions.is_empty() => return Self::Refused,
                    Some(conditions) => always.push(format!("not ({})", conditions.join(" and "))),
                    None => {}
                },
                Effect::Allow => {}
            }
        }
        if observed && !enforced {
            return Self::all_of(vec![Vec::new()], &always);
        }
        let counting = rules.iter().filter(allows).filter(|rule| rule.mode == Mode::Enforce);
        let ways: Vec<Vec<String>> = counting.filter_map(|rule| conditions(rule, standing)).collect();
        Self::all_of(ways, &always)
    }

    fn all_of(ways: Vec<Vec<String>>, always: &[String]) -> Self {
        if ways.is_empty() {
            return Self::Refused;
        }
        let mut ways: Vec<Vec<String>> = ways
            .into_iter()
            .map(|mut way| {
                way.extend(always.iter().cloned());
                way.sort();
                way.dedup();
                way
            })
            .collect();
        if ways.iter().any(Vec::is_empty) {
            return Self::Allowed;
        }
        // A way that asks for all that another one asks for, and more, adds nothing.
        let all = ways.clone();
        ways.retain(|way| {
            !all.iter().any(|other| other.len() < way.len() && other.iter().all(|one| way.contains(one)))
        });
        ways.sort();
        ways.dedup();
        Self::Depends(ways)
    }

    /// What has become of the cell.
    #[must_use]
    pub fn change(&self, new: &Self) -> Option<Change> {
        match (self, new) {
            (old, new) if old == new => None,
            (Self::Refused, _) | (_, Self::Allowed) => Some(Change::Gains),
            (_, Self::Refused) | (Self::Allowed, _) => Some(Change::Loses),
            (Self::Depends(old), Self::Depends(new)) => {
                let within = |some: &[Vec<String>], all: &[Vec<String>]| {
                    some.iter().all(|way| all.iter().any(|other| other.iter().all(|one| way.contains(one))))
                };
                match (within(old, new), within(new, old)) {
                    (true, false) => Some(Change::Gains),
                    (false, true) => Some(Change::Loses),
                    (true, true) | (false, false) => Some(Change::Differs),
                }
            }
        }
    }

    /// The word for tables.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Depends(_) => "depends",
        }
    }
}

impl fmt::Display for Outlook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed | Self::Refused => formatter.write_str(self.word()),
            Self::Depends(ways) => {
                let texts: Vec<String> = ways.iter().map(|way| way.join(" and ")).collect();
                formatter.write_str(&texts.join(", or "))
            }
        }
    }
}

/// What besides his standing decides whether the rule holds for him; nothing where it never does.
fn conditions(rule: &Rule, standing: Standing<'_>) -> Option<Vec<String>> {
    match standing {
        Standing::Anonymous => {
            let asks = !rule.roles.is_empty() || !rule.scopes.is_empty() || !rule.consumers.is_empty();
            let looks = !rule.claims.is_empty() || rule.when.iter().any(crate::Expression::is_of_caller_only);
            if !rule.anonymous || asks || looks {
                return None;
            }
        }
        Standing::NoRole if !rule.roles.is_empty() => return None,
        Standing::Role(role) if !rule.roles.is_empty() && !rule.roles.iter().any(|one| one == role) => return None,
        Standing::NoRole | Standing::Role(_) => {}
    }
    let ways = ways(&rule.ways, standing)?;
    let rule = &Rule { ways, ..rule.clone() };
    let mut all: Vec<String> = rule.scopes.iter().map(|scope| format!("scope {scope}")).collect();
    if !rule.consumers.is_empty() {
        all.push(format!("consumer {}", rule.consumers.join(" or ")));
    }
    all.extend(rule.needs());
    Some(all)
}

/// The ways that are open to somebody; nothing where none is. No ways at all where one asks for no more than he is.
fn ways(all: &[Way], standing: Standing<'_>) -> Option<Vec<Way>> {
    let has = |role: &String| matches!(standing, Standing::Role(held) if held == role);
    let fits = |way: &&Way| way.roles.iter().all(has) && (standing != Standing::Anonymous || way.is_open());
    let open: Vec<&Way> = all.iter().filter(fits).collect();
    if open.is_empty() && !all.is_empty() {
        return None;
    }
    let is_his = open.iter().any(|way| way.is_of_roles());
    let left = |way: &Way| Way { roles: Vec::new(), ..way.clone() };
    Some(if is_his { Vec::new() } else { open.into_iter().map(left).collect() })
}

#[cfg(test)]
mod tests {
    use super::{Change, Outlook, Standing};
    use crate::rule::{Effect, Mode, Rule};

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn cells() {
        let admin = Rule { roles: texts(&["admin"]), ..Rule::new(Effect::Allow) };
        let own = Rule {
            scopes: texts(&["read"]),
            when: vec![crate::Expression::parse("path.id == principal.sub").unwrap()],
            ..Rule::new(Effect::Allow)
        };
        let open = Rule { anonymous: true, ..Rule::new(Effect::Allow) };
        let banned = Rule { roles: texts(&["banned"]), ..Rule::new(Effect::Refuse) };
        let tried = Rule { mode: Mode::Observe, ..admin.clone() };
        for (rules, standing, expected) in [
            (vec![], Standing::Role("admin"), "refused"),
            (vec![admin.clone()], Standing::Role("admin"), "allowed"),
            (vec![admin.clone()], Standing::NoRole, "refused"),
            (vec![admin.clone()], Standing::Anonymous, "refused"),
            (vec![admin.clone(), own.clone()], Standing::Role("admin"), "allowed"),
            (vec![admin.clone(), own.clone()], Standing::NoRole, "path.id == principal.sub and scope read"),
            (vec![own.clone()], Standing::Anonymous, "refused"),
            (vec![open.clone()], Standing::Anonymous, "allowed"),
            (vec![open.clone(), banned.clone()], Standing::Role("banned"), "refused"),
            (vec![open, banned], Standing::Role("admin"), "allowed"),
            (vec![tried.clone()], Standing::NoRole, "allowed"),
            (vec![tried, own], Standing::Role("admin"), "path.id == principal.sub and scope read"),
        ] {
            assert_eq!(Outlook::of(&rules, standing).to_string(), expected, "{standing:?} with {rules:?}");
        }
    }

    #[test]
    fn changes() {
        let depends = |ways: &[&[&str]]| Outlook::Depends(ways.iter().map(|way| texts(way)).collect());
        for (old, new, expected) in [
            (Outlook::Refused, Outlook::Allowed, Some(Change::Gains)),
            (Outlook::Allowed, Outlook::Refused, Some(Change::Loses)),
            (Outlook::Refused, depends(&[&["a"]]), Some(Change::Gains)),
            (Outlook::Allowed, depends(&[&["a"]]), Some(Change::Loses)),
            (depends(&[&["a", "b"]]), depends(&[&["a"]]), Some(Change::Gains)),
            (depends(&[&["a"], &["b"]]), depends(&[&["a"]]), Some(Change::Loses)),
            (depends(&[&["a"]]), depends(&[&["b"]]), Some(Change::Differs)),
            (depends(&[&["a"]]), depends(&[&["a"]]), None),
        ] {
            assert_eq!(old.change(&new), expected, "{old} to {new}");
        }
    }
}
