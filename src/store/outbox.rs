//! The outbox: what people are to be told (R27), and the channels that were found to work.
//!
//! Owns that a message is committed with what it is about, and that the same cause is told at most once an hour. Never delivers.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::text::{read_optional_time, time};
use super::{Doing, Store, StoreError, Tx, commit};

/// Something for people: what happened, to what, by when it matters, and the command to run (R27).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same cause is told at most once an hour.
    pub cause: String,
    /// The label of the renewal, if it concerns one.
    pub renewal: Option<String>,
    /// What happened, in a sentence.
    pub what: String,
    /// When it matters.
    pub by: Option<Timestamp>,
    /// What to run.
    pub command: Option<String>,
}

impl Message {
    /// R8, R9: nothing is ordered before a person has looked at the database.
    pub(super) fn of_doubt(why: &str) -> Self {
        Self {
            cause: "doubt".to_owned(),
            renewal: None,
            what: format!("nothing is ordered: {why}"),
            by: None,
            command: Some("renewd accept".to_owned()),
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its row.
    pub id: i64,
    /// JSON.
    pub body: String,
    /// Failed tries so far.
    pub tries: u32,
}

/// The same cause is told at most once an hour: what is not yet sent is replaced, what was just sent delays the next.
const SAME_CAUSE: SignedDuration = SignedDuration::from_hours(1);

impl Store {
    /// R27: whether the channels with this fingerprint were once tried and worked.
    pub async fn channels_work(&mut self, fingerprint: &str) -> Result<bool, StoreError> {
        let tested: Option<i64> = sqlx::query_scalar("SELECT 1 FROM channels_tested WHERE fingerprint = $1")
            .bind(fingerprint)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading which channels work")?;
        Ok(tested.is_some())
    }

    /// R27: the channels with this fingerprint were tried and work.
    pub async fn keep_channels(&mut self, fingerprint: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO channels_tested (fingerprint, at) VALUES ($1, $2) ON CONFLICT DO UPDATE SET at = excluded.at")
            .bind(fingerprint)
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("keeping the channels")?;
        Ok(())
    }

    /// Puts messages into the outbox on their own.
    pub async fn tell(&mut self, now: Timestamp, messages: &[Message]) -> Result<(), StoreError> {
        let mut tx = self.begin("writing to the outbox").await?;
        post(&mut tx, now, messages).await?;
        commit(tx, "writing to the outbox").await
    }

    /// Messages whose time has come, oldest first.
    pub async fn outgoing(&mut self, now: Timestamp, most: u32) -> Result<Vec<Outgoing>, StoreError> {
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT id, body, tries FROM outbox WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at, id LIMIT +$2",
        )
        .bind(time(now))
        .bind(most)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the outbox")?;
        Ok(rows
            .into_iter()
            .map(|(id, body, tries)| Outgoing { id, body, tries: u32::try_from(tries).unwrap_or(u32::MAX) })
            .collect())
    }

    /// A message was delivered, or there is nobody to tell. One whose words have changed while it was on its way stays, and is sent again.
    pub async fn delivered(&mut self, sent: &Outgoing, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET next_at = NULL, sent_at = $2 WHERE id = $1 AND body = $3")
            .bind(sent.id)
            .bind(time(now))
            .bind(&sent.body)
            .execute(&mut self.conn)
            .await
            .doing("noting a delivery")?;
        Ok(())
    }

    /// A message was not delivered; it is tried again at `next`.
    pub async fn undelivered(&mut self, id: i64, next: Timestamp, error: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET next_at = $2, tries = tries + 1, last_error = $3 WHERE id = $1")
            .bind(id)
            .bind(time(next))
            .bind(error)
            .execute(&mut self.conn)
            .await
            .doing("noting a failed delivery")?;
        Ok(())
    }
}

/// Puts messages into the outbox within a larger write.
pub(crate) async fn post(tx: &mut Tx<'_>, now: Timestamp, messages: &[Message]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let head: Option<String> = sqlx::query_scalar("SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **tx)
        .await
        .doing("reading the head of the audit log")?;
    for message in messages {
        let body = body_of(message, now, head.as_deref());
        let replaced =
            sqlx::query("UPDATE outbox SET body = $2, created_at = $3 WHERE cause = $1 AND next_at IS NOT NULL AND tries = 0")
                .bind(&message.cause)
                .bind(&body)
                .bind(time(now))
                .execute(&mut **tx)
                .await
                .doing("writing to the outbox")?;
        if replaced.rows_affected() == 0 {
            insert_message(tx, now, message, &body).await?;
        }
    }
    Ok(())
}

async fn insert_message(tx: &mut Tx<'_>, now: Timestamp, message: &Message, body: &str) -> Result<(), StoreError> {
    let last: Option<String> = sqlx::query_scalar("SELECT max(sent_at) FROM outbox WHERE cause = $1 AND sent_at <= $2")
        .bind(&message.cause)
        .bind(time(now))
        .fetch_one(&mut **tx)
        .await
        .doing("reading the outbox")?;
    let earliest = read_optional_time(last.as_deref())?.and_then(|sent| sent.checked_add(SAME_CAUSE).ok());
    sqlx::query("INSERT INTO outbox (created_at, cause, renewal, body, next_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(time(now))
        .bind(&message.cause)
        .bind(&message.renewal)
        .bind(body)
        .bind(time(earliest.map_or(now, |at| at.max(now))))
        .execute(&mut **tx)
        .await
        .doing("writing to the outbox")?;
    Ok(())
}

/// The head of the audit log goes along: whoever keeps the message can tell later whether the log was rewritten.
/// How a message travels.
pub(crate) fn body_of(message: &Message, now: Timestamp, head: Option<&str>) -> String {
    json!({
        "at": time(now),
        "cause": message.cause,
        "renewal": message.renewal,
        "what": message.what,
        "by": message.by.map(time),
        "command": message.command,
        "audit_head": head,
    })
    .to_string()
}
