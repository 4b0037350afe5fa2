//! What an edited file changes in the database (R2, R3, R4, R6).
//!
//! Owns the comparison, as a pure function. It never forgets: an entry taken out becomes inactive, a renamed one keeps its
//! identity and its history, and a new one that looks like an old one waits for a person.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::chain::{self, Moments, Span};
use super::state::TermState;
use super::subscription::{Entry, Identity, Standing, plain_serial};
use super::typed::typed;

/// A subscription as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its row.
    pub id: i64,
    /// What it is.
    pub identity: Identity,
    /// Its label.
    pub name: String,
    /// Whether the file in force has it.
    pub active: bool,
    /// What the file last said of its expiry.
    pub seed_on: Date,
    /// Boundary 0 of its chain.
    pub anchor_on: Date,
    /// What its next order takes from the file.
    pub standing: Standing,
    /// Its newest term.
    pub term: Option<KnownTerm>,
}

/// The newest term of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownTerm {
    /// Its row.
    pub id: i64,
    /// Its dates.
    pub span: Span,
    /// Where it stands.
    pub state: TermState,
    /// Its moments.
    pub moments: Moments,
    /// Whether any attempt was ever made for it.
    pub attempted: bool,
    /// First day of a term before it that is open again, its order having died: no other term may begin meanwhile (R4).
    pub open_before: Option<Date>,
}

impl KnownTerm {
    /// The end of what is paid: a renewed term is paid itself, any other is what comes after the paid one.
    fn paid_end(&self) -> Date {
        if self.state == TermState::Renewed { self.span.ends_on } else { self.span.starts_on }
    }
}

/// One step that brings the database to the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new identity, with its first term.
    Added {
        /// Its place in the file.
        entry: usize,
        /// Its first term.
        span: Span,
        /// The moments of that term.
        moments: Moments,
        /// R3: why a person looks first.
        confirm: Option<String>,
    },
    /// A known identity whose label, standing, seed or presence changed.
    Updated {
        /// Its row.
        id: i64,
        /// Its place in the file.
        entry: usize,
        /// The label before, if that changed.
        renamed_from: Option<String>,
        /// What the next order takes differs.
        standing_before: Option<Box<Standing>>,
        /// It had been taken out and is back.
        returned: bool,
    },
    /// The open term moves within the day, or gets other dates because the cycle changed.
    Rescheduled {
        /// The term's row.
        term: i64,
        /// The new moments.
        moments: Moments,
    },
    /// The open term, never attempted, is replaced by one of another length.
    Recycled {
        /// The term's row.
        term: i64,
        /// The subscription's row.
        subscription: i64,
        /// Its place in the file.
        entry: usize,
        /// The new dates.
        span: Span,
        /// The new moments.
        moments: Moments,
    },
    /// It is renamed or back, in an entry that is otherwise refused: it goes on by what the database has. Its label is the one of the file, as
    /// another entry may have the old one, and a command for that must mean one renewal.
    Kept {
        /// Its row.
        id: i64,
        /// Its place in the file.
        entry: usize,
        /// The label before, if that changed.
        renamed_from: Option<String>,
        /// It had been taken out and is back.
        returned: bool,
    },
    /// Taken out of the file.
    Removed {
        /// Its row.
        id: i64,
        /// Its label.
        name: String,
    },
}

/// An entry that the database contradicts. It keeps what it had; the others go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the file.
    pub entry: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The day that the file names, where that is earlier than what the database goes by: if the file is right, it is the deadline.
    pub by: Option<Date>,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roster {
    /// What changes, in the order of the file.
    pub changes: Vec<Change>,
    /// What cannot.
    pub refused: Vec<Refused>,
    /// R6: so many entries are gone that a person looks first.
    pub mass_removal: Option<MassRemoval>,
}

/// R6: how many of how many active entries the file no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MassRemoval {
    /// Taken out.
    pub removed: usize,
    /// Active before.
    pub active: usize,
}

