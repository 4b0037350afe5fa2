mod accepted;
mod credentials;
mod files;
mod messages;
mod mistakes;
mod properties;
mod schema;
mod secrets;

use super::*;
use crate::renewal::subscription::Entry;

/// The file that is shipped.
const EXAMPLE: &str = include_str!("../../renewals.toml");

/// What every short file of these tests begins with.
const TOP: &str = "timezone = \"Europe/Berlin\"\n[defaults]\nproduct = \"rm-premium\"\nservice_id = 5\nbilling_id = 7\n";

/// `TOP`, and one entry with these lines.
fn with_entry(lines: &str) -> String {
    format!("{TOP}[[renewal]]\nname = \"one\"\nexpires_on = 2027-03-01\n{lines}\n")
}

/// The only entry of `with_entry(lines)`.
fn entry(lines: &str) -> Entry {
    let source = with_entry(lines);
    match parse("renewals.toml", &source) {
        Ok(mut config) => config.entries.remove(0),
        Err(found) => panic!("{found}"),
    }
}

/// The mistakes of a file that must have some.
fn mistakes(source: &str) -> Diagnostics {
    parse("renewals.toml", source).expect_err("this file is wrong")
}

/// Their titles, in the order of the file.
fn titles(source: &str) -> Vec<String> {
    mistakes(source).iter().map(|found| found.title.clone()).collect()
}

/// The only mistake of a file, as "line:column title | label | help".
fn only(source: &str) -> String {
    let found = mistakes(source);
    let all: Vec<&Diagnostic> = found.iter().collect();
    let [one] = all[..] else { panic!("{found}") };
    format!("{}:{} {} | {} | {}", one.line, one.column, one.title, one.label, one.help)
}
