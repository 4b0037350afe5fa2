//! Terms, with everything that a decision about one needs.
//!
//! Owns reading them: the engine's queue of what is due by `act_at` or `warn_at`, and a term's place in its chain. What a decision writes is
//! `moves.rs`.

use jiff::Timestamp;
use jiff::civil::Date;

use super::attempts::{Attempt, AttemptRow};
use super::roster::{identity, state};
use super::text::{read_date, read_json, read_optional_time, read_time, time};
use super::{Doing, Store, StoreError};
use crate::renewal::chain::{Moments, Span};
use crate::renewal::state::{Reason, TermState};
use crate::renewal::subscription::{Identity, Standing};
use crate::renewal::typed::typed;

/// A term with everything a decision about it needs.
#[derive(Debug, Clone)]
pub struct DueTerm {
    /// Its row.
    pub id: i64,
    /// The subscription's row.
    pub subscription: i64,
    /// The subscription's label.
    pub name: String,
    /// What it is.
    pub identity: Identity,
    /// What its order takes from the file.
    pub standing: Standing,
    /// Whether the file in force has it.
    pub active: bool,
    /// R3: why a person looks first.
    pub confirm: Option<String>,
    /// Boundary 0 of the chain.
    pub anchor_on: Date,
    /// Its dates.
    pub span: Span,
    /// Its moments.
    pub moments: Moments,
    /// Where it stands.
    pub state: TermState,
    /// Why.
    pub reason: Option<Reason>,
    /// Why, in a sentence.
    pub detail: Option<String>,
    /// The command that helps.
    pub remedy: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When the engine looks again.
    pub act_at: Option<Timestamp>,
    /// The next deadline warning.
    pub warn_at: Option<Timestamp>,
    /// Attempts that certainly were not placed, or looks for an unknown one.
    pub tries: u32,
    /// R14: the request that a person approved.
    pub approved_hash: Option<String>,
    /// The orders that hold it, as a person is shown them.
    pub candidates: Vec<String>,
    /// R11: order keys that a person has looked at.
    pub dismissed: Vec<String>,
    /// How many earlier attempts of this term were once unknown.
    pub unknowns: u32,
    /// The attempt that may exist, if there is one.
    pub attempt: Option<Attempt>,
}

/// What comes before a term in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpaid {
    /// Where what is not paid begins: at this term, or at one before it whose order died and was set aside.
    pub from: Date,
    /// When the last order before that was made.
    pub previous_order_at: Option<Timestamp>,
    /// When the chain was begun here: the entry was added, or rebased.
    pub begun_at: Timestamp,
    /// Whether a person began it, by `rebase`.
    pub rebased: bool,
    /// When the first of the orders was made that were left over as it was begun.
    pub left_since: Option<Timestamp>,
    /// Whether an order of ours pays until then, or until days before or after it.
    pub paid_by_us: bool,
}

impl DueTerm {
    /// Its label as a person types it after a command.
    pub fn typed(&self) -> std::borrow::Cow<'_, str> {
        typed(&self.name)
    }
}

#[derive(sqlx::FromRow)]
struct DueRow {
    id: i64,
    subscription_id: i64,
    name: String,
    product_id: String,
    partner_id: String,
    serial: String,
    item_id: String,
    batch: String,
    entry: String,
    active: i64,
    confirm: Option<String>,
    anchor_on: String,
    offset_months: i64,
    starts_on: String,
    ends_on: String,
    due_at: String,
    deadline_at: String,
    state: String,
    reason: Option<String>,
    detail: Option<String>,
    remedy: Option<String>,
    since: String,
    act_at: Option<String>,
    warn_at: Option<String>,
    tries: i64,
    approved_hash: Option<String>,
    candidates: String,
    dismissed: String,
    unknowns: i64,
    attempt: Option<String>,
}

