//! Orders of others, for what waits for a person (R11).
//!
//! Owns looking again: whether somebody else has renewed meanwhile what a person is asked to approve, and whether a renewal is still held for orders
//! that have come to show another customer. Never orders, and never decides what an order that is or may be for it means.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::engine::{Engine, TickError, after};
use super::sound::{LISTED_WITHIN, foreign_plight, named};
use super::words;
use crate::renewal::chain;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

/// How often until the deadline; near it oftener.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// And after it, when there is no hurry any more.
const WEEKLY: SignedDuration = SignedDuration::from_hours(24 * 7);
/// After a month.
const MONTHLY: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Whether `term` is held for orders that are or may be somebody else's.
pub(super) fn is_held_foreign(term: &DueTerm) -> bool {
    term.state == TermState::Held && term.reason == Some(Reason::ForeignOrder)
}

/// When a term that is held for them is looked at again.
pub(super) fn look_again(term: &DueTerm, now: Timestamp) -> Timestamp {
    let left = term.moments.deadline_at.duration_since(now);
    let wait = if left.is_positive() {
        SignedDuration::from_secs(left.as_secs() / 4).clamp(SignedDuration::from_hours(1), DAILY)
    } else if left > -MONTHLY {
        WEEKLY
    } else {
        MONTHLY
    };
    after(now, wait)
}

/// When a term that waits for approval is looked at again: daily; and at its last chance, when it is missed.
pub(super) fn look_at_awaiting(term: &DueTerm, now: Timestamp) -> Timestamp {
    let last = chain::last_chance(term.moments.deadline_at, term.standing.grace_days);
    look_again(term, now).min(last).max(now)
}

impl Engine {
    /// A person who is asked to approve an order, perhaps for weeks, hears when somebody else has renewed it meanwhile.
    pub(super) async fn look_whether_renewed(&mut self, awaiting: Vec<DueTerm>) -> Result<(), TickError> {
        if awaiting.is_empty() {
            return Ok(());
        }
        let others = match self.others(&awaiting).await? {
            Ok(others) => others,
            Err(why) => return self.try_all_again(&awaiting, why).await,
        };
        if self.is_looked_for(&others.foreign).await? {
            return Ok(());
        }
        let now = self.clock.now();
        let mut write = Write::default();
        for term in &awaiting {
            if let Some(plight) = self.renewed_by_another(term, &others).await? {
                let step = self.stay(term, TermState::Held, Some(look_again(term, now)));
                words::trouble(term, TermState::Held, &plight, step, &mut write);
                continue;
            }
            let step = self.stay(term, TermState::AwaitingApproval, Some(look_at_awaiting(term, now)));
            write.moves.push(Move { detail: term.detail.clone(), remedy: term.remedy.clone(), ..step });
        }
        Ok(self.store.write(now, write).await?)
    }

    /// What holds a renewal because it could not be read may be read by now. Once every order shows another customer it goes on; one that died is left
    /// to the person who was told of it.
    pub(super) async fn look_whether_for_others(&mut self, held: Vec<DueTerm>) -> Result<(), TickError> {
        let mut earliest = Timestamp::MAX;
        for term in &held {
            earliest = earliest.min(after(self.since(term).await?.at, -LISTED_WITHIN));
        }
        if !held.is_empty()
            && let Err(error) = self.read_details(i64::MAX, Some(earliest)).await?
        {
            tracing::debug!("the orders that others placed cannot be read: {error}");
        }
        let now = self.clock.now();
        let mut write = Write::default();
        for term in &held {
            self.look_at_candidates(now, term, &mut write).await?;
        }
        Ok(self.store.write(now, write).await?)
    }

    fn goes_on(&self, now: Timestamp, term: &DueTerm, write: &mut Write) {
        let left = chain::last_chance(term.moments.deadline_at, term.standing.grace_days).duration_since(now);
        // Too late: what helps then is told as it is missed.
        if !left.is_positive() {
            return write.moves.push(Move { act_at: Some(now), ..self.stay_clear(term, TermState::Scheduled) });
        }
        // Not at once: whoever is told has to have the time to keep it back, if there is any.
        let hurry = left < SignedDuration::from_hours(4);
        let at = if hurry { now } else { after(now, evidence::settle(None, left)) };
        let what = format!("every order for which it was held shows another customer by now; it goes on at {at:.0}");
        tracing::info!(renewal = term.name, "{what}");
        write.events.push(words::event("term.goes_on", term, json!({"orders": term.candidates})));
        write.messages.push(words::message(term, "goes_on", &what, &format!("renewd hold {} (keeps it back)", term.typed())));
        write.moves.push(Move { act_at: Some(at), ..self.stay_clear(term, TermState::Scheduled) });
    }

    async fn look_at_candidates(&mut self, now: Timestamp, term: &DueTerm, write: &mut Write) -> Result<(), TickError> {
        let mut orders = Vec::new();
        for key in &term.candidates {
            orders.extend(self.store.listed_order(key, &self.po_prefix).await?);
        }
        let learned = self.store.learned(&term.identity).await?;
        let once = self.store.once_candidates(term.subscription).await?;
        let may = |order: &&Listed| evidence::may_have_renewed(order, &term.identity, &learned) || once.contains(&order.key);
        let still: Vec<Listed> = orders.iter().filter(may).cloned().collect();
        // Orders of ours, and such as the list has never shown, are not told from others by what they show. A hold that names none is not over.
        let all_read =
            !orders.is_empty() && orders.len() == term.candidates.len() && orders.iter().all(|order| order.attempt.is_none());
        if still.is_empty() && all_read {
            self.goes_on(now, term, write);
        } else if all_read {
            let keys: Vec<String> = still.iter().map(|order| order.key.clone()).collect();
            let shown: Vec<String> = keys.iter().map(|key| named(key, &still)).collect();
            let step = self.stay(term, TermState::Held, Some(look_again(term, now)));
            words::trouble(term, TermState::Held, &foreign_plight(term, keys, &shown, None), step, write);
        } else {
            let step = self.stay(term, TermState::Held, Some(look_again(term, now)));
            let (detail, remedy, candidates) = (term.detail.clone(), term.remedy.clone(), term.candidates.clone());
            write.moves.push(Move { detail, remedy, candidates, ..step });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
