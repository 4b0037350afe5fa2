//! The installation and the portal account.
//!
//! Owns what is true of the database as a whole: what it is bound to, whether it is paused or doubted, how the portal is doing.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audit::{self, Happened};
use super::outbox::{Message, post};
use super::text::{read_optional_time, time};
use super::{Doing, Store, StoreError, Tx, commit};

/// What a database speaks to, for ever (R8, R28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The vendor's portal.
    Portal,
    /// The built-in one.
    Sandbox,
}

impl Kind {
    /// The word as stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Sandbox => "sandbox",
        }
    }
}

/// Who this database is.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Stands in every `poNumber` of ours.
    pub uid: String,
    /// Portal or sandbox.
    pub kind: Kind,
    /// R7: its file.
    pub config_path: Option<String>,
    /// R28: where the sandbox's clock stood.
    pub sandbox_now: Option<Timestamp>,
    /// When `run --once` last ended.
    pub once_at: Option<Timestamp>,
}

/// The portal account and how it is doing.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its row.
    pub id: i64,
    /// Our permanent id for it (R1).
    pub uid: String,
    /// Where it is.
    pub base_url: String,
    /// When the whole order list was read and a person said yes.
    pub bound_at: Option<Timestamp>,
    /// R13: the newest moment that the portal confirmed.
    pub high_water: Option<Timestamp>,
    /// Since when, and why, nothing is ordered.
    pub paused: Option<(Timestamp, String)>,
    /// R9: since when, and why, this database may not be the whole truth.
    pub doubted: Option<(Timestamp, String)>,
    /// Failed probes in a row.
    pub portal_tries: u32,
    /// When it is probed again.
    pub portal_next_at: Option<Timestamp>,
    /// What was wrong at the last probe.
    pub portal_trouble: Option<String>,
    /// The last complete sync.
    pub synced_at: Option<Timestamp>,
    /// `total` then.
    pub synced_total: Option<i64>,
    /// R19: the newest order of ours that the list did not show then although it had before, and since when.
    pub lacks: Option<(String, Timestamp)>,
    /// The oldest fence of an undecided attempt: a sync must reach beyond it (R17).
    pub oldest_open_fence: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: i64,
    uid: String,
    base_url: String,
    bound_at: Option<String>,
    high_water: Option<String>,
    paused_at: Option<String>,
    paused_why: Option<String>,
    doubted_at: Option<String>,
    doubt: Option<String>,
    portal_tries: i64,
    portal_next_at: Option<String>,
    portal_trouble: Option<String>,
    synced_at: Option<String>,
    synced_total: Option<i64>,
    list_lacks: Option<String>,
    list_lacks_since: Option<String>,
    oldest_open_fence: Option<String>,
}

impl AccountRow {
    fn read(self) -> Result<Account, StoreError> {
        let paused = read_optional_time(self.paused_at.as_deref())?;
        let doubted = read_optional_time(self.doubted_at.as_deref())?;
        let lacking = read_optional_time(self.list_lacks_since.as_deref())?;
        Ok(Account {
            id: self.id,
            uid: self.uid,
            base_url: self.base_url,
            bound_at: read_optional_time(self.bound_at.as_deref())?,
            high_water: read_optional_time(self.high_water.as_deref())?,
            paused: paused.map(|at| (at, self.paused_why.unwrap_or_default())),
            doubted: doubted.map(|at| (at, self.doubt.unwrap_or_default())),
            portal_tries: u32::try_from(self.portal_tries).unwrap_or(u32::MAX),
            portal_next_at: read_optional_time(self.portal_next_at.as_deref())?,
            portal_trouble: self.portal_trouble,
            synced_at: read_optional_time(self.synced_at.as_deref())?,
            synced_total: self.synced_total,
            lacks: self.list_lacks.zip(lacking),
            oldest_open_fence: read_optional_time(self.oldest_open_fence.as_deref())?,
        })
    }
}

