//! Rules that no request can meet, alone or together, as far as that can be told from what is written. What is not told here may
//! still be so; what is told, is.

use crate::expression::{Expression, Operand};
use crate::rule::Rule;
use crate::window::Window;

/// Minutes of a week; a window says the same of each minute's seconds.
const WEEK_MINUTES: u64 = 7 * 24 * 60;

/// Whether no request can ever meet all conditions of a rule. `given` is what is true of every request that comes to it.
#[must_use]
pub fn is_impossible(rule: &Rule, given: &[Expression]) -> bool {
    contradict(&rule.when.iter().chain(given).collect::<Vec<_>>())
}

/// Whether no request can ever meet the conditions of both.
#[must_use]
pub fn exclude(one: &Rule, other: &Rule) -> bool {
    let consumers = !one.consumers.is_empty() && !other.consumers.is_empty();
    let networks = !one.networks.is_empty() && !other.networks.is_empty();
    let times = !one.times.is_empty() && !other.times.is_empty();
    (consumers && !one.consumers.iter().any(|consumer| other.consumers.contains(consumer)))
        || (networks && !one.networks.iter().any(|mine| other.networks.iter().any(|its| mine.overlaps(its))))
        || (times && !one.times.iter().any(|mine| other.times.iter().any(|its| meet(mine, its))))
        || contradict(&one.when.iter().chain(&other.when).collect::<Vec<_>>())
}

fn meet(one: &Window, other: &Window) -> bool {
    let is_both = |minute: u64| one.contains(minute * 60) && other.contains(minute * 60);
    (0..WEEK_MINUTES).any(is_both)
}

/// What is said of one value of a request: that it is among these texts, or that it is not this one.
enum Said<'e> {
    Among(Vec<&'e str>),
    Not(&'e str),
}

/// Whether they cannot all hold: something would have to be two texts at once, or one that it may not be.
fn contradict(all: &[&Expression]) -> bool {
    let mut said: Vec<(&Operand, Said<'_>)> = Vec::new();
    all.iter().for_each(|one| collect(one, &mut said));
    said.iter().any(|(operand, first)| {
        let Said::Among(texts) = first else { return false };
        let may_be = |text: &&str| {
            said.iter().filter(|(of, _)| of == operand).all(|(_, said)| match said {
                Said::Among(all) => all.contains(text),
                Said::Not(other) => other != text,
            })
        };
        !texts.iter().any(may_be)
    })
}

/// What has to be so for an expression to hold; of alternatives, nothing is said.
fn collect<'e>(expression: &'e Expression, said: &mut Vec<(&'e Operand, Said<'e>)>) {
    match expression {
        Expression::And(pair) => pair.iter().for_each(|one| collect(one, said)),
        Expression::Equal(Operand::Text(text), other) | Expression::Equal(other, Operand::Text(text)) => {
            said.push((other, Said::Among(vec![text])));
        }
        Expression::Unequal(Operand::Text(text), other) | Expression::Unequal(other, Operand::Text(text)) => {
            said.push((other, Said::Not(text)));
        }
        Expression::In(one, Operand::List(all)) => {
            said.push((one, Said::Among(all.iter().map(String::as_str).collect())));
        }
        Expression::Not(inner) => match &**inner {
            Expression::Equal(Operand::Text(text), other) | Expression::Equal(other, Operand::Text(text)) => {
                said.push((other, Said::Not(text)));
            }
            Expression::Unequal(Operand::Text(text), other) | Expression::Unequal(other, Operand::Text(text)) => {
                said.push((other, Said::Among(vec![text])));
            }
            Expression::And(_)
            | Expression::Or(_)
            | Expression::Not(_)
            | Expression::Equal(..)
            | Expression::Unequal(..)
            | Expression::In(..) => {}
        },
        Expression::Or(_) | Expression::Equal(..) | Expression::Unequal(..) | Expression::In(..) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{exclude, is_impossible};
    use crate::expression::Expression;
    use crate::rule::{Effect, Rule};
    use crate::window::Window;
    use portcullis_types::Network;

    fn when(all: &[&str]) -> Rule {
        let when = all.iter().map(|text| Expression::parse(text).unwrap()).collect();
        Rule { when, ..Rule::new(Effect::Allow) }
    }

    #[test]
    fn conditions_that_contradict_each_other() {
        for (all, impossible) in [
            (&["path.a == 'x'"][..], false),
            (&["path.a == 'x' and path.a == 'y'"], true),
            (&["path.a == 'x'", "'y' == path.a"], true),
            (&["path.a == 'x'", "path.b == 'y'"], false),
            (&["path.a == 'x'", "path.a != 'x'"], true),
            (&["path.a == 'x' and not path.a == 'x'"], true),
            (&["not path.a != 'x'", "path.a == 'y'"], true),
            (&["path.a in ['x', 'y']", "path.a == 'z'"], true),
            (&["path.a in ['x', 'y']", "path.a != 'x'"], false),
            (&["path.a in ['x', 'y']", "path.a != 'x'", "path.a != 'y'"], true),
            (&["path.a == 'x' or path.a == 'y'", "path.a == 'z'"], false),
            (&["body.a == 'x'", "body.a == 'y'"], true),
            (&["'a' in principal.roles", "'b' in principal.roles"], false),
        ] {
            assert_eq!(is_impossible(&when(all), &[]), impossible, "{all:?}");
        }
        let token = [Expression::parse("principal.scheme in ['api_key']").unwrap()];
        assert!(is_impossible(&when(&["principal.scheme == 'jwt'"]), &token));
        assert!(!is_impossible(&when(&["principal.scheme == 'api_key'"]), &token));
    }

    #[test]
    fn rules_that_exclude_each_other() {
        let rule = || Rule::new(Effect::Allow);
        let consumers = |all: &[&str]| Rule { consumers: all.iter().map(|one| (*one).to_owned()).collect(), ..rule() };
        let networks =
            |all: &[&str]| Rule { networks: all.iter().map(|one| Network::parse(one).unwrap()).collect(), ..rule() };
        let time = |days: &[u8], from, to| Rule { times: vec![Window::new(days, from, to)], ..rule() };
        for (one, other, excluded) in [
            (consumers(&["a", "b"]), consumers(&["b"]), false),
            (consumers(&["a"]), consumers(&["b"]), true),
            (consumers(&["a"]), rule(), false),
            (networks(&["10.0.0.0/8"]), networks(&["10.1.0.0/16"]), false),
            (networks(&["10.1.2.3"]), networks(&["10.1.0.0/16", "::1"]), false),
            (networks(&["10.0.0.0/8"]), networks(&["192.168.0.0/16", "::/0"]), true),
            (time(&[], 60, 120), time(&[], 119, 180), false),
            (time(&[], 60, 120), time(&[], 120, 180), true),
            (time(&[0], 60, 120), time(&[1], 60, 120), true),
            // Monday night lasts into Tuesday.
            (time(&[0], 1_380, 120), time(&[1], 60, 180), false),
            (when(&["path.a == 'x'"]), when(&["path.a == 'y'"]), true),
            (when(&["path.a == 'x'"]), when(&["path.b == 'y'"]), false),
        ] {
            assert_eq!(exclude(&one, &other), excluded, "{one} and {other}");
            assert_eq!(exclude(&other, &one), excluded, "{other} and {one}");
        }
    }
}
