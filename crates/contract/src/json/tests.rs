//! Rows: what is JSON and what is not, what numbers are worth, where values stand.

use super::{Decimal, Flaw, Json, Kind, Limits};
use proptest::prelude::*;

fn code(text: &[u8], limits: &Limits) -> &'static str {
    Json::parse(text, limits).map_or_else(|error| error.flaw.code(), |_| "ok")
}

#[test]
fn only_json_is_json() {
    for (text, expected) in [
        ("null", "ok"),
        (" [1, -0, 1.5e+3, \"\\ud83d\\ude00\", {}, []]\r\n", "ok"),
        ("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}", "ok"),
        ("", "malformed"),
        ("\u{feff}1", "malformed"),
        ("01", "malformed"),
        ("1.", "malformed"),
        (".5", "malformed"),
        ("+1", "malformed"),
        ("1e", "malformed"),
        ("NaN", "malformed"),
        ("nul", "malformed"),
        ("'a'", "malformed"),
        ("[1,]", "malformed"),
        ("[1 2]", "malformed"),
        ("{\"a\":1,}", "malformed"),
        ("{a:1}", "malformed"),
        ("{\"a\" 1}", "malformed"),
        ("\"\u{1}\"", "malformed"),
        ("\"a", "malformed"),
        ("\"\\x\"", "malformed"),
        ("\"\\u12g4\"", "malformed"),
        ("[\"\\ud83d\"]", "lone_surrogate"),
        ("[\"\\ude00\\ud83d\"]", "lone_surrogate"),
        ("1 1", "trailing_bytes"),
        ("{}x", "trailing_bytes"),
        ("1\0", "trailing_bytes"),
        ("{\"a\":1,\"a\":1}", "repeated_member"),
        ("{\"b\":{\"a\":1,\"\\u0061\":2}}", "repeated_member"),
        ("1e99999", "number_bytes"),
    ] {
        assert_eq!(code(text.as_bytes(), &Limits::default()), expected, "{text}");
    }
    assert_eq!(code(b"\"\xff\"", &Limits::default()), "not_utf8");
    let many: Vec<String> = (0..40).map(|number| format!("\"{}\":0", number % 39)).collect();
    assert_eq!(code(format!("{{{}}}", many.join(",")).as_bytes(), &Limits::default()), "repeated_member");
}

#[test]
fn each_limit_holds_at_its_number_and_not_before() {
    let limits = Limits { depth: 2, members: 2, items: 3, values: 9, text_bytes: 4, name_bytes: 2, number_bytes: 5 };
    for (text, expected) in [
        ("[[1]]", "ok"),
        ("[[[1]]]", "depth"),
        ("{\"a\":1,\"b\":2}", "ok"),
        ("{\"a\":1,\"b\":2,\"c\":3}", "members"),
        ("[1,2,3]", "ok"),
        ("[1,2,3,4]", "items"),
        ("[[1,2,3],[1,2,3]]", "ok"),
        ("[[1,2,3],[1,2,3],1]", "values"),
        ("\"abcd\"", "ok"),
        ("\"abcde\"", "text_bytes"),
        ("\"\\u0061bc\\u0064\"", "ok"),
        ("\"\\u0061bc\\u0064e\"", "text_bytes"),
        ("{\"ab\":1}", "ok"),
        ("{\"abc\":1}", "name_bytes"),
        ("-1.25", "ok"),
        ("-1.250", "number_bytes"),
    ] {
        assert_eq!(code(text.as_bytes(), &limits), expected, "{text}");
    }
    let deep = "[".repeat(1_000_000);
    let wide = Limits { depth: usize::MAX, ..Limits::generous() };
    assert_eq!(code(deep.as_bytes(), &wide), "depth");
}

#[test]
fn flaws_say_where() {
    let at = |text: &str| Json::parse(text.as_bytes(), &Limits::default()).map_err(|error| error.at).err();
    assert_eq!(at("{\"a\":1,\"a\":2}"), Some(7));
    assert_eq!(at("[1,}"), Some(3));
}

#[test]
fn pointers_lead_to_values_and_names() {
    let text = r#"{"a":[10,{"b/c":[],"d~":"x"}],"e":2}"#;
    let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let pointers: Vec<String> =
        (0..u32::try_from(json.size()).unwrap()).map(|index| json.item(index).pointer()).collect();
    let expected = ["", "/a", "/a", "/a/0", "/a/1", "/a/1/b~1c", "/a/1/b~1c", "/a/1/d~0", "/a/1/d~0", "/e", "/e"];
    assert_eq!(pointers, expected);
    let inner = json.root().member("a").unwrap().items().nth(1).unwrap();
    assert_eq!(inner.member("d~").unwrap().text(), "x");
    let (from, to) = inner.span();
    assert_eq!(text.get(from as usize..to as usize), Some(r#"{"b/c":[],"d~":"x"}"#));
    assert_eq!((json.root().len(), inner.len(), json.root().kind()), (2, 2, Kind::Object));
}

#[test]
fn numbers_are_worth_what_is_written() {
    for (one, order, other) in [
        ("1", "=", "1.0"),
        ("100", "=", "1e2"),
        ("0", "=", "-0.0"),
        ("0.00120", "=", "12e-4"),
        ("9007199254740993", ">", "9007199254740992"),
        ("0.1", "<", "0.10000000000000000001"),
        ("-1", "<", "1"),
        ("-2", "<", "-1"),
        ("-1e9", "<", "-999999999.9"),
        ("12", ">", "9"),
        ("1e308", "<", "1e309"),
        ("0", ">", "-0.1"),
        ("0", "<", "1e-99"),
    ] {
        let found = match Decimal::of(one).cmp(&Decimal::of(other)) {
            std::cmp::Ordering::Less => "<",
            std::cmp::Ordering::Equal => "=",
            std::cmp::Ordering::Greater => ">",
        };
        assert_eq!(found, order, "{one} {other}");
        if order == "=" {
            assert_eq!(Decimal::of(one).digest(), Decimal::of(other).digest(), "{one} {other}");
        }
    }
    for (number, divisor, power, expected) in [
        ("4.5", 15, -1, true),
        ("35", 15, -1, false),
        ("0.0075", 1, -4, true),
        ("0.00751", 1, -4, false),
        ("1e308", 5, 0, true),
        ("1e308", 123_456_789, -9, false),
        ("0", 7, 0, true),
        ("-14", 7, 0, true),
        ("30", 1, 1, true),
        ("35", 1, 1, false),
    ] {
        assert_eq!(Decimal::of(number).is_multiple(divisor, power), expected, "{number} {divisor} {power}");
    }
}

proptest! {
    #[test]
    fn decimals_order_as_integers_do(one in any::<i64>(), other in any::<i64>(), zeros in 0_usize..4) {
        let padded = format!("{other}.{}", "0".repeat(zeros + 1));
        prop_assert_eq!(Decimal::of(&one.to_string()).cmp(&Decimal::of(&padded)), one.cmp(&other));
    }

    #[test]
    fn any_bytes_are_read_or_refused_within_them(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = Json::parse(&bytes, &Limits::default()) {
            prop_assert!(error.at <= bytes.len() + 1);
            prop_assert!(!matches!(error.flaw, Flaw::TooDeep));
        }
    }
}
