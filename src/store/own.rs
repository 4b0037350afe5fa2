//! Orders of ours that the mirror shows otherwise than the database has them.
//!
//! Owns the questions about them, and writing down what was found. Never changes an attempt.

use jiff::Timestamp;
use jiff::civil::Date;

use super::account::pause_within;
use super::audit::{self, Happened};
use super::moves::{Write, within};
use super::outbox::{Message, post};
use super::text::{json, read_date, read_optional_time, read_time, time};
use super::{Doing, Store, StoreError, commit};
use crate::renewal::evidence::Listed;
use crate::renewal::facts;

/// The newest living order of others that was made after `p`, or lives again since, for the same product, customer and serial number.
macro_rules! another {
    () => {
        concat!(
            "(SELECT max(x.key) FROM portal_order x WHERE x.attempt_id IS NULL AND x.product = s.product_id AND x.partner = s.partner_id
                 AND coalesce(x.serial, s.serial, '') = coalesce(s.serial, '') AND (x.created_at >= p.created_at OR x.revived_at >= p.created_at) AND x.id <> p.id AND NOT ",
            dead!("x.status"),
            ")"
        )
    };
}

/// An order of ours that counts for nothing: set aside by a person, or of a term that was skipped.
#[derive(Debug, Clone)]
pub struct SetAsideOrder {
    /// Product, partner and serial.
    pub looks_like: String,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// `orderNo`
    pub order_no: String,
    /// `orderId`
    pub order_id: Option<String>,
    /// `orderStatus` when it was set aside.
    pub status: Option<String>,
    /// When it was set aside, where a person did.
    pub aside_at: Option<Timestamp>,
    /// First day of the term that it was sent for.
    pub sent_for: Date,
    /// Whether that term is recorded as renewed by it.
    pub recorded: bool,
    /// Its row of the mirror.
    pub listed: Option<Listed>,
}

/// Look, moment, number, id, status, moment of setting aside, first day of its term, whether that is renewed.
type SetAsideRow = (String, String, String, Option<String>, Option<String>, Option<String>, String, bool);

/// Something in the portal's list that nobody here expected.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unexpected {
    /// `lives`, `beside`, `renumbered`, `died` or `uncounted`.
    pub what: String,
    /// The subscription's row.
    pub subscription: i64,
    /// The label.
    pub renewal: String,
    /// The order that is there.
    pub order_no: String,
    /// Its status.
    pub status: Option<String>,
    /// Our order beside it, if there is one; of one that died, until when it had paid.
    pub ours: Option<String>,
    /// Of one that died: until when another order of ours pays, from there on. Of one that lives: until when it pays, where another term is due by now.
    pub ahead: Option<String>,
    /// A living order of the same customer that was made since, by somebody else.
    pub another: Option<String>,
}

/// The order that had paid the term before one, and does not any more.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Lapsed {
    /// `orderNo`
    pub order_no: String,
    /// Its status, as far as the list shows it.
    pub status: Option<String>,
}

