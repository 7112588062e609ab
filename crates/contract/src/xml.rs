//! Bodies in XML: read strictly, and put down as the value that their schema describes, so that the same schema judges them.

mod read;
mod shape;
#[cfg(test)]
mod tests;

use crate::json::{Builder, Json, Kind, Limits, is_number};
use read::{Element, Flaw, Name, Tree, is_blank};
use shape::{Label, Member, Shape};
use std::collections::HashSet;

pub(crate) use shape::{Root, Shapes};

/// The name space of `xsi:nil`.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Why a body is not the XML of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) keyword: &'static str,
    pub(crate) detail: &'static str,
}

/// Puts a value together from elements.
struct Writer<'w, 'x> {
    tree: &'w Tree<'x>,
    shapes: &'w Shapes,
    builder: Builder,
}

type Put = Result<(), Wrong>;

/// The value that a body stands for.
///
/// # Errors
/// It is no XML that is read, or cannot stand for a value of its schema.
pub(crate) fn value(text: &str, (shapes, whole): (&Shapes, &Root), limits: &Limits) -> Result<Json<'static>, Wrong> {
    let tree = read::read(text, limits).map_err(|Flaw { keyword, detail }| Wrong { keyword, detail })?;
    let root = tree.elements.first().ok_or(wrong("malformed", "there is no element"))?;
    if whole.label.as_ref().is_some_and(|label| !label.is(&root.name)) {
        return Err(wrong("root", "its outermost element is called something else"));
    }
    let mut writer = Writer { tree: &tree, shapes, builder: Builder::default() };
    let own = shapes.shape(whole.shape).ok_or(wrong("root", "nothing is said about it"))?;
    match &own.items {
        Some((label, inner)) => {
            // Of an array the outermost element is what its items stand in.
            only_items(root)?;
            let named = label.as_ref().or(whole.label.as_ref());
            writer.builder.open(Kind::Array);
            for child in &root.children {
                writer.item(*child, named, *inner)?;
            }
            writer.builder.close();
        }
        None => writer.put(root, own)?,
    }
    Ok(writer.builder.finish())
}

const fn wrong(keyword: &'static str, detail: &'static str) -> Wrong {
    Wrong { keyword, detail }
}

fn at<'w, 'x>(tree: &'w Tree<'x>, index: usize) -> Result<&'w Element<'x>, Wrong> {
    tree.elements.get(index).ok_or(wrong("malformed", "an element is not there"))
}

/// What items of an array stand in holds nothing else.
fn only_items(element: &Element<'_>) -> Put {
    let is_bare = element.text.chars().all(is_blank)
        && element.attributes.iter().all(|(name, _)| name.space == INSTANCE && name.local != "nil");
    is_bare.then_some(()).ok_or(wrong("mixed", "only items stand in an array"))
}

// === impl Label ===

impl Label {
    fn is(&self, name: &Name<'_>) -> bool {
        let is_space = match (&self.space, &self.prefix) {
            (Some(space), _) => **space == *name.space,
            (None, Some(prefix)) => **prefix == *name.prefix,
            (None, None) => name.space.is_empty(),
        };
        *self.local == *name.local && is_space
    }
}

// === impl Writer ===

