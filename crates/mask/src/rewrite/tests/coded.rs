//! Documents in content codings, decoded and masked piece by piece as they arrive.

use crate::rewrite::Rewriter;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use portcullis_coding::{Coding, Decoder, Limits};
use std::io::Write as _;

/// A document in one coding or in two.
fn encode(codings: &[Coding], text: &[u8]) -> Vec<u8> {
    codings.iter().fold(text.to_vec(), |text, coding| match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Br => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1024, 1, 16);
            encoder.write_all(&text).unwrap();
            encoder.into_inner()
        }
        Coding::Zstd => ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest),
    })
}

/// What leaves of a document that comes in the coding of this number, in pieces of this size, with so much room to decode.
pub(super) fn through(number: u64, mut rewriter: Rewriter, text: &[u8], (size, room): (usize, usize)) -> Vec<u8> {
    const ALL: [&[Coding]; 5] =
        [&[Coding::Gzip], &[Coding::Br], &[Coding::Zstd], &[Coding::Deflate], &[Coding::Gzip, Coding::Zstd]];
    let codings = ALL[usize::try_from(number).unwrap() % ALL.len()];
    let mut decoder = Decoder::new(codings, Limits::default()).unwrap();
    let (mut room, mut out) = (vec![0; room], Vec::new());
    for piece in encode(codings, text).chunks(size) {
        let mut at = 0;
        loop {
            let step = decoder.step(&piece[at..], &mut room).unwrap();
            at += step.consumed;
            rewriter.feed(&room[..step.produced], &mut out).unwrap();
            if at == piece.len() && step.produced == 0 {
                break;
            }
        }
    }
    decoder.finish().unwrap();
    rewriter.finish(&mut out).unwrap();
    out
}
