//! `plan`: what would be ordered, when and why. Spends nothing, writes nothing, needs no credentials.
//!
//! Owns laying the file over the database: an edit shows here before the daemon has taken it up.

use std::collections::HashMap;

use clap::Args;
use comfy_table::Table;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::columns::{is_wide, keep_whole};
use super::output::{BOLD, DIM, plain, print, print_json, say, table};
use super::words::{counted, minute};
use super::{Exit, Failure, Global};
use crate::calendar;
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::renewal::chain::{self, Moments};
use crate::renewal::roster::Known;
use crate::renewal::state::TermState;
use crate::renewal::subscription::{Approval, Entry, Identity, Standing};

/// Options of `plan`.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// How many days to look ahead
    #[arg(long, default_value_t = 30, conflicts_with = "until", value_name = "N", value_parser = clap::value_parser!(u32).range(..=36_600))]
    days: u32,
    /// Look ahead until the end of this day
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

/// One line of the plan.
#[derive(Debug, Clone, Serialize)]
struct Planned {
    renewal: String,
    partner_id: Option<String>,
    product: String,
    quantity: u64,
    due_at: Timestamp,
    deadline: Timestamp,
    starts_on: Date,
    ends_on: Date,
    state: String,
    why: String,
}

impl Plan {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let parsed = Config::from_file(&global.config_path())?;
        let config = &parsed.config;
        let (known, now) = stored(global).await?;
        let until = self.until(now, &config.zone)?;
        let mut all = planned(config, &known, now)?;
        all.sort_by(|a, b| (a.due_at, &a.renewal).cmp(&(b.due_at, &b.renewal)));
        let within: Vec<Planned> = all.iter().filter(|line| line.due_at <= until).cloned().collect();
        if global.json {
            print_json(&within)?;
        } else {
            show(&within, all.get(within.len()), until, config)?;
        }
        Ok(if within.is_empty() { Exit::Fine } else { Exit::Something })
    }

    fn until(&self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
        let Some(date) = self.until else {
            return Ok(now.checked_add(SignedDuration::from_hours(24 * i64::from(self.days))).unwrap_or(Timestamp::MAX));
        };
        let next = date.tomorrow().map_err(anyhow::Error::from)?;
        Ok(calendar::deadline(next, zone).map_err(anyhow::Error::from)?)
    }
}

/// What the database knows, and what time it is for it: the sandbox has its own clock.
async fn stored(global: &Global) -> Result<(Vec<Known>, Timestamp), Failure> {
    let Some(mut store) = global.read_database().await? else { return Ok((Vec::new(), WallClock.now())) };
    let sandbox_now = store.installation().await?.and_then(|installation| installation.sandbox_now);
    Ok((store.known().await?, sandbox_now.unwrap_or_else(|| WallClock.now())))
}

fn planned(config: &Config, known: &[Known], now: Timestamp) -> Result<Vec<Planned>, Failure> {
    let by_identity: HashMap<&Identity, &Known> = known.iter().map(|k| (&k.identity, k)).collect();
    let lines = config.entries.iter().map(|entry| line(entry, by_identity.get(&entry.identity).copied(), &config.zone, now));
    lines.collect::<Result<_, _>>().map(|lines: Vec<Option<Planned>>| lines.into_iter().flatten().collect())
}

/// The next order of one entry; none where the chain has ended.
fn line(entry: &Entry, known: Option<&Known>, zone: &TimeZone, now: Timestamp) -> Result<Option<Planned>, Failure> {
    let standing = Standing::of(entry);
    let term = known.and_then(|k| k.term.as_ref().map(|term| (k, term)));
    let (span, state) = match term {
        Some((_, term)) if term.state.ends_chain() => return Ok(None),
        Some((known, term)) if term.state == TermState::Scheduled => {
            (chain::term_at(known.anchor_on, term.span.offset_months, entry.cycle).map_err(anyhow::Error::from)?, term.state)
        }
        Some((_, term)) => (term.span, term.state),
        None => (chain::term_at(entry.expires_on, 0, entry.cycle).map_err(anyhow::Error::from)?, TermState::Scheduled),
    };
    let moments = chain::moments(span.starts_on, &standing, zone).map_err(anyhow::Error::from)?;
    Ok(Some(Planned {
        renewal: entry.name.clone(),
        partner_id: entry.identity.party.text(),
        product: entry.product.key.to_owned(),
        quantity: standing.quantity,
        due_at: moments.due_at,
        deadline: moments.deadline_at,
        starts_on: span.starts_on,
        ends_on: span.ends_on,
        state: state.word().to_owned(),
        why: why(entry, known, state, &moments, now),
    }))
}

fn why(entry: &Entry, known: Option<&Known>, state: TermState, moments: &Moments, now: Timestamp) -> String {
    let quantity_was = known.map(|k| k.standing.quantity).filter(|before| *before != entry.quantity());
    let edited = quantity_was.map(|before| format!(", was x{before} until this edit")).unwrap_or_default();
    let reason = match state {
        TermState::Scheduled if now >= chain::last_chance(moments.deadline_at, entry.grace_days) => {
            "the deadline has passed: it would be missed, not ordered".to_owned()
        }
        TermState::Scheduled if entry.approval == Approval::Manual => "waits for approval when due".to_owned(),
        TermState::Scheduled if now >= moments.due_at => "due now".to_owned(),
        TermState::Scheduled => format!("{} before expiry", counted(entry.lead_days, "day")),
        other => format!("is {}", other.word().replace('_', " ")),
    };
    let new = if known.is_none() { ", new" } else { "" };
    format!("{reason}{edited}{new}")
}

fn drawn(lines: &[Planned], zone: &TimeZone) -> Table {
    let mut rows = table(&["due", "renewal", "quantity", "new term", "to", "why"]);
    let wide = is_wide(&rows);
    if !wide {
        rows = table(&["due", "renewal", "quantity", "new term", "why"]);
    }
    for line in lines {
        let mut cells = vec![minute(line.due_at, zone), plain(&line.renewal), format!("x{}", line.quantity)];
        cells.push(line.starts_on.to_string());
        cells.extend(wide.then(|| line.ends_on.to_string()));
        cells.push(line.why.clone());
        rows.add_row(cells);
    }
    keep_whole(&mut rows, Some(if wide { 5 } else { 4 }));
    rows
}

fn show(lines: &[Planned], after: Option<&Planned>, until: Timestamp, config: &Config) -> Result<(), Failure> {
    let until = minute(until, &config.zone);
    if lines.is_empty() {
        say!("Nothing is due until {until}.")?;
    } else {
        print(&drawn(lines, &config.zone))?;
        let total: u64 = lines.iter().map(|line| line.quantity).sum();
        let (orders, units) = (counted(lines.len(), "order"), counted(total, "unit"));
        say!("{BOLD}{orders}, {units}{BOLD:#} until {until}; nothing was ordered by looking.")?;
    }
    if let Some(next) = after {
        say!("{DIM}After that: {} on {}.{DIM:#}", plain(&next.renewal), minute(next.due_at, &config.zone))?;
    }
    Ok(())
}
