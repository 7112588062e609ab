//! Who calls, as the server behind the gateway is told: fields that no client can set.
//!
//! A subject may hold anything. What is not visible ASCII is percent-encoded, `%` as well, so that every value is one
//! field value and can be decoded to exactly what it was.

use crate::head::Head;
use portcullis_auth::principal::Principal;

/// Writes the identity fields.
pub(crate) fn write(principal: &Principal, out: &mut impl Head) {
    out.field_with(b"x-consumer-id", |out| plain(&principal.id, out));
    if let Some(name) = principal.username.as_ref().filter(|name| !name.is_empty()) {
        out.field_with(b"x-consumer-username", |out| plain(name, out));
    }
    if !principal.credential.is_empty() {
        out.field_with(b"x-credential-id", |out| plain(&principal.credential, out));
    }
    if !principal.scopes.is_empty() {
        out.field_with(b"x-authenticated-scope", |out| {
            for (index, scope) in principal.scopes.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b" " });
                plain(scope, out);
            }
        });
    }
}

fn plain(text: &str, out: &mut Vec<u8>) {
    // Nearly all names are as they are; without a way out of the loop many bytes are looked at in one step.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte > b' ') & (byte < 0x7f) & (byte != b'%'));
    if is_plain {
        return out.extend_from_slice(text.as_bytes());
    }
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=0x20 | 0x7f..=0xff => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            0x21..=0x7e => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn no_name_ends_its_field() {
        for (text, expected) in [
            ("ada@example.com", "ada@example.com"),
            ("a b%", "a%20b%25"),
            ("x\r\nX-Consumer-ID: root", "x%0D%0AX-Consumer-ID:%20root"),
            ("\u{e9}\0", "%C3%A9%00"),
        ] {
            let mut out = Vec::new();
            plain(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
