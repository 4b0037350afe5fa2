//! The mirror of the portal's order list (R17).
//!
//! Owns its rows: each kept raw, in the order in which it was first seen, so that "since the fence" is a comparison of row
//! numbers and not of anyone's clock.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::attempts::Fence;
use super::text::{json, optional_time, read_optional_time, time};
use super::{Doing, Store, StoreError, commit};
use crate::renewal::evidence::{Listed, is_dead};
use crate::renewal::facts::{self, Facts};

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

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: i64,
    key: String,
    portal_id: Option<String>,
    order_no: Option<String>,
    status: Option<String>,
    created_at: Option<String>,
    row: String,
    detail: Option<String>,
    detail_again_at: Option<String>,
    attempt_id: Option<i64>,
    by_answer: bool,
}

/// An order whose details are to be read: never read, unreadable so far, or read while they could still change.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Undetailed {
    /// Its row.
    pub mark: i64,
    /// The portal's id.
    pub portal_id: Option<String>,
    /// `orderNo`
    pub order_no: Option<String>,
}

/// `run --once` may be run daily: a failure and another one after longer than that are two.
const UNREADABLE_GOES_ON: SignedDuration = SignedDuration::from_hours(26);

/// How long after an order was made its details may still change: they are read again once the first span has passed, and the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settling {
    /// The shortest settle (R20).
    pub shortest: SignedDuration,
    /// The longest.
    pub longest: SignedDuration,
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

impl ListedRow {
    /// `ours` is what every `poNumber` of this installation begins with.
    fn read(self, ours: &str) -> Result<Listed, StoreError> {
        let row: Value = serde_json::from_str(&self.row).unwrap_or(Value::Null);
        let detail: Option<Value> = self.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let mut mentions_ours = po_numbers(&self.row, ours);
        mentions_ours.extend(self.detail.as_deref().map(|text| po_numbers(text, ours)).unwrap_or_default());
        Ok(Listed {
            mark: self.id,
            key: self.key,
            order_no: self.order_no,
            portal_id: self.portal_id,
            status: self.status,
            created_at: read_optional_time(self.created_at.as_deref())?,
            attempt: self.attempt_id,
            by_answer: self.by_answer,
            detailed: detail.as_ref().is_some_and(|value| !value.is_null()),
            again_at: read_optional_time(self.detail_again_at.as_deref())?,
            facts: Facts::of(&row, detail.as_ref()),
            mentions_ours,
            stray: false,
        })
    }
}

/// Every `poNumber` of ours that `text` mentions, wherever it stands.
pub(crate) fn po_numbers(text: &str, prefix: &str) -> Vec<String> {
    text.match_indices(prefix)
        .map(|(at, _)| text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect())
        .collect()
}

macro_rules! select_listed {
    ($tail:literal) => {
        concat!(
            "SELECT id, key, portal_id, order_no, status, created_at, row, detail, detail_again_at, attempt_id,
                    EXISTS (SELECT 1 FROM attempt a WHERE a.id = attempt_id AND a.matched_by IN ('answer', 'person')) AS by_answer
             FROM portal_order WHERE account_id = 1 AND ",
            $tail
        )
    };
}

