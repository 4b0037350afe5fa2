//! A list that does not show our newest order any more, although it did (R19).
//!
//! Owns what becomes of terms that are about to be ordered by it: a list that hides our own order may hide somebody's renewal as well. They wait
//! for it to come back, and if it does not within a day, a person is asked as well. Never concludes that the order is gone.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use super::sync::Synced;
use super::words::{self, Plight};
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;
use crate::store::waits::Postponement;

/// How long such a list is waited for before people are asked; less where a deadline is near.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How near.
const NEAR: SignedDuration = SignedDuration::from_hours(72);
/// How often such a list is looked at while terms are held for it.
const LOOKS: SignedDuration = SignedDuration::from_hours(6);
/// After this an order that the list does not show does not stand in the way of accepting a database: it may have been removed.
const REMOVED: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What people are told of it.
pub(super) fn sentence(order: &str) -> String {
    format!(
        "the portal's list does not show order {order} any more, which it showed before; somebody's renewal may be hidden as well"
    )
}

/// From when on a list without our order is accepted.
pub(super) fn accepted_from(since: Timestamp) -> Timestamp {
    after(since, REMOVED)
}

impl Engine {
    /// Terms that were held for such a list go on when it shows our order again.
    pub(super) async fn look_whether_shown(&mut self, synced: &Synced, held: Vec<DueTerm>) -> Result<(), TickError> {
        let now = self.clock.now();
        let mut write = Write::default();
        for term in &held {
            if synced.lacks.is_some() {
                let step = self.stay(term, TermState::Held, Some(after(now, LOOKS)));
                write.moves.push(Move {
                    detail: term.detail.clone(),
                    remedy: term.remedy.clone(),
                    candidates: term.candidates.clone(),
                    ..step
                });
            } else {
                tracing::info!(renewal = term.name, "the portal's list shows our newest order again; it goes on");
                write.moves.push(Move { act_at: Some(now), ..self.stay_clear(term, TermState::Scheduled) });
            }
        }
        Ok(self.store.write(now, write).await?)
    }

    /// Of the terms that are about to be ordered, those that may be by this list: a person has released them knowing of it.
    pub(super) async fn by_this_list(&mut self, synced: &Synced, due: Vec<DueTerm>) -> Result<Vec<DueTerm>, TickError> {
        let Some((order, since)) = &synced.lacks else { return Ok(due) };
        let now = self.clock.now();
        let (released, kept): (Vec<_>, Vec<_>) = due.into_iter().partition(|term| term.dismissed.contains(order));
        let patient = |term: &DueTerm| now < after(*since, PATIENCE) && term.moments.deadline_at.duration_since(now) > NEAR;
        let (waiting, held): (Vec<_>, Vec<_>) = kept.into_iter().partition(patient);
        let mut write = Write::default();
        for term in &held {
            let step = self.stay(term, TermState::Held, Some(after(now, LOOKS)));
            words::trouble(term, TermState::Held, &plight(term, order), step, &mut write);
        }
        self.store.write(now, write).await?;
        if !waiting.is_empty() {
            let wait = Postponement {
                terms: waiting.iter().map(|term| term.id).collect(),
                until: after(now, SignedDuration::from_hours(1)),
                reason: Reason::PortalTrouble,
                detail: sentence(order),
                remedy: None,
            };
            self.wait_all(&waiting, wait).await?;
        }
        Ok(released)
    }
}

/// Whether `term` is held for such a list.
pub(super) fn is_held_for_list(term: &DueTerm) -> bool {
    term.state == TermState::Held && term.reason == Some(Reason::ListLacks)
}

fn plight(term: &DueTerm, order: &str) -> Plight {
    Plight {
        reason: Reason::ListLacks,
        detail: sentence(order),
        remedy: format!(
            "look in the portal who renewed it, then: renewd release {0} (order anyway) or renewd resolve {0} --order-no X (it is paid)",
            term.typed()
        ),
        orders: vec![order.to_owned()],
    }
}

#[cfg(test)]
mod tests;
