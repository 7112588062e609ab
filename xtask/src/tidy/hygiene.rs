//! Rules about single Rust files: a first line that says what the file is for, bounded size, and nothing left behind.

use std::path::Path;

use super::Finding;
use super::files::Tree;
use super::source::{Line, Source};

/// LIMIT: a file over this is split.
const FILE_LINES_MAX: usize = 800;
/// From here on a file is listed, so that somebody looks at it.
pub(super) const REVIEW_LINES: usize = 400;

pub(super) fn check(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = check_file(source);
    let mut explained = false;
    for line in source.lines() {
        explained |= line.text.contains("// SLEEP:");
        let broken = rules(line, source.is_test(line.number), explained);
        findings.extend(broken.into_iter().map(|message| source.finding(line.number, message)));
        // The comment covers the first line of code below it, and no more.
        explained &= is_comment(line.text);
    }
    findings.extend(fixed_ports(source));
    findings
}

fn is_comment(text: &str) -> bool {
    text.trim_start().starts_with("//")
}

fn check_file(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.text.starts_with("//!") {
        findings.push(source.finding(1, "the file does not begin with `//!` and what it decides"));
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(source.finding(0, format!("{lines} lines; at most {FILE_LINES_MAX}")));
    }
    if source.path.ends_with("mod.rs") {
        findings
            .push(source.finding(0, "a module is named after its folder (`name.rs` beside `name/`), never `mod.rs`"));
    }
    findings
}

fn rules(line: Line<'_>, in_tests: bool, sleep_explained: bool) -> Vec<&'static str> {
    let code = line.code;
    let mut broken = Vec::new();
    let statement = code.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
    let imports = statement.trim_start_matches("pub ").starts_with("use ");
    if !in_tests && imports && (code.contains("::*") || code.contains("{*") || code.contains(", *")) {
        broken.push("a glob import hides where names come from; name them");
    }
    if ["todo!", "dbg!", "unimplemented!"].iter().any(|left| calls(code, left)) {
        broken.push("`todo!`, `unimplemented!` or `dbg!` was left behind");
    }
    if code.contains("#[ignore") {
        broken.push("an ignored test proves nothing; assert what is, and say in a comment what should be");
    }
    if in_tests && calls(code, "sleep") && !sleep_explained {
        broken.push("a sleep in a test needs a `// SLEEP:` comment with its reason; prefer a deadline");
    }
    broken
}

/// Whether the name is followed by `(`, and is not the end of a longer name or a function of its own.
fn calls(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (code.get(..at).unwrap_or_default(), code.get(at + name.len()..).unwrap_or_default());
        let longer = before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_' || sign == '.');
        !longer && !before.trim_end().ends_with("fn") && after.starts_with('(')
    })
}

/// A port that is written down is taken on somebody's machine: tests listen on port 0.
fn fixed_ports(source: &Source<'_>) -> Vec<Finding> {
    let lines: Vec<Line<'_>> = source.lines().collect();
    let binds = |line: &Line<'_>| line.code.contains("bind(");
    let names_port = |text: &str| {
        let hosts = ["\"127.0.0.1:", "\"[::1]:", "\"0.0.0.0:", "\"localhost:"];
        hosts.iter().any(|host| text.split(host).skip(1).any(|rest| rest.starts_with(|sign| matches!(sign, '1'..='9'))))
    };
    let mut findings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // An address may have slipped to the line after `bind(`.
        let split = line.code.trim_end().ends_with("bind(");
        let next = lines.get(at + 1).filter(|_| split).map_or("", |next| next.uncommented);
        if source.is_test(line.number) && binds(line) && (names_port(line.uncommented) || names_port(next)) {
            findings.push(source.finding(line.number, "a test listens on a fixed port; use port 0"));
        }
    }
    findings
}

/// White space in all files that people write, Markdown included.
pub(super) fn check_white_space(path: &Path, text: &str) -> Vec<Finding> {
    let written = ["rs", "toml", "md", "yaml", "yml", "sh", "py", "css", "js"];
    if !path.extension().is_some_and(|found| written.iter().any(|known| found == *known)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::new(path, at + 1, "white space at the end of the line"));
        }
        if line.contains('\t') {
            findings.push(Finding::new(path, at + 1, "a tab; indent with spaces, and write `\\t` in literals"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, 0, "no line feed at the end of the file"));
    }
    findings
}

/// Rust files that are long, the longest first.
pub(super) fn long_files(tree: &Tree) -> Vec<(&Path, usize)> {
    let counted = tree.with_extension("rs").map(|(path, text)| (path, text.lines().count()));
    let mut long: Vec<_> = counted.filter(|(_, lines)| *lines > REVIEW_LINES).collect();
    long.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    long
}

#[cfg(test)]
mod tests;
