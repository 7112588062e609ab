//! Rows of good and bad snippets for the rules about single files.

use super::*;
use crate::tidy::messages;

const PRODUCT: &str = "crates/h1/src/head.rs";
const TEST: &str = "crates/h1/src/head/tests.rs";

/// Each row: the file, its text after the first line, and a word of the message, or nothing for a good snippet.
fn rows(rows: &[(&str, &str, &str)]) {
    for (path, text, expected) in rows {
        let found = messages(path, &format!("//! a\n{text}\n"), check);
        if expected.is_empty() {
            assert!(found.is_empty(), "{text}: {found:?}");
        } else {
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found.iter().all(|message| message.contains(expected)), "{text}: {found:?}");
        }
    }
}

#[test]
fn imports_and_leftovers() {
    rows(&[
        (PRODUCT, "use std::io::*;", "glob"),
        (PRODUCT, "pub(crate) use std::io::{self, *};", "glob"),
        (PRODUCT, "use std::io::{Read, Write};", ""),
        (PRODUCT, "let a = b * c;", ""),
        (PRODUCT, "let a = \"use x::*;\";", ""),
        (PRODUCT, "#[cfg(test)]\nmod tests {\n    use super::*;\n}", ""),
        (TEST, "use super::*;", ""),
        (PRODUCT, "todo!()", "left behind"),
        (PRODUCT, "dbg!(x);", "left behind"),
        (PRODUCT, "// todo!() later", ""),
        (PRODUCT, "my_dbg!(x);", ""),
        (TEST, "#[ignore = \"slow\"]", "ignored test"),
    ]);
}

#[test]
fn sleeps_in_tests_give_their_reason() {
    rows(&[
        (TEST, "thread::sleep(second);", "SLEEP"),
        (TEST, "tokio::time::sleep(second).await;", "SLEEP"),
        (TEST, "sleep(second).await;", "SLEEP"),
        (TEST, "// SLEEP: the kernel gives no signal for this\nthread::sleep(second);", ""),
        (TEST, "// SLEEP: the kernel gives no signal\n// for this\nthread::sleep(second);", ""),
        (TEST, "thread::sleep(second); // SLEEP: the kernel gives no signal for this", ""),
        (TEST, "// SLEEP: for the first\nthread::sleep(a);\nthread::sleep(b);", "SLEEP"),
        (PRODUCT, "thread::sleep(second);", ""),
        (TEST, "clock.sleep(second);", ""),
        (TEST, "fn sleep(second: u64) {}", ""),
    ]);
}

#[test]
fn tests_listen_on_port_zero() {
    rows(&[
        (TEST, "TcpListener::bind(\"127.0.0.1:8080\")", "port 0"),
        (TEST, "TcpListener::bind(\n    \"127.0.0.1:8080\",\n)", "port 0"),
        (TEST, "TcpListener::bind(\"127.0.0.1:0\")", ""),
        (TEST, "TcpStream::connect(\"127.0.0.1:8080\")", ""),
        (TEST, "TcpListener::bind((host, 0)); // never \"127.0.0.1:8080\"", ""),
        (PRODUCT, "TcpListener::bind(\"127.0.0.1:8080\")", ""),
    ]);
}

#[test]
fn a_file_says_what_it_is_and_stays_small() {
    for (path, text, expected) in [
        ("a.rs", "fn f() {}\n".to_owned(), "a.rs:1: the file does not begin with `//!` and what it decides"),
        ("a.rs", format!("//! a\n{}", "\n".repeat(800)), "a.rs: 801 lines; at most 800"),
        (
            "x/mod.rs",
            "//! a\n".to_owned(),
            "x/mod.rs: a module is named after its folder (`name.rs` beside `name/`), never `mod.rs`",
        ),
    ] {
        assert_eq!(messages(path, &text, check), [expected]);
    }
    assert!(messages("a.rs", &format!("//! a\n{}", "\n".repeat(799)), check).is_empty());
}

#[test]
fn white_space_is_seen() {
    let found = |path: &str, text: &str| check_white_space(Path::new(path), text).len();
    for (text, count) in [("a\n", 0), ("", 0), ("a \n", 1), ("a\r\n", 1), ("\ta\n", 1), ("a", 1), ("a\n\n  b\n", 0)] {
        assert_eq!(found("a.rs", text), count, "{text:?}");
    }
    assert_eq!(found("corpus/request.http", "a\r\n"), 0);
}

#[test]
fn long_files_are_listed_longest_first() {
    let (a, b) = ("\n".repeat(401), "\n".repeat(500));
    let tree = Tree::of(&[("a.rs", &a), ("b.rs", &b), ("c.rs", "\n"), ("d.md", &b)]);
    let listed: Vec<_> = long_files(&tree).into_iter().map(|(path, lines)| (path.to_owned(), lines)).collect();
    assert_eq!(listed, [("b.rs".into(), 500), ("a.rs".into(), 401)]);
}
