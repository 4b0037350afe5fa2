//! What a person accounts for by beginning another chain: DATE of `rebase` is the day on which what is paid ends (R4, R11).
//!
//! Owns which orders of others that includes, at the command and when the chain's first term is due. One at most that can end there: whatever else is
//! there may pay further, and holds. Never orders.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::commands::{Desk, Refused};
use super::engine::{Engine, after};
use super::pays;
use super::sound::{Since, named};
use crate::calendar;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::state::Reason;
use crate::store::terms::{DueTerm, Unpaid};
use crate::store::{Store, StoreError};

/// So long before its term begins an order is hardly made.
pub(super) const BEFORE: SignedDuration = SignedDuration::from_hours(62 * 24);

/// What a person accounts for by beginning another chain.
#[derive(Default)]
pub(super) struct Counted {
    /// What he had looked at for the term before.
    looked_at: Vec<String>,
    /// What he had counted before: it pays until the chain that ends here began.
    before: Vec<Listed>,
    /// What pays until it begins.
    pay: Vec<Listed>,
    /// What is known and not accounted for.
    hold: Vec<Listed>,
    /// What was ordered before that is older than anything that can hold the new chain.
    since: Option<Timestamp>,
}

impl Counted {
    /// What he had counted before; what is dead pays nothing. Where he puts the chain `back` all of it is counted anew: it pays on from the new day.
    fn take_before(&mut self, orders: Vec<Listed>, back: bool) {
        if back {
            self.looked_at.retain(|key| orders.iter().all(|order| order.key != *key));
        } else {
            self.before = orders.into_iter().filter(|order| !evidence::is_dead(order.status.as_deref())).collect();
        }
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.looked_at.iter().cloned().chain(self.pay.iter().map(|order| order.key.clone())).collect()
    }

    /// For the audit row: what pays, what is left over, and since when what nobody has read yet may hold.
    pub(super) fn shown(&self) -> (Vec<&str>, Vec<&str>, Option<Timestamp>) {
        let before = self.before.iter().filter(|order| self.pay.iter().all(|other| other.key != order.key));
        let pay = self.pay.iter().chain(before).map(|order| order.key.as_str());
        (pay.collect(), self.hold.iter().map(|order| order.key.as_str()).collect(), self.since)
    }

    pub(super) fn said(&self) -> String {
        let all = |orders: &[Listed]| orders.iter().map(|order| named(&order.key, orders)).collect::<Vec<_>>().join(", ");
        let pay = if self.pay.is_empty() {
            String::new()
        } else {
            format!("; order {} counts as what is paid until then", all(&self.pay))
        };
        if self.hold.is_empty() {
            return pay;
        }
        format!("{pay}; order {} is there as well, may pay further, and holds it", all(&self.hold))
    }
}

