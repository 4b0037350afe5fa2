//! What happens in a world beside the daemon: strangers order, weather changes, files are edited, clocks are set, machines stop.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::event::Event;
use super::life::{Life, YEARS};
use super::line::Spell;
use super::nature::People;
use super::oracle::{Complaint, News};
use super::{people, whims};
use crate::sandbox::settings::{Echo, Hides, Shows};
use crate::sandbox::{Foreign, LedgerOrder, PlacedBy, SUCCEED};

const SPELLS: [Spell; 8] = [
    Spell::Unwell,
    Spell::WrongCredentials,
    Spell::TooMany,
    Spell::Garbage,
    Spell::NoList,
    Spell::NoDetails,
    Spell::NoTokens,
    Spell::Unreachable,
];

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Everything that is certain from the start.
pub(super) fn draw(life: &mut Life) {
    life.plan(life.begin(), Event::Boot);
    let bind = if life.nature.unbound { life.dice.between(1, 400) } else { 0 };
    life.plan(life.begin() + hours(bind), Event::Bind);
    deadlines(life);
    let nature = life.nature.clone();
    often(life, nature.strangers, |_| Event::Stranger);
    for plan in 0..life.plans.len() {
        often(life, nature.customers, |_| Event::Customer(plan));
    }
    often(life, nature.spells, |life| {
        let length = life.dice.between(1, 90);
        Event::Spell(*life.dice.pick(&SPELLS), Duration::from_hours(length.unsigned_abs()))
    });
    often(life, nature.spells, |_| Event::Revoke);
    often(life, nature.hides, |life| Event::Hides(hours(life.dice.between(1, 90))));
    often(life, if nature.restores > 0 { 6 } else { 0 }, |_| Event::Backup);
    if let Some(later) = nature.later {
        let at = life.begin() + SignedDuration::from_secs(near_a_deadline(life));
        life.plan(at, Event::Changes(later));
    }
    often(life, nature.edits, |life| Event::Edit(usize::try_from(life.dice.below(life.plans.len() as u64)).unwrap_or(0)));
    for plan in 0..life.plans.len() {
        often(life, nature.whims, |_| Event::Whim(plan));
    }
    often(life, nature.stops, |life| Event::Stop(SignedDuration::from_mins(life.dice.between(1, 3000))));
    often(life, nature.clock_steps, |life| {
        let minutes = *life.dice.pick(&[20, -20, 55, 120, -120, 1440, -4320, 600_000, -600_000, -15_000_000]);
        Event::Skew(SignedDuration::from_mins(minutes))
    });
}

fn deadlines(life: &mut Life) {
    for at in 0..life.plans.len() {
        for k in 0.. {
            let deadline = life.plans[at].deadline(k, &life.zone);
            if deadline >= life.end() {
                break;
            }
            life.plan(deadline - hours(87), Event::Mark(at, k));
            life.plan(deadline, Event::Deadline(at, k));
        }
    }
}

/// Enters events of one kind, so many a year, more of them when something is due.
fn often(life: &mut Life, per_year: u32, event: impl Fn(&mut Life) -> Event) {
    for _ in 0..i64::from(per_year) * YEARS {
        let at = if life.dice.chance(600) { near_a_deadline(life) } else { life.dice.between(3600, YEARS * 365 * 86_400) };
        let (at, event) = (life.begin() + SignedDuration::from_secs(at), event(life));
        life.plan(at, event);
    }
}

fn near_a_deadline(life: &mut Life) -> i64 {
    let at = usize::try_from(life.dice.below(life.plans.len() as u64)).unwrap_or(0);
    let terms = YEARS * 12 / i64::from(life.plans[at].cycle().in_months());
    let k = u32::try_from(life.dice.between(0, terms - 1)).unwrap_or(0);
    let deadline = life.plans[at].deadline(k, &life.zone);
    let before = life.dice.between(0, i64::from(life.plans[at].lead + 2) * 86_400);
    (deadline.duration_since(life.begin()).as_secs() - before).max(3600)
}

/// Lets `event` happen.
pub(super) async fn happen(life: &mut Life, event: Event) -> Result<(), Complaint> {
    match event {
        Event::Boot => return life.boot().await,
        Event::Stop(span) => life.stop(span),
        Event::Bind => return people::bind(life).await,
        Event::Stranger => stranger(life),
        Event::Customer(plan) => customer(life, plan),
        Event::Spell(spell, length) => {
            let length = SignedDuration::try_from(length).unwrap_or_default();
            let now = life.now();
            life.line.weather().spell = Some((spell, now + length));
            life.oracle.blind(now, length);
        }
        Event::Changes(shows) => life.sandbox.change(|settings| {
            settings.list.details = shows;
            if settings.list.row != Shows::each(Echo::Absent) {
                settings.list.row = shows;
            }
        }),
        Event::Hides(span) => return hide(life, span).await,
        Event::ShowsAll => life.sandbox.change(|settings| settings.list.hides = Hides::Nothing),
        Event::Backup => return life.back_up().await,
        Event::Restore => return life.restore().await,
        Event::Revoke => life.sandbox.revoke_tokens(),
        Event::Edit(plan) => return edit(life, plan).await,
        Event::Return(plan) => return take_back(life, plan).await,
        Event::Skew(skew) => step_clock(life, skew),
        Event::Mark(plan, k) => return mark(life, plan, k).await,
        Event::Deadline(plan, k) => return deadline(life, plan, k).await,
        Event::Visit => return people::visit(life).await,
        Event::Whim(plan) => return whims::come(life, plan).await,
        Event::GoOn(plan, tried) => return whims::go_on(life, plan, tried).await,
        Event::Leave(plan) => return leave(life, plan).await,
        Event::Status(order, status) => {
            let now = life.now();
            life.oracle.ended_badly(&order, now);
            drop(life.sandbox.set_status(&order, status));
            if people::is_dead(status) && life.dice.chance(300) {
                let wait = hours(life.dice.between(1, 24 * 20));
                life.plan(now + wait, Event::Revival(order));
            }
        }
        Event::Revival(order) => revive(life, &order),
    }
    Ok(())
}

