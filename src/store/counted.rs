//! What a person accounted for as he began another chain (R4): it stands in the audit row of `rebase`.
//!
//! Owns the questions about it. What counts is decided in `daemon/counted.rs`.

use super::text::json;
use super::{Doing, Store, StoreError};
use crate::renewal::evidence::Listed;

impl Store {
    /// R4: the orders of others that a person counted when he began the chain of this term, which is its first.
    pub async fn counted_before(&mut self, term: i64, ours: &str) -> Result<Vec<Listed>, StoreError> {
        let keys: Vec<String> = sqlx::query_scalar(concat!("SELECT p.key ", counted!(), " WHERE t.id = $1"))
            .bind(term)
            .fetch_all(&mut self.conn)
            .await
            .doing("reading what comes before a term")?;
        let mut counted = Vec::with_capacity(keys.len());
        for key in keys {
            counted.extend(self.listed_order(&key, ours).await?);
        }
        Ok(counted)
    }

    /// The orders of others that he named then, whether they count or are left over.
    pub async fn accounted_for(&mut self, term: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(concat!(
            "SELECT c.value FROM term t JOIN audit_log l ON ",
            begun!(),
            " JOIN json_each(l.detail, '$.detail') d ON d.key IN ('counted', 'left') JOIN json_each(d.value) c WHERE t.id = $1"
        ))
        .bind(term)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading what comes before a term")
    }

    /// Those that were left over then.
    pub async fn left_before(&mut self, term: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(concat!(
            "SELECT c.value FROM term t JOIN audit_log l ON ",
            begun!(),
            " JOIN json_each(l.detail, '$.detail.left') c WHERE t.id = $1"
        ))
        .bind(term)
        .fetch_all(&mut self.conn)
        .await
        .doing("reading what comes before a term")
    }

    /// Of the orders with these keys those of others that have ceased to be paid and whose details nobody has read, where one of them may be what a person
    /// counted as he began a chain.
    pub async fn died_unread(&mut self, keys: &[&str]) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(concat!(
            "SELECT p.key FROM portal_order p WHERE p.account_id = 1 AND p.key IN (SELECT value FROM json_each($1)) AND p.attempt_id IS NULL
             AND p.unpaid_at IS NOT NULL AND p.detail IS NULL AND coalesce(p.portal_id, p.order_no) IS NOT NULL AND ",
            dead!("p.status"),
            " AND EXISTS (SELECT 1 FROM term t JOIN audit_log l ON ",
            begun!(),
            " WHERE t.state IN ('scheduled', 'placed', 'renewed', 'held', 'awaiting_approval') AND ",
            could_count!(),
            ") LIMIT 20"
        ))
        .bind(json(&keys)?)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for orders that nobody has read")
    }
}
