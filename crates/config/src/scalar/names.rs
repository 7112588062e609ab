//! Texts, file names, addresses, hosts, methods and targets. Whether a file exists, or two of them collide, is decided
//! later, where all of them are known.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::{Raw, Scalar, example};
use crate::plan::{HostPattern, TargetPlan};

/// LIMIT: bytes of a host name, and of one of its labels (RFC 1035, section 2.3.4).
const MAX_HOST_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;
/// LIMIT: bytes of a method.
const MAX_METHOD_BYTES: usize = 32;

/// Any text that isn't empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

/// The name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName(pub(crate) String);

/// An IP address with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) SocketAddr);

/// A host, or a pattern of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host(pub(crate) HostPattern);

/// An HTTP method, or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    Any,
    Only(String),
}

/// Where a page comes from (RFC 6454), or any page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageOrigin {
    Any,
    Only(String),
}

/// A server that requests are forwarded to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(pub(crate) TargetPlan);

/// A server of the store that gateways share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreServer(pub(crate) TargetPlan);

/// A collector of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyslogServer(pub(crate) TargetPlan);

impl Scalar for Text {
    const NAME: &'static str = "Text";
    const WHAT: &'static str = "a text";
    const ABOUT: &'static str = "A text that isn't empty.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^.+$");
    const EXAMPLES: &'static [&'static str] = &["name"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        one_line(raw.text).map(Self)
    }

    fn made_up() -> Self {
        Self("made-up".to_owned())
    }
}

impl Scalar for FileName {
    const NAME: &'static str = "FileName";
    const WHAT: &'static str = "a file name";
    const ABOUT: &'static str = "A path; relative ones are relative to the file that they are written in.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^.+$");
    const EXAMPLES: &'static [&'static str] = &["tls.crt", "/etc/portcullis/tls.crt"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        one_line(raw.text).map(Self)
    }

    fn made_up() -> Self {
        Self("made-up".to_owned())
    }
}

impl Scalar for Address {
    const NAME: &'static str = "Address";
    const WHAT: &'static str = "an address with a port";
    const ABOUT: &'static str = "An IP address and a port. `0.0.0.0` is every IPv4 address of the machine.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^([0-9.]+|\\[[0-9a-fA-F:.]+\\]):[0-9]+$");
    const EXAMPLES: &'static [&'static str] = &["0.0.0.0:8443", "127.0.0.1:9901", "[::1]:8443"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        if let Ok(address) = raw.text.parse::<SocketAddr>() {
            return Ok(Self(address));
        }
        if raw.text.parse::<IpAddr>().is_ok() {
            return Err("add a port, after brackets around an IPv6 address".to_owned());
        }
        let (host, port) = raw.text.rsplit_once(':').unwrap_or((raw.text, ""));
        match (host, port.parse::<u16>()) {
            ("localhost", Ok(port)) => Err(format!("write the address: `127.0.0.1:{port}`")),
            ("" | "*", Ok(port)) => Err(format!("write every address as `0.0.0.0:{port}` or `[::]:{port}`")),
            _ => Err(format!("{}; names are not looked up here", example::<Self>())),
        }
    }

    fn made_up() -> Self {
        // Port 0 collides with nothing.
        Self(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

impl Scalar for Host {
    const NAME: &'static str = "Host";
    const WHAT: &'static str = "a host pattern";
    const ABOUT: &'static str =
        "A host name or address without a port; `*.example.org` for every name that ends so; `*` for any host.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(\\*|(\\*\\.)?[A-Za-z0-9_.-]+|\\[[0-9a-fA-F:.]+\\])$");
    const EXAMPLES: &'static [&'static str] = &["api.example.com", "*.example.org", "*"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        if raw.text == "*" {
            return Ok(Self(HostPattern::Any));
        }
        match raw.text.strip_prefix("*.") {
            Some(rest) => {
                let suffix = host(rest)?;
                let is_address = suffix.starts_with('[') || suffix.parse::<IpAddr>().is_ok();
                if is_address {
                    return Err("an address has no names below it".to_owned());
                }
                Ok(Self(HostPattern::Suffix(format!(".{suffix}"))))
            }
            None => host(raw.text).map(|name| Self(HostPattern::Exact(name))),
        }
    }

    fn made_up() -> Self {
        Self(HostPattern::Exact("made-up.invalid".to_owned()))
    }
}

