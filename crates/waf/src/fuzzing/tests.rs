//! Rows of the fuzz entries over seeded inputs.

use super::*;
use crate::random::Random;

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ":",
    ",",
    "\\",
    "\\u0041",
    "%41",
    "%u003c",
    "&lt;",
    "&#x41",
    "<a>",
    "</a>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "--x",
    "--x--",
    "\r\n",
    "\n",
    "Content-Disposition: form-data; name=\"a\"",
    "\r\n\r\n",
    "SecRule ",
    "ARGS",
    "|",
    "!",
    "@rx ",
    "\"id:1,phase:2,deny\"",
    "SecAction ",
    "(",
    ")",
    "*",
    "+",
    "?",
    ".",
    "/../",
    "/*",
    "*/",
    "=",
    "&",
    "a",
    "0",
    " ",
    "select",
    "union",
    " or ",
    "1=1",
    "<script",
    "../",
    "\0",
    "\u{e9}",
    "$",
    "#",
    ";",
    "true",
    "null",
    "1e5",
    "t:none",
];

fn smoke(target: fn(&[u8]), runs: usize) {
    let mut random = Random::new(11);
    for _ in 0..runs {
        let mut input = Vec::new();
        for _ in 0..random.below(24) {
            match random.below(8) {
                0 => input.push(random.next_u64().to_le_bytes()[0]),
                _ => input.extend_from_slice(random.pick(PIECES).as_bytes()),
            }
        }
        target(&input);
    }
}

#[test]
fn fuzz_smoke_waf_rules() {
    smoke(fuzz_seclang, 3000);
}

#[test]
fn fuzz_smoke_waf_transformations() {
    smoke(fuzz_transforms, 20_000);
}

#[test]
fn fuzz_smoke_waf_bodies() {
    smoke(fuzz_bodies, 20_000);
}

#[test]
fn fuzz_smoke_waf_requests() {
    smoke(fuzz_request, 4000);
}

/// A value that the SQL gate rules out has no fingerprint.
#[test]
fn the_sql_gate_is_sound() {
    let mut random = Random::new(5);
    let words: Vec<&str> = libinjectionrs::sqli::sqli_data::SQL_KEYWORDS.iter().map(|k| k.word).collect();
    let gate = crate::gate::SqlWords::new();
    let marks = [
        "'", "-", "--", "/*", "*", "#", ";", "(", ")", "@", "\\", "1", "1e", "0x", ".", " ", " ", " ", "=", ",", "a",
        "$", "[", "{", "?", "\u{a0}",
    ];
    for _ in 0..200_000 {
        let mut value = String::new();
        for _ in 0..1 + random.below(6) {
            let list: &[&str] = if random.below(4) == 0 { &words } else { &marks };
            value.push_str(random.pick::<&str>(list));
        }
        let bytes = value.to_ascii_lowercase().into_bytes();
        if libinjectionrs::detect_sqli(&bytes).is_injection() {
            assert!(gate.possible(&bytes, classes::mask(&bytes)), "{value:?}");
        }
    }
}

/// A value that the script gate rules out isn't script.
#[test]
fn the_script_gate_is_sound() {
    let mut random = Random::new(6);
    let pieces = [
        "<",
        "=",
        " ",
        "\"",
        "'",
        "`",
        "on",
        "onload",
        "style",
        "script",
        "javascript:",
        "/",
        ">",
        "!",
        "-",
        "x",
        "\0",
        "&#",
        "src",
    ];
    for _ in 0..100_000 {
        let value: String = (0..1 + random.below(8)).map(|_| *random.pick(&pieces)).collect();
        if libinjectionrs::detect_xss(value.as_bytes()).is_injection() {
            assert!(classes::mask(value.as_bytes()) & classes::of(b"<=") != 0, "{value:?}");
        }
    }
}
