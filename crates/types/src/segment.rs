//! One segment of a path template: `orders`, `{id}`, `{name}.{format}`, `{id}:cancel`. The one place that says what such a
//! segment fits, for routing, contracts and rules about access.
//!
//! Values are never empty, and each name takes as little as it can. Where it could take more, a server may have taken more:
//! whoever decides by a value asks [`Segment::only`].

/// A segment, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Name(Box<str>),
}

/// How much a segment leaves open; the more exact comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Openness {
    /// A text.
    Text,
    /// Names with texts around them.
    Mixed,
    /// One name.
    Any,
}

// === impl Segment ===

impl Segment {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or("a brace does not close")?;
            if name.is_empty() || name.contains(['{', '?', '#']) {
                return Err("a name in braces is none");
            }
            if before.contains('}') {
                return Err("a brace does not open");
            }
            if before.is_empty() && !pieces.is_empty() {
                return Err("two names stand side by side, so that nobody knows where one ends");
            }
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.into()));
            }
            pieces.push(Piece::Name(name.into()));
            rest = behind;
        }
        if rest.contains('}') {
            return Err("a brace does not open");
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.into()));
        }
        Ok(Self { pieces })
    }

    /// Its names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_ref()),
            Piece::Literal(_) => None,
        })
    }

    /// How much it leaves open.
    #[must_use]
    pub fn openness(&self) -> Openness {
        match self.pieces.as_slice() {
            [Piece::Literal(_)] | [] => Openness::Text,
            [Piece::Name(_)] => Openness::Any,
            [_, ..] => Openness::Mixed,
        }
    }

    /// Bytes of its texts: of two mixed segments the one with more is the more exact.
    #[must_use]
    pub fn literal_bytes(&self) -> usize {
        let bytes = |piece: &Piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Name(_) => 0,
        };
        self.pieces.iter().map(bytes).sum()
    }

    /// The same without what its names are called: two that are equal fit the same texts.
    #[must_use]
    pub fn shape(&self) -> String {
        let shown = |piece: &Piece| match piece {
            Piece::Literal(text) => text.to_string(),
            Piece::Name(_) => "{}".to_owned(),
        };
        self.pieces.iter().map(shown).collect()
    }

    /// Whether it is that of this text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.leftmost(text, &mut |_, _| {}).is_some()
    }

    /// Adds what a text has at each name; `None` where it is another segment's.
    pub fn values<'s, 't>(&'s self, text: &'t str, values: &mut Vec<(&'s str, &'t str)>) -> Option<()> {
        self.leftmost(text, &mut |name, value| values.push((name, value)))
    }

    /// What a text has at one name, if all servers would find the same there.
    #[must_use]
    pub fn only<'t>(&self, text: &'t str, wanted: &str) -> Option<&'t str> {
        let (mut first, mut last) = (None, None);
        self.leftmost(text, &mut |name, value| first = if name == wanted { Some(value) } else { first })?;
        self.rightmost(text, &mut |name, value| last = if name == wanted { Some(value) } else { last })?;
        first.filter(|_| first == last)
    }

    /// Each name takes what is before the first place where the next text stands; the last one takes the rest.
    fn leftmost<'s, 't>(&'s self, text: &'t str, take: &mut impl FnMut(&'s str, &'t str)) -> Option<()> {
        let mut rest = text;
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            match (piece, pieces.peek()) {
                (Piece::Literal(literal), _) => rest = rest.strip_prefix(literal.as_ref())?,
                (Piece::Name(name), None) => {
                    take(name, some(rest)?);
                    rest = "";
                }
                (Piece::Name(name), Some(Piece::Literal(literal))) => {
                    let is_last = pieces.len() == 1;
                    let at = match is_last {
                        true => rest.len().checked_sub(literal.len())?,
                        // A value is never empty.
                        false => {
                            let first = rest.chars().next()?.len_utf8();
                            rest.get(first..)?.find(literal.as_ref())?.checked_add(first)?
                        }
                    };
                    let (value, behind) = rest.split_at_checked(at)?;
                    take(name, some(value)?);
                    rest = behind;
                }
                (Piece::Name(_), Some(Piece::Name(_))) => return None,
            }
        }
        rest.is_empty().then_some(())
    }

    /// The same from the end: each name takes what is behind the last place where the text before it stands.
    fn rightmost<'s, 't>(&'s self, text: &'t str, take: &mut impl FnMut(&'s str, &'t str)) -> Option<()> {
        let mut rest = text;
        let mut pieces = self.pieces.iter().rev().peekable();
        while let Some(piece) = pieces.next() {
            match (piece, pieces.peek()) {
                (Piece::Literal(literal), _) => rest = rest.strip_suffix(literal.as_ref())?,
                (Piece::Name(name), None) => {
                    take(name, some(rest)?);
                    rest = "";
                }
                (Piece::Name(name), Some(Piece::Literal(literal))) => {
                    let at = match pieces.len() == 1 {
                        true => 0,
                        false => {
                            let last = rest.chars().next_back()?.len_utf8();
                            rest.get(..rest.len().checked_sub(last)?)?.rfind(literal.as_ref())?
                        }
                    };
                    let (before, value) = rest.split_at_checked(at.checked_add(literal.len())?)?;
                    take(name, some(value)?);
                    rest = before;
                }
                (Piece::Name(_), Some(Piece::Name(_))) => return None,
            }
        }
        rest.is_empty().then_some(())
    }
}

