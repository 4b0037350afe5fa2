//! An answer that named the order of another attempt (a portal, or something before it, that answers one request with the answer to another).
//!
//! Owns opening such an attempt again. An order number in a success is taken for a proof (R16) until the order itself is seen to carry the
//! `poNumber` of another attempt of ours: then nobody knows what became of this one. Never opens one again for less: what a portal shows
//! may change, and an order that is there must not be bought a second time because its fields came back otherwise.

use serde_json::json;

use super::engine::{Engine, TickError};
use super::words::{self, Plight};
use crate::renewal::evidence::{self, Listed};
use crate::renewal::learned::Learned;
use crate::renewal::state::{Reason, TermState};
use crate::store::attempts::Attempt;
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

/// Whether `listed`, which the answer to `attempt` named, carries the `poNumber` of another attempt, and not its own.
pub(super) fn is_anothers(listed: &Listed, attempt: &Attempt) -> bool {
    attempt.by_answer() && !listed.mentions_ours.is_empty() && !listed.stray && !listed.mentions_ours.contains(&attempt.po_number)
}

/// An order that only an answer named, and that shows another product, customer or serial number: a person says whose it is. Never ordered
/// again for that alone, because what a portal shows may change.
pub(super) fn looks_like_anothers(term: &DueTerm, attempt: &Attempt, listed: &Listed, learned: &Learned) -> Option<Plight> {
    if !attempt.by_answer() || term.state != TermState::Placed {
        return None;
    }
    if !evidence::shows_another(listed, &term.identity, learned) {
        return None;
    }
    let (order, name) = (&listed.key, term.typed());
    Some(Plight {
        reason: Reason::NotListed,
        detail: format!("the portal answered with order {order}, which it shows for another product, customer or serial number"),
        remedy: format!(
            "look at order {order} in the portal, then: renewd resolve {name} --order-no {order} (it is right) or --void (it is another's)"
        ),
        orders: vec![order.clone()],
    })
}

impl Engine {
    /// While another order is of unknown fate, the details of an order that only an answer named tell whose it is.
    pub(super) async fn details_in_doubt(&mut self, attempt: &Attempt, listed: Listed) -> Result<Listed, TickError> {
        let told = listed.detailed || !attempt.by_answer() || !listed.mentions_ours.is_empty();
        if told || self.store.undecided().await?.is_empty() || !self.read_detail_of(&listed).await? {
            return Ok(listed);
        }
        Ok(self.store.listed_attempt(attempt.id, &self.po_prefix).await?.unwrap_or(listed))
    }

    /// The attempt that holds `listed` by an answer is of unknown fate again. False where it holds it for a better reason.
    pub(super) async fn reopen_holder(&mut self, listed: &Listed) -> Result<bool, TickError> {
        let Some(holder) = listed.attempt else { return Ok(true) };
        let Some(term) = self.store.term_of_attempt(holder).await? else { return Ok(false) };
        self.reopen(&term, holder, listed).await
    }

    /// `term` is of unknown fate again: the order that the answer named is another's.
    pub(super) async fn reopen(&mut self, term: &DueTerm, attempt: i64, listed: &Listed) -> Result<bool, TickError> {
        let now = self.clock.now();
        let po_number = term.attempt.as_ref().map(|attempt| attempt.po_number.clone()).unwrap_or_default();
        let plight = Plight {
            reason: Reason::FindingOut,
            detail: format!(
                "the portal answered it with order {}, which is another order of ours; nobody knows yet whether it was carried out",
                listed.key
            ),
            remedy: format!(
                "wait, it is being found out; or look for {po_number} in the portal, then: renewd resolve {} --order-no X",
                term.typed()
            ),
            orders: Vec::new(),
        };
        let mut write = Write::default();
        write.events.push(words::event(
            "attempt.opened_again",
            term,
            json!({"order": listed.key, "carries": listed.mentions_ours}),
        ));
        let step = Move { tries: 0, ..self.stay(term, TermState::Unknown, Some(now)) };
        words::trouble(term, TermState::Unknown, &plight, step, &mut write);
        Ok(self.store.reopen(now, attempt, write).await?)
    }
}
