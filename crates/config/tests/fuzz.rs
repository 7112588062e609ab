//! The fuzzer's entry over mutated examples, from fixed seeds: whatever comes in, nothing panics and it ends.

use std::path::{Path, PathBuf};

use portcullis_config::fuzz_load;

/// xorshift64*: small, fixed, good enough to choose bytes.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).expect("31 bits") % below.max(1)
    }
}

const PIECES: [&str; 24] = [
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "*a",
    "&a ",
    "!!str ",
    "<<: ",
    "\n",
    "  ",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "# ",
    "---\n",
    "null",
    "{ env: X }",
    "{ file: X }",
    "\u{feff}",
    "{*x}",
    "%2f",
];

fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for folder in [root.join("../../examples"), root.join("tests/mistakes")] {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect();
        files.sort();
        seeds.extend(files.into_iter().map(|path| std::fs::read(path).expect("readable")));
    }
    seeds
}

fn mutate(text: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.next(text.len() + 1);
    match dice.next(6) {
        0 if at < text.len() => text[at] ^= 1 << dice.next(8),
        1 => {
            let end = (at + dice.next(20)).min(text.len());
            text.drain(at..end);
        }
        2 => {
            let piece = PIECES[dice.next(PIECES.len())].bytes();
            text.splice(at..at, piece);
        }
        3 => {
            let end = (at + dice.next(60)).min(text.len());
            let copy = text[at..end].to_vec();
            let to = dice.next(text.len() + 1);
            text.splice(to..to, copy);
        }
        4 => {
            let from = dice.next(other.len() + 1);
            let end = (from + dice.next(80)).min(other.len());
            text.splice(at..at, other[from..end].iter().copied());
        }
        _ => text.truncate(at),
    }
}

#[test]
fn fuzz_smoke_config() {
    let seeds = seeds();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..1_500 {
        let mut text = seeds[dice.next(seeds.len())].clone();
        let other = &seeds[dice.next(seeds.len())];
        for _ in 0..=dice.next(6) {
            mutate(&mut text, other, &mut dice);
        }
        text.truncate(20_000);
        fuzz_load(&text);
    }
}

#[test]
fn odd_bytes_never_panic() {
    for bytes in [
        &b""[..],
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbfversion: 1",
        b"? ",
        b"- - - -",
        b"{",
        b"'",
        b"&a *a",
        b"version: 1\r\n",
    ] {
        fuzz_load(bytes);
    }
}
