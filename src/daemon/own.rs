//! Orders of ours that count for nothing: dead, or set aside by a person. They can come back to life.
//!
//! Owns looking at them again: as long as their term is held, and before anything else is ordered for it. An order that failed and is paid
//! after all renews the term, and the next one would renew it twice. Never frees a term: only a person does.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::json;

use super::details::how_it_stands;
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

/// An order of ours that counts for nothing, and lives.
pub(super) struct Alive {
    pub(super) order_no: String,
    pub(super) made: Timestamp,
    /// It was sent for an earlier term, and pays that.
    pub(super) pays_before: bool,
}

/// Whether what was sent for a term from `sent_for` on was not for `term`, nor for what that was before its date was put right.
pub(super) fn was_long_before(sent_for: Date, term: &DueTerm) -> bool {
    term.span.starts_on >= sent_for.saturating_add(Span::new().days(15 * i64::from(term.standing.cycle_months)))
}

/// What is said of an order that was paid.
pub(super) fn not_paid_any_more(order: &str, status: &str) -> String {
    format!("order {order} succeeded and is now {status}")
}

/// Twice a day until a month after the deadline, and oftener just before it; then weekly.
pub(super) fn look_at_dead(now: Timestamp, deadline: Timestamp) -> Timestamp {
    let left = deadline.duration_since(now);
    if left < -SignedDuration::from_hours(24 * 30) {
        return after(now, SignedDuration::from_hours(24 * 7));
    }
    let quarter = SignedDuration::from_secs(left.as_secs() / 4);
    after(now, if left.is_positive() { quarter.clamp(SignedDuration::from_hours(1), LOOKS) } else { LOOKS })
}

impl Engine {
    /// A dead order is looked at again; one that lives is followed like any other. One that had succeeded is not over before it is paid again.
    pub(super) async fn follow_dead(&mut self, term: &DueTerm, status: Option<&str>) -> Result<(), TickError> {
        let now = self.clock.now();
        let order = term.attempt.as_ref().and_then(|attempt| attempt.order_no.clone()).unwrap_or_default();
        let refunded = term.reason == Some(Reason::RefundedLater);
        let paid = term.attempt.as_ref().is_some_and(|attempt| attempt.is_paid(status));
        if evidence::is_dead(status) || refunded && !paid {
            let next = look_at_dead(now, term.moments.deadline_at);
            let step = Move {
                reason: term.reason,
                detail: status
                    .filter(|_| refunded)
                    .map(|status| not_paid_any_more(&order, status))
                    .or_else(|| term.detail.clone()),
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
            ..Write::default()
        };
        tracing::info!(renewal = term.name, order, status, "a dead order lives again");
        Ok(self.store.write(now, write).await?)
    }

    /// R11, our own orders included: of the orders that a person set aside, and of those whose terms were skipped, the ones that live, by
    /// term, made or alive again `since` others count for it. Each is looked at afresh, in the list too: it is not read as far back else.
    pub(super) async fn living_again(
        &mut self,
        due: &[DueTerm],
        since: &HashMap<i64, Since>,
    ) -> Result<Result<HashMap<i64, Vec<Alive>>, String>, TickError> {
        let looks: Vec<String> = due.iter().map(|term| term.identity.looks_like()).collect();
        let mut may_hold = Vec::new();
        for order in self.store.set_aside_orders(&looks, &self.po_prefix).await? {
            let terms: Vec<&DueTerm> = due
                .iter()
                .filter(|term| term.identity.looks_like() == order.looks_like && order.created_at >= since[&term.id].unpaid_at)
                .filter(|term| !term.dismissed.contains(&order.order_no))
                .collect();
            if let Some(deadline) = terms.iter().map(|term| term.moments.deadline_at).min() {
                may_hold.push((order, terms, deadline));
            }
        }
        if let Err(error) = self.read_their_rows(may_hold.iter().map(|(order, ..)| order)).await? {
            return Ok(Err(format!("the list cannot be read: {error}")));
        }
        let mut living: HashMap<i64, Vec<Alive>> = HashMap::new();
        for (order, terms, deadline) in may_hold {
            match self.is_alive(&order, deadline).await? {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => return Ok(Err(how_it_stands(&order.order_no, &error))),
            }
            for term in terms {
                if self.counts(&order, since[&term.id].ours_at).await? {
                    let pays_before = order.recorded || was_long_before(order.sent_for, term);
                    living.entry(term.id).or_default().push(Alive {
                        order_no: order.order_no.clone(),
                        made: order.created_at,
                        pays_before,
                    });
                }
            }
        }
        Ok(Ok(living))
    }

    /// One from before that lived all the time was seen when the term before was ordered.
    async fn counts(&mut self, order: &SetAsideOrder, since: Timestamp) -> Result<bool, TickError> {
        Ok(match &order.listed {
            _ if order.created_at >= since => true,
            Some(listed) => self.store.is_revived(listed.mark, since).await?,
            None => false,
        })
    }

    async fn read_their_rows<'a>(
        &mut self,
        orders: impl Iterator<Item = &'a SetAsideOrder>,
    ) -> Result<Result<(), ReadError>, TickError> {
        let listed = orders.filter(|order| order.listed.is_some()).map(|order| order.created_at);
        let Some(oldest) = listed.min() else { return Ok(Ok(())) };
        // By the portal's clock it may be older by an hour.
        self.read_rows_unless_read(Some(after(oldest, SignedDuration::from_hours(-2)))).await
    }

    /// Whether the portal has the order now, and it is not dead, by its details or by its row: one that the list shows as payable can be paid. Where the
    /// details do not say, its row does.
    async fn is_alive(&mut self, order: &SetAsideOrder, deadline: Timestamp) -> Result<Result<bool, ReadError>, TickError> {
        let read = self.portal.order_of(order.order_id.as_deref(), Some(&order.order_no)).await;
        let Some(listed) = &order.listed else {
            return Ok(match read {
                Ok(detail) => Ok(!evidence::is_dead(facts::status(&detail.value.value).as_deref())),
                Err(ReadError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            });
        };
        let by_row = self.store.row_status(listed.mark).await?;
        let status = match read {
            Ok(detail) => facts::status(&detail.value.value),
            Err(ReadError::NotFound { .. }) => None,
            Err(error) if self.is_out_of_patience(listed.mark, &error, deadline).await? => None,
            Err(error) => return Ok(Err(error)),
        };
        // A row that was removed from the list stays as it was; one that says paid is believed all the same, unless a
        // person has heard that it was removed.
        if status.is_none() && !self.was_just_shown(&listed.key) {
            let was_removed = listed.status.as_deref() == Some(evidence::REMOVED);
            return Ok(Ok(evidence::is_paid(by_row.as_deref()) && !was_removed));
        }
        let Some(status) = status.or_else(|| by_row.clone()) else { return Ok(Ok(true)) };
        self.store.take_status(self.clock.now(), listed.mark, &status).await?;
        // What a word means that is not known, a person has said by setting the order aside; unless it was dead in between.
        if let Some(aside_at) = order.aside_at.filter(|_| evidence::is_other_word(Some(&status)))
            && order.status.as_ref() == Some(&status)
            && !self.store.is_revived(listed.mark, aside_at).await?
        {
            return Ok(Ok(false));
        }
        Ok(Ok(!(evidence::is_dead(Some(&status)) && evidence::is_dead(by_row.as_deref()))))
    }
}

#[cfg(test)]
mod tests;
