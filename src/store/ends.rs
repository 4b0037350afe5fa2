//! What became of attempts, as their answers said: recorded with everything that follows, in one commit.

use jiff::Timestamp;

use super::moves::{Write, within};
use super::text::{optional_time, time};
use super::{Doing, Store, StoreError, Tx, commit};
use crate::portal::outcome::{NotPlaced, Outcome, Placed, Unknown};

/// What became of an attempt, and what follows for its term.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The attempt's row.
    pub attempt: i64,
    /// What the answer proved.
    pub outcome: Outcome,
    /// The portal's `Date` of the answer.
    pub portal_date: Option<Timestamp>,
    /// What follows.
    pub write: Write,
}

impl Store {
    /// Records what became of a batch, with its audit rows, in one commit.
    pub async fn record_ends(&mut self, now: Timestamp, ends: Vec<Ended>) -> Result<(), StoreError> {
        let mut tx = self.begin("recording answers").await?;
        let mut writes = Write::default();
        for end in ends {
            end_attempt(&mut tx, now, end.attempt, &end.outcome, end.portal_date).await?;
            writes.moves.extend(end.write.moves);
            writes.events.extend(end.write.events);
            writes.messages.extend(end.write.messages);
        }
        within(&mut tx, now, writes).await?;
        commit(tx, "recording answers").await
    }
}

async fn end_attempt(
    tx: &mut Tx<'_>,
    now: Timestamp,
    attempt: i64,
    outcome: &Outcome,
    portal: Option<Timestamp>,
) -> Result<(), StoreError> {
    match outcome {
        Outcome::Placed(placed) => end_placed(tx, now, attempt, placed, portal).await,
        Outcome::NotPlaced(no) => end_otherwise(tx, now, attempt, "not_placed", &no.into(), portal).await,
        Outcome::Unknown(unknown) => end_otherwise(tx, now, attempt, "unknown", &unknown.into(), portal).await,
    }
}

async fn end_placed(
    tx: &mut Tx<'_>,
    now: Timestamp,
    attempt: i64,
    placed: &Placed,
    portal: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE attempt SET state = 'placed', ended_at = $2, ended_portal = $3, settled_at = $2, matched_by = 'answer', request_id = $4, order_no = $5,
                transaction_no = $6, order_id = $7, instance_id = $8, order_status = $9, product_no = $10, answer = $11, http_status = 200
         WHERE id = $1",
    )
    .bind(attempt)
    .bind(time(now))
    .bind(optional_time(portal))
    .bind(&placed.request_id)
    .bind(&placed.order_no)
    .bind(&placed.transaction_no)
    .bind(&placed.order_id)
    .bind(&placed.instance_id)
    .bind(&placed.order_status)
    .bind(&placed.product_no)
    .bind(&placed.raw)
    .execute(&mut **tx)
    .await
    .doing("recording an order")?;
    Ok(())
}

/// What an answer other than a success left behind.
struct Failure<'a> {
    message: &'a str,
    code: Option<&'a str>,
    http_status: Option<u16>,
    request_id: Option<&'a str>,
    raw: Option<&'a str>,
}

impl<'a> From<&'a Box<NotPlaced>> for Failure<'a> {
    fn from(no: &'a Box<NotPlaced>) -> Self {
        Self {
            message: &no.message,
            code: no.code.as_deref(),
            http_status: no.http_status,
            request_id: no.request_id.as_deref(),
            raw: no.raw.as_deref(),
        }
    }
}

impl<'a> From<&'a Box<Unknown>> for Failure<'a> {
    fn from(it: &'a Box<Unknown>) -> Self {
        Self {
            message: &it.message,
            code: it.code.as_deref(),
            http_status: it.http_status,
            request_id: it.request_id.as_deref(),
            raw: it.raw.as_deref(),
        }
    }
}

async fn end_otherwise(
    tx: &mut Tx<'_>,
    now: Timestamp,
    attempt: i64,
    state: &str,
    failure: &Failure<'_>,
    portal: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE attempt SET state = $2, ended_at = $3, ended_portal = $4, message = $5, code = $6, http_status = $7, request_id = $8, answer = $9 WHERE id = $1",
    )
    .bind(attempt)
    .bind(state)
    .bind(time(now))
    .bind(optional_time(portal))
    .bind(failure.message)
    .bind(failure.code)
    .bind(failure.http_status.map(i64::from))
    .bind(failure.request_id)
    .bind(failure.raw)
    .execute(&mut **tx)
    .await
    .doing("recording an answer")?;
    Ok(())
}
