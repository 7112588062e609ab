//! Reads the files of a set into directives, following includes.

use super::Part;
use crate::diagnostic::{Diagnostic, Place};
use crate::loader::{Source, beside};
use crate::seclang::{Directive, directive, lines, words};
use std::sync::Arc;

/// LIMIT: how deep files include each other.
const INCLUDE_DEPTH: usize = 8;
/// LIMIT: files of one set.
const FILES: usize = 1000;

/// The directives with their places.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) directives: Vec<(Place, Directive)>,
    /// What changes rules, from files of exceptions: it comes after all rules.
    late: Vec<(Place, Directive)>,
    /// Whether such a file is being read.
    is_late: bool,
    files: usize,
}

/// Reads everything; what can't be read is in the list of mistakes.
pub(super) fn parse(parts: &[Part], source: &dyn Source) -> (Parsed, Vec<Diagnostic>) {
    let mut parsed = Parsed::default();
    let mut errors = Vec::new();
    for part in parts {
        match part {
            Part::Text { name, text } => read(&mut parsed, &mut errors, name, text, source, 0),
            Part::File(pattern) | Part::Exclusions(pattern) => {
                let place = Place { file: pattern.as_str().into(), line: 0 };
                parsed.is_late = matches!(part, Part::Exclusions(_));
                include(&mut parsed, &mut errors, &place, (pattern, false), source, 0);
                parsed.is_late = false;
            }
        }
    }
    let late = std::mem::take(&mut parsed.late);
    parsed.directives.extend(late);
    (parsed, errors)
}

fn include(
    parsed: &mut Parsed,
    errors: &mut Vec<Diagnostic>,
    place: &Place,
    (pattern, optional): (&str, bool),
    source: &dyn Source,
    depth: usize,
) {
    if depth >= INCLUDE_DEPTH || parsed.files >= FILES {
        errors.push(Diagnostic::new(place, "files include each other too deeply, or there are too many"));
        return;
    }
    let names = if pattern.contains(['*', '?']) {
        match source.expand(pattern) {
            Ok(names) => names,
            Err(e) => return errors.push(Diagnostic::new(place, e)),
        }
    } else {
        vec![pattern.to_owned()]
    };
    if names.is_empty() && !optional {
        errors.push(Diagnostic::new(place, format!("no file fits `{pattern}`")));
    }
    for name in names {
        parsed.files += 1;
        match source.read(&name) {
            Ok(text) => read(parsed, errors, &name, &text, source, depth),
            Err(_) if optional => {}
            Err(e) => errors.push(Diagnostic::new(place, e)),
        }
    }
}

fn read(parsed: &mut Parsed, errors: &mut Vec<Diagnostic>, name: &str, text: &str, source: &dyn Source, depth: usize) {
    let file: Arc<str> = name.into();
    for line in lines(text) {
        let place = Place { file: Arc::clone(&file), line: line.number };
        match words(&line.text).and_then(|words| directive(&place, &words)) {
            Ok(Directive::Include { pattern, optional }) => {
                let path = beside(name, &pattern);
                include(parsed, errors, &place, (&path, optional), source, depth + 1);
            }
            Ok(directive @ (Directive::Remove(_) | Directive::UpdateTarget(..) | Directive::UpdateAction(..)))
                if parsed.is_late =>
            {
                parsed.late.push((place, directive));
            }
            Ok(directive) => parsed.directives.push((place, directive)),
            Err(e) => errors.push(Diagnostic::new(&place, e)),
        }
    }
}
