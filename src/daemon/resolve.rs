//! Finding out what became of attempts of unknown fate (R17 to R21).
//!
//! Owns doing what `renewal/evidence.rs` concludes. Never sends anything.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::engine::{Engine, TickError, after};
use super::sync::Synced;
use super::words::{self, Plight};
use crate::config::model::Config;
use crate::renewal::evidence::{self, Finding, Listed, Moment, Search};
use crate::renewal::learned::Learned;
use crate::renewal::retry;
use crate::renewal::state::{Reason, TermState};
use crate::rules::{Rule, kept};
use crate::store::attempts::Attempt;
use crate::store::found::{FoundOrder, SetAside};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

/// How many old, unpaid orders of customers nobody knows are read for one absence; any beyond speak against it.
const MOST_BASKETS: u32 = 50;

impl Engine {
    /// Judges every unknown attempt by the list that was just read.
    pub(super) async fn resolve(&mut self, synced: &Synced, unknown: Vec<DueTerm>) -> Result<(), TickError> {
        let Some(oldest) = unknown.iter().filter_map(|term| term.attempt.as_ref()).map(|attempt| attempt.fence_mark).min() else {
            return Ok(());
        };
        if let Err(error) = self.read_details(oldest, None).await? {
            tracing::warn!("{error}");
            return self.look_again(&unknown).await;
        }
        for term in unknown {
            let Some(attempt) = term.attempt.clone() else { continue };
            let attempt = self.ended_by_both_clocks(attempt, synced).await?;
            let since = self.store.listed_since(attempt.fence_mark, &self.po_prefix).await?;
            let learned = self.store.learned(&term.identity).await?;
            let mut since = self.tell_apart(&term, since, &attempt, &learned).await?;
            let mut finding = evidence::judge(&self.search(&term, &attempt, synced), &since, &learned);
            if finding == Finding::NotPlaced
                && let Some(read) = self.read_young_again(&since).await?
            {
                since = self.store.listed_since(attempt.fence_mark, &self.po_prefix).await?;
                let judged = || evidence::judge(&self.search(&term, &attempt, synced), &since, &learned);
                finding = if read { judged() } else { Finding::NotYet };
            }
            tracing::debug!(renewal = term.name, po_number = attempt.po_number, ?finding, "looked for an order of unknown fate");
            self.conclude(&term, &attempt, finding, &since, synced).await?;
        }
        Ok(())
    }

    /// Whether one of these orders, which seem to be of others, is looked for: it is found first, at the next tick, or it would hold what is not its own.
    pub(super) async fn is_looked_for(&mut self, foreign: &[Listed]) -> Result<bool, TickError> {
        let numbers = foreign.iter().flat_map(|order| order.mentions_ours.iter().map(|number| (number.as_str(), order.mark)));
        let numbers: Vec<(&str, i64)> = numbers.collect();
        Ok(!numbers.is_empty() && self.store.look_at_once(self.clock.now(), &numbers).await?)
    }

    /// Whether an absence could count by now (R19 c): before, a read for evidence would be wasted.
    pub(super) fn may_count(&self, term: &DueTerm, now: Timestamp) -> bool {
        let ended = term.attempt.as_ref().map(|attempt| attempt.ended_at.unwrap_or(attempt.created_at));
        term.state == TermState::Unknown && ended.is_some_and(|ended| now.duration_since(ended) >= self.settle(term, ended))
    }

    fn search<'a>(&self, term: &'a DueTerm, attempt: &'a Attempt, synced: &Synced) -> Search<'a> {
        let ended = Moment { local: attempt.ended_at.unwrap_or(attempt.created_at), portal: attempt.ended_portal };
        Search {
            identity: &term.identity,
            po_number: &attempt.po_number,
            created_at: attempt.created_at,
            ended,
            absent: attempt.absent_at.map(|local| Moment { local, portal: attempt.absent_portal }),
            read: Moment { local: synced.at, portal: synced.date },
            settle: self.settle(term, ended.local),
            list_is_whole: synced.is_whole,
        }
    }

