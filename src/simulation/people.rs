//! What people do about what they are told.
//!
//! Owns the hand that a person lends: it looks at the portal with its own eyes and gives the commands that the messages name, through the
//! same desk as the command line. A refused command is no fault: the person comes again later.

use jiff::{SignedDuration, Timestamp};

use super::crash;
use super::event::Event;
use super::file::Unwanted;
use super::life::{Daemon, Life};
use super::line::Dates;
use super::nature::People;
use super::oracle::Complaint;
use super::whims;
use crate::daemon::commands::{Asked, Desk, Refused};
use crate::daemon::sound::request_hash;
use crate::renewal::state::{Reason, TermState};
use crate::sandbox::{LedgerOrder, PlacedBy, Sandbox};
use crate::store::terms::DueTerm;

pub(super) fn failed(what: &dyn std::fmt::Display) -> Complaint {
    Complaint::new(format!("a person cannot: {what}"))
}

/// `init`: the whole list is read, and a person says yes.
pub(super) async fn bind(life: &mut Life) -> Result<(), Complaint> {
    let again = life.now() + SignedDuration::from_hours(1);
    let Some(mut engine) = life.engine.take() else {
        life.plan(again, Event::Bind);
        return Ok(());
    };
    crash::reset();
    // A portal that tells the time now and then has told it by now: one that never does cannot correct a clock.
    let dates = life.line.weather().dates;
    life.line.weather().dates = if dates == Dates::Never { dates } else { Dates::Always };
    let read = engine.read_whole_list().await.map_err(|e| failed(&e))?;
    life.line.weather().dates = dates;
    if let Ok(found) = read {
        if let Some(seal) = &engine.seal {
            seal.renew(&mut engine.store).await.map_err(|e| failed(&e))?;
        }
        engine.store.bind_account(engine.clock.now(), found).await.map_err(|e| failed(&e))?;
        life.oracle.bound = true;
    } else {
        life.plan(again, Event::Bind);
    }
    life.engine = Some(engine);
    Ok(())
}

/// Gives one command; false where it was refused.
pub(super) async fn ask(engine: &mut Daemon, asked: Asked) -> Result<bool, Complaint> {
    Ok(refused(engine, asked).await?.is_none())
}

/// The same; why it was refused.
async fn refused(engine: &mut Daemon, asked: Asked) -> Result<Option<String>, Complaint> {
    let (now, config) = (engine.clock.now(), std::sync::Arc::clone(&engine.config));
    let mut desk = Desk {
        store: &mut engine.store,
        config: &config,
        seal: engine.seal.as_ref(),
        po_prefix: &engine.po_prefix,
        now,
        by: "a person",
    };
    match desk.apply(asked).await {
        Ok(_) => Ok(None),
        Err(Refused::No(why)) => Ok(Some(why)),
        Err(error) => Err(failed(&error)),
    }
}

/// A person looks at everything that needs one.
pub(super) async fn visit(life: &mut Life) -> Result<(), Complaint> {
    life.visit_planned = false;
    life.figures.visits += 1;
    let Some(mut engine) = life.engine.take() else { return Ok(()) };
    crash::reset();
    let mut left = false;
    let waiting: Vec<i64> = sqlx::query_scalar("SELECT id FROM term WHERE remedy IS NOT NULL ORDER BY id")
        .fetch_all(&mut engine.store.conn)
        .await
        .map_err(|e| failed(&e))?;
    for id in waiting {
        if let Some(term) = engine.store.term(id).await.map_err(|e| failed(&e))? {
            life.say(|| format!("   a person looks at {} {} {:?}", term.name, term.state, term.reason));
            left |= !help(life, &mut engine, &term).await?;
        }
    }
    left |= !help_account(life, &mut engine).await?;
    life.engine = Some(engine);
    life.in_vain = if left { (life.in_vain + 1).min(4) } else { 0 };
    if left && life.nature.people != People::Absent && !life.visit_planned {
        life.visit_planned = true;
        life.plan(life.now() + SignedDuration::from_hours(20 << life.in_vain), Event::Visit);
    }
    Ok(())
}

