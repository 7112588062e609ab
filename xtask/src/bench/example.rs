//! Examples of the crates that measure one thing in process, and the figures that they print.

use super::figure::{Figure, Target};
use crate::command::program;
use std::process::Command;

/// An example, built as what is shipped is; its own arguments are still to come.
pub(super) fn example(package: &str, name: &str) -> Command {
    let mut cargo = program("cargo");
    cargo.args(["run", "--profile", "dist", "--locked", "--quiet", "--package", package, "--example", name, "--"]);
    cargo
}

/// Runs an example for figures with their units and what is asked of each at most. One that is missed makes the example fail, and
/// is a figure all the same.
pub(super) fn figures(
    example: &mut Command,
    wanted: &[(&'static str, &'static str, f64)],
) -> Result<Vec<Figure>, String> {
    let output = example.output().map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = |&(name, unit, most): &(&'static str, &'static str, f64)| {
        let said = || format!("no figure {name}: {}", String::from_utf8_lossy(&output.stderr).trim());
        let samples = samples(&text, name).ok_or_else(said)?;
        Ok(Figure { name, unit, target: Target::AtMost(most), samples })
    };
    wanted.iter().map(figure).collect()
}

/// The least, the middle and the greatest of what was measured.
fn samples(text: &str, name: &str) -> Option<Vec<f64>> {
    let rest = text.lines().find_map(|line| line.strip_prefix("figure ")?.strip_prefix(name)?.strip_prefix(' '))?;
    let mut words = rest.split(' ');
    let middle = words.next()?.parse().ok()?;
    let (low, high) = words.nth(2)?.split_once("..")?;
    Some(vec![low.parse().ok()?, middle, high.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn figures_are_read() {
        let text = "figure a_b 7 ns/decision spread 5..9 target <= 300 met\nfigure a 8 ns/decision spread 6..9 target <= 3 missed";
        assert_eq!(samples(text, "a"), Some(vec![6.0, 8.0, 9.0]));
        assert_eq!(samples(text, "a_b"), Some(vec![5.0, 7.0, 9.0]));
        assert_eq!(samples(text, "b"), None);
    }
}
