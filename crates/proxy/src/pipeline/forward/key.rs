//! What consistent hashing goes by: a header, a cookie, a claim of the caller's token, or the client's address.

use super::Routed;
use portcullis_balance::hash;
use portcullis_config::plan::Balance;
use portcullis_h1::{Fields, Known};
use std::net::IpAddr;

/// The key of a request; `None` if it has none, or if none is needed.
pub(super) fn of(balance: &Balance, routed: &Routed<'_>) -> Option<u64> {
    let fields = routed.request.head.fields();
    match balance {
        Balance::TwoChoices | Balance::LeastRequest | Balance::RoundRobin => None,
        Balance::Address => Some(match routed.request.client.address {
            IpAddr::V4(ip) => hash(&ip.octets()),
            IpAddr::V6(ip) => hash(&ip.octets()),
        }),
        Balance::Header(name) => {
            let named = |line: &portcullis_h1::Field<'_>| line.name.eq_ignore_ascii_case(name.as_bytes());
            fields.iter().find(named).map(|line| hash(line.value))
        }
        Balance::Claim(name) => routed.record.caller.as_ref()?.plain_claim(name).map(|text| hash(text.as_bytes())),
        Balance::Cookie(name) => cookie(fields, name.as_bytes()).map(hash),
    }
}

/// The first cookie of this name (RFC 6265 section 4.2.1).
fn cookie<'a>(fields: Fields<'a>, name: &[u8]) -> Option<&'a [u8]> {
    fields.all(Known::Cookie).flat_map(|value| value.split(|byte| *byte == b';')).find_map(|pair| {
        let rest = pair.trim_ascii().strip_prefix(name)?;
        rest.strip_prefix(b"=")
    })
}
