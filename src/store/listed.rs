//! Orders of the mirror, read as evidence (R11, R18, R19).
//!
//! Owns which rows a question takes, and whose every `poNumber` in them is. What they prove is in `renewal/evidence.rs`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::text::{json, read_optional_time, time};
use super::{Doing, Store, StoreError};
use crate::renewal::evidence::Listed;
use crate::renewal::facts::Facts;

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

macro_rules! select_foreign {
    ($which:literal) => {
        concat!(
            select_listed!(
                "attempt_id IS NULL AND (coalesce(created_at, first_seen_at) >= $1 OR revived_at >= $1
               OR (first_seen_at >= $2 AND first_seen_at > (SELECT min(first_seen_at) FROM portal_order))) AND "
            ),
            $which,
            " ORDER BY id"
        )
    };
}

impl Store {
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

    /// Orders that nobody here placed, made or alive again since `since`, or first seen since `seen` and
    /// after the list was first read.
    pub async fn foreign_since(&mut self, since: Timestamp, seen: Timestamp, ours: &str) -> Result<Vec<Listed>, StoreError> {
        self.others_since(select_foreign!("true"), since, seen, ours).await
    }

    /// Those of the same that are not paid.
    pub async fn unpaid_since(&mut self, since: Timestamp, seen: Timestamp, ours: &str) -> Result<Vec<Listed>, StoreError> {
        self.others_since(select_foreign!("coalesce(status, '') NOT LIKE 'succeed'"), since, seen, ours).await
    }

    /// The rows of all orders that nobody here placed.
    pub async fn foreign_rows(&mut self) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar("SELECT id FROM portal_order WHERE account_id = 1 AND attempt_id IS NULL ORDER BY id")
            .fetch_all(&mut self.conn)
            .await
            .doing("reading the orders of others")
    }

    async fn others_since(
        &mut self,
        select: &'static str,
        since: Timestamp,
        seen: Timestamp,
        ours: &str,
    ) -> Result<Vec<Listed>, StoreError> {
        let rows: Vec<ListedRow> = sqlx::query_as(select)
            .bind(time(since))
            .bind(time(seen))
            .fetch_all(&mut self.conn)
            .await
            .doing("reading the orders of others")?;
        self.whose_numbers(rows, ours).await
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
}
