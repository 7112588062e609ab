//! A search for secrets that finds any twelve bytes of one in a row, as they are, in base64 or in hexadecimal.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::HashMap;

/// So many bytes of a secret are no chance.
const PIECE: usize = 12;

/// What is looked for.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Pieces, and the form and the beginning of the secret that each is of.
    pieces: HashMap<[u8; PIECE], String>,
    secrets: usize,
}

/// As it would look in a header or a token.
pub(crate) fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The text in base64, wherever in a longer text it stands: without the characters that depend on its neighbours.
fn in_the_middle(secret: &str, before: usize) -> [String; 2] {
    let padded = [&"\0".repeat(before), secret].concat();
    let from = (before * 8).div_ceil(6);
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)].map(|text| text[from..text.len() - 1].to_owned())
}

impl Search {
    pub(crate) fn add(&mut self, secret: &str) {
        assert!(secret.len() >= PIECE, "`{secret}` is too short to be looked for");
        self.secrets += 1;
        let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let upper = hexadecimal.to_uppercase();
        let all = (0..3).flat_map(|before| in_the_middle(secret, before)).chain([hexadecimal, upper]);
        for form in all.chain([secret.to_owned()]) {
            for piece in form.as_bytes().windows(PIECE) {
                let piece: [u8; PIECE] = piece.try_into().unwrap();
                self.pieces.entry(piece).or_insert_with(|| form[..form.len().min(40)].to_owned());
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.secrets
    }

    /// Each line with a piece of a secret, and of which.
    pub(crate) fn find(&self, text: &str) -> Vec<(String, String)> {
        let piece = |line: &str| {
            let mut windows = line.as_bytes().windows(PIECE);
            windows.find_map(|window| self.pieces.get(window)).map(|secret| (secret.clone(), line.to_owned()))
        };
        text.lines().flat_map(|line| line.split("},{")).filter_map(piece).collect()
    }
}

#[test]
fn a_secret_is_found_in_each_of_its_forms_and_by_any_part() {
    let (secret, mut search) = ("s3cr3t-of-somebody-else", Search::default());
    search.add(secret);
    for before in ["", "a", "ab", "abc"] {
        let whole = format!("{before}{secret}z");
        let hexadecimal: String = whole.bytes().map(|byte| format!("{byte:02X}")).collect();
        for text in [whole.clone(), encoded(&whole), hexadecimal, whole[before.len() + 3..before.len() + 15].to_owned()]
        {
            assert_eq!(search.find(&format!("x {text} y")).len(), 1, "{text}");
        }
    }
    assert!(search.find("s3cr3t-of-s and omebody-els").is_empty());
}
