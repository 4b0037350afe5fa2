//! `resolve`: a person says what became of an order of which the daemon cannot know (R25).
//!
//! Owns what is asked before that counts: whether the order can be the one that is meant, and whether another may still show up. Never frees a term
//! for another order without an approval.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::commands::{Desk, Done, Refused, spoken};
use super::counted;
use super::sound::{Since, named};
use super::words;
use crate::renewal::evidence;
use crate::renewal::state::{Reason, TermState};
use crate::rules::{Rule, kept};
use crate::store::StoreError;
use crate::store::attempts::Attempt;
use crate::store::commands::Adoption;
use crate::store::found::{FoundOrder, SetAside};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

impl Desk<'_> {
    /// A person names the order that pays the term: the one of an unknown attempt, or one that was placed elsewhere (R26).
    pub(super) async fn resolve_ordered(&mut self, id: i64, number: &str) -> Done {
        let term = self.term(id).await?;
        let Some(order) = self.store.listed_order(number, self.po_prefix).await? else {
            return Err(Refused::No(format!(
                "order {number} is not in the portal's list as last read; check the number, or let the daemon read the list first"
            )));
        };
        let order = self.as_listed(&term, order).await?;
        if evidence::is_dead(order.status.as_deref()) {
            return Err(Refused::No(format!("order {number} is {}; it pays nothing", order.status.unwrap_or_default())));
        }
        let set_aside = self.set_aside_by(&term, &order, number).await?;
        if let Some(other) = set_aside.filter(|other| *other != term.id) {
            self.was_sent_for(&term, other, number).await?;
            self.pays_further(&term, &order, number).await?;
        }
        if order.attempt.is_none() {
            self.pays(&term, &order, number).await?;
            if term.state != TermState::Unknown {
                self.renews_exactly(&term, &order, number).await?;
                self.refuse_while_undecided(&term, number).await?;
            }
        }
        let step = Move {
            act_at: Some(self.now),
            tries: 0,
            warn_at: super::warning::warning(&term, self.now),
            ..Move::of(&term, TermState::Placed)
        };
        let mut write = self.by_hand("term.resolved", &term, &json!({"order": order.key}), step);
        for event in &mut write.events {
            event.order_no = order.number();
        }
        let made = order.created_at.map(|at| format!(" of {at:.0}")).unwrap_or_default();
        let beside = self.beside(&term, &order).await?;
        if !self.record(&term, &order, set_aside, &beside, write).await? {
            return Err(Refused::No(format!("{} is {}; there is nothing to resolve", term.name, spoken(term.state))));
        }
        let named: Vec<String> =
            beside.iter().filter(|order| counted::names(order, &term)).map(|other| named(&other.key, &beside)).collect();
        let also = if named.is_empty() {
            String::new()
        } else {
            format!(
                "; the portal has order {} for the same as well: it may be paid twice, or the next term too, which is held for that",
                named.join(", ")
            )
        };
        Ok(format!(
            "{}: order {number}{made} pays the term from {} to {}; it is followed from now on{also}",
            term.name, term.span.starts_on, term.span.ends_on
        ))
    }

    /// R11: what others ordered for this term as well, and no person has looked at: whoever takes one of two has said nothing of the other.
    async fn beside(&mut self, term: &DueTerm, chosen: &evidence::Listed) -> Result<Vec<evidence::Listed>, Refused> {
        let unpaid = self.store.unpaid(term.id).await?;
        let since = Since::of(term, &unpaid, &self.config.zone).at;
        let learned = self.store.learned(&term.identity).await?;
        let mut others = self.store.foreign_since(since, self.now, self.po_prefix).await?;
        others.retain(|order| {
            let looked_at = term.dismissed.contains(&order.key);
            !looked_at
                && !evidence::is_dead(order.status.as_deref())
                && evidence::may_have_renewed(order, &term.identity, &learned)
        });
        others.retain(|order| order.key != chosen.key);
        let pays = counted::paid_until(self.store, term, &others.iter().collect::<Vec<_>>()).await?;
        others.retain(|order| Some(&order.key) != pays.as_ref());
        Ok(others)
    }

    /// An order that was sent for a term of long before pays that one, wherever another chain was begun since.
    async fn was_sent_for(&mut self, term: &DueTerm, other: i64, number: &str) -> Result<(), Refused> {
        let Some(sent_for) = self.store.term(other).await?.map(|other| other.span.starts_on) else { return Ok(()) };
        if !super::own::was_long_before(sent_for, term) {
            return Ok(());
        }
        Err(Refused::No(format!(
            "order {number} was sent for the term from {sent_for}, and most likely pays that one, and not the one from {}: look in the portal until when it is paid, then: renewd rebase {} DATE ({})",
            term.span.starts_on,
            term.typed(),
            words::DATE
        )))
    }

    /// The term whose attempt the order is, where that counts for nothing any more; refused where it pays another.
    async fn set_aside_by(&mut self, term: &DueTerm, order: &evidence::Listed, number: &str) -> Result<Option<i64>, Refused> {
        let own = term.attempt.as_ref().map(|attempt| attempt.id);
        let Some(attempt) = order.attempt.filter(|attempt| own != Some(*attempt)) else { return Ok(None) };
        match self.store.set_aside_for(attempt, term.subscription).await? {
            Some(other) => Ok(Some(other)),
            None => Err(self.pays_another(number, attempt).await?),
        }
    }

    /// Writes down that `order` pays `term`; false where it has one that counts, or is skipped.
    async fn record(
        &mut self,
        term: &DueTerm,
        order: &evidence::Listed,
        set_aside: Option<i64>,
        beside: &[evidence::Listed],
        write: Write,
    ) -> Result<bool, Refused> {
        let others_since = beside.iter().filter_map(|other| other.created_at).min();
        let by_person = |instead_of| Adoption { how: "person", instead_of, others_since };
        match &term.attempt {
            _ if set_aside.is_some() && term.state.may_exist() => return Ok(false),
            None if set_aside == Some(term.id) => self.store.take_back(self.now, order, write).await?,
            None if set_aside.is_some() => self.store.adopt(self.now, term, order, by_person(order.attempt), write).await?,
            Some(attempt) if !attempt.placed => {
                let found = FoundOrder {
                    key: order.key.clone(),
                    order_no: order.number(),
                    order_id: order.portal_id.clone(),
                    status: order.status.clone(),
                    transaction_no: order.facts.transaction.clone(),
                    matched_by: "person",
                };
                self.store.found(self.now, attempt.id, &found, write).await?;
            }
            Some(attempt) if order.attempt == Some(attempt.id) => self.store.vouch(self.now, attempt.id, write).await?,
            Some(attempt)
                if term.state == TermState::Held
                    || term.reason == Some(Reason::NotListed)
                    || term.state == TermState::Placed && is_renumbered(attempt, order) =>
            {
                self.store.adopt(self.now, term, order, by_person(Some(attempt.id)), write).await?;
            }
            None if term.state != TermState::Skipped => self.store.adopt(self.now, term, order, by_person(None), write).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn pays_another(&mut self, number: &str, attempt: i64) -> Result<Refused, Refused> {
        let other = self.store.term_of_attempt(attempt).await?;
        let name = other.as_ref().map(|term| term.typed().into_owned()).unwrap_or_default();
        Ok(Refused::No(format!(
            "order {number} is recorded for {name}; if that is wrong, settle {name} first: renewd history {name}"
        )))
    }

    /// R25: not before `settle`, and it leads to approval, never straight to another order.
    pub(super) async fn resolve_not_ordered(&mut self, id: i64) -> Done {
        let term = self.term(id).await?;
        let (TermState::Unknown, Some(attempt)) = (term.state, term.attempt.clone()) else {
            return Err(Refused::No(format!(
                "{} is {}; --not-ordered is for orders of unknown fate",
                term.name,
                spoken(term.state)
            )));
        };
        let shows_up_by = self.may_show_up_no_more(&term, &attempt)?;
        self.refuse_unless_list_was_read_since(shows_up_by).await?;
        self.refuse_while_list_lacks_ours("this order").await?;
        self.refuse_if_ours_is_shown(&term, &attempt).await?;
        let why = "a person said that it was not ordered";
        let detail = json!({"why": why, "dead": self.dead_candidates(&term, &attempt).await?});
        let write = self.awaits_approval("attempt.not_placed", &term, why, &detail);
        self.store.set_aside(self.now, attempt.id, SetAside::NotPlaced, write).await?;
        self.store.forget_approval(term.id).await?;
        Ok(format!(
            "{0}: the attempt {1} is set aside; another order needs `renewd approve {0}`",
            term.typed(),
            attempt.po_number
        ))
    }

    /// An order since the fence that carries the number of this attempt, or one of this installation which is no other attempt's, is most likely this
    /// very one.
    async fn refuse_if_ours_is_shown(&mut self, term: &DueTerm, attempt: &Attempt) -> Result<(), Refused> {
        let since = self.store.listed_since(attempt.fence_mark, self.po_prefix).await?;
        let carries = |order: &evidence::Listed| order.stray || order.mentions_ours.contains(&attempt.po_number);
        let ours =
            |order: &&evidence::Listed| carries(order) && order.attempt.is_none() && !evidence::is_dead(order.status.as_deref());
        let Some(order) = since.iter().find(ours) else { return Ok(()) };
        Err(Refused::No(format!(
            "order {0} carries {1}, which is of this installation: it may be the one that was sent as {2}; look at it in the portal, then: renewd resolve {3} --order-no {0}; or cancel it there",
            order.key,
            order.mentions_ours.join(", "),
            attempt.po_number,
            term.typed()
        )))
    }

    /// R19: a list that hides our newest order may hide `what` as well.
    pub(super) async fn refuse_while_list_lacks_ours(&mut self, what: &str) -> Result<(), Refused> {
        let lacks = self.store.account().await?.lacks;
        let Some((order, from)) = lacks.map(|(order, since)| (order, super::lacking::accepted_from(since))) else {
            return Ok(());
        };
        if self.now >= from {
            return Ok(());
        }
        Err(Refused::No(format!(
            "not yet: {}, and so may {what}; look whether these are the right credentials (renewd check --online); if {order} was removed from the portal, ask again after {from:.0}",
            super::lacking::sentence(&order)
        )))
    }

    /// R25: one settle to be carried out (A2), and one more to be listed (A1), which is where a person looks.
    fn may_show_up_no_more(&self, term: &DueTerm, attempt: &Attempt) -> Result<Timestamp, Refused> {
        let ended = attempt.ended_at.unwrap_or(attempt.created_at);
        let settle = super::resolve::settle_of(self.config, term, ended).saturating_mul(2);
        let earliest = super::engine::after(ended, settle);
        if self.now >= earliest || !kept(Rule::R25) {
            return Ok(earliest);
        }
        Err(Refused::No(format!("an order of {} may still show up until {earliest:.0}; ask again then", term.name)))
    }

    /// A list of before may lack what it would show now.
    async fn refuse_unless_list_was_read_since(&mut self, moment: Timestamp) -> Result<(), Refused> {
        let account = self.store.account().await?;
        if account.synced_at.is_some_and(|at| at >= moment) || !kept(Rule::R25) {
            return Ok(());
        }
        let why = account.portal_trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
        Err(Refused::No(format!(
            "not yet: the portal's list was not read since {moment:.0}, by when the order would show in it (the daemon reads it, or `renewd run --once`); ask again then{why}"
        )))
    }

    /// R23: only a person frees a term from an order that is dead.
    pub(super) async fn resolve_void(&mut self, id: i64) -> Done {
        let term = self.term(id).await?;
        let other_word = term.attempt.as_ref().is_some_and(|attempt| evidence::is_other_word(attempt.order_status.as_deref()));
        if term.reason == Some(Reason::PendingLong) && !other_word {
            self.refuse_while_payable(&term).await?;
        }
        let dead =
            matches!(term.reason, Some(Reason::DeadOrder | Reason::RefundedLater | Reason::NotListed | Reason::PendingLong));
        let Some(attempt) = term.attempt.clone().filter(|attempt| attempt.placed && dead) else {
            return Err(Refused::No(format!(
                "{} is {}; --void is for orders that are cancelled, failed, refunded or gone",
                term.name,
                spoken(term.state)
            )));
        };
        self.refuse_if_alive(&term).await?;
        // The answer named an order that is another's, or that nobody sees: the one that was sent may still come.
        if term.reason == Some(Reason::NotListed) {
            self.may_show_up_no_more(&term, &attempt)?;
        }
        let why = "its order is dead and was set aside by a person";
        let write = self.awaits_approval("attempt.voided", &term, why, &json!({"why": why}));
        self.store.set_aside(self.now, attempt.id, SetAside::Void, write).await?;
        self.store.forget_approval(term.id).await?;
        Ok(format!(
            "{0}: order {1} is set aside; another order needs `renewd approve {0}`",
            term.typed(),
            attempt.order_no.unwrap_or_default()
        ))
    }

    /// An unpaid order that the list shows can be paid any day. Not for ever where nobody can read its details: a list may keep a row as it was.
    async fn refuse_while_payable(&mut self, term: &DueTerm) -> Result<(), Refused> {
        let Some(attempt) = &term.attempt else { return Ok(()) };
        let lately = super::engine::after(self.now, jiff::SignedDuration::from_hours(-1));
        let unreadable = self.store.is_unreadable(attempt.id, lately).await?;
        let from = super::lacking::accepted_from(term.since);
        if unreadable && self.now >= from {
            return Ok(());
        }
        let later =
            if unreadable { format!("; if it is not to be found there, ask again after {from:.0}") } else { String::new() };
        Err(Refused::No(format!(
            "the portal shows order {} of {}, unpaid: pay it there, or cancel it there first; what becomes of it is noticed{later}",
            attempt.order_no.as_deref().unwrap_or_default(),
            term.name
        )))
    }

    /// An order that was dead and lives again renews the term: setting it aside would buy it twice.
    pub(super) async fn refuse_if_alive(&mut self, term: &DueTerm) -> Result<(), Refused> {
        let Some(attempt) = term.attempt.as_ref().filter(|_| super::own::is_held_dead(term)) else { return Ok(()) };
        let Some(listed) = self.store.listed_attempt(attempt.id, self.po_prefix).await? else { return Ok(()) };
        if evidence::is_dead(listed.status.as_deref()) {
            return self.refuse_while_listed_as_alive(term, &listed).await;
        }
        if term.reason == Some(Reason::RefundedLater) && !attempt.is_paid(listed.status.as_deref()) {
            // What an unknown word means, the person has seen.
            return if evidence::is_other_word(listed.status.as_deref()) {
                Ok(())
            } else {
                self.refuse_while_payable(term).await
            };
        }
        let step = Move {
            reason: term.reason,
            detail: term.detail.clone(),
            remedy: term.remedy.clone(),
            act_at: Some(self.now),
            ..Move::of(term, TermState::Held)
        };
        self.store.write(self.now, Write { moves: vec![step], ..Write::default() }).await?;
        Err(Refused::No(format!(
            "order {} of {} is {} in the portal again: it is followed from now on, and nothing is to be set aside",
            listed.key,
            term.name,
            listed.status.unwrap_or_default()
        )))
    }

    /// The details call it dead, and the list paid, or still to be paid: if the list is right, another order is a second one. Not for ever: a list may
    /// keep a row as it was.
    async fn refuse_while_listed_as_alive(&mut self, term: &DueTerm, listed: &evidence::Listed) -> Result<(), Refused> {
        let (row, from) = (self.store.row_status(listed.mark).await?, super::lacking::accepted_from(term.since));
        let Some(row) = row.filter(|row| !evidence::is_dead(Some(row)) && self.now < from) else { return Ok(()) };
        let look = if evidence::is_paid(Some(&row)) {
            format!("look at it in the portal: if it is paid, renewd resolve {} --order-no {}; if not,", term.typed(), listed.key)
        } else {
            "whoever pays it there has paid twice: cancel it in the portal, and".to_owned()
        };
        Err(Refused::No(format!(
            "the portal's list shows order {} as {row}, and only its details as {}; {look} ask again after {from:.0}, or when the list says so too",
            listed.key,
            listed.status.as_deref().unwrap_or_default(),
        )))
    }

    /// The order of the term itself, which only its details call dead, is what its row says: a person has looked.
    async fn as_listed(&mut self, term: &DueTerm, order: evidence::Listed) -> Result<evidence::Listed, Refused> {
        let own = order.attempt.is_some() && order.attempt == term.attempt.as_ref().map(|attempt| attempt.id);
        if !own || !evidence::is_paid(self.store.row_status(order.mark).await?.as_deref()) {
            return Ok(order);
        }
        self.store.stands_as_listed(self.now, order.mark).await?;
        Ok(self.store.listed_order(&order.key, self.po_prefix).await?.unwrap_or(order))
    }

    /// An order of somebody else's, as it seems, while one of ours that looks the same is of unknown fate: it may be that one.
    async fn refuse_while_undecided(&mut self, term: &DueTerm, number: &str) -> Result<(), Refused> {
        if !self.store.undecided().await?.contains(&term.identity.looks_like()) {
            return Ok(());
        }
        Err(Refused::No(format!(
            "order {number} may be one of ours for the same product and customer, of which nobody knows yet whether it was carried out; settle that one first: renewd status"
        )))
    }

    /// What may have been it, and is dead as a person says that it was not ordered: alive again it may be it still.
    async fn dead_candidates(&mut self, term: &DueTerm, attempt: &Attempt) -> Result<Vec<String>, StoreError> {
        let learned = self.store.learned(&term.identity).await?;
        let since = self.store.listed_since(attempt.fence_mark, self.po_prefix).await?;
        let may_be = |order: &evidence::Listed| {
            evidence::is_dead(order.status.as_deref()) && !evidence::explained(order, &term.identity, &learned)
        };
        Ok(since.into_iter().filter(may_be).map(|order| order.key).collect())
    }

    fn awaits_approval(&self, kind: &'static str, term: &DueTerm, why: &str, detail: &Value) -> Write {
        let step = Move {
            reason: Some(Reason::NotOrdered),
            detail: Some(format!("{why}; another order waits for approval")),
            remedy: Some(format!("renewd approve {0} or renewd skip {0}", term.typed())),
            act_at: Some(super::foreign::look_at_awaiting(term, self.now)),
            warn_at: super::warning::warning(term, self.now),
            tries: 0,
            ..Move::of(term, TermState::AwaitingApproval)
        };
        self.by_hand(kind, term, detail, step)
    }
}

/// Whether `order` may be that of `attempt` under another number.
fn is_renumbered(attempt: &Attempt, order: &evidence::Listed) -> bool {
    order.portal_id.is_some() && order.portal_id == attempt.order_id || order.mentions_ours.contains(&attempt.po_number)
}
