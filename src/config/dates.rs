//! Dates that only today can judge.
//!
//! Owns R5's rule about dates far ahead. Pure: today comes from outside.

use jiff::ToSpan;
use jiff::civil::Date;

use super::Parsed;
use super::diagnostic::Diagnostics;
use super::model::Config;
use super::problem::Problem;
use super::shown::quoted;
use crate::calendar::boundary;
use crate::renewal::subscription::Entry;

/// How far beyond one term a date may lie without being declared.
const SLACK_DAYS: i64 = 31;

/// An `expires_on` that needs a second look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateProblem {
    /// Index of the entry in [`Config::entries`].
    pub entry: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Every entry whose `expires_on` lies more than one term and 31 days after `today` without `far = true` (R5): a mistyped year
/// would else be a renewal that silently never comes.
///
/// For entries that are new to the database; the date of one that is known there is no longer read (R4).
pub fn check_dates(config: &Config, today: Date) -> Vec<DateProblem> {
    let entries = config.entries.iter().enumerate();
    entries.filter(|(_, entry)| is_too_far(entry, today)).map(|(index, entry)| too_far(index, entry)).collect()
}

fn is_too_far(entry: &Entry, today: Date) -> bool {
    let latest = boundary(today, entry.cycle, 1).ok().and_then(|day| day.checked_add(SLACK_DAYS.days()).ok());
    !entry.far && latest.is_some_and(|latest| entry.expires_on > latest)
}

fn too_far(index: usize, entry: &Entry) -> DateProblem {
    DateProblem {
        entry: index,
        message: format!("{} expires on {}, more than a term from now", quoted(&entry.name), entry.expires_on),
        remedy: "check the year; if the date is right, write `far = true` beside it".to_owned(),
    }
}

impl Parsed {
    /// These problems, shown at their places in the file.
    pub fn show_dates(&self, problems: &[DateProblem]) -> Diagnostics {
        let place = |problem: &DateProblem| {
            let span = self.places.expires_on.get(problem.entry).copied().unwrap_or_default();
            Problem::error(span, problem.message.clone()).label("is this meant?").help(problem.remedy.clone())
        };
        Diagnostics::new(&self.path, &self.source, problems.iter().map(place).collect())
    }
}
