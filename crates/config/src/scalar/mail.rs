//! Servers that take mail, and whom mail is for.

use super::names::{host, split_port};
use super::{Raw, Scalar, example};
use crate::plan::{MailCipher, TargetPlan};

/// LIMIT: bytes of an address, and of what stands before its `@` (RFC 5321 section 4.5.3.1).
const MAX_MAILBOX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// A server that takes mail, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailServer(pub(crate) TargetPlan, pub(crate) MailCipher);

/// Whom mail is for, or from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox(pub(crate) String);

impl Scalar for MailServer {
    const NAME: &'static str = "MailServer";
    const WHAT: &'static str = "a server that takes mail";
    const ABOUT: &'static str = "A server that takes mail: `smtps://` with TLS from the first byte, `smtp+starttls://` with TLS that is begun in \
         the clear and demanded, `smtp://` without any, which is only for this machine; a host, and a port unless it is 465, 587 or 25.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(smtps|smtp\\+starttls|smtp)://[^/@?#]+$");
    const EXAMPLES: &'static [&'static str] =
        &["smtps://mail.example.com", "smtp+starttls://mail.example.com:587", "smtp://127.0.0.1"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (scheme, rest) =
            raw.text.split_once("://").ok_or_else(|| format!("{}, with its scheme", example::<Self>()))?;
        let (cipher, port) = match scheme {
            "smtps" => (MailCipher::Tls, 465),
            "smtp+starttls" => (MailCipher::StartTls, 587),
            "smtp" => (MailCipher::None, 25),
            _ => return Err("the scheme is `smtps`, `smtp+starttls` or `smtp`".to_owned()),
        };
        if rest.contains('@') {
            return Err("credentials do not belong in an address; write `user` and `password`".to_owned());
        }
        if rest.contains(['/', '?', '#']) {
            return Err("write a host and a port, and nothing else".to_owned());
        }
        let (name, port) = split_port(rest, port)?;
        let name = host(name)?;
        let host = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self(TargetPlan { tls: cipher == MailCipher::Tls, host, port, from: None }, cipher))
    }

    fn made_up() -> Self {
        let server = TargetPlan { tls: false, host: "localhost".to_owned(), port: 1, from: None };
        Self(server, MailCipher::None)
    }
}

impl Scalar for Mailbox {
    const NAME: &'static str = "Mailbox";
    const WHAT: &'static str = "an address of mail";
    const ABOUT: &'static str =
        "An address of mail: letters, digits, dots and signs before the `@`, a host after it; no name beside it.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[!-~]+@[A-Za-z0-9_.-]+$");
    const EXAMPLES: &'static [&'static str] = &["oncall@example.com"];

    /// The addresses whose form every server reads the same way: a dot-atom (RFC 5322 section 3.2.3) and a host.
    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (local, domain) = raw.text.rsplit_once('@').ok_or_else(example::<Self>)?;
        let is_atom = |atom: &str| {
            !atom.is_empty()
                && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
        };
        if !local.split('.').all(is_atom) {
            return Err(format!("{}, without a name, blanks or quotes", example::<Self>()));
        }
        if local.len() > MAX_LOCAL_BYTES || raw.text.len() > MAX_MAILBOX_BYTES {
            return Err(format!("an address has at most {MAX_MAILBOX_BYTES} bytes, {MAX_LOCAL_BYTES} before the `@`"));
        }
        if domain.starts_with('[') {
            return Err("write the name of a host after the `@`".to_owned());
        }
        Ok(Self(format!("{local}@{}", host(domain)?)))
    }

    fn made_up() -> Self {
        Self("made-up@made-up.invalid".to_owned())
    }
}
