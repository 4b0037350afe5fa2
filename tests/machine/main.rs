//! Faults of the machine: what becomes of the real binary, its database and its orders when the disk is full, the database is locked,
//! damaged, deleted or read-only, descriptors run out, or the clock is wrong.
//!
//! Each ends in a message that says what happened and what to do, in no order that the database does not have, and, when the fault is
//! gone, in one order. docs/promise.md has the list.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, also in its helpers")]

#[path = "../cli/support.rs"]
#[allow(dead_code, unfulfilled_lint_expectations, reason = "shared with the tests of the command line, which need more of it")]
mod support;

mod clock;
mod damaged;
mod deleted;
mod descriptors;
mod full;
mod hang;
mod locked;
mod read_only;
mod rows;
mod scene;
