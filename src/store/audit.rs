//! The audit log: append-only, each row chained to the one before by a hash.
//!
//! Owns the form that is hashed, so that anyone can recompute it: `sha256(previous hash, newline, length, newline, row)`, where
//! the row is a JSON array of its columns in order. Never updates, never deletes; triggers refuse both.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::text::time;
use super::{Doing, Store, StoreError, Tx, bulk};

/// The hash before the first row.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One thing that happened.
#[derive(Debug, Clone, Default)]
pub struct Happened {
    /// A word of docs/states.md, such as `attempt.placed`.
    pub kind: &'static str,
    /// The subscription, if it concerns one.
    pub subscription: Option<i64>,
    /// Its label at the time.
    pub renewal: Option<String>,
    /// The `poNumber` of the attempt.
    pub po_number: Option<String>,
    /// The portal's order number.
    pub order_no: Option<String>,
    /// The portal's transaction number.
    pub transaction_no: Option<String>,
    /// Everything else.
    pub detail: Value,
}

/// One stored row, for export and verification.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct AuditRow {
    /// Running number, from 1.
    pub seq: i64,
    /// When.
    pub at: String,
    /// What kind of event.
    pub kind: String,
    /// The subscription's row.
    pub subscription_id: Option<i64>,
    /// Its label at the time.
    pub renewal: Option<String>,
    /// `poNumber`
    pub po_number: Option<String>,
    /// `orderNo`
    pub order_no: Option<String>,
    /// `transactionNo`
    pub transaction_no: Option<String>,
    /// JSON.
    pub detail: String,
    /// This row's link of the chain.
    pub hash: String,
}

impl AuditRow {
    /// The hash that this row must have after `previous`.
    pub fn expected_hash(&self, previous: &str) -> String {
        let row = json!([
            self.at,
            self.kind,
            self.subscription_id,
            self.renewal,
            self.po_number,
            self.order_no,
            self.transaction_no,
            self.detail
        ])
        .to_string();
        let mut hasher = Sha256::new();
        hasher.update(format!("{previous}\n{}\n{row}", row.len()));
        hex(&hasher.finalize())
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Appends `events` within `tx`.
pub(crate) async fn append(tx: &mut Tx<'_>, now: Timestamp, events: Vec<Happened>) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let head: Option<String> = sqlx::query_scalar("SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **tx)
        .await
        .doing("reading the head of the audit log")?;
    let mut previous = head.unwrap_or_else(|| GENESIS.to_owned());
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let row = linked(event, now, &previous);
        previous.clone_from(&row.hash);
        rows.push(row);
    }
    insert(tx, &rows).await
}

fn linked(event: Happened, now: Timestamp, previous: &str) -> AuditRow {
    let mut row = AuditRow {
        seq: 0,
        at: time(now),
        kind: event.kind.to_owned(),
        subscription_id: event.subscription,
        renewal: event.renewal,
        po_number: event.po_number,
        order_no: event.order_no,
        transaction_no: event.transaction_no,
        detail: event.detail.to_string(),
        hash: String::new(),
    };
    row.hash = row.expected_hash(previous);
    row
}

/// Some hundred rows in one statement: a file of 100,000 entries is synced in one commit.
async fn insert(tx: &mut Tx<'_>, rows: &[AuditRow]) -> Result<(), StoreError> {
    let into = "INSERT INTO audit_log (at, kind, subscription_id, renewal, po_number, order_no, transaction_no, detail, hash) ";
    bulk::insert(tx, into, rows, "writing the audit log", |row, event| {
        row.push_bind(&event.at).push_bind(&event.kind).push_bind(event.subscription_id);
        row.push_bind(&event.renewal).push_bind(&event.po_number).push_bind(&event.order_no);
        row.push_bind(&event.transaction_no).push_bind(&event.detail).push_bind(&event.hash);
    })
    .await
}

/// What is wrong with the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The first row whose hash does not follow from the row before.
    pub seq: i64,
    /// What was found there.
    pub what: String,
}

/// Checks `rows`, which begin at the genesis, and returns the head hash.
pub fn verify_chain(rows: &[AuditRow]) -> Result<String, Broken> {
    let mut previous = GENESIS.to_owned();
    for (number, row) in (1i64..).zip(rows) {
        if row.seq != number {
            return Err(Broken { seq: row.seq, what: format!("row {number} is missing") });
        }
        if row.hash != row.expected_hash(&previous) {
            return Err(Broken { seq: row.seq, what: "the row or one before it was changed".to_owned() });
        }
        previous.clone_from(&row.hash);
    }
    Ok(previous)
}

impl Store {
    /// Every row, oldest first.
    pub async fn audit_rows(&mut self) -> Result<Vec<AuditRow>, StoreError> {
        sqlx::query_as(
            "SELECT seq, at, kind, subscription_id, renewal, po_number, order_no, transaction_no, detail, hash FROM audit_log ORDER BY seq",
        )
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the audit log")
    }

    /// Appends one event on its own.
    pub async fn record(&mut self, now: Timestamp, event: Happened) -> Result<(), StoreError> {
        let mut tx = self.begin("writing the audit log").await?;
        append(&mut tx, now, vec![event]).await?;
        super::commit(tx, "writing the audit log").await
    }
}

impl Store {
    /// The hash of row `seq`, if there is one.
    pub async fn audit_hash(&mut self, seq: i64) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT hash FROM audit_log WHERE seq = $1")
            .bind(seq)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading the audit log")
    }

    /// The number and the hash of the newest row.
    pub async fn audit_tip(&mut self) -> Result<(i64, String), StoreError> {
        let tip: Option<(i64, String)> = sqlx::query_as("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading the head of the audit log")?;
        Ok(tip.unwrap_or_else(|| (0, GENESIS.to_owned())))
    }

    /// The rows about one subscription, oldest first.
    pub async fn audit_of(&mut self, subscription: i64) -> Result<Vec<AuditRow>, StoreError> {
        sqlx::query_as(
            "SELECT seq, at, kind, subscription_id, renewal, po_number, order_no, transaction_no, detail, hash FROM audit_log
             WHERE subscription_id = $1 ORDER BY seq",
        )
        .bind(subscription)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the audit log")
    }
}
