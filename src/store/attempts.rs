//! Attempts: intents committed before a byte leaves (R10), and what became of them.
//!
//! Owns the only place where a [`Committed`] is made. Never sends.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::audit::{self, Happened};
use super::committed::Committed;
use super::terms::{Write, within};
use super::text::{optional_time, read_optional_time, read_time, time};
use super::{Doing, Store, StoreError, Tx, commit};
use crate::portal::outcome::{NotPlaced, Outcome, Placed, Unknown};
use crate::renewal::typed::typed;
use crate::rules::{Rule, kept};

/// An attempt that may exist at the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its row.
    pub id: i64,
    /// Its `poNumber`.
    pub po_number: String,
    /// Whether the portal has confirmed it.
    pub placed: bool,
    /// R10: the newest row of the mirror just before.
    pub fence_mark: i64,
    /// When its intent was committed.
    pub created_at: Timestamp,
    /// When its call ended, by our clock.
    pub ended_at: Option<Timestamp>,
    /// When its call ended, by the portal's.
    pub ended_portal: Option<Timestamp>,
    /// R19 c: the first read on which every order since the fence was explained, by our clock.
    pub absent_at: Option<Timestamp>,
    /// The same by the portal's clock.
    pub absent_portal: Option<Timestamp>,
    /// `orderNo`
    pub order_no: Option<String>,
    /// `orderId`
    pub order_id: Option<String>,
    /// The last known `orderStatus`.
    pub order_status: Option<String>,
    /// `transactionNo`
    pub transaction_no: Option<String>,
    /// R14.
    pub request_hash: String,
    /// R21, R22: nothing else was in flight.
    pub alone: bool,
}

/// [`Attempt`] as `SQLite`'s `json_object` writes it.
#[derive(serde::Deserialize)]
pub(crate) struct AttemptRow {
    id: i64,
    po_number: String,
    state: String,
    fence_mark: i64,
    created_at: String,
    ended_at: Option<String>,
    ended_portal: Option<String>,
    absent_at: Option<String>,
    absent_portal: Option<String>,
    order_no: Option<String>,
    order_id: Option<String>,
    order_status: Option<String>,
    transaction_no: Option<String>,
    request_hash: String,
    alone: i64,
}

impl AttemptRow {
    pub(crate) fn read(self) -> Result<Attempt, StoreError> {
        Ok(Attempt {
            id: self.id,
            po_number: self.po_number,
            placed: self.state == "placed",
            fence_mark: self.fence_mark,
            created_at: read_time(&self.created_at)?,
            ended_at: read_optional_time(self.ended_at.as_deref())?,
            ended_portal: read_optional_time(self.ended_portal.as_deref())?,
            absent_at: read_optional_time(self.absent_at.as_deref())?,
            absent_portal: read_optional_time(self.absent_portal.as_deref())?,
            order_no: self.order_no,
            order_id: self.order_id,
            order_status: self.order_status,
            transaction_no: self.transaction_no,
            request_hash: self.request_hash,
            alone: self.alone == 1,
        })
    }
}

/// What the portal's order list held just before a batch (R10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The newest row of the mirror.
    pub mark: i64,
    /// `total` of the list.
    pub total: Option<i64>,
    /// When the list was read.
    pub at: Timestamp,
}

/// One order about to be sent.
#[derive(Debug, Clone)]
pub struct Intent {
    /// The term's row.
    pub term: i64,
    /// The subscription's row.
    pub subscription: i64,
    /// Its label.
    pub renewal: String,
    /// Unique for ever.
    pub po_number: String,
    /// The exact body.
    pub body: Bytes,
    /// What is bought (R14).
    pub request_hash: String,
    /// Product, partner and serial.
    pub looks_like: String,
    /// What the limits count (R12).
    pub quantity: u64,
    /// The day it counts on (R12).
    pub civil_day: Date,
    /// R21, R22: nothing else is in flight.
    pub alone: bool,
    /// Ordered after its deadline, within its grace, or after the time it was due because the daemon was down.
    pub late: bool,
}

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

/// How much was ordered on one civil day (R12): unknown attempts count too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Attempts that were or may have been sent and are not proven not placed.
    pub orders: u64,
    /// Their quantities.
    pub quantity: u64,
}

