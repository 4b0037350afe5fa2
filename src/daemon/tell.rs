//! Telling people: deadline warnings, and emptying the outbox (R27).
//!
//! Owns when a message is tried again. What it says is in `words.rs`, how it travels in `notify/`.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::courier::{self, Courier, Tried, Turn};
use super::engine::{Engine, TickError, after};
use super::words;
use crate::config::model::{Channels, Config, Notify};
use crate::notify::Channel;
use crate::renewal::chain;
use crate::renewal::state::TermState;
use crate::store::moves::Write;
use crate::store::notices::{A_WEEK, Notice};
use crate::store::outbox::Message;
use crate::store::terms::DueTerm;
use crate::store::{Store, StoreError};

/// How many messages one tick sends; the rest is due again at once.
const AT_ONCE: u32 = 20;

impl Engine {
    /// Warnings ignore pause, hold and approval: whatever stands in the way, a person hears of it (R27). What was missed is told again until
    /// it is settled.
    pub(super) async fn warn(&mut self, now: Timestamp, due: &mut [DueTerm]) -> Result<(), TickError> {
        let mut due: Vec<&mut DueTerm> = due.iter_mut().filter(|term| term.warn_at.is_some_and(|at| at <= now)).collect();
        let waiting = |term: &DueTerm| match term.state {
            TermState::Renewed | TermState::Skipped => false,
            TermState::Missed => term.active,
            _ => true,
        };
        let mut write = Write::default();
        for term in due.iter_mut().filter(|term| waiting(term)) {
            if let Some(step) = words::too_late(term, now) {
                term.remedy.clone_from(&step.remedy);
                write.moves.push(step);
            }
            write.messages.push(words::warning(term, now, &self.config.zone));
        }
        for term in &mut due {
            term.warn_at = next_warning(term, now).filter(|_| waiting(term));
        }
        write.warnings = due.iter().map(|term| (term.id, term.warn_at)).collect();
        Ok(self.store.write(now, write).await?)
    }

    /// Sends what is in the outbox, beside the tick if there is a courier. A message that fails is tried again, at most every six hours, and
    /// stops no other.
    pub(super) async fn tell(&mut self, now: Timestamp) -> Result<(), TickError> {
        self.note_deliveries(now).await?;
        if self.courier.as_mut().is_some_and(Courier::is_busy) {
            return Ok(());
        }
        let next = self.store.next_wake().await?;
        if next.message.is_none_or(|at| at > now) {
            self.wake = Some(next);
            return Ok(());
        }
        let outgoing = self.store.outgoing(now, AT_ONCE).await?;
        let Notify::Channels(channels) = &self.config.notify else {
            for message in &outgoing {
                self.store.delivered(message, now).await?;
            }
            return Ok(());
        };
        let (channels, typed) = (channels.clone(), Arc::clone(&self.typed));
        if let Some(courier) = &mut self.courier {
            courier.send(channels, typed, outgoing);
            return Ok(());
        }
        for message in outgoing {
            let result = courier::deliver(&channels, &typed, &message.body, &Turn::default()).await;
            self.note_delivery(now, Tried { message, result }).await?;
        }
        Ok(())
    }

    /// Writes down what the courier has delivered, and what it has not.
    pub(super) async fn note_deliveries(&mut self, now: Timestamp) -> Result<(), TickError> {
        while let Some(tried) = self.courier.as_mut().and_then(Courier::tried) {
            self.note_delivery(now, tried).await?;
        }
        Ok(())
    }

    async fn note_delivery(&mut self, now: Timestamp, tried: Tried) -> Result<(), TickError> {
        let message = tried.message;
        match tried.result {
            Ok(()) => self.store.delivered(&message, now).await?,
            Err(error) => {
                tracing::error!(%error, "a message could not be delivered");
                let minutes = 5i64 << message.tries.min(6);
                self.store.undelivered(message.id, after(now, SignedDuration::from_mins(minutes)), &error.to_string()).await?;
            }
        }
        Ok(())
    }

    /// The last messages get a moment to arrive; what does not is sent again after the next start.
    pub(super) async fn end_deliveries(&mut self, within: Duration) {
        let Some(courier) = &mut self.courier else { return };
        courier.leave(within).await;
        if let Err(error) = self.note_deliveries(self.clock.now()).await {
            tracing::warn!("what was delivered last is not noted, and is sent again: {error}");
        }
    }

    /// Notices that still stand are told again: weekly, and as what they are about comes near.
    pub(super) async fn tell_of_what_stands(&mut self, now: Timestamp) -> Result<(), TickError> {
        for standing in self.store.standing_notices(now).await? {
            let again = again_at(now, standing.by);
            let message = words::still(&standing, &self.config.zone);
            self.store.tell_notice(now, &standing.notice.key, message, again).await?;
        }
        Ok(())
    }

