//! One YAML text into nodes. Reports what our files may not hold (duplicate names, tags, merge keys, several documents,
//! too much of anything) and goes on; only a syntax error ends the text.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, Tag, options};
use indexmap::IndexMap;

use super::{Entry, Kind, NodeId, Tree};
use crate::diagnostic::{Diagnostic, Report, quote};
use crate::sources::{FileId, Span, narrow};

/// LIMIT: sections within sections.
const MAX_DEPTH: usize = 64;
/// LIMIT: nodes of one text, counting what an alias repeats.
const MAX_NODES: u64 = 1_000_000;

/// Reads one text into the tree. `None` means that nothing usable was in it; the reason is in the report.
pub(crate) fn build(tree: &mut Tree, report: &mut Report, file: FileId, text: &str) -> Option<NodeId> {
    let options = options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder {
        tree,
        report,
        file,
        length: text.len(),
        stack: Vec::new(),
        anchors: HashMap::new(),
        sizes: HashMap::new(),
        total: 0,
        root: None,
        documents: 0,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                builder.syntax(&error);
                return None;
            }
        };
        if step.is_err() {
            return None;
        }
    }
    if builder.root.is_none() {
        builder.say(
            "empty-file",
            Span::start_of(file),
            "the file is empty",
            "a configuration starts with `version: 1`",
        );
    }
    builder.root
}

/// The text cannot be read any further; the reason has been reported.
struct GivenUp;

enum Frame {
    Seq { start: Span, anchor: usize, items: Vec<NodeId> },
    Map { start: Span, anchor: usize, entries: IndexMap<Box<str>, Entry>, key: Pending },
}

/// What a map waits for.
enum Pending {
    Name,
    /// A value for this name.
    Value(Box<str>, Span),
    /// A value that is thrown away, because its name was wrong.
    Nothing,
}