impl Store {
    /// Commits the intents of one batch and hands out, for each, the proof without which nothing can be sent.
    pub async fn commit_intents(
        &mut self,
        now: Timestamp,
        fence: Fence,
        intents: Vec<Intent>,
    ) -> Result<Vec<Committed>, StoreError> {
        let mut tx = self.begin("committing intents").await?;
        let mut events = Vec::with_capacity(intents.len());
        let mut committed = Vec::with_capacity(intents.len());
        for intent in intents {
            let id = insert_attempt(&mut tx, now, fence, &intent).await?;
            to_ordering(&mut tx, now, &intent).await?;
            events.push(intent_event(&intent));
            committed.push((id, intent.body));
        }
        audit::append(&mut tx, now, events).await?;
        commit(tx, "committing intents").await?;
        Ok(committed.into_iter().map(|(id, body)| Committed::new(id, body)).collect())
    }

    /// Records what became of a batch, with its audit rows, in one commit.
    pub async fn record_ends(&mut self, now: Timestamp, ends: Vec<Ended>) -> Result<(), StoreError> {
        let mut tx = self.begin("recording answers").await?;
        for end in ends {
            end_attempt(&mut tx, now, end.attempt, &end.outcome, end.portal_date).await?;
            within(&mut tx, now, end.write).await?;
        }
        commit(tx, "recording answers").await
    }

    /// Attempts that were open when the process died: nobody knows whether they were sent, so each is unknown. Returns their labels.
    pub async fn open_becomes_unknown(&mut self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut tx = self.begin("recovering open attempts").await?;
        let rows: Vec<(i64, i64, i64, String, String)> = sqlx::query_as(
            "SELECT a.id, t.id, s.id, s.name, a.po_number FROM attempt a JOIN term t ON t.id = a.term_id
             JOIN subscription s ON s.id = t.subscription_id WHERE a.state = 'open'",
        )
        .fetch_all(&mut *tx)
        .await
        .doing("reading open attempts")?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut names = Vec::with_capacity(rows.len());
        let mut events = Vec::with_capacity(rows.len());
        for (attempt, term, subscription, name, po_number) in rows {
            if !kept(Rule::R10) {
                forget(&mut tx, now, attempt, term).await?;
                continue;
            }
            interrupt(&mut tx, now, attempt, term, &name).await?;
            events.push(Happened {
                kind: "attempt.interrupted",
                subscription: Some(subscription),
                renewal: Some(name.clone()),
                po_number: Some(po_number),
                detail: json!({"why": "the daemon stopped between the intent and the answer"}),
                ..Happened::default()
            });
            names.push(name);
        }
        audit::append(&mut tx, now, events).await?;
        commit(tx, "recovering open attempts").await?;
        Ok(names)
    }

    /// R19 c: notes the first read on which every order since the fence was explained, or that it no longer holds.
    pub async fn note_absence(
        &mut self,
        attempt: i64,
        at: Option<Timestamp>,
        portal: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE attempt SET absent_at = $2, absent_portal = $3 WHERE id = $1")
            .bind(attempt)
            .bind(optional_time(at))
            .bind(optional_time(portal))
            .execute(&mut self.conn)
            .await
            .doing("noting an absence")?;
        Ok(())
    }

    /// When an attempt ended, by our clock and by the portal's, as far as evidence may count from it (R20).
    pub async fn note_end(&mut self, attempt: i64, at: Timestamp, portal: Option<Timestamp>) -> Result<(), StoreError> {
        sqlx::query("UPDATE attempt SET ended_at = $2, ended_portal = $3 WHERE id = $1")
            .bind(attempt)
            .bind(time(at))
            .bind(optional_time(portal))
            .execute(&mut self.conn)
            .await
            .doing("noting the end of an attempt")?;
        Ok(())
    }

