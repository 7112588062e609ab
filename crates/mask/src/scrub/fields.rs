//! What fields of answers say about what runs behind the gateway, by their names or by their values.

use super::hosts::{HOSTS, is_bare_host};
use super::{Undecided, first_of};
use crate::target::escaped;
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// Names, but for the `x-` before them all.
const NAMES: [&[u8]; 34] = [
    b"aspnet-version",
    b"aspnetmvc-version",
    b"backend",
    b"container-id",
    b"debug-token",
    b"debug-token-link",
    b"drupal-cache",
    b"drupal-dynamic-cache",
    b"error-detail",
    b"exception",
    b"exception-message",
    b"generator",
    b"host",
    b"hostname",
    b"instance",
    b"instance-id",
    b"node",
    b"node-name",
    b"origin-server",
    b"owa-version",
    b"php-version",
    b"pod",
    b"pod-name",
    b"powered-by",
    b"powered-by-plesk",
    b"runtime",
    b"server",
    b"server-addr",
    b"server-id",
    b"server-ip",
    b"server-name",
    b"sourcefiles",
    b"upstream",
    b"version",
];

/// How names begin of which whole families tell.
const FAMILIES: [&[u8]; 11] = [
    b"amz-apigw-",
    b"amz-cf-",
    b"amz-id-",
    b"amz-request-",
    b"amzn-",
    b"backend-",
    b"envoy-",
    b"k8s-",
    b"kubernetes-",
    b"served-by",
    b"upstream-",
];

/// Whether a field of an answer exists to tell developers what happened, or which program or machine answered.
#[must_use]
pub fn is_telling(name: &[u8]) -> bool {
    let Some(([b'x' | b'X', b'-'], rest)) = name.split_at_checked(2) else { return false };
    NAMES.iter().any(|known| rest.eq_ignore_ascii_case(known))
        || FAMILIES.iter().any(|known| rest.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known)))
}

static AUTOMATON: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(HOSTS.iter().map(|sign| sign.text)).ok());

/// Whether the value of a field names a host that is none for everybody: by an address of a private network or a link, by a
/// name that only servers can look up, or by a name without a dot and a port.
///
/// # Errors
/// Nothing can be said.
pub fn names_inner_host(value: &[u8]) -> Result<bool, Undecided> {
    let automaton = AUTOMATON.as_ref().ok_or(Undecided)?;
    let names = |value: &[u8]| {
        let (shown, bare) = without_steps(value);
        bare || first_of(automaton, &[HOSTS], &shown).is_some()
    };
    Ok(names(value) || unescaped(value).is_some_and(|value| names(&value)))
}

/// A value without the steps of paths, which may end as names of hosts do (`/orders.svc`); and whether a word of it is a name
/// without a dot and a port.
fn without_steps(value: &[u8]) -> (Vec<u8>, bool) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.[]".contains(&byte);
    let (mut shown, mut bare, mut rest) = (Vec::with_capacity(value.len()), false, value);
    while !rest.is_empty() {
        let before = value.get(..value.len() - rest.len()).unwrap_or_default();
        let (word, behind) = rest.split_at(rest.iter().take_while(|byte| is_word(**byte)).count());
        let is_step = before.ends_with(b"/") && !before.ends_with(b"//");
        bare |= !is_step && is_bare_host(rest);
        // An address is no step's ordinary name.
        if is_step && word.iter().any(u8::is_ascii_alphabetic) {
            shown.push(b'*');
        } else {
            shown.extend_from_slice(word);
        }
        shown.extend(behind.first());
        rest = behind.get(1..).unwrap_or_default();
    }
    (shown, bare)
}

/// A value with its percent-encoding undone; nothing where there is none.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'%', value)?;
    let (mut plain, mut rest) = (Vec::with_capacity(value.len()), value);
    while let Some(byte) = rest.first() {
        let escaped = escaped(rest);
        plain.push(escaped.unwrap_or(*byte));
        rest = rest.get(if escaped.is_some() { 3 } else { 1 }..).unwrap_or_default();
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::{is_telling, names_inner_host};

    #[test]
    fn fields_for_developers_are_known() {
        for name in [
            "X-Debug-Token",
            "x-powered-by",
            "X-Runtime",
            "X-Backend-Server",
            "X-Backend",
            "X-Backend-Host",
            "X-Served-By",
            "x-envoy-upstream-service-time",
            "X-Amz-Cf-Id",
            "x-amzn-RequestId",
            "X-Upstream-Address",
        ] {
            assert!(is_telling(name.as_bytes()), "{name}");
        }
        for name in
            ["content-type", "x-request-id", "x-rate", "retry-after", "x", "x-", "x-hosted", "x-versions", "server"]
        {
            assert!(!is_telling(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn values_that_name_inner_hosts_are_known() {
        for value in [
            "http://10.0.0.5:8080",
            "http://10.0.0.5:8080/x",
            "ip-10-0-0-1",
            "ip-172-31-3-4.eu-west-1.compute",
            "db.internal",
            "id=1; Path=/; Domain=x.internal",
            "id=1; Domain=.x.internal; Secure",
            "https://shop.example.com/login?next=http://192.168.1.9/x",
            "orders.shop.svc.cluster.local",
            "shop.svc:80",
            "printer.local",
            "169.254.169.254",
            "http://[fd12:3456::7]:8080/",
            "fe80::1%eth0",
            "http://orders-api:8080/internal",
            "orders-api:8080",
            "a, orders_api:443;q=1",
            "<http://orders:5000/x>; rel=next",
            "/login?next=http%3A%2F%2Fdb.internal%2Fx",
            "/by/10.0.0.5/x",
        ] {
            assert_eq!(names_inner_host(value.as_bytes()), Ok(true), "{value}");
        }
        for value in [
            "",
            "/orders/17",
            "/service.svc/orders",
            "/files/printer.local",
            "https://shop.example.com/orders",
            "https://shop.example.com:8443/orders",
            "http://127.0.0.1:51004/callback?code=abc",
            "http://localhost:3000/callback",
            "application/json; charset=utf-8",
            "\"fd12:abc\"",
            "Fri, 27 Nov 2026 00:00:00 GMT",
            "id=110.0.5481.77; Path=/; HttpOnly",
            "max-age=60, s-maxage=600",
            "203.0.113.9",
            "default-src 'self' https: data:",
            "1.10.2",
            "10.5",
            "rate:60",
            "urn:uuid:550e8400-e29b-41d4-a716-446655440000",
            "W/\"33a64df5\"",
            "https://user:8080@shop.example.com/",
        ] {
            assert_eq!(names_inner_host(value.as_bytes()), Ok(false), "{value}");
        }
    }
}
