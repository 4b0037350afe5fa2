//! What people are told, and the audit rows that go with it.
//!
//! Owns the sentences: what happened, to which renewal, by when it matters, and which command to run. Written once, for the
//! `attention` view, the messages and the log alike.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::portal::read_error::ReadError;
use crate::renewal::chain;
use crate::renewal::state::{Reason, TermState};
use crate::store::attempts::Attempt;
use crate::store::audit::Happened;
use crate::store::moves::{Move, Write};
use crate::store::outbox::Message;
use crate::store::terms::DueTerm;
use crate::store::unheard::Standing;

/// A sentence for people and the command that helps.
#[derive(Debug, Clone)]
pub(super) struct Plight {
    pub(super) reason: Reason,
    pub(super) detail: String,
    pub(super) remedy: String,
    /// The orders that hold it, if any do.
    pub(super) orders: Vec<String>,
}

/// Whether the portal said no, rather than being away: told at once, because waiting does not help.
pub(super) fn is_refusal(error: &ReadError) -> bool {
    matches!(
        error,
        ReadError::Unauthorized { .. } | ReadError::Forbidden { .. } | ReadError::NotFound { .. } | ReadError::Refused { .. }
    )
}

/// An audit row about `term`.
pub(super) fn event(kind: &'static str, term: &DueTerm, detail: serde_json::Value) -> Happened {
    let attempt = term.attempt.as_ref();
    Happened {
        kind,
        subscription: Some(term.subscription),
        renewal: Some(term.name.clone()),
        po_number: attempt.map(|a| a.po_number.clone()),
        order_no: attempt.and_then(|a| a.order_no.clone()),
        transaction_no: attempt.and_then(|a| a.transaction_no.clone()),
        detail,
    }
}

/// A message about `term`; the same cause is told at most once an hour.
pub(super) fn message(term: &DueTerm, cause: &str, what: &str, command: &str) -> Message {
    Message {
        cause: format!("term:{}:{cause}", term.id),
        renewal: Some(term.name.clone()),
        what: format!("{}: {what}", term.name),
        by: Some(term.moments.deadline_at),
        command: Some(command.to_owned()),
    }
}

/// Moves `term` into a state that a person sees, and tells, unless it stood there for the same reason already.
pub(super) fn trouble(term: &DueTerm, to: TermState, plight: &Plight, step: Move, write: &mut Write) {
    let known = term.state == to && term.reason == Some(plight.reason) && term.detail.as_deref() == Some(plight.detail.as_str());
    if !known {
        let kind = match to {
            TermState::Held => "term.held",
            TermState::AwaitingApproval => "term.awaits_approval",
            TermState::Unknown => "term.unknown",
            _ => "term.waits",
        };
        write.events.push(event(
            kind,
            term,
            json!({"reason": plight.reason.word(), "detail": plight.detail, "what_to_do": plight.remedy}),
        ));
        write.messages.push(message(term, plight.reason.word(), &plight.detail, &plight.remedy));
        tracing::warn!(renewal = term.name, reason = plight.reason.word(), "{}; {}", plight.detail, plight.remedy);
    }
    let mut step = step;
    step.to = to;
    step.reason = Some(plight.reason);
    step.detail = Some(plight.detail.clone());
    step.remedy = Some(plight.remedy.clone());
    step.candidates.clone_from(&plight.orders);
    write.moves.push(step);
}

/// The deadline passed without an order.
pub(super) fn missed(term: &DueTerm, now: Timestamp, write: &mut Write) {
    let detail = format!("the deadline passed on {} without an order; nothing is ordered for it any more", term.span.starts_on);
    let remedy = after_the_last_chance(term);
    let plight = Plight { reason: Reason::DeadlinePassed, detail, remedy, orders: Vec::new() };
    write.events.push(event("term.missed", term, json!({"was": term.state.word(), "because": term.detail})));
    write.messages.push(message(term, "missed", &plight.detail, &plight.remedy));
    // Said again every week until it is settled: somebody is not renewed.
    let step = Move { warn_at: chain::next_warning(term.moments.deadline_at, now), ..Move::of(term, TermState::Missed) };
    write.moves.push(Move { reason: Some(plight.reason), detail: Some(plight.detail), remedy: Some(plight.remedy), ..step });
}

