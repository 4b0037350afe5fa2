//! Telling people: deadline warnings, and emptying the outbox (R27).
//!
//! Owns when a message is tried again. What it says is in `words.rs`, how it travels in `notify/`.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use super::words;
use crate::config::model::{Config, Notify};
use crate::notify::Channel;
use crate::portal::transport::Transport;
use crate::renewal::chain;
use crate::renewal::state::TermState;
use crate::store::account::{Message, Notice};
use crate::store::terms::{DueTerm, Write};
use crate::store::{Store, StoreError};

/// How many messages one tick sends; the rest is due again at once.
const AT_ONCE: u32 = 20;

impl<T: Transport> Engine<T> {
    /// Warnings ignore pause, hold and approval: whatever stands in the way, a person hears of it (R27).
    pub(super) async fn warn(&mut self, now: Timestamp, due: &mut [DueTerm]) -> Result<(), TickError> {
        let mut due: Vec<&mut DueTerm> = due.iter_mut().filter(|term| term.warn_at.is_some_and(|at| at <= now)).collect();
        let waiting = |term: &DueTerm| !matches!(term.state, TermState::Renewed | TermState::Skipped | TermState::Missed);
        let messages = due.iter().filter(|term| waiting(term)).map(|term| words::warning(term, now, &self.config.zone)).collect();
        self.store.write(now, Write { messages, ..Write::default() }).await?;
        for term in &mut due {
            term.warn_at = chain::next_warning(term.moments.deadline_at, now).filter(|_| waiting(term));
        }
        let next: Vec<_> = due.iter().map(|term| (term.id, term.warn_at)).collect();
        Ok(self.store.warn_at(&next).await?)
    }

    /// Sends what is in the outbox. A message that fails is tried again, at most every six hours, and stops no other.
    pub(super) async fn tell(&mut self, now: Timestamp) -> Result<(), TickError> {
        for message in self.store.outgoing(now, AT_ONCE).await? {
            let Notify::Channels(channels) = &self.config.notify else {
                self.store.delivered(message.id, now).await?;
                continue;
            };
            match Channel::send_to_all(channels, &message.body).await {
                Ok(()) => self.store.delivered(message.id, now).await?,
                Err(error) => {
                    tracing::error!(%error, "a message could not be delivered");
                    let minutes = 5i64 << message.tries.min(6);
                    self.store
                        .undelivered(message.id, after(now, SignedDuration::from_mins(minutes)), &error.to_string())
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// A portal that cannot be used is one notice and one message, not one for each term.
    pub(super) async fn raise_trouble(&mut self, now: Timestamp, what: &str, tries: u32) -> Result<(), TickError> {
        let what_to_do = "renewd check --online".to_owned();
        self.store
            .raise(
                now,
                &Notice { key: "portal".to_owned(), renewal: None, reason: what.to_owned(), what_to_do: what_to_do.clone() },
            )
            .await?;
        let by = self.store.next_deadline(now).await?;
        let what = format!("nothing can be ordered or followed ({tries} failed tries): {what}");
        Ok(self
            .store
            .tell(
                now,
                &[Message { cause: format!("portal:{}", tries.min(3)), renewal: None, what, by, command: Some(what_to_do) }],
            )
            .await?)
    }
}

/// R27: channels that were never tried, or were changed, are tried now. Returns what is wrong with them.
pub async fn try_channels(store: &mut Store, config: &Config, now: Timestamp) -> Result<Option<String>, StoreError> {
    let Notify::Channels(channels) = &config.notify else { return Ok(None) };
    let fingerprint = Channel::fingerprint(channels);
    if store.channels_work(&fingerprint).await? {
        return Ok(None);
    }
    let failed: Vec<String> = Channel::test(channels, now)
        .await
        .into_iter()
        .filter_map(|(_, result)| result.err())
        .map(|error| error.to_string())
        .collect();
    if failed.is_empty() {
        store.keep_channels(&fingerprint, now).await?;
        return Ok(None);
    }
    Ok(Some(format!("people cannot be told: {}", failed.join("; "))))
}
