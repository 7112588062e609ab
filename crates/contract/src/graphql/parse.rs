//! GraphQL documents (October 2021, section 2): what of them decides how much work they are. No tree of values is kept.

use super::lex::{Lexer, Token};
use crate::json::{Item, Kind};
use std::collections::HashMap;

/// LIMIT: tokens of a document.
const TOKENS_MAX: usize = 20_000;
/// LIMIT: sets, values and types within each other.
const NESTING_MAX: usize = 100;
/// LIMIT: operations and fragments of a document.
const DEFINITIONS_MAX: usize = 500;
/// Arguments that say how many of something are wanted.
const COUNTS: [&str; 3] = ["first", "last", "limit"];

/// A document that can be executed.
#[derive(Debug, Default)]
pub(super) struct Document<'d> {
    pub(super) operations: Vec<Operation<'d>>,
    /// By name, the number of its set.
    pub(super) fragments: HashMap<&'d str, usize>,
    pub(super) sets: Vec<Vec<Selection<'d>>>,
    pub(super) directives: u64,
}

#[derive(Debug)]
pub(super) struct Operation<'d> {
    pub(super) is_query: bool,
    pub(super) name: Option<&'d str>,
    pub(super) set: usize,
}

/// One line of a set.
#[derive(Debug)]
pub(super) enum Selection<'d> {
    Field {
        name: &'d str,
        is_aliased: bool,
        /// How many of it are wanted; 1 where nobody says.
        times: u64,
        set: Option<usize>,
    },
    Inline(usize),
    Spread(&'d str),
}

/// Why a document cannot be read, or is read no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Malformed(&'static str),
    TooDeep,
    TooLong,
}

type Read<T> = Result<T, Unread>;

struct Parser<'d, 'v> {
    lexer: Lexer<'d>,
    next: Token<'d>,
    tokens: usize,
    nesting: usize,
    /// What the request says the variables are.
    variables: Option<Item<'v>>,
    /// What they are where it does not, by name, and whether that is a bare number. The largest of all operations, because a
    /// fragment may be used in each.
    defaults: HashMap<&'d str, (u64, bool)>,
    document: Document<'d>,
}

/// Reads a document; `variables` is an object.
pub(super) fn parse<'d>(text: &'d str, variables: Option<Item<'_>>) -> Read<Document<'d>> {
    // Twice, because a fragment may stand before the operation that declares its variables.
    let first = read(text, variables, HashMap::new())?;
    if first.defaults.is_empty() {
        return Ok(first.document);
    }
    read(text, variables, first.defaults).map(|second| second.document)
}

fn read<'d, 'v>(
    text: &'d str,
    variables: Option<Item<'v>>,
    defaults: HashMap<&'d str, (u64, bool)>,
) -> Read<Parser<'d, 'v>> {
    let lexer = Lexer::new(text);
    let document = Document::default();
    let mut parser = Parser { lexer, next: Token::End, tokens: 0, nesting: 0, variables, defaults, document };
    parser.take()?;
    while parser.next != Token::End {
        parser.definition()?;
        if parser.document.operations.len() + parser.document.fragments.len() > DEFINITIONS_MAX {
            return Err(Unread::TooLong);
        }
    }
    Ok(parser)
}

// === impl Parser ===

