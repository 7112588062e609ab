//! What is found, and what only looks as if it were something.

use super::{Detector, Detectors, find, redact};

fn shown(text: &str) -> String {
    redact(text, Detectors::all())
}

#[test]
fn what_is_found() {
    for (text, expected) in [
        ("4111111111111111", "[card]"),
        ("card 4111 1111 1111 1111, thanks", "card [card], thanks"),
        ("4111-1111-1111-1111.", "[card]."),
        ("378282246310005", "[card]"),
        ("6304000000000000000", "[card]"),
        ("17 4111 1111 1111 1111 03/29", "17 [card] 03/29"),
        ("DE89370400440532013000", "[iban]"),
        ("to DE89 3704 0044 0532 0130 00 today", "to [iban] today"),
        ("gb82west12345698765432", "[iban]"),
        ("MT84MALT011000012345MTLCAST001S", "[iban]"),
        ("NO9386011117947", "[iban]"),
        ("ada@example.com", "[email]"),
        ("<ada.lovelace+x@mail.example.co.uk>.", "<[email]>."),
        ("müller@bücher.example!", "[email]!"),
        ("+49 (30) 901820", "[phone]"),
        ("call +14155552671 now", "call [phone] now"),
        ("(212) 555-0123", "[phone]"),
        ("212-555-0123", "[phone]"),
        ("078-05-1120", "[national_id]"),
        ("AB123456C", "[national_id]"),
        ("ab 12 34 56 c", "[national_id]"),
        ("12345678Z", "[national_id]"),
        ("X1234567L", "[national_id]"),
        ("RSSMRA85T10A562S", "[national_id]"),
        ("529.982.247-25", "[national_id]"),
        ("44051401359", "[national_id]"),
        ("4991 1866 5246", "[national_id]"),
        ("1 84 12 76 451 089 46", "[national_id]"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln", "[bearer_token]"),
        ("Authorization: Bearer mF_9.B5f-4.1JqM4aQ", "Authorization: Bearer [bearer_token]"),
        ("key=AKIAIOSFODNN7EXAMPLE;", "key=[bearer_token];"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[bearer_token]"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a [private_key] b"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg", "[private_key]"),
        ("ada@example.com and bob@example.com", "[email] and [email]"),
        // Other numbers beside a number.
        ("4111 1111 1111 1111 12/27", "[card] 12/27"),
        ("4111 1111 1111 1111 123", "[card] 123"),
        ("4111 1111 1111 1111 2nd", "[card] 2nd"),
        ("4111111111111111 5", "[card] 5"),
        ("4111111111111111-5", "[card]-5"),
        ("1 4111 1111 1111 1111", "1 [card]"),
        ("3782 822463 10005 2027", "[card] 2027"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 27", "[card] 27"),
        ("4111111111111111 5500005555555559", "[card] [card]"),
        ("4111 1111 1111 1111 5500 0055 5555 5559", "[card] [card]"),
        ("078-05-1120 078-05-1120", "[national_id] [national_id]"),
        ("2026 078-05-1120", "2026 [national_id]"),
        ("078-05-1120 12", "[national_id] 12"),
        ("1.078-05-1120", "1.[national_id]"),
        ("44051401359 12", "[national_id] 12"),
        ("12-44051401359", "12-[national_id]"),
        ("7 529.982.247-25 8", "7 [national_id] 8"),
        ("4991 1866 5246 12", "[national_id] 12"),
        ("2026 1 84 12 76 451 089 46", "2026 [national_id]"),
        ("555-123-4567 555-123-4568", "[phone] [phone]"),
        ("555 123 4567 555 123 4568", "[phone] [phone]"),
        ("1 555-123-4567", "1 [phone]"),
        ("1-555-123-4567", "1-[phone]"),
        ("555.123.4567 12", "[phone] 12"),
        ("+49 30 1234567 12345678", "[phone] 12345678"),
        ("+49 30 1234567 +49 30 1234568", "[phone] [phone]"),
        // What overlaps is one.
        ("4111 1111 1111 1111/joe@example.com", "[card]"),
        ("x DE89 3704 0044 0532 0130 00/joe@example.com y", "x [iban] y"),
        ("+49 30 1234567/joe@example.com", "[phone]"),
        ("joe@example.com/bob@example.org", "[email]"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_is_nothing() {
    for text in [
        "",
        "4111111111111112",
        "0000000000000000",
        "order-4111111111111111x",
        "1700000000000",
        "2026-11-27T12:00:00.000000Z",
        "DE89370400440532013001",
        "@example.com",
        "ada@localhost",
        "a@b.c",
        "user@ example.com",
        "+1",
        "3.14159265358979",
        "10.20.30.40",
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "QQ123456C",
        "12345678A",
        "529.982.247-26",
        "44051401358",
        "550e8400-e29b-41d4-a716-446655440000",
        "Bearer token",
        "eyJ.a",
        "the bearer is not here",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "555-123-4567-89",
        "12-555-123-4567",
        "2024-123-45-6789",
        "123-45-6789-1",
        "0.44051401359",
        "1.184127645108946",
        "+4930123456789013",
        "ab4111111111111111 1111",
        "12 13 14 15 16 17 18",
        "2026-11-27 12:00:00.123456",
        "192.168.100.200 10.0.0.1",
        "SGVsbG8sIHRoaXMgaXMgbm90aGluZyB0byBzZWUgYXQgYWxs",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn only_what_is_asked_for_is_found_and_names_are_their_own() {
    let text = "ada@example.com 4111111111111111";
    let found = find(text, Detectors::of(&[Detector::Card]));
    assert_eq!(found.len(), 1);
    assert_eq!(&text[found[0].range.clone()], "4111111111111111");
    assert!(find(text, Detectors::default()).is_empty());
    for (index, detector) in Detector::ALL.iter().enumerate() {
        assert_eq!(*detector as usize, index);
    }
}

#[test]
fn the_work_grows_with_the_text_alone() {
    // A quadratic search would take minutes for any of them.
    for part in ["4", "4 ", "41-", "4111 ", "555 123 ", "+4", "+1 2", "4111111111111111 ", "1@", "a@b.cd/", "DE89 "] {
        let text = part.repeat(200_000 / part.len());
        let end = find(&text, Detectors::all()).last().map_or(0, |finding| finding.range.end);
        assert!(end <= text.len(), "{part}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_the_text_findings_are_parts_of_it(text in "[ -~@+\\-0-9é€\n]{0,80}") {
        let mut end = 0;
        for finding in find(&text, Detectors::all()) {
            proptest::prop_assert!(finding.range.start >= end && finding.range.end <= text.len());
            proptest::prop_assert!(text.get(finding.range.clone()).is_some_and(|part| !part.is_empty()));
            end = finding.range.end;
        }
    }
}
