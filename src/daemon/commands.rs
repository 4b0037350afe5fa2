//! What a person may do to a renewal, and when.
//!
//! Owns the preconditions of every steering command, for a running daemon and for a command line that found none running alike.
//! A command binds rows and hashes, never names: what a person saw is what is done, or it is refused (R14).

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::seal::{Seal, SealError};
use super::words;
use crate::config::model::Config;
use crate::renewal::chain;
use crate::renewal::state::{Reason, TermState};
use crate::rules::{Rule, kept};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;
use crate::store::{Store, StoreError};

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each field is the row or the value that the person was shown")]
pub enum Asked {
    /// `approve NAME`
    Approve { term: i64, request_hash: String },
    /// `order NAME`
    Order { term: i64, request_hash: String, early: bool },
    /// `skip NAME`
    Skip {
        term: i64,
        #[serde(default)]
        early: bool,
    },
    /// `hold NAME`
    Hold { term: i64 },
    /// `release NAME`, having seen these orders
    Release { term: i64, orders: Vec<String> },
    /// `rebase NAME DATE`
    Rebase {
        subscription: i64,
        to: Date,
        why: String,
        #[serde(default)]
        far: bool,
    },
    /// `resolve NAME --order-no X`
    ResolveOrdered { term: i64, order: String },
    /// `resolve NAME --not-ordered`
    ResolveNotOrdered { term: i64 },
    /// `resolve NAME --void`
    ResolveVoid { term: i64 },
    /// `pause`
    Pause { why: String },
    /// `resume`
    Resume,
    /// `accept`: the file that waits, by its hash (R6, R7)
    AcceptFile { hash: String },
    /// `accept`: the database is the right one although its seal says otherwise (R9)
    AcceptDatabase,
    /// `accept --clock` (R13)
    AcceptClock,
}

/// Why a command was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It does not fit what stands in the database now.
    #[error("{0}")]
    No(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The seal could not be renewed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What a command works with.
pub struct Desk<'a> {
    /// The database, held exclusively.
    pub store: &'a mut Store,
    /// The file in force.
    pub config: &'a Config,
    /// The seal of the database.
    pub seal: Option<&'a Seal>,
    /// What every `poNumber` of this installation begins with.
    pub po_prefix: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Who asks.
    pub by: &'a str,
}

pub(super) type Done = Result<String, Refused>;

