//! Places, paths and joins.

use super::{At, Kind, Tree, build, merge};
use crate::diagnostic::Report;
use crate::sources::Sources;
use crate::tree::NodeId;
use std::path::Path;

fn tree(text: &str) -> (Tree, NodeId, Report) {
    let mut sources = Sources::default();
    let file = sources.add("test.yaml", text.to_owned(), Path::new(""));
    let (mut tree, mut report) = (Tree::default(), Report::default());
    let root = build(&mut tree, &mut report, file, text).expect("a root");
    (tree, root, report)
}

#[test]
fn a_place_knows_its_path_whether_it_is_there_or_not() {
    let (tree, root, _) = tree("a:\n  b: [x, { c: y }]\n");
    let root = At::root(&tree, root);
    let (a, none) = (root.key("a"), root.key("none"));
    let b = a.key("b");
    let item = b.index(1);
    let missing = item.key("d");
    assert_eq!(item.key("c").path(), "a.b[1].c");
    assert_eq!(missing.path(), "a.b[1].d");
    assert!(missing.is_missing() && !item.is_missing());
    assert_eq!(none.key("below").path(), "none.below");
    assert!(none.key("below").is_missing());
    assert_eq!(missing.span(), item.span(), "a missing place is shown where it would be");
}

#[test]
fn scalars_keep_the_characters_that_were_written() {
    let (tree, root, report) = tree("[1.10, 010, yes, ~, '', null, \"null\", 0x1f]");
    assert!(report.is_empty());
    let Kind::Seq(items) = &tree.node(root).kind else { panic!("a list") };
    let texts: Vec<Option<&str>> = items
        .iter()
        .map(|item| match &tree.node(*item).kind {
            Kind::Scalar { text, .. } => Some(&**text),
            Kind::Bad | Kind::Null | Kind::Seq(_) | Kind::Map(_) => None,
        })
        .collect();
    assert_eq!(texts, [Some("1.10"), Some("010"), Some("yes"), None, Some(""), None, Some("null"), Some("0x1f")]);
}

#[test]
fn what_was_reported_taints_what_is_below() {
    let (mut tree, root, _) = tree("a: { b: { c: 1 } }");
    let id = At::root(&tree, root).key("a").id();
    tree.poison(id);
    tree.inject(root, "gone");
    let root = At::root(&tree, root);
    assert!(root.key("a").key("b").is_tainted());
    assert!(root.key("gone").is_tainted());
    assert!(!root.key("other").is_tainted());
    assert!(!root.is_tainted());
}

#[test]
fn sections_of_two_files_become_one() {
    let mut sources = Sources::default();
    let (mut tree, mut report) = (Tree::default(), Report::default());
    let mut root = |text: &str| {
        let file = sources.add("test.yaml", text.to_owned(), Path::new(""));
        build(&mut tree, &mut report, file, text).expect("a root")
    };
    let (one, two) = (root("apis: { a: 1 }\nworkers: 1"), root("version: 1\napis: { b: 2 }\nstatus: { bind: x }"));
    merge(&mut tree, &mut report, one, two);
    assert!(report.is_empty());
    let root = At::root(&tree, one);
    assert!(!root.key("apis").key("a").is_missing() && !root.key("apis").key("b").is_missing());
    assert!(!root.key("status").is_missing());
    assert!(root.key("version").is_missing(), "the version speaks of its own file");
}
