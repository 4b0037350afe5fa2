//! What a failure of the database says about the rest of it.
//!
//! Owns telling a machine in trouble (a full disk, a lock) from a bad row and from a bad file. Never tries anything again itself.

use super::StoreError;

/// How far a failure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Locked by another program, no room, no descriptors, not writable: it may work again in a moment.
    Passing,
    /// One stored value or row: the others are as good as before.
    OneRow,
    /// The file is damaged or is no database: trying again does not help.
    Lasting,
}

/// Primary result codes of `SQLite` (sqlite.org/rescode.html) that pass when the machine is well again: BUSY, LOCKED, NOMEM, READONLY,
/// INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
const PASSING: [i64; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];
/// TOOBIG, CONSTRAINT, MISMATCH; and ERROR, which is what a stored text that is no JSON ends in.
const ONE_ROW: [i64; 4] = [18, 19, 20, 1];
/// BUSY and LOCKED.
const LOCKED: [i64; 2] = [5, 6];

impl StoreError {
    /// How far this failure reaches.
    pub fn nature(&self) -> Nature {
        match self {
            Self::Unreadable { .. } => Nature::OneRow,
            Self::Sqlite { source, .. } => of(source),
        }
    }
}

fn of(error: &sqlx::Error) -> Nature {
    match (error, primary_code(error)) {
        // The last two: what a failed write left of the connection. A new one is well (`Store::reconnect`).
        (sqlx::Error::Io(_) | sqlx::Error::InvalidSavePointStatement | sqlx::Error::WorkerCrashed, _) => Nature::Passing,
        (_, Some(code)) if PASSING.contains(&code) => Nature::Passing,
        (_, Some(code)) if ONE_ROW.contains(&code) => Nature::OneRow,
        (sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_), _) => Nature::OneRow,
        _ => Nature::Lasting,
    }
}

/// Another program holds the database.
pub(crate) fn is_locked(error: &sqlx::Error) -> bool {
    primary_code(error).is_some_and(|code| LOCKED.contains(&code))
}

/// The low byte of an extended result code.
fn primary_code(error: &sqlx::Error) -> Option<i64> {
    error.as_database_error()?.code()?.parse::<i64>().ok().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Doing as _, Opening, Store};

    #[tokio::test]
    async fn a_lock_passes_a_constraint_is_one_row_and_a_damaged_file_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renewd.db");
        let mut store = Store::open(&path, Opening::Create).await.unwrap();
        let mut other = Store::open(&path, Opening::Existing).await.unwrap();
        sqlx::query("PRAGMA busy_timeout = 0").execute(&mut other.conn).await.unwrap();
        let held = store.begin("holding it").await.unwrap();
        let locked = other.begin("waiting for it").await.unwrap_err();
        assert_eq!(locked.nature(), Nature::Passing, "{locked}");
        drop(held);
        let twice = "INSERT INTO account (id, uid, base_url) VALUES (1, 'a', 'b'), (1, 'a', 'b')";
        let refused = sqlx::query(twice).execute(&mut store.conn).await.doing("inserting").unwrap_err();
        assert_eq!(refused.nature(), Nature::OneRow, "{refused}");
        let bad = folder.path().join("bad.db");
        std::fs::write(&bad, [7u8; 8192]).unwrap();
        let damaged = Store::open(&bad, Opening::Existing).await.unwrap_err();
        let crate::store::OpenError::Unreadable { source, .. } = damaged else { panic!("{damaged}") };
        assert_eq!(of(&source), Nature::Lasting, "{source}");
    }
}