    /// An unknown attempt turned out to be this order.
    pub async fn found(&mut self, now: Timestamp, attempt: i64, order: &FoundOrder, write: Write) -> Result<(), StoreError> {
        let mut tx = self.begin("recording a found order").await?;
        sqlx::query(
            "UPDATE attempt SET state = 'placed', order_no = $2, order_id = $3, order_status = $4, matched_by = $5,
                    transaction_no = coalesce(transaction_no, $6), settled_at = $7 WHERE id = $1 AND state IN ('unknown', 'not_placed')",
        )
        .bind(attempt)
        .bind(&order.order_no)
        .bind(&order.order_id)
        .bind(&order.status)
        .bind(order.matched_by)
        .bind(&order.transaction_no)
        .bind(time(now))
        .execute(&mut *tx)
        .await
        .doing("recording a found order")?;
        sqlx::query("UPDATE portal_order SET attempt_id = $1 WHERE account_id = 1 AND key = $2")
            .bind(attempt)
            .bind(&order.key)
            .execute(&mut *tx)
            .await
            .doing("recording a found order")?;
        within(&mut tx, now, write).await?;
        wake_waiting(&mut tx, now).await?;
        commit(tx, "recording a found order").await
    }

    /// R21: of the attempts with these `poNumber`s, those that are held not to exist and that the mirror shows all the same.
    pub async fn late_orders(&mut self, po_numbers: &[String]) -> Result<Vec<LateOrder>, StoreError> {
        sqlx::query_as(
            "SELECT a.id AS attempt, a.term_id AS term, s.id AS subscription, s.name AS renewal, a.po_number,
                    p.key, p.order_no, p.portal_id AS order_id, p.status
             FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             JOIN portal_order p ON p.attempt_id IS NULL AND (instr(p.row, a.po_number) OR instr(coalesce(p.detail, ''), a.po_number))
             WHERE a.po_number IN (SELECT value FROM json_each($1)) AND a.state IN ('not_placed', 'cancelled')",
        )
        .bind(super::text::json(&po_numbers)?)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for orders that turned up late")
    }

    /// R21: records such an order, as the term's (`counts`) or beside it, and pauses the account. One commit.
    pub async fn take_late(
        &mut self,
        now: Timestamp,
        attempt: i64,
        order: &FoundOrder,
        counts: bool,
        why: &str,
        write: Write,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("recording an order that turned up late").await?;
        sqlx::query(
            "UPDATE attempt SET state = $6, order_no = $2, order_id = $3, order_status = $4, matched_by = $5, settled_at = $7 WHERE id = $1",
        )
        .bind(attempt)
        .bind(&order.order_no)
        .bind(&order.order_id)
        .bind(&order.status)
        .bind(order.matched_by)
        .bind(if counts { "placed" } else { "void" })
        .bind(time(now))
        .execute(&mut *tx)
        .await
        .doing("recording an order that turned up late")?;
        sqlx::query("UPDATE portal_order SET attempt_id = $1 WHERE account_id = 1 AND key = $2")
            .bind(attempt)
            .bind(&order.key)
            .execute(&mut *tx)
            .await
            .doing("recording an order that turned up late")?;
        within(&mut tx, now, write).await?;
        super::account::pause_within(&mut tx, now, Some(why), "renewd").await?;
        commit(tx, "recording an order that turned up late").await
    }

    /// An undecided or placed attempt leaves the index: proven absent (`not_placed`), or set aside by a person (`void`).
    pub async fn set_aside(&mut self, now: Timestamp, attempt: i64, to: SetAside, write: Write) -> Result<(), StoreError> {
        let mut tx = self.begin("setting an attempt aside").await?;
        sqlx::query("UPDATE attempt SET state = $2, settled_at = $3, absent_at = coalesce(absent_at, $3) WHERE id = $1 AND state IN ('unknown', 'placed')")
            .bind(attempt)
            .bind(to.word())
            .bind(time(now))
            .execute(&mut *tx)
            .await
            .doing("setting an attempt aside")?;
        within(&mut tx, now, write).await?;
        wake_waiting(&mut tx, now).await?;
        commit(tx, "setting an attempt aside").await
    }

