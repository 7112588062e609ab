//! Licence expressions as packages declare them: `MIT OR Apache-2.0`, `(A OR B) AND C`, `A WITH exception`.

/// LIMIT: no package nests deeper.
const DEPTH_MAX: usize = 32;

/// Whether somebody who accepts only what `allowed` says may use a package under this expression.
///
/// A licence with an exception is asked for as a whole (`Apache-2.0 WITH LLVM-exception`).
pub(crate) fn accepts(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    // Before the expressions there was `MIT/Apache-2.0`, which means OR.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let verdict = reader.any(0).ok_or_else(|| format!("`{expression}` is not a licence expression"))?;
    if reader.words.is_empty() { Ok(verdict) } else { Err(format!("`{expression}` is not a licence expression")) }
}

struct Reader<'w> {
    words: &'w [&'w str],
    allowed: &'w dyn Fn(&str) -> bool,
}

impl<'w> Reader<'w> {
    fn next(&mut self) -> Option<&'w str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let here = self.words.first().is_some_and(|first| first.eq_ignore_ascii_case(word));
        if here {
            self.next();
        }
        here
    }

    fn any(&mut self, depth: usize) -> Option<bool> {
        let mut verdict = self.all(depth)?;
        while self.take("OR") {
            verdict |= self.all(depth)?;
        }
        Some(verdict)
    }

    fn all(&mut self, depth: usize) -> Option<bool> {
        let mut verdict = self.one(depth)?;
        while self.take("AND") {
            verdict &= self.one(depth)?;
        }
        Some(verdict)
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        if depth > DEPTH_MAX {
            return None;
        }
        if self.take("(") {
            let verdict = self.any(depth + 1)?;
            return self.take(")").then_some(verdict);
        }
        let name = self.next().filter(|word| !["OR", "AND", "WITH", ")"].contains(word))?;
        if self.take("WITH") {
            let exception = self.next()?;
            return Some((self.allowed)(&format!("{name} WITH {exception}")));
        }
        Some((self.allowed)(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_judged() {
        let allowed = |name: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&name);
        for (expression, expected) in [
            ("MIT", Ok(true)),
            ("GPL-3.0", Ok(false)),
            ("MIT OR GPL-3.0", Ok(true)),
            ("GPL-3.0/MIT", Ok(true)),
            ("MIT AND GPL-3.0", Ok(false)),
            ("MIT OR GPL-3.0 AND X", Ok(true)),
            ("(MIT OR GPL-3.0) AND ISC", Ok(true)),
            ("(MIT OR GPL-3.0) AND (X OR Y)", Ok(false)),
            ("Apache-2.0 WITH LLVM-exception", Ok(true)),
            ("Apache-2.0", Ok(false)),
            ("MIT OR", Err(())),
            ("(MIT", Err(())),
            ("MIT GPL", Err(())),
            ("", Err(())),
        ] {
            assert_eq!(accepts(expression, &allowed).map_err(drop), expected, "{expression}");
        }
    }
}