impl Store {
    /// Who this database is, or nothing while it is new.
    pub async fn installation(&mut self) -> Result<Option<Installation>, StoreError> {
        type Row = (String, String, Option<String>, Option<String>, Option<String>);
        let row: Option<Row> = sqlx::query_as("SELECT uid, kind, config_path, sandbox_now, once_at FROM installation")
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading the installation")?;
        row.map(|(uid, kind, config_path, now, once)| {
            let kind = if kind == "sandbox" { Kind::Sandbox } else { Kind::Portal };
            let (sandbox_now, once_at) = (read_optional_time(now.as_deref())?, read_optional_time(once.as_deref())?);
            Ok(Installation { uid, kind, config_path, sandbox_now, once_at })
        })
        .transpose()
    }

    /// Makes a new database what it will always be, and gives it its account.
    pub async fn install(&mut self, kind: Kind, seed: &str, base_url: &str, now: Timestamp) -> Result<(), StoreError> {
        let uid = short_id(&[seed, "installation"]);
        let account = short_id(&[seed, "account"]);
        let mut tx = self.begin("setting up the database").await?;
        sqlx::query("INSERT INTO installation (id, uid, kind, created_at) VALUES (1, $1, $2, $3)")
            .bind(&uid)
            .bind(kind.word())
            .bind(time(now))
            .execute(&mut *tx)
            .await
            .doing("setting up the database")?;
        sqlx::query("INSERT INTO account (id, uid, base_url) VALUES (1, $1, $2)")
            .bind(&account)
            .bind(base_url)
            .execute(&mut *tx)
            .await
            .doing("setting up the account")?;
        let detail = json!({"installation": uid, "kind": kind.word(), "account": account, "base_url": base_url});
        audit::append(&mut tx, now, vec![Happened { kind: "database.created", detail, ..Happened::default() }]).await?;
        commit(tx, "setting up the database").await
    }

    /// The account.
    pub async fn account(&mut self) -> Result<Account, StoreError> {
        let row: AccountRow = sqlx::query_as(
            "SELECT *, (SELECT min(fence_at) FROM attempt WHERE state IN ('open', 'unknown')) AS oldest_open_fence
             FROM account WHERE id = 1",
        )
        .fetch_one(&mut self.conn)
        .await
        .doing("reading the account")?;
        row.read()
    }

    /// Binds the account: its list was read whole, and a person has seen what was found (R8). What waited for it is due at once.
    pub async fn bind_account(&mut self, now: Timestamp, orders_found: i64) -> Result<(), StoreError> {
        let mut tx = self.begin("binding the account").await?;
        sqlx::query("UPDATE account SET bound_at = $1 WHERE id = 1")
            .bind(time(now))
            .execute(&mut *tx)
            .await
            .doing("binding the account")?;
        sqlx::query(
            "UPDATE term SET act_at = $1, since = $1, reason = NULL, detail = NULL, remedy = NULL
             WHERE reason = 'unbound' AND state = 'scheduled' AND act_at IS NOT NULL",
        )
        .bind(time(now))
        .execute(&mut *tx)
        .await
        .doing("waking what waited for the account")?;
        let detail = json!({"orders_found": orders_found});
        audit::append(&mut tx, now, vec![Happened { kind: "account.bound", detail, ..Happened::default() }]).await?;
        commit(tx, "binding the account").await
    }

    /// R28: the sandbox's clock goes on from here.
    pub async fn keep_sandbox_clock(&mut self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE installation SET sandbox_now = $1")
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("keeping the sandbox's clock")?;
        Ok(())
    }

    /// The portal failed: it is probed again at `next`, once and not once per term.
    pub async fn portal_unwell(&mut self, tries: u32, next: Timestamp, trouble: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE account SET portal_tries = $1, portal_next_at = $2, portal_trouble = $3 WHERE id = 1")
            .bind(i64::from(tries))
            .bind(time(next))
            .bind(trouble)
            .execute(&mut self.conn)
            .await
            .doing("noting that the portal is not well")?;
        Ok(())
    }

    /// Pauses (with a reason) or resumes (with none) all ordering. Terms that wait are looked at again at once.
    pub async fn set_paused(&mut self, now: Timestamp, why: Option<&str>, by: &str) -> Result<(), StoreError> {
        let mut tx = self.begin("pausing").await?;
        pause_within(&mut tx, now, why, by).await?;
        commit(tx, "pausing").await
    }

