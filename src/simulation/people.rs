//! What people do about what they are told.
//!
//! Owns the hand that a person lends: it reads the portal with its own eyes (the ledger) and does what the remedy says, as the commands do.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::agenda::Event;
use super::crash;
use super::life::Life;
use super::nature::People;
use super::oracle::Complaint;
use crate::portal::wire::order_body;
use crate::sandbox::{PlacedBy, Sandbox};
use crate::store::Store;
use crate::store::audit::hex;
use crate::store::found::{FoundOrder, SetAside};
use crate::store::terms::Write;

fn failed(what: &dyn std::fmt::Display) -> Complaint {
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
    let read = engine.read_whole_list().await.map_err(|e| failed(&e))?;
    if let Ok(found) = read {
        engine.store.bind_account(engine.clock.now(), found).await.map_err(|e| failed(&e))?;
        life.oracle.bound = true;
    } else {
        life.plan(again, Event::Bind);
    }
    life.engine = Some(engine);
    Ok(())
}

#[derive(sqlx::FromRow, Debug)]
struct Plight {
    term: i64,
    subscription: i64,
    name: String,
    state: String,
    reason: Option<String>,
    since: String,
    starts_on: String,
    attempt: Option<i64>,
    po_number: Option<String>,
    order_no: Option<String>,
}

/// A person looks at everything that needs one.
pub(super) async fn visit(life: &mut Life) -> Result<(), Complaint> {
    life.visit_planned = false;
    life.figures.visits += 1;
    let Some(mut engine) = life.engine.take() else { return Ok(()) };
    crash::reset();
    let plights: Vec<Plight> = sqlx::query_as(
        "SELECT t.id AS term, s.id AS subscription, s.name, t.state, t.reason, t.since, t.starts_on, a.id AS attempt, a.po_number, a.order_no
         FROM term t JOIN subscription s ON s.id = t.subscription_id
         LEFT JOIN attempt a ON a.term_id = t.id AND a.state IN ('open', 'unknown', 'placed')
         WHERE t.remedy IS NOT NULL ORDER BY t.id",
    )
    .fetch_all(&mut engine.store.conn)
    .await
    .map_err(|e| failed(&e))?;
    let mut left = false;
    for plight in &plights {
        left |= !help(life, &mut engine.store, plight, &engine.po_prefix).await?;
    }
    if engine.store.account().await.map_err(|e| failed(&e))?.paused.is_some() {
        let now = engine.clock.now();
        engine.store.set_paused(now, None, "a person").await.map_err(|e| failed(&e))?;
        life.oracle.resumed();
    }
    let waiting = engine.store.file_waiting().await.map_err(|e| failed(&e))?.is_some();
    life.engine = Some(engine);
    if waiting {
        life.reload(true).await?;
    }
    if left && life.nature.people != People::Absent && !life.visit_planned {
        life.visit_planned = true;
        life.plan(life.now() + SignedDuration::from_hours(20), Event::Visit);
    }
    Ok(())
}

/// Does something about one plight, or decides to look again later: then false.
async fn help(life: &mut Life, store: &mut Store, plight: &Plight, prefix: &str) -> Result<bool, Complaint> {
    let reason = plight.reason.as_deref().unwrap_or_default();
    life.say(|| format!("   a person looks at {} {} {reason}", plight.name, plight.state));
    match (plight.state.as_str(), reason) {
        ("held", "foreign_order") => foreign(life, store, plight, prefix).await?,
        ("held", "dead_order") => void(life, store, plight).await?,
        ("held", "refunded_later") => leave_it(life, store, plight).await?,
        ("awaiting_approval", _) => approve(life, store, plight).await?,
        ("unknown", _) => return settle(life, store, plight).await,
        ("placed", "pending_long") => {
            let order = plight.order_no.clone().unwrap_or_default();
            drop(life.sandbox.set_status(&order, "succeed"));
        }
        ("missed" | "skipped", _) => {}
        _ => return Ok(false),
    }
    Ok(true)
}

async fn run(store: &mut Store, sql: &'static str, term: i64) -> Result<(), Complaint> {
    sqlx::query(sql).bind(term).execute(&mut store.conn).await.map(drop).map_err(|e| failed(&e))
}

/// `resolve --order-no` where the order renews exactly this; else `release`, with everything that was seen.
async fn foreign(life: &mut Life, store: &mut Store, plight: &Plight, prefix: &str) -> Result<(), Complaint> {
    let now = life.now();
    let Some((at, k)) = term_of(life, plight) else { return Ok(()) };
    let since = if k == 0 { jiff::Timestamp::MIN } else { life.plans[at].deadline(k - 1, &life.zone) };
    let plan = &life.plans[at];
    let paid = life.sandbox.orders().into_iter().any(|order| {
        order.placed_by != PlacedBy::Us
            && order.created_at >= since
            && order.created_at <= now
            && plan.is_renewed_by(&order.request)
            && order.status == "succeed"
    });
    if paid {
        life.plans[at].settled_by_people.push(k);
        life.plans[at].broken_off = true;
        return run(
            store,
            "UPDATE term SET state = 'skipped', reason = 'skipped', remedy = NULL, act_at = NULL, warn_at = NULL WHERE id = $1",
            plight.term,
        )
        .await;
    }
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT key FROM portal_order UNION SELECT po_number FROM attempt UNION SELECT order_no FROM attempt WHERE order_no IS NOT NULL",
    )
    .fetch_all(&mut store.conn)
    .await
    .map_err(|e| failed(&e))?;
    let _ = prefix;
    life.oracle.dismiss(at, &keys);
    sqlx::query("UPDATE term SET dismissed = $2, state = 'scheduled', reason = NULL, detail = NULL, remedy = NULL, act_at = due_at WHERE id = $1")
        .bind(plight.term)
        .bind(serde_json::to_string(&keys).unwrap_or_default())
        .execute(&mut store.conn)
        .await
        .map(drop)
        .map_err(|e| failed(&e))
}

