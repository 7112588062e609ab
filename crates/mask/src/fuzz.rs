//! What the fuzzer calls: whatever the bytes, nothing panics, pieces do not matter, and without rules nothing changes.

use crate::detect::Detector;
use crate::keys::Keys;
use crate::path::Path;
use crate::rewrite::MaskError;
use crate::rules::{Action, Active, Coarser, Rule, Ruleset, Select};
use crate::{Form, Masker};
use std::sync::{Arc, LazyLock};

static RULES: LazyLock<Option<Arc<Ruleset>>> = LazyLock::new(|| {
    let rule = |place: &str, action| Some(Rule { select: Select::Paths(vec![Path::parse(place).ok()?]), action });
    let rules = [
        rule("$..a", Action::Remove)?,
        rule("$.b[*]", Action::Partial { first: 1, last: 1 })?,
        rule("$..c..d", Action::Tokenise)?,
        rule("$[1]", Action::Generalise(Coarser::Year))?,
        Rule { select: Select::Detect(Detector::ALL.to_vec()), action: Action::Hash },
        Rule { select: Select::Grant(vec![Path::parse("$").ok()?]), action: Action::Remove },
    ];
    Ruleset::compile(&rules, Keys::new(&[0; 32])).ok().map(Arc::new)
});

/// Masks the bytes after the first two, which say how: the form, the rules that count, and the size of pieces.
///
/// # Panics
/// If something does not hold.
pub fn fuzz_mask(bytes: &[u8]) {
    let ([how, pieces, body @ ..], Some(rules)) = (bytes, &*RULES) else { return };
    let form = match how % 3 {
        0 => Form::Json,
        1 => Form::Lines,
        _ => Form::Events,
    };
    // The grant of everything stands, so that the set without any other rule changes nothing.
    let active = Active(1 << 5 | u64::from(how >> 2 & 31));
    let whole = mask(form, rules, active, body, body.len());
    let parts = mask(form, rules, active, body, usize::from(*pieces));
    assert_eq!(whole, parts, "pieces do not matter");
    if let Ok(masked) = &whole
        && active == Active(1 << 5)
        && form != Form::Events
    {
        assert_eq!(masked, body, "without rules nothing changes");
    }
    if let Ok(masked) = whole {
        assert!(mask(form, rules, Active(1 << 5), &masked, 7).is_ok(), "what leaves can be read");
    }
}

fn mask(form: Form, rules: &Arc<Ruleset>, active: Active, body: &[u8], size: usize) -> Result<Vec<u8>, MaskError> {
    let (mut masker, mut out) = (Masker::new(form, Arc::clone(rules), active), Vec::new());
    // Which of two mistakes is met first depends on the pieces.
    let unread = |_| MaskError::Malformed("it cannot be read");
    for piece in body.chunks(size.max(1)) {
        masker.feed(piece, &mut out).map_err(unread)?;
    }
    masker.finish(&mut out).map_err(unread)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::fuzz_mask;

    #[test]
    fn fuzz_smoke_mask() {
        let bodies: [&[u8]; 6] = [
            br#"{"a":1,"b":[1,"ada@example.com"],"c":{"x":{"d":"4111111111111111"}}}"#,
            b"[1,\"1985-03-02\",{\"a\":[]}]\n7\n",
            b"data: {\"a\":1}\n\n: x\n\ndata: [1,\ndata: 2]\r\n\r\n",
            b"{\"\\u0061\":\"\\ud83d\\ude00\",\"c\":[{\"d\":null}]}",
            b"\"\xf0\x9f\x98\x80\"",
            b"[[[[{\"a\":}]]]]",
        ];
        for body in bodies {
            for how in 0..=127 {
                for pieces in [1, 2, 3, 7] {
                    for cut in [0, 1, body.len() / 2] {
                        fuzz_mask(&[&[how, pieces], &body[..body.len() - cut]].concat());
                    }
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn fuzz_smoke_mask_at_random(bytes in "[\\x00-\\x7f]{2}[\\[\\]{}\",:abcd0-9.eE+\\- \\\\\n@]{0,60}") {
            fuzz_mask(bytes.as_bytes());
        }
    }
}
