//! Base paths, version paths and path templates, all in the one canonical spelling in which requests are compared.
//! Anything that a canonical request path can never equal is refused here rather than never matched.

use portcullis_types::segment::Segment;
use portcullis_types::target::CanonicalTarget;

use super::{Raw, Scalar, example};
use crate::diagnostic::quote;

/// LIMIT: bytes of a path or template.
const MAX_PATH_BYTES: usize = 2048;
/// LIMIT: bytes of a parameter's name.
const MAX_PARAMETER_BYTES: usize = 64;

/// A path with a leading and without a trailing slash; the root is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BasePath(pub(crate) String);

/// Segments without slashes at the ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionPath(pub(crate) String);

/// A path with parameters; empty for the base path itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) String);

impl Scalar for BasePath {
    const NAME: &'static str = "BasePath";
    const WHAT: &'static str = "a base path";
    const ABOUT: &'static str = "A path that begins with `/` and holds no parameters; `/` is the root.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^/[^?#]*$");
    const EXAMPLES: &'static [&'static str] = &["/orders", "/"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        if raw.text == "/" {
            return Ok(Self(String::new()));
        }
        let Some(rest) = raw.text.strip_prefix('/') else {
            return Err("begin it with `/`".to_owned());
        };
        if rest.ends_with('/') {
            return Err("remove the `/` at the end".to_owned());
        }
        fixed_segments(rest)?;
        Ok(Self(raw.text.to_owned()))
    }

    fn made_up() -> Self {
        Self("/made-up".to_owned())
    }
}

impl Scalar for VersionPath {
    const NAME: &'static str = "VersionPath";
    const WHAT: &'static str = "a version path";
    const ABOUT: &'static str = "One or more path segments without a slash at either end.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[^/?#]+(/[^/?#]+)*$");
    const EXAMPLES: &'static [&'static str] = &["v1"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        if raw.text.starts_with('/') || raw.text.ends_with('/') {
            return Err("no `/` at the ends".to_owned());
        }
        if raw.text.is_empty() {
            return Err(example::<Self>());
        }
        fixed_segments(raw.text)?;
        Ok(Self(raw.text.to_owned()))
    }

    fn made_up() -> Self {
        Self("made-up".to_owned())
    }
}

impl Scalar for Template {
    const NAME: &'static str = "Template";
    const WHAT: &'static str = "a path template";
    const ABOUT: &'static str = "A path below the base path and the version. `{name}` fills one segment or, with text beside it, a \
        part of one; `{*name}` fills the rest and stands last; empty (`\"\"`) is the base path itself.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(/[^?#]*)?$");
    const EXAMPLES: &'static [&'static str] = &["/orders/{id}", "/orders/{id}:cancel", "/files/{*rest}", "/"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let text = raw.text;
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err("begin it with `/`".to_owned());
        };
        check_length(text)?;
        let mut names: Vec<&str> = Vec::new();
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            if segment.is_empty() {
                if is_last {
                    break;
                }
                return Err("runs of slashes become one before routing, so `//` never matches".to_owned());
            }
            for name in parameters(segment, is_last)? {
                if names.contains(&name) {
                    return Err("two parameters have the same name".to_owned());
                }
                names.push(name);
            }
        }
        Ok(Self(text.to_owned()))
    }

    fn made_up() -> Self {
        Self("/made-up".to_owned())
    }
}

/// The template with every parameter's name left out: two that are equal match the same requests.
pub(crate) fn shape(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    for (index, segment) in template.split('/').enumerate() {
        if index > 0 {
            shape.push('/');
        }
        match Segment::parse(segment) {
            Ok(_) if segment.starts_with("{*") => shape.push_str("{*}"),
            Ok(parsed) => shape.push_str(&parsed.shape()),
            Err(_) => shape.push_str(segment),
        }
    }
    shape
}

/// The names in a segment, of which the texts are spelled as requests spell them.
fn parameters(segment: &str, is_last: bool) -> Result<Vec<&str>, String> {
    if !segment.contains(['{', '}']) {
        return fixed_segment(segment).map(|()| Vec::new());
    }
    let inner = segment.strip_prefix("{*").and_then(|rest| rest.strip_suffix('}'));
    let names = match inner.filter(|inner| !inner.contains(['{', '}'])) {
        Some(_) if !is_last => return Err("`{*…}` takes the rest of the path, so it must stand last".to_owned()),
        Some(name) => vec![name],
        None => {
            let parsed = Segment::parse(segment)?;
            // A value may be anything, so that the texts beside it are looked at with some value in its place.
            fixed_segment(&parsed.shape().replace("{}", "x"))?;
            segment.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
        }
    };
    let is_name = |name: &str| {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        plain && !name.is_empty() && name.len() <= MAX_PARAMETER_BYTES
    };
    match names.iter().all(|name| is_name(name)) {
        true => Ok(names),
        false => Err(format!("a parameter's name has 1 to {MAX_PARAMETER_BYTES} letters, digits, `_`, `-` or `.`")),
    }
}

fn fixed_segments(text: &str) -> Result<(), String> {
    check_length(text)?;
    for segment in text.split('/') {
        if segment.is_empty() {
            return Err("runs of slashes become one before routing, so `//` never matches".to_owned());
        }
        if segment.contains(['{', '}']) {
            return Err("parameters stand in the paths of routes only".to_owned());
        }
        fixed_segment(segment)?;
    }
    Ok(())
}

fn check_length(text: &str) -> Result<(), String> {
    match text.len() > MAX_PATH_BYTES {
        true => Err(format!("a path has at most {MAX_PATH_BYTES} bytes")),
        false => Ok(()),
    }
}

/// A segment in the canonical spelling of requests, by the very code that spells those.
fn fixed_segment(segment: &str) -> Result<(), String> {
    if segment == "." || segment == ".." {
        return Err("dot segments are resolved before routing, so this never matches".to_owned());
    }
    if segment.contains('?') {
        return Err("the query is no part of the path; remove it".to_owned());
    }
    if segment.contains(' ') {
        return Err("write a blank as `%20`".to_owned());
    }
    let written = format!("/{segment}");
    match CanonicalTarget::parse(written.as_bytes()) {
        Err(error) => Err(format!("{}, and such requests are refused", error.rule())),
        Ok(target) if target.path() == written => Ok(()),
        Ok(target) => {
            let spelled = target.path().trim_start_matches('/');
            Err(format!("write {} for this segment: that is how requests spell it", quote(spelled)))
        }
    }
}