    /// The end of an attempt as evidence may count from it: by the portal's clock from the first answer on that tells it, and never in the
    /// future of a clock that was set back.
    async fn ended_by_both_clocks(&mut self, attempt: Attempt, synced: &Synced) -> Result<Attempt, TickError> {
        let by_us = attempt.ended_at.unwrap_or(attempt.created_at);
        let local = by_us.min(synced.at);
        let portal = attempt.ended_portal.or(synced.date);
        if Some(local) == attempt.ended_at && portal == attempt.ended_portal {
            return Ok(attempt);
        }
        self.store.note_end(attempt.id, local, portal).await?;
        Ok(Attempt { ended_at: Some(local), ended_portal: portal, ..attempt })
    }

    /// R20. Counted from the end of the attempt, so that it does not shrink while one waits.
    pub(super) fn settle(&self, term: &DueTerm, ended: Timestamp) -> SignedDuration {
        settle_of(&self.config, term, ended)
    }

    /// Orders since the fence that only the answer to another attempt names may be this one: their details tell whose they are.
    async fn tell_apart(
        &mut self,
        term: &DueTerm,
        since: Vec<Listed>,
        attempt: &Attempt,
        learned: &Learned,
    ) -> Result<Vec<Listed>, TickError> {
        let in_doubt: Vec<&Listed> = since
            .iter()
            .filter(|order| {
                let unread = !order.detailed && !evidence::explained(order, &term.identity, learned);
                order.by_answer && (unread || order.again_at.is_some_and(|at| at <= self.clock.now()))
            })
            .collect();
        let mut read = false;
        for order in in_doubt {
            read |= self.read_detail_of(order).await?;
        }
        if read { Ok(self.store.listed_since(attempt.fence_mark, &self.po_prefix).await?) } else { Ok(since) }
    }

    async fn conclude(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        finding: Finding,
        since: &[Listed],
        synced: &Synced,
    ) -> Result<(), TickError> {
        match finding {
            Finding::Placed(key) => self.found(term, attempt, since, &key, "po_number").await,
            Finding::PlacedByContent(key) => self.found(term, attempt, since, &key, "content").await,
            Finding::NotPlaced => self.not_there(term, attempt, since).await,
            Finding::AbsentOnce => {
                self.store.note_absence(attempt.id, Some(synced.at), synced.date).await?;
                self.wait_for_evidence(term, attempt, Some(synced.at)).await
            }
            Finding::NotYet => self.wait_for_evidence(term, attempt, attempt.absent_at).await,
            Finding::NoEvidence(candidates) => {
                let recorded = self.recorded_for(term, since, &candidates).await?;
                self.hold_for_evidence(term, &candidates, &recorded).await
            }
        }
    }

    /// Which of the candidates are recorded as the orders of other renewals, because the answers to those named them. Those are told too: if one
    /// is not theirs, they are not renewed.
    async fn recorded_for(&mut self, term: &DueTerm, since: &[Listed], candidates: &[String]) -> Result<String, TickError> {
        let mut recorded = String::new();
        for order in since.iter().filter(|order| candidates.contains(&order.key)) {
            let Some(attempt) = order.attempt else { continue };
            if let Some(other) = self.store.term_of_attempt(attempt).await? {
                recorded.extend(["; ", &order.key, " is recorded for ", &other.name, ", because the answer to that named it"]);
                let what =
                    format!("order {}, which the portal named in its answer, may be the one of {} instead", order.key, term.name);
                let command = format!("look for whom order {} is in the portal; renewd history {}", order.key, other.typed());
                let known = term.reason == Some(Reason::NoEvidence) && term.candidates.contains(&order.key);
                if !known {
                    let message = words::message(&other, &format!("recorded:{}", order.key), &what, &command);
                    self.store.tell(self.clock.now(), &[message]).await?;
                }
            }
        }
        Ok(recorded)
    }

