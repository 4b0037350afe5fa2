//! How an order of ours stands, where the list as it was read does not show it, or has shown it unpaid for long.
//!
//! Owns what is asked then: its details, and, once those could not be read for a day, its row, however far down the list. What follows from it for the
//! term is `follow.rs`.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use super::follow::LONG;
use super::sync::Synced;
use crate::portal::read_error::ReadError;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::facts;
use crate::renewal::state::TermState;
use crate::store::attempts::Attempt;
use crate::store::terms::DueTerm;

/// How an order stands.
pub(super) enum Stands {
    /// As the portal shows it.
    As(Box<Listed>),
    /// The portal says that it has no such order, or shows it nowhere.
    Nowhere,
    /// It cannot be told now.
    Unknown,
    /// It was paid, and does not show now; a list can leave out what it shows tomorrow.
    NotSeen,
}

/// Whether the portal has details of an order.
enum Shown {
    Yes,
    /// It says that it has no such order.
    Gone,
    /// It cannot be asked now.
    Unreadable(ReadError),
}

impl Engine {
    /// How the order of `term` stands now, by more than its row in the mirror where that may be an old one.
    pub(super) async fn how_it_stands(
        &mut self,
        synced: &Synced,
        term: &DueTerm,
        attempt: &Attempt,
        mut listed: Listed,
    ) -> Result<Stands, TickError> {
        let is_shown = synced.shown.contains(&listed.key);
        if is_shown && is_removed(&listed) {
            listed = self.row_of(attempt, listed).await?;
        }
        if is_shown && !is_long_unpaid(term, attempt, &listed, self.clock.now()) {
            return Ok(Stands::As(Box::new(listed)));
        }
        match self.ask_status(&mut listed).await? {
            Shown::Yes => Ok(Stands::As(Box::new(listed))),
            Shown::Gone => {
                let since = self.store.unread_since(listed.mark).await?;
                self.unreadable_for(listed.mark).await?;
                let unseen = since.map_or(SignedDuration::ZERO, |since| self.clock.now().duration_since(since));
                self.as_the_list_has_it(term, attempt, listed, unseen).await
            }
            Shown::Unreadable(error) if self.is_out_of_patience(listed.mark, &error, term.moments.deadline_at).await? => {
                self.as_the_list_has_it(term, attempt, listed, SignedDuration::ZERO).await
            }
            Shown::Unreadable(_) => Ok(Stands::Unknown),
        }
    }

    /// The same of any order of ours, as far as its details tell.
    pub(super) async fn read_status(&mut self, listed: &mut Listed) -> Result<(), TickError> {
        self.ask_status(listed).await.map(drop)
    }

    async fn ask_status(&mut self, listed: &mut Listed) -> Result<Shown, TickError> {
        if listed.portal_id.is_none() && listed.order_no.is_none() {
            return Ok(Shown::Yes);
        }
        match self.portal.order_of(listed.portal_id.as_deref(), listed.order_no.as_deref()).await {
            Ok(detail) => {
                if let Some(status) = facts::status(&detail.value.value) {
                    self.store.take_status(self.clock.now(), listed.mark, &status).await?;
                    listed.status = Some(status);
                }
                Ok(Shown::Yes)
            }
            Err(ReadError::NotFound { .. }) => Ok(Shown::Gone),
            Err(error) => {
                tracing::warn!(order = listed.key, "cannot read how an order stands: {error}");
                Ok(Shown::Unreadable(error))
            }
        }
    }

    /// Where nobody can read its details, an unpaid order stands as the list has it: people are to hear that it is unpaid, or nowhere.
    /// `unseen`: for so long it was not to be read at any look.
    async fn as_the_list_has_it(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        listed: Listed,
        unseen: SignedDuration,
    ) -> Result<Stands, TickError> {
        let is_listed = self.is_listed(&listed).await?;
        match (term.state, is_listed) {
            (TermState::Placed, Some(true)) => {}
            (TermState::Placed, Some(false)) => return Ok(Stands::Nowhere),
            (TermState::Placed, None) => return Ok(Stands::Unknown),
            (state, listed_now) => {
                if state == TermState::Renewed && listed_now == Some(false) {
                    if unseen < patience(term, self.clock.now()) {
                        return Ok(Stands::NotSeen);
                    }
                    self.notice_removed(term, attempt, &listed).await?;
                } else if is_removed(&listed) && listed_now == Some(true) {
                    return Ok(Stands::As(Box::new(self.row_of(attempt, listed).await?)));
                }
                let listed = self.store.listed_attempt(attempt.id, &self.po_prefix).await?.unwrap_or(listed);
                return Ok(Stands::As(Box::new(listed)));
            }
        }
        self.store.stands_as_listed(self.clock.now(), listed.mark).await?;
        let listed = self.store.listed_attempt(attempt.id, &self.po_prefix).await?;
        Ok(listed.map_or(Stands::Nowhere, |listed| Stands::As(Box::new(listed))))
    }

    /// A paid order that the portal does not have any more pays nothing, unless a person has said that it does: he hears of it.
    async fn notice_removed(&mut self, term: &DueTerm, attempt: &Attempt, listed: &Listed) -> Result<(), TickError> {
        if attempt.is_vouched_for() {
            return self.notice_gone(term, &listed.key).await;
        }
        Ok(self.store.take_status(self.clock.now(), listed.mark, evidence::REMOVED).await?)
    }

    /// As the list has it.
    async fn row_of(&mut self, attempt: &Attempt, listed: Listed) -> Result<Listed, TickError> {
        self.store.stands_as_listed(self.clock.now(), listed.mark).await?;
        Ok(self.store.listed_attempt(attempt.id, &self.po_prefix).await?.unwrap_or(listed))
    }

    /// Whether the list shows an order now, however far down; `None` where it cannot be read.
    pub(super) async fn is_listed(&mut self, order: &Listed) -> Result<Option<bool>, TickError> {
        let down_to = order.created_at.map(|at| after(at, SignedDuration::from_mins(-1)));
        let read = self.read_rows_unless_read(down_to).await?.is_ok();
        Ok(read.then(|| self.was_just_shown(&order.key)))
    }
}

/// So long a paid order may not show before it counts as removed: a day, or a quarter of what is left.
pub(super) fn patience(term: &DueTerm, now: Timestamp) -> SignedDuration {
    evidence::settle(None, term.moments.deadline_at.duration_since(now))
}

/// Whether it was paid, and the portal did not have it any more.
fn is_removed(listed: &Listed) -> bool {
    listed.status.as_deref() == Some(evidence::REMOVED)
}

/// What stays unpaid can be removed from the portal: its row of the mirror would stay as it was.
fn is_long_unpaid(term: &DueTerm, attempt: &Attempt, listed: &Listed, now: Timestamp) -> bool {
    let open = !evidence::is_paid(listed.status.as_deref()) && !evidence::is_dead(listed.status.as_deref());
    term.state == TermState::Placed && open && now.duration_since(attempt.created_at) >= LONG
}

#[cfg(test)]
mod tests;
