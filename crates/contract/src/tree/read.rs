//! One text to one tree: JSON by our own reader, anything else as YAML 1.2 with its core schema. Bounded in both.

use super::{Diagnostic, Node, NodeId, Severity, Shape, Tree};
use crate::json::{self, Json, Kind, Limits};
use granit_parser::{Event, Parser, ScalarStyle, options};
use indexmap::IndexMap;
use std::collections::HashMap;

/// LIMIT: bytes of one file.
const BYTES_MAX: usize = 32 << 20;
/// LIMIT: nodes of one file; aliases add none, they point.
const NODES_MAX: usize = 4 << 20;

/// Why a text is no tree, and in which line.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) line: u32,
    pub(crate) message: String,
}

// === impl Unreadable ===

impl Unreadable {
    pub(crate) fn diagnostic(self, file: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "syntax",
            file: file.to_owned(),
            pointer: String::new(),
            line: self.line,
            message: self.message,
            help: String::new(),
        }
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Tree, Unreadable> {
    let at_start = |message: &str| Unreadable { line: 1, message: message.to_owned() };
    if bytes.len() > BYTES_MAX {
        return Err(at_start("the file is larger than 32 MiB"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| at_start("the file is not UTF-8"))?;
    if text.trim_start().starts_with('{') {
        match Json::parse(bytes, &Limits::generous()) {
            Ok(json) => return Ok(of_json(&json, text)),
            // Flow style of YAML begins like JSON.
            Err(json::Unsafe { flaw: json::Flaw::Malformed(_), .. }) => {}
            Err(error) => return Err(Unreadable { line: line_at(text, error.at), message: error.flaw.to_string() }),
        }
    }
    of_yaml(text)
}

fn line_at(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    u32::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX).saturating_add(1)
}

struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
}

fn of_json(json: &Json<'_>, text: &str) -> Tree {
    let mut tree = Tree { nodes: Vec::new(), root: NodeId(0), nothing: nothing() };
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    tree.root = copy(&mut tree, json.root(), &mut lines);
    tree
}

// === impl Lines ===

impl Lines<'_> {
    /// Places are asked for in the order of the text.
    fn of(&mut self, at: u32) -> u32 {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let passed = self.text.get(self.at..at).unwrap_or(b"");
        let more = u32::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(0);
        self.line = self.line.saturating_add(more);
        self.at = self.at.max(at);
        self.line
    }
}

/// As deep as the reader went.
fn copy(tree: &mut Tree, item: json::Item<'_>, lines: &mut Lines<'_>) -> NodeId {
    let line = lines.of(item.span().0);
    let shape = match item.kind() {
        Kind::Null => Shape::Null,
        Kind::Bool(flag) => Shape::Bool(flag),
        Kind::Number => Shape::Number(item.text().into()),
        Kind::Text => Shape::Text(item.text().into()),
        Kind::Array => Shape::List(item.items().map(|inner| copy(tree, inner, lines)).collect()),
        Kind::Object => {
            let members = item.members();
            Shape::Map(members.map(|(name, value)| (name.text().into(), copy(tree, value, lines))).collect())
        }
    };
    tree.add(line, shape)
}

fn nothing() -> Node {
    Node { shape: Shape::Null, line: 0 }
}

impl Tree {
    fn add(&mut self, line: u32, shape: Shape) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { shape, line });
        id
    }
}

enum Frame {
    List { line: u32, anchor: usize, items: Vec<NodeId> },
    Map { line: u32, anchor: usize, entries: IndexMap<Box<str>, NodeId>, name: Option<Box<str>> },
}

struct Reader {
    tree: Tree,
    stack: Vec<Frame>,
    anchors: HashMap<usize, NodeId>,
    root: Option<NodeId>,
}

fn of_yaml(text: &str) -> Result<Tree, Unreadable> {
    let options = options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: json::DEPTH_CAP,
        block_nesting_limit: json::DEPTH_CAP,
    };
    let tree = Tree { nodes: Vec::new(), root: NodeId(0), nothing: nothing() };
    let mut reader = Reader { tree, stack: Vec::new(), anchors: HashMap::new(), root: None };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| Unreadable {
            line: u32::try_from(error.marker().line()).unwrap_or(u32::MAX),
            message: error.to_string(),
        })?;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        reader.event(event, line)?;
    }
    let Reader { mut tree, root, .. } = reader;
    match root {
        Some(root) => {
            tree.root = root;
            Ok(tree)
        }
        None => Err(Unreadable { line: 1, message: "the file is empty".to_owned() }),
    }
}

