//! `renewals.toml`: read, checked and explained; and the credentials, which never stand in it.
//!
//! Owns the way from a file to a [`Config`] that is right in every respect that can be known without asking the portal. All
//! mistakes are found at once, each with its place and its remedy. Never orders anything, never talks to the network.

mod address;
pub mod credentials;
pub mod dates;
mod diagnostic;
mod duplicates;
mod entry;
mod file;
mod keys;
mod limits;
mod lines;
pub mod model;
mod problem;
mod read;
mod rules;
mod schema;
mod secret;
mod section;
mod shown;
mod syntax;
mod value;

pub use dates::{DateProblem, check_dates};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use file::ConfigError;
pub use model::Config;
pub use problem::Severity;
pub use schema::schema;

use entry::Places;
use problem::Problems;

/// A valid file: what it says, what it was read from, and what a person should look at although it is valid.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What it says.
    pub config: Config,
    /// The text it was read from, to keep as the last good one (R7).
    pub source: String,
    /// Warnings only; may be empty.
    pub warnings: Diagnostics,
    path: String,
    places: Places,
}

/// Reads `source`. On failure every mistake in it; `path` is only shown.
pub fn parse(path: &str, source: &str) -> Result<Config, Diagnostics> {
    understand(path, source).map(|(config, ..)| config)
}

/// Reads `source` and keeps it, with the places that messages about it need.
pub fn parse_and_keep(path: &str, source: String) -> Result<Parsed, Diagnostics> {
    let (config, places, warnings) = understand(path, &source)?;
    Ok(Parsed { config, source, warnings, path: path.to_owned(), places })
}

fn understand(path: &str, source: &str) -> Result<(Config, Places, Diagnostics), Diagnostics> {
    let problems = Problems::default();
    let (root, broken) = syntax::parse(source);
    let read = read::file(root.get_ref(), source, &problems);
    if read.is_err() && broken.is_empty() && !problems.has_errors() {
        problems.add(read::incomplete());
    }
    let failed = !broken.is_empty() || problems.has_errors();
    let found = Diagnostics::new(path, source, syntax::merge(source, broken, problems.into_vec()));
    match read {
        Ok((config, places)) if !failed => Ok((config, places, found)),
        _ => Err(found),
    }
}

#[cfg(test)]
mod tests;
