//! What this portal was seen to show, per product and kind of party (R22).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::text::{json, time};
use super::{Doing, Store, StoreError, commit};
use crate::renewal::learned::{Echo, Field, Learned};
use crate::renewal::subscription::{Identity, Party};

/// An order that is known to be ours.
#[derive(Debug, Clone)]
pub struct KnownOrder {
    /// The attempt's row.
    pub attempt: i64,
    /// Its `poNumber`.
    pub po_number: String,
    /// What it bought.
    pub identity: Identity,
}

#[derive(sqlx::FromRow)]
struct KnownOrderRow {
    attempt: i64,
    po_number: String,
    product_id: String,
    partner_id: String,
    serial: String,
    item_id: String,
    batch: String,
}

/// An order of one's own comes back without a customer; that tells it from a customer's only where those come back with theirs.
macro_rules! shows_customers {
    () => {
        "(NOT EXISTS (SELECT 1 FROM subscription WHERE product_id = $1 AND partner_id <> '') OR EXISTS (
            SELECT 1 FROM learned WHERE account_id = 1 AND product_id = $1 AND party = 'partner' AND field = 'partner' AND verdict = 'echoed'))"
    };
}

impl Store {
    /// Whether an order for this product that shows no customer is one's own.
    pub async fn shows_customers(&mut self, product: &str) -> Result<bool, StoreError> {
        sqlx::query_scalar(concat!("SELECT ", shows_customers!()))
            .bind(product)
            .fetch_one(&mut self.conn)
            .await
            .doing("reading what was learned")
    }

    /// The newest order of the mirror that is known to be ours, of the same product and kind of party as `identity`, other than that of the
    /// attempt `except`; a paid one before one that is not, because only that shows what paid ones show.
    pub async fn newest_of_kind(&mut self, identity: &Identity, except: Option<i64>) -> Result<Option<KnownOrder>, StoreError> {
        let row: Option<KnownOrderRow> = sqlx::query_as(
            "SELECT a.id AS attempt, a.po_number, s.product_id, s.partner_id, s.serial, s.item_id, s.batch
             FROM portal_order p JOIN attempt a ON a.id = p.attempt_id JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
             WHERE s.product_id = $1 AND iif(s.partner_id = '', 'own', 'partner') = $2 AND a.matched_by IN ('answer', 'po_number') AND t.reason IS NOT 'not_listed' AND a.id IS NOT $3
             ORDER BY lower(coalesce(p.status, '')) <> 'succeed', p.id DESC LIMIT 1",
        )
        .bind(identity.product_id.to_string())
        .bind(party_of(identity))
        .bind(except)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for our newest order of a kind")?;
        row.map(|row| {
            let identity = super::roster::identity(&row.product_id, &row.partner_id, &row.serial, &row.item_id, &row.batch)?;
            Ok(KnownOrder { attempt: row.attempt, po_number: row.po_number, identity })
        })
        .transpose()
    }

