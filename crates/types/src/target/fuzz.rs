//! What the fuzzer calls: any bytes have one canonical form or none, and that form is its own.

use super::CanonicalTarget;

/// Makes bytes canonical.
pub fn fuzz_target(bytes: &[u8]) {
    let Ok(target) = CanonicalTarget::parse(bytes) else { return };
    let text = target.as_str();
    assert_eq!(
        CanonicalTarget::parse(text.as_bytes()).as_ref(),
        Ok(&target),
        "the canonical form is its own: {text:?}"
    );
    assert!(text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'#'), "{text:?}");
    let path = target.path();
    assert!(path.starts_with('/') && !path.contains("//") && !path.contains('\\'), "{text:?}");
    let lower = path.to_ascii_lowercase();
    for hidden in ["%2f", "%5c", "%00", "%2e"] {
        assert!(!lower.contains(hidden), "{hidden} in {text:?}");
    }
    for segment in path.split('/') {
        let name = segment.split(';').next().unwrap_or_default();
        assert!(!matches!(name, "." | ".."), "a dot segment in {text:?}");
    }
    match target.query() {
        Some(query) => assert_eq!(format!("{path}?{query}"), text),
        None => assert_eq!(path, text),
    }
    // An escaped semicolon counts as well: a server that decodes first would see a parameter.
    assert_eq!(target.has_parameters(), path.contains(';') || path.contains("%3B"), "{text:?}");
}
