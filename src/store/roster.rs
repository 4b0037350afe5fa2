//! Bringing the database to the file: reading what is known, and writing what `renewal/roster.rs` decided.
//!
//! Owns one transaction per file. Set-based: a file of 100,000 entries is one commit and some hundred statements. What is new is in `added.rs`.

use jiff::Timestamp;
use serde_json::json;

use super::audit::{self, Happened};
use super::text::{json, read_date, read_json, read_time, time};
use super::{Doing, Store, StoreError, Tx, added, commit, files};
use crate::renewal::chain::{Moments, Span};
use crate::renewal::roster::{Change, Known, KnownTerm};
use crate::renewal::state::TermState;
use crate::renewal::subscription::{Entry, Identity, Party, Standing};
use crate::renewal::typed::retyped;

#[derive(sqlx::FromRow)]
struct KnownRow {
    id: i64,
    product_id: String,
    partner_id: String,
    serial: String,
    item_id: String,
    batch: String,
    name: String,
    active: i64,
    seed_on: String,
    anchor_on: String,
    entry: String,
    term_id: Option<i64>,
    offset_months: Option<i64>,
    starts_on: Option<String>,
    ends_on: Option<String>,
    state: Option<String>,
    due_at: Option<String>,
    deadline_at: Option<String>,
    attempted: i64,
    open_before: Option<String>,
}

/// Rebuilds an identity from its columns.
pub(crate) fn identity(product: &str, partner: &str, serial: &str, item: &str, batch: &str) -> Result<Identity, StoreError> {
    let id = |text: &str| text.parse().map_err(|_| StoreError::Unreadable { what: format!("the id '{text}'") });
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Identity {
        product_id: id(product)?,
        party: if partner.is_empty() { Party::Own } else { Party::Partner(id(partner)?) },
        serial: some(serial),
        item_id: id(item)?,
        batch: some(batch),
    })
}

/// Reads a term state back.
pub(crate) fn state(word: &str) -> Result<TermState, StoreError> {
    TermState::from_word(word).ok_or_else(|| StoreError::Unreadable { what: format!("the term state '{word}'") })
}

impl KnownRow {
    fn read(self) -> Result<Known, StoreError> {
        let term = match (self.term_id, self.starts_on, self.ends_on, self.state, self.due_at, self.deadline_at) {
            (Some(id), Some(starts), Some(ends), Some(word), Some(due), Some(deadline)) => Some(KnownTerm {
                id,
                span: Span {
                    offset_months: u32::try_from(self.offset_months.unwrap_or(0)).unwrap_or(0),
                    starts_on: read_date(&starts)?,
                    ends_on: read_date(&ends)?,
                },
                state: state(&word)?,
                moments: Moments { due_at: read_time(&due)?, deadline_at: read_time(&deadline)? },
                attempted: self.attempted != 0,
                open_before: self.open_before.as_deref().map(read_date).transpose()?,
            }),
            _ => None,
        };
        Ok(Known {
            id: self.id,
            identity: identity(&self.product_id, &self.partner_id, &self.serial, &self.item_id, &self.batch)?,
            name: self.name,
            active: self.active == 1,
            seed_on: read_date(&self.seed_on)?,
            anchor_on: read_date(&self.anchor_on)?,
            standing: read_json(&self.entry, "the entry of a subscription")?,
            term,
        })
    }
}

