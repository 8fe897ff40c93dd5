//! Text of strangers, made harmless: nothing of it moves a terminal's cursor, hides, or runs over a page.

/// A text in one line: without control characters, without those that change the direction of writing or show nothing,
/// and with at most `chars_max` characters (the last is then an ellipsis).
pub(in crate::cli) fn plain(text: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().filter(|c| !is_harmful(*c)).enumerate() {
        if count == chars_max {
            shown.pop();
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

fn is_harmful(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_hides_or_turns_writing_round_is_left_out() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\r\n", 40), "[31mred[0m");
        assert_eq!(plain("a\u{202e}b\u{200b}c\u{9b}d", 40), "abcd");
        assert_eq!(plain("H100 SXM", 40), "H100 SXM");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(plain("abcdef", 4), "abc…");
        assert_eq!(plain("abcd", 4), "abcd");
        assert_eq!(plain("abc", 0), "…");
    }
}
