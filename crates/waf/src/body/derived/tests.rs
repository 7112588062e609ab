//! Rows of values inside values.

use super::*;

const LIMITS: BodyLimits = BodyLimits { arguments: 50, json_depth: 16 };

fn derived(name: &str, value: &str) -> Vec<(String, String)> {
    let mut store = Store::default();
    let (name, value) = (store.intern(name.as_bytes()), store.intern(value.as_bytes()));
    store.push(List::ArgsPost, name, value);
    assert!(arguments(&mut store, List::ArgsPost, LIMITS));
    listed(&store)
}

fn listed(store: &Store) -> Vec<(String, String)> {
    let text = |span| String::from_utf8_lossy(store.bytes(span)).into_owned();
    store.list(List::Derived).iter().map(|e| (text(e.name), text(e.value))).collect()
}

fn check(name: &str, value: &str, expect: &[(&str, &str)]) {
    let expect: Vec<(String, String)> = expect.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    assert_eq!(derived(name, value), expect, "{name}={value}");
}

#[test]
fn base64_is_undone_where_text_comes_out() {
    check("q", "JyBPUiAnMSc9JzE=", &[("q", "' OR '1'='1")]);
    check("q", "JyBPUiAnMSc9JzE", &[("q", "' OR '1'='1")]);
    check("q", "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", &[("q", "<script>alert(1)</script>")]);
    // Bytes that aren't text, tokens, words, and what isn't base64 at all.
    check("q", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", &[]);
    check("q", "f3Kd92kslDkw02ksLQpa", &[]);
    check("q", "created_at", &[]);
    check("q", "hello world, good day", &[]);
    check("q", "JyBPUiAnMSc9JzE=!", &[]);
}

#[test]
fn strings_of_graphql_documents_are_found() {
    check("json.query", r#"{ user(id: "1' OR \"1\"='1") { name } }"#, &[("json.query", "1' OR \"1\"='1")]);
    check(
        "json.0.query",
        "query($a: A) { f(x: \"\"\"block \" text\"\"\", y: \"two\") }",
        &[("json.0.query", "block \" text"), ("json.0.query", "two")],
    );
    // Quotes after a backslash don't end a block, and a backslash that another stands before still counts.
    check("query", r#"{ f(x: """a \""" b""", y: "two") }"#, &[("query", "a \"\"\" b"), ("query", "two")]);
    check("query", r#"{ f(x: """\\"""' OR 1=1 --""") }"#, &[("query", "\\\"\"\"' OR 1=1 --")]);
    check("query", r#"{ f(x: """\"""\"""""", y: "two") }"#, &[("query", "\"\"\"\"\"\""), ("query", "two")]);
    check("query", r#"{ f(x: """open \""" end"#, &[("query", "open \"\"\" end")]);
    check("query", r#"{ f(x: """""", y: "two") }"#, &[("query", "two")]);
    check("query", "{ f # a \"comment\"\n (x: \"in\") }", &[("query", "in")]);
    check("query", "{ f(x: \"open", &[("query", "open")]);
    check("query", "plain words", &[]);
    // A document may be JSON, and the other way round.
    check("query", r#"{"a":{"\u0024ne":1}}"#, &[("query", "a"), ("query", "$ne"), ("json.a.$ne", "1")]);
}

#[test]
fn json_inside_values_is_read() {
    check("variables", r#"{"id":"x","in":["y"]}"#, &[("json.id", "x"), ("json.in.0", "y"), ("json.in", "1")]);
    check("filter", " \r\n{\"id\":\"x\"}", &[("json.id", "x")]);
    // As far as it goes.
    check("variables", r#"{"id":"x","#, &[("json.id", "x")]);
}

#[test]
fn bodies_that_are_json_without_saying_so_are_read() {
    let mut store = Store::default();
    for text in [&b"\xef\xbb\xbf {\"a\":{\"$ne\":1}}"[..], b" \n{\"a\":{\"$ne\":1}}"] {
        store = Store::default();
        assert!(body(&mut store, text, (None, b""), LIMITS));
        assert!(listed(&store).contains(&("json.a.$ne".into(), "1".into())), "{text:?}");
    }
    let before = store.list(List::Derived).len();
    assert!(body(&mut store, b"{\"a\":1}", (Some(Processor::Json), b"application/json"), LIMITS));
    assert!(body(&mut store, b"a=1", (None, b""), LIMITS));
    assert_eq!(store.list(List::Derived).len(), before);
}

#[test]
fn limits_hold() {
    let many = format!("[{}1]", "1,".repeat(500));
    let strings = "\"a\" ".repeat(500);
    for (name, value) in [("v", &many), ("query", &strings)] {
        let mut store = Store::default();
        let (name, value) = (store.intern(name.as_bytes()), store.intern(value.as_bytes()));
        store.push(List::ArgsPost, name, value);
        assert!(!arguments(&mut store, List::ArgsPost, LIMITS), "said, so that the request can be refused");
        assert_eq!(store.list(List::Derived).len(), LIMITS.arguments);
    }
}