struct Builder<'b> {
    tree: &'b mut Tree,
    report: &'b mut Report,
    file: FileId,
    length: usize,
    stack: Vec<Frame>,
    anchors: HashMap<usize, NodeId>,
    /// Nodes under each anchored node, itself included.
    sizes: HashMap<NodeId, u64>,
    total: u64,
    root: Option<NodeId>,
    documents: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, at: YamlSpan) -> Result<(), GivenUp> {
        let span = self.span(at);
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::UnresolvedAlias(name) => {
                let message = format!("the alias {} has no anchor before it", quote(&format!("*{name}")));
                self.say("unknown-alias", span, &message, "define it earlier in the same file with `&name`");
                self.place(span, Kind::Bad, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let kind = match self.refuse_tag(tag.as_deref(), at) {
                    true => Kind::Bad,
                    false => scalar(&text, style),
                };
                self.place(span, kind, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open(Frame::Seq { start: span, anchor, items: Vec::new() })
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open(Frame::Map { start: span, anchor, entries: IndexMap::new(), key: Pending::Name })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Anchor(..) => Ok(()),
            // What a later version of the parser adds for tools is no part of a configuration.
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Result<(), GivenUp> {
        self.documents += 1;
        if self.documents > 1 {
            let help = "put the second one into a file of its own and name it under `include`";
            self.say("several-documents", span, "a second document starts here", help);
            return Err(GivenUp);
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame) -> Result<(), GivenUp> {
        if self.stack.len() >= MAX_DEPTH {
            let (Frame::Seq { start, .. } | Frame::Map { start, .. }) = frame;
            let message = format!("more than {MAX_DEPTH} sections within each other");
            self.say("too-deep", start, &message, "no setting needs that");
            return Err(GivenUp);
        }
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), GivenUp> {
        match self.stack.pop() {
            Some(Frame::Seq { start, anchor, items }) => {
                self.place(Span { end: end.end.max(start.end), ..start }, Kind::Seq(items), anchor)
            }
            Some(Frame::Map { start, anchor, entries, .. }) => {
                self.place(Span { end: end.end.max(start.end), ..start }, Kind::Map(entries), anchor)
            }
            None => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), GivenUp> {
        match self.anchors.get(&anchor).copied() {
            Some(id) => {
                // The node itself was counted where it stands; its repetition counts again.
                let size = self.sizes.get(&id).copied().unwrap_or(1);
                self.count(size, span)?;
                self.attach(id, span);
            }
            None => {
                self.say("unknown-alias", span, "an alias cannot stand inside of what it names", "write the value out");
                return self.place(span, Kind::Bad, 0);
            }
        }
        Ok(())
    }

    /// Makes a node and puts it where the innermost open collection wants it.
    fn place(&mut self, span: Span, kind: Kind, anchor: usize) -> Result<(), GivenUp> {
        self.count(1, span)?;
        if matches!(self.stack.last(), Some(Frame::Map { key: Pending::Name, .. })) {
            self.name(span, kind);
            return Ok(());
        }
        let size = if anchor == 0 { 0 } else { self.size_of(&kind) };
        let id = self.tree.add(span, kind);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
            self.sizes.insert(id, size);
        }
        self.attach(id, span);
        Ok(())
    }

    fn size_of(&self, kind: &Kind) -> u64 {
        let below = |id: &NodeId| match self.sizes.get(id) {
            Some(size) => *size,
            None => self.size_of(&self.tree.node(*id).kind),
        };
        let sizes: u64 = match kind {
            Kind::Seq(items) => items.iter().map(below).fold(0, u64::saturating_add),
            Kind::Map(entries) => entries.values().map(|entry| below(&entry.value)).fold(0, u64::saturating_add),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } => 0,
        };
        sizes.saturating_add(1)
    }

    fn attach(&mut self, id: NodeId, span: Span) {
        match self.stack.last_mut() {
            None => self.root = self.root.or(Some(id)),
            Some(Frame::Seq { items, .. }) => items.push(id),
            Some(Frame::Map { entries, key, .. }) => match std::mem::replace(key, Pending::Name) {
                Pending::Value(name, name_span) => {
                    entries.insert(name, Entry { key: name_span, value: id });
                }
                // An alias in the place of a name.
                Pending::Name => {
                    *key = Pending::Nothing;
                    self.say("bad-name", span, "an alias cannot be a name", "write the name out");
                }
                Pending::Nothing => {}
            },
        }
    }

    /// Takes the name of an entry; a wrong one is reported and its value thrown away.
    fn name(&mut self, span: Span, kind: Kind) {
        let name = match kind {
            Kind::Scalar { text, plain } if !(plain && &*text == "<<") => Some(text),
            Kind::Scalar { .. } => {
                let help = "repeat the settings, or put shared ones under `defaults`";
                self.say("bad-name", span, "merge keys (`<<`) are not supported", help);
                None
            }
            Kind::Bad => None,
            Kind::Null | Kind::Seq(_) | Kind::Map(_) => {
                let message = format!("a name is expected here, not {}", kind.what());
                let help = "put quotes around text that starts with a bracket, a brace, `~`, `*` or `&`";
                self.say("bad-name", span, &message, help);
                None
            }
        };
        let Some(Frame::Map { entries, key, .. }) = self.stack.last_mut() else { return };
        let Some(name) = name else {
            *key = Pending::Nothing;
            return;
        };
        match entries.get(&name) {
            None => *key = Pending::Value(name, span),
            Some(first) => {
                let first = first.key;
                *key = Pending::Nothing;
                self.report.push(duplicate(&name, span, first));
            }
        }
    }

    fn count(&mut self, size: u64, span: Span) -> Result<(), GivenUp> {
        self.total = self.total.saturating_add(size);
        if self.total > MAX_NODES {
            let message = format!("more than {MAX_NODES} values, counting what aliases repeat");
            self.say("too-large", span, &message, "split the configuration, or use fewer aliases");
            return Err(GivenUp);
        }
        Ok(())
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, at: YamlSpan) -> bool {
        let Some(tag) = tag else { return false };
        let span = at.tag_span().map_or_else(|| self.span(at), |tag| self.span(tag));
        let message = format!("the tag {} is not supported", quote(&tag.original()));
        self.say("tag", span, &message, "remove it; the setting knows its own type");
        true
    }

    fn syntax(&mut self, error: &granit_parser::ScanError) {
        let start = error.marker().byte_offset().unwrap_or(self.length).min(self.length);
        let span = Span { file: self.file, start: narrow(start), end: narrow(start) };
        let message = format!("this is not valid YAML: {}", error.info());
        self.say("syntax", span, &message, "nothing after this place was read; mend it and look again");
    }

    fn say(&mut self, code: &'static str, span: Span, message: &str, help: &str) {
        self.report.push(Diagnostic::new(code, span, message).help(help));
    }

    fn span(&self, at: YamlSpan) -> Span {
        let offset = |marker: granit_parser::Marker| marker.byte_offset().unwrap_or(self.length).min(self.length);
        let (start, end) = (offset(at.start), offset(at.end));
        Span { file: self.file, start: narrow(start), end: narrow(end.max(start)) }
    }
}

/// The message for a name that stands twice, in one file or in two.
pub(super) fn duplicate(name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new("duplicate", second, format!("{} stands twice", quote(name)))
        .label("again here")
        .also(first, "first here")
        .help("remove one of the two")
}

/// Only plain text can be nothing; everything else about it is decided by the setting that reads it.
fn scalar(text: &str, style: ScalarStyle) -> Kind {
    let plain = style == ScalarStyle::Plain;
    match text {
        "" | "~" | "null" | "Null" | "NULL" if plain => Kind::Null,
        _ => Kind::Scalar { text: text.into(), plain },
    }
}
