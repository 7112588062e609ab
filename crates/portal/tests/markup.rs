//! A reader of our own HTML that knows what may stand in it, and nothing else: whatever somebody else brought in shows as a tag or an
//! attribute that no page of ours has.

use std::collections::BTreeSet;

const TAGS: &[&str] = &[
    "a",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "code",
    "details",
    "div",
    "em",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "img",
    "input",
    "label",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "noscript",
    "ol",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "span",
    "strong",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];
const ATTRIBUTES: &[&str] = &[
    "alt",
    "aria-current",
    "aria-label",
    "autocomplete",
    "charset",
    "class",
    "content",
    "data-errors",
    "data-method",
    "data-name",
    "data-origin",
    "data-path",
    "data-place",
    "data-way",
    "defer",
    "for",
    "height",
    "hidden",
    "href",
    "id",
    "lang",
    "name",
    "open",
    "rel",
    "required",
    "role",
    "rows",
    "scope",
    "spellcheck",
    "src",
    "tabindex",
    "type",
    "value",
];

/// One tag of a page.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }
}

/// All tags; panics at one that no page of ours has, and where tags do not close in their order.
pub(crate) fn tags(path: &str, page: &str) -> Vec<Tag> {
    tags_and(path, page, (&[], &[]))
}

/// The same of pages that have some more tags and attributes.
pub(crate) fn tags_and(path: &str, page: &str, (more_tags, more_attributes): (&[&str], &[&str])) -> Vec<Tag> {
    let mut all = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!doctype html>").unwrap_or_else(|| panic!("{path} does not begin as a page"));
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').unwrap_or_else(|| panic!("{path}: a tag has no end")) + at;
        let inside = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{path}: </{name}> closes another one");
            continue;
        }
        let tag = tag(path, inside, more_attributes);
        assert!(TAGS.contains(&tag.name.as_str()) || more_tags.contains(&tag.name.as_str()), "{path}: <{inside}>");
        if !["br", "hr", "img", "input", "link", "meta"].contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        if tag.name == "script" {
            assert!(tag.attribute("src").is_some() && rest.starts_with("</script>"), "{path}: a script stands within");
        }
        all.push(tag);
    }
    assert!(open.is_empty(), "{path}: {open:?} stay open");
    all
}

fn tag(path: &str, inside: &str, more: &[&str]) -> Tag {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let (mut attributes, mut seen) = (Vec::new(), BTreeSet::new());
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{path}: <{inside}>"));
        let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("{path}: <{inside}>"));
        assert!(ATTRIBUTES.contains(&name) || more.contains(&name), "{path}: {name} in <{inside}>");
        assert!(seen.insert(name.to_owned()), "{path}: {name} twice in <{inside}>");
        if name == "href" || name == "src" {
            let scheme = value.split(['/', '?', '#']).next().unwrap_or_default().split_once(':');
            let known =
                scheme.is_none_or(|(scheme, _)| ["http", "https", "mailto"].contains(&scheme.to_lowercase().as_str()));
            assert!(known, "{path}: {value}");
            assert!(name == "href" || scheme.is_none(), "{path}: something of others is loaded from {value}");
        }
        attributes.push((name.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    Tag { name: name.to_owned(), attributes }
}
