//! Following an order until the portal says `succeed`, and until the new term has begun (R23).
//!
//! Owns the step from placed to renewed, and the birth of the next term.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::engine::{Engine, TickError, after};
use super::stands::{self, Stands};
use super::sync::Synced;
use super::words::{self, Plight};
use super::{not_paid, own, reopen};
use crate::renewal::chain;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::learned::Learned;
use crate::renewal::retry;
use crate::renewal::state::{Reason, TermState};
use crate::rules::{Rule, kept};
use crate::store::attempts::Attempt;
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

/// After this, an order that is not paid, or not listed, is told.
pub(super) const LONG: SignedDuration = SignedDuration::from_hours(72);

/// An order that is seen to be paid so long after its term began may pay from then on.
const LATE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whose an order is, by what it shows.
enum Whose {
    Ours,
    /// It looks like another customer's; in the first hour that says nothing.
    TooEarlyToSay,
    /// It does, for good.
    Anothers(Plight),
}

impl Engine {
    /// Looks at every order that is placed or renewed and due for a look.
    pub(super) async fn follow(&mut self, synced: &Synced, placed: Vec<DueTerm>) -> Result<(), TickError> {
        self.look_at_others(&placed).await?;
        for term in placed {
            self.give_way().await?;
            let Some(attempt) = term.attempt.clone() else { continue };
            let mut listed = self.store.listed_attempt(attempt.id, &self.po_prefix).await?;
            let learned = self.store.learned(&term.identity).await?;
            if let Some(found) = listed.take() {
                let found = self.details_in_doubt(&attempt, found).await?;
                let found = self.read_back(&term, &attempt, found).await?;
                if reopen::is_anothers(&found, &attempt) && self.reopen(&term, attempt.id, &found).await? {
                    continue;
                }
                let (found, whose) = self.whose(&term, &attempt, found, &learned).await?;
                match whose {
                    Whose::Ours => listed = Some(found),
                    Whose::TooEarlyToSay => {
                        self.keep_following(&term, None).await?;
                        continue;
                    }
                    Whose::Anothers(plight) => {
                        self.keep_following(&term, Some(plight)).await?;
                        continue;
                    }
                }
            }
            if let Some(shown) = listed.take() {
                match self.how_it_stands(synced, &term, &attempt, shown).await? {
                    Stands::As(shown) => listed = Some(*shown),
                    Stands::Nowhere => {}
                    Stands::Unknown => {
                        self.look_later(&term, SignedDuration::from_mins(15)).await?;
                        continue;
                    }
                    Stands::NotSeen => {
                        self.look_later(&term, stands::patience(&term, self.clock.now())).await?;
                        continue;
                    }
                }
            }
            if let Some(listed) = &mut listed {
                self.learn_from(&term, &attempt, listed, &learned).await?;
                if listed.status != attempt.order_status || attempt.order_id.is_none() {
                    self.store.note_status(attempt.id, listed.status.as_deref(), listed.portal_id.as_deref()).await?;
                }
            }
            let status = listed.as_ref().and_then(|l| l.status.clone()).or_else(|| attempt.order_status.clone());
            if own::is_held_dead(&term) {
                self.follow_dead(&term, status.as_deref()).await?;
            } else if term.state == TermState::Renewed {
                self.watch(&term, status.as_deref()).await?;
            } else {
                self.follow_one(&term, &attempt, listed.as_ref(), status.as_deref()).await?;
            }
        }
        Ok(())
    }

    /// Whether the order that an answer named looks like another customer's. Details that the portal may still be writing are read again first, and
    /// in the first hour they say nothing yet: the order is followed without a word. Then another order of ours is looked at.
    async fn whose(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        mut found: Listed,
        learned: &Learned,
    ) -> Result<(Listed, Whose), TickError> {
        let mut plight = reopen::looks_like_anothers(term, attempt, &found, learned);
        let fresh = found.created_at.is_some_and(|at| self.clock.now().duration_since(at) < SignedDuration::from_hours(1));
        if plight.is_some() && found.again_at.is_some() && self.read_detail_of(&found).await? {
            found = self.store.listed_attempt(attempt.id, &self.po_prefix).await?.unwrap_or(found);
            plight = reopen::looks_like_anothers(term, attempt, &found, learned);
        }
        // Told once; and not at all if this customer was shown like that before, or if it is the portal that shows all of ours otherwise than it did.
        let mut new = plight.is_some() && !fresh && term.reason != Some(Reason::NotListed);
        if new && self.store.was_shown_alike(attempt.id, term.subscription).await? {
            (plight, new) = (None, false);
        }
        if new && !self.still_as_learned(term, &[], Some(attempt.id)).await? {
            let learned = self.store.learned(&term.identity).await?;
            plight = reopen::looks_like_anothers(term, attempt, &found, &learned);
        }
        let whose = match plight {
            None => Whose::Ours,
            Some(_) if fresh => Whose::TooEarlyToSay,
            Some(plight) => Whose::Anothers(plight),
        };
        Ok((found, whose))
    }

