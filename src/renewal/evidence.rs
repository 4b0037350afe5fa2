//! What the portal's order list proves about an attempt of unknown fate (R17 to R21), and about orders of others (R11).
//!
//! Owns the rules of evidence, as pure functions. In doubt it never says "not placed": that would buy twice.

use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use super::learned::{Echo, Field, Learned, sent, shown};
use super::subscription::{Identity, plain_serial};
use crate::rules::{Rule, kept};

/// An order of the mirror, as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its row in the mirror; rows beyond an attempt's fence appeared after it.
    pub mark: i64,
    /// Its key in the mirror.
    pub key: String,
    /// `orderNo`
    pub order_no: Option<String>,
    /// The portal's id of it.
    pub portal_id: Option<String>,
    /// `orderStatus`
    pub status: Option<String>,
    /// `createTime`
    pub created_at: Option<Timestamp>,
    /// The attempt it is known to be.
    pub attempt: Option<i64>,
    /// It is known only because the answer to that attempt named its number, or a person did.
    pub by_answer: bool,
    /// Its details were read.
    pub detailed: bool,
    /// When they are to be read again: the portal may still have been writing them, or its row has changed since. `None`: they stand.
    pub again_at: Option<Timestamp>,
    /// What it shows.
    pub facts: Facts,
    /// Its list row and details, raw, for finding a `poNumber` anywhere.
    pub mentions_ours: Vec<String>,
    /// One of those is the number of no attempt: of one that the database has forgotten, or the portal shows numbers otherwise than they were sent.
    pub stray: bool,
}

impl Listed {
    /// Its number; its id, while the portal has given it none.
    pub fn number(&self) -> Option<String> {
        self.order_no.clone().or_else(|| self.portal_id.clone())
    }

    /// An order that the mirror does not hold, known by its number only.
    pub fn unseen(order_no: &str) -> Self {
        Self {
            mark: 0,
            key: order_no.to_owned(),
            order_no: Some(order_no.to_owned()),
            portal_id: None,
            status: None,
            created_at: None,
            attempt: None,
            by_answer: false,
            detailed: true,
            again_at: None,
            facts: Facts::default(),
            mentions_ours: Vec::new(),
            stray: false,
        }
    }
}

const WHAT_IDENTIFIES: [Field; 3] = [Field::Product, Field::Partner, Field::Serial];

/// R18: known as ours, or showing a different product, partner or serial in a field learned to be echoed. Different lines or
/// quantities never explain. An order that turned up since the fence and is known only by the answer to another attempt is no
/// explanation by itself: the portal may have answered that attempt with the number of this very order. A `poNumber` of another attempt is; one
/// that is nobody's may be what the portal made of the number that was sent, and explains nothing, whatever else is shown.
pub fn explained(listed: &Listed, identity: &Identity, learned: &Learned) -> bool {
    if listed.attempt.is_some() && !listed.by_answer {
        return true;
    }
    if !listed.mentions_ours.is_empty() {
        return !listed.stray;
    }
    if !kept(Rule::R18) {
        return WHAT_IDENTIFIES.into_iter().any(|field| differs(field, &listed.facts, identity, learned));
    }
    shows_another(listed, identity, learned)
}

/// Whether the details of an order show another product, partner or serial number in a field that was learned to come back. What paid orders
/// taught says nothing of one that is not paid yet (R22): it may be shown under the reseller's own id until then.
pub fn shows_another(listed: &Listed, identity: &Identity, learned: &Learned) -> bool {
    let status = listed.status.as_deref();
    (is_paid(status) || is_dead(status)) && would_show_another(listed, identity, learned)
}

/// The same, once it is paid.
fn would_show_another(listed: &Listed, identity: &Identity, learned: &Learned) -> bool {
    // An order that an answer has named is looked at by what was learned of all: that answer is more than nothing.
    let believed = |field: Field| field != Field::Partner || listed.by_answer || learned.believes_customer();
    let differs = |field: &Field| learned.echoes(*field) && believed(*field) && differs(*field, &listed.facts, identity, learned);
    listed.detailed && WHAT_IDENTIFIES.iter().any(differs)
}

/// Shows another value than was sent. A serial number that was not sent cannot differ: the portal shows a `productNo` of its own for
/// products without one (portal-api.md section 4). A partner where none was sent is another customer, once one's own orders are known to
/// come back without.
fn differs(field: Field, facts: &Facts, identity: &Identity, learned: &Learned) -> bool {
    match (shown(field, facts), sent(field, identity)) {
        (Some(shown), Some(_)) if learned.is_shown_as(field, shown) => false,
        (Some(shown), Some(sent)) if field == Field::Serial => !may_be_same_serial(shown, &sent),
        (Some(shown), Some(sent)) => shown != sent,
        (Some(_), None) => field == Field::Partner && learned.echoes(field),
        _ => false,
    }
}

