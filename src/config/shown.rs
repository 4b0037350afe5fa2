//! Text of the file made fit to be shown.
//!
//! Owns what a terminal, a log or a screen-sharing colleague may see of the file: no control characters, no characters that
//! reorder or hide text, no secrets. Every quotation of the file goes through here.

use std::borrow::Cow;

/// Longest quotation of a value inside a sentence, in characters.
const QUOTED: usize = 60;

/// Whether `c` would move the cursor, reorder text (bidi) or be invisible.
pub(super) fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with every treacherous character replaced, one for one, so that columns stay true. Tabs stay: they are drawn as
/// spaces later.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let bad = |c| is_treacherous(c) && c != '\t';
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if bad(c) { '\u{fffd}' } else { c }).collect())
}

/// A value of the file, quoted in a sentence: harmless, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(QUOTED).map(|c| if is_treacherous(c) { '\u{fffd}' } else { c }).collect();
    let dots = if text.chars().nth(QUOTED).is_some() { "…" } else { "" };
    format!("`{cut}{dots}`")
}
