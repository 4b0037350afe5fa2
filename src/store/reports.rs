//! Reading for people: the views of DESIGN.md section 4, as rows.
//!
//! Owns nothing: every column comes from a view that anyone can query with `sqlite3`. Never writes.

use serde::Serialize;

use super::{Doing, Store, StoreError};

/// A row of `orders`.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are those of the view")]
pub struct OrderRow {
    pub renewal: String,
    pub partner_id: String,
    pub product_id: String,
    pub service_id: String,
    pub quantity: i64,
    pub starts_on: String,
    pub ends_on: String,
    pub po_number: String,
    pub order_no: Option<String>,
    pub transaction_no: Option<String>,
    pub order_id: Option<String>,
    pub instance_id: Option<String>,
    pub order_status: Option<String>,
    pub ordered_at: String,
    pub settled_at: Option<String>,
    pub request_id: Option<String>,
    pub attempt_state: String,
    pub late: i64,
}

/// A row of `upcoming`.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are those of the view")]
pub struct UpcomingRow {
    pub renewal: String,
    pub partner_id: String,
    pub quantity: Option<i64>,
    pub expires_on: String,
    pub due_at: String,
    pub deadline: String,
    pub state: String,
    pub reason: Option<String>,
}

/// A row of `attention`.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are those of the view")]
pub struct AttentionRow {
    pub renewal: Option<String>,
    pub since: String,
    pub reason: Option<String>,
    pub what_to_do: Option<String>,
    pub deadline: Option<String>,
}

/// A term that is due and was not ordered.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct UndoneRow {
    /// The renewal's label.
    pub renewal: String,
    /// Where the term stands.
    pub state: String,
    /// Why, in a sentence.
    pub detail: Option<String>,
    /// The command that helps.
    pub remedy: Option<String>,
}

/// How many terms of active subscriptions stand in one state.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct StateCount {
    /// A word of DESIGN.md section 5.
    pub state: String,
    /// How many.
    pub terms: i64,
}

impl Store {
    /// The newest orders first.
    pub async fn last_orders(&mut self, most: u32) -> Result<Vec<OrderRow>, StoreError> {
        sqlx::query_as(
            "SELECT renewal, partner_id, product_id, service_id, quantity, starts_on, ends_on, po_number, order_no, transaction_no, order_id,
                    instance_id, order_status, ordered_at, settled_at, request_id, attempt_state, late
             FROM orders ORDER BY ordered_at DESC, po_number DESC LIMIT $1",
        )
        .bind(most)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading the orders")
    }

    /// What is ordered next.
    pub async fn upcoming(&mut self, most: u32) -> Result<Vec<UpcomingRow>, StoreError> {
        sqlx::query_as("SELECT renewal, partner_id, quantity, expires_on, due_at, deadline, state, reason FROM upcoming LIMIT $1")
            .bind(most)
            .fetch_all(&mut self.conn)
            .await
            .doing("reading what is upcoming")
    }

    /// What needs a person.
    pub async fn attention(&mut self) -> Result<Vec<AttentionRow>, StoreError> {
        sqlx::query_as("SELECT renewal, since, reason, what_to_do, deadline FROM attention")
            .fetch_all(&mut self.conn)
            .await
            .doing("reading what needs attention")
    }

    /// Terms by state, of active subscriptions.
    pub async fn counts(&mut self) -> Result<Vec<StateCount>, StoreError> {
        sqlx::query_as(
            "SELECT t.state, count(*) AS terms FROM term t JOIN subscription s ON s.id = t.subscription_id WHERE s.active = 1 GROUP BY t.state ORDER BY t.state",
        )
        .fetch_all(&mut self.conn)
        .await
        .doing("counting terms")
    }
}