fn wrong<T>(line: u32, message: &str) -> Result<T, Unreadable> {
    Err(Unreadable { line, message: message.to_owned() })
}

// === impl Reader ===

impl Reader {
    fn event(&mut self, event: Event<'_>, line: u32) -> Result<(), Unreadable> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => wrong(line, "a second document starts here"),
            Event::Alias(anchor) => match self.anchors.get(&anchor).copied() {
                Some(id) => self.attach(id, line),
                None => wrong(line, "an alias cannot stand inside of what it names"),
            },
            Event::UnresolvedAlias(_) => wrong(line, "an alias has no anchor before it"),
            Event::Scalar(text, style, anchor, tag) => {
                let as_text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let shape = if as_text { Shape::Text(text.as_ref().into()) } else { scalar(&text, style) };
                if let Some(Frame::Map { entries, name: name @ None, .. }) = self.stack.last_mut() {
                    if text == "<<" && style == ScalarStyle::Plain {
                        return wrong(line, "merge keys (`<<`) are no part of YAML 1.2; write the members out");
                    }
                    if entries.contains_key(text.as_ref()) {
                        return wrong(line, &format!("`{}` stands twice", text.chars().take(64).collect::<String>()));
                    }
                    *name = Some(text.as_ref().into());
                    return Ok(());
                }
                self.place(shape, line, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.open(Frame::List { line, anchor, items: Vec::new() }, line),
            Event::MappingStart(_, anchor, _) => {
                self.open(Frame::Map { line, anchor, entries: IndexMap::new(), name: None }, line)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame::List { line, anchor, items }) => self.place(Shape::List(items), line, anchor),
                Some(Frame::Map { line, anchor, entries, .. }) => self.place(Shape::Map(entries), line, anchor),
                None => Ok(()),
            },
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..) => Ok(()),
            // What a later version of the parser adds for tools is no part of a document.
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame, line: u32) -> Result<(), Unreadable> {
        if matches!(self.stack.last(), Some(Frame::Map { name: None, .. })) {
            return wrong(line, "the name of a member is not a text");
        }
        if self.stack.len() >= json::DEPTH_CAP {
            return wrong(line, "it is nested too deeply");
        }
        self.stack.push(frame);
        Ok(())
    }

    fn place(&mut self, shape: Shape, line: u32, anchor: usize) -> Result<(), Unreadable> {
        if self.tree.size() >= NODES_MAX {
            return wrong(line, "the file holds too much");
        }
        let id = self.tree.add(line, shape);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.attach(id, line)
    }

    fn attach(&mut self, id: NodeId, line: u32) -> Result<(), Unreadable> {
        match self.stack.last_mut() {
            None => self.root = Some(id),
            Some(Frame::List { items, .. }) => items.push(id),
            Some(Frame::Map { entries, name, .. }) => match name.take() {
                Some(name) => {
                    entries.insert(name, id);
                }
                None => return wrong(line, "the name of a member is not a text"),
            },
        }
        Ok(())
    }
}

/// The core schema of YAML 1.2 (section 10.3.2); infinities stay texts, since JSON has none.
fn scalar(text: &str, style: ScalarStyle) -> Shape {
    if style != ScalarStyle::Plain {
        return Shape::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Shape::Null,
        "true" | "True" | "TRUE" => return Shape::Bool(true),
        "false" | "False" | "FALSE" => return Shape::Bool(false),
        _ => {}
    }
    let based = |prefix, radix| text.strip_prefix(prefix).and_then(|digits| u64::from_str_radix(digits, radix).ok());
    if let Some(value) = based("0x", 16).or_else(|| based("0o", 8)) {
        return Shape::Number(value.to_string().into());
    }
    number(text).map_or_else(|| Shape::Text(text.into()), |number| Shape::Number(number.into()))
}

/// YAML writes some numbers that JSON does not: `+1`, `010`, `.5`, `1.`.
fn number(text: &str) -> Option<String> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("-", rest) => ("-", rest),
        ("+", rest) => ("", rest),
        _ => ("", text),
    };
    let mark = rest.find(['e', 'E']).unwrap_or(rest.len());
    let (mantissa, exponent) = rest.split_at_checked(mark)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    let written = format!("{sign}{whole}{point}{fraction}{exponent}");
    json::is_number(&written).then_some(written)
}
