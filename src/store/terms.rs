//! Terms: what is due, and moving one from state to state.
//!
//! Owns the engine's queue: a term is looked at when its `act_at` or `warn_at` has come, and every look writes the next one.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::account::{Message, post};
use super::attempts::{Attempt, AttemptRow};
use super::audit::{self, Happened};
use super::roster::{identity, state};
use super::text::{optional_time, read_date, read_json, read_optional_time, read_time, time};
use super::{Doing, Store, StoreError, Tx, commit};
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

/// One term moving from a state to a state. Refused where the term is no longer in `from`: someone else moved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The term's row.
    pub term: i64,
    /// Where it stands.
    pub from: TermState,
    /// Where it goes; may be the same.
    pub to: TermState,
    /// Why.
    pub reason: Option<Reason>,
    /// Why, in a sentence.
    pub detail: Option<String>,
    /// The command that helps; such a term stands in `attention`.
    pub remedy: Option<String>,
    /// When the engine looks again.
    pub act_at: Option<Timestamp>,
    /// The next deadline warning.
    pub warn_at: Option<Timestamp>,
    /// The count of tries from now on.
    pub tries: u32,
    /// The orders that hold it.
    pub candidates: Vec<String>,
}

impl Move {
    /// A move of `term` to `to` that keeps its warning and clears everything else.
    pub fn of(term: &DueTerm, to: TermState) -> Self {
        Self {
            term: term.id,
            from: term.state,
            to,
            reason: None,
            detail: None,
            remedy: None,
            act_at: None,
            warn_at: term.warn_at,
            tries: term.tries,
            candidates: Vec::new(),
        }
    }
}

/// No wait but that for a due time, or for the beginning of a term, is longer than this.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(26);

/// When something is next to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// A term, or a message.
    pub work: Option<Timestamp>,
    /// A notice that is told again.
    pub notice: Option<Timestamp>,
}

/// What one decision writes: moves, what happened, and who is told. One commit.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// Terms that move.
    pub moves: Vec<Move>,
    /// Rows of the audit log.
    pub events: Vec<Happened>,
    /// Messages to people.
    pub messages: Vec<Message>,
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

    /// A term that cannot be worked on is not looked at before `until`, whatever else its row holds.
    pub async fn put_off(&mut self, term: i64, until: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE term SET act_at = $2, warn_at = NULL WHERE id = $1")
            .bind(term)
            .bind(time(until))
            .execute(&mut self.conn)
            .await
            .doing("putting a term off")?;
        Ok(())
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
        let (from, previous, begun): (String, Option<String>, String) = sqlx::query_as(
            "SELECT u.starts_on, (SELECT max(min(a.created_at, coalesce(o.created_at, a.created_at))) FROM term p JOIN attempt a ON a.term_id = p.id
                                  LEFT JOIN portal_order o ON o.attempt_id = a.id
                                  WHERE p.subscription_id = u.subscription_id AND p.id < u.id AND a.state = 'placed'),
                    coalesce((SELECT max(l.at) FROM audit_log l WHERE l.subscription_id = u.subscription_id AND l.kind = 'chain.rebased'), s.created_at)
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
            begun_at: read_time(&begun)?,
        })
    }

    /// When something is next to be done, as far as the database knows; without the `outbox` while its messages are on their way.
    pub async fn next_wake(&mut self, outbox: bool) -> Result<Wake, StoreError> {
        let (work, notice): (Option<String>, Option<String>) = sqlx::query_as(
            "SELECT min(at), (SELECT min(again_at) FROM notice WHERE again_at IS NOT NULL)
             FROM (SELECT min(act_at) AS at FROM term WHERE act_at IS NOT NULL
             UNION ALL SELECT min(warn_at) FROM term WHERE warn_at IS NOT NULL
             UNION ALL SELECT min(next_at) FROM outbox WHERE next_at IS NOT NULL AND $1)",
        )
        .bind(outbox)
        .fetch_one(&mut self.conn)
        .await
        .doing("reading what is next")?;
        Ok(Wake { work: read_optional_time(work.as_deref())?, notice: read_optional_time(notice.as_deref())? })
    }

    /// Writes one decision, or many.
    pub async fn write(&mut self, now: Timestamp, write: Write) -> Result<(), StoreError> {
        if write.moves.is_empty() && write.events.is_empty() && write.messages.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin("writing a decision").await?;
        within(&mut tx, now, write).await?;
        commit(tx, "writing a decision").await
    }

    /// The term is renewed, and the next one begins where it ends (R4). One commit. A term that is renewed a second time, after a refund, has
    /// its next one already.
    pub async fn renew(
        &mut self,
        now: Timestamp,
        write: Write,
        term: &DueTerm,
        next: Option<(Span, Moments)>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("beginning the next term").await?;
        within(&mut tx, now, write).await?;
        if let Some((span, moments)) = next
            && !chain_went_on(&mut tx, term).await?
        {
            insert(&mut tx, now, term.subscription, &span, &moments).await?;
        }
        commit(tx, "beginning the next term").await
    }
}

