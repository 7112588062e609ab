//! The suites beside the repository, and a reader for the YAML of the desync suite.
//!
//! The files are not ours and are never copied here. A test that needs them fails and names the place if they are
//! missing.

use std::path::{Path, PathBuf};

/// Names the folder where the suites are.
const VARIABLE: &str = "PORTCULLIS_SUITES";

/// The folder of a suite.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let told = std::env::var_os(VARIABLE).map(PathBuf::from);
    let places: Vec<PathBuf> = match told {
        Some(told) => vec![told],
        None => vec![workspace.join("../shared/suites"), workspace.join("../../shared/suites")],
    };
    let found = places.iter().map(|place| place.join(name)).find(|place| place.is_dir());
    found.unwrap_or_else(|| panic!("the suite `{name}` is missing: not in {places:?}; name its folder in {VARIABLE}"))
}

/// A request of the desync suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// File and name, for messages.
    pub name: String,
    /// Of the request line.
    pub method: String,
    /// Of the request line.
    pub uri: String,
    /// Of the request line.
    pub version: String,
    /// Names and values as they stand in the file.
    pub headers: Vec<(String, String)>,
    /// `Compliant`, `Acceptable`, `Ambiguous` or `Severe`.
    pub tier: String,
}

/// Every case of the desync suite, in the order of its files.
#[must_use]
pub fn desync() -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder("desync")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(!files.is_empty(), "the desync suite holds no files");
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    files.iter().flat_map(|path| cases(&path.file_name().unwrap().to_string_lossy(), &text(path))).collect()
}

/// Reads the one shape that the suite's files have; anything else is a failure, not a guess.
fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let place = || format!("{file}:{}: {line:?}", index + 1);
        let indent = line.len() - trimmed.len();
        if let Some(name) = line.strip_prefix("- name:") {
            cases.push(Case { name: format!("{file}: {}", scalar(name)), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{}", place()));
        let item = trimmed.strip_prefix("- ").unwrap_or(trimmed);
        let Some((key, value)) = item.split_once(':').filter(|_| section != "required_message_items" || indent < 6)
        else {
            assert_eq!(section, "required_message_items", "{}", place());
            continue;
        };
        match (indent, section.as_str(), key) {
            (2, _, "uri") => case.uri = scalar(value),
            (2, _, "method") => case.method = scalar(value),
            (2, _, "version") => case.version = scalar(value),
            (2, _, "headers" | "expected") => key.clone_into(&mut section),
            (4, "headers", "name") => case.headers.push((scalar(value), String::new())),
            (6, "headers", "value") => case.headers.last_mut().unwrap().1 = scalar(value),
            (6, "headers", "tier") | (4, "expected" | "required_message_items", "reason") => {}
            (4, _, "tier") => case.tier = scalar(value),
            (4, _, "required_message_items") => key.clone_into(&mut section),
            _ => panic!("{}", place()),
        }
    }
    cases
}

/// A plain, single-quoted or double-quoted scalar on one line.
fn scalar(text: &str) -> String {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('\'') {
        return inner.strip_suffix('\'').unwrap_or_else(|| panic!("{text}")).replace("''", "'");
    }
    let Some(inner) = text.strip_prefix('"') else { return text.to_owned() };
    let mut letters = inner.strip_suffix('"').unwrap_or_else(|| panic!("{text}")).chars();
    let mut out = String::new();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some(quoted @ ('"' | '\\')) => out.push(quoted),
            Some('x') => {
                let digits: String = letters.by_ref().take(2).collect();
                out.push(char::from(u8::from_str_radix(&digits, 16).unwrap_or_else(|_| panic!("{text}"))));
            }
            other => panic!("escape {other:?} in {text}"),
        }
    }
    out
}

// === impl Case ===

impl Case {
    /// The bytes on the wire. `host` is added where the case has none, so that it is not refused for that alone.
    /// Letters above ASCII are sent as UTF-8, or as the one byte that they are in Latin-1.
    #[must_use]
    pub fn bytes(&self, host: bool, latin: bool) -> Vec<u8> {
        let mut text = format!("{} {} {}\r\n", self.method, self.uri, self.version);
        if host && !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text.push_str("Host: api.test\r\n");
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        if latin && text.chars().all(|letter| u32::from(letter) < 256) {
            return text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, cases};

    #[test]
    fn the_shape_of_the_suite_is_read() {
        let text = "# a comment\n- name: 'It''s'\n  uri: \"/a\\tb\\x01\\\\\"\n  method: GET\n  version: HTTP/1.1\n  headers:\n    - name: \"X\\xa0\"\n      value: a: b\n      tier: Bad\n  expected:\n    tier: Severe\n    reason: X\n    required_message_items:\n      - \"Content: Length\"\n";
        let expected = Case {
            name: "f: It's".to_owned(),
            method: "GET".to_owned(),
            uri: "/a\tb\u{1}\\".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: vec![("X\u{a0}".to_owned(), "a: b".to_owned())],
            tier: "Severe".to_owned(),
        };
        assert_eq!(cases("f", text), [expected]);
    }
}
