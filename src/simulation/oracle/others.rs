//! What others have renewed, and what of it people have accounted for.

use jiff::SignedDuration;

use super::{Complaint, Oracle, must};
use crate::sandbox::{LedgerOrder, PlacedBy};
use crate::simulation::file::Plan;
use crate::simulation::people::is_dead;

impl Oracle {
    /// A person says until when it is paid, which one of these at most can be for.
    pub(in crate::simulation) fn dismiss_one_of(&mut self, plan: usize, keys: Vec<String>) {
        self.counted.entry(plan).or_default().push(keys);
    }

    /// R11: nothing is bought that somebody else was seen to have renewed, unless a person said so.
    pub(super) fn not_renewed_by_others(
        &self,
        all: &[LedgerOrder],
        order: &LedgerOrder,
        at: usize,
        plans: &[Plan],
    ) -> Result<(), Complaint> {
        let plan = &plans[at];
        let k = plan.term_of(order.created_at, &self.zone);
        // What a person took instead of ours is accounted for by itself, and by nothing else.
        let ours = |o: &&LedgerOrder| {
            o.placed_by == PlacedBy::Us && plan.is_renewed_by(&o.request) && plan.term_of(o.created_at, &self.zone) < k
        };
        let before = all.iter().filter(ours).map(|o| o.created_at).max();
        let first_paid_began =
            plan.deadline(0, &self.zone) - SignedDuration::from_hours(24 * i64::from(plan.cycle().least_days()) - 48);
        let since = before.map_or(first_paid_began, |at| at + SignedDuration::from_mins(2));
        let dead_since = since - SignedDuration::from_hours(24 * i64::from(plan.cycle().least_days()));
        let seen_by =
            order.created_at - SignedDuration::from_mins(2) - SignedDuration::try_from(self.nature.settle()).unwrap_or_default();
        let dismissed = self.dismissed.get(&at);
        let for_it = |other: &&LedgerOrder| {
            other.placed_by != PlacedBy::Us
                && plan.looks_like(&other.request)
                && match self.revived.get(&other.order_no) {
                    Some(at) => *at >= since && other.created_at >= dead_since && other.listed_from.max(*at) <= seen_by,
                    None => other.created_at >= since && other.listed_from <= seen_by,
                }
                && !is_dead(&other.status)
                && !dismissed.is_some_and(|keys| keys.contains(&other.order_no))
        };
        let mut counted = self.counted.get(&at).cloned().unwrap_or_default();
        let renewed = all.iter().filter(for_it).find(|other| {
            let one_of = counted.iter().position(|keys| keys.contains(&other.order_no));
            one_of.map(|one_of| counted.swap_remove(one_of)).is_none()
        });
        // What the portal carries out after its settle (A2 broken) was sent before.
        must(renewed.is_none() || self.misleads() || self.nature.beyond_settle, || {
            format!("order {} was placed although {} had renewed it", order.order_no, renewed.map_or("", |o| &o.order_no))
        })
    }

    /// A portal that shows another customer on every order hides what others have renewed, until the first of ours was read back.
    fn misleads(&self) -> bool {
        self.nature.misleads
    }
}
