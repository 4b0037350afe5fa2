//! Placing the orders that are due.
//!
//! Owns the sequence that never buys twice: sound by itself, admitted together, intent committed, sent once, answer recorded. Every
//! check is repeated at each try, because a person or another order may have changed what it found.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::engine::{Engine, TickError, Ticked, after, is_overdue};
use super::record::Answered;
use super::sound::Sound;
use super::sync::Synced;
use super::words::{self, Plight};
use crate::calendar;
use crate::crash;
use crate::portal::client::Placement;
use crate::portal::outcome::{NotPlaced, Outcome, Unknown, Why};
use crate::portal::wire::order_body;
use crate::renewal::gate::{self, Candidate, Kind, Situation, Verdict};
use crate::renewal::state::{Reason, TermState};
use crate::rules::{Rule, kept};
use crate::store::attempts::Intent;
use crate::store::committed::Committed;
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;
use crate::store::waits::Postponement;

/// R10: at most so many orders in flight, which is also what shares one sync and one commit.
const IN_FLIGHT: usize = 32;
/// R10: an attempt not sent within this time of its fence is cancelled unsent.
const FENCE_HOLDS: SignedDuration = SignedDuration::from_secs(30);
/// The same from when what it shows was asked for: the answer may have been on its way while the machine slept.
const LIST_HOLDS: SignedDuration = SignedDuration::from_mins(2);

impl Engine {
    /// Places what is due, nearest deadline first.
    pub(super) async fn place(&mut self, synced: &Synced, due: Vec<DueTerm>, ticked: &mut Ticked) -> Result<(), TickError> {
        if due.is_empty() || self.stop.is_cancelled() {
            return Ok(());
        }
        if let Some(wait) = self.closed(&due).await? {
            return self.wait_all(&due, wait).await;
        }
        let due = self.by_this_list(synced, due).await?;
        let sound = self.sound(due).await?;
        let admitted = self.admit(sound).await?;
        // R21: reading the orders of others may just have shown one that paused the account.
        if self.closed(&[]).await?.is_some() {
            return Ok(()); // due again at once, and then they wait
        }
        for batch in batches(admitted) {
            self.send_batch(synced, batch, ticked).await?;
        }
        Ok(())
    }

    /// What stops every order: pause, and a database that is not bound (R8).
    async fn closed(&mut self, due: &[DueTerm]) -> Result<Option<Postponement>, TickError> {
        let now = self.clock.now();
        let account = self.store.account().await?;
        let wait = |reason, minutes, detail: String, remedy: &str| Postponement {
            terms: due.iter().map(|term| term.id).collect(),
            until: after(now, SignedDuration::from_mins(minutes)),
            reason,
            detail,
            remedy: Some(remedy.to_owned()),
        };
        if account.bound_at.is_none() && kept(Rule::R8) {
            return Ok(Some(wait(
                Reason::Unbound,
                60,
                "the database is not bound to a portal account yet".to_owned(),
                "renewd init",
            )));
        }
        if let Some((since, why)) = account.doubted.filter(|_| kept(Rule::R9)) {
            let detail = format!("nothing is ordered since {since:.0}: {why}");
            return Ok(Some(wait(Reason::Unbound, 360, detail, "renewd accept")));
        }
        Ok(account.paused.map(|(since, why)| {
            wait(Reason::Paused, 360, format!("ordering is paused since {since:.0}: {why}"), "renewd resume")
        }))
    }

    /// Lets all of `due` wait, and tells once for all of them.
    pub(super) async fn wait_all(&mut self, due: &[DueTerm], wait: Postponement) -> Result<(), TickError> {
        let now = self.clock.now();
        let known = |term: &DueTerm| term.reason == Some(wait.reason) && (term.remedy.is_some() || wait.remedy.is_none());
        let news = |term: &&DueTerm| term.state == TermState::Scheduled && !known(term);
        if wait.remedy.is_some() && due.iter().any(|term| news(&term)) {
            tracing::warn!(reason = wait.reason.word(), terms = due.len(), "nothing is ordered: {}", wait.detail);
            let by = due.iter().map(|term| term.moments.deadline_at).min();
            let what = format!("{} orders wait: {}", due.len(), wait.detail);
            let message = crate::store::outbox::Message {
                cause: format!("all:{}", wait.reason),
                renewal: None,
                what,
                by,
                command: wait.remedy.clone(),
            };
            self.store.tell(now, &[message]).await?;
        }
        self.store.postpone(now, &wait).await?;
        self.plan_warnings(now, due.iter()).await
    }

