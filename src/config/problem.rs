//! What is wrong, while the file is being read: a place in bytes and words, nothing drawn yet.
//!
//! Owns collecting. Never stops at the first problem, never shows anything: `diagnostic.rs` does.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ops::Range;

/// Bytes of the source, from `start` up to `end`. Like `Range<usize>`, but can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken; a person should look.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub severity: Severity,
    pub span: Span,
    pub title: String,
    pub label: String,
    pub help: String,
    /// The rest of the line may be a secret and must not be shown.
    pub hide_rest: bool,
    /// Something is not there; where TOML itself is broken nearby, that is why, and this is not worth saying.
    pub absence: bool,
}

impl Problem {
    pub fn error(span: impl Into<Span>, title: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span: span.into(),
            title: title.into(),
            label: String::new(),
            help: String::new(),
            hide_rest: false,
            absence: false,
        }
    }

    pub fn warning(span: impl Into<Span>, title: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, title) }
    }

    /// What stands at the caret.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// The remedy.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    pub fn hide_rest(self) -> Self {
        Self { hide_rest: true, ..self }
    }

    pub fn absence(self) -> Self {
        Self { absence: true, ..self }
    }
}

/// Everything found so far. Shared by all readers of one file, hence the cells.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: RefCell<Vec<Problem>>,
    /// What has been said of which place: a wrong default is met again in every entry that inherits it.
    said: RefCell<HashSet<(Span, String)>>,
    errors: Cell<usize>,
}

impl Problems {
    pub fn add(&self, problem: Problem) {
        if !self.said.borrow_mut().insert((problem.span, problem.title.clone())) {
            return;
        }
        if problem.severity == Severity::Error {
            self.errors.set(self.errors.get() + 1);
        }
        self.found.borrow_mut().push(problem);
    }

    pub fn has_errors(&self) -> bool {
        self.errors.get() > 0
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.found.into_inner()
    }
}
