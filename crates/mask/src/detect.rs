//! What in a text looks like something that should not be seen by everybody. Numbers count only where their check digits do.

mod checks;
mod contact;
mod groups;
mod national;
mod number;
mod secret;
#[cfg(test)]
mod tests;

use std::ops::Range;

/// Something that can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detector {
    /// Numbers of payment cards: 13 to 19 digits with the check digit of Luhn (ISO/IEC 7812-1).
    Card,
    /// Account numbers (ISO 13616) with their check digits.
    Iban,
    /// Addresses of mail (the common part of RFC 5321).
    Email,
    /// Telephone numbers with `+` and country (E.164), or as they are written in North America.
    Phone,
    /// Numbers of persons: Brazil, France, India, Italy, Poland, Spain, the United Kingdom, the United States.
    NationalId,
    /// Tokens and keys of programs: JWT, `Bearer …`, and those with well-known prefixes.
    BearerToken,
    /// Private keys in PEM.
    PrivateKey,
}

/// Which detectors look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detectors(u8);

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// What it looks like: of several things in one place, what begins first, and of those the longest.
    pub detector: Detector,
    /// Everything that was found there.
    pub all: Detectors,
}

// === impl Detector ===

impl Detector {
    /// Every detector.
    pub const ALL: [Self; 7] =
        [Self::Card, Self::Iban, Self::Email, Self::Phone, Self::NationalId, Self::BearerToken, Self::PrivateKey];

    /// Its name in configurations and in what stands for a finding.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::NationalId => "national_id",
            Self::BearerToken => "bearer_token",
            Self::PrivateKey => "private_key",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

// === impl Detectors ===

impl Detectors {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::of(&Detector::ALL)
    }

    /// These.
    #[must_use]
    pub fn of(detectors: &[Detector]) -> Self {
        Self(detectors.iter().fold(0, |bits, detector| bits | detector.bit()))
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn has(self, detector: Detector) -> bool {
        self.0 & detector.bit() != 0
    }

    /// Whether any of those is among them.
    #[must_use]
    pub const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These but for one.
    #[must_use]
    pub const fn without(self, detector: Detector) -> Self {
        Self(self.0 & !detector.bit())
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Whether a text can hold any finding: what most texts are spared by.
pub(crate) fn may_hold(text: &[u8], detectors: Detectors) -> bool {
    let secrets = detectors.has(Detector::BearerToken) || detectors.has(Detector::PrivateKey);
    let (mut digits, mut at) = (0_usize, false);
    for byte in text {
        digits += usize::from(byte.is_ascii_digit());
        at |= *byte == b'@';
    }
    (at && detectors.has(Detector::Email))
        || digits >= number::DIGITS_MIN
        || (secrets && text.len() >= secret::BYTES_MIN)
}

/// Everything that the detectors find in a text, in its order and without overlap: findings that overlap are one, so that
/// nothing of either is left.
#[must_use]
pub fn find(text: &str, detectors: Detectors) -> Vec<Finding> {
    let mut findings = Vec::new();
    if may_hold(text.as_bytes(), detectors) {
        let mut add = |detector: Detector, look: fn(&str, &mut dyn FnMut(Range<usize>))| {
            if detectors.has(detector) {
                let all = Detectors::of(&[detector]);
                look(text, &mut |range| findings.push(Finding { range, detector, all }));
            }
        };
        add(Detector::PrivateKey, secret::keys);
        add(Detector::BearerToken, secret::tokens);
        add(Detector::Email, contact::emails);
        add(Detector::Iban, number::ibans);
        add(Detector::Card, number::cards);
        add(Detector::NationalId, national::ids);
        add(Detector::Phone, contact::phones);
        findings.sort_by_key(|finding| (finding.range.start, std::cmp::Reverse(finding.range.end)));
        findings.dedup_by(|next, kept| {
            let overlap = next.range.start < kept.range.end;
            if overlap {
                kept.range.end = kept.range.end.max(next.range.end);
                kept.all = kept.all.and(next.all);
            }
            overlap
        });
    }
    findings
}

/// A text with everything that is found replaced by its name in brackets.
#[must_use]
pub fn redact(text: &str, detectors: Detectors) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for finding in find(text, detectors) {
        shown.push_str(text.get(at..finding.range.start).unwrap_or_default());
        shown.push('[');
        shown.push_str(finding.detector.name());
        shown.push(']');
        at = finding.range.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}