    async fn found(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        since: &[Listed],
        key: &str,
        how: &'static str,
    ) -> Result<(), TickError> {
        let now = self.clock.now();
        let Some(listed) = since.iter().find(|order| order.key == key) else { return Ok(()) };
        if listed.attempt.is_some_and(|holder| holder != attempt.id) && !self.reopen_holder(listed).await? {
            return self.wait_for_evidence(term, attempt, attempt.absent_at).await;
        }
        let order = FoundOrder {
            key: key.to_owned(),
            order_no: listed.number(),
            order_id: listed.portal_id.clone(),
            status: listed.status.clone(),
            transaction_no: listed.facts.transaction.clone(),
            matched_by: how,
        };
        tracing::info!(
            renewal = term.name,
            po_number = attempt.po_number,
            order_no = order.order_no,
            "found: the portal has the order"
        );
        let mut write = Write::default();
        let event = words::event("attempt.found", term, json!({"matched_by": how, "order": listed.key, "status": listed.status}));
        write.events.push(crate::store::audit::Happened { order_no: order.order_no.clone(), ..event });
        write.moves.push(Move { act_at: Some(now), tries: 0, ..self.stay_clear(term, TermState::Placed) });
        Ok(self.store.found(now, attempt.id, &order, write).await?)
    }

    /// R19 c held on two reads: it is not there. The next one goes alone (R21).
    async fn not_there(&mut self, term: &DueTerm, attempt: &Attempt, since: &[Listed]) -> Result<(), TickError> {
        if !(self.still_as_learned(term, since, None).await? && self.is_shown_as_before(term, attempt).await?) {
            let ended = attempt.ended_at.unwrap_or(attempt.created_at);
            let patience = self.settle(term, ended).saturating_mul(3);
            return if self.clock.now().duration_since(ended) < patience {
                self.wait_for_evidence(term, attempt, attempt.absent_at).await
            } else {
                // By what was just learned of how ours are shown.
                let learned = self.store.learned(&term.identity).await?;
                let may_be = since.iter().filter(|order| !evidence::explained(order, &term.identity, &learned));
                let may_be: Vec<String> = may_be.map(|order| order.key.clone()).collect();
                self.hold_for_evidence(term, &may_be, "").await
            };
        }
        let speaking = self.store.against_absence(attempt.id).await?;
        if !speaking.is_empty() && kept(Rule::R19) {
            return self.hold_for_evidence(term, &speaking, "").await;
        }
        let baskets = self.baskets(attempt).await?;
        if !baskets.is_empty() && kept(Rule::R19) {
            let how = "; an older order of the same customer may have taken it in: do its lines there show it?";
            return self.hold_for_evidence(term, &baskets, how).await;
        }
        if term.unknowns > 0 && kept(Rule::R21) {
            return self.hold_second(term, attempt).await;
        }
        let now = self.clock.now();
        let mut write = Write::default();
        write.events.push(words::event(
            "attempt.not_placed",
            term,
            json!({"evidence": "every order since the fence is explained, on two reads"}),
        ));
        tracing::info!(
            renewal = term.name,
            po_number = attempt.po_number,
            "found: the portal does not have the order; it is tried again, alone"
        );
        write.moves.push(Move { act_at: Some(now), tries: 0, ..self.stay_clear(term, TermState::Scheduled) });
        Ok(self.store.set_aside(now, attempt.id, SetAside::NotPlaced, write).await?)
    }

    /// Orders of the same customer that may have taken in what was sent. Nobody needed the details of old ones so far.
    async fn baskets(&mut self, attempt: &Attempt) -> Result<Vec<String>, TickError> {
        for order in self.store.unread_baskets(attempt.fence_mark, MOST_BASKETS, &self.po_prefix).await? {
            if !self.read_detail_of(&order).await? {
                break;
            }
        }
        Ok(self.store.baskets(attempt.id).await?)
    }

