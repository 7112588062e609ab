//! Texts apart, by the style that is declared. What could be read in two ways is refused.

use super::{Location, Parameter, Plan, Style};
use crate::json::{Builder, Json, Kind, Limits};
use std::borrow::Cow;

/// LIMIT: values or members of one parameter.
const PIECES_MAX: usize = 1_000;

/// One name with its value as both are written, and whether something has taken it.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'m> {
    pub(crate) name: Cow<'m, str>,
    pub(crate) raw: &'m str,
    /// Whether there was a `=`.
    pub(crate) has_value: bool,
    pub(crate) taken: bool,
}

/// Why a text is no value of its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) keyword: &'static str,
    pub(crate) detail: &'static str,
}

const fn wrong(keyword: &'static str, detail: &'static str) -> Wrong {
    Wrong { keyword, detail }
}

const ENCODING: Wrong = wrong("encoding", "its percent-encoding is broken or no UTF-8");
const REPEATED: Wrong = wrong("repeated", "it stands more than once");
const STYLE: Wrong = wrong("style", "it is not written in the style that the contract declares");
const SIZE: Wrong = wrong("size", "it has too many values");
const RESERVED: Wrong = wrong("allowReserved", "reserved characters in it must be percent-encoded");

/// Percent-encoding undone. `+` is a blank where forms are read (WHATWG URL section 5.1).
pub(crate) fn percent_decoded(text: &str, form: bool) -> Result<Cow<'_, str>, Wrong> {
    if !text.bytes().any(|byte| byte == b'%' || (form && byte == b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if form => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(ENCODING);
                let value = digit()? * 16 + digit()?;
                bytes.push(u8::try_from(value).map_err(|_| ENCODING)?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| ENCODING)
}

/// The name of a query's parameter as servers read it; `None` if they cannot.
#[must_use]
pub fn decoded_name(text: &str) -> Option<Cow<'_, str>> {
    percent_decoded(text, true).ok()
}

/// Names and values of a query or a form, names decoded.
pub(crate) fn pairs_of(text: &str, pairs_max: usize) -> Result<Vec<Pair<'_>>, Wrong> {
    let mut pairs = Vec::new();
    for piece in text.split('&').filter(|piece| !piece.is_empty()) {
        if pairs.len() >= pairs_max {
            return Err(SIZE);
        }
        let (name, raw) = piece.split_once('=').unwrap_or((piece, ""));
        let has_value = name.len() < piece.len();
        pairs.push(Pair { name: percent_decoded(name, true)?, raw, has_value, taken: false });
    }
    Ok(pairs)
}

/// The value of a parameter among pairs of a query, a form or cookies; `None` where it is not there.
pub(crate) fn decode(
    parameter: &Parameter,
    pairs: &mut [Pair<'_>],
    strict: bool,
) -> Result<Option<Json<'static>>, Wrong> {
    let plan = &parameter.plan;
    if parameter.style == Style::Deep {
        return deep(parameter, pairs);
    }
    if plan.object && parameter.explode && !parameter.json {
        return exploded_object(plan, pairs);
    }
    let mut found = pairs.iter_mut().filter(|pair| pair.name == *parameter.name).map(|pair| {
        pair.taken = true;
        &*pair
    });
    let Some(first) = found.next() else { return Ok(None) };
    let rest: Vec<&Pair<'_>> = found.collect();
    let check = |raw: &str| match strict && is_reserved(raw, parameter) {
        true => Err(RESERVED),
        false => Ok(()),
    };
    check(first.raw)?;
    if plan.array && parameter.explode && !parameter.json {
        if rest.len() >= PIECES_MAX {
            return Err(SIZE);
        }
        let mut builder = Builder::default();
        builder.open(Kind::Array);
        for (place, pair) in std::iter::once(first).chain(rest).enumerate() {
            check(pair.raw)?;
            plan.put_item(place, &percent_decoded(pair.raw, true)?, &mut builder);
        }
        return Ok(Some(builder.finish()));
    }
    if !rest.is_empty() {
        return Err(REPEATED);
    }
    if parameter.allow_empty && first.raw.is_empty() {
        return Ok(None);
    }
    if parameter.json {
        return json(&percent_decoded(first.raw, true)?).map(Some);
    }
    let raw = first.raw;
    match parameter.style {
        // These delimiters are no characters of a query, so that they come encoded.
        Style::Space => delimited(plan, &raw.replace('+', "%20"), "%20", true).map(Some),
        Style::Pipe => delimited(plan, &raw.replace("%7c", "|").replace("%7C", "|"), "|", true).map(Some),
        Style::Form | Style::Simple | Style::Label | Style::Matrix | Style::Deep => {
            delimited(plan, raw, ",", true).map(Some)
        }
    }
}