/// One select for every way of asking for terms; what follows it is the `WHERE` of each.
macro_rules! select_terms {
    ($tail:literal) => {
        concat!(
            "SELECT t.id, t.subscription_id, s.name, s.product_id, s.partner_id, s.serial, s.item_id, s.batch, s.entry, s.active, s.confirm,
                    s.anchor_on, t.offset_months, t.starts_on, t.ends_on, t.due_at, t.deadline_at, t.state, t.reason, t.detail, t.remedy, t.since,
                    t.act_at, t.warn_at, t.tries, t.approved_hash, t.candidates, t.dismissed,
                    (SELECT count(*) FROM attempt a WHERE a.term_id = t.id AND a.state IN ('not_placed', 'void') AND a.absent_at IS NOT NULL) AS unknowns,
                    (SELECT json_object('id', a.id, 'po_number', a.po_number, 'state', a.state, 'matched_by', a.matched_by, 'fence_mark', a.fence_mark, 'created_at', a.created_at,
                            'ended_at', a.ended_at, 'ended_portal', a.ended_portal, 'absent_at', a.absent_at, 'absent_portal', a.absent_portal,
                            'order_no', a.order_no, 'order_id', a.order_id, 'order_status', a.order_status, 'transaction_no', a.transaction_no,
                            'request_hash', a.request_hash, 'alone', a.alone, 'settle_s', a.settle_s)
                     FROM attempt a WHERE a.term_id = t.id AND a.state IN ('open', 'unknown', 'placed')) AS attempt
             FROM term t JOIN subscription s ON s.id = t.subscription_id ",
            $tail
        )
    };
}

impl DueRow {
    fn read(self) -> Result<DueTerm, StoreError> {
        let reason = self.reason.map(|word| {
            Reason::from_word(&word)
                .ok_or(StoreError::Unreadable { what: format!("the reason '{word}' of a term of {}", self.name) })
        });
        let attempt = self.attempt.as_deref().map(|text| read_json::<AttemptRow>(text, "an attempt")?.read());
        Ok(DueTerm {
            id: self.id,
            subscription: self.subscription_id,
            identity: identity(&self.product_id, &self.partner_id, &self.serial, &self.item_id, &self.batch)?,
            standing: read_json(&self.entry, "the entry of a subscription")?,
            name: self.name,
            active: self.active == 1,
            confirm: self.confirm,
            anchor_on: read_date(&self.anchor_on)?,
            span: Span {
                offset_months: u32::try_from(self.offset_months).unwrap_or(0),
                starts_on: read_date(&self.starts_on)?,
                ends_on: read_date(&self.ends_on)?,
            },
            moments: Moments { due_at: read_time(&self.due_at)?, deadline_at: read_time(&self.deadline_at)? },
            state: state(&self.state)?,
            reason: reason.transpose()?,
            detail: self.detail,
            remedy: self.remedy,
            since: read_time(&self.since)?,
            act_at: read_optional_time(self.act_at.as_deref())?,
            warn_at: read_optional_time(self.warn_at.as_deref())?,
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            approved_hash: self.approved_hash,
            candidates: read_json(&self.candidates, "the candidates of a term")?,
            dismissed: read_json(&self.dismissed, "the dismissed orders of a term")?,
            unknowns: u32::try_from(self.unknowns).unwrap_or(u32::MAX),
            attempt: attempt.transpose()?,
        })
    }
}

/// What is due, and what would be if it could be read.
#[derive(Debug, Default)]
pub struct Due {
    /// Nearest deadline first.
    pub terms: Vec<DueTerm>,
    /// Rows with a value that does not read back.
    pub unreadable: Vec<Unreadable>,
}

/// A term of which a stored value does not read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its row.
    pub term: i64,
    /// The label of its renewal.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

