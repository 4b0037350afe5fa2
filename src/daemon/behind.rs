//! What waits for another renewal's order, of which nobody knows yet whether it was carried out (R10, R21).
//!
//! Owns naming that order: it may be left to a person for weeks, and whoever waits for it is missed meanwhile. Never lets one go.

use super::engine::{Engine, TickError};
use super::words;
use crate::renewal::state::Reason;
use crate::store::moves::Write;
use crate::store::terms::DueTerm;

impl Engine {
    /// Gives every move of `write` that waits for an undecided order that order's name, and the command where it is left to a person.
    pub(super) async fn name_what_is_in_the_way(&mut self, waiting: &[DueTerm], write: &mut Write) -> Result<(), TickError> {
        for term in waiting {
            let Some(other) = self.store.in_the_way(&term.identity.looks_like()).await? else { continue };
            let detail = format!(
                "it waits for {}, whose order is not decided yet: nobody knows whether it was carried out",
                other.renewal
            );
            let new = other.remedy.is_some() && term.remedy != other.remedy;
            if let (true, Some(command)) = (new, &other.remedy) {
                write.messages.push(words::message(term, Reason::LookAlike.word(), &detail, command));
            }
            for step in write.moves.iter_mut().filter(|step| step.term == term.id) {
                step.detail = Some(detail.clone());
                step.remedy.clone_from(&other.remedy);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