impl Store {
    /// Takes rows as the list gave them. New ones get the next numbers, changed ones keep theirs, and their details are to be read again; those
    /// that carry the order number of an attempt are linked to it. A row without a number at first and one with it, under the same id, are one
    /// order, which keeps its key. Returns how many were new.
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
                        AND (p.order_no IS NULL OR value ->> 'order_no' IS NULL)
                        AND NOT EXISTS (SELECT 1 FROM portal_order e WHERE e.account_id = 1 AND e.key = value ->> 'key')), value ->> 'key'), value ->> 'portal_id', value ->> 'order_no', value ->> 'status', value ->> 'created_at', value ->> 'row',
                    value ->> 'product', value ->> 'partner', value ->> 'serial', value ->> 'items', $2
             FROM json_each($1) WHERE true
             ON CONFLICT (account_id, key) DO UPDATE SET row = excluded.row, status = excluded.status, created_at = excluded.created_at,
                    portal_id = coalesce(excluded.portal_id, portal_id), order_no = coalesce(excluded.order_no, order_no),
                    detail_again_at = iif(detail IS NULL, NULL, $2), product = coalesce(excluded.product, product),
                    partner = coalesce(excluded.partner, partner), serial = coalesce(excluded.serial, serial), changed_at = $2
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
        commit(tx, "taking the order list").await?;
        Ok(u64::try_from(self.mirror_count().await? - before).unwrap_or(0))
    }

    /// Adds the details of one order as they were at `read`, and notes when to read them again (R18). An order that was listed before the account
    /// was bound is as old as it says; one that turned up since is at least as young as its row. A row that says that somebody's order is dead may
    /// be stale: it is, if its details say so too.
    pub async fn take_detail(&mut self, mark: i64, detail: &str, read: Timestamp, settling: Settling) -> Result<(), StoreError> {
        let value: Value = serde_json::from_str(detail).unwrap_or(Value::Null);
        let facts = Facts::of(&value, None);
        let (dead, alive): (Vec<_>, Vec<_>) = facts::status(&value).into_iter().partition(|status| is_dead(Some(status)));
        sqlx::query(concat!(
            "UPDATE portal_order SET status = CASE WHEN attempt_id IS NULL AND $9 IS NOT NULL AND ",
            dead!("status"),
            " THEN $9 WHEN attempt_id IS NULL AND $10 AND ",
            dead!("row ->> '$.orderStatus'"),
            " THEN row ->> '$.orderStatus' ELSE status END,
                    detail = $2, product = coalesce($3, product), partner = coalesce($4, partner), serial = coalesce($5, serial), items = $6,
                    detail_at = $7, detail_failed_at = iif($2 = 'null', detail_failed_at, NULL), detail_again_at = (
                        SELECT min(again) FROM (
                            SELECT strftime('%Y-%m-%dT%H:%M:%fZ', made, span.value || ' seconds') AS again
                            FROM (SELECT CASE WHEN created_at IS NULL THEN first_seen_at
                                              WHEN first_seen_at > (SELECT coalesce(bound_at, '9') FROM account WHERE id = 1) THEN max(created_at, first_seen_at)
                                              ELSE created_at END AS made), json_each($8) span)
                        WHERE again > $7)
             WHERE id = $1"
        ))
        .bind(mark)
        .bind(detail)
        .bind(&facts.product)
        .bind(&facts.partner)
        .bind(&facts.serial)
        .bind(json(&facts.items)?)
        .bind(time(read))
        .bind(json(&[settling.shortest.as_secs(), settling.longest.as_secs()])?)
        .bind(alive.first())
        .bind(!dead.is_empty())
        .execute(&mut self.conn)
        .await
        .doing("keeping the details of an order")?;
        Ok(())
    }

    /// Its details cannot be read now. Returns since when; a failure that nobody has seen for hours begins anew.
    pub async fn note_unreadable(&mut self, mark: i64, now: Timestamp) -> Result<Timestamp, StoreError> {
        let lately = now.checked_sub(UNREADABLE_GOES_ON).unwrap_or(now);
        let since: Option<String> = sqlx::query_scalar(
            "UPDATE portal_order SET detail_failed_at = iif(detail_tried_at >= $3, min(coalesce(detail_failed_at, $2), $2), $2), detail_tried_at = $2
             WHERE id = $1 RETURNING detail_failed_at",
        )
        .bind(mark)
        .bind(time(now))
        .bind(time(lately))
        .fetch_optional(&mut self.conn)
        .await
        .doing("noting an order that cannot be read")?;
        Ok(read_optional_time(since.as_deref())?.unwrap_or(now))
    }

    /// How an order stands by its details, where the list was not read so far back.
    pub async fn take_status(&mut self, mark: i64, status: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE portal_order SET status = $2 WHERE id = $1 AND status IS NOT $2")
            .bind(mark)
            .bind(status)
            .execute(&mut self.conn)
            .await
            .doing("keeping the status of an order")?;
        Ok(())
    }

    /// How an order stands by its row in the list, whatever its details say.
    pub async fn row_status(&mut self, mark: i64) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT row ->> '$.orderStatus' FROM portal_order WHERE id = $1")
            .bind(mark)
            .fetch_one(&mut self.conn)
            .await
            .doing("reading the status of an order")
    }

    /// Its details call it dead no more: it stands as its row says.
    pub async fn stands_as_listed(&mut self, mark: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE portal_order SET status = row ->> '$.orderStatus' WHERE id = $1 AND row ->> '$.orderStatus' IS NOT NULL",
        )
        .bind(mark)
        .execute(&mut self.conn)
        .await
        .doing("keeping the status of an order")?;
        Ok(())
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

    /// The oldest fence of an undecided attempt: a sync must reach beyond it (R17).
    pub async fn oldest_open_fence(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<String> = sqlx::query_scalar("SELECT min(fence_at) FROM attempt WHERE state IN ('open', 'unknown')")
            .fetch_one(&mut self.conn)
            .await
            .doing("reading the oldest fence")?;
        read_optional_time(at.as_deref())
    }

    /// Orders of somebody else up to row `mark` that are not paid, and of which neither row nor details were read that tell the customer; the newest.
    pub async fn unread_baskets(&mut self, mark: i64, most: u32, ours: &str) -> Result<Vec<Listed>, StoreError> {
        let rows: Vec<ListedRow> = sqlx::query_as(concat!(
            select_listed!("attempt_id IS NULL AND id <= $1 AND partner IS NULL AND coalesce(detail, 'null') = 'null' AND coalesce(portal_id, order_no) IS NOT NULL AND coalesce(status, '') NOT LIKE 'succeed' AND NOT "),
            dead!("status"),
            " ORDER BY id DESC LIMIT +$2"
        ))
        .bind(mark)
        .bind(most)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the mirror")?;
        self.whose_numbers(rows, ours).await
    }

    /// Every order that appeared after row `mark`.
    pub async fn listed_since(&mut self, mark: i64, ours: &str) -> Result<Vec<Listed>, StoreError> {
        let rows: Vec<ListedRow> = sqlx::query_as(select_listed!("id > $1 ORDER BY id"))
            .bind(mark)
            .fetch_all(&mut self.conn)
            .await
            .doing("reading the mirror")?;
        self.whose_numbers(rows, ours).await
    }

    /// The order of the mirror that is known to be this attempt.
    pub async fn listed_attempt(&mut self, attempt: i64, ours: &str) -> Result<Option<Listed>, StoreError> {
        let row: Option<ListedRow> = sqlx::query_as(select_listed!("attempt_id = $1"))
            .bind(attempt)
            .fetch_optional(&mut self.conn)
            .await
            .doing("reading the mirror")?;
        Ok(self.whose_numbers(row.into_iter().collect(), ours).await?.pop())
    }

    /// Reads rows, and looks up which attempts the numbers of ours in them are. A portal that cuts a number off, or adds to it, means the same one,
    /// if it can be only one.
    async fn whose_numbers(&mut self, rows: Vec<ListedRow>, ours: &str) -> Result<Vec<Listed>, StoreError> {
        let mut orders: Vec<Listed> = rows.into_iter().map(|row| row.read(ours)).collect::<Result<_, _>>()?;
        let shown: BTreeSet<&String> = orders.iter().flat_map(|order| &order.mentions_ours).collect();
        if shown.is_empty() {
            return Ok(orders);
        }
        let known: Vec<String> =
            sqlx::query_scalar("SELECT po_number FROM attempt WHERE po_number IN (SELECT value FROM json_each($1))")
                .bind(json(&shown)?)
                .fetch_all(&mut self.conn)
                .await
                .doing("looking for PO numbers of ours")?;
        let unknown: Vec<String> = shown.into_iter().filter(|number| !known.contains(number)).cloned().collect();
        for number in unknown {
            let meant = self.meant_by(&number, ours).await?;
            for order in orders.iter_mut().filter(|order| order.mentions_ours.contains(&number)) {
                match &meant {
                    Some(meant) => order.mentions_ours.push(meant.clone()),
                    None => order.stray = true,
                }
            }
        }
        Ok(orders)
    }

    /// The one `poNumber` of an attempt that begins with `number`, or with which `number` begins.
    async fn meant_by(&mut self, number: &str, ours: &str) -> Result<Option<String>, StoreError> {
        // Four characters of the order's own part: fewer are no name.
        let enough = number.len() >= ours.len() + 4;
        let like: Vec<String> = sqlx::query_scalar(
            "SELECT po_number FROM attempt WHERE instr($1, po_number) = 1 OR ($2 AND instr(po_number, $1) = 1) LIMIT 2",
        )
        .bind(number)
        .bind(enough)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for PO numbers of ours")?;
        Ok(<[String; 1]>::try_from(like).ok().map(|[only]| only))
    }

    /// Orders that nobody here placed, not dead, made since `since`, or first seen since `seen` and
    /// after the list was first read.
    pub async fn foreign_since(&mut self, since: Timestamp, seen: Timestamp, ours: &str) -> Result<Vec<Listed>, StoreError> {
        let rows: Vec<ListedRow> = sqlx::query_as(concat!(
            select_listed!("attempt_id IS NULL AND (coalesce(created_at, first_seen_at) >= $1 OR (first_seen_at >= $2 AND first_seen_at > (SELECT min(first_seen_at) FROM portal_order))) AND NOT "),
            dead!("status"),
            " ORDER BY id"
        ))
        .bind(time(since))
        .bind(time(seen))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the orders of others")?;
        self.whose_numbers(rows, ours).await
    }

    /// Orders of the mirror after row `mark` or made since `since` that are not ours, and whose details are to be read by `now`; those beyond
    /// row `beyond`, oldest first.
    pub async fn without_detail(
        &mut self,
        mark: i64,
        since: Option<Timestamp>,
        beyond: i64,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Undetailed>, StoreError> {
        sqlx::query_as(
            "SELECT id AS mark, portal_id, order_no FROM portal_order
             WHERE account_id = 1 AND (detail IS NULL OR detail = 'null' OR detail_again_at <= $5) AND coalesce(portal_id, order_no) IS NOT NULL
               AND attempt_id IS NULL AND id > $4 AND (id > $1 OR coalesce(created_at, first_seen_at) >= $2) ORDER BY id LIMIT +$3",
        )
        .bind(mark)
        .bind(optional_time(since).unwrap_or_else(|| "9".to_owned()))
        .bind(most)
        .bind(beyond)
        .bind(time(now))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the mirror")
    }

    /// How many orders made since `since` are not known to be ours and have details that are to be read by `now`.
    pub async fn unread_details(&mut self, since: Timestamp, now: Timestamp) -> Result<i64, StoreError> {
        sqlx::query_scalar(
            "SELECT count(*) FROM portal_order WHERE account_id = 1 AND (detail IS NULL OR detail_again_at <= $2)
               AND coalesce(portal_id, order_no) IS NOT NULL AND attempt_id IS NULL AND coalesce(created_at, first_seen_at) >= $1",
        )
        .bind(time(since))
        .bind(time(now))
        .fetch_one(&mut self.conn)
        .await
        .doing("counting the orders of others")
    }

    /// The order with this number or id.
    pub async fn listed_order(&mut self, number: &str, ours: &str) -> Result<Option<Listed>, StoreError> {
        let row: Option<ListedRow> =
            sqlx::query_as(select_listed!("(key = $1 COLLATE NOCASE OR order_no = $1 COLLATE NOCASE OR portal_id = $1)"))
                .bind(number.trim())
                .fetch_optional(&mut self.conn)
                .await
                .doing("reading the mirror")?;
        Ok(self.whose_numbers(row.into_iter().collect(), ours).await?.pop())
    }

    /// R9: orders that carry a `poNumber` of this installation and are no attempt of this database.
    pub async fn forgotten_orders(&mut self, ours: &str) -> Result<Vec<Listed>, StoreError> {
        let rows: Vec<ListedRow> = sqlx::query_as(select_listed!(
            "attempt_id IS NULL AND (instr(row, $1) > 0 OR instr(coalesce(detail, ''), $1) > 0) ORDER BY id"
        ))
        .bind(ours)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the mirror")?;
        self.whose_numbers(rows, ours).await
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