/// The renewal and term that a plight is about.
fn term_of(life: &Life, plight: &Plight) -> Option<(usize, u32)> {
    let at = life.plans.iter().position(|plan| plan.names.contains(&plight.name))?;
    let begins = |k: u32| life.plans[at].deadline(k, &life.zone).to_zoned(life.zone.clone()).date().to_string();
    Some((at, (0..).find(|k| begins(*k) >= plight.starts_on)?))
}

/// A paid order was refunded, and a person knows why.
async fn leave_it(life: &mut Life, store: &mut Store, plight: &Plight) -> Result<(), Complaint> {
    if let Some((at, k)) = term_of(life, plight) {
        life.plans[at].settled_by_people.push(k);
    }
    run(store, "UPDATE term SET state = 'renewed', reason = NULL, remedy = NULL WHERE id = $1", plight.term).await
}

/// `resolve --void`: the term is free for a new order.
async fn void(life: &mut Life, store: &mut Store, plight: &Plight) -> Result<(), Complaint> {
    let Some(attempt) = plight.attempt else { return Ok(()) };
    let order = plight.order_no.clone().unwrap_or_default();
    let dead = life.sandbox.orders().iter().any(|o| o.order_no == order && is_dead(&o.status));
    if !dead {
        return run(
            store,
            "UPDATE term SET state = 'placed', reason = NULL, remedy = NULL, act_at = due_at WHERE id = $1",
            plight.term,
        )
        .await;
    }
    store.set_aside(life.now(), attempt, SetAside::Void, Write::default()).await.map_err(|e| failed(&e))?;
    run(store, "UPDATE term SET state = 'scheduled', reason = NULL, detail = NULL, remedy = NULL, act_at = due_at, tries = 0 WHERE id = $1", plight.term).await
}

/// `approve`, which binds the request.
async fn approve(life: &mut Life, store: &mut Store, plight: &Plight) -> Result<(), Complaint> {
    let Some(term) = store.current_term(plight.subscription).await.map_err(|e| failed(&e))? else { return Ok(()) };
    let hash = hex(&Sha256::digest(order_body(&term.standing.order(&term.identity), "")));
    let _ = life;
    sqlx::query("UPDATE term SET approved_hash = $2, state = 'scheduled', reason = NULL, detail = NULL, remedy = NULL, act_at = due_at WHERE id = $1")
        .bind(plight.term)
        .bind(hash)
        .execute(&mut store.conn)
        .await
        .map(drop)
        .map_err(|e| failed(&e))
}

/// `resolve --order-no` or `--not-ordered`, by what the portal shows; never before everything has settled (R25).
async fn settle(life: &mut Life, store: &mut Store, plight: &Plight) -> Result<bool, Complaint> {
    let (Some(attempt), Some(po_number)) = (plight.attempt, plight.po_number.clone()) else { return Ok(false) };
    let since: jiff::Timestamp = plight.since.parse().map_err(|_| failed(&"the time cannot be read"))?;
    if life.now().duration_since(since) < SignedDuration::from_hours(50) || is_on_its_way(&life.sandbox, &po_number) {
        return Ok(false);
    }
    let order = life.sandbox.orders().into_iter().find(|order| order.request.po_number.as_deref() == Some(&po_number));
    let Some(order) = order else {
        life.oracle.settled(attempt);
        store.set_aside(life.now(), attempt, SetAside::NotPlaced, Write::default()).await.map_err(|e| failed(&e))?;
        run(
            store,
            "UPDATE term SET state = 'awaiting_approval', reason = 'not_ordered', remedy = 'renewd approve' WHERE id = $1",
            plight.term,
        )
        .await?;
        return Ok(true);
    };
    let listed: Option<String> = sqlx::query_scalar("SELECT key FROM portal_order WHERE order_no = $1")
        .bind(&order.order_no)
        .fetch_optional(&mut store.conn)
        .await
        .map_err(|e| failed(&e))?;
    let Some(key) = listed else { return Ok(false) };
    let found = FoundOrder {
        key,
        order_no: Some(order.order_no),
        order_id: Some(order.id.to_string()),
        status: Some(order.status.into_owned()),
        transaction_no: None,
        matched_by: "person",
    };
    store.found(life.now(), attempt, &found, Write::default()).await.map_err(|e| failed(&e))?;
    run(
        store,
        "UPDATE term SET state = 'placed', reason = NULL, detail = NULL, remedy = NULL, act_at = due_at, tries = 0 WHERE id = $1",
        plight.term,
    )
    .await?;
    Ok(true)
}

fn is_on_its_way(sandbox: &Sandbox, po_number: &str) -> bool {
    sandbox.postponed().iter().any(|(_, body)| body.contains(po_number))
}

pub(super) fn is_dead(status: &str) -> bool {
    matches!(status, "cancelled" | "failed" | "refunded" | "invalid")
}
