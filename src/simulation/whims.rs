//! What people do of their own accord: skip, hold, order early, pause; and let a chain that has ended go on.
//!
//! Owns when they do it and how they take it back. What they meant stands in the plan, where the oracle reads it.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::event::Event;
use super::file::Unwanted;
use super::life::{Daemon, Life};
use super::oracle::Complaint;
use super::people::{ask, failed, is_dead, term_of};
use crate::daemon::commands::Asked;
use crate::daemon::sound::request_hash;
use crate::renewal::state::TermState;
use crate::sandbox::{LedgerOrder, PlacedBy};
use crate::store::terms::DueTerm;

/// Who is refused this often gives up.
const MOST_TRIES: u32 = 20;

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Somebody has an idea about this renewal.
pub(super) async fn come(life: &mut Life, at: usize) -> Result<(), Complaint> {
    let kind = life.dice.below(5);
    if !life.plans[at].listed || life.plans[at].broken_off || life.plans[at].unwanted.is_some() {
        return Ok(());
    }
    let Some(mut engine) = life.engine.take() else { return Ok(()) };
    if let Some((subscription, term)) = current(life, &mut engine, at).await? {
        match kind {
            0 => skip(life, &mut engine, at, &term).await?,
            1 => hold(life, &mut engine, at, &term).await?,
            2 => order_early(life, &mut engine, at, &term).await?,
            3 => begin_anew(life, &mut engine, at, subscription).await?,
            _ => pause(life, &mut engine).await?,
        }
    }
    life.engine = Some(engine);
    Ok(())
}

async fn skip(life: &mut Life, engine: &mut Daemon, at: usize, term: &DueTerm) -> Result<(), Complaint> {
    let Some((_, k)) = term_of(life, term) else { return Ok(()) };
    if ask(engine, Asked::Skip { term: term.id, early: true }).await? {
        life.plans[at].settled_by_people.push(k);
        life.plans[at].unwanted = Some(Unwanted::Skipped(life.now(), k));
        life.figures.whims += 1;
        plan_to_go_on(life, at);
    }
    Ok(())
}

async fn hold(life: &mut Life, engine: &mut Daemon, at: usize, term: &DueTerm) -> Result<(), Complaint> {
    if ask(engine, Asked::Hold { term: term.id }).await? {
        life.plans[at].unwanted = Some(Unwanted::Held(life.now()));
        life.figures.whims += 1;
        plan_to_go_on(life, at);
    }
    Ok(())
}

/// Only where the calendar alone tells which term an order is for.
async fn order_early(life: &mut Life, engine: &mut Daemon, at: usize, term: &DueTerm) -> Result<(), Complaint> {
    let Some((_, k)) = term_of(life, term) else { return Ok(()) };
    let (now, plan) = (life.now(), &life.plans[at]);
    if term.state != TermState::Scheduled || plan.term_of(now - days(4), &life.zone) != k {
        return Ok(());
    }
    if ask(engine, Asked::Order { term: term.id, request_hash: request_hash(term), early: true }).await? {
        life.plans[at].early.push(k);
        life.figures.whims += 1;
    }
    Ok(())
}

/// Somebody says until when it is paid, although nobody asked; perhaps twice.
async fn begin_anew(life: &mut Life, engine: &mut Daemon, at: usize, subscription: i64) -> Result<(), Complaint> {
    if rebase(life, engine, at, subscription).await? {
        life.figures.whims += 1;
        if life.dice.chance(300) {
            rebase(life, engine, at, subscription).await?;
        }
    }
    Ok(())
}

async fn pause(life: &mut Life, engine: &mut Daemon) -> Result<(), Complaint> {
    if ask(engine, Asked::Pause { why: "a whim".to_owned() }).await? {
        life.oracle.paused(life.now());
        life.figures.whims += 1;
        let wait = SignedDuration::from_hours(life.dice.between(1, 200));
        life.plan(life.now() + wait, Event::Visit);
    }
    Ok(())
}

/// Most come back to it some day; the others take it out of the file.
pub(super) fn plan_to_go_on(life: &mut Life, at: usize) {
    if std::mem::replace(&mut life.plans[at].decided, true) {
        return;
    }
    let event = if life.dice.chance(700) { Event::GoOn(at, 0) } else { Event::Leave(at) };
    let wait = days(life.dice.between(1, 40));
    life.plan(life.now() + wait, event);
}

/// `release` of what a person held; `rebase` of a chain that has ended, to the next end of a term that is far enough away.
pub(super) async fn go_on(life: &mut Life, at: usize, tried: u32) -> Result<(), Complaint> {
    let done = match life.engine.take() {
        Some(mut engine) => {
            let done = try_to_go_on(life, &mut engine, at).await;
            life.engine = Some(engine);
            done?
        }
        None => false,
    };
    if !done && tried < MOST_TRIES {
        let wait = SignedDuration::from_hours(life.dice.between(5, 60));
        life.plan(life.now() + wait, Event::GoOn(at, tried + 1));
    }
    Ok(())
}

async fn try_to_go_on(life: &mut Life, engine: &mut Daemon, at: usize) -> Result<bool, Complaint> {
    if !life.plans[at].listed || life.plans[at].broken_off {
        return Ok(false);
    }
    let Some((subscription, term)) = current(life, engine, at).await? else { return Ok(false) };
    let done = match term.state {
        TermState::Held if matches!(life.plans[at].unwanted, Some(Unwanted::Held(_))) => {
            ask(engine, Asked::Release { term: term.id, orders: Vec::new() }).await?
        }
        TermState::Skipped | TermState::Missed => rebase(life, engine, at, subscription).await?,
        _ => true, // it goes on already, or another message is about it
    };
    if done {
        (life.plans[at].unwanted, life.plans[at].decided) = (None, false);
    }
    Ok(done)
}

