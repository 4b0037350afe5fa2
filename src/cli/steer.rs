//! The commands that steer: each shows what it means, and asks where it spends.
//!
//! Owns binding a name to the rows that were shown (R14). What is allowed when is in `daemon/commands.rs`.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use jiff::civil::Date;

use super::output::{BOLD, plain, say};
use super::submit::submit;
use super::{Exit, Failure, Global};
use crate::config::model::Config;
use crate::daemon::accept::SAY_AGAIN;
use crate::daemon::commands::Asked;
use crate::daemon::sound::request_hash;
use crate::store::Store;
use crate::store::account::AND;
use crate::store::terms::DueTerm;

/// A command about one renewal.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The name in the file
    pub(super) name: String,
}

/// Options of `skip`, which spends nothing: `--yes` is taken as everywhere, and nothing is asked.
#[derive(Debug, Args)]
pub(super) struct Skip {
    #[command(flatten)]
    named: Named,
    /// The first day of the term meant, where the one before was just renewed
    #[arg(long, value_name = "DATE")]
    term: Option<Date>,
    #[command(flatten)]
    sure: Sure,
}

/// Options of `hold`, the same.
#[derive(Debug, Args)]
pub(super) struct Back {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    sure: Sure,
}

/// A command about nothing in particular.
#[derive(Debug, Args)]
pub(super) struct Plain {
    #[command(flatten)]
    sure: Sure,
}

/// Options of `order`.
#[derive(Debug, Args)]
pub(super) struct Order {
    #[command(flatten)]
    named: Named,
    /// Order although it is not due yet: the first day of the term meant
    #[arg(long, value_name = "DATE")]
    term: Option<Date>,
    #[command(flatten)]
    sure: Sure,
}

/// Options of `approve`.
#[derive(Debug, Args)]
pub(super) struct Approve {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    sure: Sure,
}

/// Options of `release`.
#[derive(Debug, Args)]
pub(super) struct Release {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    sure: Sure,
}

/// Options of `rebase`.
#[derive(Debug, Args)]
pub(super) struct Rebase {
    #[command(flatten)]
    named: Named,
    /// The day on which what is paid ends; the next term begins there
    date: Date,
    /// Take a date more than 400 days ahead
    #[arg(long)]
    far: bool,
    /// Why, for the audit log
    #[arg(long, default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    sure: Sure,
}

/// Options of `pause`.
#[derive(Debug, Args)]
pub(super) struct Pause {
    /// Why, for those who find it paused
    #[arg(default_value = "no reason given")]
    why: String,
}

/// Options of `accept`.
#[derive(Debug, Args)]
pub(super) struct Accept {
    /// Accept the clock: the portal-confirmed mark is forgotten
    #[arg(long)]
    clock: bool,
    #[command(flatten)]
    sure: Sure,
}

/// For commands that can lead to an order.
#[derive(Debug, Args)]
pub(super) struct Sure {
    /// Answer yes, for scripts
    #[arg(long)]
    yes: bool,
}

impl Sure {
    /// Asks, unless the answer came with the command.
    pub(super) fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::Usage(format!("{question} There is no terminal to ask on; look at the above and add --yes")));
        }
        let mut out = anstream::stdout();
        write!(out, "{question} Type yes: ")?;
        out.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if answer.trim() == "yes" { Ok(()) } else { Err(Failure::Failed(anyhow::anyhow!("nothing was done"))) }
    }
}

impl Named {
    /// The subscription and its current term, read without a lock.
    pub(super) async fn find(&self, global: &Global) -> Result<(i64, DueTerm), Failure> {
        let mut store = existing(global).await?;
        let subscription = find(&mut store, &self.name).await?;
        let term = store.current_term(subscription).await?;
        let term = term.ok_or_else(|| anyhow::anyhow!("{} has no term", self.name))?;
        self.means_the_same_in_the_file(global, &mut store, &term).await?;
        Ok((subscription, term))
    }

    /// A name was given to another renewal, and no daemon has taken that edit: the person means the one of the file, as `plan` shows it.
    async fn means_the_same_in_the_file(&self, global: &Global, store: &mut Store, term: &DueTerm) -> Result<(), Failure> {
        let Ok(parsed) = Config::from_file(&global.config_path()) else { return Ok(()) };
        if store.file_in_force().await?.is_some_and(|kept| kept.text == parsed.source) {
            return Ok(());
        }
        let called = parsed.config.entries.iter().find(|entry| entry.name == self.name);
        if called.is_none_or(|entry| entry.identity == term.identity) {
            return Ok(());
        }
        Err(Failure::Failed(anyhow::anyhow!(
            "{0} is another renewal in the file than in the database, because an edit of the file is not in force yet: nothing was done. \
             {1}; then ask again. To stop every order meanwhile: renewd pause",
            plain(&self.name),
            if store.file_waiting().await?.is_some() {
                "It waits for a person: look at the file, then: renewd accept"
            } else {
                "A daemon takes it up by itself (see `renewd status`); if none runs, start it or `renewd run --once`"
            }
        )))
    }
}

impl Skip {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (_, term) = self.named.find(global).await?;
        is_that(&term, self.term)?;
        submit(global, Asked::Skip { term: term.id, early: self.term.is_some() }).await
    }
}

