//! Many rows in one statement.
//!
//! Owns how many: a statement for each row costs a hop to the connection's thread, and one `json_each` for all of them writes and parses every
//! object again for each of its columns. Never begins or ends a transaction.

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite};

use super::{Doing, StoreError, Tx};

/// With at most 13 columns it stays well below the 32,766 parameters that a statement may have (sqlite.org/limits.html).
const ROWS: usize = 500;

/// Inserts `rows` in their order. `into` is the statement up to `VALUES`; `bind` gives the columns of one row.
pub(crate) async fn insert<T>(
    tx: &mut Tx<'_>,
    into: &'static str,
    rows: &[T],
    doing: &'static str,
    bind: impl Fn(&mut Separated<'_, Sqlite, &'static str>, &T),
) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS) {
        let mut query = QueryBuilder::new(into);
        query.push_values(rows, |mut row, value| bind(&mut row, value));
        // Only what comes again is kept prepared: each count of rows is a statement of its own.
        query.build().persistent(matches!(rows.len(), 1 | ROWS)).execute(&mut **tx).await.doing(doing)?;
    }
    Ok(())
}
