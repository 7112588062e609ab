//! Rows: the same tree from YAML and from JSON, and what neither may hold.

use super::{NodeId, Shape, Tree, read};

fn shown(tree: &Tree, id: NodeId) -> String {
    match tree.shape(id) {
        Shape::Null => "null".to_owned(),
        Shape::Bool(flag) => flag.to_string(),
        Shape::Number(text) => text.to_string(),
        Shape::Text(text) => format!("{text:?}"),
        Shape::List(items) => {
            let all: Vec<String> = items.iter().map(|item| shown(tree, *item)).collect();
            format!("[{}]", all.join(","))
        }
        Shape::Map(map) => {
            let all: Vec<String> = map.iter().map(|(name, value)| format!("{name}:{}", shown(tree, *value))).collect();
            format!("{{{}}}", all.join(","))
        }
    }
}

fn tree(text: &str) -> String {
    read(text.as_bytes()).map_or_else(|error| format!("{}: {}", error.line, error.message), |t| shown(&t, t.root()))
}

#[test]
fn yaml_and_json_become_trees() {
    for (text, expected) in [
        ("a: 1\nb: [true, ~, x, '1', \"y\"]\n", "{a:1,b:[true,null,\"x\",\"1\",\"y\"]}"),
        ("{\"a\": [1.50, null]}", "{a:[1.50,null]}"),
        ("{a: 1}", "{a:1}"),
        ("200:\n  d: 2020-01-01\n", "{200:{d:\"2020-01-01\"}}"),
        (
            "a: +1\nb: 0x1F\nc: .5\nd: 1.\ne: 007\nf: .inf\ng: 1_000\nh: -0.5e3\n",
            "{a:1,b:31,c:0.5,d:1,e:7,f:\".inf\",g:\"1_000\",h:-0.5e3}",
        ),
        ("a: &x {b: 1}\nc: *x\n", "{a:{b:1},c:{b:1}}"),
        ("a: yes\nb: no\nc: !!str 12\n", "{a:\"yes\",b:\"no\",c:\"12\"}"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn what_is_unclear_is_refused_with_its_line() {
    for (text, expected) in [
        ("", "1: the file is empty"),
        ("a: 1\na: 2\n", "2: `a` stands twice"),
        ("{\"a\": 1,\n \"a\": 2}", "2: a member stands twice"),
        ("a: 1\n---\nb: 1\n", "2: a second document starts here"),
        ("a: &x [*x]\n", "1: an alias cannot stand inside of what it names"),
        ("a: *x\n", "1: an alias has no anchor before it"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3: merge keys (`<<`) are no part of YAML 1.2; write the members out"),
        ("? [a]\n: 1\n", "1: the name of a member is not a text"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn aliases_point_and_never_multiply() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..60 {
        text += &format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1);
    }
    let tree = read(text.as_bytes()).unwrap();
    assert!(tree.size() < 1_000, "{}", tree.size());
    assert_eq!(tree.node(tree.root()).line, 1);
}
