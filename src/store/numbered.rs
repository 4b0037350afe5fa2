//! Orders of ours that the portal shows without a number for a while.
//!
//! Owns knowing them by their id until then, and writing the number down when it shows. Never changes a number that the portal gave.

use jiff::Timestamp;
use serde_json::json;

use super::audit::{self, Happened};
use super::mirror::MirrorRow;
use super::{Doing, StoreError, Tx};

#[derive(sqlx::FromRow)]
struct Numbered {
    attempt: i64,
    subscription: i64,
    renewal: String,
    po_number: String,
    id: String,
    order_no: String,
}

/// Within the write that takes these rows.
pub(super) async fn keep(tx: &mut Tx<'_>, now: Timestamp, rows: &[MirrorRow]) -> Result<(), StoreError> {
    if rows.iter().any(|row| row.order_no.is_none()) {
        link_by_id(tx).await?;
    }
    if rows.iter().any(|row| row.order_no.is_some() && row.portal_id.is_some()) {
        note_numbers(tx, now).await?;
    }
    Ok(())
}

/// A row may have no number at first; the answer to the order gave both.
async fn link_by_id(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE portal_order SET attempt_id = a.id FROM attempt a
         WHERE portal_order.attempt_id IS NULL AND portal_order.account_id = 1 AND portal_order.order_no IS NULL AND a.order_id = portal_order.portal_id
           AND a.state = 'placed'",
    )
    .execute(&mut **tx)
    .await
    .doing("linking orders to attempts")?;
    Ok(())
}

/// One that was found before it had a number goes by that from now on.
async fn note_numbers(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let numbered: Vec<Numbered> = sqlx::query_as(
        "SELECT a.id AS attempt, s.id AS subscription, s.name AS renewal, a.po_number, p.portal_id AS id, p.order_no
         FROM portal_order p JOIN attempt a ON a.id = p.attempt_id JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
         WHERE p.attempt_id IS NOT NULL AND p.key = p.portal_id AND p.order_no <> p.portal_id AND (a.order_no IS NULL OR a.order_no = p.portal_id)",
    )
    .fetch_all(&mut **tx)
    .await
    .doing("reading the numbers of orders")?;
    let mut events = Vec::with_capacity(numbered.len());
    for order in numbered {
        sqlx::query("UPDATE attempt SET order_no = $2 WHERE id = $1")
            .bind(order.attempt)
            .bind(&order.order_no)
            .execute(&mut **tx)
            .await
            .doing("keeping the number of an order")?;
        events.push(Happened {
            kind: "order.numbered",
            subscription: Some(order.subscription),
            renewal: Some(order.renewal),
            po_number: Some(order.po_number),
            order_no: Some(order.order_no),
            detail: json!({"order_id": order.id}),
            ..Happened::default()
        });
    }
    audit::append(tx, now, events).await
}