    /// Lets in what may go now; the rest waits for its reason.
    async fn admit(&mut self, sound: Vec<Sound>) -> Result<Vec<(Sound, bool)>, TickError> {
        if sound.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let situation = self.situation(now).await?;
        let candidates: Vec<Candidate> = sound.iter().map(|s| s.candidate.clone()).collect();
        let verdicts = gate::admit(&candidates, &situation, now);
        let (mut admitted, mut behind_first, mut behind_others) = (Vec::new(), Vec::new(), Vec::new());
        let mut write = Write::default();
        for (sound, verdict) in sound.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Go { alone } => admitted.push((sound, alone)),
                Verdict::Wait(reason) => {
                    write.moves.push(self.wait(&sound.term, reason));
                    match reason {
                        Reason::Canary => behind_first.push((sound.candidate.kind, sound.term)),
                        Reason::LookAlike => behind_others.push(sound.term),
                        _ => {}
                    }
                }
                Verdict::WaitPastDeadline => self.over_limit(&sound.term, &mut write),
            }
        }
        self.name_the_first(&behind_first, &mut write).await?;
        self.name_what_is_in_the_way(&behind_others, &mut write).await?;
        self.store.write(now, write).await?;
        Ok(admitted)
    }

    async fn situation(&mut self, now: Timestamp) -> Result<Situation, TickError> {
        let limits = self.config.limits;
        let spent = self.store.spent_on(calendar::day_of(now, &self.config.zone)).await?;
        Ok(Situation {
            orders_left: u64::from(limits.max_orders_per_day).saturating_sub(spent.orders),
            quantity_left: u64::from(limits.max_quantity_per_day).saturating_sub(spent.quantity),
            max_quantity_per_order: u64::from(limits.max_quantity_per_order),
            orders_per_day: u64::from(limits.max_orders_per_day),
            quantity_per_day: u64::from(limits.max_quantity_per_day),
            undecided: self.store.undecided().await?.into_iter().collect(),
            canaries_out: self.store.canaries_out().await?.into_iter().collect::<HashSet<Kind>>(),
            retry_out: self.store.retry_out().await?,
        })
    }

    fn wait(&self, term: &DueTerm, reason: Reason) -> Move {
        let now = self.clock.now();
        let (until, detail) = match reason {
            Reason::OverLimit => (self.tomorrow(now), "today's limit is used up; it goes on another day, nearest deadline first"),
            Reason::Canary => (
                after(now, SignedDuration::from_hours(1)),
                "the first order of its kind goes alone; this one waits until it has been read back",
            ),
            _ => {
                (after(now, SignedDuration::from_hours(1)), "another order that looks the same at the portal is not decided yet")
            }
        };
        let step = self.stay(term, TermState::Scheduled, Some(until));
        Move { reason: Some(reason), detail: Some(detail.to_owned()), ..step }
    }

    fn over_limit(&self, term: &DueTerm, write: &mut Write) {
        let limits = &self.config.limits;
        let plight = Plight {
            reason: Reason::OverLimit,
            detail: format!(
                "the limits ({} orders and {} units a day, {} units an order) leave no room for it before its deadline",
                limits.max_orders_per_day, limits.max_quantity_per_day, limits.max_quantity_per_order
            ),
            remedy: "raise the limits in the file".to_owned(),
            orders: Vec::new(),
        };
        let step = self.stay(term, TermState::Scheduled, Some(self.tomorrow(self.clock.now())));
        words::trouble(term, TermState::Scheduled, &plight, step, write);
    }

    /// The start of the next civil day, when per-day limits begin anew (R12).
    fn tomorrow(&self, now: Timestamp) -> Timestamp {
        let zone = &self.config.zone;
        let next = calendar::day_of(now, zone).tomorrow().ok().and_then(|day| calendar::deadline(day, zone).ok());
        next.unwrap_or_else(|| after(now, SignedDuration::from_hours(24)))
    }

    /// Commits the intents of one batch, sends each once, and records every answer in one commit.
    async fn send_batch(&mut self, synced: &Synced, mut batch: Vec<(Sound, bool)>, ticked: &mut Ticked) -> Result<(), TickError> {
        self.give_way_at_once().await?;
        let now = self.clock.now();
        let old = now.duration_since(synced.until) > FENCE_HOLDS || now.duration_since(synced.shows_until) > LIST_HOLDS;
        // Reading may have taken long, or the machine slept meanwhile: what is too late by now is missed at the next tick.
        batch.retain(|(sound, _)| !is_overdue(&sound.term, now));
        if self.stop.is_cancelled() || old || batch.is_empty() {
            return Ok(()); // nothing was committed: due again at once, with a new fence
        }
        let fence = self.store.fence(synced.at, synced.total).await?;
        let intents: Vec<Intent> = batch.iter().map(|(sound, alone)| self.intent(sound, *alone, now)).collect();
        let sent: Vec<(Sound, String)> =
            batch.into_iter().zip(&intents).map(|((sound, _), intent)| (sound, intent.po_number.clone())).collect();
        crash::point("before-intent");
        let committed = self.store.commit_intents(now, fence, intents).await?;
        crash::point("after-intent");
        let attempts: Vec<i64> = committed.iter().map(Committed::attempt).collect();
        let placements = match self.renew_seal().await {
            Ok(()) => {
                crash::point("after-seal");
                self.send_all(synced.until, committed).await
            }
            Err(error) => {
                tracing::error!("{error}");
                committed.iter().map(|_| cancelled(&error.to_string())).collect()
            }
        };
        crash::point("after-answer");
        let answers = sent.into_iter().zip(attempts).zip(placements);
        let answered = |(((sound, po_number), attempt), placement): (((Sound, String), i64), Placement)| Answered {
            term: sound.term,
            attempt,
            po_number,
            placement,
        };
        self.answered.extend(answers.map(answered));
        self.record_what_is_left(ticked).await?;
        crash::point("after-record");
        Ok(())
    }

    /// R9: after this, a database restored from before these intents is noticed.
    async fn renew_seal(&mut self) -> Result<(), super::seal::SealError> {
        match &self.seal {
            Some(seal) => seal.renew(&mut self.store).await,
            None => Ok(()),
        }
    }

    fn intent(&self, sound: &Sound, alone: bool, now: Timestamp) -> Intent {
        let term = &sound.term;
        let po_number = format!(
            "{}{}",
            self.po_prefix,
            crate::store::account::short_id(&[&self.po_prefix, &term.id.to_string(), &now.to_string()])
        );
        let order = term.standing.order(&term.identity);
        // Ordered an hour or more after it was due: the daemon was down, or something stood in the way.
        let late = now.duration_since(term.moments.due_at) >= SignedDuration::from_hours(1);
        Intent {
            term: term.id,
            subscription: term.subscription,
            renewal: term.name.clone(),
            body: order_body(&order, &po_number),
            po_number,
            request_hash: sound.request_hash.clone(),
            looks_like: term.identity.looks_like(),
            quantity: term.standing.quantity,
            civil_day: calendar::day_of(now, &self.config.zone),
            alone,
            late,
            settle_s: super::resolve::settle_of(&self.config, term, now).as_secs(),
        }
    }

    /// Sends every committed order, each once. A task that dies leaves its order unknown.
    async fn send_all(&self, fence_at: Timestamp, committed: Vec<Committed>) -> Vec<Placement> {
        let mut tasks = JoinSet::new();
        let mut placements: Vec<Option<Placement>> = committed.iter().map(|_| None).collect();
        for (index, order) in committed.into_iter().enumerate() {
            if self.clock.now().duration_since(fence_at) > FENCE_HOLDS && kept(Rule::R10) {
                placements[index] = Some(cancelled("too long since the order list was read"));
                continue;
            }
            let portal = Arc::clone(&self.portal);
            tasks.spawn(async move { (index, portal.place(order).await) });
        }
        while let Some(done) = tasks.join_next().await {
            match done {
                Ok((index, placement)) => placements[index] = Some(placement),
                Err(error) => tracing::error!(%error, "a sending task died; its order is of unknown fate"),
            }
        }
        placements.into_iter().map(|placement| placement.unwrap_or_else(died)).collect()
    }
}

/// Orders that go alone come one by one; the others in batches.
fn batches(admitted: Vec<(Sound, bool)>) -> Vec<Vec<(Sound, bool)>> {
    let (alone, together): (Vec<_>, Vec<_>) = admitted.into_iter().partition(|(_, alone)| *alone);
    let mut batches: Vec<Vec<_>> = alone.into_iter().map(|one| vec![one]).collect();
    let mut rest = together.into_iter().peekable();
    while rest.peek().is_some() {
        batches.push(rest.by_ref().take(IN_FLIGHT).collect());
    }
    batches
}

fn cancelled(why: &str) -> Placement {
    let message = format!("cancelled unsent: {why}");
    let no =
        NotPlaced { why: Why::NeverSent, message, code: None, http_status: None, request_id: None, retry_after: None, raw: None };
    Placement { outcome: Outcome::NotPlaced(Box::new(no)), date: None }
}

fn died() -> Placement {
    let message = "the task that sent it died".to_owned();
    let unknown = Unknown { message, code: None, http_status: None, request_id: None, retry_after: None, raw: None };
    Placement { outcome: Outcome::Unknown(Box::new(unknown)), date: None }
}

#[cfg(test)]
mod tests;
