//! What the portal says of single orders of its list: their details, and how they stand (R18).
//!
//! Owns which are to be read, and when again. Their rows come with the list (`mirror.rs`).

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::text::{json, optional_time, read_optional_time, time};
use super::{Doing, Store, StoreError};
use crate::renewal::evidence::is_dead;
use crate::renewal::facts::{self, Facts};

/// An order whose details are to be read: never read, unreadable so far, or read while they could still change.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Undetailed {
    /// Its row.
    pub mark: i64,
    /// The portal's id.
    pub portal_id: Option<String>,
    /// `orderNo`
    pub order_no: Option<String>,
}

/// `run --once` may be run daily: a failure and another one after longer than that are two.
const UNREADABLE_GOES_ON: SignedDuration = SignedDuration::from_hours(26);

/// How long after an order was made its details may still change: they are read again once the first span has passed, and the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settling {
    /// The shortest settle (R20).
    pub shortest: SignedDuration,
    /// The longest.
    pub longest: SignedDuration,
}

impl Store {
    /// Adds the details of one order as they were at `read`, and notes when to read them again (R18). An order that was listed before the account
    /// was bound is as old as it says; one that turned up since is at least as young as its row. A row that says that somebody's order is dead or not
    /// paid may be stale: dead it is if its details say so too, paid if either says so.
    pub async fn take_detail(&mut self, mark: i64, detail: &str, read: Timestamp, settling: Settling) -> Result<(), StoreError> {
        let value: Value = serde_json::from_str(detail).unwrap_or(Value::Null);
        let facts = Facts::of(&value, None);
        let (dead, alive): (Vec<_>, Vec<_>) = facts::status(&value).into_iter().partition(|status| is_dead(Some(status)));
        sqlx::query(concat!(
            "UPDATE portal_order SET status = CASE WHEN attempt_id IS NULL AND $9 IS NOT NULL AND (lower($9) = 'succeed' OR ",
            dead!("status"),
            ") THEN $9 WHEN attempt_id IS NULL AND $10 AND ",
            dead!("row ->> '$.orderStatus'"),
            " THEN row ->> '$.orderStatus' ELSE status END,
                    status_at = $7, detail = $2, product = coalesce($3, product), partner = coalesce($4, partner), serial = coalesce($5, serial), items = $6,
                    detail_at = $7, detail_failed_at = iif($2 = 'null', detail_failed_at, NULL), detail_again_at = (
                        SELECT min(again) FROM (
                            SELECT strftime('%Y-%m-%dT%H:%M:%fZ', made, span.value || ' seconds') AS again
                            FROM (SELECT CASE WHEN created_at IS NULL THEN first_seen_at
                                              WHEN first_seen_at > (SELECT coalesce(bound_at, '9') FROM account WHERE id = 1) THEN max(created_at, first_seen_at)
                                              ELSE created_at END AS made), json_each($8) span)
                        WHERE again > $7)
             WHERE id = $1"
        ))
        .bind(mark)
        .bind(detail)
        .bind(&facts.product)
        .bind(&facts.partner)
        .bind(&facts.serial)
        .bind(json(&facts.items)?)
        .bind(time(read))
        .bind(json(&[settling.shortest.as_secs(), settling.longest.as_secs()])?)
        .bind(alive.first())
        .bind(!dead.is_empty())
        .execute(&mut self.conn)
        .await
        .doing("keeping the details of an order")?;
        Ok(())
    }

    /// Its details cannot be read now. Returns since when; a failure that nobody has seen for hours begins anew.
    pub async fn note_unreadable(&mut self, mark: i64, now: Timestamp) -> Result<Timestamp, StoreError> {
        let lately = now.checked_sub(UNREADABLE_GOES_ON).unwrap_or(now);
        let since: Option<String> = sqlx::query_scalar(
            "UPDATE portal_order SET detail_failed_at = iif(detail_tried_at >= $3, min(coalesce(detail_failed_at, $2), $2), $2), detail_tried_at = $2
             WHERE id = $1 RETURNING detail_failed_at",
        )
        .bind(mark)
        .bind(time(now))
        .bind(time(lately))
        .fetch_optional(&mut self.conn)
        .await
        .doing("noting an order that cannot be read")?;
        Ok(read_optional_time(since.as_deref())?.unwrap_or(now))
    }

