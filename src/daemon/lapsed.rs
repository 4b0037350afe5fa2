//! A term whose predecessor was renewed, and is not paid any more: a customer who has left, most likely, and the entry stayed in the file.
//!
//! Owns looking at the order before, and taking back the hold when it is paid again. Never orders anything.

use super::engine::{Engine, TickError};
use super::own;
use super::words::Plight;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::facts;
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::own::Lapsed;
use crate::store::terms::DueTerm;

/// Whether `term` is held for what comes before it.
pub(super) fn is_held_lapsed(term: &DueTerm) -> bool {
    term.state == TermState::Held && term.reason == Some(Reason::Lapsed)
}

impl Engine {
    /// What comes before `term` and is not paid, but for what a person has looked at.
    pub(super) async fn lapsed(&mut self, term: &DueTerm) -> Result<Option<Lapsed>, TickError> {
        let lapsed = self.store.lapsed_before(term.id).await?;
        Ok(lapsed.filter(|lapsed| !term.dismissed.contains(&lapsed.order_no)))
    }

    /// It may have been cancelled or refunded since, further back than the list is read. What cannot be read now says nothing.
    pub(super) async fn look_at_the_order_before(&mut self, term: &DueTerm) -> Result<(), TickError> {
        let mut before = self.store.counted_before(term.id, &self.po_prefix).await?;
        if let Some(attempt) = self.store.attempt_before(term.id).await? {
            before.extend(self.store.listed_attempt(attempt, &self.po_prefix).await?);
        }
        for listed in before.iter().filter(|listed| listed.portal_id.is_some() || listed.order_no.is_some()) {
            self.look_whether_it_is_paid(listed).await?;
        }
        Ok(())
    }

    async fn look_whether_it_is_paid(&mut self, listed: &Listed) -> Result<(), TickError> {
        match self.portal.order_of(listed.portal_id.as_deref(), listed.order_no.as_deref()).await {
            Ok(detail) => {
                if listed.attempt.is_some() {
                    self.take_detail(listed.mark, &detail).await?; // whose it is by now
                }
                let row = self.store.row_status(listed.mark).await?;
                let status = facts::status(&detail.value.value);
                if let Some(status) = status.filter(|status| may_correct(row.as_deref(), status)) {
                    self.store.take_status(self.clock.now(), listed.mark, &status).await?;
                }
            }
            Err(error) => tracing::debug!(order = listed.key, "the order before cannot be read now: {error}"),
        }
        Ok(())
    }

    /// Terms that were held for it go on when it is paid again.
    pub(super) async fn look_whether_paid_again(&mut self, held: Vec<DueTerm>) -> Result<(), TickError> {
        let now = self.clock.now();
        let mut write = Write::default();
        for term in &held {
            self.look_at_the_order_before(term).await?;
            if self.lapsed(term).await?.is_some() {
                let step = self.stay(term, TermState::Held, Some(own::look_at_dead(now, term.moments.deadline_at)));
                write.moves.push(Move {
                    detail: term.detail.clone(),
                    remedy: term.remedy.clone(),
                    candidates: term.candidates.clone(),
                    ..step
                });
            } else {
                tracing::info!(renewal = term.name, "what comes before it is paid again; it goes on");
                write.moves.push(Move { act_at: Some(now), ..self.stay_clear(term, TermState::Scheduled) });
            }
        }
        Ok(self.store.write(now, write).await?)
    }
}

/// A row that calls it dead counts, whatever its details say. So does one that calls it paid, unless the details have a word against it that is known:
/// they may have words of their own for paid.
fn may_correct(row: Option<&str>, details: &str) -> bool {
    let against = evidence::is_dead(Some(details)) || details.eq_ignore_ascii_case("pending");
    !evidence::is_dead(row) && (against || !evidence::is_paid(row))
}

pub(super) fn plight(term: &DueTerm, lapsed: &Lapsed) -> Plight {
    Plight {
        reason: Reason::Lapsed,
        detail: format!(
            "what comes before it is not paid: order {}, which had renewed it until {}, is {}",
            lapsed.order_no,
            term.span.starts_on,
            lapsed.status.as_deref().unwrap_or("set aside")
        ),
        remedy: format!("renewd release {0} (order it all the same) or renewd skip {0} (it ends)", term.typed()),
        orders: vec![lapsed.order_no.clone()],
    }
}
