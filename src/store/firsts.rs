//! First orders of a kind that are out, and what waits for them (R22).

use jiff::Timestamp;

use super::text::time;
use super::{Doing, Store, StoreError};

/// A first order that needs a person, and so blocks the others of its kind.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StuckFirst {
    /// `productId`
    pub product_id: String,
    /// Whether it is for a partner.
    pub for_partner: bool,
    /// The renewal's label.
    pub renewal: String,
    /// What is wrong with it.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

impl Store {
    /// Every first order of a kind that is out and needs a person.
    pub async fn stuck_firsts(&mut self) -> Result<Vec<StuckFirst>, StoreError> {
        sqlx::query_as(
            "SELECT s.product_id, s.partner_id <> '' AS for_partner, s.name AS renewal, coalesce(t.detail, '') AS detail, t.remedy
             FROM term t JOIN subscription s ON s.id = t.subscription_id
             WHERE t.state IN ('unknown', 'placed') AND t.remedy IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM learned l WHERE l.product_id = s.product_id AND l.party = iif(s.partner_id = '', 'own', 'partner'))
             ORDER BY t.since",
        )
        .fetch_all(&mut self.conn)
        .await
        .doing("looking for first orders that are stuck")
    }

    /// What waits for a first order is looked at again at once.
    pub async fn wake_behind_first(&mut self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE term SET act_at = $1 WHERE state = 'scheduled' AND reason = 'canary' AND act_at > $1")
            .bind(time(now))
            .execute(&mut self.conn)
            .await
            .doing("waking what waits for a first order")?;
        Ok(())
    }
}
