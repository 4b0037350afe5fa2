//! Orders of ours that count for nothing: dead, or set aside by a person. They can come back to life.
//!
//! Owns looking at them again: as long as their term is held, and before anything else is ordered for it. An order that failed and is paid
//! after all renews the term, and the next one would renew it twice. Never frees a term: only a person does.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::engine::{Engine, TickError, after};
use super::sound::Since;
use super::words;
use crate::portal::read_error::ReadError;
use crate::renewal::evidence;
use crate::renewal::facts;
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::outbox::Message;
use crate::store::own::SetAsideOrder;
use crate::store::terms::DueTerm;

/// How often a dead order is looked at while its term is held for it.
const LOOKS: SignedDuration = SignedDuration::from_hours(12);

/// Whether a person has yet to say what becomes of the dead order of `term`.
pub(super) fn is_held_dead(term: &DueTerm) -> bool {
    term.state == TermState::Held && matches!(term.reason, Some(Reason::DeadOrder | Reason::RefundedLater))
}

/// Twice a day until a month after the deadline, then weekly.
pub(super) fn look_at_dead(now: Timestamp, deadline: Timestamp) -> Timestamp {
    let long_ago = now.duration_since(deadline) > SignedDuration::from_hours(24 * 30);
    after(now, if long_ago { SignedDuration::from_hours(24 * 7) } else { LOOKS })
}

impl Engine {
    /// A dead order is looked at again; one that lives is followed like any other.
    pub(super) async fn follow_dead(&mut self, term: &DueTerm, status: Option<&str>) -> Result<(), TickError> {
        let now = self.clock.now();
        let order = term.attempt.as_ref().and_then(|attempt| attempt.order_no.clone()).unwrap_or_default();
        if evidence::is_dead(status) {
            let next = look_at_dead(now, term.moments.deadline_at);
            let step = Move {
                reason: term.reason,
                detail: term.detail.clone(),
                remedy: term.remedy.clone(),
                candidates: term.candidates.clone(),
                ..self.stay(term, TermState::Held, Some(next))
            };
            return Ok(self.store.write(now, Write { moves: vec![step], ..Write::default() }).await?);
        }
        let status = status.unwrap_or("there");
        let write = Write {
            moves: vec![Move { reason: None, tries: 0, ..self.stay(term, TermState::Placed, Some(now)) }],
            events: vec![words::event("order.lives_again", term, json!({"order": order, "status": status}))],
            messages: vec![Message {
                cause: format!("term:{}:lives:{order}", term.id),
                renewal: Some(term.name.clone()),
                what: format!(
                    "{}: order {order} is {status} again; it is followed, and nothing else is ordered for it",
                    term.name
                ),
                by: None,
                command: Some(format!("nothing is to be done; see: renewd history {}", term.typed())),
            }],
        };
        tracing::info!(renewal = term.name, order, status, "a dead order lives again");
        Ok(self.store.write(now, write).await?)
    }

    /// R11, our own orders included: of the orders that a person set aside, and of those whose terms were skipped, the ones that live, by
    /// term, made `since` others count for it. Each is looked at afresh: the list is not read as far back.
    pub(super) async fn living_again(
        &mut self,
        due: &[DueTerm],
        since: &HashMap<i64, Since>,
    ) -> Result<Result<HashMap<i64, Vec<String>>, ReadError>, TickError> {
        let looks: Vec<String> = due.iter().map(|term| term.identity.looks_like()).collect();
        let mut living: HashMap<i64, Vec<String>> = HashMap::new();
        for order in self.store.set_aside_orders(&looks, &self.po_prefix).await? {
            let terms: Vec<&DueTerm> = due
                .iter()
                .filter(|term| term.identity.looks_like() == order.looks_like && order.created_at >= since[&term.id].at)
                .filter(|term| !term.dismissed.contains(&order.order_no))
                .collect();
            if terms.is_empty() {
                continue;
            }
            match self.is_alive(&order).await? {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => return Ok(Err(error)),
            }
            for term in terms {
                living.entry(term.id).or_default().push(order.order_no.clone());
            }
        }
        Ok(Ok(living))
    }

    /// Whether the portal has the order now, and it is not dead, by its details or by its row: one that the list shows as payable can be paid.
    async fn is_alive(&mut self, order: &SetAsideOrder) -> Result<Result<bool, ReadError>, TickError> {
        let detail = match self.portal.order_of(order.order_id.as_deref(), Some(&order.order_no)).await {
            Ok(detail) => detail.value,
            Err(ReadError::NotFound { .. }) => return Ok(Ok(false)),
            Err(error) => return Ok(Err(error)),
        };
        let status = facts::status(&detail.value).or_else(|| order.listed.as_ref().and_then(|listed| listed.status.clone()));
        let Some(listed) = &order.listed else { return Ok(Ok(!evidence::is_dead(status.as_deref()))) };
        if let Some(status) = &status {
            self.store.take_status(listed.mark, status).await?;
        }
        let by_row = self.store.row_status(listed.mark).await?.or(status.clone());
        Ok(Ok(!(evidence::is_dead(status.as_deref()) && evidence::is_dead(by_row.as_deref()))))
    }
}

#[cfg(test)]
mod tests;
