//! Golden files: compare, or write them anew where `UPDATE=1` is set.

use std::fs;
use std::path::Path;

/// Compares with a golden file and says how to accept what differs.
pub(crate) fn golden(path: &Path, actual: &str) -> Result<(), String> {
    #[expect(clippy::disallowed_methods, reason = "asks whether golden files are to be written")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        fs::write(path, actual).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "{} differs; if the new text is right, `UPDATE=1 cargo nextest run -p portcullis-config` writes it\n\
         --- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    ))
}
