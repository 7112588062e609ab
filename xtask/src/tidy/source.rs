//! One Rust file as the rules see it: its text, its code without comments and literals, and which lines are tests.

use std::path::Path;

use super::Finding;
use super::scrub::{code_only, without_comments};

/// A Rust file. The three texts have the same lines.
#[derive(Debug)]
pub(super) struct Source<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
    pub(super) code: String,
    pub(super) uncommented: String,
    tests_from: Option<usize>,
}

/// One line in its three forms; lines count from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    pub(super) number: usize,
    pub(super) text: &'t str,
    pub(super) code: &'t str,
    pub(super) uncommented: &'t str,
}

impl<'t> Source<'t> {
    pub(super) fn new(path: &'t Path, text: &'t str) -> Source<'t> {
        let code = code_only(text);
        // The house keeps inline tests at the end of a file, so everything after the attribute is tests.
        let inline = code.lines().position(|line| line.trim() == "#[cfg(test)]").filter(|at| opens_module(&code, *at));
        let tests_from = if is_test_file(path) { Some(0) } else { inline };
        Source { path, text, code, uncommented: without_comments(text), tests_from }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let forms = self.text.lines().zip(self.code.lines()).zip(self.uncommented.lines());
        forms.enumerate().map(|(at, ((text, code), uncommented))| Line { number: at + 1, text, code, uncommented })
    }

    /// Whether the line (from 1) belongs to tests.
    pub(super) fn is_test(&self, number: usize) -> bool {
        self.tests_from.is_some_and(|from| number > from)
    }

    pub(super) fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding::new(self.path, line, message)
    }
}

/// `#[cfg(test)]` also stands before a single helper; only before `mod name {` do tests begin.
fn opens_module(code: &str, at: usize) -> bool {
    let next = code.lines().skip(at + 1).find(|line| !line.trim().is_empty() && !line.trim().starts_with("#["));
    next.is_some_and(|line| line.trim().starts_with("mod ") && line.trim().ends_with('{'))
}

fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folders = path.iter().map(|part| part.to_string_lossy());
    stem == "tests" || stem.ends_with("_tests") || folders.into_iter().any(|part| part == "tests" || part == "testkit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_known_by_place_or_attribute() {
        for (path, text, line, expected) in [
            ("crates/h1/src/tests.rs", "a", 1, true),
            ("crates/h1/src/head/tests.rs", "a", 1, true),
            ("crates/h1/tests/wire.rs", "a", 1, true),
            ("crates/testkit/src/lib.rs", "a", 1, true),
            ("crates/h1/src/contests.rs", "a", 1, false),
            ("crates/h1/src/head.rs", "a\n#[cfg(test)]\nmod tests {\n}", 1, false),
            ("crates/h1/src/head.rs", "a\n#[cfg(test)]\nmod tests {\n}", 3, true),
            ("crates/h1/src/head.rs", "#[cfg(test)]\nmod tests;\nfn f() {}", 3, false),
        ] {
            assert_eq!(Source::new(Path::new(path), text).is_test(line), expected, "{path} {text}");
        }
    }
}
