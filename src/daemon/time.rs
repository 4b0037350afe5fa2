//! Whether the clock can be trusted (R13), and what is mended when it was set back.
//!
//! Owns the doubt about our own clock. Never sets it.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use super::sync::Synced;
use crate::renewal::chain;
use crate::renewal::state::Reason;
use crate::rules::{Rule, kept};
use crate::store::notices::Notice;
use crate::store::outbox::Message;
use crate::store::terms::DueTerm;
use crate::store::waits::Postponement;

/// R13: how far our clock may be from the portal's.
const TOLERANCE: SignedDuration = SignedDuration::from_hours(1);
/// How far behind the newest confirmed moment it may be: the portal's own machines differ by seconds.
const BEHIND: SignedDuration = SignedDuration::from_mins(5);
/// How long answers that do not tell the time are taken for old ones, out of a cache.
const UNTOLD: SignedDuration = SignedDuration::from_hours(1);
/// How often people hear of a wrong clock.
const TOLD_AGAIN: SignedDuration = SignedDuration::from_hours(24);
const HELP: &str = "set the clock (timedatectl), or: renewd accept --clock";

impl Engine {
    /// Why nothing may be done by this clock, if so. `terms` wait; nothing is concluded from a deadline that it says has passed.
    pub(super) fn clock_in_doubt(&self, synced: &Synced, due: &[DueTerm]) -> Option<Postponement> {
        if !kept(Rule::R13) {
            return None;
        }
        let now = self.clock.now();
        let mark = synced.high_water;
        let wait = |minutes, detail: String, remedy: Option<&str>| Postponement {
            terms: due.iter().map(|term| term.id).collect(),
            until: after(now, SignedDuration::from_mins(minutes)),
            reason: Reason::Clock,
            detail,
            remedy: remedy.map(str::to_owned),
        };
        match (synced.date, mark) {
            // It tells the time, but not in this answer: an old one, perhaps out of a cache.
            (None, Some(_)) if untold_since(due).is_none_or(|since| now.duration_since(since) < UNTOLD) => {
                Some(wait(1, "the portal's answer does not tell its time; it is asked again".to_owned(), None))
            }
            (None, Some(_)) => {
                let detail = "the portal does not tell the time any more, so nothing confirms this machine's clock";
                Some(wait(60, detail.to_owned(), Some("make sure that the clock is right, then: renewd accept --clock")))
            }
            (date, mark) => trouble(now, mark, date).map(|detail| wait(60, detail, Some(HELP))),
        }
    }

    /// Waits were written by a clock that was ahead: none may outlast the moment it was meant for. Called at a start, which may follow
    /// on any clock, and whenever the clock has gone back.
    pub(super) async fn mend_waits(&mut self, now: Timestamp) -> Result<(), TickError> {
        let waiting = self.store.mend_waits(now).await?;
        let warnings: Vec<_> =
            waiting.into_iter().map(|(term, deadline)| (term, deadline.and_then(|at| chain::next_warning(at, now)))).collect();
        self.store.warn_at(&warnings).await?;
        let mark = self.store.account().await?.high_water;
        let Some(detail) = trouble(now, mark, None).filter(|_| kept(Rule::R13)) else { return Ok(()) };
        self.tell_of_clock(now, format!("nothing is due by this clock, and nothing will be ordered: {detail}")).await
    }

    /// A clock that is wrong is told by itself, once a day: it stops every renewal, also those that are only followed.
    pub(super) async fn tell_of_clock(&mut self, now: Timestamp, what: String) -> Result<(), TickError> {
        tracing::error!("{what}; {HELP}");
        let notice = Notice { key: "portal:clock".to_owned(), renewal: None, reason: what.clone(), what_to_do: HELP.to_owned() };
        self.store.raise(now, &notice).await?;
        self.noticed = true;
        if self.store.told_since("clock", after(now, -TOLD_AGAIN), now).await? {
            return Ok(());
        }
        let by = self.store.next_deadline(now).await?;
        let message = Message { cause: "clock".to_owned(), renewal: None, what, by, command: Some(HELP.to_owned()) };
        Ok(self.store.tell(now, &[message]).await?)
    }
}

/// Since when terms wait for the clock, which the database keeps: a process may live for one look only.
fn untold_since(due: &[DueTerm]) -> Option<Timestamp> {
    due.iter().filter(|term| term.reason == Some(Reason::Clock)).map(|term| term.since).min()
}

fn trouble(now: Timestamp, high_water: Option<Timestamp>, portal: Option<Timestamp>) -> Option<String> {
    if let Some(mark) = high_water.filter(|mark| mark.duration_since(now) > BEHIND) {
        return Some(format!("the clock says {now:.0}, but the portal has already confirmed {mark:.0}"));
    }
    let portal = portal?;
    let apart = now.duration_since(portal).abs();
    (apart > TOLERANCE).then(|| format!("the clock says {now:.0}, the portal says {portal:.0}"))
}

#[cfg(test)]
mod tests;
