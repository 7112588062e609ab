//! Path templates: `/users/{id}/photos/{name}.png`.

use portcullis_types::segment::{Openness, Segment};

/// A path in which names stand for what requests put there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    text: Box<str>,
    segments: Vec<Segment>,
}

// === impl Template ===

impl Template {
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix('/').ok_or("a path begins with a slash")?;
        let segments = rest.split('/').map(Segment::parse).collect::<Result<Vec<_>, _>>()?;
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
        self.segments.iter().flat_map(Segment::names)
    }

    /// The more literal come first: by their first segment that is not.
    pub(crate) fn looseness(&self) -> Vec<(Openness, std::cmp::Reverse<usize>)> {
        self.segments.iter().map(|one| (one.openness(), std::cmp::Reverse(one.literal_bytes()))).collect()
    }

    /// What a path has at each name, as it is written there; `None` where it is another path.
    pub(crate) fn values<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let mut rest = path.strip_prefix('/')?.split('/');
        let mut values = Vec::new();
        for segment in &self.segments {
            segment.values(rest.next()?, &mut values)?;
        }
        rest.next().is_none().then_some(values)
    }
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
