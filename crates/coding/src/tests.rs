//! Round trips, bombs, cuts and flips. Encoders are other people's; bombs are built from their blocks.

use crate::fuzz::{decode, decode_within, fuzz_coding};
use crate::{Coding, CodingError, Decoder, Encoder, Limits};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Write as _;

const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Br, Coding::Zstd];
const WIDE: Limits =
    Limits { output_bytes_max: 16 << 20, ratio_max: u64::MAX, grace_bytes: 0, window_bytes_max: 8 << 20 };

fn encode(coding: Coding, text: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Br => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 18);
            encoder.write_all(text).unwrap();
            encoder.into_inner()
        }
        Coding::Zstd => ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest),
    }
}

fn raw(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn sample() -> Vec<u8> {
    let mut text: Vec<u8> =
        (0..400).flat_map(|row| format!("{{\"id\":{row},\"name\":\"n{}\"}}\n", row * 7919).into_bytes()).collect();
    text.extend_from_slice(&[0; 5000]);
    text
}

fn all(codings: &[Coding], body: &[u8], limits: Limits) -> Result<Vec<u8>, CodingError> {
    decode_within(codings, body, 1000, 4096, limits)
}

#[test]
fn a_field_lists_codings_in_any_case() {
    use Coding::{Br, Deflate, Gzip, Zstd};
    let row = |field: &str, expected: Result<&[Coding], CodingError>| {
        assert_eq!(Coding::list(field.as_bytes()), expected.map(<[Coding]>::to_vec), "{field}");
    };
    row("", Ok(&[]));
    row("identity", Ok(&[]));
    row("gzip", Ok(&[Gzip]));
    row(" X-GZip ,, br\t", Ok(&[Gzip, Br]));
    row("deflate, identity, zstd", Ok(&[Deflate, Zstd]));
    for unknown in
        ["compress", "gzip;q=1", "gzip br", "gzip, gzip, gzip", "g\u{200b}zip", "aes128gcm", &"x,".repeat(200)]
    {
        row(unknown, Err(CodingError::UnknownCoding));
    }
    assert!(Decoder::new(&[Gzip; 3], WIDE).is_err());
}

#[test]
fn what_was_encoded_comes_out_whatever_the_pieces() {
    for text in [Vec::new(), b"x".to_vec(), sample(), vec![b'a'; 300_000]] {
        for coding in ALL {
            let body = encode(coding, &text);
            for (piece, room) in [(1, 1), (1, 4096), (7, 3), (body.len(), 64 << 10)] {
                if text.len() > 100_000 && room < 4096 {
                    continue;
                }
                assert_eq!(
                    decode_within(&[coding], &body, piece, room, WIDE).as_deref(),
                    Ok(&text[..]),
                    "{coding:?} {piece} {room}"
                );
            }
            for outer in ALL {
                let twice = encode(outer, &body);
                assert_eq!(all(&[coding, outer], &twice, WIDE).as_deref(), Ok(&text[..]), "{coding:?} in {outer:?}");
                assert_eq!(decode_within(&[coding, outer], &twice, 1, 4096, WIDE).as_deref(), Ok(&text[..]));
            }
        }
        assert_eq!(all(&[Coding::Deflate], &raw(&text), WIDE).as_deref(), Ok(&text[..]), "bare DEFLATE");
        assert_eq!(decode_within(&[Coding::Deflate], &raw(&text), 1, 4096, WIDE).as_deref(), Ok(&text[..]));
    }
    assert_eq!(all(&[], b"abc", WIDE).as_deref(), Ok(&b"abc"[..]));
    assert_eq!(all(&[], b"abc", Limits { output_bytes_max: 2, ..WIDE }), Err(CodingError::TooLarge));
}

#[test]
fn a_body_that_is_cut_anywhere_is_truncated() {
    let text = &sample()[..3000];
    for coding in ALL {
        let body = encode(coding, text);
        for end in 0..body.len() {
            assert_eq!(all(&[coding], &body[..end], WIDE), Err(CodingError::Truncated), "{coding:?} at {end}");
        }
        let twice = encode(Coding::Gzip, &body[..body.len() - 1]);
        assert_eq!(all(&[coding, Coding::Gzip], &twice, WIDE), Err(CodingError::Truncated), "the inner {coding:?}");
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    for coding in ALL {
        let mut body = encode(coding, b"first");
        let single = body.clone();
        body.push(0);
        assert_eq!(all(&[coding], &body, WIDE), Err(CodingError::TrailingBytes), "{coding:?}");
        assert_eq!(decode_within(&[coding], &body, 1, 10, WIDE), Err(CodingError::TrailingBytes), "{coding:?}");
        // A second member or frame: some programs read on, others do not.
        body = [single.clone(), single].concat();
        assert_eq!(all(&[coding], &body, WIDE), Err(CodingError::TrailingBytes), "{coding:?} twice");
    }
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7][..], &encode(Coding::Zstd, b"x")].concat();
    assert_eq!(all(&[Coding::Zstd], &skippable, WIDE), Err(CodingError::Malformed));
}