/// What is not about one renewal: a pause, a database in doubt, a file that waits.
async fn help_account(life: &mut Life, engine: &mut Daemon) -> Result<bool, Complaint> {
    let account = engine.store.account().await.map_err(|e| failed(&e))?;
    if account.paused.is_some() {
        ask(engine, Asked::Resume).await?;
        life.oracle.resumed();
    }
    let mut done = true;
    if account.doubted.is_some() {
        done = ask(engine, Asked::AcceptDatabase).await?;
        life.say(|| format!("   a person accepts the database: {done}"));
    }
    if let Some(file) = engine.store.file_waiting().await.map_err(|e| failed(&e))? {
        ask(engine, Asked::AcceptFile { hash: file.hash }).await?;
        life.adopt_file_in_force(engine).await?;
    }
    Ok(done)
}

/// Does something about one term, or decides to look again later: then false.
async fn help(life: &mut Life, engine: &mut Daemon, term: &DueTerm) -> Result<bool, Complaint> {
    match (term.state, term.reason) {
        (TermState::Held, Some(Reason::ForeignOrder | Reason::ListLacks | Reason::Lapsed)) => foreign(life, engine, term).await,
        (TermState::Held, Some(Reason::DeadOrder)) => ask(engine, Asked::ResolveVoid { term: term.id }).await,
        (TermState::Held, Some(Reason::RefundedLater)) => refunded(life, engine, term).await,
        // One that looks like an old one is never approved here: the entry is put right instead.
        (TermState::AwaitingApproval, reason) if reason != Some(Reason::LooksLikeOld) => {
            let done = ask(engine, Asked::Approve { term: term.id, request_hash: request_hash(term) }).await?;
            if done && let Some((at, _)) = term_of(life, term) {
                let_go(life, at);
            }
            Ok(done)
        }
        (TermState::Unknown, _) => settle(life, engine, term).await,
        (TermState::Placed, Some(Reason::PendingLong)) => {
            let order = term.attempt.as_ref().and_then(|attempt| attempt.order_no.clone()).unwrap_or_default();
            drop(life.sandbox.set_status(&order, "succeed"));
            Ok(true)
        }
        (TermState::Placed, Some(Reason::NotListed)) => whose(life, engine, term).await,
        (TermState::Missed, _) => {
            if let Some((at, _)) = term_of(life, term) {
                whims::plan_to_go_on(life, at);
            }
            Ok(true)
        }
        (TermState::AwaitingApproval | TermState::Skipped, _) => Ok(true),
        _ => Ok(false),
    }
}

/// Whoever holds another year has not held the one that is let go.
fn let_go(life: &mut Life, at: usize) {
    life.plans[at].unwanted = life.plans[at].unwanted.filter(|unwanted| !matches!(unwanted, Unwanted::Held(_)));
}

/// `resolve --order-no` where one of the orders shown renews exactly this, whoever placed it; else `release`, with what was shown.
async fn foreign(life: &mut Life, engine: &mut Daemon, term: &DueTerm) -> Result<bool, Complaint> {
    let Some((at, k)) = term_of(life, term) else { return Ok(true) };
    // A person sees that the portal's list is not whole, and waits for it.
    if term.reason == Some(Reason::ListLacks) && !life.shows_all() {
        return Ok(false);
    }
    let since = if k == 0 { Timestamp::MIN } else { life.plans[at].deadline(k - 1, &life.zone) };
    let plan = &life.plans[at];
    let pays = |order: &&LedgerOrder| {
        term.candidates.contains(&order.order_no)
            && order.created_at >= since
            && plan.term_of(order.created_at, &life.zone) == k // a person knows which year it was for
            && plan.is_renewed_by(&order.request)
            && !is_dead(&order.status)
    };
    let paid = life.sandbox.with_orders(|orders| orders.iter().find(pays).cloned());
    if let Some(order) = &paid {
        let why = refused(engine, Asked::ResolveOrdered { term: term.id, order: order.order_no.clone() }).await?;
        match why {
            None => {}
            Some(why) if why.contains("renewd rebase") => {
                return whims::rebase_past(life, engine, at, k, term.subscription).await;
            }
            Some(_) => return Ok(false),
        }
    }
    let release = Asked::Release { term: term.id, orders: term.candidates.clone() };
    let done = paid.is_some() || ask(engine, release).await?;
    if done {
        // Who takes one of several has said nothing of the others.
        if paid.is_none() {
            life.oracle.dismiss(at, &term.candidates);
        }
        let_go(life, at);
    }
    if done && let Some(order) = paid {
        whims::took(life, at, k, &order.order_no);
        drop(life.sandbox.set_status(&order.order_no, "succeed")); // whoever finds it unpaid pays it
        if order.placed_by != PlacedBy::Us {
            life.plans[at].settled_by_people.push(k);
        }
    }
    Ok(done)
}