/// A serial number that is spelled otherwise (case, blanks, hyphens, zeros in front) or cut off is no other device.
fn may_be_same_serial(shown: &str, sent: &str) -> bool {
    let (shown, sent) = (plain_serial(shown), plain_serial(sent));
    let (short, long) = if shown.len() < sent.len() { (&shown, &sent) } else { (&sent, &shown) };
    short == long || (short.len() >= 6 && (long.starts_with(short.as_str()) || long.ends_with(short.as_str())))
}

/// What is known about an attempt when its fate is judged.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Its identity.
    pub identity: &'a Identity,
    /// Its `poNumber`.
    pub po_number: &'a str,
    /// When its intent was committed; an order created before (by more than a clock's error) is not it.
    pub created_at: Timestamp,
    /// When its call ended, by our clock and by the portal's.
    pub ended: Moment,
    /// R19 c: the first read on which all was explained, if there was one.
    pub absent: Option<Moment>,
    /// This read.
    pub read: Moment,
    /// How long absence must last (R20).
    pub settle: SignedDuration,
    /// Whether the range was read twice with the same `total`, and our newest known order is listed (R17, R19 c).
    pub list_is_whole: bool,
}

/// A moment by both clocks (R20).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By ours.
    pub local: Timestamp,
    /// By the portal's `Date`, where it was fresh.
    pub portal: Option<Timestamp>,
}

impl Moment {
    /// The smaller of the spans by our clock and by the portal's: one of them may have been set. An answer without a fresh `Date`
    /// does not count where the portal gives one.
    pub fn since(self, earlier: Self) -> SignedDuration {
        let local = self.local.duration_since(earlier.local);
        match (self.portal, earlier.portal) {
            (Some(now), Some(then)) => local.min(now.duration_since(then)),
            (None, Some(_)) => local.min(SignedDuration::ZERO),
            (_, None) => local,
        }
    }
}

/// What the list says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// R19 a: an order carries its `poNumber`.
    Placed(String),
    /// R19 b: exactly one order can be it, and shows all of it.
    PlacedByContent(String),
    /// R19 c: it is not there, on two reads far enough apart.
    NotPlaced,
    /// The first read on which all is explained: look again after `settle`.
    AbsentOnce,
    /// Too early to say.
    NotYet,
    /// R19 d: these orders may be it, or the list cannot be trusted.
    NoEvidence(Vec<String>),
}

/// Judges an attempt by `since`: every order that appeared since its fence.
pub fn judge(search: &Search<'_>, since: &[Listed], learned: &Learned) -> Finding {
    if let Some(order) = since.iter().find(|order| order.mentions_ours.iter().any(|po| po == search.po_number)) {
        return Finding::Placed(order.key.clone());
    }
    let candidates: Vec<&Listed> = since.iter().filter(|order| !explained(order, search.identity, learned)).collect();
    let one_fits = matches!(candidates[..], [only] if matches_by_content(search, only, learned));
    // A look-alike may still turn up beside it: carried out within one settle, listed within another.
    if one_fits && search.read.since(search.ended) >= search.settle.saturating_mul(2) && search.list_is_whole {
        return Finding::PlacedByContent(candidates[0].key.clone());
    }
    if candidates.is_empty() && search.list_is_whole && kept(Rule::R19) {
        return absence(search);
    }
    if !kept(Rule::R19) && candidates.is_empty() {
        return Finding::NotPlaced;
    }
    // One settle to be carried out, one to be listed; and one more for a list that did not hold still, or for others to pay their orders.
    let in_doubt: Vec<&&Listed> = candidates.iter().filter(|o| !would_show_another(o, search.identity, learned)).collect();
    let patient = in_doubt.is_empty() || matches!(in_doubt[..], [only] if matches_by_content(search, only, learned));
    let patience = if patient { 3 } else { 2 };
    if search.read.local.duration_since(search.ended.local) < search.settle.saturating_mul(patience) {
        return Finding::NotYet;
    }
    Finding::NoEvidence(candidates.into_iter().map(|order| order.key.clone()).collect())
}