#[test]
fn checks_that_do_not_fit_are_malformed() {
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
        let mut body = encode(coding, &sample());
        let last = body.len() - if coding == Coding::Gzip { 5 } else { 1 };
        body[last] ^= 1;
        assert_eq!(all(&[coding], &body, WIDE), Err(CodingError::Malformed), "{coding:?}");
    }
    let whole = encode(Coding::Gzip, b"x");
    let mut length = whole.clone();
    *length.last_mut().unwrap() ^= 1;
    let header = |flags: u8, more: &[u8]| [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0][..], more, &whole[10..]].concat();
    assert_eq!(all(&[Coding::Gzip], &length, WIDE), Err(CodingError::Malformed), "length");
    assert_eq!(all(&[Coding::Gzip], &header(0x20, b""), WIDE), Err(CodingError::Malformed), "a reserved flag");
    assert_eq!(all(&[Coding::Gzip], &header(0x02, b"\0\0"), WIDE), Err(CodingError::Malformed), "header check");
    let long = [&[b'n'; 5000][..], b"\0"].concat();
    assert_eq!(all(&[Coding::Gzip], &header(0x08, &long), WIDE), Err(CodingError::Malformed), "an endless name");
    assert_eq!(all(&[Coding::Gzip], &header(0x1c, b"\x02\0abname\0comment\0"), WIDE).as_deref(), Ok(&b"x"[..]));
}

/// A body of `count` times a mebibyte of zeros (an eighth of one for `zstd`), whatever that is worth in its coding.
fn bomb(coding: Coding, count: usize) -> Vec<u8> {
    let zeros = vec![0; 1 << 20];
    let repeat = |head: &[u8], block: &[u8]| [head, &block.repeat(count)].concat();
    match coding {
        Coding::Gzip | Coding::Deflate => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&zeros).unwrap();
            encoder.flush().unwrap();
            let block = encoder.get_ref().clone();
            let head: &[u8] = if coding == Coding::Gzip { &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0] } else { &[] };
            repeat(head, &block)
        }
        Coding::Br => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 18);
            encoder.write_all(&zeros).unwrap();
            encoder.flush().unwrap();
            let head = encoder.get_ref().clone();
            encoder.write_all(&zeros).unwrap();
            encoder.flush().unwrap();
            let block = encoder.get_ref()[head.len()..].to_vec();
            repeat(&head, &block)
        }
        // A window of 1 MiB; blocks of one byte that is repeated 128 KiB times, none of them the last.
        Coding::Zstd => repeat(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x50], &[2, 0, 0x10, 0]),
    }
}

#[test]
fn a_bomb_meets_its_limits_wherever_it_is_packed() {
    // 10 GB each.
    for coding in ALL {
        let body = bomb(coding, if coding == Coding::Zstd { 80_000 } else { 10_000 });
        let out = |limits| all(&[coding], &body, limits);
        assert_eq!(out(Limits::default()), Err(CodingError::RatioExceeded), "{coding:?}");
        assert_eq!(out(WIDE), Err(CodingError::TooLarge), "{coding:?}");
        assert_eq!(out(Limits { ratio_max: 20_000_000, ..WIDE }), Err(CodingError::TooLarge), "{coding:?}");
        for outer in ALL {
            let nested = encode(outer, &body[..body.len().min(200_000)]);
            assert!(
                matches!(all(&[coding, outer], &nested, Limits::default()), Err(CodingError::RatioExceeded)),
                "{coding:?} in {outer:?}"
            );
            // The outer output is garbage that the inner coding swallows slowly or not at all; it counts too.
            let backwards = all(&[outer, coding], &body, Limits::default());
            assert!(backwards.is_err(), "{outer:?} around {coding:?}");
        }
    }
}