/// R5: a chain that begins later than this needs a person's word, as `far = true` does in the file.
pub(super) const FAR: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Desk<'_> {
    /// Does one command, or says why not.
    pub async fn apply(&mut self, asked: Asked) -> Done {
        match asked {
            Asked::Approve { term, request_hash } => self.approve(term, &request_hash).await,
            Asked::Order { term, request_hash, early } => self.order(term, &request_hash, early).await,
            Asked::Skip { term, early } => self.skip(term, early).await,
            Asked::Hold { term } => self.hold(term).await,
            Asked::Release { term, orders } => self.release(term, &orders).await,
            Asked::Rebase { subscription, to, why, far } => self.rebase(subscription, to, &why, far).await,
            Asked::ResolveOrdered { term, order } => self.resolve_ordered(term, &order).await,
            Asked::ResolveNotOrdered { term } => self.resolve_not_ordered(term).await,
            Asked::ResolveVoid { term } => self.resolve_void(term).await,
            Asked::Pause { why } => {
                self.store.set_paused(self.now, Some(&why), self.by).await?;
                Ok("paused: nothing is ordered until `renewd resume`; deadline warnings go on".to_owned())
            }
            Asked::Resume => {
                let was = self.store.account().await?.paused.map(|(_, why)| format!("; it was paused: {why}"));
                self.store.set_paused(self.now, None, self.by).await?;
                Ok(format!("resumed{}", was.unwrap_or_default()))
            }
            Asked::AcceptFile { hash } => self.accept_file(&hash).await,
            Asked::AcceptDatabase => self.accept_database().await,
            Asked::AcceptClock => {
                self.store.clear_high_water(self.now, self.by).await?;
                Ok("the clock is taken as right".to_owned())
            }
        }
    }

    pub(super) async fn term(&mut self, id: i64) -> Result<DueTerm, Refused> {
        self.store.term(id).await?.ok_or_else(|| Refused::No("that term is not there any more; look again".to_owned()))
    }

    /// The write of a move that a person made.
    pub(super) fn by_hand(&self, kind: &'static str, term: &DueTerm, detail: &serde_json::Value, step: Move) -> Write {
        let event = words::event(kind, term, json!({"by": self.by, "detail": detail}));
        Write { moves: vec![step], events: vec![event], ..Write::default() }
    }

    async fn approve(&mut self, id: i64, request_hash: &str) -> Done {
        let term = self.term(id).await?;
        if term.state != TermState::AwaitingApproval {
            return Err(Refused::No(format!("{} does not wait for approval: it is {}", term.name, spoken(term.state))));
        }
        Self::in_the_file(&term)?;
        Self::of_its_length(&term)?;
        Self::same_request(&term, request_hash)?;
        let step = Move { act_at: Some(self.now), tries: 0, ..Move::of(&term, TermState::Scheduled) };
        let write = self.by_hand("term.approved", &term, &json!({"request_hash": request_hash}), step);
        self.store.approve(self.now, &term, request_hash, write).await?;
        Ok(format!(
            "{}: the order of {} for {} is approved and goes as soon as it may",
            term.name, term.standing.quantity, term.span.starts_on
        ))
    }

    /// R6: for an entry that was taken out nothing is ordered. A word that lets it be would lie about for years, and hold when the entry comes back.
    pub(super) fn in_the_file(term: &DueTerm) -> Result<(), Refused> {
        if term.active {
            return Ok(());
        }
        Err(Refused::No(format!("{} is not in the file any more, and nothing is ordered for it; put it back first", term.name)))
    }

    /// R4: an order of another length than the term's would be booked as that term.
    fn of_its_length(term: &DueTerm) -> Result<(), Refused> {
        let Some(plight) = super::sound::other_length(term) else { return Ok(()) };
        Err(Refused::No(format!("{}: {}; it is not ordered before that: {}", term.name, plight.detail, plight.remedy)))
    }

    /// R14: what is approved is exactly what was shown.
    fn same_request(term: &DueTerm, request_hash: &str) -> Result<(), Refused> {
        if super::sound::request_hash(term) == request_hash || !kept(Rule::R14) {
            return Ok(());
        }
        Err(Refused::No(format!("what would be ordered for {} changed since it was shown; look again and repeat", term.name)))
    }

    /// R24: the earliest unpaid term, inside its lead unless the person named its date.
    async fn order(&mut self, id: i64, request_hash: &str, early: bool) -> Done {
        let term = self.term(id).await?;
        if !matches!(term.state, TermState::Scheduled | TermState::AwaitingApproval) {
            return Err(Refused::No(format!(
                "{} is {}; nothing more is ordered for the term from {}",
                term.name,
                spoken(term.state),
                term.span.starts_on
            )));
        }
        Self::in_the_file(&term)?;
        if self.now < term.moments.due_at {
            self.may_be_ordered_early(&term, early).await?;
        }
        if self.now >= chain::last_chance(term.moments.deadline_at, term.standing.grace_days) {
            return Err(Refused::No(format!(
                "the deadline of {0} has passed; if it is to go on: renewd rebase {0} DATE ({1})",
                term.typed(),
                words::DATE
            )));
        }
        Self::of_its_length(&term)?;
        Self::same_request(&term, request_hash)?;
        let step = Move { act_at: Some(self.now), tries: 0, ..Move::of(&term, TermState::Scheduled) };
        let write = self.by_hand("term.ordered_by_hand", &term, &json!({"early": early}), step);
        self.store.approve(self.now, &term, request_hash, write).await?;
        Ok(format!("{}: the order for {} goes as soon as it may", term.name, term.span.starts_on))
    }

    /// R24. Never more than one term beyond the one that runs: each further one would be offered after the last.
    async fn may_be_ordered_early(&mut self, term: &DueTerm, named: bool) -> Result<(), Refused> {
        let previous = self.store.unpaid(term.id).await?.previous_order_at;
        let begins = term.span.starts_on;
        let paid = if previous.is_some() { format!("{} is renewed until {begins}: ", term.name) } else { String::new() };
        if term.moments.deadline_at.duration_since(self.now) > FAR {
            let days = FAR.as_hours() / 24;
            return Err(Refused::No(format!(
                "{paid}the term from {begins} is more than {days} days ahead; order it when the one before has begun"
            )));
        }
        if named {
            return Ok(());
        }
        Err(Refused::No(format!(
            "{paid}the next term is not due before {1:.0}; if it is to be ordered already: renewd order {0} --term {begins}",
            term.typed(),
            term.moments.due_at
        )))
    }

    async fn hold(&mut self, id: i64) -> Done {
        let term = self.term(id).await?;
        // These holds end by themselves when their reason does.
        let may_go_on = term.state == TermState::Held
            && matches!(term.reason, Some(Reason::ForeignOrder | Reason::ListLacks | Reason::Lapsed));
        if !matches!(term.state, TermState::Scheduled | TermState::AwaitingApproval) && !may_go_on {
            return Err(Refused::No(format!(
                "{} is {}; there is nothing to hold{}",
                term.name,
                spoken(term.state),
                what_keeps_it_from_going_again(term.state)
            )));
        }
        let step = Move {
            reason: Some(Reason::Operator),
            detail: Some(format!("held by {}", self.by)),
            remedy: Some(format!("renewd release {}", term.typed())),
            warn_at: super::warning::warning(&term, self.now),
            ..Move::of(&term, TermState::Held)
        };
        let write = self.by_hand("term.held", &term, &json!({"reason": "operator"}), step);
        self.store.write(self.now, write).await?;
        Ok(format!(
            "{0}: the term from {1} is held until `renewd release {0}`; deadline warnings go on",
            term.typed(),
            term.span.starts_on
        ))
    }

    /// R25: evidence holds yield only to `resolve`, and dead orders too: releasing them would order again.
    async fn release(&mut self, id: i64, orders: &[String]) -> Done {
        let term = self.term(id).await?;
        let may = matches!(term.reason, Some(Reason::Operator | Reason::ForeignOrder | Reason::ListLacks | Reason::Lapsed));
        if term.state != TermState::Held || (!may && kept(Rule::R25)) {
            let remedy = term.remedy.clone().unwrap_or_else(|| format!("renewd history {}", term.typed()));
            return Err(Refused::No(format!("{} is {} and cannot be released; {remedy}", term.name, spoken(term.state))));
        }
        Self::in_the_file(&term)?;
        let step = Move { act_at: Some(self.now.max(term.moments.due_at)), tries: 0, ..Move::of(&term, TermState::Scheduled) };
        let write = self.by_hand("term.released", &term, &json!({"orders_dismissed": orders}), step);
        self.store.dismiss(self.now, &term, orders, write).await?;
        if self.now >= chain::last_chance(term.moments.deadline_at, term.standing.grace_days) {
            let help = words::after_the_last_chance(&term);
            return Ok(format!(
                "{} is released, but its deadline has passed and nothing is ordered for it any more: {help}",
                term.name
            ));
        }
        Ok(format!("{} is released", term.name))
    }
}

/// A state in the words of a sentence.
pub(super) fn spoken(state: TermState) -> &'static str {
    match state {
        TermState::Scheduled => "scheduled",
        TermState::AwaitingApproval => "waiting for approval",
        TermState::Ordering => "being ordered",
        TermState::Unknown => "of unknown fate",
        TermState::Placed => "ordered",
        TermState::Renewed => "renewed",
        TermState::Held => "held",
        TermState::Skipped => "skipped",
        TermState::Missed => "missed",
    }
}

/// What a person who wants no other order can do while nobody knows whether the portal has the first.
pub(super) fn what_keeps_it_from_going_again(state: TermState) -> &'static str {
    match state {
        TermState::Ordering | TermState::Unknown => {
            ". If the portal turns out not to have the order it is sent again; what keeps it from that: take the entry out of the file, or renewd pause (stops every order)"
        }
        TermState::Missed => {
            ". Nothing is ordered for it any more; if it ends, take its entry out of the file, and it is not told again"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests;