    /// Since when the details of an order were not to be read at any look, however far apart those were.
    pub async fn unread_since(&mut self, mark: i64) -> Result<Option<Timestamp>, StoreError> {
        let since: Option<String> = sqlx::query_scalar("SELECT detail_failed_at FROM portal_order WHERE id = $1")
            .bind(mark)
            .fetch_one(&mut self.conn)
            .await
            .doing("reading whether an order can be read")?;
        read_optional_time(since.as_deref())
    }

    /// Whether the details of the order of `attempt` could not be read when that was last tried, at `lately` or later.
    pub async fn is_unreadable(&mut self, attempt: i64, lately: Timestamp) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM portal_order WHERE attempt_id = $1 AND detail_failed_at IS NOT NULL AND detail_tried_at >= $2)",
        )
        .bind(attempt)
        .bind(time(lately))
        .fetch_one(&mut self.conn)
        .await
        .doing("reading whether an order can be read")
    }

    /// How an order stands by its details, where the list was not read so far back.
    pub async fn take_status(&mut self, now: Timestamp, mark: i64, status: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE portal_order SET status = $2, status_at = $3 WHERE id = $1 AND status IS NOT $2")
            .bind(mark)
            .bind(status)
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("keeping the status of an order")?;
        Ok(())
    }

    /// How an order stands by its row in the list, whatever its details say.
    pub async fn row_status(&mut self, mark: i64) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT row ->> '$.orderStatus' FROM portal_order WHERE id = $1")
            .bind(mark)
            .fetch_one(&mut self.conn)
            .await
            .doing("reading the status of an order")
    }

    /// Its details call it dead no more: it stands as its row says.
    pub async fn stands_as_listed(&mut self, now: Timestamp, mark: i64) -> Result<(), StoreError> {
        match self.row_status(mark).await? {
            Some(status) => self.take_status(now, mark, &status).await,
            None => Ok(()),
        }
    }

    /// Whether an order that was dead was seen to live again, or to be paid, since `since`.
    pub async fn is_revived(&mut self, mark: i64, since: Timestamp) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM portal_order WHERE id = $1 AND revived_at >= $2)")
            .bind(mark)
            .bind(time(since))
            .fetch_one(&mut self.conn)
            .await
            .doing("reading the mirror")
    }

    /// Orders of the mirror after row `mark`, or made, alive again or seen to come since `since`, that are not ours, and whose details are to be read by `now`; those beyond
    /// row `beyond`, oldest first.
    pub async fn without_detail(
        &mut self,
        mark: i64,
        since: Option<Timestamp>,
        beyond: i64,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Undetailed>, StoreError> {
        sqlx::query_as(
            "SELECT id AS mark, portal_id, order_no FROM portal_order
             WHERE account_id = 1 AND (detail IS NULL OR detail = 'null' OR detail_again_at <= $5) AND coalesce(portal_id, order_no) IS NOT NULL
               AND attempt_id IS NULL AND id > $4 AND (id > $1 OR coalesce(created_at, first_seen_at) >= $2 OR revived_at >= $2
                    OR (first_seen_at >= $2 AND first_seen_at > (SELECT min(first_seen_at) FROM portal_order))) ORDER BY id LIMIT +$3",
        )
        .bind(mark)
        .bind(optional_time(since).unwrap_or_else(|| "9".to_owned()))
        .bind(most)
        .bind(beyond)
        .bind(time(now))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the mirror")
    }

    /// How many orders made since `since` are not known to be ours and have details that are to be read by `now`.
    pub async fn unread_details(&mut self, since: Timestamp, now: Timestamp) -> Result<i64, StoreError> {
        sqlx::query_scalar(
            "SELECT count(*) FROM portal_order WHERE account_id = 1 AND (detail IS NULL OR detail_again_at <= $2)
               AND coalesce(portal_id, order_no) IS NOT NULL AND attempt_id IS NULL AND coalesce(created_at, first_seen_at) >= $1",
        )
        .bind(time(since))
        .bind(time(now))
        .fetch_one(&mut self.conn)
        .await
        .doing("counting the orders of others")
    }
}
