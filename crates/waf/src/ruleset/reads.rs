//! Which lists of values any rule reads: the others needn't be kept.

use crate::operator::Operator;
use crate::rule::{Rule, TxChange, TxName};
use crate::store::{List, Wanted, sources};
use crate::template::{Part, Template};

/// The lists that rules look at or name in a macro, and those that the engine itself reads.
pub(super) fn wanted(rules: &[Rule]) -> Wanted {
    read_by(rules.iter(), Wanted::ALWAYS)
}

/// The lists of a request that rules about its response still read, or that are told from flags.
pub(super) fn wanted_later(rules: &[Rule]) -> Wanted {
    let flags = Wanted::NONE.with(List::MultipartFlags).with(List::BodyError);
    read_by(rules.iter().filter(|rule| rule.info.phase > 2), flags)
}

fn read_by<'r>(rules: impl Iterator<Item = &'r Rule>, mut wanted: Wanted) -> Wanted {
    for rule in rules {
        templates(rule, &mut |template| {
            for part in &template.parts {
                if let Part::Var(var, _) = part {
                    wanted = sources(*var).iter().fold(wanted, |all, (list, _)| all.with(*list));
                }
            }
        });
        for (list, _) in rule.links.iter().flat_map(|l| &l.targets).flat_map(|t| t.sources) {
            wanted = wanted.with(*list);
        }
    }
    wanted
}

fn templates(rule: &Rule, visit: &mut dyn FnMut(&Template)) {
    rule.msg.iter().chain(&rule.log_data).for_each(&mut *visit);
    for link in &rule.links {
        link.operator.as_ref().and_then(Operator::template).into_iter().for_each(&mut *visit);
        for (name, change) in &link.changes {
            match name {
                TxName::Slot(_) => {}
                TxName::Dynamic(template) => visit(template),
            }
            match change {
                TxChange::Set(t) | TxChange::Add(t) | TxChange::Subtract(t) => visit(t),
                TxChange::Unset => {}
            }
        }
    }
}
