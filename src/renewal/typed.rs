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

/// A command that people were told to run for `old`, for the same renewal under its `new` name.
pub fn retyped(command: &str, old: &str, new: &str) -> String {
    let (old, new) = (typed(old), typed(new));
    let mut parts = command.split("renewd ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        let named = part.split_once(' ').and_then(|(verb, rest)| Some((verb, rest.strip_prefix(&*old)?)));
        match named.filter(|(_, rest)| rest.is_empty() || rest.starts_with([' ', ';', ',', ')'])) {
            Some((verb, rest)) => format!("{told}renewd {verb} {new}{rest}"),
            None => format!("{told}renewd {part}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_follows_its_renewal_to_a_new_name() {
        let told = "look at order r0 in the portal, then: renewd resolve r0 --void or renewd skip r0; renewd history r01";
        let now =
            "look at order r0 in the portal, then: renewd resolve 'my own' --void or renewd skip 'my own'; renewd history r01";
        assert_eq!(retyped(told, "r0", "my own"), now);
        assert_eq!(retyped(now, "my own", "r0"), told);
        assert_eq!(retyped("renewd resume", "resume", "x"), "renewd resume");
    }

    #[test]
    fn a_name_is_one_word_whatever_is_in_it() {
        assert_eq!(typed("blue-harbour"), "blue-harbour");
        assert_eq!(typed("Müller"), "Müller");
        assert_eq!(typed("Own Office; rm -rf"), "'Own Office; rm -rf'");
        assert_eq!(typed("O'Neill & $(sons)"), r"'O'\''Neill & $(sons)'");
    }
}
