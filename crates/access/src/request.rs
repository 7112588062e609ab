//! What a request shows of the object that it is about: path parameters, query parameters, fields, members of the body.
//!
//! Whatever servers could read in another way counts as not there, and what is not there decides nothing.

use crate::caller::Caller;
use crate::expression::Truth;
use std::borrow::Cow;
use std::net::IpAddr;

/// A request, as far as a decision looks at it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who calls; nothing for somebody who has proved nothing.
    pub caller: Option<Caller<'a>>,
    /// Where the request comes from.
    pub address: IpAddr,
    /// Seconds since 1970.
    pub now: u64,
    /// The canonical path, whole.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// The field lines of a name.
    pub field: &'a dyn Fn(&str) -> Field<'a>,
    /// What the body has where these names lead to.
    pub body: &'a dyn Fn(&[String]) -> Member<'a>,
    /// Whether the body sets none of the fields that a rule names, by the number of the rule.
    pub leaves: &'a dyn Fn(usize) -> Truth,
    /// Whether what a rule says in another language is true of the request, by the number of the rule.
    pub foreign: &'a dyn Fn(usize) -> Truth,
}

/// What a body has in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// Nobody has read it yet.
    Later,
    /// Nothing.
    Nothing,
    /// A single value, as text.
    One(Cow<'a, str>),
    /// Several.
    Many(Vec<Cow<'a, str>>),
    /// What servers could read in more than one way, or what cannot be read.
    Unclear,
}

/// What a request has of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// No line.
    Nothing,
    /// One line.
    One(&'a [u8]),
    /// More than one: servers differ on which one counts.
    Several,
}

/// Something is there that servers could read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

// === impl Request ===

impl<'a> Request<'a> {
    /// Nothing but a caller.
    #[must_use]
    pub const fn of_caller(caller: Option<Caller<'a>>, address: IpAddr) -> Self {
        Self {
            caller,
            address,
            now: 0,
            path: "/",
            query: None,
            field: &|_| Field::Nothing,
            body: &|_| Member::Nothing,
            leaves: &|_| Truth::Undecided,
            foreign: &|_| Truth::Undecided,
        }
    }

    /// The value of a path parameter: the segment of this number, or all from there.
    pub(crate) fn segment(&self, index: usize, rest: bool) -> Option<Cow<'a, str>> {
        let mut segments = self.path.splitn(index.checked_add(2)?, '/');
        let found = segments.nth(index)?;
        let tail = segments.next();
        let value = match (rest, tail) {
            (false, _) | (true, None) => found,
            (true, Some(tail)) => self.path.get(self.path.len().checked_sub(found.len() + 1 + tail.len())?..)?,
        };
        decoded(value, false)
    }

    /// The value of a parameter that is a part of the segment with this number.
    pub(crate) fn part(&self, index: usize, part: impl FnOnce(&'a str) -> Option<&'a str>) -> Option<Cow<'a, str>> {
        decoded(part(self.path.split('/').nth(index)?)?, false)
    }

    /// The value of a query parameter, as [`parameter`] reads it.
    ///
    /// # Errors
    /// Servers could read it in more than one way.
    pub fn parameter(&self, name: &str) -> Result<Option<Cow<'a, str>>, Ambiguous> {
        self.query.map_or(Ok(None), |query| parameter(query, name))
    }

    /// The value of a field; nothing where it is not there.
    ///
    /// # Errors
    /// It stands there more than once, or is no text.
    pub fn line(&self, name: &str) -> Result<Option<Cow<'a, str>>, Ambiguous> {
        match (self.field)(name) {
            Field::One(value) => match std::str::from_utf8(value) {
                Ok(text) => Ok(Some(Cow::Borrowed(text.trim()))),
                Err(_) => Err(Ambiguous),
            },
            Field::Nothing => Ok(None),
            Field::Several => Err(Ambiguous),
        }
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The value of a parameter of a query; nothing where it is not there.
///
/// Names that differ in case only, and separators other than `&`, are one thing to some servers and another to others.
///
/// # Errors
/// Servers could read it in more than one way.
pub fn parameter<'q>(query: &'q str, name: &str) -> Result<Option<Cow<'q, str>>, Ambiguous> {
    if query.contains(';') {
        return Err(Ambiguous);
    }
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decoded(key, true).ok_or(Ambiguous)?;
        // Some servers read `id[]`, and `id` with blanks around it, as `id`.
        let plain = key.trim().split('[').next().unwrap_or_default();
        if !plain.eq_ignore_ascii_case(name) && !joined(&key).eq_ignore_ascii_case(name) {
            continue;
        }
        if key != name || found.is_some() {
            return Err(Ambiguous);
        }
        found = Some(decoded(value, true).ok_or(Ambiguous)?);
    }
    Ok(found)
}

/// The names of a form's or a query's pairs, decoded, each in the parts that programs make of `user[role]` and `user.role`, and as
/// those read it that write other signs as `_`.
///
/// # Errors
/// Servers could read it in more than one way.
pub fn names(form: &str) -> Result<Vec<Vec<String>>, Ambiguous> {
    if form.contains(';') {
        return Err(Ambiguous);
    }
    let keys = form.split('&').map(|pair| pair.split_once('=').map_or(pair, |(key, _)| key));
    let is_name = |part: &&str| !part.is_empty() && !part.bytes().all(|byte| byte.is_ascii_digit());
    let mut all = Vec::new();
    for key in keys.filter(|key| !key.is_empty()) {
        let key = decoded(key, true).ok_or(Ambiguous)?;
        let parts = |text: &str, ends: &[char]| text.split(ends).filter(is_name).map(str::to_owned).collect::<Vec<_>>();
        let first = parts(key.trim(), &['[', ']', '.']);
        let second = [parts(joined(&key).trim(), &[]), parts(&bracketed(&key), &['['])].concat();
        let differs = second != first;
        all.push(first);
        if differs {
            all.push(second);
        }
    }
    Ok(all)
}

