//! A doubted database (R9): restored, copied or moved, or taken to another address.
//!
//! Owns reading all that the portal has, so that a person can accept it: the whole list once the orders that were on their way must show, and
//! the details of every order in which a `poNumber` of ours may stand. Never orders.

use jiff::{SignedDuration, Timestamp};

use super::accept::{SAY_AGAIN, doubt_settle};
use super::engine::{Engine, TickError, after};
use crate::store::outbox::Message;

/// How often the whole list is read while the database is doubted.
const READ_AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// How soon after a reading that failed.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// How far back an order of this installation can lie that a restored database does not know: the longest time between two orders for one
/// subscription that is usual, and a month.
pub(super) fn far_back(doubted_since: Timestamp) -> Timestamp {
    after(doubted_since, SignedDuration::from_hours(-24 * 400))
}

impl Engine {
    /// Reads the list whole, and the details that are missing, until a person has accepted the database.
    pub(super) async fn while_doubted(&mut self, now: Timestamp) -> Result<(), TickError> {
        let Some(since) = self.doubted else { return Ok(()) };
        let account = self.store.account().await?;
        self.doubted = account.doubted.map(|(since, _)| since);
        let settled = after(since, doubt_settle(&self.config));
        let just_tried = self.doubt_read_at.is_some_and(|at| at <= now && now.duration_since(at) < TRY_AGAIN);
        if self.doubted.is_none() || now < settled || just_tried {
            return Ok(());
        }
        let is_fresh = account.synced_at.is_some_and(|at| at >= settled && now.duration_since(at) < READ_AGAIN);
        if is_fresh && self.store.unread_details(far_back(since), now).await? == 0 {
            let lacks = account.lacks.is_some_and(|(_, since)| now < super::lacking::accepted_from(since));
            return if lacks { Ok(()) } else { self.tell_that_it_can_be_accepted(now, since).await };
        }
        if self.reach_portal(now, false).await?.is_ok()
            && let Err(error) = self.read_details(i64::MAX, Some(far_back(since))).await?
        {
            tracing::warn!("cannot read the orders of others yet: {error}");
        }
        self.doubt_read_at = Some(now); // not where it gave way to a person: then it goes on at once
        Ok(())
    }

    /// `accept` was refused until now, and whoever tried it waits to hear of this.
    async fn tell_that_it_can_be_accepted(&mut self, now: Timestamp, since: Timestamp) -> Result<(), TickError> {
        const CAUSE: &str = "doubt:ready";
        if self.store.told_since(CAUSE, since, now).await? {
            return Ok(());
        }
        let message = Message {
            cause: CAUSE.to_owned(),
            renewal: None,
            what: format!(
                "nothing is ordered since {since:.0}, because the database was doubted; all that the portal has is read by now, and it can be accepted; {SAY_AGAIN}"
            ),
            by: self.store.next_deadline(now).await?,
            command: Some("renewd accept".to_owned()),
        };
        Ok(self.store.tell(now, &[message]).await?)
    }

    /// When a doubted database wants to be looked at.
    pub(super) fn doubt_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let settled = after(self.doubted?, doubt_settle(&self.config));
        let again = self.doubt_read_at.filter(|at| *at <= now).map_or(now, |at| after(at, TRY_AGAIN));
        let unread = if again > now { again } else { after(now, READ_AGAIN) };
        Some(if settled > now { settled } else { unread })
    }
}

#[cfg(test)]
mod tests;