async fn mark(life: &mut Life, plan: usize, k: u32) -> Result<(), Complaint> {
    let now = life.now();
    life.oracle.note(now, life.engine.is_some(), life.line.weather().clocks.skew);
    let Some(engine) = &mut life.engine else { return Ok(()) };
    life.oracle.mark(&mut engine.store, plan, k).await
}

async fn deadline(life: &mut Life, plan: usize, k: u32) -> Result<(), Complaint> {
    let now = life.now();
    let skew = life.line.weather().clocks.skew;
    let Some(engine) = &mut life.engine else {
        life.figures.nobody_could_tell += 1;
        return Ok(());
    };
    life.oracle.deadline(&mut engine.store, &life.sandbox, &life.plans[plan], (plan, k), now, skew, &mut life.figures).await
}

/// The list hides orders: `total` gives it away, or it shows our newest order no more, or they are so young that they need not show (A1).
async fn hide(life: &mut Life, span: SignedDuration) -> Result<(), Complaint> {
    let now = life.now();
    // Less than a settle from the moment at which an order was made, as if it had not been listed yet.
    let young = Hides::YoungerThan(life.nature.settle().saturating_sub(Duration::from_mins(1)));
    let hides = match life.dice.below(4) {
        0 => Hides::Rows(usize::try_from(life.dice.between(1, 3)).unwrap_or(1)),
        1 => Hides::PagesFrom(u32::try_from(life.dice.between(1, 2)).unwrap_or(1)),
        2 => young,
        // Of what an older database has forgotten it cannot miss anything.
        _ if life.nature.restores > 0 => young,
        _ => newest_of_ours(life).await?.map_or(young, Hides::MadeFrom),
    };
    life.say(|| format!("   the list hides {hides:?}"));
    life.sandbox.change(|settings| settings.list.hides = hides);
    life.oracle.blind(now, span);
    life.plan(now + span, Event::ShowsAll);
    Ok(())
}

/// When the newest order that the daemon has seen in the list as ours was made.
async fn newest_of_ours(life: &mut Life) -> Result<Option<Timestamp>, Complaint> {
    let Some(engine) = &mut life.engine else { return Ok(None) };
    let newest = engine.store.newest_listed_of_ours().await.map_err(|error| people::failed(&error))?;
    Ok(newest.and_then(|newest| {
        life.sandbox.with_orders(|orders| orders.iter().find(|o| newest.names.contains(&o.order_no)).map(|o| o.created_at))
    }))
}

/// Somebody else's order, for somebody else, perhaps dead.
fn stranger(life: &mut Life) {
    let at = usize::try_from(life.dice.below(life.plans.len() as u64)).unwrap_or(0);
    let mut plan = life.plans[at].clone();
    plan.partner = Some(3_076_915_000_000_000_000 + life.dice.below(5));
    plan.serial = plan.serial.map(|_| format!("9999{}", life.dice.below(5)));
    let status = *life.dice.pick(&["succeed", "succeed", "pending", "cancelled"]);
    let foreign = Foreign {
        by: PlacedBy::Colleague,
        request: plan.request(life.dice.below(30) + 1),
        status: status.into(),
        created_at: None,
    };
    life.sandbox.add_foreign(foreign);
    life.figures.strangers += 1;
}

/// The customer, or a colleague, renews what is ours; or tried to.
fn customer(life: &mut Life, plan: usize) {
    let by = *life.dice.pick(&[PlacedBy::Customer, PlacedBy::Colleague]);
    let status = life.dice.weighed(&[(6, SUCCEED.as_ref()), (2, "pending"), (2, "cancelled")]).to_owned();
    let mut request = life.plans[plan].request(u64::from(life.plans[plan].quantity));
    if life.dice.chance(300) {
        request.service_list[0].service_id = crate::ids::PortalId::known(3_375_819_276_601_309_999);
    }
    let dead = people::is_dead(&status);
    let order = life.sandbox.add_foreign(Foreign { by, request, status: status.into(), created_at: None });
    life.figures.strangers += 1;
    // He clicks twice, or a colleague does it as well.
    if life.dice.chance(200) {
        let wait = SignedDuration::from_mins(life.dice.between(1, 60 * 72));
        life.plan(life.now() + wait, Event::Customer(plan));
    }
    if dead && life.dice.chance(500) {
        let wait = hours(life.dice.between(1, 24 * 30));
        life.plan(life.now() + wait, Event::Revival(order.order_no));
    }
}