    /// Looks again soon at first, and exactly when an absence begins to count.
    async fn wait_for_evidence(&mut self, term: &DueTerm, attempt: &Attempt, absent: Option<Timestamp>) -> Result<(), TickError> {
        let now = self.clock.now();
        let ended = attempt.ended_at.unwrap_or(attempt.created_at);
        // A moment later: the portal's `Date` has whole seconds.
        let settle = self.settle(term, ended).saturating_add(SignedDuration::from_secs(5));
        let counts = [after(absent.unwrap_or(ended), settle), after(ended, settle.saturating_mul(2))];
        let counts = counts.into_iter().filter(|at| *at > now).min();
        let next = retry::look_again(now, term.tries);
        let step = Move {
            tries: term.tries.saturating_add(1),
            ..self.stay(term, TermState::Unknown, Some(counts.map_or(next, |at| at.min(next))))
        };
        let mut write = Write::default();
        let kept = Move { detail: term.detail.clone(), remedy: term.remedy.clone(), ..step };
        write.moves.push(kept);
        Ok(self.store.write(now, write).await?)
    }

    /// R19 d: a person settles it. It is still looked for: its `poNumber` may yet turn up.
    async fn hold_for_evidence(&mut self, term: &DueTerm, candidates: &[String], recorded: &str) -> Result<(), TickError> {
        let now = self.clock.now();
        let shown = if candidates.is_empty() {
            "the list could not be trusted".to_owned()
        } else {
            format!("it may be order {}{recorded}", candidates.join(", "))
        };
        let detail = format!("nobody knows whether the portal carried out the order: {shown}");
        let remedy = format!("renewd resolve {} --order-no X or --not-ordered", term.typed());
        let plight = Plight { reason: Reason::NoEvidence, detail, remedy, orders: candidates.to_vec() };
        let step = self.rarely(term, now);
        let mut write = Write::default();
        words::trouble(term, TermState::Unknown, &plight, step, &mut write);
        self.store.write(now, write).await?;
        Ok(self.store.wake_behind_first(now).await?) // R22: what it blocks is told at once
    }

    /// R21: twice sent, twice of unknown fate: there is no third without a person. It is still looked for.
    async fn hold_second(&mut self, term: &DueTerm, attempt: &Attempt) -> Result<(), TickError> {
        let now = self.clock.now();
        let plight = Plight {
            reason: Reason::SecondUnknown,
            detail: format!(
                "two orders were sent of which nobody could tell the fate; the portal's list does not show the second one, {}, either",
                attempt.po_number
            ),
            remedy: format!("look for it in the portal, then: renewd resolve {0} --not-ordered or --order-no X", term.typed()),
            orders: Vec::new(),
        };
        let step = self.rarely(term, now);
        let mut write = Write::default();
        words::trouble(term, TermState::Unknown, &plight, step, &mut write);
        self.store.write(now, write).await?;
        Ok(self.store.wake_behind_first(now).await?) // R22: what it blocks is told at once
    }

    /// A person has been asked; it may still be found.
    fn rarely(&self, term: &DueTerm, now: Timestamp) -> Move {
        let looks = term.tries.max(retry::LEFT_TO_A_PERSON);
        let step = self.stay(term, TermState::Unknown, Some(retry::look_again(now, looks)));
        Move { tries: looks.saturating_add(1), ..step }
    }

    async fn look_again(&mut self, terms: &[DueTerm]) -> Result<(), TickError> {
        for term in terms {
            if let Some(attempt) = term.attempt.clone() {
                self.wait_for_evidence(term, &attempt, attempt.absent_at).await?;
            }
        }
        Ok(())
    }

    /// A move that leaves nothing of the trouble before.
    pub(super) fn stay_clear(&self, term: &DueTerm, to: TermState) -> Move {
        Move { reason: None, ..self.stay(term, to, None) }
    }
}

/// R20 for one term; the file can set it. Never less than it was when the attempt was sent: an edit makes no order appear sooner.
pub(super) fn settle_of(config: &Config, term: &DueTerm, ended: Timestamp) -> SignedDuration {
    let set = config.portal.settle.and_then(|span| SignedDuration::try_from(span).ok());
    let then = term.attempt.as_ref().and_then(|attempt| attempt.settle_s).map_or(SignedDuration::ZERO, SignedDuration::from_secs);
    evidence::settle(set, term.moments.deadline_at.duration_since(ended)).max(then)
}

#[cfg(test)]
mod tests;
