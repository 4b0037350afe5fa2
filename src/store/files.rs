//! The configuration files that this database has seen (R6, R7).
//!
//! Owns which one is in force. The last good file is kept here, so that a broken file at start means: go on with the last good one.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::text::time;
use super::{Doing, Store, StoreError, Tx};

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Where it was.
    pub path: String,
    /// Its SHA-256.
    pub hash: String,
    /// What it said.
    pub text: String,
    /// Why it waits, if it does.
    pub why: Option<String>,
}

impl Store {
    /// The last good file.
    pub async fn file_in_force(&mut self) -> Result<Option<KeptFile>, StoreError> {
        self.kept("in_force").await
    }

    /// The file that waits for `accept`.
    pub async fn file_waiting(&mut self) -> Result<Option<KeptFile>, StoreError> {
        self.kept("waiting").await
    }

    async fn kept(&mut self, state: &str) -> Result<Option<KeptFile>, StoreError> {
        let row: Option<(String, String, String, Option<String>)> =
            sqlx::query_as("SELECT path, hash, text, why FROM config_file WHERE state = $1")
                .bind(state)
                .fetch_optional(&mut self.conn)
                .await
                .doing("reading the kept file")?;
        Ok(row.map(|(path, hash, text, why)| KeptFile { path, hash, text, why }))
    }

    /// The files that were in force before, newest first, as far as they are kept.
    pub async fn past_files(&mut self) -> Result<Vec<KeptFile>, StoreError> {
        let rows: Vec<(String, String, String, Option<String>)> =
            sqlx::query_as("SELECT path, hash, text, why FROM config_file WHERE state = 'past' ORDER BY id DESC")
                .fetch_all(&mut self.conn)
                .await
                .doing("reading the kept files")?;
        Ok(rows.into_iter().map(|(path, hash, text, why)| KeptFile { path, hash, text, why }).collect())
    }

    /// Keeps a file that waits for a person. Returns whether it is another one than waited before.
    pub async fn keep_waiting(&mut self, now: Timestamp, path: &str, text: &str, why: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin("keeping a file").await?;
        let same: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM config_file WHERE state = 'waiting' AND hash = $1 AND path = $2 AND why = $3")
                .bind(hash(text))
                .bind(path)
                .bind(why)
                .fetch_optional(&mut *tx)
                .await
                .doing("reading the kept file")?;
        if same.is_none() {
            keep(&mut tx, now, path, text, "waiting", Some(why)).await?;
        }
        super::commit(tx, "keeping a file").await?;
        Ok(same.is_none())
    }

    /// Nothing waits any more.
    pub async fn forget_waiting(&mut self) -> Result<(), StoreError> {
        sqlx::query("UPDATE config_file SET state = 'past' WHERE state = 'waiting'")
            .execute(&mut self.conn)
            .await
            .doing("dropping a waiting file")?;
        Ok(())
    }
}

/// Puts a file in force within the write that takes its entries.
pub(crate) async fn put_in_force(tx: &mut Tx<'_>, now: Timestamp, path: &str, text: &str) -> Result<(), StoreError> {
    let same: Option<i64> = sqlx::query_scalar("SELECT 1 FROM config_file WHERE state = 'in_force' AND hash = $1 AND path = $2")
        .bind(hash(text))
        .bind(path)
        .fetch_optional(&mut **tx)
        .await
        .doing("reading the kept file")?;
    if same.is_none() {
        keep(tx, now, path, text, "in_force", None).await?;
    }
    sqlx::query("UPDATE config_file SET state = 'past' WHERE state = 'waiting'")
        .execute(&mut **tx)
        .await
        .doing("dropping a waiting file")?;
    sqlx::query("UPDATE installation SET config_path = $1 WHERE config_path IS NOT $1")
        .bind(path)
        .execute(&mut **tx)
        .await
        .doing("keeping the file's path")?;
    // Twenty past files are enough to see what was edited; a file of 100,000 entries is not small.
    sqlx::query("DELETE FROM config_file WHERE state = 'past' AND id NOT IN (SELECT id FROM config_file WHERE state = 'past' ORDER BY id DESC LIMIT 20)")
        .execute(&mut **tx)
        .await
        .doing("dropping old files")?;
    Ok(())
}

async fn keep(tx: &mut Tx<'_>, now: Timestamp, path: &str, text: &str, state: &str, why: Option<&str>) -> Result<(), StoreError> {
    sqlx::query("UPDATE config_file SET state = 'past' WHERE state = $1")
        .bind(state)
        .execute(&mut **tx)
        .await
        .doing("keeping a file")?;
    sqlx::query("INSERT INTO config_file (path, hash, text, seen_at, state, why) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(path)
        .bind(hash(text))
        .bind(text)
        .bind(time(now))
        .bind(state)
        .bind(why)
        .execute(&mut **tx)
        .await
        .doing("keeping a file")?;
    Ok(())
}

fn hash(text: &str) -> String {
    super::audit::hex(&Sha256::digest(text))
}
