//! A strict part of Markdown: headings, paragraphs, lists, quotes, code, tables, emphasis, links. Whatever else there is, HTML
//! above all, is a text like any other.

mod inline;
#[cfg(test)]
mod tests;

use crate::html::Html;
use inline::inline;

/// LIMIT: bytes of one text; the rest is left out, and that is said.
const BYTES_MAX: usize = 128 * 1024;
/// LIMIT: columns of a table.
const COLUMNS_MAX: usize = 20;
const HEADINGS: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];

/// A text as people wrote it, as a part of a page whose own headings end at `level`. It was written for another place, so that only
/// whole addresses lead somewhere.
#[must_use]
pub(crate) fn markdown(text: &str, level: usize) -> Html {
    written(text, level, false)
}

/// The same of a text that was written for this site, so that links within the site mean something.
#[must_use]
pub(crate) fn own_markdown(text: &str, level: usize) -> Html {
    written(text, level, true)
}

fn written(text: &str, level: usize, is_own: bool) -> Html {
    let mut html = Html::default();
    let cut = text.floor_char_boundary(BYTES_MAX);
    let lines: Vec<&str> = text.get(..cut).unwrap_or_default().lines().map(str::trim_end).collect();
    let mut at = 0;
    while let Some(rest) = lines.get(at..).filter(|rest| !rest.is_empty()) {
        at += block(&mut html, rest, (level, is_own)).max(1);
    }
    if cut < text.len() {
        html.leaf("p", &[("class", "note")], "The rest of this text is left out here, because it is very long.");
    }
    html
}

/// The first paragraph, as a plain text in one line.
#[must_use]
pub(crate) fn first_words(text: &str, most: usize) -> String {
    let words = text.lines().map(str::trim).skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches(['#', ' ']);
    match line.char_indices().nth(most) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
    }
}

/// Writes what the lines begin with; how many lines that were.
fn block(html: &mut Html, lines: &[&str], (level, is_own): (usize, bool)) -> usize {
    let Some(first) = lines.first() else { return 1 };
    let plain = first.trim_start();
    if plain.is_empty() {
        return 1;
    }
    if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| plain.starts_with(fence)) {
        return fenced(html, lines, fence);
    }
    if let Some((depth, title)) = heading(plain) {
        let tag = HEADINGS.get((depth + level).saturating_sub(1).min(5)).copied().unwrap_or("h6");
        html.element(tag, &[], |html| inline(html, title, is_own)).line();
        return 1;
    }
    if plain.len() >= 3
        && ["-", "*", "_"].iter().any(|one| plain.replace(' ', "").chars().all(|letter| one.contains(letter)))
    {
        html.open("hr", &[]).line();
        return 1;
    }
    if plain.starts_with('>') {
        let own: Vec<&str> = lines.iter().map_while(|line| line.trim_start().strip_prefix('>')).collect();
        html.element("blockquote", &[], |html| {
            html.element("p", &[], |html| inline(html, own.join("\n").trim(), is_own));
        });
        html.line();
        return own.len();
    }
    if let Some(ordered) = item(plain).map(|(ordered, _)| ordered) {
        return list(html, lines, ordered, is_own);
    }
    if plain.contains('|') && lines.get(1).is_some_and(|line| is_rule(line)) {
        return table(html, lines, is_own);
    }
    let is_end = |line: &&&str| {
        let line = line.trim_start();
        let begins = ["```", "~~~", ">"].iter().any(|one| line.starts_with(one));
        line.is_empty() || begins || heading(line).is_some() || item(line).is_some()
    };
    let own: Vec<&str> = lines.iter().skip(1).take_while(|line| !is_end(line)).copied().collect();
    let text = std::iter::once(*first).chain(own.iter().copied()).collect::<Vec<_>>().join("\n");
    html.element("p", &[], |html| inline(html, text.trim(), is_own)).line();
    own.len() + 1
}

fn fenced(html: &mut Html, lines: &[&str], fence: &str) -> usize {
    let own: Vec<&str> =
        lines.iter().skip(1).take_while(|line| !line.trim_start().starts_with(fence)).copied().collect();
    code(html, &own.join("\n"));
    own.len() + 2
}

/// Code that can be reached by the keyboard where it is wider than the page.
pub(crate) fn code(html: &mut Html, text: &str) {
    html.element("pre", &[("tabindex", "0")], |html| html.leaf("code", &[], text).done()).line();
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let depth = line.len() - rest.len();
    let title = rest.strip_prefix(' ').map(|title| title.trim().trim_end_matches('#').trim_end());
    title.filter(|_| (1..=6).contains(&depth)).map(|title| (depth, title))
}

/// Whether the line begins an item, of an ordered list or not, and its text.
fn item(line: &str) -> Option<(bool, &str)> {
    if let Some(text) = ["- ", "* ", "+ "].iter().find_map(|bullet| line.strip_prefix(bullet)) {
        return Some((false, text));
    }
    let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = line.len() - rest.len();
    let text = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "));
    text.filter(|_| (1..=9).contains(&digits)).map(|text| (true, text))
}

/// Items in one level; what is further in is an item of the same list.
fn list(html: &mut Html, lines: &[&str], ordered: bool, is_own: bool) -> usize {
    let mut items: Vec<String> = Vec::new();
    let mut read = 0;
    for line in lines {
        let plain = line.trim_start();
        let is_indented = line.starts_with([' ', '\t']);
        match item(plain) {
            Some((kind, text)) if kind == ordered || is_indented => items.push(text.to_owned()),
            Some(_) => break,
            None if plain.is_empty() || heading(plain).is_some() || plain.starts_with("```") => break,
            None => {
                if let Some(item) = items.last_mut() {
                    item.push('\n');
                    item.push_str(plain);
                }
            }
        }
        read += 1;
    }
    html.element(if ordered { "ol" } else { "ul" }, &[], |html| {
        for text in &items {
            html.element("li", &[], |html| inline(html, text, is_own)).line();
        }
    });
    html.line();
    read
}

fn is_rule(line: &str) -> bool {
    line.contains('-') && line.chars().all(|letter| matches!(letter, '|' | '-' | ':' | ' '))
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim().trim_matches('|').split('|').map(str::trim).take(COLUMNS_MAX)
}

fn table(html: &mut Html, lines: &[&str], is_own: bool) -> usize {
    let rows: Vec<&str> = lines.iter().skip(2).take_while(|line| line.contains('|')).copied().collect();
    html.element("div", &[("class", "wide"), ("tabindex", "0")], |html| {
        html.element("table", &[], |html| {
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for cell in lines.first().into_iter().flat_map(|line| cells(line)) {
                        html.element("th", &[("scope", "col")], |html| inline(html, cell, is_own));
                    }
                });
            });
            html.element("tbody", &[], |html| {
                for row in &rows {
                    html.element("tr", &[], |html| {
                        for cell in cells(row) {
                            html.element("td", &[], |html| inline(html, cell, is_own));
                        }
                    });
                    html.line();
                }
            });
        });
    });
    html.line();
    rows.len() + 2
}
