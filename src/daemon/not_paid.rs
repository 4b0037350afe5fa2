//! What people are told of an order of ours that does not pay: unpaid, dead, refunded, not shown.
//!
//! Owns the sentences, and the commands that they name. Decides nothing: that is `follow.rs`.

use super::own;
use super::words::Plight;
use crate::renewal::state::Reason;
use crate::store::attempts::Attempt;
use crate::store::terms::DueTerm;

/// A word that nobody here knows: only a person can say what it means.
pub(super) fn other_word(term: &DueTerm, order: &str, status: Option<&str>) -> Plight {
    let detail = match status.filter(|word| !word.is_empty()) {
        Some(word) => {
            format!(
                "order {order} is {word:?}, which is no word for paid or cancelled that is known here; it counts as not renewed"
            )
        }
        None => format!("the portal does not say whether order {order} is paid; it counts as not renewed"),
    };
    let remedy = format!(
        "look at order {order} in the portal, then: renewd resolve {0} --order-no {order} (it is paid) or renewd resolve {0} --void (it is dead)",
        term.typed()
    );
    Plight { reason: Reason::PendingLong, detail, remedy, orders: Vec::new() }
}

/// `beside`: an order of somebody else for the same. Whoever paid ours as well, as he was told to for days, had paid twice.
pub(super) fn unpaid(term: &DueTerm, attempt: &Attempt, status: Option<&str>, beside: Option<&str>) -> Plight {
    let (name, order) = (term.typed(), attempt.order_no.as_deref().unwrap_or_default());
    let (status, since) = (status.unwrap_or("unpaid"), attempt.created_at);
    let detail = format!("order {order} is {status} since {since}; it is not renewed until it is paid");
    let (detail, remedy) = match beside {
        Some(other) => (
            format!("{detail}, but somebody else's order {other} is for the same product and customer"),
            format!(
                "look at order {other} in the portal: if it renews this, cancel order {order} there, else pay it; see: renewd history {name}"
            ),
        ),
        None => (detail, format!("pay order {order} in the portal, or cancel it there; see: renewd history {name}")),
    };
    Plight { reason: Reason::PendingLong, detail, remedy, orders: Vec::new() }
}

/// It was accepted, and nobody can see it.
pub(super) fn not_listed(term: &DueTerm, order: &str) -> Plight {
    Plight {
        reason: Reason::NotListed,
        detail: format!("order {order} was accepted but does not show in the portal's order list, or has no details there"),
        remedy: format!(
            "look for order {order} in the portal, then: renewd resolve {} --order-no {order} or --void",
            term.typed()
        ),
        orders: Vec::new(),
    }
}

/// `row`: what the list says, where it says otherwise than the details. `beside`: as for [`unpaid`].
pub(super) fn dead(term: &DueTerm, order: &str, status: &str, row: Option<&str>, beside: Option<&str>) -> Plight {
    let (only, first) = match row {
        Some(row) => (
            format!(" by its details, and {row} in the list"),
            format!("look at order {order} in the portal, and cancel it there if it can still be paid; then: "),
        ),
        None => (String::new(), String::new()),
    };
    let detail = format!("order {order} is {status} in the portal{only}; the term is not renewed");
    let remedy = format!("renewd resolve {0} --void (frees the term for a new order) or renewd skip {0}", term.typed());
    Plight {
        reason: Reason::DeadOrder,
        detail,
        remedy: format!("{first}{}{remedy}", taken_over(term, beside)),
        orders: Vec::new(),
    }
}

/// It had succeeded.
pub(super) fn refunded(term: &DueTerm, order: &str, status: &str, beside: Option<&str>) -> Plight {
    let name = term.typed();
    let remedy = format!("renewd resolve {name} --void or --order-no {order}");
    Plight {
        reason: Reason::RefundedLater,
        detail: own::not_paid_any_more(order, status),
        remedy: format!("look at order {order} in the portal, then: {}{remedy}", taken_over(term, beside)),
        orders: Vec::new(),
    }
}

/// Whoever knows nothing of it skips what somebody else has renewed, and ends the chain by that.
fn taken_over(term: &DueTerm, beside: Option<&str>) -> String {
    beside
        .map(|other| format!("renewd resolve {} --order-no {other} (somebody else's, if it renews this); else ", term.typed()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
