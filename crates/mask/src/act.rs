//! What stands for a value.

use crate::detect::find;
use crate::rules::{Action, Active, Coarser, Ruleset};
use crate::text::{decode, encode};
use crate::token;

/// What stands for a value that cannot be looked at, or of which nothing is shown.
pub(crate) const HIDDEN: &str = "****";

// LIMIT: signs that stand for hidden characters, however many those are.
const STARS_MAX: usize = 16;

/// Appends what stands for a scalar by the rule of this action. `raw` is the scalar as it is written.
pub(crate) fn scalar(rules: &Ruleset, action: &Action, raw: &[u8], out: &mut Vec<u8>) {
    match raw {
        [b'"', text @ .., b'"'] => match of_text(rules, action, &decode(text)) {
            Some(made) => encode(&made, out),
            None => null(out),
        },
        b"null" => null(out),
        b"true" | b"false" => match action {
            // Two values can be told from their tokens and hashes by counting; nothing is said about them.
            Action::Partial { .. } | Action::Hash | Action::Tokenise => encode(HIDDEN, out),
            Action::Remove | Action::Null | Action::Replace(_) | Action::Generalise(_) => null(out),
        },
        number => of_number(rules, action, &decode(number), out),
    }
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

fn of_number(rules: &Ruleset, action: &Action, number: &str, out: &mut Vec<u8>) {
    let Some(made) = of_text(rules, action, number) else { return null(out) };
    let is_whole = number.bytes().all(|byte| byte.is_ascii_digit()) && made.bytes().all(|byte| byte.is_ascii_digit());
    if *action == Action::Tokenise && is_whole {
        out.extend_from_slice(made.as_bytes());
    } else {
        encode(&made, out);
    }
}

/// What stands for a text, or for a part of one; `None` is nothing.
fn of_text(rules: &Ruleset, action: &Action, text: &str) -> Option<String> {
    let keys = rules.keys.as_ref();
    match action {
        Action::Remove | Action::Null => None,
        Action::Replace(replacement) => Some(replacement.clone()),
        Action::Partial { first, last } => Some(partial(text, *first, *last)),
        Action::Hash => Some(keys?.hash(text)),
        Action::Tokenise => token::tokenise(keys?, text),
        Action::Generalise(coarser) => generalise(text, *coarser),
    }
}

/// The first and the last characters, if those are not more than half of all.
fn partial(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    if first.saturating_add(last).saturating_mul(2) > length {
        return HIDDEN.to_owned();
    }
    let hidden = length.saturating_sub(first + last);
    let stars = std::iter::repeat_n('*', hidden.min(STARS_MAX));
    text.chars().take(first).chain(stars).chain(text.chars().skip(length - last)).collect()
}

fn generalise(text: &str, coarser: Coarser) -> Option<String> {
    match coarser {
        Coarser::Year => date(text).and_then(|date| date.get(..4)).map(str::to_owned),
        Coarser::Month => date(text).and_then(|date| date.get(..7)).map(str::to_owned),
        Coarser::Range(width) => range(text, width),
    }
}

/// The date with which a text begins (RFC 3339), if it is nothing else than a date or a time.
fn date(text: &str) -> Option<&str> {
    let (date, rest) = text.split_at_checked(10)?;
    let is_date = date.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let is_time = rest.is_empty() || (rest.len() <= 25 && matches!(rest.as_bytes().first(), Some(b'T' | b't' | b' ')));
    (is_date && is_time).then_some(date)
}

/// The range that a number is in: `30-39` for 37 and a width of 10. What is behind the point counts down.
fn range(text: &str, width: u64) -> Option<String> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number =
        !whole.is_empty() && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_number {
        return None;
    }
    let width = i128::from(width.max(1));
    let number: i128 = whole.parse().ok().filter(|number| *number < 1_i128 << 100)?;
    let below = negative && fraction.bytes().any(|byte| byte != b'0');
    let number = if negative { -number - i128::from(below) } else { number };
    let start = number.div_euclid(width) * width;
    Some(format!("{start}-{}", start + width - 1))
}

/// Appends a text or number in which what the detectors find is replaced; says which rules had something to do. Nothing is
/// appended where nothing is found.
pub(crate) fn searched(
    rules: &Ruleset,
    active: Active,
    raw: &[u8],
    out: &mut Vec<u8>,
    mut did: impl FnMut(usize),
) -> bool {
    let quoted = match raw {
        [b'"', text @ .., b'"'] => Some(text),
        _ => None,
    };
    let written = quoted.unwrap_or(raw);
    let detectors = rules.detectors(active);
    if memchr::memchr(b'\\', written).is_none() && !crate::detect::may_hold(written, detectors) {
        return false;
    }
    let text = decode(written);
    let findings = find(&text, detectors);
    let (mut made, mut at) = (String::new(), 0);
    for finding in &findings {
        let Some(rule) = rules.rule_of(finding.all, active) else { continue };
        let Some(action) = rules.actions.get(rule) else { continue };
        did(rule);
        if *action == Action::Null {
            null(out);
            return true;
        }
        if quoted.is_none() {
            // A number in which something is found is replaced as a whole.
            of_number(rules, action, &text, out);
            return true;
        }
        made.push_str(text.get(at..finding.range.start).unwrap_or_default());
        let part = text.get(finding.range.clone()).unwrap_or_default();
        made.push_str(&of_text(rules, action, part).unwrap_or_default());
        at = finding.range.end;
    }
    if at == 0 {
        return false;
    }
    made.push_str(text.get(at..).unwrap_or_default());
    encode(&made, out);
    true
}

