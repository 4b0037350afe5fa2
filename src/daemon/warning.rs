//! When people are next warned of a deadline (R27).
//!
//! Owns the moment, for every way in which a term comes to wait. What the warning says is in `words.rs`; that it is told, in `tell.rs`.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use crate::renewal::chain;
use crate::renewal::state::TermState;
use crate::store::moves::Move;
use crate::store::terms::DueTerm;

impl Engine {
    /// People hear of the deadlines of terms that wait, whatever they wait for. Of what is renewed there is nothing to warn.
    pub(super) async fn plan_warnings<'a>(
        &mut self,
        now: Timestamp,
        terms: impl Iterator<Item = &'a DueTerm>,
    ) -> Result<(), TickError> {
        let warnings: Vec<_> = terms
            .filter(|term| term.warn_at.is_none() && term.state != TermState::Renewed)
            .map(|term| (term.id, warning(term, now)))
            .collect();
        Ok(self.store.warn_at(&warnings).await?)
    }

    /// The moves of a decision that leaves a term waiting: it is warned about as its deadline nears, whatever it waits for.
    pub(super) fn stay(&self, term: &DueTerm, to: TermState, act_at: Option<Timestamp>) -> Move {
        let now = self.clock.now();
        let warn_at = match to {
            TermState::Scheduled => warning(term, now),
            // Nothing is to be warned of; and a moment that a wrong clock has planned would be the next warning if the order died.
            TermState::Renewed => None,
            TermState::Placed if term.state != TermState::Placed => placed_warning(term, now),
            _ => planned_warning(term, now),
        };
        Move { act_at, warn_at, reason: term.reason, ..Move::of(term, to) }
    }
}

/// The warning that a term keeps, or gets.
fn planned_warning(term: &DueTerm, now: Timestamp) -> Option<Timestamp> {
    term.warn_at.or_else(|| chain::next_warning(term.moments.deadline_at, now))
}

/// The same for a term that has just been ordered: within its last day there is no other warning to come than that at the deadline, so
/// people hear of an order that is not through within the hour.
fn placed_warning(term: &DueTerm, now: Timestamp) -> Option<Timestamp> {
    let planned = planned_warning(term, now);
    let soon = after(now, SignedDuration::from_hours(1));
    if planned == Some(term.moments.deadline_at) && soon < term.moments.deadline_at { Some(soon) } else { planned }
}

/// The same for a term that cannot be ordered now: from its last day on people hear of it at once, for there is no other warning to come before a week has passed.
pub(super) fn warning(term: &DueTerm, now: Timestamp) -> Option<Timestamp> {
    let last_day = term.moments.deadline_at.duration_since(now) <= SignedDuration::from_hours(24);
    if term.warn_at.is_none() && last_day { Some(now) } else { planned_warning(term, now) }
}
