//! Path templates: `/users/{id}/photos/{name}.png`.

/// A path in which names stand for what requests put there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    text: Box<str>,
    segments: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Name(Box<str>),
}

// === impl Template ===

impl Template {
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix('/').ok_or("a path begins with a slash")?;
        let segments = rest.split('/').map(pieces).collect::<Result<Vec<_>, _>>()?;
        let template = Self { text: text.into(), segments };
        let mut names: Vec<&str> = template.names().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(format!("the name `{}` stands twice", crate::text::short(pair.first().unwrap_or(&"")))),
            None => Ok(template),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flatten().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_ref()),
            Piece::Literal(_) => None,
        })
    }

    /// The more literal come first: by their first segment that is not.
    pub(crate) fn looseness(&self) -> Vec<u8> {
        let of = |pieces: &Vec<Piece>| match pieces.as_slice() {
            [Piece::Literal(_)] | [] => 0,
            [Piece::Name(_)] => 2,
            _ => 1,
        };
        self.segments.iter().map(of).collect()
    }

    /// What a path has at each name, as it is written there; `None` where it is another path.
    pub(crate) fn values<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let mut rest = path.strip_prefix('/')?.split('/');
        let mut values = Vec::new();
        for pieces in &self.segments {
            segment(pieces, rest.next()?, &mut values)?;
        }
        rest.next().is_none().then_some(values)
    }
}

fn pieces(segment: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or("a brace does not close")?;
        if name.is_empty() || name.contains(['{', '?', '#']) {
            return Err("a name in braces is none".to_owned());
        }
        if before.is_empty() && !pieces.is_empty() {
            return Err("two names stand side by side, so that nobody knows where one ends".to_owned());
        }
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.into()));
        }
        pieces.push(Piece::Name(name.into()));
        rest = behind;
    }
    if rest.contains('}') {
        return Err("a brace does not open".to_owned());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.into()));
    }
    Ok(pieces)
}

/// Each name takes what is before the first place where the next literal stands; the last one takes the rest.
fn segment<'t, 'p>(pieces: &'t [Piece], text: &'p str, values: &mut Vec<(&'t str, &'p str)>) -> Option<()> {
    let mut rest = text;
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match (piece, pieces.peek()) {
            (Piece::Literal(literal), _) => rest = rest.strip_prefix(literal.as_ref())?,
            (Piece::Name(name), None) => {
                values.push((name, rest));
                rest = "";
            }
            (Piece::Name(name), Some(Piece::Literal(literal))) => {
                let last = pieces.len() == 1;
                let at = if last { rest.len().checked_sub(literal.len())? } else { rest.find(literal.as_ref())? };
                let (value, behind) = rest.split_at_checked(at)?;
                values.push((name, value));
                rest = behind;
            }
            (Piece::Name(_), Some(Piece::Name(_))) => return None,
        }
    }
    // A parameter of a path is never empty.
    (rest.is_empty() && values.iter().all(|(_, value)| !value.is_empty())).then_some(())
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn values(template: &str, path: &str) -> String {
        match Template::parse(template) {
            Err(error) => format!("error: {error}"),
            Ok(template) => match template.values(path) {
                None => "no".to_owned(),
                Some(values) => {
                    let all: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    all.join(" ")
                }
            },
        }
    }

    #[test]
    fn paths_are_taken_apart() {
        for (template, path, expected) in [
            ("/", "/", ""),
            ("/a", "/a", ""),
            ("/a", "/a/", "no"),
            ("/a/{b}", "/a/1", "b=1"),
            ("/a/{b}", "/a/", "no"),
            ("/a/{b}", "/a/1/2", "no"),
            ("/{a}.{b}/c", "/x.y.z/c", "a=x b=y.z"),
            ("/{a}.png", "/x.png.png", "a=x.png"),
            ("/x{a}", "/xyz", "a=yz"),
            ("/x{a}", "/yz", "no"),
            ("/{a}/{b}/", "/1/2/", "a=1 b=2"),
            ("a", "/a", "error: a path begins with a slash"),
            ("/{a}{b}", "/a", "error: two names stand side by side, so that nobody knows where one ends"),
            ("/{a", "/a", "error: a brace does not close"),
            ("/{a}/{a}", "/a/b", "error: the name `a` stands twice"),
            ("/{}", "/a", "error: a name in braces is none"),
        ] {
            assert_eq!(values(template, path), expected, "{template} {path}");
        }
    }
}
