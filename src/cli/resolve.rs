//! `resolve`: a person settles what the daemon cannot, and is shown what each order could mean (R25).

use clap::{ArgGroup, Args};
use jiff::civil::Date;

use super::output::{plain, say};
use super::steer::{Named, Sure, existing, is_that, show_order};
use super::submit::submit;
use super::{Exit, Failure, Global, run};
use crate::daemon::commands::Asked;
use crate::store::terms::DueTerm;

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
