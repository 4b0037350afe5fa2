//! What speaks against the absence of an order of unknown fate, outside the orders that appeared since its fence (R19).
//!
//! Owns the questions to the mirror. Never decides anything.

use super::{Doing, Store, StoreError};

impl Store {
    /// Orders that speak against the absence of this attempt, whenever they were made and whoever's they are: they mention its `poNumber`, or the answer to
    /// it named them and they are ours for the same customer (one order may have taken in the other).
    pub async fn against_absence(&mut self, attempt: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(concat!(
            "SELECT p.key FROM attempt a JOIN portal_order p ON instr(p.row, a.po_number) OR instr(coalesce(p.detail, ''), a.po_number) WHERE a.id = $1
             UNION
             SELECT o.order_no FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             JOIN subscription other ON other.partner_id = s.partner_id JOIN term u ON u.subscription_id = other.id
             JOIN attempt o ON o.term_id = u.id AND o.id <> a.id AND o.order_no IS NOT NULL AND o.state = 'placed'
             WHERE a.id = $1 AND a.answer IS NOT NULL AND instr(a.answer, o.order_no) AND NOT ",
            dead!("o.order_status")
        ))
        .bind(attempt)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for an order in another one")
    }

    /// Orders of the same customer that may have taken in what was sent, with a number of their own: somebody's from before the fence that is not paid
    /// (or whose row has changed since), or one of ours that is not paid or shows a line that was not ordered with it. A customer whom nobody has read
    /// may be this one.
    pub async fn baskets(&mut self, attempt: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(concat!(
            "SELECT p.key FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             JOIN portal_order p ON p.account_id = 1 AND p.attempt_id IS NULL AND p.id <= a.fence_mark
             WHERE a.id = $1 AND (coalesce(p.partner, '') = s.partner_id OR (p.partner IS NULL AND coalesce(p.detail, 'null') = 'null'))
               AND (coalesce(p.status, '') NOT LIKE 'succeed' OR p.changed_at >= a.created_at) AND NOT ",
            dead!("p.status"),
            "
             UNION
             SELECT p.key FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             JOIN subscription other ON other.partner_id = s.partner_id JOIN term u ON u.subscription_id = other.id
             JOIN attempt o ON o.term_id = u.id AND o.id <> a.id AND o.state = 'placed' JOIN portal_order p ON p.attempt_id = o.id
             WHERE a.id = $1 AND (coalesce(p.status, '') NOT LIKE 'succeed'
                   OR other.item_id <> s.item_id AND EXISTS (SELECT 1 FROM json_each(p.items) WHERE value = s.item_id)) AND NOT ",
            dead!("p.status")
        ))
        .bind(attempt)
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for orders that take others in")
    }
}
