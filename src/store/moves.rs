//! Moving terms from state to state.
//!
//! Owns what one decision writes: moves, rows of the audit log and messages, in one commit. A term that is no longer where the decision found it stays.

use jiff::Timestamp;

use super::audit::{self, Happened};
use super::outbox::{Message, post};
use super::terms::DueTerm;
use super::text::{json, optional_time, time};
use super::waits::warn_at;
use super::{Doing, Store, StoreError, Tx, commit};
use crate::renewal::chain::{Moments, Span};
use crate::renewal::state::{Reason, TermState};

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

/// What one decision writes: moves, what happened, and who is told. One commit.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// Terms that move.
    pub moves: Vec<Move>,
    /// When terms are next warned about, whatever becomes of them here.
    pub warnings: Vec<(i64, Option<Timestamp>)>,
    /// Rows of the audit log.
    pub events: Vec<Happened>,
    /// Messages to people.
    pub messages: Vec<Message>,
}

impl Store {
    /// Writes one decision, or many.
    pub async fn write(&mut self, now: Timestamp, write: Write) -> Result<(), StoreError> {
        if write.moves.is_empty() && write.warnings.is_empty() && write.events.is_empty() && write.messages.is_empty() {
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
            insert(&mut tx, now, term.subscription, &span, &moments, &[]).await?;
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
    warn_at(tx, &write.warnings).await?;
    audit::append(tx, now, write.events).await?;
    post(tx, now, &write.messages).await
}

/// R6: an entry that was taken out keeps its chain, but nothing more is ordered for it: an attempt that turns out not to be placed
/// leaves its term waiting for the entry to come back.
async fn apply(tx: &mut Tx<'_>, now: Timestamp, step: &Move) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE term SET since = CASE WHEN state = $3 AND reason IS $4 THEN since ELSE $10 END,
                state = $3, reason = $4, detail = $5, remedy = $6, tries = $9, candidates = $11,
                act_at = CASE WHEN waits THEN NULL ELSE $7 END, warn_at = CASE WHEN waits OR gone AND $3 IN ('held', 'missed') THEN NULL ELSE $8 END
         FROM (SELECT s.active = 0 AS gone, s.active = 0 AND $3 IN ('scheduled', 'awaiting_approval') AS waits
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
    .bind(json(&step.candidates)?)
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
    dismissed: &[String],
) -> Result<(), StoreError> {
    // An entry that was taken out keeps its chain, but nothing more is ordered for it (R6).
    sqlx::query(
        "INSERT INTO term (subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at, dismissed, act_at)
         SELECT $1, $2, $3, $4, 'scheduled', $5, $6, $7, $8, CASE WHEN active = 1 THEN $6 END FROM subscription WHERE id = $1",
    )
    .bind(subscription)
    .bind(i64::from(span.offset_months))
    .bind(span.starts_on.to_string())
    .bind(span.ends_on.to_string())
    .bind(time(now))
    .bind(time(moments.due_at))
    .bind(time(moments.deadline_at))
    .bind(json(&dismissed)?)
    .execute(&mut **tx)
    .await
    .doing("adding a term")?;
    Ok(())
}
