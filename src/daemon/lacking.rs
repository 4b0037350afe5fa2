//! A list that does not show our newest order any more, although it did (R19).
//!
//! Owns what becomes of terms that are about to be ordered by it: a list that hides our own order may hide somebody's renewal as well. They wait
//! for it to come back, and if it does not, a person decides. Never concludes that the order is gone.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use super::sync::Synced;
use super::words::{self, Plight};
use crate::portal::transport::Transport;
use crate::renewal::state::{Reason, TermState};
use crate::store::terms::{DueTerm, Postponement, Write};

/// How long such a list is waited for before people are asked; less where a deadline is near.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How near.
const NEAR: SignedDuration = SignedDuration::from_hours(72);
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

impl<T: Transport> Engine<T> {
    /// Of the terms that are about to be ordered, those that may be by this list: a person has released them knowing of it.
    pub(super) async fn by_this_list(&mut self, synced: &Synced, due: Vec<DueTerm>) -> Result<Vec<DueTerm>, TickError> {
        let Some((order, since)) = &synced.lacks else { return Ok(due) };
        let now = self.clock.now();
        let (released, kept): (Vec<_>, Vec<_>) = due.into_iter().partition(|term| term.dismissed.contains(order));
        let patient = |term: &DueTerm| now < after(*since, PATIENCE) && term.moments.deadline_at.duration_since(now) > NEAR;
        let (waiting, held): (Vec<_>, Vec<_>) = kept.into_iter().partition(patient);
        let mut write = Write::default();
        for term in &held {
            let step = self.stay(term, TermState::Held, None);
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

fn plight(term: &DueTerm, order: &str) -> Plight {
    Plight {
        reason: Reason::ForeignOrder,
        detail: sentence(order),
        remedy: format!(
            "look in the portal who renewed it, then: renewd release {0} (order anyway) | renewd resolve {0} --order-no X (it is paid)",
            term.typed()
        ),
        orders: vec![order.to_owned()],
    }
}

#[cfg(test)]
mod tests;
