//! Columns line up with and without styles.

use super::Table;

#[test]
fn columns_line_up() {
    let mut table = Table::new(["a", "heading", "last"]);
    table.row(["longer".to_owned(), super::super::good("x"), "end".to_owned()]);
    table.row(["ü".to_owned(), String::new(), String::new()]);
    let plain = anstream::adapter::strip_str(&table.text()).to_string();
    assert_eq!(plain, "a       heading  last\nlonger  x        end\nü\n");
}