/// A deadline warning: what stands in the way, and since when.
pub(super) fn warning(term: &DueTerm, now: Timestamp, zone: &TimeZone) -> Message {
    let left = days_left(term.moments.deadline_at, now);
    let why = term.detail.clone().unwrap_or_else(|| format!("it is {}", term.state.word().replace('_', " ")));
    let since = term.since.to_zoned(zone.clone()).date();
    let what = format!("not renewed yet, {left}: {why} (since {since})");
    let command = term.remedy.clone().unwrap_or_else(|| what_helps(term));
    Message { cause: format!("term:{}:deadline:{left}", term.id), ..message(term, "deadline", &what, &command) }
}

fn days_left(deadline: Timestamp, now: Timestamp) -> String {
    // Rounded up, so that the warning one day before says "1 day" and not "0".
    let hours = deadline.duration_since(now).as_hours();
    match hours {
        ..=-24 => format!("the deadline was {} days ago", -hours / 24),
        -23..=0 => "the deadline is now".to_owned(),
        1..=24 => "the deadline is within a day".to_owned(),
        _ => format!("the deadline is in {} days", (hours + 23) / 24),
    }
}

/// What a person does about a term that waits without needing one yet.
fn what_helps(term: &DueTerm) -> String {
    let name = term.typed();
    match term.reason {
        Some(Reason::PortalTrouble | Reason::NotSent | Reason::Refused) => {
            format!("renewd check --online; what was tried: renewd history {name}")
        }
        Some(Reason::OverLimit) => "raise [limits] in the file, or wait until its turn comes: renewd plan".to_owned(),
        Some(Reason::Canary) => "settle the first order of its kind, which it waits for, or wait: renewd status".to_owned(),
        Some(Reason::LookAlike) => "settle the order that looks the same, or wait: renewd status".to_owned(),
        _ if term.state == TermState::Placed => {
            format!("look in the portal whether its order is paid; what happened: renewd history {name}")
        }
        _ => format!("renewd history {name}"),
    }
}

/// What can still be done once no order can be made for a term any more.
pub(super) fn after_the_last_chance(term: &DueTerm) -> String {
    let name = term.typed();
    format!("renewd rebase {name} DATE ({DATE}); if it was renewed elsewhere: renewd resolve {name} --order-no X")
}

/// Its order was paid when its term had long begun.
pub(super) fn paid_late(term: &DueTerm, attempt: &Attempt) -> Message {
    let what = format!(
        "order {} is paid by now, and what was paid before had ended on {}; it counts as paid until {}",
        attempt.order_no.as_deref().unwrap_or_default(),
        term.span.starts_on,
        term.span.ends_on
    );
    let command = format!("look in the portal until when it is paid; if later: renewd rebase {} DATE ({DATE})", term.typed());
    message(term, "paid_late", &what, &command)
}

/// What `DATE` of `rebase` means.
pub(super) const DATE: &str = "DATE is the day on which what is paid ends";

/// A term that no order can be made for any more, and that still names a command which leads nowhere: the move that names what helps.
pub(super) fn too_late(term: &DueTerm, now: Timestamp) -> Option<Move> {
    let waits = matches!(term.state, TermState::Held | TermState::AwaitingApproval) && term.attempt.is_none();
    let last = chain::last_chance(term.moments.deadline_at, term.standing.grace_days);
    let mut remedy = after_the_last_chance(term);
    if term.reason == Some(Reason::Operator) {
        remedy = format!("renewd release {}, then: {remedy}", term.typed());
    }
    if !waits || now < last || term.remedy.as_deref() == Some(remedy.as_str()) {
        return None;
    }
    Some(Move {
        reason: term.reason,
        detail: term.detail.clone(),
        remedy: Some(remedy),
        act_at: term.act_at,
        candidates: term.candidates.clone(),
        ..Move::of(term, term.state)
    })
}

/// A notice that was told before, and still stands.
pub(super) fn still(standing: &Standing, zone: &TimeZone) -> Message {
    let notice = &standing.notice;
    let since = standing.since.to_zoned(zone.clone()).date();
    Message {
        cause: format!("still:{}", notice.key),
        renewal: notice.renewal.clone(),
        what: format!("{} (since {since})", notice.reason),
        by: standing.by,
        command: Some(notice.what_to_do.clone()),
    }
}
