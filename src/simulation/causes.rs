//! Liveness: nothing is held without cause.
//!
//! Owns, for every reason to hold or to wait, what must have happened in the world for it.

use super::figures::Figures;
use super::file::Plan;
use super::nature::Nature;
use super::oracle::Complaint;
use crate::sandbox::{PlacedBy, Sandbox};
use crate::store::Store;

/// Counts what was held, by reason, and complains about what had no cause.
pub(super) async fn check(
    store: &mut Store,
    sandbox: &Sandbox,
    plans: &[Plan],
    nature: &Nature,
    figures: &mut Figures,
) -> Result<(), Complaint> {
    let held: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT at, kind, renewal, coalesce(detail ->> 'reason', detail -> 'detail' ->> 'reason', '') FROM audit_log
         WHERE kind IN ('term.held', 'term.awaits_approval', 'term.unknown', 'term.waits', 'term.missed') ORDER BY seq",
    )
    .fetch_all(&mut store.conn)
    .await
    .map_err(|error| Complaint::new(format!("the oracle cannot read: {error}")))?;
    for (at, kind, renewal, reason) in held {
        let word = kind.trim_start_matches("term.");
        *figures.holds.entry(if reason.is_empty() { word.to_owned() } else { format!("{word}: {reason}") }).or_default() += 1;
        let Some(plan) = plans.iter().find(|plan| plan.names.contains(&renewal)) else {
            return Err(Complaint::new(format!("{renewal} was held, which is no renewal of this world")));
        };
        if !has_cause(&kind, &reason, plan, plans, sandbox, nature) {
            return Err(Complaint::new(format!("{renewal} was held without cause at {at}: {word} {reason}")));
        }
    }
    Ok(())
}

fn has_cause(kind: &str, reason: &str, plan: &Plan, plans: &[Plan], sandbox: &Sandbox, nature: &Nature) -> bool {
    let faults =
        nature.order_faults > 0 || nature.read_faults > 0 || nature.spells > 0 || nature.hides > 0 || nature.write_faults > 0;
    let crashes = nature.crashes > 0 || nature.wake_crashes > 0 || nature.stops > 0 || nature.clock_steps > 0;
    let hides = !nature.plain;
    let foreign = || {
        nature.restores > 0 || nature.bad_ends > 0 || nature.hides > 0 ||
            // One of ours that is carried out after it was held not to exist may pay the next year.
            nature.beyond_settle ||
        sandbox.with_orders(|orders| orders.iter().any(|o| o.placed_by != PlacedBy::Us && (hides || plan.looks_like(&o.request))))
            // An order of ours of unknown fate looks like anybody's where nothing tells whose it is.
            || hides && (faults || crashes)
            // Until the first order of one's own was read back, a partner's might be it.
            || plan.partner.is_none() && nature.strangers > 0
            // Details that cannot be read for a day say of no order whose it is.
            || nature.spells > 0 && nature.strangers > 0
            || plan.was_broken_off
            || plans.iter().filter(|other| other.looks_like(&plan.request(1))).count() > 1
    };
    match (kind, reason) {
        ("term.awaits_approval", "approval") => plan.manual,
        ("term.awaits_approval", "changed_since_approval") => nature.edits > 0,
        // A new name, or coming back, makes nothing new; only another identity does.
        ("term.awaits_approval", "looks_like_old") => {
            plans.iter().any(|other| other.was_broken_off && other.looks_like(&plan.request(1)))
        }
        ("term.awaits_approval", "not_ordered") => faults || crashes || nature.bad_ends > 0,
        ("term.held", "operator") => nature.whims > 0,
        ("term.held", "foreign_order" | "list_lacks") => foreign(),
        ("term.held", "dead_order" | "refunded_later" | "lapsed") => nature.bad_ends > 0,
        ("term.unknown", "finding_out" | "second_unknown") => faults || crashes,
        ("term.unknown", "no_evidence") => (faults || crashes) && (hides || !nature.calm),
        ("term.waits", "over_limit") => plans.len() > 1,
        ("term.waits", "refused") => nature.order_faults > 0,
        ("term.waits", "pending_long" | "not_listed") => true,
        ("term.missed", _) => !nature.calm,
        _ => false,
    }
}
