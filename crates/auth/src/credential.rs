//! Where credentials stand in a request, and that each stands there once.

use crate::key::KeyText;
use crate::principal::Failure;
use portcullis_types::Reason;

/// Names of query parameters that hold credentials elsewhere (RFC 6750 section 2.3 and custom). They are refused whatever is
/// in them.
pub const QUERY_NAMES: &[&str] = &["access_token", "api_key", "apikey", "api-key", "x-api-key"];

// LIMIT: bytes of a credential in a field.
const CREDENTIAL_BYTES_MAX: usize = 16 * 1024;

/// What an `Authorization` field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// RFC 6750.
    Bearer(&'a str),
    /// RFC 9449.
    Dpop(&'a str),
}

/// A credential that was found in the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The key's number, where it is a key of ours: it counts as exposed.
    pub key: Option<u64>,
}

/// Reads the `Authorization` fields of a request, of which there can be one.
///
/// # Errors
/// Several, or one that holds something else than a token: whoever sends that is not nobody.
pub fn authorization<'a>(fields: &[&'a [u8]]) -> Result<Option<Authorization<'a>>, Failure> {
    let Some(text) = single(fields, "several Authorization fields")? else { return Ok(None) };
    let strange = Failure { reason: Reason::InvalidToken, detail: "the Authorization field holds no token" };
    let (scheme, token) = text.split_once(' ').ok_or(strange)?;
    let token = token.trim_start_matches(' ');
    let stem = token.trim_end_matches('=');
    // All of them, without a way out at the first: so that many are looked at in one step.
    if stem.is_empty() || !stem.bytes().fold(true, |all, byte| all & is_of_token(byte)) {
        return Err(strange);
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(Authorization::Bearer(token)))
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Ok(Some(Authorization::Dpop(token)))
    } else {
        Err(Failure {
            reason: Reason::InvalidToken,
            detail: "the Authorization field has a scheme that is not accepted",
        })
    }
}

/// Whether a byte may stand in a token before its padding (`token68`, RFC 9110 section 11.2): letters, digits and `-._~+/`, of
/// which `-`, `.`, `/` and the digits follow each other.
const fn is_of_token(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_between = byte.wrapping_sub(b'-') <= b'9' - b'-';
    is_letter | is_between | (byte == b'+') | (byte == b'_') | (byte == b'~')
}

/// Reads the fields in which an API key comes, of which there can be one.
///
/// # Errors
/// Several, or one that holds no key; nothing has been looked up then.
pub fn api_key(prefix: &str, fields: &[&[u8]]) -> Result<Option<KeyText>, Failure> {
    let Some(text) = single(fields, "several API key fields")? else { return Ok(None) };
    let strange = |_| Failure { reason: Reason::InvalidApiKey, detail: "the API key is malformed" };
    KeyText::parse(prefix, text).map(Some).map_err(strange)
}

fn single<'a>(fields: &[&'a [u8]], several: &'static str) -> Result<Option<&'a str>, Failure> {
    let field = match fields {
        [] => return Ok(None),
        [one] => *one,
        [_, _, ..] => return Err(Failure { reason: Reason::AmbiguousCredential, detail: several }),
    };
    let text = std::str::from_utf8(field).ok().filter(|text| text.is_ascii() && text.len() <= CREDENTIAL_BYTES_MAX);
    text.map(Some).ok_or(Failure { reason: Reason::InvalidToken, detail: "the credential is no text or too long" })
}

/// Looks for credentials in a query: parameters of certain names, and keys of ours under any name.
#[must_use]
pub fn in_query(prefix: &str, names: &[&str], query: &str) -> Option<Exposed> {
    let mut exposed = None;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), plain(value));
        let key = KeyText::parse(prefix, &value).or_else(|_| KeyText::parse(prefix, &name)).ok();
        if let Some(key) = key {
            return Some(Exposed { key: Some(key.number()) });
        }
        if names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)) {
            exposed = Some(Exposed { key: None });
        }
    }
    exposed
}

