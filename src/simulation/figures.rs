//! What was counted, for the table at the end.

use std::collections::BTreeMap;
use std::fmt;

/// Sums over worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) worlds: u64,
    pub(super) years: u64,
    pub(super) ticks: u64,
    pub(super) orders: u64,
    pub(super) strangers: u64,
    pub(super) crashes: u64,
    pub(super) edits: u64,
    pub(super) clock_steps: u64,
    pub(super) restores: u64,
    pub(super) copies: u64,
    pub(super) visits: u64,
    pub(super) whims: u64,
    pub(super) rebases: u64,
    pub(super) revivals: u64,
    pub(super) messages: u64,
    pub(super) attempts: u64,
    pub(super) deadlines: u64,
    pub(super) renewed_in_time: u64,
    pub(super) told_in_time: u64,
    pub(super) nobody_could_tell: u64,
    pub(super) fates: BTreeMap<&'static str, u64>,
    /// What was held or waited for, by reason.
    pub(super) holds: BTreeMap<String, u64>,
    /// A trace of everything, to see that a seed replays exactly.
    pub(super) trace: u64,
}

impl Figures {
    pub(super) fn add(&mut self, other: &Self) {
        let sums = [
            (&mut self.worlds, other.worlds),
            (&mut self.years, other.years),
            (&mut self.ticks, other.ticks),
            (&mut self.orders, other.orders),
            (&mut self.strangers, other.strangers),
            (&mut self.crashes, other.crashes),
            (&mut self.edits, other.edits),
            (&mut self.clock_steps, other.clock_steps),
            (&mut self.restores, other.restores),
            (&mut self.copies, other.copies),
            (&mut self.visits, other.visits),
            (&mut self.whims, other.whims),
            (&mut self.rebases, other.rebases),
            (&mut self.revivals, other.revivals),
            (&mut self.messages, other.messages),
            (&mut self.attempts, other.attempts),
            (&mut self.deadlines, other.deadlines),
            (&mut self.renewed_in_time, other.renewed_in_time),
            (&mut self.told_in_time, other.told_in_time),
            (&mut self.nobody_could_tell, other.nobody_could_tell),
        ];
        for (sum, more) in sums {
            *sum += more;
        }
        self.trace ^= other.trace;
        for (fate, times) in &other.fates {
            *self.fates.entry(fate).or_default() += times;
        }
        for (reason, times) in &other.holds {
            *self.holds.entry(reason.clone()).or_default() += times;
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} worlds, {} years, {} ticks, {} attempts, {} orders of ours, {} of others",
            self.worlds, self.years, self.ticks, self.attempts, self.orders, self.strangers
        )?;
        writeln!(
            f,
            "{} crashes, {} backups put back, {} copies started, {} edits, {} clock steps, {} messages",
            self.crashes, self.restores, self.copies, self.edits, self.clock_steps, self.messages
        )?;
        writeln!(
            f,
            "{} visits by people, {} commands of their own accord, {} chains that went on, {} dead orders that lived again",
            self.visits, self.whims, self.rebases, self.revivals
        )?;
        writeln!(
            f,
            "{} deadlines: {} renewed in time, {} told in time, {} with the daemon away",
            self.deadlines, self.renewed_in_time, self.told_in_time, self.nobody_could_tell
        )?;
        writeln!(f, "fates of orders:")?;
        for (fate, times) in &self.fates {
            writeln!(f, "  {times:>8}  {fate}")?;
        }
        writeln!(f, "held or waiting, by reason:")?;
        for (reason, times) in &self.holds {
            writeln!(f, "  {times:>8}  {reason}")?;
        }
        Ok(())
    }
}
