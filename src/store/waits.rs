//! Waiting, which is a column: when a term is looked at again, and when it is warned about.
//!
//! Owns these two moments where no state changes with them. Never decides how long.

use jiff::{SignedDuration, Timestamp};

use sqlx::SqliteConnection;

use super::text::{json, optional_time, read_optional_time, read_time, time};
use super::{Doing, Store, StoreError, commit};
use crate::renewal::state::Reason;

/// No wait but that for a due time, or for the beginning of a term, is longer than this.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(26);
/// The same while the clock is in doubt, and a minute: once it is set right, what it kept goes on at once.
const WAIT_FOR_CLOCK: SignedDuration = SignedDuration::from_mins(61);

/// When something is next to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// A term.
    pub term: Option<Timestamp>,
    /// A message.
    pub message: Option<Timestamp>,
    /// A notice that is told again.
    pub notice: Option<Timestamp>,
    /// Whether some of the file in force is refused.
    pub refused: bool,
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

impl Store {
    /// When something is next to be done, as far as the database knows.
    pub async fn next_wake(&mut self) -> Result<Wake, StoreError> {
        let (acts, warns, message, notice, refused): (Option<String>, Option<String>, Option<String>, Option<String>, bool) =
            sqlx::query_as(
                "SELECT (SELECT min(act_at) FROM term WHERE act_at IS NOT NULL), (SELECT min(warn_at) FROM term WHERE warn_at IS NOT NULL),
                        (SELECT min(next_at) FROM outbox WHERE next_at IS NOT NULL),
                        (SELECT min(again_at) FROM notice WHERE again_at IS NOT NULL),
                        EXISTS (SELECT 1 FROM notice WHERE key GLOB 'entry:*')",
            )
            .fetch_one(&mut self.conn)
            .await
            .doing("reading what is next")?;
        let (acts, warns) = (read_optional_time(acts.as_deref())?, read_optional_time(warns.as_deref())?);
        Ok(Wake {
            term: [acts, warns].into_iter().flatten().min(),
            message: read_optional_time(message.as_deref())?,
            notice: read_optional_time(notice.as_deref())?,
            refused,
        })
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

    /// Lets many terms wait for the same reason, in one statement: a portal that is down stops a thousand terms at once.
    pub async fn postpone(&mut self, now: Timestamp, wait: &Postponement) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE term SET act_at = $2, since = CASE WHEN state = 'scheduled' AND reason IS NOT $3 THEN $5 ELSE since END,
                    reason = CASE WHEN state = 'scheduled' THEN $3 ELSE reason END,
                    detail = CASE WHEN state = 'scheduled' THEN $4 ELSE detail END,
                    remedy = CASE WHEN state = 'scheduled' THEN $6 ELSE remedy END
             WHERE id IN (SELECT value FROM json_each($1)) AND act_at IS NOT NULL",
        )
        .bind(json(&wait.terms)?)
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
             WHERE state = 'scheduled' AND (act_at > max(due_at, $2) OR (reason = 'clock' AND act_at > max(due_at, $3)))",
            "UPDATE term SET act_at = $1 WHERE state IN ('awaiting_approval', 'ordering', 'unknown', 'placed', 'held') AND act_at > $2",
            "UPDATE term SET act_at = $1 WHERE state = 'renewed' AND act_at > $2 AND act_at > deadline_at",
            "UPDATE account SET portal_next_at = NULL WHERE portal_next_at > $2",
            "UPDATE outbox SET next_at = $1 WHERE next_at > $2",
            "UPDATE notice SET again_at = $1 WHERE again_at > strftime('%Y-%m-%dT%H:%M:%fZ', $2, '+7 days')",
        ] {
            sqlx::query(mend)
                .bind(time(now))
                .bind(time(now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX)))
                .bind(time(now.checked_add(WAIT_FOR_CLOCK).unwrap_or(Timestamp::MAX)))
                .execute(&mut *tx)
                .await
                .doing("mending waits")?;
        }
        // A warning whose moment has come while the daemon was away is still to be given.
        let warned: Vec<(i64, String, String, i64)> = sqlx::query_as(
            "SELECT t.id, t.deadline_at, t.due_at, t.state = 'scheduled' FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE (warn_at IS NULL OR warn_at > $1) AND (s.active OR state NOT IN ('held', 'missed'))
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
        warn_at(&mut self.conn, warnings).await
    }
}

/// Sets the next deadline warning of terms, perhaps within a larger write.
pub(crate) async fn warn_at(conn: &mut SqliteConnection, warnings: &[(i64, Option<Timestamp>)]) -> Result<(), StoreError> {
    if warnings.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = warnings.iter().map(|(id, at)| (id, optional_time(*at))).collect();
    sqlx::query("UPDATE term SET warn_at = v.value ->> 1 FROM json_each($1) v WHERE term.id = v.value ->> 0")
        .bind(json(&rows)?)
        .execute(conn)
        .await
        .doing("setting deadline warnings")?;
    Ok(())
}
