//! Writing down what the portal answered.
//!
//! Owns the answers that are not in the database yet: they stay in memory while it cannot take them, nothing else is done before they
//! are written, and nothing is placed. Never sends anything.

use super::engine::{Engine, TickError, Ticked};
use crate::portal::client::Placement;
use crate::portal::outcome::{Outcome, Placed, Unknown};
use crate::store::ends::Ended;
use crate::store::nature::Nature;
use crate::store::terms::DueTerm;

/// An order that was sent, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) term: DueTerm,
    pub(super) attempt: i64,
    pub(super) po_number: String,
    pub(super) placement: Placement,
}

impl Engine {
    /// Answers are written before anything else is done; a database that failed a moment ago gets them at the next tick.
    pub(super) async fn record_what_is_left(&mut self, ticked: &mut Ticked) -> Result<(), TickError> {
        while let Some(answered) = self.answered.first() {
            let known = match &answered.placement.outcome {
                Outcome::Placed(placed) => self.knows(&placed.order_no.clone()).await?,
                _ => false,
            };
            let answered = self.answered.remove(0);
            let ended = self.ended(answered, known, ticked);
            self.unrecorded.push(ended);
        }
        if self.unrecorded.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        match self.store.record_ends(now, self.unrecorded.clone()).await {
            Ok(()) => self.unrecorded.clear(),
            Err(error) if error.nature() == Nature::OneRow => self.record_each().await?,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// One answer that cannot be written must not keep the others from being written. Its attempt stays open, so it becomes unknown and is
    /// found out; what it said stands in the journal.
    async fn record_each(&mut self) -> Result<(), TickError> {
        while let Some(ended) = self.unrecorded.first().cloned() {
            match self.store.record_ends(self.clock.now(), vec![ended.clone()]).await {
                Err(error) if error.nature() != Nature::OneRow => return Err(error.into()),
                Err(error) => tracing::error!("{error}; this answer is not recorded, and is found out: {}", spoken(&ended)),
                Ok(()) => {}
            }
            self.unrecorded.remove(0);
        }
        Ok(())
    }

    async fn knows(&mut self, order_no: &str) -> Result<bool, TickError> {
        let in_this_batch =
            self.unrecorded.iter().any(|end| matches!(&end.outcome, Outcome::Placed(p) if p.order_no == order_no));
        Ok(in_this_batch || self.store.knows_order(order_no).await?)
    }

    /// An answer that names an order we already know is no proof of a new one.
    fn ended(&self, answered: Answered, known: bool, ticked: &mut Ticked) -> Ended {
        let outcome = match answered.placement.outcome {
            Outcome::Placed(placed) if known => Outcome::Unknown(Box::new(another_order(*placed))),
            outcome => outcome,
        };
        let write = self.after_answer(&answered.term, &answered.po_number, &outcome, ticked);
        Ended { attempt: answered.attempt, outcome, portal_date: answered.placement.date, write }
    }

    /// The last act: what could not be written yet is tried once more, and is in the journal if that fails too.
    pub(super) async fn leave(&mut self) {
        if self.answered.is_empty() && self.unrecorded.is_empty() {
            return;
        }
        let Err(error) = self.record_what_is_left(&mut Ticked::default()).await else { return };
        for answer in self.not_recorded() {
            tracing::error!("left with an answer that is not recorded, and is found out at the next start: {answer} ({error})");
        }
    }

    /// What the portal said and the database does not hold yet, for the journal and for people.
    pub fn not_recorded(&self) -> Vec<String> {
        let raw = self.answered.iter().map(|answered| {
            let what = spoken_outcome(&answered.placement.outcome);
            format!("{} ({}): {what}", answered.term.name, answered.po_number)
        });
        raw.chain(self.unrecorded.iter().map(spoken)).collect()
    }
}

fn spoken(ended: &Ended) -> String {
    let what = spoken_outcome(&ended.outcome);
    let of = ended.write.events.first();
    let name = of.and_then(|event| event.renewal.as_deref()).unwrap_or("one renewal");
    let po_number = of.and_then(|event| event.po_number.as_deref()).unwrap_or("no poNumber");
    format!("{name} ({po_number}): {what}")
}

fn spoken_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Placed(placed) => {
            format!("placed, order {}, transaction {}", placed.order_no, placed.transaction_no.as_deref().unwrap_or("-"))
        }
        Outcome::NotPlaced(no) => format!("not placed, {}", no.message),
        Outcome::Unknown(unknown) => format!("unknown, {}", unknown.message),
    }
}

fn another_order(placed: Placed) -> Unknown {
    Unknown {
        message: format!("the answer names order {}, which is another order of ours", placed.order_no),
        code: None,
        http_status: Some(200),
        request_id: placed.request_id,
        retry_after: None,
        raw: Some(placed.raw),
    }
}
