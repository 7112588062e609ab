//! What must hold for any bytes that claim to say where a request comes from.

use super::{forwarded, proxy_header};
use proxy_header::Progress;

/// A header is decided the same way however it is cut into pieces, and never reads past its end.
pub fn fuzz_proxy_header(bytes: &[u8]) {
    let mut have = 0;
    loop {
        let head = bytes.get(..have).unwrap_or_default();
        match proxy_header::parse(head) {
            Ok(Progress::Needs(more)) => {
                assert!(more > 0, "progress is made");
                assert!(have + more <= 16 + 2048, "a header is bounded");
                have += more;
                if have > bytes.len() {
                    // Cut off: what is there is a beginning or refused, never a whole header.
                    let rest = proxy_header::parse(bytes);
                    assert!(!matches!(rest, Ok(Progress::Whole(_))), "a part is no whole");
                    return;
                }
            }
            Ok(Progress::Whole(source)) => {
                let early = (0..have).find_map(|cut| match proxy_header::parse(bytes.get(..cut)?) {
                    Ok(Progress::Whole(source)) => Some((cut, source)),
                    Ok(Progress::Needs(_)) | Err(_) => None,
                });
                assert_eq!(early, None, "no beginning of a header is one ({source:?})");
                return;
            }
            Err(_) => return,
        }
    }
}

/// Fields are bounded, and an address that was read is read again from its own text.
pub fn fuzz_forwarded(bytes: &[u8]) {
    let (one, other) = bytes.split_at_checked(bytes.len() / 2).unwrap_or((bytes, b""));
    let outcomes = [
        forwarded::forwarded(std::iter::once(bytes)),
        forwarded::x_forwarded(std::iter::once(bytes), std::iter::empty()),
        forwarded::x_forwarded(std::iter::once(one), std::iter::once(other)),
    ];
    for hops in outcomes.iter().flatten() {
        assert!(hops.len() <= forwarded::HOPS_MAX, "hops are bounded");
        for address in hops.iter().filter_map(|hop| hop.address) {
            let text = if address.is_ipv6() { format!("for=\"[{address}]\"") } else { format!("for={address}") };
            let again = forwarded::forwarded(std::iter::once(text.as_bytes()));
            assert_eq!(again.map(|hops| hops.first().and_then(|hop| hop.address)), Ok(Some(address)));
        }
    }
}