/// Another order pays the `k`-th term, as a person knows, and the daemon cannot: the chain goes on from its end.
pub(super) async fn rebase_past(
    life: &mut Life,
    engine: &mut Daemon,
    at: usize,
    k: u32,
    subscription: i64,
) -> Result<bool, Complaint> {
    let to = life.plans[at].deadline(k + 1, &life.zone).to_zoned(life.zone.clone()).date();
    // Not one that a short month has cut: the new chain would have another day.
    if to.day() != life.plans[at].anchor.day() {
        return Ok(false);
    }
    let done = ask(engine, Asked::Rebase { subscription, to, why: "paid elsewhere".to_owned(), far: true }).await?;
    if done {
        went_on(life, at, k + 1);
    }
    Ok(done)
}

async fn rebase(life: &mut Life, engine: &mut Daemon, at: usize, subscription: i64) -> Result<bool, Complaint> {
    let Some((k, to)) = next_end(life, at) else { return Ok(true) };
    let done = ask(engine, Asked::Rebase { subscription, to, why: "it goes on".to_owned(), far: false }).await?;
    if done {
        went_on(life, at, k);
    }
    Ok(done)
}

/// Who says when it begins anew has looked at what was ordered for what was before; of several that can pay until then he has counted one at most, and what
/// pays from then on he has not.
fn went_on(life: &mut Life, at: usize, k: u32) {
    life.plans[at].settled_by_people.extend(0..k);
    let (there, seen) = others_before(life, at, k);
    life.oracle.dismiss(at, &seen);
    life.oracle.dismiss_one_of(at, there);
    life.figures.rebases += 1;
}

/// Who says what pays the `k`-th term takes one other at most for what pays until then, where ours does not.
pub(super) fn took(life: &mut Life, at: usize, k: u32, order: &str) {
    let plan = &life.plans[at];
    let ours = |o: &LedgerOrder| {
        o.placed_by == PlacedBy::Us && plan.is_renewed_by(&o.request) && plan.term_of(o.created_at, &life.zone) + 1 == k
    };
    if !life.sandbox.with_orders(|orders| orders.iter().any(|o| ours(o) && !is_dead(&o.status))) {
        let (mut there, _) = others_before(life, at, k);
        there.retain(|other| other != order);
        life.oracle.dismiss_one_of(at, there);
    }
}

/// What others ordered for what is before the `k`-th term: what can pay until that begins, and the rest.
fn others_before(life: &Life, at: usize, k: u32) -> (Vec<String>, Vec<String>) {
    let (plan, cycle) = (&life.plans[at], i64::from(life.plans[at].cycle().least_days()));
    let began = match k.checked_sub(1) {
        Some(before) => plan.deadline(before, &life.zone),
        None => plan.deadline(0, &life.zone) - days(cycle),
    };
    let (from, until) = (began - days(62.min(cycle / 2)), began + days(28.min(cycle / 4)));
    let others = life.sandbox.with_orders(|orders| {
        let for_it = |o: &&LedgerOrder| {
            let earlier = plan.term_of(o.created_at, &life.zone) < k || k == 0 && o.created_at < until;
            o.placed_by != PlacedBy::Us && plan.looks_like(&o.request) && earlier
        };
        orders.iter().filter(for_it).cloned().collect::<Vec<_>>()
    });
    let pays_until_then = |o: &LedgerOrder| !is_dead(&o.status) && (from..until).contains(&o.created_at);
    let (there, seen): (Vec<_>, Vec<_>) = others.into_iter().partition(pays_until_then);
    let numbers = |orders: Vec<LedgerOrder>| orders.into_iter().map(|o| o.order_no).collect();
    (numbers(there), numbers(seen))
}

/// The first end of a term that is at least ten days away. Not one that a short month has cut: the new chain would have another day.
fn next_end(life: &Life, at: usize) -> Option<(u32, Date)> {
    let plan = &life.plans[at];
    let date = |k: u32| plan.deadline(k, &life.zone).to_zoned(life.zone.clone()).date();
    let far = |k: &u32| plan.deadline(*k, &life.zone) > life.now() + days(10);
    let k = (0..super::file::MOST_TERMS).filter(far).find(|k| date(*k).day() == plan.anchor.day())?;
    Some((k, date(k)))
}

/// The subscription of a plan, and its term that is next.
async fn current(life: &Life, engine: &mut Daemon, at: usize) -> Result<Option<(i64, DueTerm)>, Complaint> {
    let plan = &life.plans[at];
    let known: Option<i64> =
        sqlx::query_scalar("SELECT id FROM subscription WHERE item_id = $1 AND partner_id = $2 AND batch = ''")
            .bind(plan.item.to_string())
            .bind(plan.partner.map(|id| id.to_string()).unwrap_or_default())
            .fetch_optional(&mut engine.store.conn)
            .await
            .map_err(|e| failed(&e))?;
    let Some(id) = known else { return Ok(None) };
    Ok(engine.store.current_term(id).await.map_err(|e| failed(&e))?.map(|term| (id, term)))
}
