//! What of a line may be a secret, and its mask.
//!
//! Owns the promise that no message shows a credential that someone wrote into the file, be the line valid TOML or not.
//! Errs towards hiding: a mask too many costs a glance at the file, one too few costs a password.

use std::collections::HashSet;
use std::ops::Range;

/// Words that mark a key as holding a secret, with `_` and `-` left out.
const SECRET_WORDS: [&str; 10] =
    ["clientid", "secret", "token", "password", "passwd", "passphrase", "apikey", "credential", "authorization", "bearer"];

/// Longest word that is looked at; no key is longer.
const LONGEST: usize = 60;

/// Whether a key of this name would hold a credential, typing mistakes in the two real names included.
pub(super) fn is_secret(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let nearly = |name: &str| plain.len().abs_diff(name.len()) <= 2 && strsim::osa_distance(&plain, name) <= 2;
    SECRET_WORDS.iter().any(|word| plain.contains(word)) || nearly("clientid") || nearly("clientsecret")
}

/// `line` with what may be secret replaced by `*`, one for one: what follows a secret's key, user and password of a URL, and
/// the path of a webhook (which is its password).
pub(super) fn masked(line: &str) -> String {
    let mut hidden = url_secrets(line);
    hidden.extend(value_of_secret(line).map(|from| from..line.len()));
    let hides = |at| hidden.iter().any(|range| range.contains(&at));
    line.char_indices().map(|(at, c)| if hides(at) && !c.is_whitespace() { '*' } else { c }).collect()
}

/// `line` with everything from byte `from` on replaced by `*`, but for spaces and the first `=`.
pub(super) fn masked_from(line: &str, from: usize) -> String {
    let mut equals = true;
    let hide = |(at, c): (usize, char)| match c {
        _ if at < from || c.is_whitespace() => c,
        '=' if std::mem::take(&mut equals) => c,
        _ => '*',
    };
    line.char_indices().map(hide).collect()
}

/// The byte where the value of the first secret-looking word of `line` begins.
fn value_of_secret(line: &str) -> Option<usize> {
    let mut at = 0;
    for word in line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))) {
        let end = at + word.len();
        if word.len() <= LONGEST && is_secret(word) {
            let rest = &line[end..];
            let value = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '"' | '\'' | ']'));
            return Some(line.len() - value.len());
        }
        at = end + line[end..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

/// The parts of URLs in `line` that may be secret.
fn url_secrets(line: &str) -> Vec<Range<usize>> {
    let webhook = line.contains("webhook");
    let mut found = Vec::new();
    for (at, _) in line.match_indices("://") {
        let from = at + 3;
        let length = line[from..].find(|c: char| matches!(c, '"' | '\'') || c.is_whitespace());
        let url = &line[from..length.map_or(line.len(), |length| from + length)];
        found.extend(url.rfind('@').map(|sign| from..from + sign));
        found.extend(url.find('/').filter(|_| webhook).map(|slash| from + slash + 1..from + url.len()));
    }
    found
}

/// The numbers (from 0) of lines that go on a secret begun above them: a text of several lines, or a value that slipped to
/// the next line.
pub(super) fn continuations(source: &str) -> HashSet<usize> {
    let mut hidden = HashSet::new();
    let mut goes_on = GoesOn::No;
    for (number, line) in source.lines().enumerate() {
        if goes_on != GoesOn::No {
            hidden.insert(number);
        }
        goes_on = match goes_on {
            GoesOn::Until(quotes) if !line.contains(quotes) => goes_on,
            GoesOn::Until(_) => GoesOn::No,
            GoesOn::No | GoesOn::OneLine => after(line),
        };
    }
    hidden
}

#[derive(Clone, Copy, PartialEq)]
enum GoesOn {
    No,
    OneLine,
    Until(&'static str),
}

/// Whether a secret begun on `line` goes on below it.
fn after(line: &str) -> GoesOn {
    let value = line.split_once(['=', ':']).map_or("", |(_, value)| value.trim());
    let quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| value.matches(quotes).count() == 1);
    let open = quotes.is_some() || value.is_empty() || value.starts_with(['[', '{', '#']);
    if !open || value_of_secret(line).is_none() {
        return GoesOn::No;
    }
    quotes.map_or(GoesOn::OneLine, GoesOn::Until)
}