impl Store {
    /// The attempt that pays until this term begins.
    pub async fn attempt_before(&mut self, term: i64) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT a.id FROM term t JOIN term p ON p.subscription_id = t.subscription_id AND p.ends_on = t.starts_on AND p.id < t.id
             JOIN attempt a ON a.term_id = p.id AND a.state = 'placed' WHERE t.id = $1 AND t.offset_months > 0 AND p.state = 'renewed'
             ORDER BY p.id DESC LIMIT 1",
        )
        .bind(term)
        .fetch_optional(&mut self.conn)
        .await
        .doing("reading what comes before a term")
    }

    /// The next term exists once the one before is renewed, or a person has counted an order as what pays until then. Whether that is so no more: the order
    /// is not paid, as last seen, or the term is not renewed.
    pub async fn lapsed_before(&mut self, term: i64) -> Result<Option<Lapsed>, StoreError> {
        sqlx::query_as(concat!(
            "SELECT order_no, status FROM (SELECT a.order_no, o.status FROM term t JOIN term p ON p.subscription_id = t.subscription_id AND p.ends_on = t.starts_on AND p.id < t.id
             JOIN attempt a ON a.id = (SELECT max(x.id) FROM attempt x WHERE x.term_id = p.id AND x.order_no IS NOT NULL)
             LEFT JOIN portal_order o ON o.attempt_id = a.id
             WHERE t.id = $1 AND t.offset_months > 0
               AND (p.state <> 'renewed' OR a.state = 'placed' AND ",
            lost!("o.status", "a.matched_by"),
            ") ORDER BY p.id DESC LIMIT 1) UNION ALL SELECT p.key, p.status ",
            counted!(),
            " WHERE t.id = $1 AND ",
            dead!("p.status"),
            " UNION ALL SELECT p.key, p.status FROM term t JOIN audit_log l ON ",
            begun!(),
            " JOIN subscription s ON s.id = t.subscription_id
              JOIN portal_order p ON p.account_id = 1 AND p.attempt_id IS NULL AND p.product = s.product_id AND p.partner = s.partner_id
             WHERE t.id = $1 AND ",
            could_count!(),
            " AND ",
            another!(),
            " IS NULL AND ",
            dead!("p.status"),
            " LIMIT 1"
        ))
        .bind(term)
        .fetch_optional(&mut self.conn)
        .await
        .doing("reading what comes before a term")
    }

    /// Orders of ours for what looks like one of `looks` that count for nothing, as far as the database knows. One that got another number, by which it
    /// counts, is not among them; one that was refunded is, if a person began another chain, or ended this one, before it was paid again, and has not said since
    /// that what is paid ends as it does, or long after.
    pub async fn set_aside_orders(&mut self, looks: &[String], ours: &str) -> Result<Vec<SetAsideOrder>, StoreError> {
        let rows: Vec<SetAsideRow> = sqlx::query_as(
            "SELECT a.looks_like, a.created_at, a.order_no, a.order_id, a.order_status, iif(a.state = 'void', a.settled_at, NULL), t.starts_on,
                    a.state = 'placed' AND t.state = 'renewed'
             FROM attempt a JOIN term t ON t.id = a.term_id
             WHERE a.order_no IS NOT NULL AND a.looks_like IN (SELECT value FROM json_each($1))
               AND (a.state = 'void' OR a.state = 'placed' AND (t.state = 'skipped' OR t.state = 'renewed' AND EXISTS (
                    SELECT 1 FROM portal_order p JOIN audit_log l ON l.subscription_id = t.subscription_id AND l.kind IN ('chain.rebased', 'term.skipped')
                    WHERE p.attempt_id = a.id AND l.at BETWEEN p.unpaid_at AND p.revived_at
                      AND NOT EXISTS (SELECT 1 FROM audit_log r WHERE r.subscription_id = t.subscription_id AND r.kind = 'chain.rebased'
                          AND r.at >= p.revived_at AND (r.detail ->> '$.detail.to' = t.ends_on OR julianday(r.detail ->> '$.detail.to')
                              >= julianday(t.ends_on) + (julianday(t.ends_on) - julianday(t.starts_on)) / 2)))))
               AND NOT EXISTS (SELECT 1 FROM attempt b WHERE b.id <> a.id AND b.order_id = a.order_id AND b.looks_like = a.looks_like AND b.state = 'placed')
             ORDER BY a.id",
        )
        .bind(json(&looks)?)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the orders that were set aside")?;
        let mut orders = Vec::with_capacity(rows.len());
        for (looks_like, created_at, order_no, order_id, status, aside_at, sent_for, recorded) in rows {
            let listed = self.listed_order(&order_no, ours).await?;
            let (created_at, aside_at) = (read_time(&created_at)?, read_optional_time(aside_at.as_deref())?);
            let sent_for = read_date(&sent_for)?;
            orders.push(SetAsideOrder {
                looks_like,
                created_at,
                order_no,
                order_id,
                status,
                aside_at,
                sent_for,
                recorded,
                listed,
            });
        }
        Ok(orders)
    }

    /// The term of an attempt of this subscription that counts for nothing: set aside, or of a term that was skipped.
    pub async fn set_aside_for(&mut self, attempt: i64, subscription: i64) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT t.id FROM attempt a JOIN term t ON t.id = a.term_id
             WHERE a.id = $1 AND t.subscription_id = $2 AND (a.state = 'void' OR (a.state = 'placed' AND t.state = 'skipped'))",
        )
        .bind(attempt)
        .bind(subscription)
        .fetch_optional(&mut self.conn)
        .await
        .doing("reading the orders that were set aside")
    }

    /// An attempt that a person had set aside pays its term after all: its order lives again.
    pub async fn take_back(&mut self, now: Timestamp, order: &Listed, write: Write) -> Result<(), StoreError> {
        let mut tx = self.begin("taking an order back").await?;
        sqlx::query("UPDATE attempt SET state = 'placed', matched_by = 'person', order_status = $2, settled_at = $3 WHERE id = $1 AND state = 'void'")
            .bind(order.attempt)
            .bind(&order.status)
            .bind(time(now))
            .execute(&mut *tx)
            .await
            .doing("taking an order back")?;
        within(&mut tx, now, write).await?;
        commit(tx, "taking an order back").await
    }

    /// The keys of orders that nobody here placed, first seen since `since` and after the list was first read, or seen to live again since,
    /// although they say that they were made before `made`.
    pub async fn shown_since(&mut self, since: Timestamp, made: Timestamp) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT key FROM portal_order WHERE attempt_id IS NULL AND created_at < $2
               AND (revived_at >= $1 OR (first_seen_at >= $1 AND first_seen_at > (SELECT min(first_seen_at) FROM portal_order)))",
        )
        .bind(time(since))
        .bind(time(made))
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the orders of others")
    }

    /// Of the orders with these keys or rows: those that a person set aside as dead and that live; those of others that show the product and the
    /// customer of a term which our own order has renewed, made within a month of its beginning (a later one renews the next), alive again
    /// since ours, or seen only since; those of ours
    /// that are not paid any more in the course of the term which they pay, when nobody looks at them any more; and those that a person counted by `rebase`
    /// and that are dead before what they pay has ended.
    pub async fn unexpected(&mut self, now: Timestamp, keys: &[&str], rows: &[i64]) -> Result<Vec<Unexpected>, StoreError> {
        sqlx::query_as(concat!(
            "WITH changed AS (SELECT p.* FROM portal_order p WHERE p.account_id = 1 AND (p.key IN (SELECT value FROM json_each($1)) OR p.id IN (SELECT value FROM json_each($2)))),
             shown AS (SELECT p.* FROM changed p WHERE NOT ",
            dead!("p.status"),
            ")
             SELECT 'lives' AS what, s.id AS subscription, s.name AS renewal, p.key AS order_no, p.status,
                    (SELECT max(o.order_no) FROM attempt o JOIN term n ON n.id = o.term_id WHERE n.subscription_id = t.subscription_id
                      AND n.starts_on < t.ends_on AND t.starts_on < n.ends_on AND o.state = 'placed' AND o.id > a.id) AS ours,
                    iif(t.state = 'renewed' OR t.state = 'skipped' AND EXISTS (SELECT 1 FROM term n WHERE n.subscription_id = t.subscription_id AND n.id > t.id
                            AND julianday(n.starts_on) >= julianday(t.starts_on) + (julianday(t.ends_on) - julianday(t.starts_on)) / 2), t.ends_on, NULL) AS ahead, ",
            another!(),
            " AS another
             FROM shown p JOIN attempt a ON a.id = p.attempt_id JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             WHERE (a.state = 'void' OR a.state = 'placed' AND t.state = 'skipped') AND (p.status LIKE 'succeed' AND a.order_status NOT LIKE 'succeed' OR ",
            dead!("a.order_status"),
            ") OR a.state = 'placed' AND t.state = 'renewed' AND p.status LIKE 'succeed' AND EXISTS (
                    SELECT 1 FROM audit_log l WHERE l.subscription_id = t.subscription_id AND l.kind IN ('chain.rebased', 'term.skipped')
                      AND l.at BETWEEN p.unpaid_at AND p.revived_at)
             UNION ALL
             SELECT 'died', s.id, s.name, p.key, p.status, cast(t.ends_on AS TEXT),
                    (SELECT max(n.ends_on) FROM term n WHERE n.subscription_id = s.id AND n.starts_on >= t.ends_on AND n.state = 'renewed'), ",
            another!(),
            "
             FROM changed p JOIN attempt a ON a.id = p.attempt_id AND a.state = 'placed' JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             WHERE t.state = 'renewed' AND t.act_at IS NULL AND t.ends_on > $3 AND ",
            lost!("p.status", "a.matched_by"),
            "
             UNION ALL
             SELECT 'uncounted', s.id, s.name, p.key, p.status, cast(t.starts_on AS TEXT),
                    (SELECT max(n.ends_on) FROM term n WHERE n.subscription_id = s.id AND n.id >= t.id AND n.state IN ('placed', 'renewed')), ",
            another!(),
            "
             FROM changed p JOIN subscription s ON p.product = s.product_id AND p.partner = s.partner_id AND s.active = 1
             JOIN term t ON t.subscription_id = s.id AND t.state <> 'skipped' AND t.starts_on > $3 JOIN audit_log l ON ",
            begun!(),
            "
             WHERE p.attempt_id IS NULL AND (EXISTS (SELECT 1 FROM json_each(l.detail, '$.detail.counted') WHERE value = p.key) OR ",
            could_count!(),
            ") AND ",
            dead!("p.status"),
            "
             UNION ALL
             SELECT iif(p.portal_id = a.order_id OR instr(coalesce(p.detail, ''), a.po_number), 'renumbered', 'beside'), s.id, s.name, p.key, p.status, a.order_no, NULL, NULL
             FROM shown p JOIN subscription s ON p.product = s.product_id AND p.partner = s.partner_id AND coalesce(p.serial, s.serial, '') = coalesce(s.serial, '')
             JOIN term t ON t.subscription_id = s.id AND t.state IN ('placed', 'renewed')
                  AND julianday(p.created_at) < julianday(t.starts_on) + min(31, (julianday(t.ends_on) - julianday(t.starts_on)) / 2)
             JOIN attempt a ON a.term_id = t.id AND a.state = 'placed'
             WHERE p.attempt_id IS NULL AND s.active = 1 AND NOT EXISTS (SELECT 1 FROM portal_order o WHERE o.attempt_id = a.id AND ",
            dead!("o.status"),
            ") AND NOT EXISTS (SELECT 1 FROM installation i WHERE instr(p.row, 'RW-' || i.uid || '-'))
               AND NOT EXISTS (SELECT 1 FROM attempt u WHERE u.looks_like = a.looks_like AND u.state IN ('open', 'unknown')) AND instr(t.candidates, p.key) = 0 AND instr(t.dismissed, p.key) = 0
               AND (p.created_at >= t.due_at OR p.created_at >= a.created_at OR p.revived_at >= a.created_at
                    OR p.first_seen_at >= a.created_at AND julianday(p.created_at) > julianday(t.due_at) - 60)"
        ))
        .bind(json(&keys)?)
        .bind(json(&rows)?)
        .bind(time(now))
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for orders that nobody expected")
    }

    /// Living orders that carry this `poNumber` as their own, and do not merely mention it; first the one that its attempt is recorded as.
    pub async fn carriers(&mut self, po_number: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(concat!(
            "SELECT coalesce(order_no, (SELECT a.order_no FROM attempt a WHERE a.id = attempt_id), key), row, detail FROM portal_order WHERE account_id = 1 AND (instr(row, $1) OR instr(coalesce(detail, ''), $1)) AND NOT ",
            dead!("status"),
            " ORDER BY id"
        ))
        .bind(po_number)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for orders with one PO number")?;
        let recorded: Option<String> = sqlx::query_scalar(concat!(
            "SELECT order_no FROM attempt WHERE po_number = $1 AND state = 'placed' AND order_no IS NOT NULL AND NOT ",
            dead!("order_status")
        ))
        .bind(po_number)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for orders with one PO number")?;
        let carries = |text: &str| serde_json::from_str(text).is_ok_and(|value| facts::carries(&value, po_number));
        let carry = rows.into_iter().filter(|(_, row, detail)| carries(row) || detail.as_deref().is_some_and(carries));
        let mut orders: Vec<String> = recorded.into_iter().collect();
        for (key, ..) in carry {
            if !orders.iter().any(|order| order.eq_ignore_ascii_case(&key)) {
                orders.push(key);
            }
        }
        Ok(orders)
    }

    /// Which of these `poNumber`s no attempt has, in orders that were first seen since a person last accepted the database. A portal that
    /// cuts a number off, or adds to it, means the same one.
    pub async fn unknown_numbers(&mut self, po_numbers: &[String]) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT v.value FROM json_each($1) v
             WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.po_number = v.value)
               AND NOT EXISTS (SELECT 1 FROM attempt a WHERE instr(v.value, a.po_number) = 1 OR instr(a.po_number, v.value) = 1)
               AND EXISTS (SELECT 1 FROM portal_order p WHERE (instr(p.row, v.value) OR instr(coalesce(p.detail, ''), v.value))
                   AND p.first_seen_at > coalesce((SELECT max(at) FROM audit_log WHERE kind = 'database.accepted'), ''))",
        )
        .bind(json(&po_numbers)?)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for PO numbers of ours")
    }

    /// Whether something of this kind was written down about this order, since it last came to life, or died.
    pub async fn is_noted(&mut self, kind: &str, order: &str) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM audit_log l WHERE l.kind = $1 AND l.order_no = $2
                AND NOT EXISTS (SELECT 1 FROM portal_order p WHERE p.account_id = 1 AND p.key = $2
                    AND (p.revived_at > l.at OR l.kind = 'order.died' AND p.unpaid_at > l.at)))",
        )
        .bind(kind)
        .bind(order)
        .fetch_one(&mut self.conn)
        .await
        .doing("reading the audit log")
    }

    /// The newest order of others of which people were told that it is for the same as our order `ours`, if it lives.
    pub async fn beside(&mut self, ours: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar(concat!(
            "SELECT l.order_no FROM audit_log l JOIN portal_order p ON p.account_id = 1 AND p.key = l.order_no
             WHERE l.kind = 'order.beside' AND l.detail ->> 'ours' = $1 AND NOT ",
            dead!("p.status"),
            " ORDER BY l.seq DESC LIMIT 1"
        ))
        .bind(ours)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for an order beside ours")
    }

    /// Writes down what nobody expected, tells it, and pauses the account if `pause` says why. One commit.
    pub async fn note_unexpected(
        &mut self,
        now: Timestamp,
        event: Happened,
        message: &Message,
        pause: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("noting what nobody expected").await?;
        audit::append(&mut tx, now, vec![event]).await?;
        post(&mut tx, now, std::slice::from_ref(message)).await?;
        if pause.is_some() {
            pause_within(&mut tx, now, pause, "renewd").await?;
        }
        commit(tx, "noting what nobody expected").await
    }
}