impl Desk<'_> {
    /// Orders of others that a person counts by saying that it is paid until `to`: the one that was paid for this customer and can end there, and of those
    /// that pay from where what was paid had ended as many as the time until then needs. Of several that can end there nobody can say which he means, and
    /// one that pays on from `to` holds: they are named.
    pub(super) async fn counted(&mut self, term: &DueTerm, to: Date) -> Result<Counted, Refused> {
        let unpaid = self.store.unpaid(term.id).await?;
        let mut needed = days_between(unpaid.from, to);
        let (moved, back) = (needed >= half(term), needed <= -half(term));
        let since = self.counts_since(term, &unpaid, to);
        let mut counted = Counted { looked_at: term.dismissed.clone(), since: Some(since), ..Counted::default() };
        counted.take_before(self.store.counted_before(term.id, self.po_prefix).await?, back);
        let mut sorted = Sorted { counted, left: self.store.left_before(term.id).await?, ..Sorted::default() };
        for order in self.store.foreign_since(since, self.now, self.po_prefix).await? {
            let is_shown = foreign(term).contains(&order.key);
            let paid = evidence::is_paid(order.status.as_deref()) && names(&order, term);
            if (is_shown || paid || sorted.left.contains(&order.key)) && !evidence::is_dead(order.status.as_deref()) {
                sorted.take(order, term, to, moved.then_some(unpaid.from), is_shown);
            }
        }
        let Sorted { mut counted, before, mut there, mut earlier, .. } = sorted;
        match before.as_slice() {
            // Ours paid until the chain of before ended: what others ordered beside it pays on from there.
            _ if unpaid.paid_by_us => drop(earlier.splice(..0, before)),
            // What was paid until then, nobody is asked about again.
            [one] => counted.looked_at.push(one.key.clone()),
            _ => counted.hold.extend(before),
        }
        let ours_pays = unpaid.paid_by_us && !moved;
        match there.as_slice() {
            [one] if !ours_pays && !self.another_paid_until_then(term, one).await? => counted.pay.append(&mut there),
            _ => counted.hold.append(&mut there),
        }
        needed -= counted.pay.iter().map(|order| i64::from(months(order, term)) * 30).sum::<i64>();
        for order in earlier {
            let length = i64::from(months(&order, term)) * 30;
            let counts = needed >= length / 2;
            needed -= if counts { length } else { 0 };
            if counts { &mut counted.pay } else { &mut counted.hold }.push(order);
        }
        Ok(counted)
    }

    /// What was made before that neither held the term nor can hold the next one.
    fn counts_since(&self, term: &DueTerm, unpaid: &Unpaid, to: Date) -> Timestamp {
        let months = term.standing.cycle_months;
        let began = calendar::deadline(to.saturating_sub(Span::new().months(i64::from(months))), &self.config.zone);
        let early = after(began.unwrap_or(self.now), -before(months));
        unpaid.previous_order_at.unwrap_or_else(|| early.min(Since::of(term, unpaid, &self.config.zone).at))
    }

    /// Then the one that was made after that pays on, most likely.
    async fn another_paid_until_then(&mut self, term: &DueTerm, order: &Listed) -> Result<bool, StoreError> {
        match order.created_at {
            Some(at) => self.was_paid_by_another(term, at, at).await,
            None => Ok(false),
        }
    }
}

impl Engine {
    /// Takes what pays until `term` out of what was `found` to hold it.
    pub(super) async fn count_what_pays_until_then(
        &mut self,
        term: &DueTerm,
        foreign: &[Listed],
        found: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let found_so_far: Vec<&Listed> = foreign.iter().filter(|order| found.contains(&order.key)).collect();
        let (now, zone) = (self.clock.now(), &self.config.zone);
        let pays = pays_until_then(&mut self.store, term, &found_so_far, zone, (now, &self.po_prefix)).await?;
        found.retain(|key| Some(key) != pays.as_ref());
        Ok(())
    }
}

/// Where a person began the chain of `term` and nothing was counted by name, because nobody had read it yet: the one of these orders of others that was made
/// before. `seen`: as for [`pays::pays_before`].
async fn pays_until_then(
    store: &mut Store,
    term: &DueTerm,
    found: &[&Listed],
    zone: &TimeZone,
    seen: (Timestamp, &str),
) -> Result<Option<String>, StoreError> {
    let unpaid = store.unpaid(term.id).await?;
    let before: Vec<&&Listed> = found.iter().filter(|order| order.created_at.is_some_and(|at| at <= unpaid.begun_at)).collect();
    let [only @ Listed { created_at: Some(made), .. }] = before.as_slice() else { return Ok(None) };
    let can = *made < Since::of(term, &unpaid, zone).ours_at || can_pay_until(only, term, unpaid.from);
    let counts = unpaid.rebased
        && !unpaid.paid_by_us
        && can
        && !store.is_revived(only.mark, unpaid.begun_at).await?
        && store.accounted_for(term.id).await?.is_empty()
        && !pays::pays_before(store, term, *made, *made, seen).await?;
    Ok(counts.then(|| only.key.clone()))
}

/// Whoever says which order pays `term` takes it for paid until it begins: the one of these orders of others that can have paid that, if it is one.
pub(super) async fn paid_until(store: &mut Store, term: &DueTerm, others: &[&Listed]) -> Result<Option<String>, StoreError> {
    let unpaid = store.unpaid(term.id).await?;
    let mut pay = others.iter().filter(|order| can_pay_until(order, term, unpaid.from));
    let only = pay.next().filter(|_| pay.next().is_none() && !unpaid.paid_by_us);
    Ok(only.map(|order| order.key.clone()))
}