    /// R9: nothing is ordered until the whole list was read after `settle`, and a person has run `accept`. An older doubt stays.
    pub async fn doubt(&mut self, now: Timestamp, why: &str) -> Result<(), StoreError> {
        let mut tx = self.begin("noting a doubt").await?;
        let new = sqlx::query("UPDATE account SET doubted_at = $1, doubt = $2 WHERE id = 1 AND doubted_at IS NULL")
            .bind(time(now))
            .bind(why)
            .execute(&mut *tx)
            .await
            .doing("noting a doubt")?;
        if new.rows_affected() > 0 {
            audit::append(
                &mut tx,
                now,
                vec![Happened { kind: "database.doubted", detail: json!({"why": why}), ..Happened::default() }],
            )
            .await?;
            post(&mut tx, now, &[Message::of_doubt(why)]).await?;
        }
        commit(tx, "noting a doubt").await
    }

    /// A person has looked, and the doubt is over.
    pub async fn settle_doubt(&mut self, now: Timestamp, by: &str) -> Result<(), StoreError> {
        let mut tx = self.begin("settling a doubt").await?;
        sqlx::query("UPDATE account SET doubted_at = NULL, doubt = NULL").execute(&mut *tx).await.doing("settling a doubt")?;
        wake(&mut tx, now).await?;
        audit::append(
            &mut tx,
            now,
            vec![Happened { kind: "database.accepted", detail: json!({"by": by}), ..Happened::default() }],
        )
        .await?;
        commit(tx, "settling a doubt").await
    }

    /// R13: a person says that the clock is right and the mark is not.
    pub async fn clear_high_water(&mut self, now: Timestamp, by: &str) -> Result<(), StoreError> {
        let mut tx = self.begin("clearing the clock's mark").await?;
        sqlx::query("UPDATE account SET high_water = NULL").execute(&mut *tx).await.doing("clearing the clock's mark")?;
        wake(&mut tx, now).await?;
        audit::append(&mut tx, now, vec![Happened { kind: "clock.accepted", detail: json!({"by": by}), ..Happened::default() }])
            .await?;
        commit(tx, "clearing the clock's mark").await
    }
}

/// Stands between the reasons of a pause.
pub const AND: &str = "; and: ";

/// Pauses or resumes within a larger write. A second pause stands beside the first: whoever ends it has to know of both.
pub(crate) async fn pause_within(tx: &mut Tx<'_>, now: Timestamp, why: Option<&str>, by: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE account SET paused_at = iif($2 IS NULL, NULL, coalesce(paused_at, $1)),
                paused_why = CASE WHEN $2 IS NULL OR paused_why IS NULL THEN $2 WHEN instr(paused_why, $2) THEN paused_why ELSE paused_why || $3 || $2 END
         WHERE id = 1",
    )
        .bind(time(now))
        .bind(why)
        .bind(AND)
        .execute(&mut **tx)
        .await
        .doing("pausing")?;
    if why.is_none() {
        sqlx::query(
            "UPDATE term SET act_at = $1 WHERE state = 'scheduled' AND act_at IS NOT NULL AND due_at <= $1 AND act_at > $1",
        )
        .bind(time(now))
        .execute(&mut **tx)
        .await
        .doing("resuming")?;
    }
    let kind = if why.is_some() { "account.paused" } else { "account.resumed" };
    audit::append(tx, now, vec![Happened { kind, detail: json!({"why": why, "by": by}), ..Happened::default() }]).await
}

/// What is due and waits is looked at again at once.
async fn wake(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE term SET act_at = $1 WHERE state = 'scheduled' AND act_at IS NOT NULL AND due_at <= $1 AND act_at > $1")
        .bind(time(now))
        .execute(&mut **tx)
        .await
        .doing("waking what waits")?;
    Ok(())
}

/// Ten characters of base 32 without look-alike letters, drawn from a hash of `parts`.
pub(crate) fn short_id(parts: &[&str]) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(10).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}