async fn chain_went_on(tx: &mut Tx<'_>, term: &DueTerm) -> Result<bool, StoreError> {
    let later: Option<i64> = sqlx::query_scalar("SELECT 1 FROM term WHERE subscription_id = $1 AND id > $2 LIMIT 1")
        .bind(term.subscription)
        .bind(term.id)
        .fetch_optional(&mut **tx)
        .await
        .doing("looking for the next term")?;
    Ok(later.is_some())
}

/// Writes decisions within a larger write.
pub(crate) async fn within(tx: &mut Tx<'_>, now: Timestamp, write: Write) -> Result<(), StoreError> {
    for step in &write.moves {
        apply(tx, now, step).await?;
    }
    audit::append(tx, now, write.events).await?;
    post(tx, now, &write.messages).await
}

/// R6: an entry that was taken out keeps its chain, but nothing more is ordered for it: an attempt that turns out not to be placed
/// leaves its term waiting for the entry to come back.
async fn apply(tx: &mut Tx<'_>, now: Timestamp, step: &Move) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE term SET since = CASE WHEN state = $3 AND reason IS $4 THEN since ELSE $10 END,
                state = $3, reason = $4, detail = $5, remedy = $6, tries = $9, candidates = $11,
                act_at = CASE WHEN waits THEN NULL ELSE $7 END, warn_at = CASE WHEN waits THEN NULL ELSE $8 END
         FROM (SELECT s.active = 0 AND $3 IN ('scheduled', 'awaiting_approval') AS waits
               FROM term t JOIN subscription s ON s.id = t.subscription_id WHERE t.id = $1)
         WHERE id = $1 AND state = $2",
    )
    .bind(step.term)
    .bind(step.from.word())
    .bind(step.to.word())
    .bind(step.reason.map(Reason::word))
    .bind(&step.detail)
    .bind(&step.remedy)
    .bind(optional_time(step.act_at))
    .bind(optional_time(step.warn_at))
    .bind(i64::from(step.tries))
    .bind(time(now))
    .bind(super::text::json(&step.candidates)?)
    .execute(&mut **tx)
    .await
    .doing("moving a term")?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::Unreadable { what: format!("term {} in another state than {}", step.term, step.from) })
}

/// A new term, scheduled for its due time.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    now: Timestamp,
    subscription: i64,
    span: &Span,
    moments: &Moments,
) -> Result<(), StoreError> {
    // An entry that was taken out keeps its chain, but nothing more is ordered for it (R6).
    sqlx::query(
        "INSERT INTO term (subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at, act_at)
         SELECT $1, $2, $3, $4, 'scheduled', $5, $6, $7, CASE WHEN active = 1 THEN $6 END FROM subscription WHERE id = $1",
    )
    .bind(subscription)
    .bind(i64::from(span.offset_months))
    .bind(span.starts_on.to_string())
    .bind(span.ends_on.to_string())
    .bind(time(now))
    .bind(time(moments.due_at))
    .bind(time(moments.deadline_at))
    .execute(&mut **tx)
    .await
    .doing("adding a term")?;
    Ok(())
}