/// R19 c. A read counts from one settle after the end on: before, the order may still be carried out (A2), and would show up to another settle
/// later (A1). So the two reads are one settle apart, and the second is two settles after the end.
fn absence(search: &Search<'_>) -> Finding {
    let settle = if kept(Rule::R20) { search.settle } else { SignedDuration::ZERO };
    let over = search.read.since(search.ended);
    if over <= SignedDuration::ZERO || over < settle {
        return Finding::NotYet;
    }
    match search.absent {
        Some(first) if first.portal.is_none() && search.read.portal.is_some() => Finding::AbsentOnce,
        Some(first) if search.read.since(first) >= settle => Finding::NotPlaced,
        // Noted by a clock that was set back since, or by ours alone while the portal's tells the time by now: it counts from now.
        Some(first) if search.read.local < first.local => Finding::AbsentOnce,
        Some(_) => Finding::NotYet,
        None => Finding::AbsentOnce,
    }
}

/// R19 b: only where `poNumber` is learned not to come back, and every identity field is learned to come back. A dead order is left to a
/// person: taken for ours and then set aside, it would free the term while ours may still come.
fn matches_by_content(search: &Search<'_>, order: &Listed, learned: &Learned) -> bool {
    let identity = search.identity;
    let all_echoed = Field::of(identity).into_iter().filter(|field| *field != Field::PoNumber).all(|field| learned.echoes(field));
    let equal = WHAT_IDENTIFIES.into_iter().all(|field| {
        field == Field::Serial && identity.serial.is_none() || shown(field, &order.facts) == sent(field, identity).as_deref()
    });
    let item = order.facts.items.contains(&identity.item_id.to_string());
    // Made while it could be made (A2), give or take five minutes: the portal's clock need not be ours.
    let last = search.ended.portal.map_or(search.ended.local, |portal| portal.max(search.ended.local));
    let slack = SignedDuration::from_mins(5);
    let in_time = order.created_at.is_some_and(|at| {
        at.duration_since(search.created_at) >= -slack && at.duration_since(last) <= search.settle.saturating_add(slack)
    });
    // A colleague may have bought the first term of the same service in this hour: that renews nothing.
    let renews = order.facts.operations.iter().all(|operation| operation.starts_with("renew"));
    let alive = order.attempt.is_none() && !is_dead(order.status.as_deref());
    learned.of(Field::PoNumber) == Some(Echo::Absent) && all_echoed && equal && item && in_time && alive && renews
}

/// R20: min(24 h, a quarter of the time left), at least 60 min; `set` replaces it.
pub fn settle(set: Option<SignedDuration>, left: SignedDuration) -> SignedDuration {
    set.unwrap_or_else(|| {
        let quarter = SignedDuration::from_secs(left.as_secs().max(0) / 4);
        quarter.min(SignedDuration::from_hours(24)).max(SignedDuration::from_hours(1))
    })
}

/// R11: whether an order of someone else may have renewed `identity` already. Only what is visibly for another product,
/// customer or serial number is not; what does not say is in doubt, and doubt holds.
pub fn may_be_for(listed: &Listed, identity: &Identity, learned: &Learned) -> bool {
    !WHAT_IDENTIFIES.into_iter().any(|field| {
        let trusted = learned.of(field) != Some(Echo::Misleading);
        trusted && differs(field, &listed.facts, identity, learned)
    })
}

/// The same for an order that no attempt is known to be. One that carries a number of ours which is
/// no attempt's may be anybody's of ours, whatever customer it shows.
pub fn may_have_renewed(listed: &Listed, identity: &Identity, learned: &Learned) -> bool {
    let another_product = learned.echoes(Field::Product) && differs(Field::Product, &listed.facts, identity, learned);
    may_be_for(listed, identity, learned) || (listed.stray && !another_product)
}

/// Statuses that mean: this order will never renew anything (R11, R23). The set is open; an unknown word is alive.
pub fn is_dead(status: Option<&str>) -> bool {
    status
        .is_some_and(|status| ["cancelled", "failed", "refunded", "invalid"].iter().any(|dead| status.eq_ignore_ascii_case(dead)))
}

/// The status that means: paid, and renewed.
pub fn is_paid(status: Option<&str>) -> bool {
    status.is_some_and(|status| status.eq_ignore_ascii_case("succeed"))
}

/// How a paid order of ours stands that neither list nor details show any more: our word, and none of the portal's.
pub const REMOVED: &str = "removed";

/// A word that portal-api.md section 4 does not have, or none at all: paid or dead, only a person can say.
pub fn is_other_word(status: Option<&str>) -> bool {
    !status.is_some_and(|word| word.eq_ignore_ascii_case("pending")) && !is_paid(status) && !is_dead(status)
}

#[cfg(test)]
mod tests;