impl Scalar for Method {
    const NAME: &'static str = "Method";
    const WHAT: &'static str = "a method";
    const ABOUT: &'static str = "An HTTP method in upper case, or `any` for every method.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(any|[A-Z][A-Z_-]*)$");
    const EXAMPLES: &'static [&'static str] = &["GET", "POST", "any"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let text = raw.text;
        if text == "any" {
            return Ok(Self::Any);
        }
        if text == "*" || text.eq_ignore_ascii_case("any") || text.eq_ignore_ascii_case("all") {
            return Err("every method is written `any`".to_owned());
        }
        // Methods are case-sensitive (RFC 9110, section 9.1); nobody means `get`.
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err("methods are written in upper case: `GET`".to_owned());
        }
        // CONNECT asks for a tunnel, which a gateway never opens (RFC 9110, section 9.3.6).
        if text == "CONNECT" {
            return Err("a gateway opens no tunnels".to_owned());
        }
        let is_token = text.starts_with(|character: char| character.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-' || byte == b'_');
        if !is_token || text.len() > MAX_METHOD_BYTES {
            return Err(example::<Self>());
        }
        Ok(Self::Only(text.to_owned()))
    }

    fn made_up() -> Self {
        Self::Only("MADE-UP".to_owned())
    }
}

impl Scalar for Target {
    const NAME: &'static str = "Target";
    const WHAT: &'static str = "a target";
    const ABOUT: &'static str = "A server: `http://` or `https://`, a host, and a port unless it is 80 or 443.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^https?://[^/@?#]+$");
    const EXAMPLES: &'static [&'static str] = &["http://127.0.0.1:9000", "https://orders.internal"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (scheme, rest) =
            raw.text.split_once("://").ok_or_else(|| format!("{}, with its scheme", example::<Self>()))?;
        let tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err("the scheme is `http` or `https`".to_owned()),
        };
        if rest.contains('@') {
            return Err("credentials do not belong in an address; everybody who reads a log would know them".to_owned());
        }
        if let Some(start) = rest.find(['/', '?', '#']) {
            let help = match rest.get(start..) {
                Some("/") => "remove the `/` at the end",
                _ => "remove the path: requests are forwarded with the path that they came with",
            };
            return Err(help.to_owned());
        }
        let (name, port) = split_port(rest, if tls { 443 } else { 80 })?;
        let name = host(name)?;
        let host = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self(TargetPlan { tls, host, port, from: None }))
    }

    fn made_up() -> Self {
        Self(TargetPlan { tls: false, host: "made-up.invalid".to_owned(), port: 1, from: None })
    }
}

impl Scalar for StoreServer {
    const NAME: &'static str = "StoreServer";
    const WHAT: &'static str = "a server of the store";
    const ABOUT: &'static str =
        "A Valkey or Redis: `redis://`, or `rediss://` with TLS, a host, and a port unless it is 6379.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^rediss?://[^/@?#]+$");
    const EXAMPLES: &'static [&'static str] = &["redis://127.0.0.1:6379", "rediss://store.internal"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (scheme, rest) =
            raw.text.split_once("://").ok_or_else(|| format!("{}, with its scheme", example::<Self>()))?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err("the scheme is `redis` or `rediss`".to_owned()),
        };
        if rest.contains('@') {
            return Err("credentials do not belong in an address; write `user` and `password`".to_owned());
        }
        if rest.contains(['/', '?', '#']) {
            return Err("remove what follows the port: there is one database, and a `prefix`".to_owned());
        }
        let (name, port) = split_port(rest, 6379)?;
        let name = host(name)?;
        let host = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self(TargetPlan { tls, host, port, from: None }))
    }

    fn made_up() -> Self {
        Self(TargetPlan { tls: false, host: "localhost".to_owned(), port: 1, from: None })
    }
}

impl Scalar for SyslogServer {
    const NAME: &'static str = "SyslogServer";
    const WHAT: &'static str = "a collector of records";
    const ABOUT: &'static str =
        "A collector that speaks syslog: `tcp://`, or `tls://`, a host, and a port unless it is 601, or 6514 with TLS.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(tcp|tls)://[^/@?#]+$");
    const EXAMPLES: &'static [&'static str] = &["tls://logs.internal", "tcp://127.0.0.1:601"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (scheme, rest) =
            raw.text.split_once("://").ok_or_else(|| format!("{}, with its scheme", example::<Self>()))?;
        let (tls, port) = match scheme {
            "tcp" => (false, 601),
            "tls" => (true, 6514),
            "udp" => return Err("write `tls://` or `tcp://`: over UDP records are lost without a word".to_owned()),
            _ => return Err("the scheme is `tcp` or `tls`".to_owned()),
        };
        if rest.contains(['@', '/', '?', '#']) {
            return Err("write a host and a port, and nothing else".to_owned());
        }
        let (name, port) = split_port(rest, port)?;
        let name = host(name)?;
        let host = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self(TargetPlan { tls, host, port, from: None }))
    }

    fn made_up() -> Self {
        Self(TargetPlan { tls: false, host: "localhost".to_owned(), port: 1, from: None })
    }
}

