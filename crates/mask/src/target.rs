//! What a target says of somebody, for records: its parts are looked at one by one, as they are meant (RFC 3986 section 2.1).

use crate::detect::{Detector, Detectors, find};
use std::ops::Range;

// LIMIT: how often escapes are undone: a client may have escaped what was escaped before.
const ROUNDS_MAX: usize = 3;

/// A part of a target, or what is left of one when escapes are undone.
struct Meant {
    bytes: Vec<u8>,
    /// Where in the target each byte begins, and where the last one ends.
    starts: Vec<usize>,
}

// === impl Meant ===

impl Meant {
    fn of(target: &[u8], part: Range<usize>) -> Self {
        Self { bytes: target.get(part.clone()).unwrap_or_default().to_vec(), starts: (part.start..=part.end).collect() }
    }

    /// What its escapes mean; nothing where there are none.
    fn undone(&self) -> Option<Self> {
        let (mut bytes, mut starts, mut at) = (Vec::with_capacity(self.bytes.len()), Vec::new(), 0);
        while let Some(byte) = self.bytes.get(at) {
            let escaped = escaped(self.bytes.get(at..).unwrap_or_default());
            bytes.push(escaped.unwrap_or(*byte));
            starts.extend(self.starts.get(at));
            at += if escaped.is_some() { 3 } else { 1 };
        }
        starts.extend(self.starts.last());
        (bytes.len() < self.bytes.len()).then_some(Self { bytes, starts })
    }

    /// Adds where in the target something is found. `plus` is what a plus sign means.
    fn look(&self, detectors: Detectors, plus: u8, found: &mut Vec<(Range<usize>, &'static str)>) {
        let is_text = std::str::from_utf8(&self.bytes).is_ok();
        let byte = |byte: &u8| match byte {
            b'+' => plus,
            // Of no text: something that is part of nothing that is found.
            0x80.. if !is_text => 0x7f,
            other => *other,
        };
        let text = String::from_utf8(self.bytes.iter().map(byte).collect()).unwrap_or_default();
        for finding in find(&text, detectors) {
            if let (Some(start), Some(end)) = (self.starts.get(finding.range.start), self.starts.get(finding.range.end))
            {
                found.push((*start..*end, finding.detector.name()));
            }
        }
    }
}

/// The byte that an escape at the beginning stands for.
pub(crate) fn escaped(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// A target in which what the detectors find is replaced by its name in brackets, and all else is as it came: segments of its
/// path, and names and values of its query. Nothing, where nothing is found.
#[must_use]
pub fn redact_target(target: &[u8], detectors: Detectors) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    for (part, in_query) in parts(target) {
        let mut meant = Some(Meant::of(target, part));
        for _ in 0..=ROUNDS_MAX {
            let Some(now) = meant else { break };
            meant = now.undone();
            // A percent sign may stand in an address, so that an escape before one would seem to be a part of it.
            let sought = if meant.is_some() { detectors.without(Detector::Email) } else { detectors };
            now.look(sought, b'+', &mut found);
            if in_query && now.bytes.contains(&b'+') {
                // In forms it is a blank.
                now.look(sought, b' ', &mut found);
            }
        }
    }
    if found.is_empty() {
        return None;
    }
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let (mut shown, mut at) = (Vec::with_capacity(target.len()), 0);
    for (range, name) in found {
        if range.start >= at {
            shown.extend_from_slice(target.get(at..range.start).unwrap_or_default());
            shown.extend_from_slice(format!("[{name}]").as_bytes());
        }
        at = at.max(range.end);
    }
    shown.extend_from_slice(target.get(at..).unwrap_or_default());
    Some(shown)
}

/// Segments of the path; names and values of the query, which is all from the first `?` or `#` on.
fn parts(target: &[u8]) -> impl Iterator<Item = (Range<usize>, bool)> + '_ {
    let query = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let (mut start, mut named) = (0, false);
    let ends = (0..=target.len()).filter(move |index| match target.get(*index) {
        None => true,
        Some(b'/') => *index < query,
        Some(b'?' | b'#') => true,
        Some(b'&') => *index > query,
        // Of several in one parameter the first ends its name.
        Some(b'=') => *index > query,
        Some(_) => false,
    });
    ends.filter_map(move |end| {
        let is_value_sign = target.get(end) == Some(&b'=') && std::mem::replace(&mut named, true);
        if is_value_sign {
            return None;
        }
        named &= target.get(end) == Some(&b'=');
        let part = (start..end, start > query);
        start = end + 1;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::redact_target;
    use crate::detect::Detectors;

    fn shown(target: &str) -> String {
        redact_target(target.as_bytes(), Detectors::all())
            .map_or_else(|| target.to_owned(), |shown| String::from_utf8(shown).unwrap())
    }

    #[test]
    fn what_was_masked_is_written_masked_and_the_rest_as_it_came() {
        for (target, expected) in [
            ("/", "/"),
            ("/orders/17?page=2", "/orders/17?page=2"),
            ("/m/x?q=%2B4930123456789", "/m/x?q=[phone]"),
            ("/%2B4930123456789", "/[phone]"),
            ("/+4930123456789", "/[phone]"),
            ("/m/x?q=joe@example.com", "/m/x?q=[email]"),
            ("/m/x?q=joe%40example.com&z=%20", "/m/x?q=[email]&z=%20"),
            ("/m/joe@example.com/x%2F", "/m/[email]/x%2F"),
            ("/m/4111%201111%201111%201111?q=joe@example.com&z=1", "/m/[card]?q=[email]&z=1"),
            ("/m/4111111111111111/joe@example.com", "/m/[card]/[email]"),
            ("/m/joe%2540example.com", "/m/[email]"),
            ("/m/%34%31%31%31111111111111", "/m/[card]"),
            ("/m?q=4111+1111+1111+1111+12", "/m?q=[card]+12"),
            ("/m?q=%28212%29+555-0123", "/m?q=[phone]"),
            ("/m?q=Bearer%20mF_9.B5f-4.1JqM4aQ==", "/m?q=Bearer%20[bearer_token]"),
            ("/m?joe@example.com=1", "/m?[email]=1"),
            ("/m?joe%40example.com", "/m?[email]"),
            ("/m?q=joe%40example.com%26page%3D3", "/m?q=[email]%26page%3D3"),
            ("/m?a=1?b=joe@example.com#joe@example.com", "/m?a=1?b=[email]#[email]"),
            ("/m?q=%ff%20joe@example.com%ff", "/m?q=%ff%20[email]%ff"),
            ("/m?q=m%C3%BCller@example.com", "/m?q=[email]"),
            ("/m?q=100%", "/m?q=100%"),
            ("/m?q=100%2", "/m?q=100%2"),
            ("/m?mail=x=joe@example.com", "/m?mail=[email]"),
            ("/555-123-4567", "/[phone]"),
        ] {
            assert_eq!(shown(target), expected, "{target}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_target_nothing_panics(target in "[/?&=#%+@a-f0-9. -]{0,60}") {
            let shown = redact_target(target.as_bytes(), Detectors::all());
            proptest::prop_assert!(shown.is_none_or(|shown| shown.contains(&b'[')));
        }

        #[test]
        fn an_address_is_found_wherever_it_stands(before in "[a-z0-9]{0,5}", behind in "[a-z0-9]{0,5}", signs in proptest::array::uniform4(proptest::sample::select(vec!['/', '?', '&', '=']))) {
            let [a, b, c, d] = signs;
            let target = format!("/{before}{a}{behind}{b}joe%40example.com{c}{before}{d}");
            proptest::prop_assert!(!shown(&target).contains("joe"), "{target}");
        }
    }
}