impl Store {
    /// Lets many terms wait for the same reason, in one statement: a portal that is down stops a thousand terms at once.
    pub async fn postpone(&mut self, now: Timestamp, wait: &Postponement) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE term SET act_at = $2, since = CASE WHEN state = 'scheduled' AND reason IS NOT $3 THEN $5 ELSE since END,
                    reason = CASE WHEN state = 'scheduled' THEN $3 ELSE reason END,
                    detail = CASE WHEN state = 'scheduled' THEN $4 ELSE detail END,
                    remedy = CASE WHEN state = 'scheduled' THEN $6 ELSE remedy END
             WHERE id IN (SELECT value FROM json_each($1)) AND act_at IS NOT NULL",
        )
        .bind(super::text::json(&wait.terms)?)
        .bind(time(wait.until))
        .bind(wait.reason.word())
        .bind(&wait.detail)
        .bind(time(now))
        .bind(&wait.remedy)
        .execute(&mut self.conn)
        .await
        .doing("postponing terms")?;
        Ok(())
    }

    /// R13: no wait written by a clock that was ahead outlasts `now` by more than its kind ever waits. Returns the terms that people are
    /// warned of, with their deadlines; none for a term that is not due yet.
    pub async fn mend_waits(&mut self, now: Timestamp) -> Result<Vec<(i64, Option<Timestamp>)>, StoreError> {
        let mut tx = self.begin("mending waits").await?;
        for mend in [
            "UPDATE term SET act_at = max(due_at, $1), reason = iif(reason = 'clock', NULL, reason),
                    detail = iif(reason = 'clock', NULL, detail), remedy = iif(reason = 'clock', NULL, remedy)
             WHERE state = 'scheduled' AND act_at > max(due_at, $2)",
            "UPDATE term SET act_at = $1 WHERE state IN ('ordering', 'unknown', 'placed', 'held') AND act_at > $2",
            "UPDATE term SET act_at = $1 WHERE state = 'renewed' AND act_at > $2 AND act_at > deadline_at",
            "UPDATE account SET portal_next_at = NULL WHERE portal_next_at > $2",
            "UPDATE outbox SET next_at = $1 WHERE next_at > $2",
            "UPDATE notice SET again_at = $1 WHERE again_at > strftime('%Y-%m-%dT%H:%M:%fZ', $2, '+7 days')",
        ] {
            sqlx::query(mend)
                .bind(time(now))
                .bind(time(now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX)))
                .execute(&mut *tx)
                .await
                .doing("mending waits")?;
        }
        // A warning whose moment has come while the daemon was away is still to be given.
        let warned: Vec<(i64, String, String, i64)> = sqlx::query_as(
            "SELECT id, deadline_at, due_at, state = 'scheduled' FROM term WHERE (warn_at IS NULL OR warn_at > $1)
               AND (state IN ('awaiting_approval', 'held', 'unknown', 'placed', 'missed')
                    OR (state = 'scheduled' AND (warn_at IS NOT NULL OR (reason IS NOT NULL AND act_at IS NOT NULL))))",
        )
        .bind(time(now))
        .fetch_all(&mut *tx)
        .await
        .doing("looking for warnings to come")?;
        commit(tx, "mending waits").await?;
        let read = |(id, deadline, due, scheduled): (i64, String, String, i64)| {
            let early = scheduled == 1 && read_time(&due)? > now;
            Ok((id, if early { None } else { Some(read_time(&deadline)?) }))
        };
        warned.into_iter().map(read).collect()
    }

    /// Sets the next deadline warning of terms.
    pub async fn warn_at(&mut self, warnings: &[(i64, Option<Timestamp>)]) -> Result<(), StoreError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = warnings.iter().map(|(id, at)| (id, optional_time(*at))).collect();
        sqlx::query("UPDATE term SET warn_at = v.value ->> 1 FROM json_each($1) v WHERE term.id = v.value ->> 0")
            .bind(super::text::json(&rows)?)
            .execute(&mut self.conn)
            .await
            .doing("setting deadline warnings")?;
        Ok(())
    }
}

/// Terms that wait for one reason. A term in another state than `scheduled` keeps its own reason.
#[derive(Debug, Clone)]
pub struct Postponement {
    /// The terms' rows.
    pub terms: Vec<i64>,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: Reason,
    /// Why, in a sentence.
    pub detail: String,
    /// The command that helps, if a person can.
    pub remedy: Option<String>,
}
