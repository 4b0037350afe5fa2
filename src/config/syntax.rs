//! What TOML itself has to say about the file.
//!
//! Owns the words for broken TOML, and which other complaints are only its echo.

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::problem::{Problem, Span};

/// The parsed file, as far as it can be made out, and everything that is broken.
pub(super) fn parse(source: &str) -> (Spanned<DeTable<'_>>, Vec<Problem>) {
    let (root, errors) = DeTable::parse_recoverable(source);
    let header = errors.iter().filter(|error| !is_duplicate(error)).filter_map(|error| broken_header(error, source)).min();
    // Below a header that could not be read, keys and tables land in the wrong place and seem to stand twice.
    let echo = |error: &Error| is_duplicate(error) && header.is_some_and(|at| error.span().is_some_and(|span| span.start > at));
    let errors = errors.iter().filter(|error| !echo(error)).map(|error| explain(error, source)).collect();
    (root, errors)
}

fn is_duplicate(error: &Error) -> bool {
    error.message().contains("duplicate key")
}

/// Where the line of `error` begins, if it is a header.
fn broken_header(error: &Error, source: &str) -> Option<usize> {
    let start = line_start(source, error.span()?.start.min(source.len()));
    source[start..].starts_with('[').then_some(start)
}

fn explain(error: &Error, source: &str) -> Problem {
    let span = error.span().map_or(Span { start: source.len(), end: source.len() }, Span::from);
    let message = error.message();
    let has = |word| message.contains(word);
    if is_duplicate(error) {
        return Problem::error(span, "this key stands twice in one table")
            .label("the second one")
            .help("take one of them out; a new entry begins with [[renewal]]");
    }
    if has("date") || has("time") {
        return Problem::error(span, message).help("days are written 2027-03-01, times of day \"09:00\"");
    }
    let problem = Problem::error(span, format!("this is not TOML: {message}"));
    if has("string") { problem.help("a text stands in quotes: name = \"blue-harbour\"") } else { problem }
}

/// `broken` and those of `others` that are not its echo: a line that TOML could not read has a wrong value or none, and its
/// table seems to lack a key.
pub(super) fn merge(source: &str, broken: Vec<Problem>, others: Vec<Problem>) -> Vec<Problem> {
    if broken.is_empty() {
        return others;
    }
    let mut broken = first_of_each_line(source, broken);
    let starts: Vec<usize> = broken.iter().map(|problem| problem.span.start).collect();
    let within = |from: usize, to: usize| {
        let next = starts.partition_point(|start| *start < from);
        starts.get(next).is_some_and(|start| *start <= to)
    };
    let echo = |problem: &Problem| {
        let at = problem.span.start.min(source.len());
        let end = if problem.absence { table_end(source, at) } else { line_end(source, at) };
        within(line_start(source, at), end)
    };
    broken.extend(others.into_iter().filter(|problem| !echo(problem)));
    broken
}

/// One mistake often breaks a line in several ways; the first is the one to mend.
fn first_of_each_line(source: &str, mut broken: Vec<Problem>) -> Vec<Problem> {
    broken.sort_by_key(|problem| problem.span.start);
    broken.dedup_by_key(|problem| line_start(source, problem.span.start.min(source.len())));
    broken
}

fn line_start(source: &str, at: usize) -> usize {
    source.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}

fn line_end(source: &str, at: usize) -> usize {
    source.as_bytes()[at..].iter().position(|byte| *byte == b'\n').map_or(source.len(), |length| at + length)
}

/// Where the table that holds byte `at` ends: before the next header at the start of a line.
fn table_end(source: &str, at: usize) -> usize {
    source.as_bytes()[at..].windows(2).position(|pair| pair == b"\n[").map_or(source.len(), |length| at + length)
}
