//! The house rules that no linter knows: each is a function from text to findings.

mod dependencies;
mod files;
mod functions;
mod hygiene;
mod layers;
mod links;
mod scrub;
mod source;
mod spans;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::command::root;
use source::Source;

/// One broken rule. Lines count from 1; line 0 speaks of the whole file.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: PathBuf,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &Path, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, line, message } = self;
        if *line == 0 {
            write!(out, "{}: {message}", path.display())
        } else {
            write!(out, "{}:{line}: {message}", path.display())
        }
    }
}

/// The `tidy` step.
pub(crate) fn tidy() -> Result<(), String> {
    let tree = files::read_tree(root())?;
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let source = Source::new(path, text);
        findings.extend(hygiene::check(&source));
        findings.extend(functions::check(&source));
        findings.extend(spans::check(&source));
    }
    for (path, text) in tree.handwritten() {
        findings.extend(hygiene::check_white_space(path, text));
    }
    findings.extend(links::check(&tree));
    let manifests = layers::manifests(&tree);
    findings.extend(layers::check(&manifests));
    findings.extend(dependencies::check(&tree, &manifests));
    report(&tree, &findings)
}

/// The code of all crates without comments and literals, for steps that look for a name in it.
pub(crate) fn code_of_crates() -> Result<String, String> {
    let tree = files::read_tree(root())?;
    let crates = tree.with_extension("rs").filter(|(path, _)| path.starts_with("crates"));
    Ok(crates.map(|(_, text)| scrub::code_only(text)).collect())
}

fn report(tree: &files::Tree, findings: &[Finding]) -> Result<(), String> {
    let long = hygiene::long_files(tree);
    if !long.is_empty() {
        println!("files to look at, over {} lines:", hygiene::REVIEW_LINES);
        for (path, lines) in long {
            println!("  {lines:>5} {}", path.display());
        }
    }
    for finding in findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("1 finding".to_owned()),
        several => Err(format!("{several} findings")),
    }
}

/// What the checks' tests share: the messages found in one Rust snippet.
#[cfg(test)]
fn messages(path: &str, text: &str, check: fn(&Source<'_>) -> Vec<Finding>) -> Vec<String> {
    check(&Source::new(Path::new(path), text)).iter().map(ToString::to_string).collect()
}
