//! Whether anybody works on the database, and what a daemon that does not work cannot say itself.
//!
//! Owns the worries that stand in no row: a daemon that is not there, one that hangs, an account that was never bound, messages that reached
//! nobody. Never writes.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::words::{counted, minute, minute_of, zone_of};
use super::{Failure, Global};
use crate::clock::{Clock as _, WallClock};
use crate::daemon::lock::{Lock, LockError};
use crate::store::Store;
use crate::store::account::{Account, Installation, Kind};
use crate::store::reports::AttentionRow;

/// Longer than any tick that goes well: reading a long list, and the orders that are due together.
const OVERDUE: SignedDuration = SignedDuration::from_mins(15);
/// How long after a `run --once` nobody need miss a daemon: it is run once a day, or more often.
const ONCE_A_DAY: SignedDuration = SignedDuration::from_hours(26);

/// Whether a process works on the database.
pub(super) enum Daemon {
    Running {
        pid: String,
    },
    Stopped,
    /// Its lock may not be read: the asking user is not in its group.
    NotForYou,
}

impl Daemon {
    pub(super) fn of(global: &Global) -> Self {
        match Lock::look(&global.database_path()) {
            Err(LockError::Held { holder, .. }) => Self::Running { pid: holder },
            Err(_) => Self::NotForYou,
            Ok(()) => Self::Stopped,
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        match self {
            Self::Running { pid } => json!({"running": true, "pid": pid.parse::<u32>().ok()}),
            Self::Stopped => json!({"running": false, "pid": null}),
            Self::NotForYou => json!({"running": null, "pid": null}),
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Running { pid } => format!("running, process {pid}"),
            Self::Stopped => "not running".to_owned(),
            Self::NotForYou => "nobody knows: you may not read its lock file".to_owned(),
        }
    }
}

/// What is looked at.
pub(super) struct Watch<'a> {
    pub(super) global: &'a Global,
    pub(super) daemon: &'a Daemon,
    pub(super) installation: &'a Installation,
    pub(super) account: &'a Account,
    pub(super) zone: &'a TimeZone,
}

impl Watch<'_> {
    /// What nobody has said, the worst first. The sandbox renews nothing, so nothing is said of it.
    pub(super) async fn worries(&self, store: &mut Store) -> Result<Vec<AttentionRow>, Failure> {
        if self.installation.kind == Kind::Sandbox {
            return Ok(Vec::new());
        }
        let now = WallClock.now();
        if self.account.bound_at.is_none() {
            return Ok(vec![self.unbound(now)]);
        }
        let mut worries: Vec<AttentionRow> = self.nobody_works(store, now).await?.into_iter().collect();
        worries.extend(self.undelivered(store, now).await?);
        Ok(worries)
    }

    fn unbound(&self, now: Timestamp) -> AttentionRow {
        let reason = "the database is not bound to a portal account, so nothing is renewed".to_owned();
        row(now, reason, self.global.command("init"))
    }

    async fn nobody_works(&self, store: &mut Store, now: Timestamp) -> Result<Option<AttentionRow>, Failure> {
        let once = self.installation.once_at.filter(|at| (*at <= now) && now.duration_since(*at) < ONCE_A_DAY);
        let stopped = matches!(self.daemon, Daemon::Stopped);
        // What a run by the timer has left undone is overdue; what came after it waits for the next.
        let seen = once.filter(|_| stopped).unwrap_or(now);
        let overdue = store.overdue(seen.checked_sub(OVERDUE).unwrap_or(seen)).await?;
        let next = store.upcoming(1).await?;
        if overdue.is_none() && (!stopped || once.is_some() || next.is_empty()) {
            return Ok(None);
        }
        let last = self
            .account
            .synced_at
            .map_or_else(String::new, |at| format!("; the portal's order list was last read on {}", minute(at, self.zone)));
        let what = match (&overdue, next.first()) {
            (Some(late), _) => format!(
                "{} should have been looked at on {}; its deadline is {}",
                late.renewal,
                minute_of(&late.at, self.zone),
                minute_of(&late.deadline, self.zone)
            ),
            (None, Some(next)) => format!(
                "next: {}, due {}, deadline {}",
                next.renewal,
                minute_of(&next.due_at, self.zone),
                minute_of(&next.deadline, self.zone)
            ),
            (None, None) => String::new(),
        };
        let (who, help) = if stopped {
            ("the daemon is not running, so nothing is renewed", self.start())
        } else {
            ("the daemon does not do what is due: it hangs, is stopped, or every look of it fails", LOOK.to_owned())
        };
        let since = overdue.as_ref().map(|late| late.at.clone());
        let deadline = overdue.map(|late| late.deadline).or_else(|| next.first().map(|next| next.deadline.clone()));
        let since = since.or_else(|| self.account.synced_at.map(text)).unwrap_or_else(|| text(now));
        Ok(Some(AttentionRow { since, deadline, ..row(now, format!("{who}: {what}{last}"), help) }))
    }

    fn start(&self) -> String {
        if self.global.is_service() { "sudo systemctl start renewd".to_owned() } else { self.global.command("run") }
    }

    async fn undelivered(&self, store: &mut Store, now: Timestamp) -> Result<Option<AttentionRow>, Failure> {
        let waiting = store.undelivered_since(now.checked_sub(OVERDUE).unwrap_or(now)).await?;
        let Some(since) = waiting.since else { return Ok(None) };
        let error = waiting.error.map(|error| format!("; the last try: {error}")).unwrap_or_default();
        let reason = format!("{} could not be delivered{error}", counted(waiting.messages, "message"));
        Ok(Some(AttentionRow { since, ..row(now, reason, self.global.command("notify --test")) }))
    }
}

/// For `check`: what keeps a file that is in order from being renewed by. Without a database there is nobody to miss yet, but that.
pub(super) async fn worries(global: &Global) -> Result<Vec<AttentionRow>, Failure> {
    if global.sandbox {
        return Ok(Vec::new());
    }
    let mut store = match global.read_database().await {
        Ok(Some(store)) => store,
        Ok(None) => return Ok(vec![no_database(global, "there is no database yet")]),
        Err(error) => return Ok(vec![row(WallClock.now(), error.to_string(), global.command("status"))]),
    };
    let Some(installation) = store.installation().await? else {
        return Ok(vec![no_database(global, "the database was not set up completely")]);
    };
    let zone = zone_of(store.file_in_force().await?.as_ref().map(|file| file.text.as_str()));
    let (daemon, account) = (Daemon::of(global), store.account().await?);
    Watch { global, daemon: &daemon, installation: &installation, account: &account, zone: &zone }.worries(&mut store).await
}

fn no_database(global: &Global, what: &str) -> AttentionRow {
    row(WallClock.now(), format!("{what}, so nothing is renewed"), global.command("init"))
}

/// Where a daemon that does not get on has said why.
const LOOK: &str = "journalctl -u renewd (or where its log goes); then: systemctl restart renewd";

fn row(now: Timestamp, reason: String, what_to_do: String) -> AttentionRow {
    AttentionRow { renewal: None, since: text(now), reason: Some(reason), what_to_do: Some(what_to_do), deadline: None }
}

fn text(at: Timestamp) -> String {
    crate::store::text::time(at)
}
