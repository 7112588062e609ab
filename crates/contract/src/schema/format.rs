//! The formats that are checked. A name that is not here is a note about the document, never a check that silently passes.

mod address;
mod time;

use crate::json::{Decimal, Json, Limits};
use crate::schema::pattern::Pattern;

macro_rules! formats {
    ($($name:ident $word:literal)+) => {
        /// A format that is checked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Format { $($name,)+ }

        impl Format {
            pub(crate) fn named(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

formats! {
    DateTime "date-time"
    Date "date"
    Time "time"
    Duration "duration"
    Email "email"
    Hostname "hostname"
    Ipv4 "ipv4"
    Ipv6 "ipv6"
    Uri "uri"
    UriReference "uri-reference"
    Uuid "uuid"
    JsonPointer "json-pointer"
    Regex "regex"
    Byte "byte"
    Int32 "int32"
    Int64 "int64"
    Uint32 "uint32"
    Uint64 "uint64"
    Float "float"
    Double "double"
    Password "password"
    Binary "binary"
}

// === impl Format ===

impl Format {
    /// Whether it says something about numbers.
    pub(crate) const fn is_of_numbers(self) -> bool {
        matches!(self, Self::Int32 | Self::Int64 | Self::Uint32 | Self::Uint64 | Self::Float | Self::Double)
    }

    pub(crate) fn fits_number(self, text: &str) -> bool {
        let between = |least: &str, most: &str| {
            let number = Decimal::of(text);
            number.is_whole() && number >= Decimal::of(least) && number <= Decimal::of(most)
        };
        match self {
            Self::Int32 => between("-2147483648", "2147483647"),
            Self::Int64 => between("-9223372036854775808", "9223372036854775807"),
            Self::Uint32 => between("0", "4294967295"),
            Self::Uint64 => between("0", "18446744073709551615"),
            Self::Float => text.parse::<f32>().is_ok_and(f32::is_finite),
            Self::Double => text.parse::<f64>().is_ok_and(f64::is_finite),
            Self::DateTime | Self::Date | Self::Time | Self::Duration | Self::Email | Self::Hostname | Self::Ipv4 => {
                true
            }
            Self::Ipv6 | Self::Uri | Self::UriReference | Self::Uuid | Self::JsonPointer | Self::Regex => true,
            Self::Byte | Self::Password | Self::Binary => true,
        }
    }

    pub(crate) fn fits_text(self, text: &str) -> bool {
        match self {
            Self::DateTime => time::is_date_time(text),
            Self::Date => time::is_date(text),
            Self::Time => time::is_time(text),
            Self::Duration => time::is_duration(text),
            Self::Email => address::is_email(text),
            Self::Hostname => address::is_hostname(text),
            Self::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Uri => address::is_uri(text, true),
            Self::UriReference => address::is_uri(text, false),
            Self::Uuid => is_uuid(text),
            Self::JsonPointer => is_pointer(text),
            Self::Regex => Pattern::new(text).is_ok(),
            Self::Byte => is_base64(text),
            // As a text a number of this format is written as JSON writes it.
            Self::Int32 | Self::Int64 | Self::Uint32 | Self::Uint64 | Self::Float | Self::Double => {
                Json::parse(text.as_bytes(), &Limits::default())
                    .is_ok_and(|json| json.root().text() == text && self.fits_number(text))
            }
            Self::Password | Self::Binary => true,
        }
    }
}

/// RFC 9562 section 4.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// RFC 6901 section 3.
fn is_pointer(text: &str) -> bool {
    let mut parts = text.split('~');
    let starts = text.is_empty() || text.starts_with('/');
    parts.next();
    starts && parts.all(|part| part.starts_with(['0', '1']))
}

/// RFC 4648 section 4, padded, with no bits left over.
fn is_base64(text: &str) -> bool {
    let kept = text.trim_end_matches('=');
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let last = kept.bytes().last().and_then(value).unwrap_or(0);
    let tail = match text.len() - kept.len() {
        0 => true,
        1 => last & 0b11 == 0,
        2 => last & 0b1111 == 0,
        _ => false,
    };
    text.len().is_multiple_of(4) && tail && kept.bytes().all(|byte| value(byte).is_some())
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn formats_hold_and_refuse() {
        for (format, good, bad) in [
            (
                "date",
                &["2024-02-29", "1990-12-31"][..],
                &["2023-02-29", "2024-13-01", "2024-1-01", "2024-01-01T", ""][..],
            ),
            (
                "date-time",
                &[
                    "2024-02-29T23:59:59Z",
                    "1990-12-31T23:59:60Z",
                    "2024-01-01t00:00:00.123+01:30",
                    "1990-12-31T15:59:60-08:00",
                ],
                &[
                    "2024-02-29 23:59:59Z",
                    "2024-01-01T24:00:00Z",
                    "2024-01-01T00:00:00",
                    "1990-12-31T22:59:60Z",
                    "2024-01-01T00:00:00+24:00",
                    "2024-01-01T00:00:00.Z",
                ],
            ),
            ("time", &["08:30:06Z", "23:59:60Z", "08:30:06.5-02:00"], &["8:30:06Z", "08:30:06", "08:30:60Z"]),
            ("duration", &["P4DT12H30M5S", "PT1M", "P1W", "P1Y2M"], &["P", "PT", "P1D2H", "1D", "P1YT", "P1W1D"]),
            ("email", &["a@b.example", "a.b+c@d-e.f"], &["a", "@b", "a@", "a..b@c", ".a@b", "a b@c", "a@b@c", "a@-b"]),
            ("hostname", &["a", "a-b.example"], &["", "-a", "a-", "a_b", "a..b", "a.example."]),
            ("ipv4", &["127.0.0.1"], &["127.1", "256.0.0.1", "01.2.3.4"]),
            ("ipv6", &["::1", "2001:db8::1:2"], &["1", ":::", "::1%eth0", "2001:db8::1::"]),
            (
                "uri",
                &["https://a.example/b?c#d", "urn:x:y", "mailto:a@b"],
                &["/a", "a b:c", "http://a/ b", "http://a/%zz", "//a", "http://[::1"],
            ),
            ("uri-reference", &["/a?b", "a", "", "//h/x"], &["a b", "\\a", "%1"]),
            (
                "uuid",
                &["2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
                &["2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380"],
            ),
            ("json-pointer", &["", "/a~0b/~1"], &["a", "/~2", "/~"]),
            ("byte", &["", "YQ==", "YWI=", "YWJj"], &["YQ", "YQ=", "YR==", "Y Q=", "===="]),
            ("int32", &["2147483647"], &["2147483648", "1.5", "x"]),
            ("regex", &["^a+$"], &["(", "(?=a)"]),
        ] {
            let format = Format::named(format).unwrap();
            for text in good {
                assert!(format.fits_text(text), "{format:?} {text}");
            }
            for text in bad {
                assert!(!format.fits_text(text), "{format:?} {text}");
            }
        }
        for (format, number, expected) in [
            ("int32", "-2147483648", true),
            ("int32", "-2147483649", false),
            ("int32", "1e3", true),
            ("int64", "9223372036854775808", false),
            ("int64", "9223372036854775807", true),
            ("uint32", "-1", false),
            ("float", "1e39", false),
            ("double", "1e39", true),
            ("double", "1e999", false),
        ] {
            assert_eq!(Format::named(format).unwrap().fits_number(number), expected, "{format} {number}");
        }
    }
}
