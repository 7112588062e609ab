//! As much TOML as the repository's own files need: tables, keys, and the strings inside a value.
//!
//! Values stay text; a value that spans lines is joined. Nothing here judges whether the file is valid TOML: cargo does.

/// One `key = value`, with the table it stands in and its line (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) table: String,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) line: usize,
}

/// All entries in the order of the text.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    let mut table = String::new();
    let mut open: Option<Entry> = None;
    for (at, line) in text.lines().enumerate() {
        let line = uncommented(line).trim();
        if let Some(mut entry) = open.take() {
            entry.value.push(' ');
            entry.value.push_str(line);
            open = Some(entry);
        } else if line.starts_with('[') {
            line.trim_matches(['[', ']']).trim().clone_into(&mut table);
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().trim_matches('"').to_owned();
            open = Some(Entry { table: table.clone(), key, value: value.trim().to_owned(), line: at + 1 });
        }
        if open.as_ref().is_some_and(|entry| balanced(&entry.value)) {
            found.extend(open.take());
        }
    }
    found.extend(open);
    found
}

/// The contents of every string in a value, in order.
pub(crate) fn strings(value: &str) -> Vec<&str> {
    value.split('"').skip(1).step_by(2).collect()
}

/// The string that belongs to a key of an inline table: `version` in `{ version = "1", path = "x" }`.
pub(crate) fn string_of<'v>(value: &'v str, key: &str) -> Option<&'v str> {
    let mut parts = value.split('"');
    while let (Some(before), inside) = (parts.next(), parts.next()) {
        let name = before.trim_end().strip_suffix('=').unwrap_or_default().trim_end();
        let name = name.rsplit([' ', ',', '{']).next().unwrap_or_default();
        if name == key {
            return inside;
        }
        inside?;
    }
    None
}

fn uncommented(line: &str) -> &str {
    let mut quoted = false;
    for (at, sign) in line.char_indices() {
        quoted ^= sign == '"';
        if sign == '#' && !quoted {
            return line.get(..at).unwrap_or(line);
        }
    }
    line
}

fn balanced(value: &str) -> bool {
    let outside: String = value.split('"').step_by(2).collect();
    let count = |signs: [char; 2]| outside.matches(signs).count();
    count(['[', '{']) == count([']', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_table_and_line() {
        let text = "a = 1 # one\n[b.c]\nd = [\n  \"x\", # \"not\"\n  \"y#z\",\n]\n[[e]]\n\"f-g\" = { path = \"p\", version = \"2\" }\n";
        let found = entries(text);
        let short: Vec<_> = found.iter().map(|e| (e.table.as_str(), e.key.as_str(), e.line)).collect();
        assert_eq!(short, [("", "a", 1), ("b.c", "d", 3), ("e", "f-g", 8)]);
        assert_eq!(strings(&found[1].value), ["x", "y#z"]);
        assert_eq!(string_of(&found[2].value, "version"), Some("2"));
        assert_eq!(string_of(&found[2].value, "path"), Some("p"));
        assert_eq!(string_of(&found[2].value, "features"), None);
    }
}
