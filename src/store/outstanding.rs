//! Questions about what is out: on which day, of which kind, of which look. Changes nothing.

use jiff::Timestamp;
use jiff::civil::Date;

use super::text::{read_optional_time, time};
use super::{Doing, Store, StoreError};

/// How much was ordered on one civil day (R12): unknown attempts count too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Attempts that were or may have been sent and are not proven not placed.
    pub orders: u64,
    /// Their quantities.
    pub quantity: u64,
}

/// An undecided order that others wait for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct InTheWay {
    /// The label of its renewal.
    pub renewal: String,
    /// The command that helps, where a person has to settle it.
    pub remedy: Option<String>,
}

impl Store {
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

    /// The renewal whose undecided order keeps one that looks like `looks_like` waiting: it looks the same, or is a retry that goes alone (R21).
    pub async fn in_the_way(&mut self, looks_like: &str) -> Result<Option<InTheWay>, StoreError> {
        sqlx::query_as(
            "SELECT s.name AS renewal, iif(t.reason IN ('no_evidence', 'second_unknown'), t.remedy, NULL) AS remedy
             FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             WHERE a.state IN ('open', 'unknown') AND (a.looks_like = $1
                OR EXISTS (SELECT 1 FROM attempt b WHERE b.term_id = a.term_id AND b.id < a.id AND b.absent_at IS NOT NULL))
             ORDER BY a.looks_like <> $1, a.id LIMIT 1",
        )
        .bind(looks_like)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for what is in the way")
    }

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

    /// Whether an attempt was ever made: from then on there is a seal (R9).
    pub async fn ever_ordered(&mut self) -> Result<bool, StoreError> {
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM attempt LIMIT 1")
            .fetch_optional(&mut self.conn)
            .await
            .doing("looking for attempts")?;
        Ok(any.is_some())
    }
}
