//! Digits in groups: numbers as people write them, also where other numbers stand beside them.

use std::ops::{Range, RangeInclusive};

/// Digits with single signs between them.
struct Run {
    groups: Vec<Range<usize>>,
}

/// Groups of a run that follow each other.
pub(super) struct Window<'r> {
    text: &'r str,
    run: &'r [Range<usize>],
    first: usize,
    last: usize,
    /// What they come to.
    pub(super) digits: &'r [u8],
}

// === impl Window ===

impl Window<'_> {
    fn groups(&self) -> &[Range<usize>] {
        self.run.get(self.first..=self.last).unwrap_or_default()
    }

    /// Where it stands in the text.
    pub(super) fn range(&self) -> Range<usize> {
        let groups = self.groups();
        let start = groups.first().map_or(0, |group| group.start);
        start..groups.last().map_or(start, |group| group.end)
    }

    /// Whether nothing else stands in the run.
    pub(super) fn is_whole(&self) -> bool {
        self.first == 0 && self.last + 1 == self.run.len()
    }

    /// How many digits each of its groups has.
    pub(super) fn lengths(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.groups().iter().map(ExactSizeIterator::len)
    }

    pub(super) fn is_grouped(&self, lengths: &[usize]) -> bool {
        self.lengths().eq(lengths.iter().copied())
    }

    /// The signs between its groups.
    pub(super) fn signs(&self) -> impl Iterator<Item = u8> + '_ {
        let ends = self.groups().split_last().map_or(&[][..], |(_, others)| others);
        ends.iter().filter_map(|group| self.text.as_bytes().get(group.end).copied())
    }

    /// The byte before it.
    pub(super) fn before(&self) -> Option<u8> {
        self.range().start.checked_sub(1).and_then(|index| self.text.as_bytes().get(index)).copied()
    }

    /// The group of the run before it.
    pub(super) fn group_before(&self) -> Option<&str> {
        self.first.checked_sub(1).and_then(|index| self.run.get(index)).and_then(|group| self.text.get(group.clone()))
    }

    /// The signs that set it apart from the rest of the run.
    fn edges(&self) -> impl Iterator<Item = u8> + '_ {
        let behind = self.text.as_bytes().get(self.range().end).copied();
        let goes_on = self.last + 1 < self.run.len();
        [self.before().filter(|_| self.first > 0), behind.filter(|_| goes_on)].into_iter().flatten()
    }

    /// Whether the number does not go on around it as it does within it.
    pub(super) fn is_apart(&self) -> bool {
        self.edges().all(|edge| edge == b' ' || self.signs().all(|sign| sign != edge))
    }

    /// Whether it may be what stands before or behind the point of a fraction.
    pub(super) fn is_of_fraction(&self) -> bool {
        self.first == self.last && self.edges().any(|edge| edge == b'.')
    }
}

/// Finds numbers that fit: runs as a whole, or else groups of them that follow each other, so that a date or a second number
/// beside one hides neither. A window begins at each group and ends when it has too many digits, so that the work
/// grows with the text alone.
pub(super) fn windows(
    text: &str,
    digits: RangeInclusive<usize>,
    is_sign: fn(u8) -> bool,
    fits: fn(&Window<'_>) -> bool,
    found: &mut dyn FnMut(Range<usize>),
) {
    runs(text, is_sign, &mut |run| {
        let all: usize = run.groups.iter().map(ExactSizeIterator::len).sum();
        if all < *digits.start() {
            return;
        }
        if all <= *digits.end()
            && at_first(text, run, 0, &digits, &mut |window| window.is_whole() && fits(window), found)
        {
            return;
        }
        for first in 0..run.groups.len() {
            at_first(text, run, first, &digits, &mut |window| fits(window), found);
        }
    });
}

/// Tries every window that begins at this group; says whether one was found.
fn at_first(
    text: &str,
    run: &Run,
    first: usize,
    digits: &RangeInclusive<usize>,
    fits: &mut dyn FnMut(&Window<'_>) -> bool,
    found: &mut dyn FnMut(Range<usize>),
) -> bool {
    let (mut have, mut any) = (Vec::with_capacity(*digits.end()), false);
    for (last, group) in run.groups.iter().enumerate().skip(first) {
        if have.len() + group.len() > *digits.end() {
            break;
        }
        have.extend(text.get(group.clone()).unwrap_or_default().bytes().map(|byte| byte - b'0'));
        let window = Window { text, run: &run.groups, first, last, digits: &have };
        if have.len() >= *digits.start() && fits(&window) {
            found(window.range());
            any = true;
        }
    }
    any
}

/// Every run of digits between which at most one of the signs stands at a time, without the groups that letters touch.
fn runs(text: &str, is_sign: fn(u8) -> bool, take: &mut dyn FnMut(&Run)) {
    let bytes = text.as_bytes();
    let touches = |index: Option<usize>| {
        index.and_then(|index| bytes.get(index)).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
    };
    let mut at = 0;
    while let Some(start) = bytes.iter().skip(at).position(u8::is_ascii_digit).map(|found| found + at) {
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut next = start;
        while bytes.get(next).is_some_and(u8::is_ascii_digit) {
            let length = bytes.iter().skip(next).take_while(|byte| byte.is_ascii_digit()).count();
            groups.push(next..next + length);
            next += length;
            if bytes.get(next).is_some_and(|byte| is_sign(*byte)) {
                next += 1;
            }
        }
        at = next;
        if groups.last().is_some_and(|last| touches(Some(last.end))) {
            groups.pop();
        }
        if touches(start.checked_sub(1)) && !groups.is_empty() {
            groups.remove(0);
        }
        if !groups.is_empty() {
            take(&Run { groups });
        }
    }
}