    /// The details of a paid order are read before its term counts as renewed, and with every look after that: the portal may have renewed another
    /// customer, and a refund may show there only. So are those of a dead one: if it is only the details that called it so, they may think better of it.
    async fn read_back(&mut self, term: &DueTerm, attempt: &Attempt, found: Listed) -> Result<Listed, TickError> {
        let counts = matches!(term.state, TermState::Placed | TermState::Renewed) && attempt.is_paid(found.status.as_deref());
        let dead = own::is_held_dead(term);
        if !(counts || dead) || (found.portal_id.is_none() && found.order_no.is_none()) {
            return Ok(found);
        }
        match self.portal.order_of(found.portal_id.as_deref(), found.order_no.as_deref()).await {
            Ok(detail) => {
                self.take_detail(found.mark, &detail).await?;
                // Whoever has looked, and says that it pays, has seen both: then the row decides.
                let dies = !attempt.is_vouched_for() && self.take_death(found.mark, &detail).await?;
                if dead && !dies {
                    self.store.stands_as_listed(self.clock.now(), found.mark).await?;
                }
                Ok(self.store.listed_attempt(attempt.id, &self.po_prefix).await?.unwrap_or(found))
            }
            Err(error) => {
                tracing::debug!(order = found.key, "the details cannot be read now: {error}");
                Ok(found)
            }
        }
    }

    /// What others order while one of ours is followed is looked at when it turns up, and not when the next is due: a customer's own renewal beside ours
    /// (it is paid twice), and an order that was held not to exist (R21) and says only in its details that it does.
    async fn look_at_others(&mut self, placed: &[DueTerm]) -> Result<(), TickError> {
        let followed = placed.iter().filter(|term| !own::is_held_dead(term)).filter_map(|term| term.attempt.as_ref());
        let Some(since) = followed.map(|attempt| attempt.created_at).min() else { return Ok(()) };
        // Carried out before the next one was sent, or after: two days cover the longest settle twice.
        let since = after(since, SignedDuration::from_hours(-48));
        if let Err(error) = self.read_details(i64::MAX, Some(since)).await? {
            tracing::debug!("the orders of others cannot be read now: {error}");
        }
        Ok(())
    }

    async fn look_later(&mut self, term: &DueTerm, wait: SignedDuration) -> Result<(), TickError> {
        let now = self.clock.now();
        let soon = after(now, wait);
        let step = Move { detail: term.detail.clone(), remedy: term.remedy.clone(), ..self.stay(term, term.state, Some(soon)) };
        Ok(self.store.write(now, Write { moves: vec![step], ..Write::default() }).await?)
    }

    async fn follow_one(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        listed: Option<&Listed>,
        status: Option<&str>,
    ) -> Result<(), TickError> {
        if !kept(Rule::R23) {
            return self.renewed(term, attempt).await;
        }
        if evidence::is_dead(status) {
            return self.hold_dead(term, attempt, listed, status.unwrap_or_default()).await;
        }
        // Who says that one pays which the portal has removed has looked.
        let vouched = attempt.is_vouched_for() && status == Some(evidence::REMOVED);
        if attempt.is_paid(status) && (listed.is_some() || vouched) {
            if let Some(listed) = listed {
                self.notice_otherwise(term, attempt, listed).await?;
            }
            return self.renewed(term, attempt).await;
        }
        let long = self.clock.now().duration_since(attempt.created_at) >= LONG;
        let order = attempt.order_no.as_deref().unwrap_or_default();
        let plight = match (long, listed) {
            (false, _) => None,
            (true, Some(_)) if evidence::is_other_word(status) => Some(not_paid::other_word(term, order, status)),
            (true, Some(_)) => {
                let beside = self.store.beside(order).await?;
                Some(not_paid::unpaid(term, attempt, status, beside.as_deref()))
            }
            (true, None) => Some(not_paid::not_listed(term, order)),
        };
        self.keep_following(term, plight).await
    }

    async fn keep_following(&mut self, term: &DueTerm, plight: Option<Plight>) -> Result<(), TickError> {
        let now = self.clock.now();
        let next = retry::look_again(now, term.tries);
        let step = Move { tries: term.tries.saturating_add(1), ..self.stay(term, TermState::Placed, Some(next)) };
        let mut write = Write::default();
        match plight {
            Some(plight) => words::trouble(term, TermState::Placed, &plight, step, &mut write),
            None => write.moves.push(step),
        }
        Ok(self.store.write(now, write).await?)
    }