    /// The status the portal shows for a placed order.
    pub async fn note_status(&mut self, attempt: i64, status: Option<&str>, order_id: Option<&str>) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE attempt SET order_status = coalesce($2, order_status), order_id = coalesce(order_id, $3) WHERE id = $1",
        )
        .bind(attempt)
        .bind(status)
        .bind(order_id)
        .execute(&mut self.conn)
        .await
        .doing("noting an order's status")?;
        Ok(())
    }

    /// What was ordered on `day` (R12).
    pub async fn spent_on(&mut self, day: Date) -> Result<Spent, StoreError> {
        let (orders, quantity): (i64, i64) = sqlx::query_as(
            "SELECT count(*), coalesce(sum(quantity), 0) FROM attempt WHERE civil_day = $1 AND state IN ('open', 'placed', 'unknown', 'void')",
        )
        .bind(day.to_string())
        .fetch_one(&mut self.conn)
        .await
        .doing("counting the day's orders")?;
        Ok(Spent { orders: u64::try_from(orders).unwrap_or(u64::MAX), quantity: u64::try_from(quantity).unwrap_or(u64::MAX) })
    }

    /// What is undecided now: product, party ('own' or 'partner') and look of every open or unknown attempt.
    pub async fn undecided(&mut self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT looks_like FROM attempt WHERE state IN ('open', 'unknown')")
            .fetch_all(&mut self.conn)
            .await
            .doing("reading undecided attempts")
    }
}

/// Where an attempt goes that is not an order, or no longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAside {
    /// Proven, or said by a person, not to exist.
    NotPlaced,
    /// Exists, but a person freed the term from it.
    Void,
}

impl SetAside {
    const fn word(self) -> &'static str {
        match self {
            Self::NotPlaced => "not_placed",
            Self::Void => "void",
        }
    }
}

/// An order of the mirror that an unknown attempt turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOrder {
    /// Its key in the mirror.
    pub key: String,
    /// `orderNo`
    pub order_no: Option<String>,
    /// Its id.
    pub order_id: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// `transactionNo`, where the portal showed one.
    pub transaction_no: Option<String>,
    /// `po_number`, `content` or `person`.
    pub matched_by: &'static str,
}

/// Something undecided was decided: what waited for it is looked at again.
async fn wake_waiting(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE term SET act_at = $1 WHERE state = 'scheduled' AND reason IN ('look_alike', 'canary') AND act_at > $1")
        .bind(time(now))
        .execute(&mut **tx)
        .await
        .doing("waking what waited")?;
    Ok(())
}

/// R21: an order of the mirror that carries the `poNumber` of an attempt which is held not to exist.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LateOrder {
    /// The attempt's row.
    pub attempt: i64,
    /// Its term's row.
    pub term: i64,
    /// Its subscription's row.
    pub subscription: i64,
    /// The label.
    pub renewal: String,
    /// `poNumber`
    pub po_number: String,
    /// The order's key in the mirror.
    pub key: String,
    /// `orderNo`
    pub order_no: Option<String>,
    /// Its id.
    pub order_id: Option<String>,
    /// `orderStatus`
    pub status: Option<String>,
}

async fn insert_attempt(tx: &mut Tx<'_>, now: Timestamp, fence: Fence, intent: &Intent) -> Result<i64, StoreError> {
    let done = sqlx::query(
        "INSERT INTO attempt (term_id, po_number, request, request_hash, looks_like, quantity, civil_day, fence_mark, fence_total, fence_at, state, alone, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12)",
    )
    .bind(intent.term)
    .bind(&intent.po_number)
    .bind(String::from_utf8_lossy(&intent.body).into_owned())
    .bind(&intent.request_hash)
    .bind(&intent.looks_like)
    .bind(i64::try_from(intent.quantity).unwrap_or(i64::MAX))
    .bind(intent.civil_day.to_string())
    .bind(fence.mark)
    .bind(fence.total)
    .bind(time(fence.at))
    .bind(i64::from(intent.alone))
    .bind(time(now))
    .execute(&mut **tx)
    .await
    .doing("committing an intent")?;
    Ok(done.last_insert_rowid())
}

async fn to_ordering(tx: &mut Tx<'_>, now: Timestamp, intent: &Intent) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE term SET state = 'ordering', since = $2, reason = NULL, detail = NULL, remedy = NULL, act_at = $2, late = max(late, $3)
         WHERE id = $1 AND state = 'scheduled'",
    )
    .bind(intent.term)
    .bind(time(now))
    .bind(i64::from(intent.late))
    .execute(&mut **tx)
    .await
    .doing("committing an intent")?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::Unreadable { what: format!("the term of {} in another state than scheduled", intent.renewal) })
}