/// Decodes what can be decoded; the rest stays as it is.
fn plain(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, later)) = rest.split_first() {
        let digit = |at: usize| later.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0).zip(digit(1))) {
            (b'%', Some((high, low))) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = later.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(if *first == b'+' { b' ' } else { *first });
                rest = later;
            }
        }
    }
    String::from_utf8_lossy(&out).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Authorization, Exposed, QUERY_NAMES, api_key, authorization, in_query};
    use crate::key::{ENTROPY_BYTES, KeyText};
    use portcullis_types::Reason;

    #[test]
    fn every_byte_of_a_token_is_looked_at() {
        for byte in 0..=u8::MAX {
            let plain = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(super::is_of_token(byte), plain, "{byte:#x}");
        }
        let long = "a".repeat(700);
        for at in [0, 1, 31, 350, 698, 699] {
            let mut field = format!("Bearer {long}").into_bytes();
            field[7 + at] = b',';
            assert!(authorization(&[&field]).is_err(), "at {at}");
        }
    }

    #[test]
    fn an_authorization_field_holds_one_token() {
        let read = |fields: &[&str]| {
            let fields: Vec<Vec<u8>> = fields.iter().map(|field| field.as_bytes().to_vec()).collect();
            let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
            match authorization(&fields) {
                Ok(None) => "none".to_owned(),
                Ok(Some(Authorization::Bearer(token))) => format!("bearer {token}"),
                Ok(Some(Authorization::Dpop(token))) => format!("dpop {token}"),
                Err(failure) => failure.reason.code().to_owned(),
            }
        };
        for (fields, expected) in [
            (&[][..], "none"),
            (&["Bearer a.b-c_~+/=="], "bearer a.b-c_~+/=="),
            (&["bEARER  a"], "bearer a"),
            (&["DPoP a"], "dpop a"),
            (&["Bearer a", "Bearer a"], "ambiguous_credential"),
            (&["Bearer a", "Basic a"], "ambiguous_credential"),
            (&["Bearer a, Bearer b"], "invalid_token"),
            (&["Bearer a,DPoP b"], "invalid_token"),
            (&["Bearer"], "invalid_token"),
            (&["Bearer "], "invalid_token"),
            (&["Bearer =="], "invalid_token"),
            (&["Bearer a=b"], "invalid_token"),
            (&["Bearer a b"], "invalid_token"),
            (&["Bearer\ta"], "invalid_token"),
            (&["Bearer \u{e9}"], "invalid_token"),
            (&["Basic YTpi"], "invalid_token"),
            (&["a.b.c"], "invalid_token"),
            (&[""], "invalid_token"),
        ] {
            assert_eq!(read(fields), expected, "{fields:?}");
        }
        assert_eq!(authorization(&[&b"Bearer a\xff"[..]]).unwrap_err().reason, Reason::InvalidToken);
        assert!(authorization(&["Bearer ".repeat(3000).as_bytes()]).is_err());
    }

    #[test]
    fn keys_in_fields_and_in_addresses() {
        let key = KeyText::mint("pk", &[3; ENTROPY_BYTES]).unwrap();
        let text = key.reveal().as_bytes();
        assert_eq!(api_key("pk", &[]), Ok(None));
        assert_eq!(api_key("pk", &[text]), Ok(Some(key.clone())));
        assert_eq!(api_key("pk", &[text, text]).unwrap_err().reason, Reason::AmbiguousCredential);
        for bad in [&b"pk_x"[..], b"", b"\xff", &[text, b" "].concat()] {
            assert!(api_key("pk", &[bad]).is_err());
        }
        let ours = Some(Exposed { key: Some(key.number()) });
        let other = Some(Exposed { key: None });
        let whole = key.reveal();
        for (query, expected) in [
            (String::new(), None),
            ("a=1&b=token".to_owned(), None),
            ("access_token=x".to_owned(), other.clone()),
            ("a=1&API_KEY=".to_owned(), other.clone()),
            ("acc%65ss_token=x".to_owned(), other.clone()),
            ("access_token".to_owned(), other),
            (format!("x={whole}"), ours.clone()),
            (format!("x={}", whole.replace('_', "%5f")), ours.clone()),
            (format!("x=+{whole}%20"), ours.clone()),
            (format!("api_key=1&{whole}"), ours),
            ("%=%&%4=%zz".to_owned(), None),
        ] {
            assert_eq!(in_query("pk", QUERY_NAMES, &query), expected, "{query}");
        }
    }
}