/// A parameter of a path is never empty.
fn some(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{Openness, Segment};

    /// What fits: each value, with a `?` where servers could find another.
    fn values(segment: &str, text: &str) -> String {
        let segment = Segment::parse(segment).unwrap();
        let mut values = Vec::new();
        if segment.values(text, &mut values).is_none() {
            assert!(!segment.fits(text), "{text}");
            return "no".to_owned();
        }
        assert!(segment.fits(text), "{text}");
        let shown = values.iter().map(|(name, value)| match segment.only(text, name) {
            Some(only) if only == *value => format!("{name}={value}"),
            Some(_) | None => format!("{name}={value}?"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn segments_are_taken_apart() {
        for (segment, text, expected) in [
            ("", "", ""),
            ("a", "a", ""),
            ("a", "b", "no"),
            ("{a}", "x", "a=x"),
            ("{a}", "", "no"),
            ("{a}.{b}", "x.y", "a=x b=y"),
            ("{a}.{b}", "x.y.z", "a=x? b=y.z?"),
            ("{a}.{b}", ".y", "no"),
            ("{a}.{b}", "x.", "no"),
            ("{a}.{b}", ".x.y", "a=.x b=y"),
            ("{a}.{b}", "x.y.", "a=x b=y."),
            ("{a}.{b}", "..", "no"),
            ("{a}.{b}", "ü.ü", "a=ü b=ü"),
            ("{a}.{b}", "x", "no"),
            ("{a}.png", "x.png.png", "a=x.png"),
            ("x{a}", "xyz", "a=yz"),
            ("x{a}", "yz", "no"),
            ("{a}:cancel", "7:cancel", "a=7"),
            ("{a}:cancel", "7:canceled", "no"),
            ("{a}:cancel", ":cancel", "no"),
            ("({a},{b})", "(1,2)", "a=1 b=2"),
            ("{a}-{b}-c", "1-2-c", "a=1 b=2"),
            ("{a}-{b}-c", "1-2-3-c", "a=1? b=2-3?"),
            ("v{a}ü{b}", "v1ü2", "a=1 b=2"),
        ] {
            assert_eq!(values(segment, text), expected, "{segment} {text}");
        }
    }

    #[test]
    fn mistakes_have_words() {
        for (text, expected) in [
            ("{a}{b}", "two names stand side by side, so that nobody knows where one ends"),
            ("{a", "a brace does not close"),
            ("a}", "a brace does not open"),
            ("a}{b}", "a brace does not open"),
            ("{}", "a name in braces is none"),
            ("{a{b}", "a name in braces is none"),
        ] {
            assert_eq!(Segment::parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn the_more_exact_comes_first() {
        let of = |text: &str| Segment::parse(text).unwrap();
        assert!(of("a").openness() < of("{a}:b").openness() && of("{a}:b").openness() < of("{a}").openness());
        assert_eq!(of("").openness(), Openness::Text);
        assert_eq!((of("{a}.json").literal_bytes(), of("{x}.{y}").shape().as_str()), (5, "{}.{}"));
    }
}
