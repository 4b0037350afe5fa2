//! Taking a file into the database, or keeping it waiting (R4, R6, R7).
//!
//! Owns what happens when `renewals.toml` was edited. A bad edit changes nothing.

use std::collections::HashSet;

use jiff::Timestamp;

use super::address;
use crate::config::model::Config;
use crate::config::{ConfigError, Parsed, check_dates};
use crate::renewal::roster::{self, Change, Roster};
use crate::renewal::typed::typed;
use crate::store::nature::Nature;
use crate::store::notices::Notice;
use crate::store::outbox::Message;
use crate::store::{Store, StoreError};

/// A file that was read and checked.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Where it is, absolute.
    pub path: &'a str,
    /// What it says.
    pub text: &'a str,
    /// The same, checked.
    pub config: &'a Config,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is in force.
    InForce {
        /// How many changes it made.
        changes: usize,
        /// What could not be taken, in sentences.
        refused: Vec<String>,
    },
    /// It waits for `accept`; the last one stays in force.
    Waiting {
        /// Why.
        why: String,
    },
}

/// Takes `file`, unless it is one that a person must look at first. `accepted` is that person's word.
pub async fn take(store: &mut Store, file: File<'_>, now: Timestamp, accepted: bool) -> Result<Taken, StoreError> {
    let known = store.known().await?;
    let roster = roster::compare(&known, &file.config.entries, &file.config.zone, now);
    if !accepted && let Some(why) = waits_because(store, &file, &roster).await? {
        return keep_waiting(store, &file, &roster, now, &why).await;
    }
    match store.take_file(now, file.path, file.text, &file.config.entries, &roster.changes).await {
        // Renewals go on by the last good file: a row that does not go in must not stop them all.
        Err(error) if error.nature() == Nature::OneRow && !accepted => {
            return keep_waiting(store, &file, &roster, now, &format!("the database does not take it: {error}")).await;
        }
        taken => taken?,
    }
    store.withdraw("file", &[]).await?;
    note_refused(store, &file, &roster, now).await?;
    tell_removed(store, &roster, now).await?;
    Ok(Taken::InForce {
        changes: roster.changes.len(),
        refused: roster.refused.iter().map(|r| format!("{}; {}", r.message, r.remedy)).collect(),
    })
}

/// Tries again what was refused of the file in force: a `rebase`, an order that is settled or a renewal may have made it possible.
pub async fn take_again(store: &mut Store, now: Timestamp) -> Result<(), StoreError> {
    let waited = store.notices("entry:").await?;
    if waited.is_empty() {
        return Ok(());
    }
    let Some(kept) = store.file_in_force().await? else { return Ok(()) };
    let Ok(config) = crate::config::parse(&kept.path, &kept.text) else { return Ok(()) }; // an older program took it; that is told at the start
    let file = File { path: &kept.path, text: &kept.text, config: &config };
    let roster = roster::compare(&store.known().await?, &config.entries, &config.zone, now);
    if !roster.changes.is_empty() {
        match store.take_again(now, &config.entries, &roster.changes).await {
            Err(error) if error.nature() == Nature::OneRow => {
                tracing::error!("what had to wait in {} cannot be taken: {error}", kept.path);
                return Ok(()); // what was told of it stands
            }
            taken => taken?,
        }
        tracing::info!(changes = roster.changes.len(), "taken from {}, which had to wait before", kept.path);
    }
    note_refused(store, &file, &roster, now).await?;
    tell_taken(store, &waited, now).await
}

/// An edit that waited for its time is taken by itself, perhaps a year later: nobody has it in mind any more.
async fn tell_taken(store: &mut Store, waited: &[String], now: Timestamp) -> Result<(), StoreError> {
    let still = store.notices("entry:").await?;
    let taken = waited.iter().filter(|key| !still.contains(key)).map(|key| key.trim_start_matches("entry:"));
    let messages: Vec<Message> = taken
        .map(|name| Message {
            cause: format!("entry.taken:{name}"),
            renewal: Some(name.to_owned()),
            what: format!("{name}: the edit that could not be taken before is in force now, as the file has it"),
            by: None,
            command: Some(format!("see what will be ordered: renewd plan; what happened: renewd history {}", typed(name))),
        })
        .collect();
    store.tell(now, &messages).await
}

