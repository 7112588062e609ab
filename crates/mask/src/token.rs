//! Tokens: what stands for a value and leads back to it with the key alone. Digits become digits, of the same number and in
//! the same places (FF1 of NIST SP 800-38G with AES-256); anything else becomes a sealed text.

use crate::keys::Keys;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const ROUNDS: u8 = 10;
/// Fewer than a million numbers could be tried out (SP 800-38G, revision 1, section 5.1).
const DIGITS_MIN: usize = 6;
// LIMIT: digits that stay digits; half of them fit 128 bits.
const DIGITS_MAX: usize = 56;
const PREFIX: &str = "tok_";
const NONCE_BYTES: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// A token for a text; `None` only if the cipher fails.
pub(crate) fn tokenise(keys: &Keys, text: &str) -> Option<String> {
    if keeps_form(text) { exchange(keys, text, Way::There) } else { seal(keys, text) }
}

/// The text that a token stands for, if it is one that these keys have made. Of tokens that are digits nobody can tell.
#[must_use]
pub fn reveal(keys: &Keys, token: &str) -> Option<String> {
    match token.strip_prefix(PREFIX) {
        Some(sealed) => open(keys, sealed),
        None if keeps_form(token) => exchange(keys, token, Way::Back),
        None => None,
    }
}

/// Whether a text is a number as people write one: digits, with signs between them.
fn keeps_form(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_sign = |byte: u8| matches!(byte, b' ' | b'-' | b'+' | b'.' | b'/' | b'(' | b')');
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits) && text.bytes().all(|byte| byte.is_ascii_digit() || is_sign(byte))
}

/// Other digits in the same places. A number that does not begin with 0 gets a token that does not, so that it stays one.
fn exchange(keys: &Keys, text: &str, way: Way) -> Option<String> {
    let mut digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
    let leads = digits.first() != Some(&0);
    // Each step is one-to-one, so that walking on until the form is right leads back as well. One in ten steps goes on.
    loop {
        ff1(&keys.digits, &[], &mut digits, way)?;
        if (digits.first() != Some(&0)) == leads {
            break;
        }
    }
    let mut next = digits.into_iter();
    let mut put = |character: char| match character.is_ascii_digit() {
        true => next.next().map_or(character, |digit| char::from(b'0' + digit)),
        false => character,
    };
    Some(text.chars().map(&mut put).collect())
}

/// FF1 with radix 10 (SP 800-38G section 4).
fn ff1(key: &[u8], tweak: &[u8], digits: &mut [u8], way: Way) -> Option<()> {
    let cipher = EncryptingKey::ecb(UnboundCipherKey::new(algorithm(key), key).ok()?).ok()?;
    let (length, left) = (digits.len(), digits.len() / 2);
    let right = length - left;
    // Bytes of the larger half, as a number: at most 12, so that one block of output is enough.
    let bytes = (0..=12).find(|bytes| power(right).is_some_and(|end| end - 1 < 1_u128 << (8 * bytes)))?;
    let mut first = [1, 2, 1, 0, 0, 10, 10, u8::try_from(left).ok()?, 0, 0, 0, 0, 0, 0, 0, 0];
    first.get_mut(8..12)?.copy_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    first.get_mut(12..16)?.copy_from_slice(&u32::try_from(tweak.len()).ok()?.to_be_bytes());
    let (mut a, mut b) = (number(digits.get(..left)?), number(digits.get(left..)?));
    for step in 0..ROUNDS {
        let round = if way == Way::There { step } else { ROUNDS - 1 - step };
        let modulus = power(if round % 2 == 0 { left } else { right })?;
        let fed = if way == Way::There { b } else { a };
        let noise = block(&cipher, &first, tweak, (round, fed, bytes))? % modulus;
        (a, b) = match way {
            Way::There => (b, (a + noise) % modulus),
            Way::Back => ((b + modulus - noise) % modulus, a),
        };
    }
    write(a, digits.get_mut(..left)?);
    write(b, digits.get_mut(left..)?);
    Some(())
}

fn algorithm(key: &[u8]) -> &'static aws_lc_rs::cipher::Algorithm {
    // Only the vectors of the standard have other keys than ours.
    if key.len() == 16 { &aws_lc_rs::cipher::AES_128 } else { &AES_256 }
}

