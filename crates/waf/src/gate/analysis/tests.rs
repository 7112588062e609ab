//! Rows of what an expression needs to match.

use super::*;

fn of(source: &str) -> Facts {
    facts(&Operator::Rx(std::sync::Arc::new(Pattern::new(source, false).unwrap()))).unwrap()
}

#[test]
fn literals_are_found() {
    let all = |facts: &Facts| facts.sets.iter().map(|s| s.len()).sum::<usize>();
    assert_eq!(of("(?i)union\\s+select").sets, [b"select".to_vec(), b"union".to_vec()].map(|s| vec![s]).to_vec());
    assert_eq!(of("a(?:bc|de)f").sets, [vec![b"abcf".to_vec(), b"adef".to_vec()]]);
    assert_eq!(of("^(?:get|post)?x").min_len, 1);
    assert_eq!(all(&of("[a-z]*")), 0);
    assert_eq!(of("(?:foo.*|bar.+)z").sets, [vec![b"bar".to_vec(), b"foo".to_vec()]]);
}

#[test]
fn clauses_are_found() {
    assert!(of(r"\$\(").clauses.contains(&classes::of(b"$")));
    assert!(of(r"a|\(").clauses.contains(&classes::of(b"a(")));
    assert_eq!(of(r".*").clauses, []);
    assert_eq!(of(r"x?").clauses, []);
}