    /// The attempt of the newest order of the mirror that certainly renewed this subscription, other than that of `except`.
    pub async fn order_before(&mut self, subscription: i64, except: i64) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT a.id FROM portal_order p JOIN attempt a ON a.id = p.attempt_id JOIN term t ON t.id = a.term_id
             WHERE t.subscription_id = $1 AND a.id <> $2 AND a.matched_by IN ('answer', 'po_number') AND t.reason IS NOT 'not_listed' ORDER BY p.id DESC LIMIT 1",
        )
        .bind(subscription)
        .bind(except)
        .fetch_optional(&mut self.conn)
        .await
        .doing("looking for the order before")
    }

    /// Whether an earlier order of this subscription, which renewed it, shows the same product, customer and serial number as that of `attempt`.
    pub async fn was_shown_alike(&mut self, attempt: i64, subscription: i64) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM portal_order n JOIN portal_order p ON p.product IS n.product AND p.partner IS n.partner AND p.serial IS n.serial
             JOIN attempt a ON a.id = p.attempt_id AND a.id <> $1 AND a.state = 'placed' JOIN term t ON t.id = a.term_id AND t.state = 'renewed'
             WHERE n.attempt_id = $1 AND t.subscription_id = $2)",
        )
        .bind(attempt)
        .bind(subscription)
        .fetch_one(&mut self.conn)
        .await
        .doing("looking for an order that was shown alike")
    }

    /// What was learned for the product and kind of party of `identity` (R22); only what is known of others too, where no order that the portal
    /// has shown names this customer.
    pub async fn learned(&mut self, identity: &Identity) -> Result<Learned, StoreError> {
        // Two looks into the index; with OR it would read the whole mirror, for each term that is due.
        let rows: Vec<(String, String, bool)> = sqlx::query_as(concat!(
            "SELECT field, iif(party = 'own' AND field = 'partner' AND NOT ",
            shows_customers!(),
            ", 'absent', verdict),
                    $3 IS NULL OR EXISTS (
                        SELECT 1 FROM portal_order WHERE account_id = 1 AND product = $1 AND partner = $3
                        UNION ALL SELECT 1 FROM portal_order WHERE account_id = 1 AND product IS NULL AND partner = $3)
             FROM learned WHERE account_id = 1 AND product_id = $1 AND party = $2"
        ))
        .bind(identity.product_id.to_string())
        .bind(party_of(identity))
        .bind(identity.party.text())
        .fetch_all(&mut self.conn)
        .await
        .doing("reading what was learned")?;
        let was_shown = rows.iter().all(|(_, _, shown)| *shown);
        let learned = Learned::new(rows.iter().filter_map(|(name, verdict, _)| Some((field(name)?, echo(verdict)?))).collect());
        let learned = learned.also_shown_as(self.shown_as(identity).await?);
        Ok(if was_shown { learned } else { learned.of_others_only() })
    }

    /// What paid orders of ours for the same product and customer show in place of him, and those for the same device in place of its serial number.
    async fn shown_as(&mut self, identity: &Identity) -> Result<Vec<(Field, String)>, StoreError> {
        let rows: Vec<(Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT nullif(p.partner, s.partner_id), iif(s.serial = $3, nullif(p.serial, s.serial), NULL)
             FROM subscription s JOIN term t ON t.subscription_id = s.id JOIN attempt a ON a.term_id = t.id JOIN portal_order p ON p.attempt_id = a.id
             WHERE s.product_id = $1 AND s.partner_id = $2 AND a.state = 'placed' AND t.reason IS NOT 'not_listed' AND p.status LIKE 'succeed'",
        )
        .bind(identity.product_id.to_string())
        .bind(identity.party.text().unwrap_or_default())
        .bind(identity.serial.as_deref().unwrap_or_default())
        .fetch_all(&mut self.conn)
        .await
        .doing("reading how our orders are shown")?;
        let shown = |(partner, serial): (Option<String>, Option<String>)| [(Field::Partner, partner), (Field::Serial, serial)];
        Ok(rows.into_iter().flat_map(shown).filter_map(|(field, value)| Some((field, value?))).collect())
    }

    /// Whether all that is known of this kind was learned of the order with this key.
    pub async fn is_only_teacher(&mut self, identity: &Identity, key: &str) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT 1 FROM learned WHERE account_id = 1 AND product_id = $1 AND party = $2 AND order_no <> $3)",
        )
        .bind(identity.product_id.to_string())
        .bind(party_of(identity))
        .bind(key)
        .fetch_one(&mut self.conn)
        .await
        .doing("reading who taught it")
    }

    /// Keeps what an order of ours taught. Waiting orders of the same kind are looked at again at once.
    pub async fn learn(
        &mut self,
        now: Timestamp,
        identity: &Identity,
        order_no: &str,
        lessons: &[(Field, Echo)],
    ) -> Result<(), StoreError> {
        let rows: Vec<Value> =
            lessons.iter().map(|(field, echo)| json!({"field": field.word(), "verdict": word(*echo)})).collect();
        let mut tx = self.begin("learning").await?;
        sqlx::query(
            "INSERT INTO learned (account_id, product_id, party, field, verdict, order_no, at)
             SELECT 1, $2, $3, value ->> 'field', value ->> 'verdict', $4, $5 FROM json_each($1) WHERE true
             ON CONFLICT (account_id, product_id, party, field) DO UPDATE SET verdict = excluded.verdict, order_no = excluded.order_no, at = excluded.at",
        )
        .bind(json(&rows)?)
        .bind(identity.product_id.to_string())
        .bind(party_of(identity))
        .bind(order_no)
        .bind(time(now))
        .execute(&mut *tx)
        .await
        .doing("learning")?;
        sqlx::query("UPDATE term SET act_at = $1 WHERE state = 'scheduled' AND reason = 'canary' AND act_at > $1")
            .bind(time(now))
            .execute(&mut *tx)
            .await
            .doing("waking what waited for the first order")?;
        commit(tx, "learning").await
    }
}

pub(crate) fn party_of(identity: &Identity) -> &'static str {
    if identity.party == Party::Own { "own" } else { "partner" }
}

fn field(word: &str) -> Option<Field> {
    [Field::PoNumber, Field::Product, Field::Partner, Field::Serial, Field::Item].into_iter().find(|field| field.word() == word)
}

fn word(echo: Echo) -> &'static str {
    match echo {
        Echo::Echoed => "echoed",
        Echo::Absent => "absent",
        Echo::Misleading => "misleading",
    }
}

fn echo(text: &str) -> Option<Echo> {
    [Echo::Echoed, Echo::Absent, Echo::Misleading].into_iter().find(|echo| word(*echo) == text)
}
