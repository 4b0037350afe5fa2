//! Judging what is due, each renewal by itself, before it may be ordered.
//!
//! Owns what must be true of one order whatever else is due: that a person has approved it where one must (R3, R14), and that nobody has renewed it
//! already, ourselves included (R11). What is not sound waits for a person. Never sends.

use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use sha2::{Digest, Sha256};

use super::engine::{Engine, TickError, after};
use super::words::{self, Plight};
use super::{counted, foreign, lapsed, own};
use crate::calendar;
use crate::portal::wire::order_body;
use crate::renewal::chain;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::gate::Candidate;
use crate::renewal::state::{Reason, TermState};
use crate::renewal::subscription::{Approval, Party};
use crate::rules::{Rule, kept};
use crate::store::StoreError;
use crate::store::audit::hex;
use crate::store::moves::Write;
use crate::store::terms::{DueTerm, Unpaid};
use crate::store::waits::Postponement;

/// A1, A5: the longest settle twice, and an hour for clocks. What others order is listed by then.
pub(super) const LISTED_WITHIN: SignedDuration = SignedDuration::from_hours(49);

/// No month is longer.
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 31);

/// A term whose order is sound by itself, with that order.
pub(super) struct Sound {
    pub(super) term: DueTerm,
    pub(super) request_hash: String,
    pub(super) candidate: Candidate,
}

/// R11: from when on orders may have renewed a term already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    pub(super) at: Timestamp,
    /// The same for orders of ours that count for nothing.
    pub(super) ours_at: Timestamp,
    /// An order made since then that was dead or not paid, and lives or is paid since `at`, counts as well: ours may have gone because it was not.
    pub(super) unpaid_at: Timestamp,
}

impl Since {
    /// Since the previous term's order; for the first term, since the paid term began, or since it is watched here where that is earlier. Where the order of the previous term is gone, what others have
    /// ordered since may be for that term or for this one. Whoever begins another chain has counted one order at most: what others ordered shortly before that, too.
    pub(super) fn of(term: &DueTerm, unpaid: &Unpaid, zone: &TimeZone) -> Self {
        let months = term.standing.cycle_months;
        let began = calendar::deadline(unpaid.from.saturating_sub(Span::new().months(i64::from(months))), zone);
        let began = began.unwrap_or(Timestamp::MIN);
        let watched = began.min(unpaid.begun_at);
        // A minute of grace: the portal stamps an order by its own clock.
        let minute = SignedDuration::from_mins(-1);
        let ours_at = unpaid.previous_order_at.map_or(watched, |at| after(at, minute));
        let counts_one = unpaid.rebased && unpaid.previous_order_at.is_none();
        let at = if counts_one { ours_at.min(after(began, -counted::before(months))) } else { ours_at };
        let at = unpaid.left_since.map_or(at, |left| at.min(left));
        Self { at, ours_at, unpaid_at: after(ours_at, MONTH.saturating_mul(-i32::from(months))) }
    }

    /// Since when what is paid today is paid, and until when an order of others most likely pays that, and not `term`: a month later, or a quarter of it.
    /// None where ours pays it.
    pub(super) fn pays_today(term: &DueTerm, unpaid: &Unpaid, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let months = i32::from(term.standing.cycle_months);
        let began = calendar::deadline(unpaid.from.saturating_sub(Span::new().months(i64::from(months))), zone).ok()?;
        let quarter = MONTH.saturating_mul(months) / 4;
        (!unpaid.paid_by_us).then(|| (began, after(began, quarter.min(MONTH))))
    }
}

/// What may have renewed the terms that are due.
pub(super) struct Others {
    since: HashMap<i64, Since>,
    pub(super) foreign: Vec<Listed>,
    /// Since then an order that turns up is new, whenever the portal says that it was made.
    bound_at: Timestamp,
    /// By term: orders of ours that count for nothing and live.
    living: HashMap<i64, Vec<own::Alive>>,
    /// By term: orders that a person has looked at, and that stand as they did then.
    dismissed: HashMap<i64, Vec<String>>,
}

