//! The mirror of the portal's order list (R17).
//!
//! Owns its rows: each kept raw, in the order in which it was first seen, so that "since the fence" is a comparison of row
//! numbers and not of anyone's clock.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::attempts::Fence;
use super::text::{json, optional_time, read_optional_time, time};
use super::{Doing, Store, StoreError, commit};
use crate::renewal::facts::Facts;

/// One row of the portal's list as it goes into the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorRow {
    /// Its order number, else its id, else a hash of the raw row.
    pub key: String,
    /// The portal's id.
    pub portal_id: Option<String>,
    /// `orderNo`
    pub order_no: Option<String>,
    /// `orderStatus`
    pub status: Option<String>,
    /// `createTime`
    pub created_at: Option<Timestamp>,
    /// As the list gave it.
    pub raw: String,
}

/// Key, id, number, `createTime`.
type OursRow = (String, Option<String>, Option<String>, Option<String>);

/// R19: our newest order that was once listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestOfOurs {
    /// Its key in the mirror.
    pub key: String,
    /// Every name under which a list may show it.
    pub names: Vec<String>,
    /// `createTime`
    pub created_at: Option<Timestamp>,
}

impl Store {
    /// Takes rows as the list gave them. New ones get the next numbers, changed ones keep theirs, and their details are to be read again; those
    /// that carry the order number of an attempt are linked to it. A row without a number at first and one with it, under the same id, are one
    /// order, which keeps its key, and the earliest `createTime` that was ever shown: one that the portal moves (at a migration, say) makes no new order.
    /// Returns how many were new.
    pub async fn take_rows(&mut self, now: Timestamp, rows: &[MirrorRow]) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let before = self.mirror_count().await?;
        let values: Vec<Value> = rows.iter().map(as_json).collect();
        let mut tx = self.begin("taking the order list").await?;
        // `min(+p.key)`: without the plus SQLite looks for the least key in the order of the keys, through the whole mirror for each row.
        sqlx::query(
            "INSERT INTO portal_order (account_id, key, portal_id, order_no, status, created_at, row, product, partner, serial, items, first_seen_at)
             SELECT 1, coalesce((SELECT min(+p.key) FROM portal_order p WHERE p.account_id = 1 AND p.portal_id = value ->> 'portal_id'
                        AND (p.order_no IS NULL OR value ->> 'order_no' IS NULL OR p.order_no = value ->> 'order_no')
                        AND NOT EXISTS (SELECT 1 FROM portal_order e WHERE e.account_id = 1 AND e.key = value ->> 'key')), value ->> 'key'), value ->> 'portal_id', value ->> 'order_no', value ->> 'status', value ->> 'created_at', value ->> 'row',
                    value ->> 'product', value ->> 'partner', value ->> 'serial', value ->> 'items', $2
             FROM json_each($1) WHERE true
             ON CONFLICT (account_id, key) DO UPDATE SET row = excluded.row, status = excluded.status, created_at = coalesce(min(created_at, excluded.created_at), created_at, excluded.created_at),
                    portal_id = coalesce(excluded.portal_id, portal_id), order_no = coalesce(excluded.order_no, order_no),
                    detail_again_at = iif(detail IS NULL, NULL, $2), product = coalesce(excluded.product, product),
                    partner = coalesce(excluded.partner, partner), serial = coalesce(excluded.serial, serial), changed_at = $2, status_at = $2
             WHERE row <> excluded.row",
        )
        .bind(json(&values)?)
        .bind(time(now))
        .execute(&mut *tx)
        .await
        .doing("taking the order list")?;
        sqlx::query(
            "UPDATE portal_order SET attempt_id = a.id FROM attempt a
             WHERE portal_order.attempt_id IS NULL AND lower(a.order_no) = lower(portal_order.order_no)
               AND portal_order.account_id = 1 AND (portal_order.key IN (SELECT value ->> 'key' FROM json_each($1))
                                                    OR portal_order.portal_id IN (SELECT value ->> 'portal_id' FROM json_each($1)))",
        )
        .bind(json(&values)?)
        .execute(&mut *tx)
        .await
        .doing("linking orders to attempts")?;
        super::numbered::keep(&mut tx, now, rows).await?;
        commit(tx, "taking the order list").await?;
        Ok(u64::try_from(self.mirror_count().await? - before).unwrap_or(0))
    }

    /// The number of the newest row.
    pub async fn mirror_mark(&mut self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM portal_order")
            .fetch_one(&mut self.conn)
            .await
            .doing("reading the mirror")
    }

    /// How many orders the mirror holds.
    pub async fn mirror_count(&mut self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM portal_order").fetch_one(&mut self.conn).await.doing("counting the mirror")
    }

    /// The fence for a batch that is about to be committed (R10).
    pub async fn fence(&mut self, at: Timestamp, total: Option<i64>) -> Result<Fence, StoreError> {
        Ok(Fence { mark: self.mirror_mark().await?, total, at })
    }

    /// R11, "our own orders included": undecided and placed attempts of other subscriptions that look the same, since `since`.
    pub async fn own_look_alikes(
        &mut self,
        looks_like: &str,
        subscription: i64,
        since: Timestamp,
    ) -> Result<Vec<(String, String)>, StoreError> {
        sqlx::query_as(concat!(
            "SELECT coalesce(a.order_no, a.po_number), s.name FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             WHERE a.looks_like = $1 AND t.subscription_id <> $2 AND a.created_at >= $3 AND a.state IN ('placed', 'unknown', 'open') AND NOT ",
            dead!("a.order_status")
        ))
        .bind(looks_like)
        .bind(subscription)
        .bind(time(since))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading our own orders")
    }

    /// The key of the newest order that was once listed, whoever placed it.
    pub async fn newest_listed(&mut self) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT key FROM portal_order ORDER BY id DESC LIMIT 1")
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading the mirror")
    }

    /// R19: our newest order that was once listed; a list without it hides something.
    pub async fn newest_listed_of_ours(&mut self) -> Result<Option<NewestOfOurs>, StoreError> {
        let row: Option<OursRow> = sqlx::query_as(
            "SELECT key, portal_id, order_no, created_at FROM portal_order WHERE attempt_id IS NOT NULL ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(&mut self.conn)
        .await
        .doing("reading the mirror")?;
        row.map(|(key, portal_id, order_no, created_at)| {
            let names = [Some(key.clone()), portal_id, order_no].into_iter().flatten().collect();
            Ok(NewestOfOurs { key, names, created_at: read_optional_time(created_at.as_deref())? })
        })
        .transpose()
    }

    /// A sync went through: the portal's trouble is over, and its time is confirmed (R13). `lacks`: our newest known order, if it was not there.
    pub async fn synced(
        &mut self,
        now: Timestamp,
        total: Option<i64>,
        confirmed: Option<Timestamp>,
        lacks: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE account SET synced_at = $1, synced_total = $2, portal_tries = 0, portal_next_at = NULL, portal_trouble = NULL,
                    high_water = CASE WHEN $3 > coalesce(high_water, '') THEN $3 ELSE high_water END, list_lacks = $4,
                    list_lacks_since = CASE WHEN $4 IS NULL THEN NULL WHEN list_lacks = $4 THEN min(list_lacks_since, $1) ELSE $1 END WHERE id = 1",
        )
        .bind(time(now))
        .bind(total)
        .bind(optional_time(confirmed))
        .bind(lacks)
        .execute(&mut self.conn)
        .await
        .doing("noting a sync")?;
        Ok(())
    }
}

fn as_json(row: &MirrorRow) -> Value {
    let facts = Facts::of(&serde_json::from_str(&row.raw).unwrap_or(Value::Null), None);
    json!({
        "key": row.key, "portal_id": row.portal_id, "order_no": row.order_no, "status": row.status,
        "created_at": optional_time(row.created_at), "row": row.raw,
        "product": facts.product, "partner": facts.partner, "serial": facts.serial, "items": Value::from(facts.items).to_string(),
    })
}