impl Store {
    /// Every subscription this database has ever seen, with its newest term.
    pub async fn known(&mut self) -> Result<Vec<Known>, StoreError> {
        let rows: Vec<KnownRow> = sqlx::query_as(
            "SELECT s.id, s.product_id, s.partner_id, s.serial, s.item_id, s.batch, s.name, s.active, s.seed_on, s.anchor_on, s.entry,
                    t.id AS term_id, t.offset_months, t.starts_on, t.ends_on, t.state, t.due_at, t.deadline_at,
                    EXISTS (SELECT 1 FROM attempt a WHERE a.term_id = t.id) AS attempted,
                    (SELECT min(o.starts_on) FROM term o WHERE o.subscription_id = s.id AND o.id < t.id AND o.state NOT IN ('renewed', 'skipped', 'missed')
                        AND NOT (o.state = 'held' AND o.reason IS 'refunded_later')) AS open_before
             FROM subscription s LEFT JOIN term t ON t.id = (SELECT max(id) FROM term WHERE subscription_id = s.id)
             ORDER BY s.id",
        )
        .fetch_all(&mut self.conn)
        .await
        .doing("reading what is known")?;
        rows.into_iter().map(KnownRow::read).collect()
    }

    /// Takes a file: every change and the file itself, in one commit.
    pub async fn take_file(
        &mut self,
        now: Timestamp,
        path: &str,
        text: &str,
        entries: &[Entry],
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("taking the file").await?;
        files::put_in_force(&mut tx, now, path, text).await?;
        take(&mut tx, now, entries, changes).await?;
        commit(tx, "taking the file").await
    }

    /// Takes changes that the file in force asks for, and that were not possible when it was taken.
    pub async fn take_again(&mut self, now: Timestamp, entries: &[Entry], changes: &[Change]) -> Result<(), StoreError> {
        let mut tx = self.begin("taking the file again").await?;
        take(&mut tx, now, entries, changes).await?;
        commit(tx, "taking the file again").await
    }
}

async fn take(tx: &mut Tx<'_>, now: Timestamp, entries: &[Entry], changes: &[Change]) -> Result<(), StoreError> {
    remove(tx, changes).await?;
    update(tx, entries, changes).await?;
    let added = added::add(tx, now, entries, changes).await?;
    reschedule(tx, now, entries, changes).await?;
    let mut added = added.into_iter();
    let events = changes.iter().filter_map(|change| event(change, entries, &mut added)).collect();
    audit::append(tx, now, events).await
}

async fn update(tx: &mut Tx<'_>, entries: &[Entry], changes: &[Change]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for change in changes {
        if let Change::Updated { id, entry, standing_before, returned, .. } = change {
            let entry = &entries[*entry];
            rows.push(json!({
                "id": id, "seed_on": entry.expires_on.to_string(), "entry": json(&Standing::of(entry))?,
                "anew": *returned || standing_before.is_some(),
            }));
        }
    }
    return_to_work(tx, changes).await?;
    rename(tx, entries, changes).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let rows = json(&rows)?;
    // What waits for approval waits for an order that is no longer the one in the file (R14): it is judged anew. Not what a person set
    // aside (R25): that needs a person whatever the file says.
    sqlx::query(
        "UPDATE term SET state = 'scheduled', act_at = due_at, reason = NULL, detail = NULL, remedy = NULL FROM json_each($1) v
         WHERE term.subscription_id = v.value ->> 'id' AND v.value ->> 'anew' AND term.state = 'awaiting_approval' AND term.reason IS NOT 'not_ordered'",
    )
    .bind(&rows)
    .execute(&mut **tx)
    .await
    .doing("taking up what waits for approval")?;
    sqlx::query(
        "UPDATE subscription SET seed_on = v.value ->> 'seed_on', entry = v.value ->> 'entry', active = 1
         FROM json_each($1) v WHERE subscription.id = v.value ->> 'id'",
    )
    .bind(&rows)
    .execute(&mut **tx)
    .await
    .doing("updating subscriptions")?;
    Ok(())
}

async fn rename(tx: &mut Tx<'_>, entries: &[Entry], changes: &[Change]) -> Result<(), StoreError> {
    for change in changes {
        if let Change::Updated { id, entry, renamed_from: Some(old), .. }
        | Change::Kept { id, entry, renamed_from: Some(old), .. } = change
        {
            let new = &entries[*entry].name;
            sqlx::query("UPDATE subscription SET name = $2 WHERE id = $1")
                .bind(id)
                .bind(new)
                .execute(&mut **tx)
                .await
                .doing("renaming a subscription")?;
            rename_in_remedies(tx, *id, old, new).await?;
        }
    }
    Ok(())
}

