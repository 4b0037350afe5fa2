//! A name as a person types it in a shell.
//!
//! Owns the quoting of names in the commands that people are told to run: they are pasted as they stand.

use std::borrow::Cow;

/// `text` as one word of a POSIX shell.
pub fn typed(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | ',');
    // A word that begins with a dash would be taken for an option, but quotes do not help there.
    if !text.is_empty() && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_whatever_is_in_it() {
        assert_eq!(typed("blue-harbour"), "blue-harbour");
        assert_eq!(typed("Müller"), "Müller");
        assert_eq!(typed("Own Office; rm -rf"), "'Own Office; rm -rf'");
        assert_eq!(typed("O'Neill & $(sons)"), r"'O'\''Neill & $(sons)'");
    }
}
