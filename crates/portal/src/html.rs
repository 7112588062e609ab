//! HTML that cannot be broken into: markup is written in this program, and every other text is escaped on its way in. Addresses
//! have a scheme that is known to do nothing, or lead nowhere.

use portcullis_types::markup::{escape, escaped};

#[cfg(test)]
mod tests;

/// A piece of a page. What is `'static` is ours; everything else goes in as text.
#[derive(Clone, Debug, Default)]
pub struct Html(String);

/// Elements without an end.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];
/// Attributes that a browser follows.
const ADDRESSES: [&str; 2] = ["href", "src"];
/// What an address may begin with, if it has a scheme.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

// === impl Html ===

impl Html {
    /// Begins an element.
    pub fn open(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) -> &mut Self {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            let value = if ADDRESSES.contains(name) && !is_harmless(value) { "#" } else { value };
            self.0.push_str("=\"");
            escape(value, &mut self.0);
            self.0.push('"');
        }
        self.0.push('>');
        self
    }

    /// Ends an element.
    pub fn close(&mut self, tag: &'static str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        self
    }

    /// A text in which no character means anything to a browser.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.0);
        self
    }

    /// Markup of ours.
    pub fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// An element with what stands in it.
    pub fn element(
        &mut self,
        tag: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(tag, attributes);
        if !VOID.contains(&tag) {
            inside(self);
            self.close(tag);
        }
        self
    }

    /// An element with a text in it.
    pub fn leaf(&mut self, tag: &'static str, attributes: &[(&'static str, &str)], text: &str) -> &mut Self {
        self.element(tag, attributes, |html| html.text(text).done())
    }

    /// A link.
    pub fn link(&mut self, address: &str, text: &str) -> &mut Self {
        self.leaf("a", &[("href", address)], text)
    }

    /// A sentence of ours, with what stands between backticks as code.
    pub fn prose(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&prose(text));
        self
    }

    /// A table with a caption for those who do not see it, heads that say what it is of, and room to scroll.
    pub fn table(&mut self, caption: &str, heads: &[&str], body: impl FnOnce(&mut Self)) -> &mut Self {
        self.element(
            "div",
            &[("class", "wide"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)],
            |html| {
                html.element("table", &[], |html| {
                    html.leaf("caption", &[], caption).line();
                    html.element("thead", &[], |html| {
                        html.element("tr", &[], |html| {
                            for head in heads {
                                html.leaf("th", &[("scope", "col")], head);
                            }
                        });
                    });
                    html.line();
                    html.element("tbody", &[], body);
                });
            },
        );
        self.line()
    }

    /// A line break, so that sources can be read.
    pub fn line(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    /// Another piece.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// Ends a chain.
    pub fn done(&mut self) {}

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A text in which no character means anything to a browser, with what stands between backticks as code.
#[must_use]
pub fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        match index % 2 {
            0 => out.push_str(&escaped(part)),
            _ => out.push_str(&format!("<code>{}</code>", escaped(part))),
        }
    }
    out
}

/// Whether an address does nothing but lead somewhere. What browsers leave out of addresses (tabs, line breaks, blanks in front)
/// has no place in one.
#[must_use]
pub fn is_harmless(address: &str) -> bool {
    if address.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
        return false;
    }
    let before = address.split(['/', '?', '#']).next().unwrap_or_default();
    // A host of somebody else's choice has to be seen.
    if address.starts_with("//") {
        return false;
    }
    before.split_once(':').is_none_or(|(scheme, _)| SCHEMES.iter().any(|one| scheme.eq_ignore_ascii_case(one)))
}