/// What people are to run stands in `attention` for as long as the term waits, and a command for a name that is gone does nothing.
async fn rename_in_remedies(tx: &mut Tx<'_>, subscription: i64, old: &str, new: &str) -> Result<(), StoreError> {
    let told: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, remedy FROM term WHERE subscription_id = $1 AND remedy IS NOT NULL")
            .bind(subscription)
            .fetch_all(&mut **tx)
            .await
            .doing("reading what people are to run")?;
    for (term, remedy) in told {
        sqlx::query("UPDATE term SET remedy = $2 WHERE id = $1")
            .bind(term)
            .bind(retyped(&remedy, old, new))
            .execute(&mut **tx)
            .await
            .doing("renaming what people are to run")?;
    }
    Ok(())
}

/// An entry that comes back takes up its open term where it stood: what is due is due at once, and is warned about again.
async fn return_to_work(tx: &mut Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    let returned = |change: &Change| match change {
        Change::Updated { id, returned: true, .. } | Change::Kept { id, returned: true, .. } => Some(*id),
        _ => None,
    };
    let ids: Vec<i64> = changes.iter().filter_map(returned).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids = json(&ids)?;
    for step in [
        "UPDATE term SET act_at = due_at WHERE subscription_id IN (SELECT value FROM json_each($1))
         AND state IN ('scheduled', 'awaiting_approval') AND act_at IS NULL",
        "UPDATE term SET warn_at = due_at WHERE subscription_id IN (SELECT value FROM json_each($1)) AND state IN ('awaiting_approval', 'held', 'missed') AND warn_at IS NULL",
        "UPDATE subscription SET active = 1 WHERE id IN (SELECT value FROM json_each($1))",
    ] {
        sqlx::query(step).bind(&ids).execute(&mut **tx).await.doing("taking up returned entries")?;
    }
    Ok(())
}

/// Inactive, never deleted; an attempt that may exist is followed to its end (R6).
async fn remove(tx: &mut Tx<'_>, changes: &[Change]) -> Result<(), StoreError> {
    let ids: Vec<i64> =
        changes.iter().filter_map(|change| if let Change::Removed { id, .. } = change { Some(*id) } else { None }).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids = json(&ids)?;
    sqlx::query("UPDATE subscription SET active = 0 WHERE id IN (SELECT value FROM json_each($1))")
        .bind(&ids)
        .execute(&mut **tx)
        .await
        .doing("taking entries out")?;
    sqlx::query(
        "UPDATE term SET act_at = NULL, warn_at = NULL
         WHERE subscription_id IN (SELECT value FROM json_each($1)) AND state IN ('scheduled', 'awaiting_approval')",
    )
    .bind(&ids)
    .execute(&mut **tx)
    .await
    .doing("taking entries out")?;
    // What held one of them stands, and a dead order may live again; but nobody is to be renewed.
    sqlx::query("UPDATE term SET warn_at = NULL WHERE subscription_id IN (SELECT value FROM json_each($1)) AND state IN ('held', 'missed')")
        .bind(&ids)
        .execute(&mut **tx)
        .await
        .doing("taking entries out")?;
    Ok(())
}