/// The renewal and the term of its chain.
pub(super) fn term_of(life: &Life, term: &DueTerm) -> Option<(usize, u32)> {
    let at = life.plans.iter().position(|plan| plan.names.contains(&term.name))?;
    let begins = |k: u32| life.plans[at].deadline(k, &life.zone).to_zoned(life.zone.clone()).date();
    Some((at, (0..super::file::MOST_TERMS).find(|k| begins(*k) >= term.span.starts_on)?))
}

/// The portal answered with an order that may be another's: its `poNumber` in the portal tells a person.
async fn whose(life: &mut Life, engine: &mut Daemon, term: &DueTerm) -> Result<bool, Complaint> {
    let Some(attempt) = &term.attempt else { return Ok(false) };
    let order = attempt.order_no.clone().unwrap_or_default();
    let is_right = life.sandbox.with_orders(|orders| {
        orders.iter().any(|o| o.order_no == order && o.request.po_number.as_deref() == Some(&attempt.po_number))
    });
    if is_right {
        return ask(engine, Asked::ResolveOrdered { term: term.id, order }).await;
    }
    let now = life.now();
    let own = |o: &&LedgerOrder| {
        o.request.po_number.as_deref() == Some(&attempt.po_number) && o.listed_from <= now && !is_dead(&o.status)
    };
    if let Some(own) = life.sandbox.with_orders(|orders| orders.iter().find(own).cloned()) {
        return ask(engine, Asked::ResolveOrdered { term: term.id, order: own.order_no }).await;
    }
    // Where A2 does not hold, a person has to know it from somewhere else.
    if life.nature.beyond_settle && is_on_its_way(&life.sandbox, &attempt.po_number) {
        return Ok(false);
    }
    ask(engine, Asked::ResolveVoid { term: term.id }).await
}

/// A paid order is not paid any more: a person pays it where it can be paid, else orders again or leaves it.
async fn refunded(life: &mut Life, engine: &mut Daemon, term: &DueTerm) -> Result<bool, Complaint> {
    let order = term.attempt.as_ref().and_then(|attempt| attempt.order_no.clone()).unwrap_or_default();
    let alive = life.sandbox.with_orders(|orders| orders.iter().any(|o| o.order_no == order && !is_dead(&o.status)));
    if alive {
        drop(life.sandbox.set_status(&order, "succeed"));
        return ask(engine, Asked::ResolveOrdered { term: term.id, order }).await;
    }
    if life.dice.chance(500) {
        return ask(engine, Asked::ResolveVoid { term: term.id }).await;
    }
    let done = ask(engine, Asked::Skip { term: term.id, early: false }).await?;
    if let Some((at, k)) = term_of(life, term).filter(|_| done) {
        life.plans[at].settled_by_people.push(k);
        life.plans[at].unwanted = Some(Unwanted::Skipped(life.now(), k));
        whims::plan_to_go_on(life, at);
    }
    Ok(done)
}

/// `resolve --order-no` or `--not-ordered`, by what the portal shows to a person: its list, no earlier than the daemon sees it.
async fn settle(life: &mut Life, engine: &mut Daemon, term: &DueTerm) -> Result<bool, Complaint> {
    let Some(attempt) = &term.attempt else { return Ok(false) };
    let now = life.now();
    let is_it = |order: &&LedgerOrder| order.request.po_number.as_deref() == Some(&attempt.po_number);
    let order = life.sandbox.with_orders(|orders| {
        orders.iter().filter(|order| order.listed_from <= now && !is_dead(&order.status)).find(is_it).cloned()
    });
    if let Some(order) = order {
        return ask(engine, Asked::ResolveOrdered { term: term.id, order: order.order_no }).await;
    }
    let patient = life.nature.people == People::Slow && now.duration_since(term.since) < SignedDuration::from_hours(50);
    // Where A2 does not hold, a person has to know it from somewhere else.
    if patient || (life.nature.beyond_settle && is_on_its_way(&life.sandbox, &attempt.po_number)) {
        return Ok(false);
    }
    let done = ask(engine, Asked::ResolveNotOrdered { term: term.id }).await?;
    if done {
        life.oracle.settled(attempt.id);
    }
    Ok(done)
}

fn is_on_its_way(sandbox: &Sandbox, po_number: &str) -> bool {
    sandbox.postponed().iter().any(|(_, body)| body.contains(po_number))
}

pub(super) fn is_dead(status: &str) -> bool {
    matches!(status, "cancelled" | "failed" | "refunded" | "invalid")
}
