//! The right word next to a wrong one.

/// The one of `words` that is written most like `word`, when it is like it at all.
pub(in crate::cli) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let asked: String = word.to_lowercase().chars().filter(|c| c.is_alphanumeric()).take(64).collect();
    let distance = |known: &str| {
        let plain: String = known.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        strsim::damerau_levenshtein(&asked, &plain)
    };
    let best = words.into_iter().map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance);
    best.filter(|(distance, _)| *distance <= (asked.len() / 3).max(1)).map(|(_, known)| known)
}

/// `; did you mean X?`, or nothing.
pub(in crate::cli) fn hint<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, words).map(|known| format!("; did you mean '{known}'?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_nonsense_finds_none() {
        let words = ["local", "localnet", "testnet", "mainnet"];
        assert_eq!(nearest("mainet", words), Some("mainnet"));
        assert_eq!(nearest("Testnet", words), Some("testnet"));
        assert_eq!(nearest("qqq", words), None);
        assert_eq!(hint("h100sx", ["H100 SXM", "RTX 4090"]), "; did you mean 'H100 SXM'?");
    }
}
