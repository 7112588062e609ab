//! Links between Markdown files of the repository lead to a file, and to a heading where they name one.

use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::files::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.handwritten().filter(|(path, _)| is_markdown(path)) {
        for (line, link) in links(text) {
            if let Some(message) = broken(tree, path, text, &link) {
                findings.push(Finding::new(path, line, message));
            }
        }
    }
    findings
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn broken(tree: &Tree, path: &Path, text: &str, link: &str) -> Option<String> {
    // Other schemes (https:, mailto:) lead outside, and whether they answer is not ours to say here.
    if link.split('/').next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let Some(target) = resolved(path, file) else {
        return Some(format!("link `{link}` leads out of the repository"));
    };
    let there = if file.is_empty() { Some(text) } else { tree.text(&target) };
    if !file.is_empty() && !tree.has(&target) {
        return Some(format!("link `{link}`: there is no `{}`", target.display()));
    }
    let points_into_markdown = !anchor.is_empty() && (file.is_empty() || is_markdown(&target));
    if points_into_markdown && !there.is_some_and(|there| anchors(there).iter().any(|known| known == anchor)) {
        return Some(format!("link `{link}`: there is no heading for `#{anchor}`"));
    }
    None
}

/// The file a link leads to, from the root; `None` if it climbs out.
fn resolved(from: &Path, link: &str) -> Option<PathBuf> {
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    let relative = link.strip_prefix('/').map_or_else(|| from.parent().unwrap_or(from).join(link), PathBuf::from);
    for part in relative.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.iter().collect())
}

/// The text outside fenced blocks, each line with its number and without its `code`.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        fenced ^= fence;
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        (!fenced && !fence).then_some((at + 1, plain))
    })
}

/// Targets of `[text](target)` and of `[name]: target`, each with its line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, plain) in prose(text) {
        let inline = plain.split("](").skip(1).map(|after| after.split(')').next().unwrap_or_default());
        let definition = plain.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        let named = definition.filter(|(name, _)| !name.starts_with('^')).map(|(_, target)| target);
        found.extend(inline.chain(named).map(|target| (line, first_word(target))));
    }
    found
}

/// A title may follow the target: `[a](b.md "title")`.
fn first_word(target: &str) -> String {
    target.trim().trim_start_matches('<').split([' ', '>']).next().unwrap_or_default().to_owned()
}

/// The names by which headings can be reached: lower case, spaces as hyphens, punctuation gone, repeats numbered.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().chars().filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
        let name: String = kept.flat_map(char::to_lowercase).map(|sign| if sign == ' ' { '-' } else { sign }).collect();
        let repeats = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(repeats).find(|name| !found.contains(name));
        found.extend(free);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_files_resolve() {
        let guide = "# Guide\n## First steps\n## What's new?\n## First steps\n";
        for (text, expected) in [
            ("[a](guide/start.md)", ""),
            ("[a](./guide/start.md \"title\")", ""),
            ("[a](guide/start.md#first-steps)", ""),
            ("[a](guide/start.md#first-steps-1) [b](guide/start.md#whats-new)", ""),
            ("[a](guide)", ""),
            ("[a](/README.md)", ""),
            ("[a](../README.md)", ""),
            ("# Top\n[a](#top)", ""),
            ("[a](https://example.org/x.md) [b](mailto:a@example.org)", ""),
            ("`[a](gone.md)`", ""),
            ("```\n[a](gone.md)\n```", ""),
            ("[a]: guide/start.md", ""),
            ("[^1]: a footnote", ""),
            ("[a](gone.md)", "there is no `docs/gone.md`"),
            ("x\n[a]: gone.md", "there is no `docs/gone.md`"),
            ("[a](../../x.md)", "leads out"),
            ("[a](guide/start.md#last-steps)", "no heading for `#last-steps`"),
            ("[a](#gone)", "no heading for `#gone`"),
        ] {
            let tree = Tree::of(&[("docs/a.md", text), ("docs/guide/start.md", guide), ("README.md", "x")]);
            let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{text}: {found:?}");
            assert!(found.iter().all(|message| message.contains(expected)), "{text}: {found:?}");
        }
    }
}
