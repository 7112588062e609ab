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
    /// First and last line, from 1, of each stretch of tests.
    tests: Vec<(usize, usize)>,
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
        let tests = if is_test_file(path) { vec![(1, usize::MAX)] } else { test_modules(&code) };
        Source { path, text, code, uncommented: without_comments(text), tests }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let forms = self.text.lines().zip(self.code.lines()).zip(self.uncommented.lines());
        forms.enumerate().map(|(at, ((text, code), uncommented))| Line { number: at + 1, text, code, uncommented })
    }

    /// Whether the line (from 1) belongs to tests.
    pub(super) fn is_test(&self, number: usize) -> bool {
        self.tests.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    pub(super) fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding::new(self.path, line, message)
    }
}

/// Where each `#[cfg(test)] mod name { … }` begins and ends. The attribute also stands before single helpers and before
/// `mod tests;`, which are no tests.
fn test_modules(code: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| **line == "#[cfg(test)]") {
        let rest = lines.iter().enumerate().skip(at + 1);
        let mut rest = rest.skip_while(|(_, line)| line.is_empty() || line.starts_with("#["));
        if rest.clone().next().is_some_and(|(_, line)| line.starts_with("mod ") && line.contains('{')) {
            let mut depth = 0_usize;
            let closes = |(_, line): &(usize, &&str)| {
                depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
                depth == 0
            };
            let last = rest.find(closes).map_or(lines.len(), |(last, _)| last + 1);
            found.push((at + 1, last));
        }
    }
    found
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
            ("crates/h1/src/head.rs", "#[cfg(test)]\nmod tests {\n fn f() {}\n}\na", 4, true),
            ("crates/h1/src/head.rs", "#[cfg(test)]\nmod tests {\n fn f() {}\n}\na", 5, false),
            ("crates/h1/src/head.rs", "#[cfg(test)]\n#[allow(x)]\nmod tests { fn f() {} }\na", 3, true),
            ("crates/h1/src/head.rs", "#[cfg(test)]\n#[allow(x)]\nmod tests { fn f() {} }\na", 4, false),
            ("crates/h1/src/head.rs", "#[cfg(test)]\nmod tests;\nfn f() {}", 3, false),
        ] {
            assert_eq!(Source::new(Path::new(path), text).is_test(line), expected, "{path} {text}");
        }
    }
}
