//! What waits for the first order of its kind, when that order needs a person (R22).
//!
//! Owns saying so: to the terms that wait, so that their warnings carry the command that helps, and once for all of them with their
//! deadlines. Never lets one go: `renewal/gate.rs` does, near a deadline.

use super::engine::{Engine, TickError};
use crate::renewal::gate::Kind;
use crate::renewal::state::Reason;
use crate::store::firsts::StuckFirst;
use crate::store::moves::Write;
use crate::store::outbox::Message;
use crate::store::terms::DueTerm;

/// How many are named; the rest is counted.
const MOST_NAMED: usize = 10;

impl Engine {
    /// Gives every move of `write` that waits for a stuck first order its reason and its command, and tells what is new.
    pub(super) async fn name_the_first(&mut self, waiting: &[(Kind, DueTerm)], write: &mut Write) -> Result<(), TickError> {
        if waiting.is_empty() {
            return Ok(());
        }
        for first in self.store.stuck_firsts().await? {
            let kind: Kind = (first.product_id.clone(), first.for_partner);
            let blocked: Vec<&DueTerm> = waiting.iter().filter(|(of, _)| *of == kind).map(|(_, term)| term).collect();
            for step in write.moves.iter_mut().filter(|step| step.reason == Some(Reason::Canary)) {
                if blocked.iter().any(|term| term.id == step.term) {
                    step.detail = Some(detail(&first));
                    step.remedy = Some(first.remedy.clone());
                }
            }
            if blocked.iter().any(|term| term.remedy.as_ref() != Some(&first.remedy)) {
                write.messages.push(message(&first, &blocked));
            }
        }
        Ok(())
    }
}

fn detail(first: &StuckFirst) -> String {
    format!("it waits for {}, the first order of its kind: {}", first.renewal, first.detail)
}

fn message(first: &StuckFirst, blocked: &[&DueTerm]) -> Message {
    let mut terms: Vec<&DueTerm> = blocked.to_vec();
    terms.sort_by_key(|term| term.moments.deadline_at);
    let named: Vec<String> =
        terms.iter().take(MOST_NAMED).map(|term| format!("{} (by {})", term.name, term.span.starts_on)).collect();
    let more = terms.len().saturating_sub(MOST_NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Message {
        cause: format!("first:{}:{}", first.product_id, first.for_partner),
        renewal: Some(first.renewal.clone()),
        what: format!(
            "{} is the first order of its kind, and these wait for it: {}{more}. {}",
            first.renewal,
            named.join(", "),
            first.detail
        ),
        by: terms.first().map(|term| term.moments.deadline_at),
        command: Some(first.remedy.clone()),
    }
}
