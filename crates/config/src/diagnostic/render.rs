//! Mistakes as text for people and as JSON for programs. Decides nothing about what is a mistake.

use std::fmt;
use std::path::PathBuf;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::Diagnostic;
use crate::sources::{FileId, Sources, Span, wide};

/// All mistakes of one run, with the texts they stand in.
pub struct Failure {
    diagnostics: Vec<Diagnostic>,
    dropped: usize,
    sources: Sources,
    files: Vec<PathBuf>,
}

impl Failure {
    pub(crate) fn new(diagnostics: Vec<Diagnostic>, dropped: usize, sources: Sources) -> Self {
        Self { diagnostics, dropped, sources, files: Vec::new() }
    }

    pub(crate) fn naming(mut self, files: Vec<PathBuf>) -> Self {
        self.files = files;
        self
    }

    /// The files that were read or should have been: a change of one of them may mend it.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The mistakes, in the order of files and lines.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Mistakes beyond the first hundred, which are only counted.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Every mistake with its line, an underline and help, and how many there are at the end.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for diagnostic in &self.diagnostics {
            out.push_str(&renderer.render(&[self.group(diagnostic)]));
            out.push_str("\n\n");
        }
        out.push_str(&self.summary());
        out.push('\n');
        out
    }

    /// One line for logs: the first mistake and how many more there are.
    pub fn summary(&self) -> String {
        let count = self.diagnostics.len() + self.dropped;
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        match self.dropped {
            0 => format!("{count} {noun} found"),
            dropped => format!("{count} {noun} found, the last {dropped} are not shown"),
        }
    }

    /// The same for programs; positions count from 1.
    pub fn to_json(&self) -> Value {
        let diagnostics: Vec<Value> = self.diagnostics.iter().map(|diagnostic| self.json_of(diagnostic)).collect();
        json!({ "diagnostics": diagnostics, "not_shown": self.dropped })
    }

    fn json_of(&self, diagnostic: &Diagnostic) -> Value {
        let also: Vec<Value> = diagnostic
            .also
            .iter()
            .map(|(span, label)| {
                let mut place = self.place(*span);
                if let Some(members) = place.as_object_mut() {
                    members.insert("label".into(), json!(label));
                }
                place
            })
            .collect();
        json!({
            "code": diagnostic.code,
            "path": diagnostic.path,
            "message": diagnostic.message,
            "help": diagnostic.help,
            "place": self.place(diagnostic.span),
            "related": also,
        })
    }

    fn place(&self, span: Span) -> Value {
        let Some(source) = self.sources.file(span.file) else { return Value::Null };
        let (start, end) = (source.position(span.start), source.position(span.end));
        json!({
            "file": &*source.name,
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
        })
    }

    fn group<'s>(&'s self, diagnostic: &'s Diagnostic) -> Group<'s> {
        let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
        let mut group = Group::with_title(title);
        let mut files: Vec<FileId> = vec![diagnostic.span.file];
        for (span, _) in &diagnostic.also {
            if !files.contains(&span.file) {
                files.push(span.file);
            }
        }
        for file in files {
            if let Some(snippet) = self.snippet(diagnostic, file) {
                group = group.element(snippet);
            }
        }
        match &diagnostic.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }

    /// Only the lines that are named are handed over: rendering must not cost the length of the file.
    fn snippet<'s>(&'s self, diagnostic: &'s Diagnostic, file: FileId) -> Option<Snippet<'s, Annotation<'s>>> {
        let source = self.sources.file(file)?;
        let mut marks: Vec<(Span, AnnotationKind, Option<&str>)> = Vec::new();
        if diagnostic.span.file == file {
            marks.push((diagnostic.span, AnnotationKind::Primary, diagnostic.label.as_deref()));
        }
        let also = diagnostic.also.iter().filter(|(span, _)| span.file == file);
        marks.extend(also.map(|(span, label)| (*span, AnnotationKind::Context, Some(label.as_str()))));
        let start = marks.iter().map(|(span, ..)| span.start).min()?;
        let end = marks.iter().map(|(span, ..)| span.end).max()?;
        let (line, offset, text) = source.lines_around(start, end);
        let annotations = marks.into_iter().map(|(span, kind, label)| {
            let from = wide(span.start).saturating_sub(offset).min(text.len());
            let to = wide(span.end).saturating_sub(offset).clamp(from, text.len());
            kind.span(from..to).label(label)
        });
        Some(Snippet::source(text).line_start(line).path(&*source.name).fold(true).annotations(annotations))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(false))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.summary())
    }
}

impl std::error::Error for Failure {}
