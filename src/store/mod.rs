//! `SQLite`, through sqlx: the only room that knows SQL.
//!
//! Owns the database: opening it safely, and one function per intent, each one transaction. Never decides: what is written
//! was decided in `renewal/`. Every change and its audit row are committed together or not at all.

/// SQL: whether a status means that the order will never renew anything (`evidence::is_dead`).
macro_rules! dead {
    ($status:literal) => {
        concat!("lower(coalesce(", $status, ", '')) IN ('cancelled', 'failed', 'refunded', 'invalid')")
    };
}

/// An order of ours that was paid, and is not by its status: dead, or any other word, unless a person has said that it pays.
macro_rules! lost {
    ($status:literal, $matched_by:literal) => {
        concat!(
            "(",
            dead!($status),
            " OR coalesce(",
            $status,
            ", 'succeed') NOT LIKE 'succeed' AND coalesce(",
            $matched_by,
            ", '') <> 'person')"
        )
    };
}

/// The audit row `l` with which a person began the chain of which `t` is the first term.
macro_rules! begun {
    () => {
        "l.seq = (SELECT max(x.seq) FROM audit_log x WHERE x.subscription_id = t.subscription_id AND x.kind = 'chain.rebased')
         AND t.offset_months = 0 AND l.detail ->> '$.detail.to' = t.starts_on"
    };
}

/// The orders `p` of others that he counted then as what pays until `t`.
macro_rules! counted {
    () => {
        concat!(
            "FROM term t JOIN audit_log l ON ",
            begun!(),
            " JOIN json_each(l.detail, '$.detail.counted') c JOIN portal_order p ON p.account_id = 1 AND p.key = c.value AND p.attempt_id IS NULL"
        )
    };
}

/// Whether the order `p` is one that he can have counted, where nothing was named because nobody had read it yet: it can end on the first day of `t`
/// (`daemon/counted.rs`), was made before, and has ceased to be paid since.
macro_rules! could_count {
    () => {
        "json_array_length(l.detail, '$.detail.counted') = 0 AND p.created_at <= l.at AND p.unpaid_at >= l.at
         AND julianday(p.created_at) - 2 * julianday(t.starts_on) + julianday(t.ends_on)
             BETWEEN -min(62, (julianday(t.ends_on) - julianday(t.starts_on)) / 2) AND min(28, (julianday(t.ends_on) - julianday(t.starts_on)) / 4)"
    };
}

mod absence;
pub mod account;
mod added;
mod address;
pub mod attempts;
pub mod audit;
mod bulk;
pub mod commands;
pub mod committed;
mod counted;
pub mod details;
pub mod ends;
pub mod files;
pub mod firsts;
pub mod found;
pub mod learned;
mod links;
pub mod listed;
pub mod mirror;
pub mod moves;
pub mod nature;
pub mod notices;
mod numbered;
pub mod open;
pub mod outbox;
pub mod outstanding;
pub mod own;
pub mod reports;
pub mod roster;
pub mod terms;
pub(crate) mod text;
pub mod unheard;
pub mod waits;

#[cfg(test)]
mod tests;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Sqlite, Transaction};

pub use open::{OpenError, Opening};

/// A write that is not yet on the disk.
pub(crate) type Tx<'a> = Transaction<'a, Sqlite>;

/// The open database. One connection: a second writer inside the process would only wait for the first.
#[derive(Debug)]
pub struct Store {
    pub(crate) conn: SqliteConnection,
    path: std::path::PathBuf,
    opening: Opening,
}

/// The database did not do what was asked. Nothing of the failed step was kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite` or sqlx refused.
    #[error("the database failed while {doing}: {source}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// What `SQLite` said.
        source: sqlx::Error,
    },
    /// A stored value does not read back: someone else wrote here, or a newer program did.
    #[error("the database holds {what}, which this program cannot read; restore a backup or use the program that wrote it")]
    Unreadable {
        /// Which value, and where.
        what: String,
    },
}

/// Names the step for a failed statement.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { doing, source })
    }
}

impl Store {
    /// Begins a write. IMMEDIATE, because a deferred one fails with `BUSY_SNAPSHOT` instead of waiting (sqlite.org/isolation.html).
    pub(crate) async fn begin(&mut self, doing: &'static str) -> Result<Tx<'_>, StoreError> {
        #[cfg(test)]
        simulated(doing)?;
        self.conn.begin_with("BEGIN IMMEDIATE").await.doing(doing)
    }
}

/// Ends a write. Never under a timeout: a dropped commit may have happened.
pub(crate) async fn commit(tx: Tx<'_>, doing: &'static str) -> Result<(), StoreError> {
    #[cfg(test)]
    simulated(doing)?;
    tx.commit().await.doing(doing)?;
    #[cfg(test)]
    crate::simulation::crash::point().await;
    Ok(())
}

/// Where the simulation lets the disk fail.
#[cfg(test)]
fn simulated(doing: &'static str) -> Result<(), StoreError> {
    let full = || StoreError::Sqlite { doing, source: sqlx::Error::Io(std::io::ErrorKind::StorageFull.into()) };
    if crate::simulation::crash::write_fails() { Err(full()) } else { Ok(()) }
}
