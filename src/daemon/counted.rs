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
use super::sound::named;
use crate::calendar;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::state::Reason;
use crate::store::StoreError;
use crate::store::terms::DueTerm;

/// So long before its term begins an order is hardly made.
pub(super) const BEFORE: SignedDuration = SignedDuration::from_hours(62 * 24);

/// What a person accounts for by beginning another chain.
#[derive(Default)]
pub(super) struct Counted {
    /// What he had looked at for the term before.
    looked_at: Vec<String>,
    /// What pays until it begins.
    pub(super) pay: Vec<Listed>,
    /// What is known and not accounted for.
    hold: Vec<Listed>,
}

impl Counted {
    pub(super) fn keys(&self) -> Vec<String> {
        self.looked_at.iter().cloned().chain(self.pay.iter().map(|order| order.key.clone())).collect()
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
    /// that he was shown what had ended before. Of several nobody can say which he means, and one that pays on from `to` holds: they are named.
    pub(super) async fn counted(&mut self, term: &DueTerm, to: Date) -> Result<Counted, Refused> {
        let unpaid = self.store.unpaid(term.id).await?;
        let months = term.standing.cycle_months;
        let began = calendar::deadline(to.saturating_sub(Span::new().months(i64::from(months))), &self.config.zone);
        let since = unpaid.previous_order_at.unwrap_or_else(|| after(began.unwrap_or(self.now), -before(months)));
        let (shown, mut counted) = (foreign(term), Counted { looked_at: term.dismissed.clone(), ..Counted::default() });
        let mut there = Vec::new();
        for order in self.store.foreign_since(since, self.now, self.po_prefix).await? {
            let (is_shown, looked_at) = (shown.contains(&order.key), term.dismissed.contains(&order.key));
            let paid = evidence::is_paid(order.status.as_deref()) && names(&order, term);
            match ends(&order, term, to) {
                _ if !is_shown && !paid || evidence::is_dead(order.status.as_deref()) => {}
                Ends::Earlier | Ends::Unknown if is_shown => counted.pay.push(order),
                Ends::There if looked_at => counted.pay.push(order),
                _ if looked_at => {}
                Ends::There => there.push(order),
                Ends::Earlier | Ends::Unknown | Ends::Later => counted.hold.push(order),
            }
        }
        let half = Span::new().days(15 * i64::from(months));
        let ours_pays = unpaid.paid_by_us && to < unpaid.from.saturating_add(half);
        match there.as_slice() {
            [one] if !ours_pays && !self.another_paid_until_then(term, one).await? => counted.pay.append(&mut there),
            _ => counted.hold.append(&mut there),
        }
        Ok(counted)
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
    /// Where nothing was counted by name, because nobody had read it yet: the one order that was made before the chain was begun. Takes it out of what was
    /// `found` to hold `term`. `ours_at`: what was made before that is what another window finds only.
    pub(super) async fn count_what_pays_until_then(
        &mut self,
        term: &DueTerm,
        foreign: &[Listed],
        ours_at: Timestamp,
        found: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let unpaid = self.store.unpaid(term.id).await?;
        let before = |order: &&Listed| found.contains(&order.key) && order.created_at.is_some_and(|at| at < unpaid.begun_at);
        let before: Vec<&Listed> = foreign.iter().filter(before).collect();
        let [only @ Listed { created_at: Some(made), .. }] = before.as_slice() else { return Ok(()) };
        let counts = *made < ours_at
            || matches!(ends(only, term, unpaid.from), Ends::There)
                && evidence::is_paid(only.status.as_deref())
                && names(only, term);
        if unpaid.rebased
            && !unpaid.paid_by_us
            && counts
            && !self.store.is_revived(only.mark, unpaid.begun_at).await?
            && self.store.counted_before(term.id, &self.po_prefix).await?.is_empty()
            && !pays::pays_before(&mut self.store, term, *made, *made, (self.clock.now(), &self.po_prefix)).await?
        {
            found.retain(|other| *other != only.key);
        }
        Ok(())
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
    let own = order.facts.months.first().filter(|first| order.facts.months.iter().all(|months| months == *first));
    let months = own.and_then(|months| u16::try_from(*months).ok()).unwrap_or(term.standing.cycle_months);
    let began = to.saturating_sub(Span::new().months(i64::from(months)));
    if made < began.saturating_sub(before(months)) {
        Ends::Earlier
    } else if made <= began.saturating_add(Span::new().days(7 * i64::from(months.min(4)))) {
        Ends::There
    } else {
        Ends::Later
    }
}

/// So long before its term begins an order is hardly made.
pub(super) fn before(months: u16) -> SignedDuration {
    BEFORE.min(SignedDuration::from_hours(24 * 15 * i64::from(months)))
}

#[cfg(test)]
mod tests;
