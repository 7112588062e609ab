//! What stands within a line: code, emphasis, links. A mark without its partner nearby is a letter.

use crate::html::{Html, is_harmless};

/// LIMIT: marks within each other.
const DEPTH_MAX: usize = 4;
/// LIMIT: bytes within which a mark has its partner, so that no text costs more than its length allows.
const REACH_MAX: usize = 1_000;

/// Writes the text of a block.
pub(super) fn inline(html: &mut Html, text: &str, is_own: bool) {
    write(html, text, (DEPTH_MAX, is_own));
}

fn write(html: &mut Html, text: &str, (depth, is_own): (usize, bool)) {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(letter) = rest.chars().next() {
        let found = if depth == 0 { None } else { mark(rest, is_own) };
        match found {
            Some((piece, length)) => {
                html.text(&std::mem::take(&mut plain));
                piece.write(html, (depth - 1, is_own));
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                let escaped = rest.strip_prefix('\\').and_then(|rest| rest.chars().next());
                let (letter, length) = match escaped.filter(char::is_ascii_punctuation) {
                    Some(escaped) => (escaped, 2),
                    None => (letter, letter.len_utf8()),
                };
                plain.push(letter);
                rest = rest.get(length..).unwrap_or_default();
            }
        }
    }
    html.text(&plain);
}

/// Something that is more than a text.
enum Piece<'t> {
    Code(&'t str),
    Strong(&'t str),
    Emphasis(&'t str),
    Link(&'t str, &'t str),
    Break,
}

/// What the text begins with, and how long it is.
fn mark(text: &str, is_own: bool) -> Option<(Piece<'_>, usize)> {
    match text.chars().next()? {
        '`' => {
            let ticks = text.len() - text.trim_start_matches('`').len();
            let fence = text.get(..ticks)?;
            let inside = within(text.get(ticks..)?, fence)?;
            Some((Piece::Code(inside.trim()), inside.len() + 2 * ticks))
        }
        letter @ ('*' | '_') => emphasis(text, letter),
        '[' => {
            let words = within(text.get(1..)?, "]")?;
            let after = text.get(words.len() + 2..)?.strip_prefix('(')?;
            let address = within(after, ")")?;
            let length = words.len() + address.len() + 4;
            let address = address.split_whitespace().next()?.trim_matches(['<', '>']);
            (is_harmless(address) && (is_own || is_whole(address))).then_some((Piece::Link(words, address), length))
        }
        '<' => {
            let address = within(text.get(1..)?, ">")?;
            (is_whole(address) && is_harmless(address)).then_some((Piece::Link(address, address), address.len() + 2))
        }
        ' ' if text.starts_with("  \n") => Some((Piece::Break, 3)),
        '\\' if text.starts_with("\\\n") => Some((Piece::Break, 2)),
        _ => None,
    }
}

/// Whether an address says where it leads, wherever it stands.
fn is_whole(address: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| address.starts_with(scheme))
}

fn emphasis(text: &str, letter: char) -> Option<(Piece<'_>, usize)> {
    let double = if letter == '*' { "**" } else { "__" };
    let is_word =
        |text: &str| !text.is_empty() && !text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace);
    if let Some(after) = text.strip_prefix(double) {
        let inside = within(after, double).filter(|inside| is_word(inside))?;
        return Some((Piece::Strong(inside), inside.len() + 4));
    }
    let single = double.get(..1)?;
    let inside = within(text.get(1..)?, single).filter(|inside| is_word(inside))?;
    // A name in snake case is no emphasis.
    let after = text.get(inside.len() + 2..).and_then(|after| after.chars().next());
    let is_name = letter == '_' && after.is_some_and(char::is_alphanumeric);
    (!is_name).then_some((Piece::Emphasis(inside), inside.len() + 2))
}

/// What stands before a mark that is near.
fn within<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let near = text.get(..text.floor_char_boundary(REACH_MAX))?;
    near.get(..near.find(mark)?)
}

// === impl Piece ===

impl Piece<'_> {
    fn write(&self, html: &mut Html, inside: (usize, bool)) {
        match self {
            Self::Code(text) => html.leaf("code", &[], text).done(),
            Self::Strong(text) => html.element("strong", &[], |html| write(html, text, inside)).done(),
            Self::Emphasis(text) => html.element("em", &[], |html| write(html, text, inside)).done(),
            Self::Link(words, address) => {
                html.element("a", &[("href", address), ("rel", "nofollow noopener")], |html| {
                    write(html, words, inside)
                });
            }
            Self::Break => html.open("br", &[]).done(),
        }
    }
}
