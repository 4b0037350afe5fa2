//! `status`: one screen. What needs a person, the daemon, the next orders, the last orders.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::output::{BAD, BOLD, DIM, GOOD, plain, print, print_json, say, table};
use super::{Exit, Failure, Global};
use crate::clock::{Clock as _, WallClock};
use crate::daemon::lock::{Lock, LockError};
use crate::store::account::{Account, Kind};
use crate::store::reports::{AttentionRow, OrderRow, StateCount, UpcomingRow};

/// Options of `status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// How many of the next and the last orders to show
    #[arg(long, default_value_t = 5, value_name = "N")]
    most: u32,
}

struct Screen {
    daemon: Option<String>,
    sandbox_now: Option<Timestamp>,
    kind: Kind,
    account: Account,
    attention: Vec<AttentionRow>,
    counts: Vec<StateCount>,
    next: Vec<UpcomingRow>,
    last: Vec<OrderRow>,
}

impl Status {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Some(mut store) = global.read_database().await? else {
            return Err(Failure::Failed(anyhow::anyhow!(
                "there is no database at {} yet; create it with `renewd init`, or try `renewd run --sandbox` and then `renewd status --sandbox`",
                global.database_path().display()
            )));
        };
        let Some(installation) = store.installation().await? else {
            return Err(Failure::Failed(anyhow::anyhow!(
                "{} was not set up completely; run `renewd init`",
                global.database_path().display()
            )));
        };
        let screen = Screen {
            daemon: running(global),
            sandbox_now: installation.sandbox_now,
            kind: installation.kind,
            account: store.account().await?,
            attention: store.attention().await?,
            counts: store.counts().await?,
            next: store.upcoming(self.most).await?,
            last: store.last_orders(self.most).await?,
        };
        if global.json {
            print_json(&screen.json())?;
        } else {
            screen.show(global)?;
        }
        Ok(Exit::Fine)
    }
}

/// The process that holds the lock, if one does.
fn running(global: &Global) -> Option<String> {
    match Lock::look(&global.database_path()) {
        Err(LockError::Held { holder, .. }) => Some(holder),
        _ => None,
    }
}

impl Screen {
    fn json(&self) -> serde_json::Value {
        json!({
            "daemon": {"running": self.daemon.is_some(), "pid": self.daemon},
            "portal": {
                "kind": self.kind.word(), "base_url": self.account.base_url, "bound_at": self.account.bound_at, "synced_at": self.account.synced_at,
                "trouble": self.account.portal_trouble, "next_try_at": self.account.portal_next_at,
            },
            "paused": self.account.paused.as_ref().map(|(since, why)| json!({"since": since, "why": why})),
            "sandbox_now": self.sandbox_now,
            "attention": self.attention, "counts": self.counts, "upcoming": self.next, "orders": self.last,
        })
    }

    fn show(&self, global: &Global) -> Result<(), Failure> {
        self.show_attention()?;
        self.show_daemon(global)?;
        say!("{BOLD}Next{BOLD:#}")?;
        let mut rows = table(&["due", "renewal", "quantity", "expires", "state"]);
        for row in &self.next {
            rows.add_row([
                minute(&row.due_at),
                plain(&row.renewal),
                format!("x{}", row.quantity.unwrap_or(1)),
                row.expires_on.clone(),
                row.state.replace('_', " "),
            ]);
        }
        print(&rows)?;
        say!("")?;
        say!("{BOLD}Last orders{BOLD:#}")?;
        let mut rows = table(&["ordered", "renewal", "quantity", "new term", "order", "transaction", "status"]);
        for row in &self.last {
            let status = row.order_status.clone().unwrap_or_else(|| row.attempt_state.clone());
            let cell = |text: &Option<String>| plain(text.as_deref().unwrap_or("-"));
            rows.add_row([
                minute(&row.ordered_at),
                plain(&row.renewal),
                format!("x{}", row.quantity),
                row.starts_on.clone(),
                cell(&row.order_no),
                cell(&row.transaction_no),
                plain(&status),
            ]);
        }
        print(&rows)?;
        Ok(())
    }

    fn show_attention(&self) -> Result<(), Failure> {
        if self.attention.is_empty() {
            say!("{GOOD}Nothing needs you.{GOOD:#}")?;
        }
        for row in &self.attention {
            let name = plain(row.renewal.as_deref().unwrap_or("renewd"));
            say!(
                "{BAD}{name}{BAD:#}: {} {DIM}(since {}){DIM:#}",
                plain(row.reason.as_deref().unwrap_or_default()),
                minute(&row.since)
            )?;
            if let Some(deadline) = &row.deadline {
                say!("    by   {}", minute(deadline))?;
            }
            say!("    do   {}", plain(row.what_to_do.as_deref().unwrap_or_default()))?;
        }
        Ok(say!("")?)
    }

    fn show_daemon(&self, global: &Global) -> Result<(), Failure> {
        let daemon = self.daemon.as_ref().map_or_else(|| "not running".to_owned(), |pid| format!("running, process {pid}"));
        let portal = if self.kind == Kind::Sandbox { "the sandbox" } else { self.account.base_url.as_str() };
        let synced = self.account.synced_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        say!("{BOLD}Daemon{BOLD:#}    {daemon}")?;
        say!("{BOLD}Portal{BOLD:#}    {portal}; order list last read {synced}")?;
        say!("{BOLD}Database{BOLD:#}  {}", global.database_path().display())?;
        if let Some((since, why)) = &self.account.paused {
            say!("{BAD}Paused{BAD:#}    since {since:.0}: {}", plain(why))?;
        }
        let now = self.sandbox_now.unwrap_or_else(|| WallClock.now());
        let counts: Vec<String> =
            self.counts.iter().map(|count| format!("{} {}", count.terms, count.state.replace('_', " "))).collect();
        say!("{BOLD}Terms{BOLD:#}     {} {DIM}(times are UTC; now {now:.0}){DIM:#}", counts.join(", "))?;
        Ok(say!("")?)
    }
}

/// `2027-03-01T09:00:00.000Z` as `2027-03-01 09:00`.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}
