//! Attempts: intents committed before a byte leaves (R10), and what became of them.
//!
//! Owns the only place where a [`Committed`] is made. Never sends.

use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::audit::{self, Happened};
use super::committed::Committed;
use super::text::{read_optional_time, read_time, time};
use super::{Doing, Store, StoreError, Tx, commit};
use crate::renewal::evidence::{is_other_word, is_paid};
use crate::renewal::typed::typed;
use crate::rules::{Rule, kept};

/// Before a deadline.
const LAST_DAY: SignedDuration = SignedDuration::from_hours(24);

/// What says that an order is the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchedBy {
    /// The answer to the attempt (R16).
    Answer,
    /// The order carries its `poNumber` (R19 a).
    PoNumber,
    /// It is alike in everything (R19 b).
    Content,
    /// A person.
    Person,
}

impl MatchedBy {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "answer" => Some(Self::Answer),
            "po_number" => Some(Self::PoNumber),
            "content" => Some(Self::Content),
            "person" => Some(Self::Person),
            _ => None,
        }
    }
}

/// An attempt that may exist at the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its row.
    pub id: i64,
    /// Its `poNumber`.
    pub po_number: String,
    /// Whether the portal has confirmed it.
    pub placed: bool,
    /// What says that the order it is recorded as is the one that was sent.
    pub matched_by: Option<MatchedBy>,
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
    /// R20: settle as it was when the order was sent, in seconds.
    pub settle_s: Option<i64>,
}

impl Attempt {
    /// Whether only the answer to it says which order it is.
    pub fn by_answer(&self) -> bool {
        self.matched_by == Some(MatchedBy::Answer)
    }

    /// Whether it is paid, by the portal's word, or by a person's where the portal's is none that is known.
    pub fn is_paid(&self, status: Option<&str>) -> bool {
        is_paid(status) || self.is_vouched_for() && is_other_word(status)
    }

    /// Whether a person has said that the order pays.
    pub fn is_vouched_for(&self) -> bool {
        self.matched_by == Some(MatchedBy::Person)
    }

    /// Whether the order is certainly the one that was sent, and not one that looks like it.
    pub fn is_certain(&self) -> bool {
        matches!(self.matched_by, Some(MatchedBy::Answer | MatchedBy::PoNumber))
    }
}

/// [`Attempt`] as `SQLite`'s `json_object` writes it.
#[derive(serde::Deserialize)]
pub(crate) struct AttemptRow {
    id: i64,
    po_number: String,
    state: String,
    matched_by: Option<String>,
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
    settle_s: Option<i64>,
}

impl AttemptRow {
    pub(crate) fn read(self) -> Result<Attempt, StoreError> {
        Ok(Attempt {
            id: self.id,
            po_number: self.po_number,
            placed: self.state == "placed",
            matched_by: self.matched_by.as_deref().and_then(MatchedBy::from_word),
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
            settle_s: self.settle_s,
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
    /// R20: how long the order may take to be carried out, and then to be listed; in seconds.
    pub settle_s: i64,
    /// Ordered after its deadline, within its grace, or after the time it was due because the daemon was down.
    pub late: bool,
}

impl Store {
    /// What was sent with an attempt; nothing for one that was adopted.
    pub async fn request_of(&mut self, attempt: i64) -> Result<Option<Value>, StoreError> {
        let request: Option<String> = sqlx::query_scalar("SELECT CAST(request AS TEXT) FROM attempt WHERE id = $1")
            .bind(attempt)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading what was sent")?;
        Ok(request.and_then(|text| serde_json::from_str(&text).ok()))
    }

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
}

async fn insert_attempt(tx: &mut Tx<'_>, now: Timestamp, fence: Fence, intent: &Intent) -> Result<i64, StoreError> {
    let done = sqlx::query(
        "INSERT INTO attempt (term_id, po_number, request, request_hash, looks_like, quantity, civil_day, fence_mark, fence_total, fence_at, state, alone, created_at, settle_s)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12, $13)",
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
    .bind(intent.settle_s)
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
    // In its last day no other warning comes before the deadline, and absence may be proven too late for another try.
    sqlx::query(
        "UPDATE term SET state = 'unknown', since = $2, reason = 'finding_out', act_at = $2, tries = 0,
                warn_at = iif(deadline_at > $2 AND deadline_at <= $4, $2, warn_at), detail = 'the daemon stopped after the order was committed; whether the portal has it is being found out', remedy = $3
         WHERE id = $1",
    )
    .bind(term)
    .bind(time(now))
    .bind(format!("renewd history {}", typed(name)))
    .bind(time(now.checked_add(LAST_DAY).unwrap_or(Timestamp::MAX)))
    .execute(&mut **tx)
    .await
    .doing("recovering a term")?;
    Ok(())
}