impl<'d> Parser<'d, '_> {
    /// The token that is next, and goes to the one after it.
    fn take(&mut self) -> Read<Token<'d>> {
        self.tokens += 1;
        if self.tokens > TOKENS_MAX {
            return Err(Unread::TooLong);
        }
        let token = self.lexer.token().map_err(Unread::Malformed)?;
        Ok(std::mem::replace(&mut self.next, token))
    }

    fn takes(&mut self, mark: u8) -> Read<bool> {
        let is_it = self.next == Token::Mark(mark);
        if is_it {
            self.take()?;
        }
        Ok(is_it)
    }

    fn expect(&mut self, mark: u8, why: &'static str) -> Read<()> {
        if self.takes(mark)? { Ok(()) } else { Err(Unread::Malformed(why)) }
    }

    fn name(&mut self) -> Read<&'d str> {
        match self.take()? {
            Token::Name(name) => Ok(name),
            Token::Mark(_) | Token::Spread | Token::Int(_) | Token::Float | Token::Text | Token::End => {
                Err(Unread::Malformed("a name is missing"))
            }
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(Unread::TooDeep);
        }
        let outcome = read(self);
        self.nesting -= 1;
        outcome
    }

    fn definition(&mut self) -> Read<()> {
        if self.next == Token::Mark(b'{') {
            let set = self.set()?;
            self.document.operations.push(Operation { is_query: true, name: None, set });
            return Ok(());
        }
        match self.name()? {
            word @ ("query" | "mutation" | "subscription") => {
                let name = if matches!(self.next, Token::Name(_)) { Some(self.name()?) } else { None };
                if self.takes(b'(')? {
                    self.variable_definitions()?;
                }
                self.directives()?;
                let set = self.set()?;
                self.document.operations.push(Operation { is_query: word == "query", name, set });
                Ok(())
            }
            "fragment" => {
                let name = self.name()?;
                let on = self.name()?;
                if name == "on" || on != "on" {
                    return Err(Unread::Malformed("a fragment says on what it is"));
                }
                self.name()?;
                self.directives()?;
                let set = self.set()?;
                match self.document.fragments.insert(name, set) {
                    None => Ok(()),
                    Some(_) => Err(Unread::Malformed("two fragments have the same name")),
                }
            }
            _ => Err(Unread::Malformed("a definition is neither an operation nor a fragment")),
        }
    }

    fn variable_definitions(&mut self) -> Read<()> {
        const WRONG: &str = "a variable is not declared as one";
        loop {
            self.expect(b'$', WRONG)?;
            let name = self.name()?;
            self.expect(b':', WRONG)?;
            self.kind()?;
            if self.takes(b'=')? {
                let mut times = 1;
                let is_bare = matches!(self.next, Token::Int(_));
                // Whatever it will be used for, it may say how many.
                self.value(true, &mut times)?;
                let known = self.defaults.entry(name).or_insert((times, is_bare));
                *known = (known.0.max(times), known.1 && is_bare);
            }
            self.directives()?;
            if self.takes(b')')? {
                return Ok(());
            }
        }
    }

    /// A type.
    fn kind(&mut self) -> Read<()> {
        if self.takes(b'[')? {
            self.deeper(Self::kind)?;
            self.expect(b']', "a list of types does not close")?;
        } else {
            self.name()?;
        }
        self.takes(b'!').map(drop)
    }

    fn directives(&mut self) -> Read<()> {
        while self.takes(b'@')? {
            self.document.directives += 1;
            self.name()?;
            let mut times = 1;
            self.arguments(&mut times)?;
        }
        Ok(())
    }

    fn arguments(&mut self, times: &mut u64) -> Read<()> {
        if !self.takes(b'(')? {
            return Ok(());
        }
        loop {
            self.member(times)?;
            if self.takes(b')')? {
                return Ok(());
            }
        }
    }

    /// `name: value` of arguments and of objects.
    fn member(&mut self, times: &mut u64) -> Read<()> {
        let name = self.name()?;
        self.expect(b':', "a name has no value")?;
        self.value(COUNTS.contains(&name), times)
    }

    /// A value, and how many of something are wanted by it.
    fn value(&mut self, counts: bool, times: &mut u64) -> Read<()> {
        const WRONG: Unread = Unread::Malformed("a value is missing");
        match self.take()? {
            Token::Mark(b'$') => {
                let name = self.name()?;
                let sent = self.variables.and_then(|all| all.member(name));
                let default = self.defaults.get(name).filter(|(_, is_bare)| counts || !is_bare);
                let wanted = sent.map_or(default.map(|(times, _)| *times), |item| wanted(item, counts));
                *times = (*times).max(wanted.unwrap_or(1));
                Ok(())
            }
            Token::Mark(b'[') => {
                while !self.takes(b']')? {
                    self.deeper(|inner| inner.value(false, times))?;
                }
                Ok(())
            }
            Token::Mark(b'{') => {
                while !self.takes(b'}')? {
                    self.deeper(|inner| inner.member(times))?;
                }
                Ok(())
            }
            Token::Int(text) => {
                if counts {
                    *times = (*times).max(count(text));
                }
                Ok(())
            }
            Token::Float | Token::Text | Token::Name(_) => Ok(()),
            Token::Mark(_) | Token::Spread | Token::End => Err(WRONG),
        }
    }

    fn set(&mut self) -> Read<usize> {
        self.expect(b'{', "a set of fields is missing")?;
        let index = self.document.sets.len();
        self.document.sets.push(Vec::new());
        let mut all = Vec::new();
        loop {
            all.push(self.deeper(Self::selection)?);
            if self.takes(b'}')? {
                break;
            }
        }
        if let Some(place) = self.document.sets.get_mut(index) {
            *place = all;
        }
        Ok(index)
    }

    fn selection(&mut self) -> Read<Selection<'d>> {
        if self.next == Token::Spread {
            self.take()?;
            return self.spread();
        }
        let mut name = self.name()?;
        let is_aliased = self.takes(b':')?;
        if is_aliased {
            name = self.name()?;
        }
        let mut times = 1;
        self.arguments(&mut times)?;
        self.directives()?;
        let set = if self.next == Token::Mark(b'{') { Some(self.set()?) } else { None };
        Ok(Selection::Field { name, is_aliased, times, set })
    }

    fn spread(&mut self) -> Read<Selection<'d>> {
        match self.next {
            Token::Name("on") => {
                self.take()?;
                self.name()?;
            }
            Token::Name(name) => {
                self.take()?;
                self.directives()?;
                return Ok(Selection::Spread(name));
            }
            Token::Mark(_) | Token::Spread | Token::Int(_) | Token::Float | Token::Text | Token::End => {}
        }
        self.directives()?;
        Ok(Selection::Inline(self.set()?))
    }
}

/// How many a variable wants: itself, or what stands in it under a name that says so.
fn wanted(item: Item<'_>, counts: bool) -> Option<u64> {
    match item.kind() {
        Kind::Number => counts.then(|| count(item.text())),
        Kind::Object => item.members().filter_map(|(name, value)| wanted(value, COUNTS.contains(&name.text()))).max(),
        Kind::Array => item.items().filter_map(|value| wanted(value, false)).max(),
        Kind::Null | Kind::Bool(_) | Kind::Text => None,
    }
}

/// A number of things; what is below nothing asks for one. What is written in another way (`1e6` is a whole number to servers)
/// is the largest there is.
fn count(text: &str) -> u64 {
    text.parse().unwrap_or(if text.starts_with('-') { 1 } else { u64::MAX }).max(1)
}