/// The last block of the chain over what a round is made of.
fn block(
    cipher: &EncryptingKey,
    first: &[u8; 16],
    tweak: &[u8],
    (round, fed, bytes): (u8, u128, usize),
) -> Option<u128> {
    let mut input = first.to_vec();
    input.extend_from_slice(tweak);
    let whole = (tweak.len() + bytes + 1).next_multiple_of(16) + 16;
    input.resize(whole - bytes - 1, 0);
    input.push(round);
    input.extend_from_slice(fed.to_be_bytes().get(16 - bytes..)?);
    let mut state = [0; 16];
    for part in input.chunks_exact(16) {
        state.iter_mut().zip(part).for_each(|(to, from)| *to ^= from);
        cipher.encrypt(&mut state).ok()?;
    }
    let used = 4 * bytes.div_ceil(4) + 4;
    Some(u128::from_be_bytes(state) >> (8 * (16 - used)))
}

fn power(digits: usize) -> Option<u128> {
    10_u128.checked_pow(u32::try_from(digits).ok()?)
}

fn number(digits: &[u8]) -> u128 {
    digits.iter().fold(0, |number, digit| number * 10 + u128::from(*digit))
}

fn write(mut number: u128, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

fn sealer(keys: &Keys) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM_SIV, &keys.seal).ok().map(LessSafeKey::new)
}

/// Sealed with a nonce that the text itself decides, so that the same text has the same token.
fn seal(keys: &Keys, text: &str) -> Option<String> {
    let hash = blake3::keyed_hash(&keys.nonce, text.as_bytes());
    let nonce: [u8; NONCE_BYTES] = hash.as_bytes().get(..NONCE_BYTES)?.try_into().ok()?;
    let mut sealed = text.as_bytes().to_vec();
    let nonce_value = Nonce::assume_unique_for_key(nonce);
    sealer(keys)?.seal_in_place_append_tag(nonce_value, Aad::empty(), &mut sealed).ok()?;
    let whole = [&nonce[..], &sealed].concat();
    Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(whole)))
}

fn open(keys: &Keys, sealed: &str) -> Option<String> {
    let mut whole = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, body) = whole.split_at_mut_checked(NONCE_BYTES)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let text = sealer(keys)?.open_in_place(nonce, Aad::empty(), body).ok()?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{Way, ff1, keeps_form, reveal, tokenise};
    use crate::keys::Keys;

    fn keys() -> Keys {
        Keys::new(&[7; 32]).unwrap()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn vectors_of_the_standard() {
        const SHORT: &str = "2B7E151628AED2A6ABF7158809CF4F3C";
        const LONG: &str = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94";
        const TWEAK: &str = "39383736353433323130";
        for (key, tweak, expected) in [
            (SHORT, "", "2433477484"),
            (SHORT, TWEAK, "6124200773"),
            (LONG, "", "6657667009"),
            (LONG, TWEAK, "1001623463"),
        ] {
            let mut digits: Vec<u8> = (0..10).collect();
            ff1(&bytes(key), &bytes(tweak), &mut digits, Way::There).unwrap();
            let shown: String = digits.iter().map(u8::to_string).collect();
            assert_eq!(shown, expected);
            ff1(&bytes(key), &bytes(tweak), &mut digits, Way::Back).unwrap();
            assert_eq!(digits, (0..10).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn tokens_keep_their_form_and_lead_back() {
        let (keys, other) = (keys(), Keys::new(&[8; 32]).unwrap());
        let long = "1".repeat(56);
        for text in ["4111 1111 1111 1111", "+49 (30) 901820", "123456", "000001", "99-99-99", "1.234.567-8", &long] {
            let token = tokenise(&keys, text).unwrap();
            let form = |text: &str| text.replace(|character: char| character.is_ascii_digit(), "9");
            assert_eq!(form(&token), form(text));
            assert_ne!(token, text);
            assert_eq!(token.find('0') == Some(0), text.find('0') == Some(0), "{token}");
            assert_eq!(tokenise(&keys, text).unwrap(), token, "the same text has the same token");
            assert_eq!(reveal(&keys, &token).unwrap(), text);
            assert_ne!(reveal(&other, &token).unwrap(), text);
        }
        let longer = "1".repeat(57);
        for text in ["", "Ada Lovelace", "12345", "a@b.example", "größe", &longer] {
            let token = tokenise(&keys, text).unwrap();
            assert!(token.starts_with("tok_"), "{token}");
            assert_eq!(reveal(&keys, &token).unwrap(), text);
            assert_eq!(reveal(&other, &token), None);
        }
        for text in ["tok_", "tok_AAAA", "tok_!", "plain", "12345"] {
            assert_eq!(reveal(&keys, text), None, "{text}");
        }
        assert!(!keeps_form("1234567e8"));
    }
}
