use super::*;
use crate::loader::Memory;

fn load(text: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    RuleSet::load(&[Part::Text { name: "t.conf".into(), text: text.into() }], &Memory::default())
}

/// The mistakes as `line: message`.
fn mistakes(text: &str) -> Vec<String> {
    load(text).err().unwrap_or_default().iter().map(|d| format!("{}: {}", d.line, d.message)).collect()
}