#[cfg(test)]
mod tests {
    use super::{partial, scalar, searched};
    use crate::detect::Detector;
    use crate::keys::Keys;
    use crate::rules::{Action, Active, Coarser, Rule, Ruleset, Select};

    fn ruleset(action: Action) -> Ruleset {
        let rule = Rule { select: Select::Detect(Detector::ALL.to_vec()), action };
        Ruleset::compile(&[rule], Keys::new(&[1; 32])).unwrap()
    }

    fn made(action: Action, raw: &str) -> String {
        let mut out = Vec::new();
        scalar(&ruleset(action.clone()), &action, raw.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn found(action: Action, raw: &str) -> String {
        let (mut out, mut count) = (Vec::new(), 0);
        let found = searched(&ruleset(action), Active(1), raw.as_bytes(), &mut out, |_| count += 1);
        assert_eq!(found, count > 0, "{raw}");
        if found { String::from_utf8(out).unwrap() } else { raw.to_owned() }
    }

    #[test]
    fn never_more_than_half_is_shown() {
        for (text, expected) in [
            ("", "****"),
            ("abc", "****"),
            ("abcdefg", "****"),
            ("abcdefgh", "****efgh"),
            ("größe äöü", "*****\u{20}äöü"),
        ] {
            assert_eq!(partial(text, 0, 4), expected, "{text}");
        }
        assert_eq!(partial("ada@example.com", 1, 4), "a**********.com");
        assert_eq!(partial(&"x".repeat(100), 1, 1), format!("x{}x", "*".repeat(16)));
        assert_eq!(partial("x", usize::MAX, 1), "****");
        assert_eq!(partial("", 0, 0), "");
    }

    #[test]
    fn what_stands_for_scalars() {
        let (year, month) = (Action::Generalise(Coarser::Year), Action::Generalise(Coarser::Month));
        let tens = Action::Generalise(Coarser::Range(10));
        let last = Action::Partial { first: 0, last: 4 };
        for (action, raw, expected) in [
            (&last, "\"4111111111111111\"", "\"************1111\""),
            (&last, "4111111111111111", "\"************1111\""),
            (&last, "\"a\\u0062cdefg\\\"h\\\\\"", "\"******g\\\"h\\\\\"".trim()),
            (&last, "true", "\"****\""),
            (&last, "null", "null"),
            (&year, "\"1985-03-02\"", "\"1985\""),
            (&year, "\"1985-03-02T10:00:00Z\"", "\"1985\""),
            (&month, "\"1985-03-02\"", "\"1985-03\""),
            (&year, "\"2 March 1985\"", "null"),
            (&year, "\"1985-03-02 and more about it than a time\"", "null"),
            (&year, "1985", "null"),
            (&year, "false", "null"),
            (&tens, "37", "\"30-39\""),
            (&tens, "\"37.5\"", "\"30-39\""),
            (&tens, "-0.5", "\"-10--1\""),
            (&tens, "0", "\"0-9\""),
            (&tens, "1e3", "null"),
            (&tens, "\"old\"", "null"),
        ] {
            assert_eq!(made(action.clone(), raw), expected, "{raw}");
        }
        assert_eq!(made(Action::Hash, "\"a\""), made(Action::Hash, "\"\\u0061\""));
        assert_ne!(made(Action::Hash, "\"a\""), made(Action::Hash, "\"b\""));
        let token = made(Action::Tokenise, "4111111111111111");
        assert!(token.parse::<u64>().is_ok_and(|number| number != 4_111_111_111_111_111), "{token}");
        assert!(made(Action::Tokenise, "1.5").starts_with("\"tok_"));
    }

    #[test]
    fn parts_of_texts_are_replaced() {
        let replace = Action::Replace("#".to_owned());
        for (action, raw, expected) in [
            (&replace, "\"mail ada@example.com now\"", "\"mail # now\""),
            (&replace, "\"ada\\u0040example.com\\n\"", "\"#\\n\""),
            (&replace, "\"nothing \\n here\"", "\"nothing \\n here\""),
            (&replace, "4111111111111111", "\"#\""),
            (&replace, "4111111111111112", "4111111111111112"),
            (&Action::Remove, "\"mail ada@example.com now\"", "\"mail  now\""),
            (&Action::Null, "\"mail ada@example.com now\"", "null"),
            (&Action::Remove, "4111111111111111", "null"),
            (&replace, "\"4111 1111 1111 1111/joe@example.com\"", "\"#\""),
        ] {
            assert_eq!(found(action.clone(), raw), expected, "{raw}");
        }
    }

    #[test]
    fn where_findings_overlap_the_stricter_rule_counts_for_all_of_them() {
        let rule = |detector, action| Rule { select: Select::Detect(vec![detector]), action };
        let last = Action::Partial { first: 0, last: 4 };
        let raw = "\"x 4111 1111 1111 1111/joe@example.com y\"";
        for (card, email, expected, counted) in [
            (last.clone(), Action::Replace("#".to_owned()), "\"x # y\"", [0, 1]),
            (Action::Remove, last.clone(), "\"x  y\"", [1, 0]),
            (last.clone(), last, "\"x ****************.com y\"", [1, 0]),
        ] {
            let rules = [rule(Detector::Card, card), rule(Detector::Email, email)];
            let rules = Ruleset::compile(&rules, Keys::new(&[1; 32])).unwrap();
            let (mut out, mut counts) = (Vec::new(), [0, 0]);
            assert!(searched(&rules, Active(3), raw.as_bytes(), &mut out, |rule| counts[rule] += 1));
            assert_eq!((String::from_utf8(out).unwrap().as_str(), counts), (expected, counted));
        }
    }
}
