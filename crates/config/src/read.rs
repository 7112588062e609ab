//! Files into one tree: the first file and all that it includes. A file that cannot be read or parsed is reported and
//! left out; the others are still read.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Report, quote};
use crate::sources::{Sources, Span, narrow};
use crate::tree::{Entry, Kind, NodeId, Tree, build, merge};
use crate::values::{Environment, resolve};

/// LIMIT: bytes of one file.
pub(crate) const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// LIMIT: files of one configuration.
const MAX_FILES: usize = 256;

/// Everything that was read.
pub(crate) struct Read {
    pub(crate) sources: Sources,
    pub(crate) tree: Tree,
    pub(crate) root: Option<NodeId>,
    pub(crate) report: Report,
    /// The files that were read or should have been.
    pub(crate) files: Vec<PathBuf>,
    /// Something could not be read, so a thing that seems to be missing may well stand there.
    pub(crate) incomplete: bool,
}

/// Reads a file and what it includes.
pub(crate) fn read_file(path: &Path, environment: &Environment) -> Read {
    let mut reader = Reader::new(environment);
    let name = path.to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    reader.files.push(path.to_path_buf());
    match environment.read(path, MAX_FILE_BYTES) {
        Ok(bytes) => reader.start(&name, bytes, &folder),
        Err(why) => {
            let file = reader.sources.add(&name, String::new(), &folder);
            let message = format!("the configuration {} cannot be read: {why}", quote(&name));
            reader.report.push(Diagnostic::new("unreadable-file", Span::start_of(file), message));
            reader.finish(None)
        }
    }
}

/// Reads a text that is in memory already; relative paths in it are relative to `folder`.
pub(crate) fn read_bytes(name: &str, bytes: Vec<u8>, folder: &Path, environment: &Environment) -> Read {
    Reader::new(environment).start(name, bytes, folder)
}

struct Reader<'e> {
    environment: &'e Environment,
    sources: Sources,
    tree: Tree,
    report: Report,
    files: Vec<PathBuf>,
    incomplete: bool,
}

/// A file that another one includes.
struct Included {
    path: PathBuf,
    name: String,
    span: Span,
}

impl<'e> Reader<'e> {
    fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            sources: Sources::default(),
            tree: Tree::default(),
            report: Report::default(),
            files: Vec::new(),
            incomplete: false,
        }
    }

    fn start(mut self, name: &str, bytes: Vec<u8>, folder: &Path) -> Read {
        let root = self.parse(name, bytes, folder);
        if let Some(root) = root {
            self.include(root);
        }
        self.finish(root)
    }

    fn finish(self, root: Option<NodeId>) -> Read {
        Read {
            sources: self.sources,
            tree: self.tree,
            root,
            report: self.report,
            files: self.files,
            incomplete: self.incomplete,
        }
    }

    fn parse(&mut self, name: &str, bytes: Vec<u8>, folder: &Path) -> Option<NodeId> {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let readable = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
                let file = self.sources.add(name, readable, folder);
                let span = Span { file, start: narrow(valid), end: narrow(valid) };
                let diagnostic = Diagnostic::new("not-utf8", span, "the file is not UTF-8 from here on");
                self.report.push(diagnostic.help("save it as UTF-8"));
                return None;
            }
        };
        let file = self.sources.add(name, text, folder);
        let source = self.sources.file(file)?;
        build(&mut self.tree, &mut self.report, file, &source.text)
    }

    /// Follows `include` through all files, breadth first, and joins each to the first one.
    fn include(&mut self, root: NodeId) {
        let mut waiting = self.includes_of(root);
        waiting.reverse();
        while let Some(next) = waiting.pop() {
            if self.files.contains(&next.path) {
                let message = format!("{} is included twice", quote(&next.name));
                self.report.push(Diagnostic::new("include", next.span, message).help("remove this one"));
                continue;
            }
            if self.files.len() >= MAX_FILES {
                let message = format!("more than {MAX_FILES} files");
                self.report.push(Diagnostic::new("include", next.span, message).help("join some of them"));
                self.incomplete = true;
                return;
            }
            self.files.push(next.path.clone());
            let Some(part) = self.read_part(&next) else {
                self.incomplete = true;
                continue;
            };
            let mut more = self.includes_of(part);
            more.reverse();
            waiting.extend(more);
            merge(&mut self.tree, &mut self.report, root, part);
        }
    }

    fn read_part(&mut self, part: &Included) -> Option<NodeId> {
        let name = part.path.to_string_lossy().into_owned();
        let folder = part.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let bytes = match self.environment.read(&part.path, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(why) => {
                let message = format!("the file {} cannot be read: {why}", quote(&part.name));
                let help = "paths are relative to the file that they are written in";
                self.report
                    .push(Diagnostic::new("unreadable-file", part.span, message).path("include".into()).help(help));
                return None;
            }
        };
        let root = self.parse(&name, bytes, &folder)?;
        if let Kind::Map(entries) = &self.tree.node(root).kind {
            if let Some(version) = entries.get("version") {
                let node = self.tree.node(version.value);
                let is_known = matches!(&node.kind, Kind::Scalar { text, plain: true } if &**text == "1");
                if !is_known {
                    let message = "only version 1 of the format is known";
                    let diagnostic = Diagnostic::new("version", version.key, message).path("version".into());
                    self.report.push(diagnostic.help("write `version: 1`, or nothing in an included file"));
                }
            }
            return Some(root);
        }
        let span = Span::start_of(self.tree.node(root).span.file);
        self.report.push(Diagnostic::new("wrong-shape", span, "a configuration is a section of settings"));
        None
    }

    /// The files that a root names. What isn't a file name is reported here and skipped when the tree is read.
    fn includes_of(&mut self, root: NodeId) -> Vec<Included> {
        let Kind::Map(entries) = &self.tree.node(root).kind else { return Vec::new() };
        let Some(Entry { key, value }) = entries.get("include").copied() else { return Vec::new() };
        let items = match &self.tree.node(value).kind {
            Kind::Seq(items) => items.clone(),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Map(_) => {
                let diagnostic = Diagnostic::new("wrong-shape", key, "a list of file names is expected here");
                self.report.push(diagnostic.path("include".into()).help("write `include: [more.yaml]`"));
                self.tree.poison(value);
                self.incomplete = true;
                return Vec::new();
            }
        };
        let mut included = Vec::new();
        for item in items {
            let node = self.tree.node(item);
            let span = node.span;
            if let Kind::Scalar { text, .. } = &node.kind {
                let path = resolve(self.sources.folder(span.file), text);
                included.push(Included { path, name: String::from(&**text), span });
            } else {
                let diagnostic = Diagnostic::new("wrong-shape", key, "a file name is expected here");
                self.report.push(diagnostic.path("include".into()).help("write `include: [more.yaml]`"));
                self.tree.poison(item);
                self.incomplete = true;
            }
        }
        included
    }
}