impl Store {
    /// What is due by `now` and neither renewed nor ordered, nearest deadline first.
    pub async fn undone(&mut self, now: jiff::Timestamp) -> Result<Vec<UndoneRow>, StoreError> {
        sqlx::query_as(
            "SELECT s.name AS renewal, t.state, t.detail, t.remedy FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE s.active = 1 AND t.due_at <= $1 AND t.state NOT IN ('placed', 'renewed', 'skipped')
               AND NOT (t.state = 'missed' AND EXISTS (SELECT 1 FROM term n WHERE n.subscription_id = s.id AND n.id > t.id)) ORDER BY t.deadline_at, s.name",
        )
        .bind(super::text::time(now))
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for what is left undone")
    }
}

/// Each finds rows in which the log, the orders and the mirror do not agree, as a sentence. What is younger than a day may still
/// be on its way into the portal's list.
const DISAGREEMENTS: [&str; 7] = [
    "SELECT 'order ' || a.order_no || ' of attempt ' || a.po_number || ' has no row in the audit log' FROM attempt a
     WHERE a.state = 'placed' AND NOT EXISTS (SELECT 1 FROM audit_log l WHERE l.order_no = a.order_no AND l.kind IN ('attempt.placed', 'attempt.found', 'order.adopted', 'order.numbered', 'term.resolved'))",
    "SELECT 'the audit log says that order ' || l.order_no || ' was placed, but no attempt has it' FROM audit_log l
     WHERE l.kind IN ('attempt.placed', 'attempt.found', 'order.adopted') AND l.order_no IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.order_no = l.order_no)
       AND NOT EXISTS (SELECT 1 FROM audit_log n WHERE n.kind = 'order.numbered' AND n.detail ->> 'order_id' = l.order_no)",
    "SELECT 'transaction ' || coalesce(a.transaction_no, '(none)') || ' of order ' || a.order_no || ' is not the one in the audit log' FROM attempt a
     JOIN audit_log l ON l.kind = 'attempt.placed' AND l.order_no = a.order_no WHERE l.transaction_no IS NOT a.transaction_no",
    "SELECT 'order ' || a.order_no || ' of ' || a.created_at || ' is not in the portal''s list as last read' FROM attempt a, account c
     WHERE a.state = 'placed' AND c.synced_at > strftime('%Y-%m-%dT%H:%M:%fZ', a.created_at, '+1 day')
       AND NOT EXISTS (SELECT 1 FROM portal_order p WHERE p.attempt_id = a.id)",
    "SELECT 'the portal has order ' || p.key || ' with a PO number of ours that this database does not know' FROM portal_order p, installation i
     WHERE p.attempt_id IS NULL AND (instr(p.row, 'RW-' || i.uid || '-') > 0 OR instr(coalesce(p.detail, ''), 'RW-' || i.uid || '-') > 0)
       AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.state IN ('open', 'unknown') AND (instr(p.row, a.po_number) > 0 OR instr(coalesce(p.detail, ''), a.po_number) > 0))
       AND NOT EXISTS (SELECT 1 FROM audit_log l WHERE l.kind = 'order.twice' AND l.order_no = p.key)",
    concat!(
        "SELECT 'order ' || p.key || ' of attempt ' || a.po_number || ' was set aside as dead and is ' || coalesce(p.status, 'there')
         FROM portal_order p JOIN attempt a ON a.id = p.attempt_id WHERE a.state = 'void' AND ",
        dead!("a.order_status"),
        " AND NOT ",
        dead!("p.status")
    ),
    concat!(
        "SELECT 'the portal has carried out one order twice: ' || l.detail FROM audit_log l JOIN portal_order p ON p.key = l.order_no
         WHERE l.kind = 'order.twice' AND NOT ",
        dead!("p.status")
    ),
];

impl Store {
    /// Promise 3: where the log, the orders and the portal's list as last read do not agree.
    pub async fn ledgers_disagree(&mut self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for query in DISAGREEMENTS {
            let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut self.conn).await.doing("comparing the ledgers")?;
            found.extend(rows);
        }
        Ok(found)
    }
}