/// Compares the file's `entries` with what is `known`.
pub fn compare(known: &[Known], entries: &[Entry], zone: &TimeZone, now: Timestamp) -> Roster {
    let by_identity: HashMap<&Identity, &Known> = known.iter().map(|k| (&k.identity, k)).collect();
    let look_alikes = LookAlikes::of(known);
    let mut roster = Roster::default();
    let mut seen = HashSet::with_capacity(entries.len());
    let listed: HashSet<&Identity> = entries.iter().map(|entry| &entry.identity).collect();
    for (index, entry) in entries.iter().enumerate() {
        match by_identity.get(&entry.identity) {
            Some(old) => {
                seen.insert(old.id);
                let renamed = (old.name != entry.name).then(|| look_alikes.name_in_use(entry, &listed)).flatten();
                if let Some(refused) = renamed {
                    roster.refused.push(Refused { entry: index, by: None, ..refused });
                    continue;
                }
                compare_one(old, entry, index, zone, now, &mut roster);
            }
            None => match look_alikes.name_in_use(entry, &listed) {
                Some(refused) => roster.refused.push(Refused { entry: index, ..refused }),
                None => add(entry, index, &look_alikes, zone, &mut roster),
            },
        }
    }
    remove(known, &seen, &mut roster);
    roster
}

fn add(entry: &Entry, index: usize, look_alikes: &LookAlikes<'_>, zone: &TimeZone, roster: &mut Roster) {
    let standing = Standing::of(entry);
    let planned = chain::term_at(entry.expires_on, 0, entry.cycle)
        .and_then(|span| Ok((span, chain::moments(span.starts_on, &standing, zone)?)));
    match planned {
        Ok((span, moments)) => {
            roster.changes.push(Change::Added { entry: index, span, moments, confirm: look_alikes.of_entry(entry) });
        }
        Err(error) => roster.refused.push(outside(entry, index, &error.to_string())),
    }
}

fn outside(entry: &Entry, index: usize, error: &str) -> Refused {
    Refused {
        entry: index,
        message: format!("{}: {error}", entry.name),
        remedy: "correct its dates in the file".to_owned(),
        by: None,
    }
}

fn compare_one(old: &Known, entry: &Entry, index: usize, zone: &TimeZone, now: Timestamp, roster: &mut Roster) {
    let renamed_from = (entry.name != old.name).then(|| old.name.clone());
    if let Some(refused) = seed_conflict(old, entry, index) {
        roster.refused.push(refused);
        if !old.active || renamed_from.is_some() {
            roster.changes.push(Change::Kept { id: old.id, entry: index, renamed_from, returned: !old.active });
        }
        return;
    }
    let standing = Standing::of(entry);
    let changed = standing != old.standing;
    if changed || renamed_from.is_some() || !old.active || entry.expires_on != old.seed_on {
        roster.changes.push(Change::Updated {
            id: old.id,
            entry: index,
            renamed_from,
            standing_before: changed.then(|| Box::new(old.standing.clone())),
            returned: !old.active,
        });
    }
    if let Some(term) = &old.term {
        match reschedule(old, term, &standing, (index, entry), zone, now) {
            Ok(Some(Change::Recycled { .. })) if term.open_before.is_some() => {
                roster.refused.push(keeps_length(entry, index, term));
            }
            Ok(change) => roster.changes.extend(change),
            Err(error) => roster.refused.push(outside(entry, index, &error.to_string())),
        }
    }
}

/// R4: a term is replaced by one of another length when the one before it is settled, and not before.
fn keeps_length(entry: &Entry, index: usize, term: &KnownTerm) -> Refused {
    let open = term.open_before.unwrap_or(term.span.starts_on);
    Refused {
        entry: index,
        message: format!(
            "{}: the other length cannot hold for the term from {} before the one from {open}, which is open again, is settled; the rest of the edit is in force",
            entry.name, term.span.starts_on
        ),
        remedy: format!(
            "settle that term (what happened: renewd history {0}), or begin the other length with it: renewd rebase {0} {open}",
            typed(&entry.name)
        ),
        by: None,
    }
}

/// R4: after the first sight, `expires_on` may only repeat what it said, or follow the chain up to the paid end.
fn seed_conflict(old: &Known, entry: &Entry, index: usize) -> Option<Refused> {
    let paid_end = old.term.as_ref().map_or(old.seed_on, KnownTerm::paid_end);
    // An older copy of the file is no edit: it names the end of an earlier term.
    let passed = |day: Date| {
        let months = crate::calendar::Cycle::months(1);
        let ends =
            (0..).map_while(|k| crate::calendar::boundary(old.anchor_on, months, k * u32::from(old.standing.cycle_months)).ok());
        ends.take_while(|end| *end <= paid_end).any(|end| end == day)
    };
    let kept = crate::rules::kept(crate::rules::Rule::R4);
    if !kept || entry.expires_on == old.seed_on || entry.expires_on == paid_end || passed(entry.expires_on) {
        return None;
    }
    Some(Refused {
        entry: index,
        message: format!(
            "{}: expires_on = {} contradicts the database, where the paid term ends on {paid_end}; the edit of this entry is not taken",
            entry.name, entry.expires_on
        ),
        remedy: format!("set expires_on back to {paid_end}, or run: renewd rebase {} {}", typed(&entry.name), entry.expires_on),
        by: Some(entry.expires_on).filter(|day| *day < paid_end),
    })
}

