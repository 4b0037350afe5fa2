//! What is wrong with the file, drawn for people and written for programs.
//!
//! Owns places (line and column, both from 1, columns counted in characters), the excerpt under the caret, and both forms of
//! output. Never shows a secret, a control character or one that reorders text: an excerpt is made harmless when it is taken.

use std::collections::HashSet;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::problem::{Problem, Severity, Span};
use super::secret;
use super::shown::harmless;

/// More than this many are counted, not kept: nobody reads a thousand carets.
const KEPT: usize = 1000;
/// More than this many are not drawn.
const DRAWN: usize = 100;
/// How much of a long line is shown before and after the caret, in characters.
const AROUND: usize = 100;

/// One mistake and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub title: String,
    /// What stands at the caret; may be empty.
    pub label: String,
    /// What to do; may be empty.
    pub help: String,
    /// The line, or the part of it around the caret.
    excerpt: String,
    /// The excerpt begins within the line.
    cut: bool,
    /// What is underlined, in bytes of the excerpt.
    marked: Span,
}

/// Everything that is wrong with one file, in the order of the file. Its `Display` is [`Diagnostics::render`] without colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    path: String,
    /// The first [`KEPT`].
    items: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    pub(super) fn new(path: &str, source: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.start);
        let lines = Lines::of(source);
        let hidden = if problems.is_empty() { HashSet::new() } else { secret::continuations(source) };
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        let warnings = problems.len() - errors;
        let items = problems.iter().take(KEPT).map(|problem| place(problem, &lines, &hidden)).collect();
        Self { path: one_line(path), items, errors, warnings }
    }

    /// The first thousand, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// How many there are, warnings included.
    pub fn len(&self) -> usize {
        self.errors + self.warnings
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them make the file unusable.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Drawn as the Rust compiler does: file, line and column, the line itself, a caret, the remedy.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut drawn: Vec<String> =
            self.items.iter().take(DRAWN).map(|item| renderer.render(&[item.group(&self.path)])).collect();
        if let Some(more) = self.len().checked_sub(DRAWN).filter(|more| *more > 0) {
            drawn.push(format!("... and {more} more"));
        }
        drawn.join("\n\n")
    }

    /// For `check --json`.
    pub fn to_json(&self) -> Value {
        let items: Vec<Value> = self.items.iter().map(Diagnostic::to_json).collect();
        json!({ "path": self.path, "errors": self.errors, "warnings": self.warnings, "diagnostics": items })
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

impl Diagnostic {
    fn group<'a>(&'a self, path: &'a str) -> Group<'a> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let label = (!self.label.is_empty()).then_some(self.label.as_str());
        let marked = AnnotationKind::Primary.span(self.marked.start..self.marked.end).label(label);
        let snippet = Snippet::source(&self.excerpt).line_start(self.line).annotation(marked);
        let title = level.primary_title(&self.title);
        let group = if self.cut {
            // The renderer would count the column from the cut.
            title.element(Origin::path(path).line(self.line).char_column(self.column)).element(snippet)
        } else {
            title.element(snippet.path(path))
        };
        if self.help.is_empty() { group } else { group.element(Level::HELP.message(&self.help)) }
    }

    fn to_json(&self) -> Value {
        json!({
            "severity": match self.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "line": self.line,
            "column": self.column,
            "title": self.title,
            "label": self.label,
            "help": self.help,
        })
    }
}

/// Gives a problem its place and its excerpt.
fn place(problem: &Problem, lines: &Lines<'_>, hidden: &HashSet<usize>) -> Diagnostic {
    let (number, line, start) = lines.at(problem.span.start);
    let length = problem.span.end.saturating_sub(problem.span.start);
    let end = floor(line, (start + length).min(line.len()));
    let shown = match () {
        () if hidden.contains(&number) => secret::masked_from(line, 0),
        () if problem.hide_rest => secret::masked_from(line, end),
        () => secret::masked(line),
    };
    let before = line[..start].chars().count();
    let marked = line[start..end.max(start)].chars().count();
    let cut = if line.chars().count() > 2 * AROUND { before.saturating_sub(AROUND) } else { 0 };
    let (excerpt, marked) = excerpt(&harmless(&shown), cut, before, marked);
    Diagnostic {
        severity: problem.severity,
        line: number + 1,
        column: before + 1,
        title: one_line(&problem.title),
        label: one_line(&problem.label),
        help: one_line(&problem.help),
        excerpt,
        cut: cut > 0,
        marked,
    }
}

/// The part of `line` from character `skip` on, around `marked` characters from character `before` on.
fn excerpt(line: &str, skip: usize, before: usize, marked: usize) -> (String, Span) {
    let text: String = line.chars().skip(skip).take(before - skip + AROUND).collect();
    let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    let span = Span { start: byte(before - skip), end: byte(before - skip + marked) };
    (text, span)
}

fn one_line(text: &str) -> String {
    harmless(text).replace('\t', " ")
}

fn floor(line: &str, mut at: usize) -> usize {
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Where each line of a source begins.
pub(super) struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    pub fn of(source: &'s str) -> Self {
        // A byte order mark is no character of the first line.
        let first = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let starts = std::iter::once(first).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { source, starts }
    }

    /// The number of the line (from 0) in which byte `offset` lies.
    pub fn number(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// That number, the line without its end, and the byte within it.
    pub fn at(&self, offset: usize) -> (usize, &'s str, usize) {
        let number = self.number(offset);
        let start = self.starts[number];
        let end = self.starts.get(number + 1).map_or(self.source.len(), |next| next - 1);
        let line = &self.source[start..end];
        let line = line.strip_suffix('\r').unwrap_or(line);
        (number, line, floor(line, offset.saturating_sub(start).min(line.len())))
    }
}