    /// The portal says `succeed`: the term is renewed, and the next one begins where it ends (R4).
    async fn renewed(&mut self, term: &DueTerm, attempt: &Attempt) -> Result<(), TickError> {
        let now = self.clock.now();
        let mut write = Write::default();
        write.events.push(words::event(
            "term.renewed",
            term,
            json!({"starts_on": term.span.starts_on.to_string(), "ends_on": term.span.ends_on.to_string()}),
        ));
        write.moves.push(Move {
            act_at: watch_again(now, 0, term.moments.deadline_at),
            warn_at: None,
            tries: 0,
            ..Move::of(term, TermState::Renewed)
        });
        let late = now.duration_since(term.moments.deadline_at) > LATE && !attempt.is_vouched_for();
        if late {
            write.messages.push(words::paid_late(term, attempt));
        }
        let offset = term.span.offset_months.saturating_add(months_between(term));
        let next = chain::term_at(term.anchor_on, offset, term.standing.cycle())
            .and_then(|span| Ok((span, chain::moments(span.starts_on, &term.standing, &self.config.zone)?)));
        if let Err(error) = &next {
            tracing::error!(renewal = term.name, "there is no next term: {error}");
        }
        tracing::info!(renewal = term.name, po_number = attempt.po_number, order_no = attempt.order_no, transaction_no = attempt.transaction_no, until = %term.span.ends_on, "renewed");
        crate::crash::point("before-renewed");
        self.store.renew(now, write, term, next.ok()).await?;
        crate::crash::point("after-renewed");
        if late {
            self.leave_time(now, term).await?;
        }
        Ok(())
    }

    /// Whoever hears that an order was paid late has to have the time to say until when it pays, before the next one goes.
    async fn leave_time(&mut self, now: Timestamp, term: &DueTerm) -> Result<(), TickError> {
        let Some(next) = self.store.successor(term).await?.filter(|next| next.state == TermState::Scheduled) else {
            return Ok(());
        };
        let left = next.moments.deadline_at.duration_since(now);
        let at = after(now, evidence::settle(None, left));
        if left < SignedDuration::from_hours(4) || at <= next.moments.due_at {
            return Ok(());
        }
        let step = Move { act_at: Some(at), ..Move::of(&next, TermState::Scheduled) };
        Ok(self.store.write(now, Write { moves: vec![step], ..Write::default() }).await?)
    }

    /// R23: a dead order is held; only a person frees the term.
    async fn hold_dead(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        listed: Option<&Listed>,
        status: &str,
    ) -> Result<(), TickError> {
        let now = self.clock.now();
        let order = attempt.order_no.clone().unwrap_or_default();
        let row = match listed {
            Some(listed) => self.store.row_status(listed.mark).await?.filter(|row| !evidence::is_dead(Some(row))),
            None => None,
        };
        let beside = self.store.beside(&order).await?;
        let plight = not_paid::dead(term, &order, status, row.as_deref(), beside.as_deref());
        let mut write = Write::default();
        let step = self.stay(term, TermState::Held, Some(own::look_at_dead(now, term.moments.deadline_at)));
        words::trouble(term, TermState::Held, &plight, step, &mut write);
        Ok(self.store.write(now, write).await?)
    }

    /// R23: watched until the new term has begun; whatever it becomes after success is told.
    async fn watch(&mut self, term: &DueTerm, status: Option<&str>) -> Result<(), TickError> {
        let now = self.clock.now();
        let mut write = Write::default();
        let step = Move {
            act_at: watch_again(now, term.tries, term.moments.deadline_at),
            warn_at: None,
            tries: term.tries.saturating_add(1),
            ..Move::of(term, TermState::Renewed)
        };
        let paid = status.is_none() || term.attempt.as_ref().is_some_and(|attempt| attempt.is_paid(status));
        if !paid && kept(Rule::R23) {
            let order = term.attempt.as_ref().and_then(|a| a.order_no.clone()).unwrap_or_default();
            let beside = self.store.beside(&order).await?;
            let plight = not_paid::refunded(term, &order, status.unwrap_or_default(), beside.as_deref());
            let step = self.stay(term, TermState::Held, Some(own::look_at_dead(now, term.moments.deadline_at)));
            words::trouble(term, TermState::Held, &plight, step, &mut write);
        } else {
            write.moves.push(step);
        }
        Ok(self.store.write(now, write).await?)
    }
}

fn months_between(term: &DueTerm) -> u32 {
    let from = i32::from(term.span.starts_on.year()) * 12 + i32::from(term.span.starts_on.month());
    let to = i32::from(term.span.ends_on.year()) * 12 + i32::from(term.span.ends_on.month());
    u32::try_from(to - from).unwrap_or(0)
}

/// 1, 2, 4 … days later, three days and one day before the new term begins, and when it begins; then never again.
fn watch_again(now: Timestamp, looks: u32, begins: Timestamp) -> Option<Timestamp> {
    let next = after(now, SignedDuration::from_hours(24 << looks.min(5)));
    let before = |hours| begins.checked_sub(SignedDuration::from_hours(hours)).ok().filter(|at| *at > now);
    let looks = [before(72), before(24), Some(begins), Some(next)];
    (now < begins).then(|| looks.into_iter().flatten().min().unwrap_or(begins))
}

#[cfg(test)]
mod tests;