/// What PHP makes of the name of a pair, but for what stands in brackets: blanks, dots and a bracket that does not close become `_`
/// (`parse_str`).
fn joined(key: &str) -> String {
    let top = if key.contains(']') { key.split('[').next().unwrap_or_default() } else { key };
    top.trim_start().replace(['.', ' ', '['], "_")
}

/// What PHP reads in the brackets of a name, each behind a `[`; what stands behind the last of them is nothing to it.
fn bracketed(key: &str) -> String {
    let (closed, _) = key.split_once('[').and_then(|(_, inner)| inner.rsplit_once(']')).unwrap_or_default();
    closed.split("][").flat_map(|part| ["[", part.split(']').next().unwrap_or_default()]).collect()
}

/// Whether some program takes two names of members for the same: by their letters, in whatever case. Exact ones are alike.
#[must_use]
pub fn is_alike(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.to_uppercase().to_lowercase();
    one.eq_ignore_ascii_case(other) || (!(one.is_ascii() && other.is_ascii()) && folded(one) == folded(other))
}

/// Text with its escapes undone once. What is malformed, or would change if it was undone again, has no one meaning.
fn decoded(text: &str, plus_is_blank: bool) -> Option<Cow<'_, str>> {
    let has_plus = plus_is_blank && text.contains('+');
    if !text.contains('%') && !has_plus {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => bytes.push(digit(rest.next()?)? << 4 | digit(rest.next()?)?),
            b'+' if plus_is_blank => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    let is_escape =
        |three: &[u8]| matches!(three, [b'%', high, low] if digit(*high).is_some() && digit(*low).is_some());
    if bytes.windows(3).any(is_escape) || bytes.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{Ambiguous, Request, is_alike, names};

    fn request<'a>(path: &'a str, query: Option<&'a str>) -> Request<'a> {
        Request { path, query, ..Request::of_caller(None, std::net::Ipv4Addr::LOCALHOST.into()) }
    }

    #[test]
    fn path_parameters() {
        for (path, index, rest, value) in [
            ("/a/b/c", 1, false, Some("a")),
            ("/a/b/c", 3, false, Some("c")),
            ("/a/b/c", 4, false, None),
            ("/a/b/c", 2, true, Some("b/c")),
            ("/a/b", 2, true, Some("b")),
            ("/a/ada%40x", 2, false, Some("ada@x")),
            ("/a/ada+x", 2, false, Some("ada+x")),
            ("/a/%2561da", 2, false, None),
            ("/a/%", 2, false, None),
            ("/a/%ff", 2, false, None),
            ("/a/x%00", 2, false, None),
        ] {
            assert_eq!(request(path, None).segment(index, rest).as_deref(), value, "{index} of {path}");
        }
    }

    #[test]
    fn names_of_forms() {
        for (form, expected) in [
            ("role=admin&x", Ok("role, x")),
            (
                "user[role]=a&user.role=b&items[0].id=1&us%65r%5Brole%5D",
                Ok("user/role, user/role, user_role, items/id, items, user/role"),
            ),
            ("is.admin=1&is+admin&is[admin", Ok("is/admin, is_admin, is admin, is_admin, is/admin, is_admin")),
            ("a.b[c]=1", Ok("a/b/c, a_b/c")),
            ("a=1;role=2", Err(Ambiguous)),
            ("%2572ole=1", Err(Ambiguous)),
            ("", Ok("")),
        ] {
            let found = names(form).map(|all| all.iter().map(|one| one.join("/")).collect::<Vec<_>>().join(", "));
            assert_eq!(found.as_deref().map_err(|error| *error), expected, "{form}");
        }
    }

    #[test]
    fn names_that_programs_take_for_the_same() {
        for (one, other, alike) in [
            ("role", "role", true),
            ("role", "ROLE", true),
            ("role", "roles", false),
            // The long s and the sign for kelvin are letters of ASCII to programs that fold cases.
            ("isAdmin", "i\u{17f}Admin", true),
            ("key", "\u{212a}ey", true),
            ("größe", "GRÖSSE", true),
            ("rôle", "role", false),
        ] {
            assert_eq!(is_alike(one, other), alike, "{one} and {other}");
        }
    }

    #[test]
    fn names_that_some_servers_write_anew_are_ambiguous() {
        for query in ["user_id=me&user.id=x", "user+id=x", "user[id=x", "user%20id=x"] {
            assert_eq!(request("/", Some(query)).parameter("user_id"), Err(Ambiguous), "{query}");
        }
    }

    #[test]
    fn query_parameters() {
        let one = |text| Ok(Some(text));
        for (query, value) in [
            ("id=7", one("7")),
            ("a=1&id=7&b", one("7")),
            ("%69d=7", one("7")),
            ("id=a+b", one("a b")),
            ("id", one("")),
            ("id=7&id=7", Err(Ambiguous)),
            ("id=7&id=8", Err(Ambiguous)),
            ("ID=8&id=7", Err(Ambiguous)),
            ("id=7&id[]=8", Err(Ambiguous)),
            ("id[0]=8", Err(Ambiguous)),
            ("id=7&+id=8", Err(Ambiguous)),
            ("a=1;id=7", Err(Ambiguous)),
            ("id=%2537", Err(Ambiguous)),
            ("%zz=1&id=7", Err(Ambiguous)),
            ("ide=7", Ok(None)),
            ("", Ok(None)),
        ] {
            let found = request("/", Some(query)).parameter("id");
            assert_eq!(found.as_ref().map(Option::as_deref), value.as_ref().map(|value| *value), "{query}");
        }
    }
}
