//! `check --online`: every assumption about the portal that reading can check (the marks I and ? of the vendor's guide).
//!
//! Owns the questions and their words: what is assumed, what this portal shows, what that means for renewd. Reads only: no POST but the
//! token call.

mod details;
mod list;
mod lookups;
mod token;

use super::{Failure, Global, discover, run};
use crate::config::Config;
use crate::portal::client::PortalClient;
use crate::store::reports::OrderRow;

type Portal = PortalClient;

/// How an assumption fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// As assumed.
    Ok,
    /// Otherwise; renewd copes, and the line says how.
    Differs,
    /// Nothing there yet that would tell.
    NotYet,
    /// Somebody has to do something.
    Bad,
}

impl Verdict {
    /// As it stands at the beginning of a line.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok      ",
            Self::Differs => "differs ",
            Self::NotYet => "not yet ",
            Self::Bad => "bad     ",
        }
    }
}

/// One line.
#[derive(Debug, serde::Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// What renewd takes to be so.
    pub(super) assumed: String,
    /// What this portal shows.
    pub(super) shows: String,
    /// What it means for renewd, and what to do; empty where all is as assumed.
    pub(super) means: String,
}

impl Finding {
    /// The line as people read it.
    pub(super) fn line(&self) -> String {
        let means = if self.means.is_empty() { String::new() } else { format!("; {}", self.means) };
        format!("{}: {}{means}", self.assumed, self.shows)
    }
}

/// Everything that is found out.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, verdict: Verdict, assumed: &str, shows: impl Into<String>, means: &str) {
        self.0.push(Finding { verdict, assumed: assumed.to_owned(), shows: shows.into(), means: means.to_owned() });
    }

    fn ok(&mut self, assumed: &str, shows: impl Into<String>) {
        self.add(Verdict::Ok, assumed, shows, "");
    }

    /// `ok`, or `otherwise` with what that means.
    fn either(&mut self, well: bool, otherwise: Verdict, assumed: &str, shows: impl Into<String>, means: &str) {
        if well { self.ok(assumed, shows) } else { self.add(otherwise, assumed, shows, means) }
    }
}

/// What this installation knows already.
#[derive(Default)]
struct Known {
    /// Our orders that the portal has a number for, newest first.
    ours: Vec<OrderRow>,
    /// Where the database is bound to.
    bound_to: Option<String>,
}

/// Asks the portal of the file, or the sandbox.
pub(super) async fn ask(global: &Global, config: &Config) -> Result<Vec<Finding>, Failure> {
    let stop = tokio_util::sync::CancellationToken::new();
    let (portal, other) = if global.sandbox {
        (discover::sandbox(config, stop.clone()).await?, None)
    } else {
        (run::client(config)?, Some(run::client(config)?))
    };
    let known = known(global).await?;
    let mut findings = Findings::default();
    bound(&known, config, &mut findings);
    if token::ask(&portal, other.as_ref(), &mut findings).await {
        lookups::ask(&portal, config, &mut findings).await;
        let newest = list::ask(&portal, &known.ours, &mut findings).await;
        details::ask(&portal, config, &known.ours, &newest, &mut findings).await;
    }
    stop.cancel();
    Ok(findings.0)
}

async fn known(global: &Global) -> Result<Known, Failure> {
    let Some(mut store) = global.read_database().await? else { return Ok(Known::default()) };
    if store.installation().await?.is_none() {
        return Ok(Known::default());
    }
    let mut ours = store.last_orders(100).await?;
    ours.retain(|order| order.order_no.is_some() && order.attempt_state == "placed");
    Ok(Known { ours, bound_to: (!global.sandbox).then_some(store.account().await?.base_url) })
}

/// R8: orders and evidence of the database are of the portal that it is bound to.
fn bound(known: &Known, config: &Config, findings: &mut Findings) {
    const ASSUMED: &str = "the database is bound to the portal of the file";
    let Some(bound) = &known.bound_to else { return };
    let same = bound.trim_end_matches('/') == config.portal.base_url.as_str().trim_end_matches('/');
    let shows = if same { bound.clone() } else { format!("it is bound to {bound}, the file names {}", config.portal.base_url) };
    findings.either(
        same,
        Verdict::Bad,
        ASSUMED,
        shows,
        "such a file waits for `renewd accept`; another account needs a database of its own",
    );
}
