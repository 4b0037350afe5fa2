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

#[cfg(test)]
mod tests {
    use comfy_table::ContentArrangement;

    use super::*;

    #[test]
    fn a_narrow_terminal_breaks_sentences_and_no_order_number() {
        for width in [0, 1, 40, 80] {
            let mut table = Table::new();
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            table
                .set_header(["order", "why"])
                .add_row(["UF3400820771620548113", "the first order of its kind goes alone, and the others wait"]);
            keep_whole(&mut table, Some(1));
            let drawn = table.to_string();
            assert!(drawn.contains("UF3400820771620548113") && drawn.contains("the first"), "{width}: {drawn}");
        }
    }
}
