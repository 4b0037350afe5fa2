//! Where the portal of this database is (R8).
//!
//! Owns the address that the account is bound to. A list of another address is no evidence about what was sent to this one, so a change
//! is a doubt like a restored database (R9).

use jiff::Timestamp;
use serde_json::json;

use super::audit::{self, Happened};
use super::outbox::{Message, post};
use super::text::time;
use super::{Doing, Store, StoreError, commit};

impl Store {
    /// Aims a database that is not bound yet at `address`. What was read of another one is forgotten: nothing was ordered by it.
    pub async fn aim(&mut self, address: &str) -> Result<(), StoreError> {
        let mut tx = self.begin("keeping the portal's address").await?;
        let changed = sqlx::query(
            "UPDATE account SET base_url = $1, synced_at = NULL, synced_total = NULL, list_lacks = NULL, list_lacks_since = NULL WHERE bound_at IS NULL AND base_url <> $1",
        )
        .bind(address)
        .execute(&mut *tx)
        .await
        .doing("keeping the portal's address")?;
        if changed.rows_affected() > 0 {
            sqlx::query("DELETE FROM portal_order WHERE attempt_id IS NULL")
                .execute(&mut *tx)
                .await
                .doing("forgetting the list of another portal")?;
        }
        commit(tx, "keeping the portal's address").await
    }

    /// Takes a bound account to another `address`, which a person has accepted with the file. Until the list there was read whole, a settle
    /// from now, and a person has run `accept`, nothing is ordered; an older doubt begins anew.
    pub async fn take_to(&mut self, now: Timestamp, address: &str, why: &str) -> Result<(), StoreError> {
        let mut tx = self.begin("changing the portal's address").await?;
        sqlx::query("UPDATE account SET base_url = $1, doubted_at = $2, doubt = $3, synced_at = NULL WHERE id = 1")
            .bind(address)
            .bind(time(now))
            .bind(why)
            .execute(&mut *tx)
            .await
            .doing("changing the portal's address")?;
        let happened = Happened { kind: "account.moved", detail: json!({"to": address, "why": why}), ..Happened::default() };
        audit::append(&mut tx, now, vec![happened]).await?;
        post(&mut tx, now, &[Message::of_doubt(why)]).await?;
        commit(tx, "changing the portal's address").await
    }
}
