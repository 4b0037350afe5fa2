//! What people ask of a running daemon, and what steering writes.
//!
//! Owns the queue between the command line and the daemon, and the writes that only a person's word allows.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::audit::{self, Happened};
use super::found::{SetAside, aside};
use super::learned::party_of;
use super::moves::{Write, insert, within};
use super::terms::DueTerm;
use super::text::{json, read_time, time};
use super::{Doing, Store, StoreError, Tx, commit};
use crate::renewal::chain::{Moments, Span};
use crate::renewal::evidence::Listed;

/// A command that waits for the daemon.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Waiting {
    /// Its row.
    pub id: i64,
    /// Who asked.
    pub asked_by: String,
    /// When, by the clock of the machine.
    pub asked_at: String,
    /// JSON.
    pub request: String,
}

impl Waiting {
    /// For how long it has waited.
    pub fn waited(&self, now: Timestamp) -> Result<SignedDuration, StoreError> {
        Ok(now.duration_since(read_time(&self.asked_at)?))
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Answered {
    /// Whether it was done.
    pub ok: bool,
    /// What was done, or why not.
    pub answer: String,
}

/// How an order that this database did not place comes to pay a term.
#[derive(Debug, Clone, Copy)]
pub struct Adoption {
    /// Who says so: `person` or `po_number`.
    pub how: &'static str,
    /// The attempt that is set aside in the same commit.
    pub instead_of: Option<i64>,
    /// R11: from when on orders of others count for the next term, if that is before this order: one of them is not accounted for.
    pub others_since: Option<Timestamp>,
}

impl Store {
    /// Queues a command; ids are bound in it, not names (R14).
    pub async fn ask(&mut self, now: Timestamp, by: &str, request: &str) -> Result<i64, StoreError> {
        let done = sqlx::query("INSERT INTO command (asked_at, asked_by, request) VALUES ($1, $2, $3)")
            .bind(time(now))
            .bind(by)
            .bind(request)
            .execute(&mut self.conn)
            .await
            .doing("queueing a command")?;
        Ok(done.last_insert_rowid())
    }

    /// Takes a command back that the daemon has not taken up. Returns whether it could still be.
    pub async fn unask(&mut self, now: Timestamp, id: i64) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE command SET done_at = $2, ok = 0, answer = 'taken back' WHERE id = $1 AND done_at IS NULL")
                .bind(id)
                .bind(time(now))
                .execute(&mut self.conn)
                .await
                .doing("taking a command back")?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes back every command that waits: who asked waits no more, or is told to ask again.
    pub async fn unask_all(&mut self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE command SET done_at = $1, ok = 0, answer = 'the daemon ended before it took this up; ask again' WHERE done_at IS NULL")
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("taking commands back")?;
        Ok(())
    }

    /// Whether a command waits.
    pub async fn has_waiting_commands(&mut self) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM command WHERE done_at IS NULL)")
            .fetch_one(&mut self.conn)
            .await
            .doing("looking for commands")
    }

    /// Commands that wait, oldest first.
    pub async fn waiting_commands(&mut self) -> Result<Vec<Waiting>, StoreError> {
        sqlx::query_as("SELECT id, asked_by, asked_at, request FROM command WHERE done_at IS NULL ORDER BY id")
            .fetch_all(&mut self.conn)
            .await
            .doing("reading commands")
    }

    /// A command was done, or refused.
    pub async fn answer(&mut self, now: Timestamp, id: i64, answer: &Answered) -> Result<(), StoreError> {
        sqlx::query("UPDATE command SET done_at = $2, ok = $3, answer = $4 WHERE id = $1")
            .bind(id)
            .bind(time(now))
            .bind(i64::from(answer.ok))
            .bind(&answer.answer)
            .execute(&mut self.conn)
            .await
            .doing("answering a command")?;
        Ok(())
    }

    /// What became of a command, once it is done.
    pub async fn answered(&mut self, id: i64) -> Result<Option<Answered>, StoreError> {
        sqlx::query_as("SELECT ok, answer FROM command WHERE id = $1 AND done_at IS NOT NULL")
            .bind(id)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading an answer")
    }

    /// The subscriptions called `name`, active ones first: their rows and whether they are active.
    pub async fn called(&mut self, name: &str) -> Result<Vec<(i64, bool)>, StoreError> {
        sqlx::query_as("SELECT id, active FROM subscription WHERE name = $1 ORDER BY active DESC, id DESC")
            .bind(name)
            .fetch_all(&mut self.conn)
            .await
            .doing("looking for a name")
    }

