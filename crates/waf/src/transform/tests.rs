//! Rows of the transformations.

use super::*;

fn check(name: &str, input: &[u8], expect: &[u8]) {
    let mut out = Vec::new();
    Transform::from_name(name).unwrap().apply(input, &mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(expect),
        "{name} of {:?}",
        String::from_utf8_lossy(input)
    );
}

#[test]
fn decoders() {
    check("urlDecodeUni", b"a%20b+c%u0041%uff1c%zz%u12", b"a b cA<%zz%u12");
    check("urlDecodeUni", b"%u2019%u00e9", b"'e");
    check("urlDecode", b"%u0041%41", b"%u0041A");
    check("htmlEntityDecode", b"&lt;&#x41;&#66&quot;&unknown;&#;&", b"<AB\"&unknown;&#;&");
    check("jsDecode", br"\u0061\x62\143\n\q\uff1c\", b"abc\nq<\\");
}

#[test]
fn css_widths() {
    check("cssDecode", br"ja\vascript", b"javascript");
    check("cssDecode", br"\61 b", b"ab");
    check("cssDecode", br"\00ff1c", b"<");
    check("cssDecode", br"\", b"");
}

#[test]
fn text() {
    check("cmdLine", b"C^at  /etc,;\"pass'wd\" ( x", b"cat/etc passwd( x");
    check("compressWhitespace", b"a \t\n b", b"a b");
    check("removeWhitespace", b"a \xa0 b", b"ab");
    check("replaceComments", b"a/* x */b/*c", b"a b ");
    check("removeCommentsChar", b"a--b#c/*d*/<!--e-->", b"abcde");
    check("normalizePath", b"/a//b/./c/../d/", b"/a/b/d/");
    check("normalizePath", b"../../x/../y", b"../../y");
    check("normalizePathWin", br"\a\..\b", b"/b");
    check("length", b"12345", b"5");
    check("utf8toUnicode", "a\u{e9}\u{ff1c}".as_bytes(), b"a%u00e9%uff1c");
    check("base64Decode", b"aGVsbG8=", b"hello");
    check("base64Decode", b"aGVs!bG8=", b"hel");
    check("hexEncode", b"\x01\xff", b"01ff");
    check("escapeSeqDecode", br"\x41\102\n\q\", b"AB\nq\\");
}

#[test]
fn sha1_of_the_standard_vectors() {
    let mut out = Vec::new();
    Transform::Sha1.apply(b"abc", &mut out);
    check("hexEncode", &out, b"a9993e364706816aba3e25717850c26c9cd0d89d");
    Transform::Sha1.apply(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", &mut out);
    check("hexEncode", &out, b"84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    Transform::Sha1.apply(b"", &mut out);
    check("hexEncode", &out, b"da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

/// What `effect` promises holds for random values over every alphabet that matters.
#[test]
fn effects_are_promises() {
    let mut random = crate::random::Random::new(7);
    let alphabets: [&[u8]; 6] =
        [b"abcXYZ019", b"ab/.\\", b"aB %+&;", b"-#*/<>!", b"a\0\x01\xa0\xff ", b"\"'^,;( \\\tz"];
    let mut out = Vec::new();
    for _ in 0..20_000 {
        let alphabet = random.pick(&alphabets);
        let value: Vec<u8> = (0..random.below(12)).map(|_| *random.pick(alphabet)).collect();
        for transform in Transform::all() {
            transform.apply(&value, &mut out);
            match transform.effect(crate::classes::mask(&value)) {
                Effect::Identity => assert_eq!(out, value, "{transform:?}"),
                Effect::Fold => assert!(out.eq_ignore_ascii_case(&value), "{transform:?} {value:?}"),
                Effect::Changes => {}
            }
        }
    }
}