impl Scalar for PageOrigin {
    const NAME: &'static str = "PageOrigin";
    const WHAT: &'static str = "an origin";
    const ABOUT: &'static str = "Where a page comes from, as browsers state it in `Origin`: scheme, host, and a port unless it is the scheme's own. `https://*.example.com` is every host below a domain, `*` any page.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(\\*|https?://[^/@?#]+)$");
    const EXAMPLES: &'static [&'static str] =
        &["https://app.example.com", "http://localhost:3000", "https://*.example.com", "*"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        if raw.text == "*" {
            return Ok(Self::Any);
        }
        if raw.text == "null" {
            return Err(
                "`null` is what browsers say of sandboxed pages and files, so that any page can be it".to_owned()
            );
        }
        // What is below a domain, which has to be somebody's own.
        let whole = raw.text.replacen("://*.", "://", 1);
        let is_below = whole.len() < raw.text.len();
        // The same form as a target's; browsers leave out a port that the scheme implies (RFC 6454 section 6.1).
        let raw = Raw { text: &whole, ..raw };
        let Target(target) = Target::parse(raw).map_err(|_| format!("{}, without a path", example::<Self>()))?;
        if is_below && (!target.host.contains('.') || target.host.parse::<IpAddr>().is_ok()) {
            return Err("`*.` stands before a domain of at least two labels".to_owned());
        }
        let implied = if target.tls { 443 } else { 80 };
        let origin = target.to_string().to_ascii_lowercase();
        let implied = format!(":{implied}");
        let origin = origin.strip_suffix(&implied).unwrap_or(&origin);
        Ok(Self::Only(if is_below { origin.replacen("://", "://*.", 1) } else { origin.to_owned() }))
    }

    fn made_up() -> Self {
        Self::Only("https://made-up.invalid".to_owned())
    }
}

impl std::fmt::Display for PageOrigin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Only(origin) => formatter.write_str(origin),
        }
    }
}

/// A text without control characters that isn't empty.
fn one_line(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("it holds a line break or another control character".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn split_port(text: &str, default: u16) -> Result<(&str, u16), String> {
    let after_brackets = text.rfind(']').unwrap_or(0);
    match text.rfind(':').filter(|colon| *colon > after_brackets) {
        None => Ok((text, default)),
        Some(colon) => {
            let (name, port) = text.split_at_checked(colon).unwrap_or((text, ""));
            match port.trim_start_matches(':').parse::<u16>() {
                Ok(0) | Err(_) => Err("the port is a number from 1 to 65535".to_owned()),
                Ok(port) => Ok((name, port)),
            }
        }
    }
}

/// A host in lower case: a name, an IPv4 address, or an IPv6 address in brackets.
pub(super) fn host(text: &str) -> Result<String, String> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = inner.parse::<Ipv6Addr>().map_err(|_| "brackets hold an IPv6 address".to_owned())?;
        return Ok(format!("[{address}]"));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err("an IPv6 address stands in brackets".to_owned());
    }
    if text.is_empty() {
        return Err("the host is empty".to_owned());
    }
    if text.contains("://") || text.contains('/') {
        return Err("a host has neither scheme nor path".to_owned());
    }
    if text.contains('*') {
        return Err("`*` stands alone or as the first label: `*.example.org`".to_owned());
    }
    if text.contains(':') {
        return Err("remove the port; hosts are matched without it".to_owned());
    }
    if !text.is_ascii() {
        return Err("write an international name in its ASCII form: `xn--…`".to_owned());
    }
    if text.len() > MAX_HOST_BYTES {
        return Err(format!("a host name has at most {MAX_HOST_BYTES} characters"));
    }
    if text.ends_with('.') {
        return Err("remove the dot at the end".to_owned());
    }
    for label in text.split('.') {
        let is_label = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if label.is_empty() || label.len() > MAX_LABEL_BYTES || !is_label {
            return Err("between dots stand 1 to 63 letters, digits, `-` or `_`".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("no part of a host name begins or ends with `-`".to_owned());
        }
    }
    // All-numeric last labels are addresses, and only the usual spelling of an address is unambiguous (WHATWG URL).
    let last = text.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<IpAddr>().is_err() {
        return Err("an IPv4 address has four numbers from 0 to 255".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}
