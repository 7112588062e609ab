//! References between documents: resolved as RFC 3986 section 5.2 says, for as much of it as schemas use.

struct Parts<'u> {
    scheme: Option<&'u str>,
    authority: Option<&'u str>,
    path: &'u str,
    query: Option<&'u str>,
}

/// A reference and its fragment, if it has one.
pub(crate) fn split(reference: &str) -> (&str, Option<&str>) {
    reference.split_once('#').map_or((reference, None), |(before, fragment)| (before, Some(fragment)))
}

/// What `reference`, without a fragment, means within `base`.
pub(crate) fn join(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    let of = parts(reference);
    if of.scheme.is_some() {
        return written(&of, &without_dots(of.path));
    }
    let base = parts(base);
    if of.authority.is_some() {
        return written(&Parts { scheme: base.scheme, ..of }, &without_dots(of.path));
    }
    let path = if of.path.is_empty() {
        base.path.to_owned()
    } else if of.path.starts_with('/') {
        without_dots(of.path)
    } else {
        let folder = base.path.rfind('/').and_then(|at| base.path.get(..=at));
        let folder = folder.unwrap_or(if base.authority.is_some() { "/" } else { "" });
        without_dots(&format!("{folder}{}", of.path))
    };
    let query = if of.path.is_empty() { of.query.or(base.query) } else { of.query };
    written(&Parts { scheme: base.scheme, authority: base.authority, path: "", query }, &path)
}

fn parts(text: &str) -> Parts<'_> {
    let is_scheme = |word: &str| {
        word.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    let (scheme, rest) = match text.split_once(':') {
        Some((word, rest)) if is_scheme(word) => (Some(word), rest),
        Some(_) | None => (None, text),
    };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
            Parts { scheme, authority: Some(authority), path, query }
        }
        None => Parts { scheme, authority: None, path: rest, query },
    }
}

fn written(parts: &Parts<'_>, path: &str) -> String {
    let mut text = String::new();
    if let Some(scheme) = parts.scheme {
        text = format!("{scheme}:");
    }
    if let Some(authority) = parts.authority {
        text += "//";
        text += authority;
    }
    text += path;
    if let Some(query) = parts.query {
        text.push('?');
        text += query;
    }
    text
}

fn without_dots(path: &str) -> String {
    if !path.contains("./") && !path.ends_with("/.") && !path.ends_with("/..") && path != "." && path != ".." {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let last = path.rsplit('/').next().unwrap_or("");
    let rooted = path.starts_with('/');
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => {
                if kept.len() > usize::from(rooted) {
                    kept.pop();
                }
            }
            other => kept.push(other),
        }
    }
    if matches!(last, "." | "..") {
        kept.push("");
    }
    kept.join("/")
}

/// Percent-encoding undone; `None` where that is no text.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let value = digit()?.checked_mul(16)?.checked_add(digit()?)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{decoded, join};

    #[test]
    fn references_are_resolved() {
        for (base, reference, expected) in [
            ("http://a/b/c/d?q", "g", "http://a/b/c/g"),
            ("http://a/b/c/d", "../g", "http://a/b/g"),
            ("http://a/b/c/d", "./", "http://a/b/c/"),
            ("http://a/b/c/d", "../../../g", "http://a/g"),
            ("http://a/b/c/d", "/g", "http://a/g"),
            ("http://a/b", "//h/x", "http://h/x"),
            ("http://a", "g", "http://a/g"),
            ("http://a/b", "?y", "http://a/b?y"),
            ("http://a/b", "urn:x:y", "urn:x:y"),
            ("specs/api.yaml", "common.yaml", "specs/common.yaml"),
            ("specs/api.yaml", "../common.yaml", "common.yaml"),
            ("api.yaml", "parts/a.yaml", "parts/a.yaml"),
            ("urn:uuid:deadbeef", "", "urn:uuid:deadbeef"),
        ] {
            assert_eq!(join(base, reference), expected, "{base} {reference}");
        }
        assert_eq!(decoded("a%25b%22"), Some("a%b\"".to_owned()));
        assert_eq!(decoded("a%2"), None);
    }
}