/// A parameter that may be a list or an object as well, read as a single value; `None` where it does not stand alone, or where
/// the other reading takes anything else.
pub(crate) fn single(parameter: &Parameter, pairs: &mut [Pair<'_>], strict: bool, read: bool) -> Option<Json<'static>> {
    let plan = &parameter.plan;
    let takes_others = parameter.style == Style::Deep || (plan.object && parameter.explode);
    if !plan.is_mixed() || parameter.json || (read && takes_others) {
        return None;
    }
    let mut own = pairs.iter_mut().filter(|pair| pair.name == *parameter.name);
    let (Some(pair), None) = (own.next(), own.next()) else { return None };
    if !pair.has_value || (strict && is_reserved(pair.raw, parameter)) {
        return None;
    }
    let text = percent_decoded(pair.raw, true).ok()?;
    pair.taken = true;
    Some(plan.alone(&text))
}

/// RFC 3986 section 2.2, without what `encodeURIComponent` leaves, without `+`, and without the delimiter of the style.
fn is_reserved(raw: &str, parameter: &Parameter) -> bool {
    if parameter.allow_reserved {
        return false;
    }
    let delimiter = (!parameter.explode && (parameter.plan.array || parameter.plan.object)).then_some(',');
    raw.contains(|letter| ":/?#[]@$,;=".contains(letter) && Some(letter) != delimiter)
}

fn json(text: &str) -> Result<Json<'static>, Wrong> {
    let read = Json::parse(text.as_bytes(), &Limits::default());
    let json = read.map_err(|_| wrong("content", "it is not JSON, or not within the limits"))?;
    let mut builder = Builder::default();
    builder.copy(json.root());
    Ok(builder.finish())
}

/// A single value, a list or names and values, all between the same delimiters.
fn delimited(plan: &Plan, raw: &str, delimiter: &str, form: bool) -> Result<Json<'static>, Wrong> {
    let mut builder = Builder::default();
    if !plan.array && !plan.object {
        plan.put(&percent_decoded(raw, form)?, &mut builder);
        return Ok(builder.finish());
    }
    let pieces: Vec<&str> = raw.split(delimiter).take(PIECES_MAX + 1).collect();
    if pieces.len() > PIECES_MAX {
        return Err(SIZE);
    }
    if plan.array {
        builder.open(Kind::Array);
        for (place, piece) in pieces.into_iter().enumerate() {
            plan.put_item(place, &percent_decoded(piece, form)?, &mut builder);
        }
        return Ok(builder.finish());
    }
    let (chunks, odd) = pieces.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(STYLE);
    }
    members(plan, chunks.iter().map(|[name, value]| Some((*name, *value))), form)
}

/// Names and values; one that is no pair breaks the style, one that stands twice is refused.
fn members<'m>(
    plan: &Plan,
    pairs: impl Iterator<Item = Option<(&'m str, &'m str)>>,
    form: bool,
) -> Result<Json<'static>, Wrong> {
    let mut builder = Builder::default();
    let mut seen = std::collections::HashSet::new();
    builder.open(Kind::Object);
    for pair in pairs {
        let (name, value) = pair.ok_or(STYLE)?;
        let name = percent_decoded(name, form)?.into_owned();
        plan.put_member(&name, &percent_decoded(value, form)?, &mut builder);
        if !seen.insert(name) {
            return Err(REPEATED);
        }
        if seen.len() > PIECES_MAX {
            return Err(SIZE);
        }
    }
    Ok(builder.finish())
}

