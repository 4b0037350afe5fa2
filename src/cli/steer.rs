//! The commands that steer: each shows what it means, asks where it spends, and is done by the daemon that runs, or here when none does.
//!
//! Owns binding a name to the rows that were shown (R14). What is allowed when is in `daemon/commands.rs`.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use jiff::civil::Date;

use super::output::{BOLD, plain, say};
use super::{Exit, Failure, Global, run};
use crate::clock::{Clock as _, WallClock};
use crate::config::parse;
use crate::daemon::commands::{Asked, Desk};
use crate::daemon::lock::{Lock, LockError};
use crate::daemon::seal::Seal;
use crate::daemon::sound::request_hash;
use crate::store::terms::DueTerm;
use crate::store::{Opening, Store};

/// How long a running daemon may take to take a command up; it looks every second, but not while an order is on its way.
const PATIENCE: Duration = Duration::from_secs(90);

/// A command about one renewal.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The name in the file
    name: String,
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

/// Options of `resolve`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("how").required(true)))]
pub(super) struct Resolve {
    #[command(flatten)]
    named: Named,
    /// It is this order of the portal
    #[arg(long, value_name = "X", group = "how")]
    order_no: Option<String>,
    /// The portal has no order for it; another one then needs `approve`
    #[arg(long, group = "how")]
    not_ordered: bool,
    /// Its order is cancelled, failed, refunded or gone; frees the term, another order then needs `approve`
    #[arg(long, group = "how")]
    void: bool,
    /// The first day of the term meant, where one that was missed is open as well
    #[arg(long, value_name = "DATE")]
    term: Option<Date>,
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
    fn ask(&self, question: &str) -> Result<(), Failure> {
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
    async fn find(&self, global: &Global) -> Result<(i64, DueTerm), Failure> {
        let mut store = existing(global).await?;
        let subscription = find(&mut store, &self.name).await?;
        let term = store.current_term(subscription).await?;
        Ok((subscription, term.ok_or_else(|| anyhow::anyhow!("{} has no term", self.name))?))
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
fn is_that(term: &DueTerm, named: Option<Date>) -> Result<(), Failure> {
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

async fn existing(global: &Global) -> Result<Store, Failure> {
    let store = global.read_database().await?;
    store.ok_or_else(|| anyhow::anyhow!("there is no database at {} yet", global.database_path().display()).into())
}

/// What would be ordered, in a line.
fn show_order(term: &DueTerm) -> Result<(), Failure> {
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

impl Resolve {
    /// A term whose order died can be missed when the one after it has begun already: an order pays one of them, and only the person knows which.
    async fn term(&self, global: &Global) -> Result<DueTerm, Failure> {
        let (_, current) = self.named.find(global).await?;
        let missed = existing(global).await?.missed_before(&current).await?;
        if let Some(date) = self.term {
            let that = missed.into_iter().find(|term| term.span.starts_on == date).unwrap_or(current);
            return is_that(&that, Some(date)).map(|()| that);
        }
        match (&self.order_no, &missed[..]) {
            (Some(order), [first, ..]) => Err(Failure::Failed(anyhow::anyhow!(
                "{0} has a term from {1} that was missed, and one from {2}: which does order {3} pay? renewd resolve {0} --order-no {3} --term {1}, or --term {2}",
                current.typed(),
                first.span.starts_on,
                current.span.starts_on,
                plain(order)
            ))),
            _ => Ok(current),
        }
    }

    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let term = self.term(global).await?;
        show_order(&term)?;
        candidates(global, &term).await?;
        let (asked, question) = match self.order_no {
            Some(order) => (
                Asked::ResolveOrdered { term: term.id, order: order.clone() },
                format!("Is order {order} the one that pays this term?"),
            ),
            None if self.not_ordered => (
                Asked::ResolveNotOrdered { term: term.id },
                "Are you sure that none of these is it? If you are wrong, another order buys twice.".to_owned(),
            ),
            None => {
                (Asked::ResolveVoid { term: term.id }, "Set its order aside, so that the term can be ordered again?".to_owned())
            }
        };
        self.sure.ask(&question)?;
        submit(global, asked).await
    }
}

/// R25: every order that could be the one, and what each shows.
async fn candidates(global: &Global, term: &DueTerm) -> Result<(), Failure> {
    let mut store = existing(global).await?;
    let Some(attempt) = &term.attempt else { return Ok(()) };
    say!("  sent as {} at {:.0}", attempt.po_number, attempt.created_at)?;
    let prefix = format!("RW-{}-", run::uid(&mut store).await?);
    let since = store.listed_since(attempt.fence_mark, &prefix).await?;
    let others: Vec<_> = since.iter().filter(|order| order.attempt.is_none() || order.attempt == Some(attempt.id)).collect();
    if others.is_empty() {
        let read = store.account().await?.synced_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        say!("  no order that is not accounted for appeared in the portal's list since; it was last read {read}")?;
    }
    for order in others {
        let shown = |what: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {what} {}", plain(value))).unwrap_or_default()
        };
        let created = order.created_at.map(|at| format!(" of {at:.0}")).unwrap_or_default();
        let facts = format!(
            "{}{}{}",
            shown("product", &order.facts.product),
            shown("partner", &order.facts.partner),
            shown("serial", &order.facts.serial)
        );
        say!("  order {}{created}: {}{facts}", plain(&order.key), plain(order.status.as_deref().unwrap_or("no status")))?;
    }
    Ok(())
}

impl Pause {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        submit(global, Asked::Pause { why: self.why }).await
    }
}

impl Plain {
    pub(super) async fn resume(self, global: &Global) -> Result<Exit, Failure> {
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
                self.sure.ask("Is this the right database, and the only one in use?")?;
                submit(global, Asked::AcceptDatabase).await
            }
            (None, None) => Ok(say!("Nothing waits to be accepted.").map(|()| Exit::Fine)?),
        }
    }
}