fn intent_event(intent: &Intent) -> Happened {
    let request: Value = serde_json::from_slice(&intent.body).unwrap_or(Value::Null);
    Happened {
        kind: "attempt.intended",
        subscription: Some(intent.subscription),
        renewal: Some(intent.renewal.clone()),
        po_number: Some(intent.po_number.clone()),
        detail: json!({"request": request, "late": intent.late}),
        ..Happened::default()
    }
}

/// What a daemon without R10 knows of an order that was on its way when it died: nothing.
async fn forget(tx: &mut Tx<'_>, now: Timestamp, attempt: i64, term: i64) -> Result<(), StoreError> {
    for sql in [
        "UPDATE attempt SET state = 'cancelled' WHERE id = $1 AND $2 = $2 AND $3 = $3",
        "UPDATE term SET state = 'scheduled', act_at = $3 WHERE id = $2 AND $1 = $1",
    ] {
        sqlx::query(sql).bind(attempt).bind(term).bind(time(now)).execute(&mut **tx).await.doing("forgetting an attempt")?;
    }
    Ok(())
}

async fn interrupt(tx: &mut Tx<'_>, now: Timestamp, attempt: i64, term: i64, name: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE attempt SET state = 'unknown', ended_at = $2, message = 'the daemon stopped before the answer' WHERE id = $1",
    )
    .bind(attempt)
    .bind(time(now))
    .execute(&mut **tx)
    .await
    .doing("recovering an attempt")?;
    sqlx::query(
        "UPDATE term SET state = 'unknown', since = $2, reason = 'finding_out', act_at = $2, tries = 0,
                detail = 'the daemon stopped after the order was committed; whether the portal has it is being found out', remedy = $3
         WHERE id = $1",
    )
    .bind(term)
    .bind(time(now))
    .bind(format!("renewd history {}", typed(name)))
    .execute(&mut **tx)
    .await
    .doing("recovering a term")?;
    Ok(())
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

impl Store {
    /// Whether an attempt already has this order number, or the portal listed it before.
    pub async fn knows_order(&mut self, order_no: &str) -> Result<bool, StoreError> {
        let known: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM attempt WHERE order_no = $1 UNION SELECT 1 FROM portal_order WHERE account_id = 1 AND key = $1",
        )
        .bind(order_no)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for an order number")?;
        Ok(known.is_some())
    }

    /// R22: kinds (product, for a partner) with an order that is out while nothing was learned for them yet.
    pub async fn canaries_out(&mut self) -> Result<Vec<(String, bool)>, StoreError> {
        sqlx::query_as(
            "SELECT DISTINCT s.product_id, s.partner_id <> '' FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE t.state IN ('ordering', 'unknown', 'placed')
               AND NOT EXISTS (SELECT 1 FROM learned l WHERE l.product_id = s.product_id AND l.party = iif(s.partner_id = '', 'own', 'partner'))",
        )
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for first orders")
    }

    /// R21: whether a retry that follows an unknown is undecided.
    pub async fn retry_out(&mut self) -> Result<bool, StoreError> {
        let out: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM attempt a WHERE a.state IN ('open', 'unknown')
               AND EXISTS (SELECT 1 FROM attempt b WHERE b.term_id = a.term_id AND b.id < a.id AND b.absent_at IS NOT NULL) LIMIT 1",
        )
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for retries")?;
        Ok(out.is_some())
    }

    /// The nearest deadline after `now` of a term that is not renewed.
    pub async fn next_deadline(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<String> = sqlx::query_scalar(
            "SELECT min(t.deadline_at) FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE s.active = 1 AND t.act_at IS NOT NULL AND t.state <> 'renewed' AND t.deadline_at > $1",
        )
        .bind(time(now))
        .fetch_one(&mut self.conn)
        .await
        .doing("reading the next deadline")?;
        read_optional_time(at.as_deref())
    }
}

impl Store {
    /// Whether an attempt was ever made: from then on there is a seal (R9).
    pub async fn ever_ordered(&mut self) -> Result<bool, StoreError> {
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM attempt LIMIT 1")
            .fetch_optional(&mut self.conn)
            .await
            .doing("looking for attempts")?;
        Ok(any.is_some())
    }
}
