//! What somebody should hear, and perhaps has not: looks that are overdue, messages that reached nobody, deadlines that near, notices that
//! still stand.
//!
//! Owns finding it. What is said of it is in `daemon/words.rs`, `daemon/tell.rs` and `cli/alive.rs`.

use jiff::Timestamp;

use super::notices::Notice;
use super::outbox::{Message, post};
use super::text::{optional_time, read_optional_time, read_time, time};
use super::{Doing, Store, StoreError, commit};

/// The term whose look is overdue the longest.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Overdue {
    /// The label of its renewal.
    pub renewal: String,
    /// When it should have been looked at.
    pub at: String,
    /// When it must be done.
    pub deadline: String,
}

/// Messages that wait although they should have gone.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Undelivered {
    /// How many.
    pub messages: i64,
    /// Since when the oldest waits; none if none does.
    pub since: Option<String>,
    /// What was wrong at a last try.
    pub error: Option<String>,
}

/// A renewal that is not renewed, and by when it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearing {
    /// Its label.
    pub renewal: String,
    /// By when.
    pub deadline_at: Timestamp,
}

/// A notice whose time to be told again has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What stands.
    pub notice: Notice,
    /// Since when.
    pub since: Timestamp,
    /// By when it matters.
    pub by: Option<Timestamp>,
}

impl Store {
    /// What should have been looked at before `by` and was not.
    pub async fn overdue(&mut self, by: Timestamp) -> Result<Option<Overdue>, StoreError> {
        sqlx::query_as(
            "SELECT s.name AS renewal, min(coalesce(t.act_at, t.warn_at), coalesce(t.warn_at, t.act_at)) AS at, t.deadline_at AS deadline
             FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE t.id IN (SELECT id FROM term WHERE act_at < $1 UNION SELECT id FROM term WHERE warn_at < $1) ORDER BY 2, t.deadline_at LIMIT 1",
        )
        .bind(time(by))
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for what is overdue")
    }

    /// Messages that failed, or that nobody has tried to deliver since `by`.
    pub async fn undelivered_since(&mut self, by: Timestamp) -> Result<Undelivered, StoreError> {
        sqlx::query_as(
            "SELECT count(*) AS messages, min(created_at) AS since,
                    (SELECT last_error FROM outbox WHERE next_at IS NOT NULL AND tries > 0 ORDER BY id DESC LIMIT 1) AS error
             FROM outbox WHERE next_at IS NOT NULL AND (tries > 0 OR next_at < $1)",
        )
        .bind(time(by))
        .fetch_one(&mut self.conn)
        .await
        .doing("looking for messages that wait")
    }

    /// `run --once` ended: somebody works on this database, without a daemon.
    pub async fn ran_once(&mut self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE installation SET once_at = $1")
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("noting a run")?;
        Ok(())
    }

    /// What is not renewed and must be before `until`, the nearest first, at most `most`.
    pub async fn nearing(&mut self, now: Timestamp, until: Timestamp, most: u32) -> Result<Vec<Nearing>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT s.name, t.deadline_at FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE s.active = 1 AND t.state NOT IN ('renewed', 'skipped', 'missed') AND t.deadline_at > $1 AND t.deadline_at <= $2
             ORDER BY t.deadline_at, s.name LIMIT $3",
        )
        .bind(time(now))
        .bind(time(until))
        .bind(most)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for deadlines that near")?;
        let read = |(renewal, at): (String, String)| Ok(Nearing { renewal, deadline_at: read_time(&at)? });
        rows.into_iter().map(read).collect()
    }

    /// Whether people were told of `cause`, or are about to be, between `since` and `now`.
    pub async fn told_since(&mut self, cause: &str, since: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let told: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM outbox WHERE cause = $1 AND created_at > $2 AND created_at <= $3 LIMIT 1")
                .bind(cause)
                .bind(time(since))
                .bind(time(now))
                .fetch_optional(&mut self.conn)
                .await
                .doing("reading the outbox")?;
        Ok(told.is_some())
    }

    /// Notices that are to be told again.
    pub async fn standing_notices(&mut self, now: Timestamp) -> Result<Vec<Standing>, StoreError> {
        type Row = (String, Option<String>, String, String, String, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT key, renewal, reason, what_to_do, since, by_at FROM notice WHERE again_at IS NOT NULL AND again_at <= $1 ORDER BY key",
        )
        .bind(time(now))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading notices")?;
        let read = |(key, renewal, reason, what_to_do, since, by): Row| {
            let notice = Notice { key, renewal, reason, what_to_do };
            Ok(Standing { notice, since: read_time(&since)?, by: read_optional_time(by.as_deref())? })
        };
        rows.into_iter().map(read).collect()
    }

    /// People are told of a notice again, and at `again` once more.
    pub async fn tell_notice(&mut self, now: Timestamp, key: &str, message: Message, again: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin("telling of a notice again").await?;
        sqlx::query("UPDATE notice SET again_at = $2 WHERE key = $1")
            .bind(key)
            .bind(time(again))
            .execute(&mut *tx)
            .await
            .doing("telling of a notice again")?;
        post(&mut tx, now, &[message]).await?;
        commit(tx, "telling of a notice again").await
    }

    /// When a notice is told again, and by when it matters.
    pub async fn tell_again_at(&mut self, key: &str, again: Timestamp, by: Option<Timestamp>) -> Result<(), StoreError> {
        sqlx::query("UPDATE notice SET again_at = $2, by_at = $3 WHERE key = $1")
            .bind(key)
            .bind(time(again))
            .bind(optional_time(by))
            .execute(&mut self.conn)
            .await
            .doing("planning to tell of a notice again")?;
        Ok(())
    }

    /// What kept the portal from being used may be gone: it is asked again at once, and what waited for it is looked at.
    pub async fn ask_portal_anew(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin("asking the portal again").await?;
        for statement in [
            "UPDATE account SET portal_next_at = NULL WHERE portal_next_at > $1",
            "UPDATE term SET act_at = $1 WHERE reason = 'portal_trouble' AND state = 'scheduled' AND act_at > $1 AND due_at <= $1",
        ] {
            sqlx::query(statement).bind(time(now)).execute(&mut *tx).await.doing("asking the portal again")?;
        }
        commit(tx, "asking the portal again").await
    }
}