impl Store {
    /// The terms whose time has come, nearest deadline first, at most `most`.
    // `LIMIT +$2`: for a bare parameter SQLite prepares the whole statement anew whenever a value is bound to it.
    pub async fn due_terms(&mut self, now: Timestamp, most: u32) -> Result<Due, StoreError> {
        let rows: Vec<DueRow> = sqlx::query_as(select_terms!(
            "WHERE t.id IN (SELECT id FROM term WHERE act_at <= $1 UNION SELECT id FROM term WHERE warn_at <= $1)
             ORDER BY t.deadline_at, t.id LIMIT +$2"
        ))
        .bind(time(now))
        .bind(most)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading what is due")?;
        let mut due = Due::default();
        for row in rows {
            let (term, name) = (row.id, row.name.clone());
            match row.read() {
                Ok(term) => due.terms.push(term),
                Err(why) => due.unreadable.push(Unreadable { term, name, why: why.to_string() }),
            }
        }
        Ok(due)
    }

    /// Terms of which people were told that a row is bad.
    pub async fn terms_set_aside(&mut self) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar("SELECT CAST(trim(key, 'row:.') AS INTEGER) FROM notice WHERE key LIKE 'row:%'")
            .fetch_all(&mut self.conn)
            .await
            .doing("reading notices")
    }

    /// The term of this subscription that is the next to be decided: the earliest that is not settled, else the newest.
    pub async fn current_term(&mut self, subscription: i64) -> Result<Option<DueTerm>, StoreError> {
        let row: Option<DueRow> = sqlx::query_as(select_terms!(
            "WHERE t.subscription_id = $1 ORDER BY t.state IN ('renewed', 'skipped', 'missed'), CASE WHEN t.state IN ('renewed', 'skipped', 'missed') THEN -t.id ELSE t.id END LIMIT 1"
        ))
        .bind(subscription)
        .fetch_optional(&mut self.conn)
        .await
        .doing("reading a term")?;
        row.map(DueRow::read).transpose()
    }

    /// Other terms of this subscription that were missed and that nobody has settled.
    pub async fn missed_before(&mut self, term: &DueTerm) -> Result<Vec<DueTerm>, StoreError> {
        let rows: Vec<DueRow> =
            sqlx::query_as(select_terms!("WHERE t.subscription_id = $1 AND t.id < $2 AND t.state = 'missed' ORDER BY t.id"))
                .bind(term.subscription)
                .bind(term.id)
                .fetch_all(&mut self.conn)
                .await
                .doing("reading missed terms")?;
        rows.into_iter().map(DueRow::read).collect()
    }

    /// The term after `term`, where it has begun already and is not settled.
    pub async fn successor(&mut self, term: &DueTerm) -> Result<Option<DueTerm>, StoreError> {
        let row: Option<DueRow> = sqlx::query_as(select_terms!(
            "WHERE t.subscription_id = $1 AND t.id <> $2 AND t.starts_on > $3 AND t.state NOT IN ('renewed', 'skipped', 'missed') ORDER BY t.id LIMIT 1"
        ))
        .bind(term.subscription)
        .bind(term.id)
        .bind(term.span.starts_on.to_string())
        .fetch_optional(&mut self.conn)
        .await
        .doing("reading the next term")?;
        row.map(DueRow::read).transpose()
    }

    /// R4: the end of what is paid, if anything of this chain was ever renewed here.
    pub async fn paid_until(&mut self, subscription: i64) -> Result<Option<Date>, StoreError> {
        let ends: Option<String> =
            sqlx::query_scalar("SELECT max(ends_on) FROM term WHERE subscription_id = $1 AND state = 'renewed'")
                .bind(subscription)
                .fetch_one(&mut self.conn)
                .await
                .doing("reading what is paid")?;
        ends.as_deref().map(read_date).transpose()
    }

    /// The term with this row.
    pub async fn term(&mut self, id: i64) -> Result<Option<DueTerm>, StoreError> {
        let row: Option<DueRow> = sqlx::query_as(select_terms!("WHERE t.id = $1"))
            .bind(id)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading a term")?;
        row.map(DueRow::read).transpose()
    }

    /// The term that an attempt is for.
    pub async fn term_of_attempt(&mut self, attempt: i64) -> Result<Option<DueTerm>, StoreError> {
        let row: Option<DueRow> = sqlx::query_as(select_terms!("WHERE t.id = (SELECT term_id FROM attempt WHERE id = $1)"))
            .bind(attempt)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading a term")?;
        row.map(DueRow::read).transpose()
    }

    /// The newest term of every active subscription, and every other one that may still exist at the portal.
    pub async fn standing_terms(&mut self) -> Result<Vec<DueTerm>, StoreError> {
        let rows: Vec<DueRow> = sqlx::query_as(select_terms!(
            "WHERE (s.active = 1 AND t.id = (SELECT max(id) FROM term WHERE subscription_id = s.id))
                OR t.state IN ('ordering', 'unknown', 'placed') ORDER BY t.due_at, s.name"
        ))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the terms")?;
        rows.into_iter().map(DueRow::read).collect()
    }

    /// What comes before a term in its chain (R11).
    pub async fn unpaid(&mut self, term: i64) -> Result<Unpaid, StoreError> {
        let (from, previous, begun, added, by_us, left): (String, Option<String>, Option<String>, String, bool, Option<String>) = sqlx::query_as(
            "SELECT u.starts_on, (SELECT max(min(a.created_at, coalesce(o.created_at, a.created_at), iif(a.request = '{}', a.fence_at, a.created_at))) FROM term p JOIN attempt a ON a.term_id = p.id
                                  LEFT JOIN portal_order o ON o.attempt_id = a.id
                                  WHERE p.subscription_id = u.subscription_id AND p.id < u.id AND a.state = 'placed'),
                    (SELECT max(l.at) FROM audit_log l WHERE l.subscription_id = u.subscription_id AND l.kind = 'chain.rebased'), s.created_at,
                    EXISTS (SELECT 1 FROM term p JOIN attempt a ON a.term_id = p.id AND a.state = 'placed' LEFT JOIN portal_order o ON o.attempt_id = a.id
                            WHERE p.subscription_id = u.subscription_id AND p.state = 'renewed'
                              AND abs(julianday(p.ends_on) - julianday(u.starts_on)) * 2 < julianday(u.ends_on) - julianday(u.starts_on)
                              AND lower(coalesce(o.status, a.order_status, '')) NOT IN ('cancelled', 'failed', 'refunded', 'invalid')),
                    (SELECT coalesce(l.detail ->> '$.detail.since',
                                     (SELECT min(p.created_at) FROM json_each(l.detail, '$.detail.left') c JOIN portal_order p ON p.account_id = 1 AND p.key = c.value)) FROM audit_log l
                     WHERE l.seq = (SELECT max(x.seq) FROM audit_log x WHERE x.subscription_id = u.subscription_id AND x.kind = 'chain.rebased')
                       AND u.offset_months = 0 AND l.detail ->> '$.detail.to' = u.starts_on)
             FROM term u JOIN subscription s ON s.id = u.subscription_id WHERE u.id = (SELECT min(e.id) FROM term t JOIN term e ON e.subscription_id = t.subscription_id AND e.id <= t.id WHERE t.id = $1
                 AND (e.id = t.id OR (e.state NOT IN ('renewed', 'placed', 'skipped') AND NOT EXISTS (SELECT 1 FROM attempt x WHERE x.term_id = e.id AND x.state = 'placed')
                      AND e.id >= (SELECT max(c.id) FROM term c WHERE c.subscription_id = t.subscription_id AND c.id <= t.id AND c.offset_months = 0))))",
        )
        .bind(term)
        .fetch_one(&mut self.conn)
        .await
        .doing("reading what comes before a term")?;
        Ok(Unpaid {
            from: read_date(&from)?,
            previous_order_at: read_optional_time(previous.as_deref())?,
            begun_at: read_time(begun.as_ref().unwrap_or(&added))?,
            rebased: begun.is_some(),
            left_since: read_optional_time(left.as_deref())?,
            paid_by_us: by_us,
        })
    }
}
