//! Whether an order that a person names can be the one that pays a term (R26).
//!
//! Owns what speaks against it: another customer, an older order, another length, another purchase. Changes nothing; what follows is `verdict.rs`.

use jiff::Timestamp;

use super::commands::{Desk, Refused};
use super::counted;
use super::engine::after;
use super::sound::Since;
use super::words;
use crate::renewal::evidence;
use crate::renewal::learned::{Field, Learned};
use crate::renewal::state::TermState;
use crate::store::terms::DueTerm;
use crate::store::{Store, StoreError};

impl Desk<'_> {
    /// A number mistyped, or read off the wrong line: the term would count as renewed, and nobody would be told that it is not.
    pub(super) async fn pays(&mut self, term: &DueTerm, order: &evidence::Listed, number: &str) -> Result<(), Refused> {
        let learned = self.store.learned(&term.identity).await?;
        if !evidence::may_be_for(order, &term.identity, &learned) && !self.is_named_alone(term, order, &learned).await? {
            return Err(Refused::No(format!(
                "order {number} is for another product, customer or serial number; it does not pay {}",
                term.name
            )));
        }
        self.pays_further(term, order, number).await
    }

    /// Whether people were told that it may be this order, and no other of which they were told shows this customer: then the portal shows him otherwise.
    async fn is_named_alone(&mut self, term: &DueTerm, order: &evidence::Listed, learned: &Learned) -> Result<bool, StoreError> {
        if term.state != TermState::Unknown || !term.candidates.contains(&order.key) {
            return Ok(false);
        }
        for key in &term.candidates {
            let listed = self.store.listed_order(key, self.po_prefix).await?;
            if listed.is_some_and(|other| evidence::may_be_for(&other, &term.identity, learned)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was made before pays what is paid today, or what was before that.
    pub(super) async fn pays_further(&mut self, term: &DueTerm, order: &evidence::Listed, number: &str) -> Result<(), Refused> {
        let unpaid = self.store.unpaid(term.id).await?;
        let since = Since::of(term, &unpaid, &self.config.zone).at;
        if let (Some((began, until)), Some(at)) = (Since::pays_today(term, &unpaid, &self.config.zone), order.created_at)
            && since.max(after(began, -counted::BEFORE)) <= at
            && at < until
            && !self.was_paid_by_another(term, began, at).await?
        {
            return Err(Refused::No(format!(
                "order {number} of {at:.0} was made when the term that is paid today began, and most likely pays that one: look in the portal until when it is paid; if until {2}: renewd release {0} (orders the next); if further: renewd rebase {0} DATE ({1})",
                term.typed(),
                words::DATE,
                unpaid.from
            )));
        }
        match order.created_at.filter(|at| *at < since) {
            // One that came to life since counts, and holds it: the message names this command.
            Some(_) if self.store.is_revived(order.mark, since).await? => Ok(()),
            Some(at) => Err(Refused::No(format!(
                "order {number} of {at:.0} is older than what pays {0} today; if it pays further: renewd rebase {0} DATE ({1})",
                term.typed(),
                words::DATE
            ))),
            None => Ok(()),
        }
    }

    /// What this portal calls our newest order of the kind of `term`; none if none was read.
    async fn operations_of_ours(&mut self, term: &DueTerm) -> Result<Option<Vec<String>>, Refused> {
        let Some(known) = self.store.newest_of_kind(&term.identity, None).await? else { return Ok(None) };
        let listed = self.store.listed_attempt(known.attempt, self.po_prefix).await?;
        Ok(listed.map(|listed| listed.facts.operations).filter(|operations| !operations.is_empty()))
    }

    /// Whether another order pays what is paid since `began` (see [`pays_before`]).
    pub(super) async fn was_paid_by_another(
        &mut self,
        term: &DueTerm,
        began: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        pays_before(self.store, term, began, at, (self.now, self.po_prefix)).await
    }

    /// It renews the same service for the same time, and no fewer of them.
    pub(super) async fn renews_exactly(&mut self, term: &DueTerm, order: &evidence::Listed, number: &str) -> Result<(), Refused> {
        let learned = self.store.learned(&term.identity).await?;
        let ours = self.operations_of_ours(term).await?;
        refuse_another_length(term, order, number)?;
        refuse_another_purchase(term, order, &learned, ours.as_deref(), number)
    }
}

/// Whether the list shows which order pays what is paid since `began`, made before that of `at`. `seen`: what is new since then counts as well; and the
/// prefix of our numbers.
pub(super) async fn pays_before(
    store: &mut Store,
    term: &DueTerm,
    began: Timestamp,
    at: Timestamp,
    (seen, ours): (Timestamp, &str),
) -> Result<bool, StoreError> {
    let before = store.foreign_since(after(began, -counted::BEFORE), seen, ours).await?;
    Ok(before.iter().any(|order| {
        let made_before = order.created_at.is_some_and(|made| made < at);
        made_before && evidence::is_paid(order.status.as_deref()) && counted::names(order, term)
    }))
}

/// An order of three years pays more than the term of one, and one of a month less: the next would be bought on top, or eleven months lapse untold.
fn refuse_another_length(term: &DueTerm, order: &evidence::Listed, number: &str) -> Result<(), Refused> {
    let ours = u64::from(term.standing.cycle_months);
    let Some(theirs) = order.facts.months.iter().find(|months| **months != ours) else { return Ok(()) };
    Err(Refused::No(format!(
        "order {number} is for {theirs} months, and {0} is renewed for {ours}: look in the portal until when it is paid by that, then: renewd rebase {0} DATE ({1})",
        term.typed(),
        words::DATE
    )))
}

/// A trial, a first purchase, another service or fewer of them: what is renewed would lapse, or the rest of it, untold. `ours`: what this portal calls
/// our own, which may be a word that is none for a renewal elsewhere.
fn refuse_another_purchase(
    term: &DueTerm,
    order: &evidence::Listed,
    learned: &Learned,
    ours: Option<&[String]>,
    number: &str,
) -> Result<(), Refused> {
    let (facts, quantity) = (&order.facts, term.standing.quantity);
    let name = term.typed();
    let elsewhere = format!("if it is paid elsewhere: renewd rebase {name} DATE ({})", words::DATE);
    let item = term.identity.item_id.to_string();
    let another_item = learned.echoes(Field::Item) && !facts.items.is_empty() && !facts.items.contains(&item);
    let no_renewal = facts.operations.iter().find(|operation| !operation.starts_with("renew"));
    let why = if let Some(other) = no_renewal.filter(|other| ours.is_none_or(|ours| !ours.contains(other))) {
        format!("order {number} is a {other} and renews nothing")
    } else if another_item {
        format!("order {number} is for another service ({}) than {name}", facts.items.join(", "))
    } else if let Some(theirs) = facts.quantity_of(&item).filter(|theirs| learned.echoes(Field::Item) && *theirs < quantity) {
        format!(
            "order {number} is for {theirs}, and {name} is renewed for {quantity}: if {theirs} is what it needs, change its quantity in the file first"
        )
    } else {
        return Ok(());
    };
    // Not "release": a portal that shows orders otherwise by now shows so what was forgotten of ours too, and that would order a second one.
    Err(Refused::No(format!("{why}; {elsewhere}")))
}

#[cfg(test)]
mod tests;
