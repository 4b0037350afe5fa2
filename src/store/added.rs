//! Entries that a file has and the database has not: their subscriptions, and the first term of each.
//!
//! Never decides what is new: `renewal/roster.rs` did.

use jiff::Timestamp;

use super::text::{json, time};
use super::{Doing, StoreError, Tx, bulk};
use crate::renewal::chain::{Moments, Span};
use crate::renewal::roster::Change;
use crate::renewal::subscription::{Entry, Identity, Standing};

/// A new subscription with its first term.
struct Added<'a> {
    id: i64,
    entry: &'a Entry,
    standing: String,
    span: &'a Span,
    moments: &'a Moments,
    confirm: Option<&'a str>,
}

/// Returns the rows of the new subscriptions, in the order of their changes.
pub(crate) async fn add(tx: &mut Tx<'_>, now: Timestamp, entries: &[Entry], changes: &[Change]) -> Result<Vec<i64>, StoreError> {
    let first: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM subscription")
        .fetch_one(&mut **tx)
        .await
        .doing("adding subscriptions")?;
    let news = changes.iter().filter_map(|change| match change {
        Change::Added { entry, span, moments, confirm } => Some((&entries[*entry], span, moments, confirm.as_deref())),
        _ => None,
    });
    let added: Vec<Added<'_>> = (first..)
        .zip(news)
        .map(|(id, (entry, span, moments, confirm))| {
            Ok(Added { id, entry, standing: json(&Standing::of(entry))?, span, moments, confirm })
        })
        .collect::<Result<_, StoreError>>()?;
    subscriptions(tx, now, &added).await?;
    terms(tx, now, &added).await?;
    Ok(added.iter().map(|added| added.id).collect())
}

async fn subscriptions(tx: &mut Tx<'_>, now: Timestamp, added: &[Added<'_>]) -> Result<(), StoreError> {
    let into = "INSERT INTO subscription (id, account_id, product_id, partner_id, serial, item_id, batch, name, active, seed_on, anchor_on, entry,
                                          confirm, created_at) ";
    let now = time(now);
    bulk::insert(tx, into, added, "adding subscriptions", |row, added| {
        let Identity { product_id, party, serial, item_id, batch } = &added.entry.identity;
        let begins = added.span.starts_on.to_string();
        row.push_bind(added.id).push("1");
        row.push_bind(product_id.to_string()).push_bind(party.text().unwrap_or_default());
        row.push_bind(serial.as_deref().unwrap_or_default()).push_bind(item_id.to_string());
        row.push_bind(batch.as_deref().unwrap_or_default()).push_bind(&added.entry.name).push("1");
        row.push_bind(&begins).push_bind(&begins).push_bind(&added.standing);
        row.push_bind(added.confirm).push_bind(&now);
    })
    .await
}

async fn terms(tx: &mut Tx<'_>, now: Timestamp, added: &[Added<'_>]) -> Result<(), StoreError> {
    let into =
        "INSERT INTO term (subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at, act_at) ";
    let now = time(now);
    bulk::insert(tx, into, added, "adding terms", |row, added| {
        let due = time(added.moments.due_at);
        row.push_bind(added.id).push("0");
        row.push_bind(added.span.starts_on.to_string()).push_bind(added.span.ends_on.to_string()).push("'scheduled'");
        row.push_bind(&now).push_bind(&due).push_bind(time(added.moments.deadline_at)).push_bind(&due);
    })
    .await
}
