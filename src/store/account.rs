//! The installation, the portal account, notices and the outbox.
//!
//! Owns what is true of the database as a whole: what it is bound to, whether it is paused, how the portal is doing.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audit::{self, Happened};
use super::text::{optional_time, read_optional_time, time};
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
}

/// Something for people: what happened, to what, by when it matters, and the command to run (R27).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same cause is told at most once an hour.
    pub cause: String,
    /// The label of the renewal, if it concerns one.
    pub renewal: Option<String>,
    /// What happened, in a sentence.
    pub what: String,
    /// When it matters.
    pub by: Option<Timestamp>,
    /// What to run.
    pub command: Option<String>,
}

impl Message {
    /// R8, R9: nothing is ordered before a person has looked at the database.
    pub(super) fn of_doubt(why: &str) -> Self {
        Self {
            cause: "doubt".to_owned(),
            renewal: None,
            what: format!("nothing is ordered: {why}"),
            by: None,
            command: Some("renewd accept".to_owned()),
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its row.
    pub id: i64,
    /// JSON.
    pub body: String,
    /// Failed tries so far.
    pub tries: u32,
}

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
        let row: AccountRow =
            sqlx::query_as("SELECT * FROM account WHERE id = 1").fetch_one(&mut self.conn).await.doing("reading the account")?;
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

    /// R27: whether the channels with this fingerprint were once tried and worked.
    pub async fn channels_work(&mut self, fingerprint: &str) -> Result<bool, StoreError> {
        let tested: Option<i64> = sqlx::query_scalar("SELECT 1 FROM channels_tested WHERE fingerprint = $1")
            .bind(fingerprint)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading which channels work")?;
        Ok(tested.is_some())
    }

    /// R27: the channels with this fingerprint were tried and work.
    pub async fn keep_channels(&mut self, fingerprint: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO channels_tested (fingerprint, at) VALUES ($1, $2) ON CONFLICT DO UPDATE SET at = excluded.at")
            .bind(fingerprint)
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("keeping the channels")?;
        Ok(())
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

    /// Puts messages into the outbox on their own.
    pub async fn tell(&mut self, now: Timestamp, messages: &[Message]) -> Result<(), StoreError> {
        let mut tx = self.begin("writing to the outbox").await?;
        post(&mut tx, now, messages).await?;
        commit(tx, "writing to the outbox").await
    }

    /// Messages whose time has come, oldest first.
    pub async fn outgoing(&mut self, now: Timestamp, most: u32) -> Result<Vec<Outgoing>, StoreError> {
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT id, body, tries FROM outbox WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at, id LIMIT +$2",
        )
        .bind(time(now))
        .bind(most)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the outbox")?;
        Ok(rows
            .into_iter()
            .map(|(id, body, tries)| Outgoing { id, body, tries: u32::try_from(tries).unwrap_or(u32::MAX) })
            .collect())
    }

    /// A message was delivered, or there is nobody to tell. One whose words have changed while it was on its way stays, and is sent again.
    pub async fn delivered(&mut self, sent: &Outgoing, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET next_at = NULL, sent_at = $2 WHERE id = $1 AND body = $3")
            .bind(sent.id)
            .bind(time(now))
            .bind(&sent.body)
            .execute(&mut self.conn)
            .await
            .doing("noting a delivery")?;
        Ok(())
    }

    /// A message was not delivered; it is tried again at `next`.
    pub async fn undelivered(&mut self, id: i64, next: Timestamp, error: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET next_at = $2, tries = tries + 1, last_error = $3 WHERE id = $1")
            .bind(id)
            .bind(time(next))
            .bind(error)
            .execute(&mut self.conn)
            .await
            .doing("noting a failed delivery")?;
        Ok(())
    }
}

/// Pauses or resumes within a larger write.
pub(crate) async fn pause_within(tx: &mut Tx<'_>, now: Timestamp, why: Option<&str>, by: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE account SET paused_at = $1, paused_why = $2 WHERE id = 1")
        .bind(why.map(|_| time(now)))
        .bind(why)
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

/// The same cause is told at most once an hour: what is not yet sent is replaced, what was just sent delays the next.
const SAME_CAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Puts messages into the outbox within a larger write.
pub(crate) async fn post(tx: &mut Tx<'_>, now: Timestamp, messages: &[Message]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let head: Option<String> = sqlx::query_scalar("SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **tx)
        .await
        .doing("reading the head of the audit log")?;
    for message in messages {
        let body = body_of(message, now, head.as_deref());
        let replaced =
            sqlx::query("UPDATE outbox SET body = $2, created_at = $3 WHERE cause = $1 AND next_at IS NOT NULL AND tries = 0")
                .bind(&message.cause)
                .bind(&body)
                .bind(time(now))
                .execute(&mut **tx)
                .await
                .doing("writing to the outbox")?;
        if replaced.rows_affected() == 0 {
            insert_message(tx, now, message, &body).await?;
        }
    }
    Ok(())
}

async fn insert_message(tx: &mut Tx<'_>, now: Timestamp, message: &Message, body: &str) -> Result<(), StoreError> {
    let last: Option<String> = sqlx::query_scalar("SELECT max(sent_at) FROM outbox WHERE cause = $1 AND sent_at <= $2")
        .bind(&message.cause)
        .bind(time(now))
        .fetch_one(&mut **tx)
        .await
        .doing("reading the outbox")?;
    let earliest = read_optional_time(last.as_deref())?.and_then(|sent| sent.checked_add(SAME_CAUSE).ok());
    sqlx::query("INSERT INTO outbox (created_at, cause, renewal, body, next_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(time(now))
        .bind(&message.cause)
        .bind(&message.renewal)
        .bind(body)
        .bind(time(earliest.map_or(now, |at| at.max(now))))
        .execute(&mut **tx)
        .await
        .doing("writing to the outbox")?;
    Ok(())
}

/// The head of the audit log goes along: whoever keeps the message can tell later whether the log was rewritten.
/// How a message travels.
pub(crate) fn body_of(message: &Message, now: Timestamp, head: Option<&str>) -> String {
    json!({
        "at": time(now),
        "cause": message.cause,
        "renewal": message.renewal,
        "what": message.what,
        "by": message.by.map(time),
        "command": message.command,
        "audit_head": head,
    })
    .to_string()
}

/// Ten characters of base 32 without look-alike letters, drawn from a hash of `parts`.
pub(crate) fn short_id(parts: &[&str]) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(10).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}
