//! SHA-1, for rules that hash a value to compare or to draw a number from it. Not used to protect anything.

/// The twenty bytes of the digest.
pub(super) fn digest(input: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = input.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(input.len()).unwrap_or(u64::MAX).wrapping_mul(8);
    padded.extend_from_slice(&bits.to_be_bytes());
    for block in padded.chunks_exact(64) {
        compress(&mut state, block);
    }
    let mut out = [0; 20];
    for (slot, byte) in out.iter_mut().zip(state.iter().flat_map(|word| word.to_be_bytes())) {
        *slot = byte;
    }
    out
}

fn compress(state: &mut [u32; 5], block: &[u8]) {
    let mut schedule: Vec<u32> =
        block.chunks_exact(4).map(|w| w.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect();
    for t in 16..80 {
        let word = |back: usize| schedule.get(t - back).copied().unwrap_or(0);
        let mixed = (word(3) ^ word(8) ^ word(14) ^ word(16)).rotate_left(1);
        schedule.push(mixed);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (t, word) in schedule.iter().enumerate() {
        let (mix, constant) = match t {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6u32),
        };
        let next = a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (slot, value) in state.iter_mut().zip([a, b, c, d, e]) {
        *slot = slot.wrapping_add(value);
    }
}
