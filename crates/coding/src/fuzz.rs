//! What the fuzzer calls: whatever the bytes, nothing panics, pieces do not matter, and no limit is passed.

use crate::{Coding, CodingError, Decoder, Limits};

const LIMITS: Limits =
    Limits { output_bytes_max: 256 << 10, ratio_max: 50, grace_bytes: 16 << 10, window_bytes_max: 1 << 20 };

/// Decodes the bytes after the first two, which say how: the codings, and the size of pieces.
pub fn fuzz_coding(bytes: &[u8]) {
    let [how, pieces, body @ ..] = bytes else { return };
    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Br, Coding::Zstd];
    let coding = |index: u8| ALL.get(usize::from(index % 4)).copied().unwrap_or(Coding::Gzip);
    let codings = [coding(how & 3), coding(how >> 2 & 3)];
    let codings = codings.get(..1 + usize::from(how >> 4 & 1)).unwrap_or_default();
    let whole = decode(codings, body, body.len().max(1), 64 << 10);
    let parts = decode(codings, body, usize::from(*pieces).max(1), 1 + usize::from(*pieces) * 7);
    match (&whole, &parts) {
        (Ok(whole), Ok(parts)) => assert_eq!(whole, parts, "pieces do not matter"),
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
            // How much a limit sees at once depends on the pieces; what the bytes are does not.
            assert!(matches!(error, CodingError::RatioExceeded), "{error:?} for one of two ways to cut");
        }
        (Err(_), Err(_)) => {}
    }
}

/// All of a body in pieces of this size, with this much room for output.
pub(crate) fn decode(codings: &[Coding], body: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, CodingError> {
    decode_within(codings, body, piece, room, LIMITS)
}

pub(crate) fn decode_within(
    codings: &[Coding],
    body: &[u8],
    piece: usize,
    room: usize,
    limits: Limits,
) -> Result<Vec<u8>, CodingError> {
    let mut decoder = Decoder::new(codings, limits)?;
    let (mut whole, mut out) = (Vec::new(), vec![0; room.max(1)]);
    for piece in body.chunks(piece.max(1)) {
        let mut at = 0;
        loop {
            let step = decoder.step(piece.get(at..).unwrap_or_default(), &mut out)?;
            at += step.consumed;
            whole.extend_from_slice(out.get(..step.produced).unwrap_or_default());
            assert!(decoder.produced() <= limits.output_bytes_max, "no limit is passed");
            if at >= piece.len() && step.produced == 0 {
                break;
            }
            assert!(step.consumed > 0 || step.produced > 0, "with input and room something moves");
        }
    }
    decoder.finish().map(|()| whole)
}