fn step_clock(life: &mut Life, skew: SignedDuration) {
    life.figures.clock_steps += 1;
    let now = life.now();
    life.oracle.note(now, life.engine.is_some(), skew);
    let mut weather = life.line.weather();
    weather.clocks.skew = skew;
    weather.clocks.set(now);
    drop(weather);
    if skew != SignedDuration::ZERO {
        let hours_off = life.dice.between(0, 40);
        life.plan(now + SignedDuration::from_mins(60 * hours_off + 7), Event::Skew(SignedDuration::ZERO));
        if life.dice.chance(500) {
            life.stop(SignedDuration::from_secs(30)); // a wrong clock at boot
        }
    }
}

async fn edit(life: &mut Life, at: usize) -> Result<(), Complaint> {
    life.figures.edits += 1;
    let kind = life.dice.below(8);
    let back = life.now() + hours(life.dice.between(1, 24 * 20));
    let (lead, quantity) = (*life.dice.pick(&[3, 7, 10, 14]), u32::try_from(life.dice.between(1, 60)).unwrap_or(1));
    let days = *life.dice.pick(&[1, -1, 30, 365, -365]);
    let name = format!("{}x", life.plans[at].name());
    let plan = &mut life.plans[at];
    match kind {
        0 | 1 => plan.names.push(name),
        2 => plan.quantity = quantity,
        3 => {
            plan.lead = lead;
            plan.longest_lead = plan.longest_lead.max(lead);
        }
        4 | 5 => {
            plan.written = plan.anchor + jiff::ToSpan::days(days);
            life.plan(back, Event::Return(at));
        }
        6 => {
            plan.batch = Some("b".to_owned());
            (plan.broken_off, plan.was_broken_off) = (true, true);
            life.plan(back, Event::Return(at));
        }
        _ => {
            plan.listed = false;
            life.plan(back, Event::Return(at));
        }
    }
    life.reload().await
}

/// Or people would hear of it every week.
async fn leave(life: &mut Life, at: usize) -> Result<(), Complaint> {
    life.figures.edits += 1;
    life.plans[at].listed = false;
    life.reload().await
}

async fn take_back(life: &mut Life, at: usize) -> Result<(), Complaint> {
    let plan = &mut life.plans[at];
    plan.written = plan.anchor;
    plan.listed = true;
    plan.batch = None;
    plan.broken_off = false;
    life.reload().await
}

/// A second living order of ours for the same term would be the portal's doing, and not the daemon's; a customer's is paid beside ours.
fn revive(life: &mut Life, number: &str) {
    let (plans, zone) = (&life.plans, &life.zone);
    let place = |order: &LedgerOrder| {
        let at = plans.iter().position(|plan| plan.is_renewed_by(&order.request))?;
        Some((at, plans[at].term_of(order.created_at, zone)))
    };
    let alone = life.sandbox.with_orders(|orders| {
        let Some(order) = orders.iter().find(|order| order.order_no == number && people::is_dead(&order.status)) else {
            return false;
        };
        if order.placed_by != PlacedBy::Us {
            return true;
        }
        let beside = |o: &&LedgerOrder| o.order_no != number && !people::is_dead(&o.status) && place(o) == place(order);
        !orders.iter().any(|o| beside(&o))
    });
    let on_its_way = !life.sandbox.postponed().is_empty();
    if alone && !on_its_way {
        life.figures.revivals += 1;
        let now = life.now();
        life.oracle.revived(number, now);
        drop(life.sandbox.set_status(number, SUCCEED.as_ref()));
    }
}

/// What follows from what was just seen: people react, and orders end badly.
pub(super) fn follow_up(life: &mut Life, news: &News) {
    for order in &news.orders {
        life.say(|| format!("   order {order}"));
        if life.dice.chance(life.nature.bad_ends) {
            let status = *life.dice.pick(&["cancelled", "refunded", "failed", "pending", "invalid"]);
            let at = life.now() + hours(life.dice.between(0, 24 * 12));
            life.plan(at, Event::Status(order.clone(), status));
        }
        if life.dice.chance(life.nature.restores) {
            let soon = if life.dice.chance(700) { 3 } else { 24 * 40 };
            let at = life.now() + SignedDuration::from_mins(life.dice.between(0, 60 * soon));
            life.plan(at, Event::Restore);
        }
    }
    for message in &news.messages {
        life.say(|| format!("   told: {message}"));
    }
    let wait = match life.nature.people {
        People::Diligent => life.dice.between(1, 20),
        People::Slow => life.dice.between(24, 120),
        People::Absent => return,
    };
    if !news.messages.is_empty() && !life.visit_planned {
        life.visit_planned = true;
        life.plan(life.now() + hours(wait), Event::Visit);
    }
}
