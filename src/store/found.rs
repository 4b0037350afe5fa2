//! What became of attempts of unknown fate, as the portal's list or a person said.
//!
//! Owns each change of an attempt after its answer, always in one commit with what follows for its term.

use jiff::Timestamp;

use super::moves::{Write, within};
use super::text::{json, optional_time, time};
use super::{Doing, Store, StoreError, Tx, commit};

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

impl Store {
    /// Attempts of unknown fate whose `poNumber` stands in an order that appeared since are due at once: `numbers`, each with the row of the mirror.
    /// Returns whether there are any that were not due.
    pub async fn look_at_once(&mut self, now: Timestamp, numbers: &[(&str, i64)]) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE term SET act_at = $1 WHERE state = 'unknown' AND act_at > $1 AND id IN (
                 SELECT a.term_id FROM json_each($2) o JOIN attempt a ON a.po_number = o.value ->> 0 WHERE a.state = 'unknown' AND a.fence_mark < o.value ->> 1)",
        )
        .bind(time(now))
        .bind(json(&numbers)?)
        .execute(&mut self.conn)
        .await
        .doing("looking for orders of unknown fate")?;
        Ok(done.rows_affected() > 0)
    }

    /// Orders that were dead, and may have been an attempt of this subscription, as a person said that it was not ordered.
    pub async fn once_candidates(&mut self, subscription: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT c.value FROM audit_log l JOIN json_each(l.detail, '$.detail.dead') c WHERE l.subscription_id = $1 AND l.kind = 'attempt.not_placed'",
        )
        .bind(subscription)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading what may have been an order of ours")
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
        link(&mut tx, attempt, &order.key).await?;
        within(&mut tx, now, write).await?;
        wake_waiting(&mut tx, now).await?;
        commit(tx, "recording a found order").await
    }

    /// A person has looked at the order that a placed attempt is recorded as: it is that one, whatever it shows.
    pub async fn vouch(&mut self, now: Timestamp, attempt: i64, write: Write) -> Result<(), StoreError> {
        let mut tx = self.begin("recording what a person said").await?;
        sqlx::query("UPDATE attempt SET matched_by = 'person' WHERE id = $1 AND state = 'placed'")
            .bind(attempt)
            .execute(&mut *tx)
            .await
            .doing("recording what a person said")?;
        within(&mut tx, now, write).await?;
        commit(tx, "recording what a person said").await
    }

    /// The answer to a placed attempt named the order of another one: its fate is unknown after all. False where that cannot be yet,
    /// because an order that looks the same is undecided.
    pub async fn reopen(&mut self, now: Timestamp, attempt: i64, write: Write) -> Result<bool, StoreError> {
        let mut tx = self.begin("opening an attempt again").await?;
        let done = sqlx::query(
            "UPDATE OR IGNORE attempt SET state = 'unknown', matched_by = NULL, settled_at = NULL, order_no = NULL, transaction_no = NULL,
                    order_id = NULL, instance_id = NULL, order_status = NULL, absent_at = NULL, absent_portal = NULL,
                    message = 'the answer named the order of another attempt'
             WHERE id = $1 AND state = 'placed' AND matched_by = 'answer'",
        )
        .bind(attempt)
        .execute(&mut *tx)
        .await
        .doing("opening an attempt again")?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE portal_order SET attempt_id = NULL WHERE attempt_id = $1")
            .bind(attempt)
            .execute(&mut *tx)
            .await
            .doing("opening an attempt again")?;
        within(&mut tx, now, write).await?;
        commit(tx, "opening an attempt again").await?;
        Ok(true)
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
        .bind(json(&po_numbers)?)
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
        link(&mut tx, attempt, &order.key).await?;
        within(&mut tx, now, write).await?;
        super::account::pause_within(&mut tx, now, Some(why), "renewd").await?;
        commit(tx, "recording an order that turned up late").await
    }

    /// An undecided or placed attempt leaves the index: proven absent (`not_placed`), or set aside by a person (`void`).
    pub async fn set_aside(&mut self, now: Timestamp, attempt: i64, to: SetAside, write: Write) -> Result<(), StoreError> {
        let mut tx = self.begin("setting an attempt aside").await?;
        aside(&mut tx, now, attempt, to).await?;
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

/// The order of the mirror is this attempt's.
async fn link(tx: &mut Tx<'_>, attempt: i64, key: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE portal_order SET attempt_id = $1 WHERE account_id = 1 AND key = $2")
        .bind(attempt)
        .bind(key)
        .execute(&mut **tx)
        .await
        .doing("linking an order to its attempt")?;
    Ok(())
}

/// Within another write: this attempt counts for nothing any more.
pub(super) async fn aside(tx: &mut Tx<'_>, now: Timestamp, attempt: i64, to: SetAside) -> Result<(), StoreError> {
    sqlx::query("UPDATE attempt SET state = $2, settled_at = $3, absent_at = coalesce(absent_at, $3) WHERE id = $1 AND state IN ('unknown', 'placed')")
        .bind(attempt)
        .bind(to.word())
        .bind(time(now))
        .execute(&mut **tx)
        .await
        .doing("setting an attempt aside")?;
    Ok(())
}
