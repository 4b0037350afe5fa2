//! What an answer to an order means for its term: placed, certainly not placed, or of unknown fate.
//!
//! Owns the move, the row of the audit log and the words for each. What an answer proves is in `portal/wire/proof.rs`. Never sends anything.

use jiff::SignedDuration;
use serde_json::json;

use super::engine::{Engine, OrderPlaced, Ticked, after};
use super::words::{self, Plight};
use crate::portal::outcome::{NotPlaced, Outcome, Placed, Unknown, Why};
use crate::renewal::retry;
use crate::renewal::state::{Reason, TermState};
use crate::rules::{Rule, kept};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

impl Engine {
    pub(super) fn after_answer(&self, term: &DueTerm, po_number: &str, outcome: &Outcome, ticked: &mut Ticked) -> Write {
        // The intent's commit moved the term: what follows starts from `ordering`.
        let term = &DueTerm { state: TermState::Ordering, reason: None, detail: None, remedy: None, ..term.clone() };
        match outcome {
            Outcome::Placed(placed) => self.after_placed(term, po_number, placed, ticked),
            Outcome::NotPlaced(no) => self.after_not_placed(term, po_number, no),
            Outcome::Unknown(unknown) => self.after_unknown(term, po_number, unknown),
        }
    }

    fn after_placed(&self, term: &DueTerm, po_number: &str, placed: &Placed, ticked: &mut Ticked) -> Write {
        tracing::info!(
            renewal = term.name,
            po_number,
            order_no = placed.order_no,
            transaction_no = placed.transaction_no,
            order_status = placed.order_status,
            "order placed"
        );
        ticked.placed.push(OrderPlaced {
            renewal: term.name.clone(),
            quantity: term.standing.quantity,
            starts_on: term.span.starts_on,
            ends_on: term.span.ends_on,
            po_number: po_number.to_owned(),
            order_no: placed.order_no.clone(),
            transaction_no: placed.transaction_no.clone(),
            order_status: placed.order_status.clone(),
        });
        let mut event = words::event(
            "attempt.placed",
            term,
            json!({"order_status": placed.order_status, "order_id": placed.order_id, "instance_id": placed.instance_id, "request_id": placed.request_id}),
        );
        event.po_number = Some(po_number.to_owned());
        event.order_no = Some(placed.order_no.clone());
        event.transaction_no.clone_from(&placed.transaction_no);
        let soon = after(self.clock.now(), self.soon());
        let step = Move { act_at: Some(soon), tries: 0, ..self.stay_clear(term, TermState::Placed) };
        Write { moves: vec![step], events: vec![event], ..Write::default() }
    }

    fn after_not_placed(&self, term: &DueTerm, po_number: &str, no: &NotPlaced) -> Write {
        let tries = term.tries.saturating_add(1);
        let next = retry::try_again(self.clock.now(), no.why, tries, no.retry_after, term.moments.deadline_at);
        let mut write = Write::default();
        let mut event = words::event(
            "attempt.not_placed",
            term,
            json!({"why": format!("{:?}", no.why), "message": no.message, "code": no.code, "request_id": no.request_id}),
        );
        event.po_number = Some(po_number.to_owned());
        write.events.push(event);
        tracing::warn!(renewal = term.name, po_number, code = no.code, next = %next, "not placed: {}", no.message);
        let step = Move { tries, ..self.stay(term, TermState::Scheduled, Some(next)) };
        if no.why == Why::Refused {
            let remedy = format!("renewd check --online; correct the entry; then: renewd order {}", term.typed());
            let plight = Plight {
                reason: Reason::Refused,
                detail: format!("the portal refused the order: {}", no.message),
                remedy,
                orders: Vec::new(),
            };
            words::trouble(term, TermState::Scheduled, &plight, step, &mut write);
        } else {
            write.moves.push(Move { reason: Some(Reason::NotSent), detail: Some(no.message.clone()), ..step });
        }
        write
    }

    /// Never sent again: found out, from one minute on.
    fn after_unknown(&self, term: &DueTerm, po_number: &str, unknown: &Unknown) -> Write {
        let mut write = Write::default();
        let second = term.unknowns > 0 && kept(Rule::R21);
        let plight = Plight {
            reason: if second { Reason::SecondUnknown } else { Reason::FindingOut },
            detail: format!("nobody knows yet whether the portal carried out the order: {}", unknown.message),
            remedy: format!(
                "wait, it is being found out; or look for {po_number} in the portal, then: renewd resolve {} --order-no X",
                term.typed()
            ),
            orders: Vec::new(),
        };
        let soon = after(self.clock.now(), self.soon());
        let step = Move { tries: 0, ..self.stay(term, TermState::Unknown, Some(soon)) };
        words::trouble(term, TermState::Unknown, &plight, step, &mut write);
        let mut event = words::event(
            "attempt.unknown",
            term,
            json!({"message": unknown.message, "code": unknown.code, "http_status": unknown.http_status, "request_id": unknown.request_id}),
        );
        event.po_number = Some(po_number.to_owned());
        write.events.push(event);
        write
    }

    /// When a sent order is first looked for: after a minute, or after a shorter `settle` (a portal on loopback).
    fn soon(&self) -> SignedDuration {
        let minute = SignedDuration::from_mins(1);
        self.config.portal.settle.and_then(|span| SignedDuration::try_from(span).ok()).map_or(minute, |settle| settle.min(minute))
    }
}