fn can_pay_until(order: &Listed, term: &DueTerm, to: Date) -> bool {
    matches!(ends(order, term, to), Ends::There) && evidence::is_paid(order.status.as_deref()) && names(order, term)
}

/// Orders of others, by when what they pay ends.
#[derive(Default)]
struct Sorted {
    counted: Counted,
    /// The keys of those that were left over before.
    left: Vec<String>,
    /// On the day on which what was paid had ended so far.
    before: Vec<Listed>,
    /// On the day that a person says.
    there: Vec<Listed>,
    /// Before that, and he was shown them, or they pay from where what was paid had ended.
    earlier: Vec<Listed>,
}

impl Sorted {
    /// `from`: when what was paid had ended so far, where `to` is another term's day.
    fn take(&mut self, order: Listed, term: &DueTerm, to: Date, from: Option<Date>, is_shown: bool) {
        let until_from = from.map(|from| ends(&order, term, from));
        let (looked_at, was_left) = (self.counted.looked_at.contains(&order.key), self.left.contains(&order.key));
        match ends(&order, term, to) {
            Ends::There if looked_at => self.counted.pay.push(order),
            _ if looked_at => {}
            Ends::There => self.there.push(order),
            Ends::Later => self.counted.hold.push(order),
            _ if matches!(until_from, Some(Ends::There)) && !was_left => self.before.push(order),
            _ if is_shown || matches!(until_from, Some(Ends::Later)) => self.earlier.push(order),
            _ if was_left => self.counted.hold.push(order),
            // Older than what was paid until now.
            Ends::Earlier | Ends::Unknown => {}
        }
    }
}

/// R11: the orders of others for which a term was held, or is skipped.
pub(super) fn foreign(term: &DueTerm) -> &[String] {
    if matches!(term.reason, Some(Reason::ForeignOrder | Reason::Skipped)) { &term.candidates } else { &[] }
}

/// Whether an order says by itself that it is for the product, customer and serial number of `term`.
pub(super) fn names(order: &Listed, term: &DueTerm) -> bool {
    let (facts, identity) = (&order.facts, &term.identity);
    let same = |theirs: &Option<String>, ours: Option<String>| theirs.is_some() && *theirs == ours;
    same(&facts.product, Some(identity.product_id.to_string()))
        && same(&facts.partner, identity.party.text())
        && (facts.serial.is_none() || facts.serial == identity.serial)
}

/// When what an order pays ends, by a date on which it would.
enum Ends {
    /// It was made long before what ends there began.
    Earlier,
    /// It was made as that began, or in the months before.
    There,
    /// It was made later.
    Later,
    /// Nobody knows when it was made.
    Unknown,
}

fn ends(order: &Listed, term: &DueTerm, to: Date) -> Ends {
    let Some(made) = order.created_at.map(|at| at.to_zoned(TimeZone::UTC).date()) else { return Ends::Unknown };
    let months = months(order, term);
    let began = to.saturating_sub(Span::new().months(i64::from(months)));
    if made < began.saturating_sub(before(months)) {
        Ends::Earlier
    } else if made <= began.saturating_add(Span::new().days(7 * i64::from(months.min(4)))) {
        Ends::There
    } else {
        Ends::Later
    }
}

/// For how long an order pays: as it says, or as the term is long.
fn months(order: &Listed, term: &DueTerm) -> u16 {
    let own = order.facts.months.first().filter(|first| order.facts.months.iter().all(|months| months == *first));
    own.and_then(|months| u16::try_from(*months).ok()).unwrap_or(term.standing.cycle_months)
}

/// Half the length of a term, in days.
fn half(term: &DueTerm) -> i64 {
    15 * i64::from(term.standing.cycle_months)
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// So long before its term begins an order is hardly made.
pub(super) fn before(months: u16) -> SignedDuration {
    BEFORE.min(SignedDuration::from_hours(24 * 15 * i64::from(months)))
}

#[cfg(test)]
mod tests;
