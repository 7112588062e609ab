//! What a document may hold, as a graph: which members and items, and which of them somebody has marked. A contract describes
//! its answers by it and masks follow it while an answer passes, so that neither has to know the other.

/// Shapes that point to each other by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// All shapes.
    pub shapes: Vec<Shape>,
    /// Where a document begins: the number by which its schema is known, and the shape, in the order of the numbers.
    pub roots: Vec<(u32, u32)>,
    /// What shapes are marked with.
    pub marks: Vec<Mark>,
}

/// What is said about one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Members by name.
    pub members: Vec<Member>,
    /// Members of all other names.
    pub others: Option<u32>,
    /// Members whose names have to fit an expression, so that nobody can list them: any member may be one.
    pub patterned: Vec<u32>,
    /// Items by their place.
    pub prefix: Vec<u32>,
    /// Items behind those.
    pub items: Option<u32>,
    /// What else is said about the same value.
    pub parts: Vec<u32>,
    /// It may be a text, a number, true or false.
    pub scalar: bool,
    /// It may be anything, with anything in it.
    pub anything: bool,
    /// Numbers of marks.
    pub marks: Vec<u32>,
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Box<str>,
    /// Its shape.
    pub shape: u32,
    /// Whether it is declared for documents of this kind; one that is not may come all the same.
    pub declared: bool,
}

/// A mark, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it says.
    pub meaning: Meaning,
    /// The file that it stands in.
    pub file: Box<str>,
    /// Its line there, from 1.
    pub line: u32,
}

/// What a mark says about a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning {
    /// It is of this class: `pii`, `secret`.
    Class(Box<str>),
    /// It is for these roles alone.
    Roles(Box<[Box<str>]>),
}

/// A marked place as people write places, and its mark.
pub type Marked<'o> = (String, &'o Mark);

/// LIMIT: places that are listed; a list is for people.
const PLACES_MAX: usize = 1_000;
/// LIMIT: steps of a listed place.
const STEPS_MAX: usize = 32;
/// LIMIT: shapes that are visited for a list, each as often as a way leads to it.
const VISITS_MAX: usize = 200_000;

// === impl Outline ===

impl Outline {
    /// The shape with a number.
    #[must_use]
    pub fn shape(&self, number: u32) -> Option<&Shape> {
        self.shapes.get(usize::try_from(number).ok()?)
    }

    /// The shape of a document whose schema is known by a number.
    #[must_use]
    pub fn root(&self, schema: u32) -> Option<u32> {
        let at = self.roots.binary_search_by_key(&schema, |(known, _)| *known).ok()?;
        self.roots.get(at).map(|(_, shape)| *shape)
    }

    /// Everything that marks say, each once.
    #[must_use]
    pub fn meanings(&self) -> Vec<&Meaning> {
        let mut all: Vec<&Meaning> = self.marks.iter().map(|mark| &mark.meaning).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Marked places for people: `$.customer.email`. A schema that holds itself is followed once.
    #[must_use]
    pub fn places(&self, meaning: &Meaning) -> Vec<Marked<'_>> {
        let mut search = Search { outline: self, meaning, above: Vec::new(), found: Vec::new(), left: VISITS_MAX };
        self.roots.iter().for_each(|(_, root)| search.below(*root, "$"));
        let mut found = search.found;
        found.sort_by(|one, other| (&one.0, &one.1.file, one.1.line).cmp(&(&other.0, &other.1.file, other.1.line)));
        found.dedup();
        found
    }
}

/// Looks for marked places.
struct Search<'o, 'm> {
    outline: &'o Outline,
    meaning: &'m Meaning,
    /// The shapes on the way here.
    above: Vec<u32>,
    found: Vec<Marked<'o>>,
    left: usize,
}

impl Search<'_, '_> {
    fn below(&mut self, number: u32, place: &str) {
        if self.above.contains(&number) || self.above.len() >= STEPS_MAX || self.found.len() >= PLACES_MAX {
            return;
        }
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        let outline = self.outline;
        let Some(shape) = outline.shape(number) else { return };
        let marks = shape.marks.iter().filter_map(|mark| outline.marks.get(usize::try_from(*mark).ok()?));
        self.found.extend(marks.filter(|mark| mark.meaning == *self.meaning).map(|mark| (place.to_owned(), mark)));
        self.above.push(number);
        for member in &shape.members {
            self.below(member.shape, &format!("{place}{}", step(&member.name)));
        }
        shape.others.iter().chain(&shape.patterned).for_each(|other| self.below(*other, &format!("{place}.*")));
        shape.prefix.iter().zip(0..).for_each(|(item, at)| self.below(*item, &format!("{place}[{at}]")));
        shape.items.iter().for_each(|item| self.below(*item, &format!("{place}[*]")));
        shape.parts.iter().for_each(|part| self.below(*part, place));
        self.above.pop();
    }
}

/// A step down to a member, as RFC 9535 writes it.
fn step(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii();
    match !name.is_empty() && name.bytes().all(is_plain) {
        true => format!(".{name}"),
        false => format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}

// === impl Meaning ===

impl Meaning {
    /// Of a mark about roles, the roles.
    #[must_use]
    pub fn roles(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Roles(roles) => Some(roles),
            Self::Class(_) => None,
        }
    }

    /// Of a mark about a class, its name.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::Class(name) => Some(name),
            Self::Roles(_) => None,
        }
    }
}

impl std::fmt::Display for Meaning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Class(name) => formatter.write_str(name),
            Self::Roles(roles) => write!(formatter, "for {}", roles.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Meaning, Member, Outline, Shape};

    #[test]
    fn marked_places_are_listed_as_people_write_them() {
        let member = |name: &str, shape| Member { name: name.into(), shape, declared: true };
        let pii = Meaning::Class("pii".into());
        let outline = Outline {
            shapes: vec![
                Shape { members: vec![member("a b", 1), member("self", 0)], items: Some(1), ..Shape::default() },
                Shape { parts: vec![2], others: Some(2), prefix: vec![2], ..Shape::default() },
                Shape { scalar: true, marks: vec![0], ..Shape::default() },
            ],
            roots: vec![(7, 0)],
            marks: vec![Mark { meaning: pii.clone(), file: "api.yaml".into(), line: 9 }],
        };
        let places: Vec<String> = outline.places(&pii).into_iter().map(|(place, _)| place).collect();
        let expected = ["$['a b']", "$['a b'].*", "$['a b'][0]", "$[*]", "$[*].*", "$[*][0]"];
        assert_eq!(places, expected);
        assert!(outline.places(&Meaning::Class("secret".into())).is_empty());
        assert_eq!((outline.root(7), outline.root(8)), (Some(0), None));
    }
}