    /// What the renewal that was once called `name` is called now.
    pub async fn renamed(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT s.name FROM audit_log a JOIN subscription s ON s.id = a.subscription_id
             WHERE a.renewal = $1 AND s.name <> $1 ORDER BY s.active DESC, a.seq DESC LIMIT 1",
        )
        .bind(name)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for a former name")
    }

    /// Every label, for "did you mean".
    pub async fn names(&mut self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT DISTINCT name FROM subscription ORDER BY name")
            .fetch_all(&mut self.conn)
            .await
            .doing("reading the names")
    }

    /// R14: a person approved this request for this term. R3: the subscription itself has been looked at.
    pub async fn approve(&mut self, now: Timestamp, term: &DueTerm, request_hash: &str, write: Write) -> Result<(), StoreError> {
        let mut tx = self.begin("approving").await?;
        sqlx::query("UPDATE term SET approved_hash = $2 WHERE id = $1")
            .bind(term.id)
            .bind(request_hash)
            .execute(&mut *tx)
            .await
            .doing("approving")?;
        sqlx::query("UPDATE subscription SET confirm = NULL WHERE id = $1")
            .bind(term.subscription)
            .execute(&mut *tx)
            .await
            .doing("approving")?;
        within(&mut tx, now, write).await?;
        commit(tx, "approving").await
    }

    /// R11: the orders that a person has looked at for this term. One that is paid since is not among them any more.
    pub async fn dismissed(&mut self, term: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT value FROM term t, json_each(t.dismissed) WHERE t.id = $1")
            .bind(term)
            .fetch_all(&mut self.conn)
            .await
            .doing("reading the dismissed orders of a term")
    }

    /// R11: these orders were looked at, so the hold does not come back for them.
    pub async fn dismiss(&mut self, now: Timestamp, term: &DueTerm, orders: &[String], write: Write) -> Result<(), StoreError> {
        let mut dismissed = term.dismissed.clone();
        dismissed.extend(orders.iter().filter(|order| !term.dismissed.contains(order)).cloned());
        let mut tx = self.begin("releasing").await?;
        sqlx::query("UPDATE term SET dismissed = $2 WHERE id = $1")
            .bind(term.id)
            .bind(json(&dismissed)?)
            .execute(&mut *tx)
            .await
            .doing("releasing")?;
        within(&mut tx, now, write).await?;
        commit(tx, "releasing").await
    }

    /// R25: the attempt is set aside by a person: from now on no order goes for the term that was not approved. The empty hash is the
    /// approval of nothing, and stands whatever becomes of the term's state.
    pub async fn forget_approval(&mut self, term: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE term SET approved_hash = '' WHERE id = $1")
            .bind(term)
            .execute(&mut self.conn)
            .await
            .doing("forgetting an approval")?;
        Ok(())
    }

    /// R4: another chain begins at `span`, for which `counted` orders of others do not hold it; the open term of the old one was ended in the same
    /// write.
    pub async fn rebase(
        &mut self,
        now: Timestamp,
        subscription: i64,
        span: &Span,
        moments: &Moments,
        counted: &[String],
        write: Write,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("beginning another chain").await?;
        within(&mut tx, now, write).await?;
        sqlx::query("UPDATE subscription SET anchor_on = $2 WHERE id = $1")
            .bind(subscription)
            .bind(span.starts_on.to_string())
            .execute(&mut *tx)
            .await
            .doing("beginning another chain")?;
        insert(&mut tx, now, subscription, span, moments, counted).await?;
        commit(tx, "beginning another chain").await
    }

    /// An order that this database did not place pays a term: one that someone else placed (a person says so), or one of ours that a
    /// restored database had forgotten (R9). It is followed like any other from now on.
    pub async fn adopt(
        &mut self,
        now: Timestamp,
        term: &DueTerm,
        order: &Listed,
        adoption: Adoption,
        write: Write,
    ) -> Result<(), StoreError> {
        let Adoption { how, instead_of, others_since } = adoption;
        let mut tx = self.begin("adopting an order").await?;
        if let Some(attempt) = instead_of {
            aside(&mut tx, now, attempt, SetAside::Void).await?;
        }
        let po_number = number_of(&mut tx, term, order).await?;
        let done = sqlx::query(
            "INSERT INTO attempt (term_id, po_number, request, request_hash, looks_like, civil_day, fence_mark, fence_at, state, created_at,
                    ended_at, settled_at, matched_by, order_no, order_id, order_status, quantity, transaction_no)
             VALUES ($1, $2, '{}', '', $3, substr($4, 1, 10), 0, $12, 'placed', $9, $9, $4, $5, $6, $7, $8, $10, $11)",
        )
        .bind(term.id)
        .bind(&po_number)
        .bind(term.identity.looks_like())
        .bind(time(now))
        .bind(how)
        .bind(order.number())
        .bind(&order.portal_id)
        .bind(&order.status)
        .bind(time(order.created_at.unwrap_or(now).min(now)))
        .bind(i64::try_from(order.facts.quantity.unwrap_or(term.standing.quantity)).unwrap_or(i64::MAX))
        .bind(&order.facts.transaction)
        .bind(time(others_since.unwrap_or(now)))
        .execute(&mut *tx)
        .await
        .doing("adopting an order")?;
        sqlx::query("UPDATE portal_order SET attempt_id = $1 WHERE id = $2")
            .bind(done.last_insert_rowid())
            .bind(order.mark)
            .execute(&mut *tx)
            .await
            .doing("adopting an order")?;
        let detail = json!({"how": how, "order": order.key, "status": order.status, "party": party_of(&term.identity)});
        let event = Happened {
            kind: "order.adopted",
            subscription: Some(term.subscription),
            renewal: Some(term.name.clone()),
            po_number: Some(po_number),
            order_no: order.number(),
            transaction_no: order.facts.transaction.clone(),
            detail,
        };
        audit::append(&mut tx, now, vec![event]).await?;
        within(&mut tx, now, write).await?;
        commit(tx, "adopting an order").await
    }
}

/// The `poNumber` that an adopted order goes by: the one of ours that it carries, if no attempt has that. An order that an attempt had before keeps its
/// number there, and a colleague may have made one from a copy of ours: no number is ever used twice.
async fn number_of(tx: &mut Tx<'_>, term: &DueTerm, order: &Listed) -> Result<String, StoreError> {
    let (Some(ours), None) = (order.mentions_ours.first(), order.attempt) else {
        let again = order.attempt.map(|_| format!(":{}", term.id)).unwrap_or_default();
        return Ok(format!("external:{}{again}", order.key));
    };
    let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM attempt WHERE po_number = $1)")
        .bind(ours)
        .fetch_one(&mut **tx)
        .await
        .doing("adopting an order")?;
    Ok(if taken { format!("external:{}", order.key) } else { ours.clone() })
}
