//! Values of the API as people read them: cells of tables, times, sizes.

use portcullis_portal::html::Html;
use portcullis_types::civil::Moment;
use serde_json::Value;

pub(super) use crate::api::state::shown;

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    Code(String),
    Number(u64),
    /// An address and its text.
    Link(String, String),
    /// How good something is, and what it is called.
    Badge(Tone, String),
    /// A form, or anything else.
    Piece(Html),
}

/// How good something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warn,
    Bad,
    Plain,
}

/// A table; where nothing is in it, it says so.
pub(crate) fn rows(html: &mut Html, caption: &str, heads: &[&str], rows: &[Vec<Cell>], nothing: &str) {
    if rows.is_empty() {
        html.element("p", &[("class", "note")], |html| html.prose(nothing).done()).line();
        return;
    }
    html.table(caption, heads, |html| {
        for row in rows {
            html.element("tr", &[], |html| row.iter().for_each(|one| cell(html, one))).line();
        }
    });
}

fn cell(html: &mut Html, cell: &Cell) {
    match cell {
        Cell::Text(text) => html.leaf("td", &[], text),
        Cell::Code(text) => html.element("td", &[], |html| html.leaf("code", &[], text).done()),
        Cell::Number(number) => html.leaf("td", &[("class", "number")], &grouped(*number)),
        Cell::Link(address, text) => html.element("td", &[], |html| html.link(address, text).done()),
        Cell::Badge(tone, text) => html.element("td", &[], |html| badge(html, *tone, text)),
        Cell::Piece(piece) => html.element("td", &[], |html| html.append(piece).done()),
    };
}

pub(crate) fn badge(html: &mut Html, tone: Tone, text: &str) {
    let class = match tone {
        Tone::Good => "badge good",
        Tone::Warn => "badge warn",
        Tone::Bad => "badge bad",
        Tone::Plain => "badge plain",
    };
    html.leaf("span", &[("class", class)], text);
}

/// A member as a text; empty without one.
pub(crate) fn text(value: &Value, name: &str) -> String {
    value.get(name).map(shown).unwrap_or_default()
}

/// A member as a whole number; 0 without one.
pub(crate) fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// The elements of a member that is a list.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Seconds since 1970 as a date and a time.
pub(super) fn moment(value: Option<&Value>) -> String {
    value.and_then(Value::as_i64).map_or_else(String::new, |seconds| Moment::of_unix(seconds).rfc3339())
}

/// The tone of an outcome of a request.
pub(super) fn tone_of(outcome: &str) -> Tone {
    match outcome {
        "served" | "answered" => Tone::Good,
        "refused" => Tone::Warn,
        "failed" | "truncated" => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// A number whose digits stand in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Microseconds as people say them.
pub(super) fn micros(value: Option<&Value>) -> String {
    match value.and_then(Value::as_u64) {
        None => "–".to_owned(),
        Some(micros) if micros < 1_000 => format!("{micros} µs"),
        Some(micros) if micros < 1_000_000 => format!("{} ms", thousandths(micros)),
        Some(micros) => format!("{} s", thousandths(micros / 1_000)),
    }
}

/// A thousandth of it, with one digit behind the point where that says something.
fn thousandths(value: u64) -> String {
    match (value / 1_000, value % 1_000 / 100) {
        (whole, 0) => whole.to_string(),
        (whole, _) if whole >= 10 => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

/// Seconds as people say them.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, grouped, micros};
    use serde_json::json;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        for (value, expect) in [(50, "50 µs"), (2_500, "2.5 ms"), (50_000, "50 ms"), (2_500_000, "2.5 s")] {
            assert_eq!(micros(Some(&json!(value))), expect);
        }
        assert_eq!(micros(Some(&json!(null))), "–");
        assert_eq!(
            (duration(90).as_str(), duration(600).as_str(), duration(90_000).as_str()),
            ("90 s", "10 min", "25 h")
        );
    }
}