impl Engine {
    /// Judges each term by itself: approval (R3, R14) and orders by others (R11). What is not sound waits for a person.
    pub(super) async fn sound(&mut self, due: Vec<DueTerm>) -> Result<Vec<Sound>, TickError> {
        // First, because it says under which id a customer is shown by now: the orders of others are told apart by that.
        for term in &due {
            self.look_at_the_order_before(term).await?;
        }
        let others = match self.others(&due).await? {
            Ok(others) => others,
            Err(why) => return self.try_all_again(&due, why).await.map(|()| Vec::new()),
        };
        if self.is_looked_for(&others.foreign).await? {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let mut sound = Vec::with_capacity(due.len());
        let mut write = Write::default();
        for term in due {
            let request_hash = request_hash(&term);
            if let Some((to, plight)) = self.unsound(&term, &request_hash, &others).await? {
                // One that is held waits for a person, however long.
                let next = match plight.reason {
                    Reason::Lapsed => Some(own::look_at_dead(now, term.moments.deadline_at)),
                    Reason::ForeignOrder => Some(foreign::look_again(&term, now)),
                    _ => (to == TermState::AwaitingApproval).then(|| foreign::look_at_awaiting(&term, now)),
                };
                let step = self.stay(&term, to, next);
                words::trouble(&term, to, &plight, step, &mut write);
                continue;
            }
            let learned = self.store.learned(&term.identity).await?.complete_for(&term.identity);
            let candidate = candidate(&term, learned);
            sound.push(Sound { term, request_hash, candidate });
        }
        self.store.write(now, write).await?;
        Ok(sound)
    }

    /// R11, as far as the portal shows it; or why that cannot be read now.
    pub(super) async fn others(&mut self, due: &[DueTerm]) -> Result<Result<Others, String>, TickError> {
        let mut since = HashMap::new();
        for term in due {
            since.insert(term.id, self.since(term).await?);
        }
        let bound_at = self.store.account().await?.bound_at.unwrap_or(Timestamp::MAX);
        let mut others = Others { since, foreign: Vec::new(), bound_at, living: HashMap::new(), dismissed: HashMap::new() };
        if let Err(why) = self.read_others(due, &mut others).await? {
            return Ok(Err(why));
        }
        let living = self.living_again(due, &others.since).await?;
        for term in due {
            // One that was just seen to be paid is not among them any more.
            others.dismissed.insert(term.id, self.store.dismissed(term.id).await?);
        }
        Ok(living.map(|living| Others { living, ..others }))
    }

    /// Reads what nobody here placed, and is not dead. What would hold a term if it lived, and is not paid, is looked at once more first.
    async fn read_others(&mut self, due: &[DueTerm], others: &mut Others) -> Result<Result<(), String>, TickError> {
        let Some(earliest) = others.since.values().map(|since| since.at).min() else { return Ok(Ok(())) };
        let earliest = after(earliest, -LISTED_WITHIN);
        if let Err(error) = self.read_details(i64::MAX, Some(earliest)).await? {
            return Ok(Err(format!("the orders that others placed cannot be read: {error}")));
        }
        let seen = others.bound_at.max(earliest);
        let unpaid_since = others.since.values().map(|since| since.unpaid_at).min().map_or(earliest, |at| at.min(earliest));
        let mut unpaid = self.store.unpaid_since(unpaid_since, seen, &self.po_prefix).await?;
        others.foreign = self.store.foreign_since(earliest, seen, &self.po_prefix).await?;
        if unpaid.is_empty() && others.foreign.is_empty() {
            return Ok(Ok(()));
        }
        self.look_whether_shown_alike(due).await?;
        let would_hold = self.would_hold(due, &unpaid, others).await?;
        unpaid.retain(|order| would_hold.contains(&order.key));
        if !unpaid.is_empty() {
            let deadline = due.iter().map(|term| term.moments.deadline_at).min().unwrap_or(Timestamp::MAX);
            if let Err(why) = self.look_again_at(&unpaid, deadline).await? {
                return Ok(Err(why));
            }
            others.foreign = self.store.foreign_since(earliest, seen, &self.po_prefix).await?;
        }
        others.foreign.retain(|order| !evidence::is_dead(order.status.as_deref()));
        Ok(Ok(()))
    }

    /// What other customers' orders look like was learned of ours, perhaps a year ago. Before any is taken for another customer's by that, our newest of
    /// each kind is read back: the portal may show all of them otherwise by now.
    async fn look_whether_shown_alike(&mut self, due: &[DueTerm]) -> Result<(), TickError> {
        let mut kinds = HashSet::new();
        for term in due {
            if kinds.insert((term.identity.product_id, term.identity.party == Party::Own)) {
                self.still_as_learned(term, &[], None).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn since(&mut self, term: &DueTerm) -> Result<Since, StoreError> {
        Ok(Since::of(term, &self.store.unpaid(term.id).await?, &self.config.zone))
    }

    pub(super) async fn try_all_again(&mut self, due: &[DueTerm], why: String) -> Result<(), TickError> {
        tracing::warn!("{why}");
        let now = self.clock.now();
        let wait = Postponement {
            terms: due.iter().map(|term| term.id).collect(),
            until: after(now, SignedDuration::from_mins(5)),
            reason: Reason::PortalTrouble,
            detail: why,
            remedy: None,
        };
        self.wait_all(due, wait).await
    }

    async fn unsound(
        &mut self,
        term: &DueTerm,
        request_hash: &str,
        others: &Others,
    ) -> Result<Option<(TermState, Plight)>, TickError> {
        if let Some(plight) = other_length(term) {
            return Ok(Some((TermState::AwaitingApproval, plight)));
        }
        let approval = needs_approval(term, request_hash).map(|plight| (TermState::AwaitingApproval, plight));
        // Before anybody is asked to approve it: that it may have been renewed already is what he has to know.
        if let Some(plight) = self.renewed_by_another(term, others).await? {
            return Ok(Some((TermState::Held, plight)));
        }
        if approval.is_some() {
            return Ok(approval);
        }
        let lapsed = self.lapsed(term).await?;
        Ok(lapsed.map(|lapsed| (TermState::Held, lapsed::plight(term, &lapsed))))
    }

    /// R11: orders that may have renewed this already, ours for other entries included, but for those that a person has looked at. They keep it from being
    /// ordered, or from being asked for.
    pub(super) async fn renewed_by_another(&mut self, term: &DueTerm, others: &Others) -> Result<Option<Plight>, TickError> {
        if !kept(Rule::R11) {
            return Ok(None);
        }
        let Since { at: since, ours_at, .. } = others.since[&term.id];
        // What waits because it looks like an old entry waits for ours of that already.
        let (alike, living) = if is_new_and_looks_like_old(term) {
            (Vec::new(), None)
        } else {
            let alike = self.store.own_look_alikes(&term.identity.looks_like(), term.subscription, ours_at).await?;
            (alike, others.living.get(&term.id))
        };
        let mut found = self.foreign_for(term, &others.foreign, since, others.bound_at).await?;
        found.extend(alike.iter().map(|(order, _)| order.clone()));
        found.extend(living.into_iter().flatten().map(|order| order.order_no.clone()));
        found.retain(|key| !others.dismissed[&term.id].contains(key));
        self.count_what_pays_until_then(term, &others.foreign, &mut found).await?;
        let shown =
            |key: &String| alike.iter().find(|(order, _)| order == key).map(|(_, name)| format!("{key} (ours, for {name})"));
        let named: Vec<String> = found.iter().map(|key| shown(key).unwrap_or_else(|| named(key, &others.foreign))).collect();
        Ok((!found.is_empty()).then(|| foreign_plight(term, found, &named, living.map(Vec::as_slice))))
    }

    /// Of these orders of others, none of them paid, those that would hold one of the terms if it were: also one that a person let ours go beside. What
    /// counted for nothing when ours of the term before went was read by then.
    async fn would_hold(&mut self, due: &[DueTerm], unpaid: &[Listed], others: &Others) -> Result<HashSet<String>, TickError> {
        let read: Vec<Listed> = unpaid.iter().filter(|order| order.detailed).cloned().collect();
        let is_dead = |key: &String| unpaid.iter().any(|order| order.key == *key && evidence::is_dead(order.status.as_deref()));
        let mut found = HashSet::new();
        for term in due {
            let since = others.since[&term.id];
            let mut would = self.foreign_for(term, unpaid, since.at, others.bound_at).await?;
            would.extend(self.foreign_for(term, &read, since.unpaid_at, others.bound_at).await?);
            would.retain(|key| !(is_dead(key) && term.dismissed.contains(key)));
            found.extend(would);
        }
        Ok(found)
    }

    /// Of these orders of others, those that count `since` and may have renewed this, or would have if they lived.
    async fn foreign_for(
        &mut self,
        term: &DueTerm,
        foreign: &[Listed],
        since: Timestamp,
        bound_at: Timestamp,
    ) -> Result<Vec<String>, TickError> {
        if foreign.is_empty() {
            return Ok(Vec::new());
        }
        let learned = self.store.learned(&term.identity).await?;
        let once = self.store.once_candidates(term.subscription).await?;
        // Made before that, as it says, and listed after it: it renewed the same a second time, or what is due now.
        let shown_late = self.store.shown_since(since.max(bound_at), since).await?;
        let found = foreign
            .iter()
            .filter(|order| order.created_at.is_none_or(|at| at >= since) || shown_late.contains(&order.key))
            .filter(|order| evidence::may_have_renewed(order, &term.identity, &learned) || once.contains(&order.key))
            .map(|order| order.key.clone());
        Ok(found.collect())
    }
}

fn candidate(term: &DueTerm, learned: bool) -> Candidate {
    Candidate {
        looks_like: term.identity.looks_like(),
        kind: (term.identity.product_id.to_string(), term.identity.party != Party::Own),
        learned,
        quantity: term.standing.quantity,
        deadline: term.moments.deadline_at,
        follows_unknown: term.unknowns > 0,
    }
}

/// R4: the dates of a term for which an order was tried never change. An order of another length would be booked as that term: of three
/// years, two would be bought again; of one month, eleven would not be renewed, and nobody told.
pub(super) fn other_length(term: &DueTerm) -> Option<Plight> {
    let planned = chain::term_at(term.anchor_on, term.span.offset_months, term.standing.cycle()).ok()?;
    (planned.ends_on != term.span.ends_on).then(|| Plight {
        reason: Reason::OtherLength,
        detail: format!(
            "an order for {} to {} was tried before the entry was changed to one that ends on {}",
            term.span.starts_on, term.span.ends_on, planned.ends_on
        ),
        remedy: format!(
            "renewd rebase {} {} (begins the other length), or change the entry back",
            term.typed(),
            term.span.starts_on
        ),
        orders: Vec::new(),
    })
}

/// Whether its entry is new, looks like one that was there before, and nobody has approved it yet.
fn is_new_and_looks_like_old(term: &DueTerm) -> bool {
    term.confirm.is_some() && term.approved_hash.is_none()
}

/// R3, R14: what a person must see first. An approval binds the exact request.
fn needs_approval(term: &DueTerm, request_hash: &str) -> Option<Plight> {
    let approved = term.approved_hash.as_deref();
    let asked = term.standing.approval == Approval::Manual || term.confirm.is_some() || approved.is_some();
    if !asked || (approved == Some(request_hash)) || (approved.is_some() && !kept(Rule::R14)) {
        return None;
    }
    let remedy = format!("renewd approve {0} or renewd skip {0}", term.typed());
    let (reason, detail) = match (approved, &term.confirm) {
        (Some(""), _) => {
            (Reason::NotOrdered, "an attempt for it was set aside by a person; another order waits for approval".to_owned())
        }
        (Some(_), _) => (Reason::ChangedSinceApproval, "what would be ordered has changed since it was approved".to_owned()),
        (None, Some(why)) => (Reason::LooksLikeOld, format!("it is new and looks like one that was there before: {why}")),
        (None, None) => {
            (Reason::Approval, format!("an order of {} for {} waits for approval", term.standing.quantity, term.span.starts_on))
        }
    };
    Some(Plight { reason, detail, remedy, orders: Vec::new() })
}

/// Its number and day; and how it stands, if it is not paid.
pub(super) fn named(key: &str, foreign: &[Listed]) -> String {
    let Some(order) = foreign.iter().find(|order| order.key == key) else { return key.to_owned() };
    let made = order.created_at.map(|at| format!(" of {}", at.to_zoned(TimeZone::UTC).date())).unwrap_or_default();
    let status = order.status.as_deref();
    let unpaid = if evidence::is_paid(status) { String::new() } else { format!(" ({})", status.unwrap_or("without a status")) };
    format!("{key}{made}{unpaid}")
}

/// `named`: what people are told of the orders that were `found`. `ours`: orders that were set aside here, and live.
pub(super) fn foreign_plight(term: &DueTerm, found: Vec<String>, named: &[String], ours: Option<&[own::Alive]>) -> Plight {
    let name = term.typed();
    let (what, remedy) = match ours {
        Some(ours) => lives_after_all(&name, ours),
        None => (
            format!("the portal has order {}, which is or may be for the same product and customer", named.join(", ")),
            format!(
                "look at it in the portal, then: renewd release {name} (order anyway) or renewd resolve {name} --order-no X (it pays from {})",
                term.span.starts_on
            ),
        ),
    };
    let detail = format!("it may have been renewed already: {what}");
    Plight { reason: Reason::ForeignOrder, detail, remedy, orders: found }
}

fn lives_after_all(name: &str, ours: &[own::Alive]) -> (String, String) {
    let dated = |order: &own::Alive| format!("{} of {}", order.order_no, order.made.to_zoned(TimeZone::UTC).date());
    let orders: Vec<String> = ours.iter().map(dated).collect();
    let orders = orders.join(", ");
    if ours.iter().all(|order| order.pays_before) {
        return (
            format!("order {orders}, which was sent from here for an earlier term and did not count any more, lives after all"),
            format!(
                "look in the portal until when it is paid, then: renewd rebase {name} DATE ({}), or renewd release {name} (order anyway)",
                words::DATE
            ),
        );
    }
    (
        format!("order {orders}, which was sent from here and set aside, lives after all"),
        format!(
            "look at it in the portal, then: renewd resolve {name} --order-no X (it is paid), or cancel it there first; renewd release {name} orders a second one"
        ),
    )
}

/// R14: what an approval binds: the body of the order without its `poNumber`.
pub fn request_hash(term: &DueTerm) -> String {
    hex(&Sha256::digest(order_body(&term.standing.order(&term.identity), "")))
}

#[cfg(test)]
mod tests;
