//! Values that were not written as JSON: parameters, forms, parts. They become the same list, so that one schema judges all.

use super::{DEPTH_CAP, Json, Kind, Node, narrow};

/// Puts one value together, in the order in which it would be written.
#[derive(Debug, Default)]
pub struct Builder {
    json: Json<'static>,
    open: Vec<usize>,
}

// === impl Builder ===

impl Builder {
    fn add(&mut self, kind: Kind, text: &str) -> usize {
        let index = self.json.nodes.len();
        let start = narrow(self.json.extra.len());
        self.json.extra.push_str(text);
        let end = narrow(self.json.extra.len());
        let next = narrow(index.saturating_add(1));
        self.json.nodes.push(Node { kind, owned: true, start, end, from: 0, to: 0, next, count: 0 });
        index
    }

    /// Counts a value for what it is put into; names are not counted.
    fn count(&mut self) {
        if let Some(node) = self.open.last().and_then(|index| self.json.nodes.get_mut(*index)) {
            node.count = node.count.saturating_add(1);
        }
    }

    /// Opens an array or an object.
    pub fn open(&mut self, kind: Kind) {
        self.count();
        let index = self.add(kind, "");
        self.open.push(index);
    }

    /// Closes what was opened last.
    pub fn close(&mut self) {
        let next = narrow(self.json.nodes.len());
        if let Some(node) = self.open.pop().and_then(|index| self.json.nodes.get_mut(index)) {
            node.next = next;
        }
    }

    /// How much is open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name of the member whose value comes next.
    pub fn name(&mut self, name: &str) {
        self.add(Kind::Text, name);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.count();
        self.add(Kind::Text, text);
    }

    /// A number that follows JSON's grammar.
    pub fn number(&mut self, text: &str) {
        self.count();
        self.add(Kind::Number, text);
    }

    /// `true`, `false` or `null`.
    pub fn word(&mut self, kind: Kind) {
        self.count();
        self.add(kind, "");
    }

    /// A value that was read elsewhere.
    pub fn copy(&mut self, item: super::Item<'_>) {
        if self.open.len() >= DEPTH_CAP {
            return self.word(Kind::Null);
        }
        match item.kind() {
            Kind::Text => self.text(item.text()),
            Kind::Number => self.number(item.text()),
            Kind::Array => {
                self.open(Kind::Array);
                item.items().for_each(|inner| self.copy(inner));
                self.close();
            }
            Kind::Object => {
                self.open(Kind::Object);
                for (name, inner) in item.members() {
                    self.name(name.text());
                    self.copy(inner);
                }
                self.close();
            }
            word @ (Kind::Null | Kind::Bool(_)) => self.word(word),
        }
    }

    /// What was put together; `null` if that is nothing.
    #[must_use]
    pub fn finish(mut self) -> Json<'static> {
        while !self.open.is_empty() {
            self.close();
        }
        if self.json.nodes.is_empty() {
            self.word(Kind::Null);
        }
        self.json
    }
}

/// Whether text follows JSON's grammar of numbers within the default limits.
pub(crate) fn is_number(text: &str) -> bool {
    let first = text.as_bytes().first();
    let last = text.as_bytes().last();
    // The reader would skip blanks around it.
    first.is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9'))
        && last.is_some_and(u8::is_ascii_digit)
        && Json::parse(text.as_bytes(), &super::Limits::default()).is_ok()
}