#[test]
fn honest_shrinking_passes_while_it_is_small() {
    let text = vec![b' '; 60 << 10];
    for coding in ALL {
        assert_eq!(all(&[coding], &encode(coding, &text), Limits::default()).as_deref(), Ok(&text[..]), "{coding:?}");
    }
}

#[test]
fn a_window_beyond_the_limit_is_refused_before_it_is_made() {
    let narrow = Limits { window_bytes_max: 1 << 20, ..WIDE };
    // RFC 7932 section 9.1: 24 bits, and the code that only large windows use.
    assert_eq!(all(&[Coding::Br], &[0x0f, 0, 0], narrow), Err(CodingError::TooLarge));
    assert_eq!(all(&[Coding::Br], &[0x11, 0, 0], WIDE), Err(CodingError::Malformed));
    // Descriptors of 16 MiB and 3.75 TiB, and a single segment of 2^63 bytes.
    for header in [&[0, 14 << 3][..], &[0, 0xff], &[0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80]] {
        let body = [&[0x28, 0xb5, 0x2f, 0xfd][..], header, &[1, 0, 0]].concat();
        assert_eq!(all(&[Coding::Zstd], &body, WIDE), Err(CodingError::TooLarge), "{header:?}");
    }
}

#[test]
fn an_error_is_final() {
    let mut decoder = Decoder::new(&[Coding::Gzip], WIDE).unwrap();
    assert_eq!(decoder.step(b"x", &mut [0; 10]), Err(CodingError::Malformed));
    assert_eq!(decoder.step(&encode(Coding::Gzip, b"x"), &mut [0; 10]), Err(CodingError::Malformed));
    assert_eq!(decoder.finish(), Err(CodingError::Malformed));
}

#[test]
fn no_flipped_bit_passes_for_a_checked_body_and_none_panics() {
    let text = &sample()[..600];
    for coding in ALL {
        let body = encode(coding, text);
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let outcome = decode(&[coding], &flipped, 64, 1024);
            if coding == Coding::Gzip && bit >= 80 {
                // Padding before the trailer means nothing.
                assert!(outcome.is_err() || outcome.as_deref() == Ok(text), "bit {bit}");
            }
        }
    }
}

#[test]
fn fuzz_smoke_coding() {
    let mut state = 0x1d3a_u64;
    // Knuth's MMIX generator; the high bits are the good ones.
    let mut roll = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let text = &sample()[..1500];
    for round in 0..1500_u32 {
        let how = u8::try_from(roll(32)).unwrap();
        let coding = ALL[usize::from(how & 3)];
        let mut body = encode(coding, &text[..roll(1500)]);
        if how & 16 != 0 {
            body = encode(ALL[usize::from(how >> 2 & 3)], &body);
        }
        for _ in 0..round % 4 {
            let at = roll(body.len());
            body[at] = u8::try_from(roll(256)).unwrap();
        }
        let pieces = u8::try_from(roll(256)).unwrap();
        fuzz_coding(&[&[how, pieces][..], &body].concat());
    }
}

proptest! {
    #[test]
    fn any_text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..4000), piece in 1usize..500, room in 1usize..500) {
        for coding in ALL {
            let body = encode(coding, &text);
            let back = decode_within(&[coding], &body, piece, room, WIDE);
            prop_assert_eq!(back.as_deref(), Ok(&text[..]));
        }
    }

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz_coding(&bytes);
    }
}

proptest! {
    /// However it is cut, what was written can be read at once, and the whole is what went in.
    #[test]
    fn what_is_coded_anew_is_what_it_was(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20_000), 0..6)) {
        let (mut encoder, mut out, mut so_far) = (Encoder::default(), Vec::new(), Vec::new());
        let mut decoder = Decoder::new(&[Coding::Gzip], WIDE).unwrap();
        let (mut at, mut read, mut room) = (0, Vec::new(), vec![0; 7_000]);
        for piece in &pieces {
            encoder.write(piece, &mut out).unwrap();
            so_far.extend_from_slice(piece);
            loop {
                let step = decoder.step(&out[at..], &mut room).unwrap();
                at += step.consumed;
                read.extend_from_slice(&room[..step.produced]);
                if step.consumed == 0 && step.produced == 0 {
                    break;
                }
            }
            prop_assert_eq!(&read, &so_far, "a piece is held up");
        }
        encoder.finish(b"the end", &mut out).unwrap();
        so_far.extend_from_slice(b"the end");
        prop_assert_eq!(decode(&[Coding::Gzip], &out, 1_000, 7_000), Ok(so_far));
    }
}
