//! Rules into bits, for one operation.

use super::ways::Taken;
use super::{Compiled, Names, Policy};
use crate::bits::{BITS, Bits};
use crate::caller::RoleSource;
use crate::rule::{Effect, Mode, Rule, Way};
use std::collections::BTreeMap;
use std::fmt;

/// Why rules cannot be compiled for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// This rule speaks of a parameter that the path does not have.
    Parameter {
        /// The rule.
        rule: usize,
        /// The parameter.
        name: String,
    },
    /// There are too many names.
    Names,
}

/// Names that get a number when they are met first.
#[derive(Default)]
struct Numbers<'r> {
    /// By what a rule calls it.
    ours: BTreeMap<&'r str, Bits>,
    /// By what a caller brings.
    theirs: BTreeMap<&'r str, Bits>,
}

// === impl Numbers ===

impl<'r> Numbers<'r> {
    /// The bit of each name in each of `sources`, all of which become it.
    fn put(&mut self, names: &'r [String], sources: impl Fn(&'r str) -> Vec<&'r str>) -> Result<Bits, Unfit> {
        let mut all = Bits::default();
        for name in names {
            let next = self.ours.len();
            let bit = match self.ours.get(name.as_str()) {
                Some(bit) => *bit,
                None => {
                    let mut bit = Bits::default();
                    if !bit.insert(next) {
                        return Err(Unfit::Names);
                    }
                    self.ours.insert(name, bit);
                    sources(name).into_iter().for_each(|one| self.theirs.entry(one).or_default().add(&bit));
                    bit
                }
            };
            all.add(&bit);
        }
        Ok(all)
    }

    fn names(self) -> Names {
        self.theirs.into_iter().map(|(name, bits)| (Box::from(name), bits)).collect()
    }
}

fn taken<'r>(
    way: &'r Way,
    source: &'r RoleSource,
    (roles, scopes, consumers): (&mut Numbers<'r>, &mut Numbers<'r>, &mut Numbers<'r>),
) -> Result<Taken, Unfit> {
    Ok(Taken {
        schemes: way.schemes.clone(),
        scopes: scopes.put(&way.scopes, |scope| vec![scope])?,
        roles: roles.put(&way.roles, |role| source.sources(role))?,
        consumers: consumers.put(&way.consumers, |consumer| vec![consumer])?,
        claims: way.claims.clone(),
        is_open: way.is_open(),
        asks_fields: !way.leaves.is_empty(),
    })
}

// === impl Policy ===

impl Policy {
    /// Compiles the rules of an operation; `template` is its whole path template.
    ///
    /// # Errors
    /// Rules that cannot be asked of this operation.
    pub fn compile(rules: &[Rule], source: &RoleSource, template: &str) -> Result<Self, Unfit> {
        let mut order: Vec<(usize, &Rule)> = rules.iter().enumerate().collect();
        order.sort_by_key(|(index, rule)| (rule.effect, *index));
        let (mut roles, mut scopes, mut consumers) = (Numbers::default(), Numbers::default(), Numbers::default());
        let mut compiled = Vec::with_capacity(rules.len());
        for (index, rule) in order {
            let ways = rule.ways.iter();
            let ways = ways.map(|way| taken(way, source, (&mut roles, &mut scopes, &mut consumers)));
            let ways = ways.collect::<Result<_, _>>()?;
            let resolved = rule.when.iter().map(|one| one.resolve(template)).collect::<Result<_, _>>();
            compiled.push(Compiled {
                index,
                effect: rule.effect,
                mode: rule.mode,
                // What refuses or requires is for everybody.
                anonymous: rule.anonymous || rule.effect != Effect::Allow,
                roles: roles.put(&rule.roles, |role| source.sources(role))?,
                scopes: scopes.put(&rule.scopes, |scope| vec![scope])?,
                consumers: consumers.put(&rule.consumers, |consumer| vec![consumer])?,
                asks_role: !rule.roles.is_empty(),
                claims: rule.claims.clone(),
                networks: rule.networks.clone(),
                times: rule.times.clone(),
                when: resolved.map_err(|name| Unfit::Parameter { rule: index, name })?,
                ways,
                is_foreign: rule.foreign.is_some(),
            });
        }
        let mut allowing = rules.iter().filter(|rule| rule.effect == Effect::Allow).peekable();
        let is_default_observed = allowing.peek().is_some() && allowing.all(|rule| rule.mode == Mode::Observe);
        Ok(Self {
            roles: roles.names(),
            scopes: scopes.names(),
            consumers: consumers.names(),
            source: source.clone(),
            rules: compiled,
            is_default_observed,
        })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { name, .. } => write!(formatter, "the path has no parameter `{name}`"),
            Self::Names => {
                write!(formatter, "the rules of one operation name more than {BITS} roles, scopes or consumers")
            }
        }
    }
}

impl std::error::Error for Unfit {}