/// Does it here if no daemon runs, else asks the one that does.
async fn submit(global: &Global, asked: Asked) -> Result<Exit, Failure> {
    match Lock::take(&global.database_path()) {
        Ok(lock) => {
            let answer = apply_here(global, asked).await;
            drop(lock);
            say!("{}", plain(&answer?))?;
        }
        Err(LockError::Held { .. }) => ask_daemon(global, &asked).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Fine)
}

async fn apply_here(global: &Global, asked: Asked) -> Result<String, Failure> {
    let mut store = Store::open(&global.database_path(), Opening::Existing).await?;
    let kept = store
        .file_in_force()
        .await?
        .ok_or_else(|| anyhow::anyhow!("the database has no file in force; start the daemon once"))?;
    let config = parse(&kept.path, &kept.text)
        .map_err(|_| anyhow::anyhow!("the last good file does not read any more; run `renewd check`"))?;
    let now = now(&mut store).await?;
    let uid = run::uid(&mut store).await?;
    let seal = Seal::of(&global.database_path(), &uid)?;
    let by = person();
    let prefix = format!("RW-{uid}-");
    let mut desk = Desk { store: &mut store, config: &config, seal: Some(&seal), po_prefix: &prefix, now, by: &by };
    let done = desk.apply(asked).await.map_err(|refused| anyhow::anyhow!("{refused}"));
    store.close().await?;
    Ok(done?)
}

/// The time by which the database lives: the sandbox has its own clock (R28).
pub(super) async fn now(store: &mut Store) -> Result<jiff::Timestamp, Failure> {
    let stood = store.installation().await?.and_then(|installation| installation.sandbox_now);
    Ok(stood.unwrap_or_else(|| WallClock.now()))
}

async fn ask_daemon(global: &Global, asked: &Asked) -> Result<(), Failure> {
    let mut store = Store::open(&global.database_path(), Opening::Beside).await?;
    let request = serde_json::to_string(asked).map_err(anyhow::Error::from)?;
    let id = store.ask(WallClock.now(), &person(), &request).await?;
    let began = Instant::now();
    loop {
        if let Some(answered) = store.answered(id).await? {
            return if answered.ok {
                Ok(say!("{}", plain(&answered.answer))?)
            } else {
                Err(anyhow::anyhow!("{}", plain(&answered.answer)).into())
            };
        }
        if began.elapsed() > PATIENCE && store.unask(WallClock.now(), id).await? {
            return Err(anyhow::anyhow!(
                "the daemon did not take it up within {} s; nothing was done. See `renewd status`",
                PATIENCE.as_secs()
            )
            .into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Who is at the keyboard, for the audit log: the one who called sudo, if anyone did.
fn person() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    plain(&name.unwrap_or_else(|| "someone".to_owned()))
}
