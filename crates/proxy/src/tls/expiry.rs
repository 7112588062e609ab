//! When a certificate expires: the one field of X.509 (RFC 5280 section 4.1.2.5) that operators have to watch. Whether the
//! certificate is any good otherwise is the TLS library's business.

use portcullis_types::civil::{Date, Moment};

/// A certificate's first name and its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiry<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) seconds: Option<i64>,
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` in seconds since 1970, if it can be found and read.
pub(crate) fn not_after(certificate: &[u8]) -> Option<i64> {
    let (outer, _) = expect(certificate, SEQUENCE)?;
    let (mut rest, _) = expect(outer, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (_, _, after_begin) = element(validity)?;
    let (tag, text, _) = element(after_begin)?;
    time(tag, text)
}

fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (have, inner, rest) = element(bytes)?;
    (have == tag).then_some((inner, rest))
}

/// Tag, content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (inner, rest) = rest.split_at_checked(length)?;
    Some((tag, inner, rest))
}

fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day, hour, minute, second) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?);
    Some(Moment { date: Date { year, month, day }, second: (hour * 60 + minute) * 60 + second }.unix())
}

#[cfg(test)]
mod tests {
    use super::{GENERALIZED_TIME, UTC_TIME, not_after, time};
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn the_end_of_a_certificate_is_found() {
        for (year, expect) in [(2031, 1_924_992_000), (2049, 2_493_072_000), (2050, 2_524_608_000)] {
            let mut parameters = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            parameters.not_after = date_time_ymd(year, 1, 1);
            let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
            assert_eq!(not_after(certificate.der()), Some(expect), "{year}");
            for cut in 0..certificate.der().len() {
                let _no_panic = not_after(&certificate.der()[..cut]);
            }
        }
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (tag, text, expect) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (GENERALIZED_TIME, "20000229120000Z", Some(951_825_600)),
            (GENERALIZED_TIME, "20000229120000", None),
            (UTC_TIME, "7001010000Z", None),
            (0x04, "700101000000Z", None),
        ] {
            assert_eq!(time(tag, text.as_bytes()), expect, "{text}");
        }
    }
}