async fn reschedule(tx: &mut Tx<'_>, now: Timestamp, entries: &[Entry], changes: &[Change]) -> Result<(), StoreError> {
    let mut moved = Vec::new();
    for change in changes {
        match change {
            Change::Rescheduled { term, moments } => {
                moved.push(json!({"id": term, "due_at": time(moments.due_at), "deadline_at": time(moments.deadline_at)}));
            }
            Change::Recycled { term, subscription, entry, span, moments } => {
                recycle(tx, now, *term, *subscription, &entries[*entry], span, moments).await?;
            }
            _ => {}
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    // A term that was never tried moves with its due time; one that waits for another try keeps its place in the table. One that
    // waits for approval is looked at again when it is missed, and that moment has moved: it is judged anew.
    sqlx::query(
        "UPDATE term SET state = 'scheduled', act_at = v.value ->> 'due_at', reason = NULL, detail = NULL, remedy = NULL
         FROM json_each($1) v WHERE term.id = v.value ->> 'id' AND term.state = 'awaiting_approval' AND term.act_at IS NOT NULL",
    )
    .bind(json(&moved)?)
    .execute(&mut **tx)
    .await
    .doing("moving terms")?;
    sqlx::query(
        "UPDATE term SET due_at = v.value ->> 'due_at', deadline_at = v.value ->> 'deadline_at',
                act_at = CASE WHEN state = 'scheduled' AND tries = 0 AND act_at IS NOT NULL THEN v.value ->> 'due_at' ELSE act_at END
         FROM json_each($1) v WHERE term.id = v.value ->> 'id'",
    )
    .bind(json(&moved)?)
    .execute(&mut **tx)
    .await
    .doing("moving terms")?;
    Ok(())
}

/// A term of another length is another row: the dates of a term never change. Only one that was never attempted is replaced.
async fn recycle(
    tx: &mut Tx<'_>,
    now: Timestamp,
    term: i64,
    subscription: i64,
    entry: &Entry,
    span: &Span,
    moments: &Moments,
) -> Result<(), StoreError> {
    let _ = entry;
    sqlx::query("DELETE FROM term WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM attempt WHERE term_id = $1)")
        .bind(term)
        .execute(&mut **tx)
        .await
        .doing("replacing a term")?;
    super::moves::insert(tx, now, subscription, span, moments, &[]).await
}

/// `added` gives the rows of the new subscriptions, one for each [`Change::Added`] in turn.
fn event(change: &Change, entries: &[Entry], added: &mut impl Iterator<Item = i64>) -> Option<Happened> {
    match change {
        Change::Added { entry, span, confirm, .. } => {
            let entry = &entries[*entry];
            let detail =
                json!({"expires_on": span.starts_on.to_string(), "quantity": entry.quantity(), "waits_because": confirm});
            Some(Happened {
                kind: "entry.added",
                subscription: added.next(),
                renewal: Some(entry.name.clone()),
                detail,
                ..Happened::default()
            })
        }
        Change::Updated { id, entry, renamed_from, standing_before, returned } => {
            let entry = &entries[*entry];
            let before = standing_before.as_deref().map(|standing| json!(standing));
            let detail = json!({
                "renamed_from": renamed_from, "before": before, "returned": returned,
                "now": standing_before.as_ref().map(|_| json!(Standing::of(entry))), "expires_on": entry.expires_on.to_string(),
            });
            Some(Happened {
                kind: "entry.changed",
                subscription: Some(*id),
                renewal: Some(entry.name.clone()),
                detail,
                ..Happened::default()
            })
        }
        Change::Kept { id, entry, renamed_from, returned } => Some(Happened {
            kind: if *returned { "entry.returned" } else { "entry.changed" },
            subscription: Some(*id),
            renewal: Some(entries[*entry].name.clone()),
            detail: json!({"renamed_from": renamed_from}),
            ..Happened::default()
        }),
        Change::Removed { id, name } => Some(Happened {
            kind: "entry.removed",
            subscription: Some(*id),
            renewal: Some(name.clone()),
            detail: json!({}),
            ..Happened::default()
        }),
        Change::Recycled { subscription, entry, span, .. } => {
            let detail = json!({"starts_on": span.starts_on.to_string(), "ends_on": span.ends_on.to_string()});
            let renewal = Some(entries[*entry].name.clone());
            Some(Happened { kind: "term.replaced", subscription: Some(*subscription), renewal, detail, ..Happened::default() })
        }
        Change::Rescheduled { .. } => None,
    }
}
