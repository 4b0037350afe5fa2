//! `status`: one screen. What needs a person, the daemon, the next orders, the last orders.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::alive::{Daemon, Watch};
use super::columns::{is_wide, keep_whole};
use super::output::{BAD, BOLD, DIM, GOOD, plain, print, print_json, say, table};
use super::words::{minute, minute_of, zone_name, zone_of};
use super::{Exit, Failure, Global};
use crate::clock::{Clock as _, WallClock};
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
    daemon: Daemon,
    zone: TimeZone,
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
                "there is no database at {} yet; create it with `{}`, or try `renewd run --sandbox` and then `renewd status --sandbox`",
                global.database_path().display(),
                global.command("init")
            )));
        };
        let Some(installation) = store.installation().await? else {
            return Err(Failure::Failed(anyhow::anyhow!(
                "{} was not set up completely; run `{}`",
                global.database_path().display(),
                global.command("init")
            )));
        };
        let zone = zone_of(store.file_in_force().await?.as_ref().map(|file| file.text.as_str()));
        let (daemon, account) = (Daemon::of(global), store.account().await?);
        let watch = Watch { global, daemon: &daemon, installation: &installation, account: &account, zone: &zone };
        let mut attention = watch.worries(&mut store).await?;
        attention.extend(store.attention().await?);
        let screen = Screen {
            daemon,
            zone,
            sandbox_now: installation.sandbox_now,
            kind: installation.kind,
            account,
            attention,
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

impl Screen {
    fn json(&self) -> serde_json::Value {
        json!({
            "daemon": self.daemon.json(),
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
        self.show_attention(global)?;
        self.show_daemon(global)?;
        self.show_next()?;
        say!("")?;
        self.show_last()
    }

    fn show_next(&self) -> Result<(), Failure> {
        if self.next.is_empty() {
            return Ok(say!("{BOLD}Next{BOLD:#}      nothing is scheduled")?);
        }
        say!("{BOLD}Next{BOLD:#}")?;
        let mut rows = table(&["due", "renewal", "quantity", "expires", "state"]);
        for row in &self.next {
            rows.add_row([
                minute_of(&row.due_at, &self.zone),
                plain(&row.renewal),
                format!("x{}", row.quantity.unwrap_or(1)),
                row.expires_on.clone(),
                row.state.replace('_', " "),
            ]);
        }
        keep_whole(&mut rows, None);
        Ok(print(&rows)?)
    }

    fn show_last(&self) -> Result<(), Failure> {
        if self.last.is_empty() {
            return Ok(say!("{BOLD}Last orders{BOLD:#}  none yet")?);
        }
        say!("{BOLD}Last orders{BOLD:#}")?;
        let mut rows = table(&["ordered", "renewal", "quantity", "new term", "order", "transaction", "status"]);
        let wide = is_wide(&rows);
        if !wide {
            rows = table(&["ordered", "renewal", "quantity", "order, transaction", "status"]);
        }
        for row in &self.last {
            rows.add_row(self.order(row, wide));
        }
        keep_whole(&mut rows, None);
        Ok(print(&rows)?)
    }

    fn order(&self, row: &OrderRow, wide: bool) -> Vec<String> {
        let cell = |text: &Option<String>| plain(text.as_deref().unwrap_or("-"));
        let (order, transaction) = (cell(&row.order_no), cell(&row.transaction_no));
        let status = plain(row.order_status.as_deref().unwrap_or(&row.attempt_state));
        let mut cells = vec![minute_of(&row.ordered_at, &self.zone), plain(&row.renewal), format!("x{}", row.quantity)];
        if wide {
            cells.extend([row.starts_on.clone(), order, transaction]);
        } else {
            cells.push(format!("{order}\n{transaction}"));
        }
        cells.push(status);
        cells
    }

    fn show_attention(&self, global: &Global) -> Result<(), Failure> {
        if self.attention.is_empty() {
            say!("{GOOD}Nothing needs you.{GOOD:#}")?;
        }
        for row in &self.attention {
            let name = plain(row.renewal.as_deref().unwrap_or("renewd"));
            say!(
                "{BAD}{name}{BAD:#}: {} {DIM}(since {}){DIM:#}",
                plain(row.reason.as_deref().unwrap_or_default()),
                minute_of(&row.since, &self.zone)
            )?;
            if let Some(deadline) = &row.deadline {
                say!("    by   {}", minute_of(deadline, &self.zone))?;
            }
            say!("    do   {}", plain(&global.here(row.what_to_do.as_deref().unwrap_or_default())))?;
        }
        Ok(say!("")?)
    }

    fn show_daemon(&self, global: &Global) -> Result<(), Failure> {
        let daemon = self.daemon.words();
        let portal = if self.kind == Kind::Sandbox { "the sandbox" } else { self.account.base_url.as_str() };
        let synced = self.account.synced_at.map_or_else(|| "never".to_owned(), |at| minute(at, &self.zone));
        say!("{BOLD}Daemon{BOLD:#}    {daemon}")?;
        say!("{BOLD}Portal{BOLD:#}    {portal}; order list last read {synced}")?;
        if let Some(trouble) = &self.account.portal_trouble {
            let again = self
                .account
                .portal_next_at
                .map_or_else(String::new, |at| format!(" (tried again at {})", minute(at, &self.zone)));
            say!("{BAD}Trouble{BAD:#}   {}{again}", plain(trouble))?;
        }
        say!("{BOLD}Database{BOLD:#}  {}", global.database_path().display())?;
        if let Some((since, why)) = &self.account.paused {
            say!("{BAD}Paused{BAD:#}    since {}: {}", minute(*since, &self.zone), plain(why))?;
        }
        let now = self.sandbox_now.unwrap_or_else(|| WallClock.now());
        let counts: Vec<String> =
            self.counts.iter().map(|count| format!("{} {}", count.terms, count.state.replace('_', " "))).collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
        say!("{BOLD}Terms{BOLD:#}     {counts}")?;
        say!("{DIM}Times     {}; now {}{DIM:#}", zone_name(&self.zone), minute(now, &self.zone))?;
        Ok(say!("")?)
    }
}
