//! Which known word somebody meant. Guesses only when the guess is close.

/// The known word closest to what was written, if any is close enough to be a slip.
pub(crate) fn closest<'k>(written: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> Option<&'k str> {
    let wanted = plain(written);
    let mut best: Option<(usize, &'k str)> = None;
    for candidate in known.clone() {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        // One slip in short words, one in three characters in longer ones.
        let allowed = wanted.chars().count().max(candidate.chars().count()) / 3;
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    match best {
        Some((_, candidate)) => Some(candidate),
        None => only_word_of(written, known),
    }
}

/// `path` means `base_path` if no other known word has that part.
fn only_word_of<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let mut with_part = known.into_iter().filter(|candidate| candidate.split('_').any(|part| part == written));
    match (with_part.next(), with_part.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of<'k>(words: impl IntoIterator<Item = &'k str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// `Base-Path` and `basePath` are slips of `base_path`.
fn plain(word: &str) -> String {
    let mut out = String::new();
    for character in word.chars().take(64) {
        if character != '-' && character != '_' {
            out.extend(character.to_lowercase());
        }
    }
    out
}
