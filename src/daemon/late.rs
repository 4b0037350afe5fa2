//! Orders that turn up after they were said not to exist (R21).
//!
//! Owns the alarm: an assumption about the portal does not hold (A1 to A3 of docs/promise.md), so nothing more is ordered until a person
//! has looked. Never decides which of two orders counts.

use jiff::Timestamp;
use serde_json::json;

use super::engine::{Engine, TickError};
use super::words;
use crate::renewal::state::TermState;
use crate::renewal::typed::typed;
use crate::rules::{Rule, kept};
use crate::store::audit::Happened;
use crate::store::found::{FoundOrder, LateOrder};
use crate::store::listed::po_numbers;
use crate::store::moves::{Move, Write};
use crate::store::outbox::Message;

impl Engine {
    /// Looks for attempts that were set aside in what the portal just showed for the first time.
    pub(super) async fn notice_late(&mut self, now: Timestamp, shown: &[&str]) -> Result<(), TickError> {
        self.notice_numbers(now, shown).await?;
        let named: Vec<String> = shown.iter().flat_map(|text| po_numbers(text, &self.po_prefix)).collect();
        if named.is_empty() || !kept(Rule::R21) {
            return Ok(());
        }
        for late in self.store.late_orders(&named).await? {
            self.take_late(now, late).await?;
        }
        Ok(())
    }

    /// The order is recorded. If nothing else was ordered for the term, it is the term's order; if something was, a person sorts it out.
    async fn take_late(&mut self, now: Timestamp, late: LateOrder) -> Result<(), TickError> {
        let order = late.order_no.clone().unwrap_or_else(|| late.key.clone());
        let what = format!(
            "{}: order {order} ({}) turned up in the portal after it was held not to exist; it may be paid twice, and nothing more is ordered",
            late.renewal, late.po_number
        );
        tracing::error!("{what}");
        let mut write = Write {
            events: vec![Happened {
                kind: "attempt.turned_up",
                subscription: Some(late.subscription),
                renewal: Some(late.renewal.clone()),
                po_number: Some(late.po_number.clone()),
                order_no: Some(order.clone()),
                detail: json!({"status": late.status}),
                ..Happened::default()
            }],
            messages: vec![Message {
                cause: format!("late:{}", late.po_number),
                renewal: Some(late.renewal.clone()),
                what: what.clone(),
                by: None,
                command: Some(format!("renewd history {}; settle it in the portal; then: renewd resume", typed(&late.renewal))),
            }],
            ..Write::default()
        };
        let term =
            self.store.current_term(late.subscription).await?.filter(|term| term.id == late.term && term.attempt.is_none());
        if let Some(term) = &term {
            write.events.push(words::event("attempt.found", term, json!({"matched_by": "po_number", "order": late.key})));
            write.moves.push(Move { act_at: Some(now), tries: 0, ..self.stay_clear(term, TermState::Placed) });
        }
        let found = FoundOrder {
            key: late.key,
            order_no: late.order_no.or_else(|| late.order_id.clone()),
            order_id: late.order_id,
            status: late.status,
            transaction_no: None,
            matched_by: "po_number",
        };
        self.store.take_late(now, late.attempt, &found, term.is_some(), &what, write).await?;
        Ok(())
    }
}