/// R5, for entries that are new to the database: dates too far ahead, drawn at their places. The file is then not taken.
pub async fn far_dates(store: &mut Store, parsed: &Parsed, now: Timestamp) -> Result<Option<ConfigError>, StoreError> {
    let mut far = check_dates(&parsed.config, now.to_zoned(parsed.config.zone.clone()).date());
    if far.is_empty() {
        return Ok(None);
    }
    let known = store.known().await?;
    let known: HashSet<_> = known.iter().map(|known| &known.identity).collect();
    far.retain(|problem| !known.contains(&parsed.config.entries[problem.entry].identity));
    Ok((!far.is_empty()).then(|| parsed.show_dates(&far).into()))
}

/// The file on the disk is the one in force (again): no edit is broken, and none waits.
pub async fn back_in_force(store: &mut Store) -> Result<(), StoreError> {
    store.forget_waiting().await?;
    store.withdraw("file", &[]).await
}

async fn waits_because(store: &mut Store, file: &File<'_>, roster: &Roster) -> Result<Option<String>, StoreError> {
    if let Some(gone) = roster.mass_removal {
        return Ok(Some(format!("{} of {} entries are gone from {}", gone.removed, gone.active, file.path)));
    }
    let before = store.installation().await?.and_then(|installation| installation.config_path);
    if let Some(before) = before.filter(|before| before != file.path) {
        return Ok(Some(format!("{} is another file than {before}, which this database belongs to", file.path)));
    }
    address::waits_because(store, file.path, file.config).await
}

async fn keep_waiting(
    store: &mut Store,
    file: &File<'_>,
    roster: &Roster,
    now: Timestamp,
    why: &str,
) -> Result<Taken, StoreError> {
    let reason = format!("an edit waits: {why}; the last good file stays in force");
    let what_to_do = "look at the file, then: renewd accept".to_owned();
    let by = first_deadline(roster, now);
    let new = store.keep_waiting(now, file.path, file.text, why).await?;
    if new {
        let message = Message {
            cause: "file.waiting".to_owned(),
            renewal: None,
            what: reason.clone(),
            by,
            command: Some(what_to_do.clone()),
        };
        store.tell(now, &[message]).await?;
    }
    let raised = store.raise(now, &Notice { key: "file".to_owned(), renewal: None, reason, what_to_do }).await?;
    if new || raised {
        store.tell_again_at("file", super::tell::again_at(now, by), by).await?;
    }
    Ok(Taken::Waiting { why: why.to_owned() })
}

/// The nearest deadline of what an edit adds: until it is accepted nothing watches over that but the notice of the edit.
fn first_deadline(roster: &Roster, now: Timestamp) -> Option<Timestamp> {
    let added = roster.changes.iter().filter_map(|change| match change {
        Change::Added { moments, .. } => Some(moments.deadline_at),
        _ => None,
    });
    added.filter(|deadline| *deadline > now).min()
}

async fn note_refused(store: &mut Store, file: &File<'_>, roster: &Roster, now: Timestamp) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    for refused in &roster.refused {
        let name = &file.config.entries[refused.entry].name;
        let notice = Notice {
            key: format!("entry:{name}"),
            renewal: Some(name.clone()),
            reason: refused.message.clone(),
            what_to_do: refused.remedy.clone(),
        };
        keys.push(notice.key.clone());
        if !store.raise(now, &notice).await? {
            continue; // it stands, and is told again in its time
        }
        let by = refused.by.and_then(|day| crate::calendar::deadline(day, &file.config.zone).ok());
        store.tell_again_at(&notice.key, super::tell::again_at(now, by), by).await?;
        let message = Message {
            cause: notice.key.clone(),
            renewal: notice.renewal,
            what: notice.reason,
            by,
            command: Some(notice.what_to_do),
        };
        store.tell(now, &[message]).await?;
    }
    store.withdraw("entry:", &keys).await
}

/// R6: what was taken out is told, however little.
async fn tell_removed(store: &mut Store, roster: &Roster, now: Timestamp) -> Result<(), StoreError> {
    let gone: Vec<&str> = roster
        .changes
        .iter()
        .filter_map(|change| if let Change::Removed { name, .. } = change { Some(name.as_str()) } else { None })
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    let shown = if gone.len() > 10 { format!("{} and {} more", gone[..10].join(", "), gone.len() - 10) } else { gone.join(", ") };
    let what = format!("taken out of the file, and no longer renewed: {shown}");
    tracing::warn!("{what}");
    store
        .tell(
            now,
            &[Message {
                cause: format!("file.removed:{shown}"),
                renewal: None,
                what,
                by: None,
                command: Some("put the entries back if this was a mistake".to_owned()),
            }],
        )
        .await
}

#[cfg(test)]
mod tests;
