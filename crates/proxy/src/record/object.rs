//! An object of JSON, written member by member.

use super::json::escape;
use portcullis_h1::write::decimal;

/// One object under construction.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    any: bool,
}

// === impl Object ===

impl<'a> Object<'a> {
    /// Opens an object; [`Object::close`] ends it.
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, any: false }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    /// Closes the object of a whole line.
    pub(crate) fn end(self) {
        self.out.extend_from_slice(b"}\n");
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(if self.any { b",\"" } else { b"\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.any = true;
    }

    pub(crate) fn text(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        string(value, self.out);
    }

    /// The same, where there is something to be said.
    pub(crate) fn some(&mut self, name: &str, value: &[u8]) {
        if !value.is_empty() {
            self.text(name, value);
        }
    }

    /// A 32-bit integer or an enumeration.
    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        decimal(value, self.out);
    }

    /// A 64-bit integer, as a text.
    pub(crate) fn long(&mut self, name: &str, value: u64) {
        self.name(name);
        self.out.push(b'"');
        decimal(value, self.out);
        self.out.push(b'"');
    }

    /// An `AnyValue` that is a text, put together by `write` from texts that need no escaping.
    pub(crate) fn body(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.name(name);
        self.out.extend_from_slice(b"{\"stringValue\":\"");
        write(self.out);
        self.out.extend_from_slice(b"\"}");
    }

    /// A member whose value is put together by `write`.
    pub(crate) fn raw(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.name(name);
        write(self.out);
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut object = Object::open(self.out);
        write(&mut object);
        object.close();
    }

    /// A member that is a list of objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        all: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Object<'_>),
    ) {
        self.list(name, all, |one, out| {
            let mut object = Object::open(out);
            write(one, &mut object);
            object.close();
        });
    }

    /// A member that is a list of texts.
    pub(crate) fn texts<'t>(&mut self, name: &str, all: impl IntoIterator<Item = &'t [u8]>) {
        self.list(name, all, string);
    }

    fn list<T>(&mut self, name: &str, all: impl IntoIterator<Item = T>, mut write: impl FnMut(T, &mut Vec<u8>)) {
        self.name(name);
        self.out.push(b'[');
        for (index, one) in all.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(one, self.out);
        }
        self.out.push(b']');
    }
}

/// A text in quotes.
pub(crate) fn string(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escape(value, out);
    out.push(b'"');
}
