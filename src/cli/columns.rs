//! Tables that stay readable on a narrow terminal.
//!
//! Owns which columns may be broken: an order number cut in two can neither be copied nor searched for.

use comfy_table::{ColumnConstraint, Table, Width};

/// From this many columns on, a line holds a whole order with both of its numbers.
const WIDE: u16 = 112;

/// Whether a line holds a whole order; a pipe has no width.
pub(super) fn is_wide(table: &Table) -> bool {
    table.width().is_none_or(|width| width >= WIDE)
}

/// Keeps the cells of every column in one piece, but for those of `loose`, which hold sentences.
pub(super) fn keep_whole(table: &mut Table, loose: Option<usize>) {
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_constraint(if Some(index) == loose {
            ColumnConstraint::LowerBoundary(Width::Fixed(14)) // below this a sentence becomes a tower of letters
        } else {
            ColumnConstraint::ContentWidth
        });
    }
}
