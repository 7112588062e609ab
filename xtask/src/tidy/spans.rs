//! The file form of the configuration keeps to shapes in which a mistake keeps its line.

use super::Finding;
use super::source::Source;

/// `untagged`, `flatten` and inner tags buffer a value, and the line of a mistake inside it is lost.
pub(super) fn check(source: &Source<'_>) -> Vec<Finding> {
    if !source.path.starts_with("crates/config/src") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for line in
        source.lines().filter(|line| line.code.contains("serde(") || line.code.trim_start().starts_with("tag ="))
    {
        let words: Vec<&str> = line.code.split(|sign: char| !sign.is_alphanumeric() && sign != '_').collect();
        for word in ["untagged", "flatten", "tag"] {
            if words.contains(&word) {
                let message = format!("`{word}` loses the line of a mistake; use an externally tagged enum");
                findings.push(source.finding(line.number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::messages;

    #[test]
    fn the_file_form_keeps_its_spans() {
        for (path, text, count) in [
            ("crates/config/src/file.rs", "#[serde(untagged)]", 1),
            ("crates/config/src/file.rs", "#[serde(rename_all = \"x\", flatten)]", 1),
            ("crates/config/src/file.rs", "#[serde(tag = \"kind\")]", 1),
            ("crates/config/src/file.rs", "#[serde(deny_unknown_fields)]", 0),
            ("crates/config/src/file.rs", "// never #[serde(untagged)]", 0),
            ("crates/config/src/file.rs", "let stage = 1;", 0),
            ("crates/admin/src/view.rs", "#[serde(flatten)]", 0),
        ] {
            assert_eq!(messages(path, text, check).len(), count, "{text}");
        }
    }
}