impl<'x> Writer<'_, 'x> {
    /// An element as a value of a shape.
    fn put(&mut self, element: &Element<'x>, shape: &Shape) -> Put {
        let nil = element.attributes.iter().find(|(name, _)| name.space == INSTANCE && name.local == "nil");
        if shape.null && nil.is_some_and(|(_, value)| matches!(&**value, "true" | "1")) {
            let is_bare = element.children.is_empty() && element.text.chars().all(is_blank);
            if !is_bare || element.attributes.iter().any(|(name, _)| name.space != INSTANCE) {
                return Err(wrong("mixed", "an element that is nil holds something"));
            }
            self.builder.word(Kind::Null);
            return Ok(());
        }
        if shape.object {
            return self.object(element, shape);
        }
        if !element.children.is_empty() {
            // What it is no schema for: it says so itself.
            return self.unknown(element);
        }
        if !element.attributes.is_empty() {
            return Err(wrong("unknown", "an element with a plain value has no attributes"));
        }
        self.scalar(&element.text, shape);
        Ok(())
    }

    fn scalar(&mut self, text: &str, shape: &Shape) {
        let bare = text.trim_matches(is_blank);
        match bare {
            _ if shape.number && is_number(bare) => self.builder.number(bare),
            "true" | "1" if shape.bool => self.builder.word(Kind::Bool(true)),
            "false" | "0" if shape.bool => self.builder.word(Kind::Bool(false)),
            "" if shape.null && !shape.text => self.builder.word(Kind::Null),
            _ => self.builder.text(text),
        }
    }

    fn object(&mut self, element: &Element<'x>, shape: &Shape) -> Put {
        if !element.text.chars().all(is_blank) {
            return Err(wrong("mixed", "text stands between elements"));
        }
        self.builder.open(Kind::Object);
        let (mut taken, mut used) = (HashSet::new(), HashSet::new());
        for member in &shape.members {
            if member.is_attribute {
                let mut all = element.attributes.iter().enumerate();
                if let Some((place, (_, value))) = all.find(|(_, (name, _))| member.label.is(name)) {
                    used.insert(place);
                    self.builder.name(&member.name);
                    let inner = self.shapes.shape(member.shape).ok_or(wrong("malformed", "it has no shape"))?;
                    self.scalar(value, inner);
                }
                continue;
            }
            self.member(element, member, &mut taken)?;
        }
        self.rest(element, shape, (&taken, &used))?;
        self.builder.close();
        Ok(())
    }

    /// The elements of one member.
    fn member(&mut self, element: &Element<'x>, member: &Member, taken: &mut HashSet<usize>) -> Put {
        let Some(inner) = self.shapes.shape(member.shape) else { return Ok(()) };
        let label = match &inner.items {
            Some((named, _)) if !member.is_wrapped => named.clone().unwrap_or_else(|| Label {
                // The name of an array says nothing about items without a wrapper.
                local: member.name.clone(),
                space: member.label.space.clone(),
                prefix: member.label.prefix.clone(),
            }),
            Some(_) | None => member.label.clone(),
        };
        let mut own = Vec::new();
        for child in &element.children {
            if label.is(&at(self.tree, *child)?.name) {
                own.push(*child);
            }
        }
        taken.extend(own.iter().copied());
        let Some(first) = own.first() else { return Ok(()) };
        self.builder.name(&member.name);
        match &inner.items {
            Some((_, shape)) if !member.is_wrapped => {
                self.builder.open(Kind::Array);
                for child in own {
                    self.item(child, Some(&label), *shape)?;
                }
                self.builder.close();
                Ok(())
            }
            _ if own.len() > 1 => Err(wrong("repeated", "an element stands more than once")),
            Some((named, shape)) => {
                let wrapper = at(self.tree, *first)?;
                only_items(wrapper)?;
                self.builder.open(Kind::Array);
                for child in &wrapper.children {
                    self.item(*child, named.as_ref().or(Some(&member.label)), *shape)?;
                }
                self.builder.close();
                Ok(())
            }
            None => self.put(at(self.tree, *first)?, inner),
        }
    }

    fn item(&mut self, index: usize, label: Option<&Label>, shape: usize) -> Put {
        let element = at(self.tree, index)?;
        if label.is_some_and(|label| !label.is(&element.name)) {
            return Err(wrong("unknown", "an item of an array is called something else"));
        }
        let shape = self.shapes.shape(shape).ok_or(wrong("malformed", "it has no shape"))?;
        self.put(element, shape)
    }

    /// What no member takes, under the names that it has: whether it may be there is for the schema to say.
    fn rest(&mut self, element: &Element<'x>, shape: &Shape, (taken, used): (&HashSet<usize>, &HashSet<usize>)) -> Put {
        let mut names: HashSet<&str> = shape.members.iter().map(|member| &*member.name).collect();
        let mut claim = |name: &Name<'x>| match name.space.is_empty() && names.insert(name.local) {
            true => Ok(()),
            false => Err(wrong("unknown", "the contract does not declare an element or an attribute")),
        };
        let others = element.attributes.iter().enumerate().filter(|(at, _)| !used.contains(at));
        for (name, value) in others.map(|(_, attribute)| attribute).filter(|(name, _)| name.space != INSTANCE) {
            claim(name)?;
            self.builder.name(name.local);
            match shape.unnamed(name.local).and_then(|index| self.shapes.shape(index)) {
                Some(inner) => self.scalar(value, inner),
                None => self.builder.text(value),
            }
        }
        for child in element.children.iter().filter(|child| !taken.contains(child)) {
            let child = at(self.tree, *child)?;
            claim(&child.name)?;
            self.builder.name(child.name.local);
            // Of items nothing says whether they stand in an element of their own.
            let inner = shape.unnamed(child.name.local).and_then(|index| self.shapes.shape(index));
            match inner.filter(|inner| inner.items.is_none()) {
                Some(inner) => self.put(child, inner)?,
                None => self.unknown(child)?,
            }
        }
        Ok(())
    }

    /// An element that nothing is said about.
    fn unknown(&mut self, element: &Element<'x>) -> Put {
        if element.children.is_empty() && element.attributes.is_empty() {
            self.builder.text(&element.text);
            return Ok(());
        }
        self.object(element, &Shape { object: true, ..Shape::default() })
    }
}
