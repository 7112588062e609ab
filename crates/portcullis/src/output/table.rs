//! Columns that line up. Widths are counted in characters as they are shown, styles left out.

#[cfg(test)]
mod tests;

const GAP: &str = "  ";

/// A table that grows by rows.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

// === impl Table ===

impl Table {
    /// A table with these headings.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self { rows: vec![headings.map(super::bold).to_vec()] }
    }

    /// A table with as many headings as there are.
    pub(crate) fn wide<'h>(headings: impl Iterator<Item = &'h str>) -> Self {
        Self { rows: vec![headings.map(super::bold).collect()] }
    }

    /// Adds a row of as many cells as there are.
    pub(crate) fn add(&mut self, cells: impl Iterator<Item = String>) {
        self.rows.push(cells.collect());
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// All rows; the last column is not padded.
    pub(crate) fn text(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            for (index, cell) in row.iter().enumerate() {
                let width = shown_chars(cell);
                match widths.get_mut(index) {
                    Some(widest) => *widest = (*widest).max(width),
                    None => widths.push(width),
                }
            }
        }
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(shown_chars(cell))));
                line.push_str(GAP);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// Characters that take a place on the screen: all but the styles of this program.
fn shown_chars(text: &str) -> usize {
    let mut count: usize = 0;
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        let (before, style) = rest.split_at(start);
        count += before.chars().count();
        rest = style.split_once('m').map_or("", |(_, after)| after);
    }
    count + rest.chars().count()
}