    /// A portal that cannot be used is one notice and one message, not one for each term, nor one for each try: people hear of it once a day
    /// while it lasts.
    pub(super) async fn raise_trouble(&mut self, now: Timestamp, what: &str, tries: u32, refused: bool) -> Result<(), TickError> {
        let what_to_do = self.portal.credentials_help().map_or_else(|| "renewd check --online".to_owned(), str::to_owned);
        let notice = Notice { key: "portal".to_owned(), renewal: None, reason: what.to_owned(), what_to_do: what_to_do.clone() };
        self.store.raise(now, &notice).await?;
        let cause = if refused { "portal:refused" } else { "portal:trouble" };
        if self.store.told_since(cause, after(now, SignedDuration::from_hours(-24)), now).await? {
            return Ok(());
        }
        let by = self.store.next_deadline(now).await?;
        let what = format!("nothing can be ordered or followed ({tries} failed tries): {what}");
        let message = Message { cause: cause.to_owned(), renewal: None, what, by, command: Some(what_to_do) };
        Ok(self.store.tell(now, &[message]).await?)
    }

    /// Channels that nobody has tried do not take the place of those that work: they are asked for, and tried.
    pub(super) fn keep_channels_that_work(&mut self, config: &mut Config) {
        let Notify::Channels(new) = &config.notify else {
            self.channels_asked = None;
            return;
        };
        let print = Channel::fingerprint(new);
        if matches!(&self.config.notify, Notify::Channels(old) if Channel::fingerprint(old) == print) {
            self.channels_asked = self.channels_asked.take().filter(|asked| Channel::fingerprint(asked) == print);
            return;
        }
        self.channels_asked = Some(new.clone());
        if let old @ Notify::Channels(_) = &self.config.notify {
            config.notify = old.clone();
        }
    }

    /// The channels that were asked for are in force.
    pub(super) fn use_channels(&mut self, channels: Channels) {
        self.channels_asked = None;
        self.config = Arc::new(Config { notify: Notify::Channels(channels), ..(*self.config).clone() });
    }
}

/// The next warning of a term; one comes as its last chance passes, for then other commands help.
fn next_warning(term: &DueTerm, now: Timestamp) -> Option<Timestamp> {
    let last = chain::last_chance(term.moments.deadline_at, term.standing.grace_days);
    chain::next_warning(term.moments.deadline_at, now).into_iter().chain(Some(last).filter(|at| *at > now)).min()
}

/// When a notice is told again: in a week, or sooner where what it is about is near.
pub(super) fn again_at(now: Timestamp, by: Option<Timestamp>) -> Timestamp {
    let week = after(now, A_WEEK);
    by.and_then(|by| chain::next_warning(by, now)).map_or(week, |warning| warning.min(week))
}

/// What a try of channels came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channelled {
    /// Every one works, or did when it was last tried.
    Works,
    /// Some do: people can be told.
    Partly(String),
    /// None does now.
    NotNow(String),
    /// None ever will as it stands in the file.
    Wrong(String),
}

/// One try on every channel.
pub(super) async fn test(channels: Channels, now: Timestamp) -> Channelled {
    let results = Channel::test(&channels, now).await;
    let of = results.len();
    let failed: Vec<_> = results.into_iter().filter_map(|(_, result)| result.err()).collect();
    let what = failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match failed.len() {
        0 => Channelled::Works,
        some if some < of => Channelled::Partly(what),
        _ if failed.iter().all(|error| error.wrong) => Channelled::Wrong(what),
        _ => Channelled::NotNow(what),
    }
}

/// R27, at a start: channels that were never found to work are tried. Those that once worked go on, whether they answer now or not: a
/// webhook that is down for a minute must not keep renewals from being made, and what it does not take is tried again.
pub async fn try_channels(store: &mut Store, config: &Config, now: Timestamp) -> Result<Channelled, StoreError> {
    let Notify::Channels(channels) = &config.notify else { return Ok(Channelled::Works) };
    let fingerprint = Channel::fingerprint(channels);
    if store.channels_work(&fingerprint).await? {
        return Ok(Channelled::Works);
    }
    let tested = test(channels.clone(), now).await;
    if tested == Channelled::Works {
        store.keep_channels(&fingerprint, now).await?;
    }
    Ok(tested)
}

/// The channels of the newest file that this database has seen whose channels were found to work.
pub async fn channels_before(store: &mut Store) -> Result<Option<Channels>, StoreError> {
    for file in store.past_files().await? {
        if let Ok(Config { notify: Notify::Channels(channels), .. }) = crate::config::parse(&file.path, &file.text)
            && store.channels_work(&Channel::fingerprint(&channels)).await?
        {
            return Ok(Some(channels));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
