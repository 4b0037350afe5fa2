//! Notices: what needs a person and is not the state of one term.
//!
//! Owns which stand, and when each is told again. What is told of them goes through the outbox.

use jiff::{SignedDuration, Timestamp};

use super::text::{optional_time, time};
use super::{Doing, Store, StoreError};

/// What needs a person and is not the state of one term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One per cause.
    pub key: String,
    /// The label of the renewal, if it concerns one.
    pub renewal: Option<String>,
    /// A sentence.
    pub reason: String,
    /// A command.
    pub what_to_do: String,
}

impl Notice {
    /// What stands is told every week until it is settled; trouble with the portal or with a row is told by what finds it.
    fn told_again(&self, now: Timestamp) -> Option<Timestamp> {
        let tells_itself = ["portal", "row:"].iter().any(|begin| self.key.starts_with(begin));
        now.checked_add(A_WEEK).ok().filter(|_| !tells_itself)
    }
}

/// How often people hear of what stands.
pub(crate) const A_WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Store {
    /// Raises or replaces one notice. Returns whether it did not stand already.
    pub async fn raise(&mut self, now: Timestamp, notice: &Notice) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO notice (key, renewal, since, reason, what_to_do, again_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (key) DO UPDATE SET renewal = excluded.renewal, reason = excluded.reason, what_to_do = excluded.what_to_do,
                again_at = excluded.again_at, by_at = NULL
             WHERE reason <> excluded.reason OR what_to_do <> excluded.what_to_do OR renewal IS NOT excluded.renewal",
        )
        .bind(&notice.key)
        .bind(&notice.renewal)
        .bind(time(now))
        .bind(&notice.reason)
        .bind(&notice.what_to_do)
        .bind(optional_time(notice.told_again(now)))
        .execute(&mut self.conn)
        .await
        .doing("raising a notice")?;
        Ok(done.rows_affected() > 0)
    }

    /// The keys of the notices that stand and begin with `prefix`.
    pub async fn notices(&mut self, prefix: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT key FROM notice WHERE substr(key, 1, length($1)) = $1 ORDER BY key")
            .bind(prefix)
            .fetch_all(&mut self.conn)
            .await
            .doing("looking for notices")
    }

    /// Withdraws every notice whose key begins with `prefix`, but for `keep`.
    pub async fn withdraw(&mut self, prefix: &str, keep: &[String]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM notice WHERE substr(key, 1, length($1)) = $1 AND key NOT IN (SELECT value FROM json_each($2))")
            .bind(prefix)
            .bind(super::text::json(&keep)?)
            .execute(&mut self.conn)
            .await
            .doing("withdrawing notices")?;
        Ok(())
    }
}