/// `filter[name]=value`. Nothing is said anywhere about more brackets, so that they are refused.
fn deep(parameter: &Parameter, pairs: &mut [Pair<'_>]) -> Result<Option<Json<'static>>, Wrong> {
    let mut found = Vec::new();
    for pair in pairs {
        let rest = pair.name.strip_prefix(parameter.name.as_ref()).and_then(|rest| rest.strip_prefix('['));
        let Some(inner) = rest.map(|rest| rest.strip_suffix(']').unwrap_or("[")) else { continue };
        let inner = inner.to_owned();
        pair.taken = true;
        if inner.contains(['[', ']']) || inner.is_empty() {
            return Err(STYLE);
        }
        found.push((inner, pair.raw));
    }
    if found.is_empty() {
        return Ok(None);
    }
    let mut builder = Builder::default();
    builder.open(Kind::Object);
    let mut seen = std::collections::HashSet::new();
    for (name, raw) in &found {
        if !seen.insert(name) {
            return Err(REPEATED);
        }
        parameter.plan.put_member(name, &percent_decoded(raw, true)?, &mut builder);
    }
    Ok(Some(builder.finish()))
}

/// Its members stand among the other names. Names that are not declared are its own only if it may have such.
fn exploded_object(plan: &Plan, pairs: &mut [Pair<'_>]) -> Result<Option<Json<'static>>, Wrong> {
    let mut builder = Builder::default();
    builder.open(Kind::Object);
    let mut seen = std::collections::HashSet::new();
    for pair in pairs.iter_mut().filter(|pair| !pair.taken) {
        if plan.member(&pair.name).is_none() && !plan.more {
            continue;
        }
        pair.taken = true;
        if !seen.insert(pair.name.clone()) {
            return Err(REPEATED);
        }
        plan.put_member(&pair.name, &percent_decoded(pair.raw, true)?, &mut builder);
    }
    Ok((!seen.is_empty()).then(|| builder.finish()))
}

impl Parameter {
    /// The same as [`single`], of the path or of a header field.
    pub(crate) fn single(&self, raw: &str) -> Option<Json<'static>> {
        if !self.plan.is_mixed() || self.json {
            return None;
        }
        let rest = match self.style {
            Style::Label => raw.strip_prefix('.')?,
            Style::Matrix => raw.strip_prefix(';')?.strip_prefix(&*self.name)?.strip_prefix('=')?,
            Style::Simple | Style::Form | Style::Space | Style::Pipe | Style::Deep => raw,
        };
        let decoded = match self.location {
            Location::Path => percent_decoded(rest, false).ok()?,
            Location::Query | Location::Header | Location::Cookie => Cow::Borrowed(rest),
        };
        Some(self.plan.alone(&decoded))
    }

    /// The value of a parameter that stands alone: in the path or in a header field.
    pub(crate) fn alone(&self, raw: &str) -> Result<Json<'static>, Wrong> {
        let plan = &self.plan;
        let decodes = self.location == Location::Path;
        let raw = if decodes { Cow::Borrowed(raw) } else { Cow::Owned(raw.replace('%', "%25")) };
        if self.json {
            return json(&percent_decoded(&raw, false)?);
        }
        let single = !plan.array && !plan.object;
        match self.style {
            Style::Simple if plan.object && !plan.array && self.explode => {
                members(plan, raw.split(',').map(|piece| piece.split_once('=')), false)
            }
            Style::Label => {
                let rest = raw.strip_prefix('.').ok_or(STYLE)?;
                match (single, self.explode) {
                    (false, true) if plan.array => delimited(plan, rest, ".", false),
                    (false, true) => members(plan, rest.split('.').map(|piece| piece.split_once('=')), false),
                    (true, _) | (false, false) => delimited(plan, rest, ",", false),
                }
            }
            Style::Matrix => self.matrix(raw.strip_prefix(';').ok_or(STYLE)?),
            Style::Simple | Style::Form | Style::Space | Style::Pipe | Style::Deep => {
                // Blanks beside the commas of a field are no part of its values (RFC 9110 section 5.6.1).
                let list = self.location == Location::Header && plan.array;
                let trimmed = list.then(|| raw.split(',').map(str::trim).collect::<Vec<_>>().join(","));
                delimited(plan, trimmed.as_deref().unwrap_or(&raw), ",", false)
            }
        }
    }

    /// Stands behind the first semicolon.
    fn matrix(&self, rest: &str) -> Result<Json<'static>, Wrong> {
        let plan = &self.plan;
        if plan.object && !plan.array && self.explode {
            return members(plan, rest.split(';').map(|piece| piece.split_once('=')), false);
        }
        let own = |piece: &str| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (name == self.name.as_ref()).then(|| value.to_owned()).ok_or(STYLE)
        };
        if plan.array && self.explode {
            let values: Vec<String> = rest.split(';').take(PIECES_MAX).map(own).collect::<Result<_, _>>()?;
            let mut builder = Builder::default();
            builder.open(Kind::Array);
            for (place, value) in values.iter().enumerate() {
                plan.put_item(place, &percent_decoded(value, false)?, &mut builder);
            }
            return Ok(builder.finish());
        }
        delimited(plan, &own(rest)?, ",", false)
    }
}