/// Only a term that no attempt was made for can move.
fn reschedule(
    old: &Known,
    term: &KnownTerm,
    standing: &Standing,
    (index, entry): (usize, &Entry),
    zone: &TimeZone,
    _now: Timestamp,
) -> Result<Option<Change>, crate::calendar::OutOfCalendar> {
    if term.state.may_exist() || term.state.ends_chain() {
        return Ok(None);
    }
    let moments = chain::moments(term.span.starts_on, standing, zone)?;
    let span = chain::term_at(old.anchor_on, term.span.offset_months, standing.cycle())?;
    if !crate::rules::kept(crate::rules::Rule::R4) && entry.expires_on != old.seed_on && !term.attempted {
        let span = chain::term_at(entry.expires_on, 0, standing.cycle())?;
        let moments = chain::moments(span.starts_on, standing, zone)?;
        return Ok(Some(Change::Recycled { term: term.id, subscription: old.id, entry: index, span, moments }));
    }
    // What is held stays held: a new row would be free of it. The length is judged when it is released.
    if span.ends_on != term.span.ends_on && !term.attempted && term.state != TermState::Held {
        return Ok(Some(Change::Recycled { term: term.id, subscription: old.id, entry: index, span, moments }));
    }
    Ok((moments != term.moments).then_some(Change::Rescheduled { term: term.id, moments }))
}

fn remove(known: &[Known], seen: &HashSet<i64>, roster: &mut Roster) {
    let active = known.iter().filter(|k| k.active).count();
    let gone: Vec<&Known> = known.iter().filter(|k| k.active && !seen.contains(&k.id)).collect();
    if gone.len() > (active / 10).max(3) {
        roster.mass_removal = Some(MassRemoval { removed: gone.len(), active });
    }
    roster.changes.extend(gone.into_iter().map(|k| Change::Removed { id: k.id, name: k.name.clone() }));
}

/// R3: the labels and the customers that the database already knows.
struct LookAlikes<'a> {
    names: HashMap<&'a str, &'a Known>,
    customers: HashMap<(crate::ids::PortalId, super::subscription::Party), &'a Known>,
    /// One serial number is one device, whoever it stands under.
    devices: HashMap<String, &'a Known>,
}

impl<'a> LookAlikes<'a> {
    fn of(known: &'a [Known]) -> Self {
        Self {
            names: known.iter().map(|k| (k.name.as_str(), k)).collect(),
            devices: known.iter().filter_map(|k| Some((plain_serial(k.identity.serial.as_ref()?), k))).collect(),
            customers: known.iter().map(|k| ((k.identity.product_id, k.identity.party), k)).collect(),
        }
    }

    /// The name of one that is taken out while nobody knows what became of its order: a command that people were told would mean the new one.
    fn name_in_use(&self, entry: &Entry, listed: &HashSet<&Identity>) -> Option<Refused> {
        let old = self.names.get(entry.name.as_str()).filter(|old| !listed.contains(&old.identity))?;
        let open = |state| matches!(state, TermState::Ordering | TermState::Unknown | TermState::Placed);
        old.term.as_ref().filter(|term| open(term.state))?;
        Some(Refused {
            entry: 0,
            message: format!(
                "{0}: a renewal of that name, for another product, customer or serial number, has an order that is not settled yet; commands for it would mean this entry, which is not taken",
                entry.name
            ),
            remedy: format!("give this entry another name; then: renewd history {}", typed(&entry.name)),
            by: Some(entry.expires_on),
        })
    }

    fn of_entry(&self, entry: &Entry) -> Option<String> {
        if !crate::rules::kept(crate::rules::Rule::R3) {
            return None;
        }
        if let Some(old) = self.names.get(entry.name.as_str()) {
            return Some(format!(
                "another subscription was called {} before (product {}, item {})",
                old.name, old.identity.product_id, old.identity.item_id
            ));
        }
        let device = entry.identity.serial.as_ref().and_then(|serial| self.devices.get(&plain_serial(serial)));
        if let Some(old) = device {
            return Some(format!("{} already renews the device with the same serial number", old.name));
        }
        let old = self.customers.get(&(entry.identity.product_id, entry.identity.party))?;
        Some(format!("{} already renews product {} for the same customer", old.name, old.identity.product_id))
    }
}

#[cfg(test)]
mod tests;