/// The term that is acted on begins on the day that was named, if one was.
pub(super) fn is_that(term: &DueTerm, named: Option<Date>) -> Result<(), Failure> {
    if named.is_none_or(|date| date == term.span.starts_on) {
        return Ok(());
    }
    Err(Failure::Failed(anyhow::anyhow!("the next unpaid term of {} begins on {}", term.name, term.span.starts_on)))
}

impl Back {
    pub(super) async fn hold(self, global: &Global) -> Result<Exit, Failure> {
        let (_, term) = self.named.find(global).await?;
        submit(global, Asked::Hold { term: term.id }).await
    }
}

/// The subscription called `name`: the active one, else the only inactive one.
pub(super) async fn find(store: &mut Store, name: &str) -> Result<i64, Failure> {
    let called = store.called(name).await?;
    let active: Vec<i64> = called.iter().filter(|(_, active)| *active).map(|(id, _)| *id).collect();
    match (&active[..], &called[..]) {
        ([one], _) | ([], [(one, _)]) => Ok(*one),
        ([], []) => {
            Err(Failure::Failed(anyhow::anyhow!("there is no renewal called {}{}", plain(name), meant(store, name).await?)))
        }
        _ => Err(Failure::Failed(anyhow::anyhow!(
            "several renewals were called {}; put the one you mean back into the file",
            plain(name)
        ))),
    }
}

async fn meant(store: &mut Store, name: &str) -> Result<String, Failure> {
    if let Some(now) = store.renamed(name).await? {
        return Ok(format!("; it was renamed, and is called {} now", plain(&now)));
    }
    let names = store.names().await?;
    let best = names.iter().map(|known| (strsim::jaro_winkler(known, name), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    Ok(best.filter(|(score, _)| *score > 0.8).map(|(_, known)| format!("; did you mean {}?", plain(known))).unwrap_or_default())
}

pub(super) async fn existing(global: &Global) -> Result<Store, Failure> {
    let store = global.read_database().await?;
    store.ok_or_else(|| anyhow::anyhow!("there is no database at {} yet", global.database_path().display()).into())
}

/// What would be ordered, in a line.
pub(super) fn show_order(term: &DueTerm) -> Result<(), Failure> {
    let partner = term.identity.party.text().map_or_else(|| "your own subscription".to_owned(), |id| format!("partner {id}"));
    say!(
        "{BOLD}{}{BOLD:#}: {} x{} for {partner}, {} to {}",
        plain(&term.name),
        term.standing.product,
        term.standing.quantity,
        term.span.starts_on,
        term.span.ends_on
    )?;
    if let Some(detail) = &term.detail {
        say!("  {}", plain(detail))?;
    }
    Ok(())
}

impl Order {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (_, term) = self.named.find(global).await?;
        is_that(&term, self.term)?;
        show_order(&term)?;
        self.sure.ask("Order this now? It costs money.")?;
        submit(global, Asked::Order { term: term.id, request_hash: request_hash(&term), early: self.term.is_some() }).await
    }
}

impl Approve {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (_, term) = self.named.find(global).await?;
        show_order(&term)?;
        self.sure.ask("Approve exactly this order? It costs money.")?;
        submit(global, Asked::Approve { term: term.id, request_hash: request_hash(&term) }).await
    }
}

impl Release {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (_, term) = self.named.find(global).await?;
        show_order(&term)?;
        self.sure.ask("Release it, so that it is ordered when due?")?;
        // The orders that the person was shown, and no others: one that has come since holds again.
        submit(global, Asked::Release { term: term.id, orders: term.candidates.clone() }).await
    }
}

impl Rebase {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (subscription, term) = self.named.find(global).await?;
        show_order(&term)?;
        self.sure.ask(&format!("End this chain and begin another on {}?", self.date))?;
        submit(global, Asked::Rebase { subscription, to: self.date, why: self.reason, far: self.far }).await
    }
}

impl Pause {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        submit(global, Asked::Pause { why: self.why }).await
    }
}

impl Plain {
    /// Asks only where more than one reason would end: whoever resumes knows of his own.
    pub(super) async fn resume(self, global: &Global) -> Result<Exit, Failure> {
        let paused = existing(global).await?.account().await?.paused;
        if let Some((_, why)) = paused.filter(|(_, why)| why.contains(AND)) {
            say!("{BOLD}Paused{BOLD:#}: {}", plain(&why))?;
            self.sure.ask("Resume, although there are several reasons not to?")?;
        }
        submit(global, Asked::Resume).await
    }
}

impl Accept {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        if self.clock {
            self.sure.ask("Is the clock of this machine right?")?;
            return submit(global, Asked::AcceptClock).await;
        }
        let mut store = existing(global).await?;
        let doubted = store.account().await?.doubted;
        match (store.file_waiting().await?, doubted) {
            (Some(file), _) => {
                say!("{BOLD}{}{BOLD:#} waits: {}", file.path, file.why.unwrap_or_default())?;
                self.sure.ask("Take it, with everything in it?")?;
                submit(global, Asked::AcceptFile { hash: file.hash }).await
            }
            (None, Some((since, why))) => {
                say!("{BOLD}Since {since:.0}{BOLD:#}: {}", plain(&why))?;
                say!("{BOLD}Before{BOLD:#}: {SAY_AGAIN}")?;
                self.sure.ask("Is this the right database, and the only one in use?")?;
                submit(global, Asked::AcceptDatabase).await
            }
            (None, None) => Ok(say!("Nothing waits to be accepted.").map(|()| Exit::Fine)?),
        }
    }
}
