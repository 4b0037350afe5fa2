//! A daemon whose database or disk fails.
//!
//! Owns going on trying while that can help, and telling people without the database: the last good file says how. What the portal has
//! answered stays in the engine's memory meanwhile, and nothing is placed.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::ServiceError;
use crate::config::model::Notify;
use crate::daemon::engine::Engine;
use crate::notify::Channel;
use crate::portal::transport::Transport;
use crate::store::account::{Message, body_of};
use crate::store::nature::Nature;

/// A lock of a moment wakes nobody at night; the journal has it at once.
const TOLD_AFTER: Duration = Duration::from_mins(1);
/// How often the journal says it again, and how often people are tried to be told.
const SAID_AGAIN: Duration = Duration::from_mins(1);

/// What is wrong with the machine, and who knows.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    since: Option<(Instant, Timestamp)>,
    said: Option<Instant>,
    told: bool,
}

impl Trouble {
    /// A tick failed. What passes is tried again with the next tick; what does not is told, and ends the daemon.
    pub(super) async fn struck<T: Transport>(&mut self, engine: &Engine<T>, error: ServiceError) -> Result<(), ServiceError> {
        let now = engine.clock.now();
        if error.nature() == Nature::Lasting {
            let what = format!("renewd ends, and nothing is renewed until a person has helped: {error}");
            tell(engine, now, what + &not_recorded(engine), "systemctl status renewd").await;
            return Err(error);
        }
        let (since, at) = *self.since.get_or_insert_with(|| (Instant::now(), now));
        if self.said.is_some_and(|said| said.elapsed() < SAID_AGAIN) && (self.told || !is_long(since, at, now)) {
            return Ok(());
        }
        self.said = Some(Instant::now());
        tracing::error!("{error}; nothing is ordered meanwhile, and it is tried again every second{}", not_recorded(engine));
        if !self.told && is_long(since, at, now) {
            let what = format!("nothing is ordered or followed since {at:.0}: {error}{}", not_recorded(engine));
            self.told = tell(engine, now, what, "df -h; systemctl status renewd; do not stop renewd before this is mended").await;
        }
        Ok(())
    }

    /// A tick went well.
    pub(super) async fn over<T: Transport>(&mut self, engine: &Engine<T>) {
        let Some((_, at)) = self.since.take() else { return };
        tracing::info!("the database works again; it failed since {at:.0}");
        if std::mem::take(&mut self.told) {
            tell(
                engine,
                engine.clock.now(),
                format!("all is well again: the database had failed since {at:.0}"),
                "renewd status",
            )
            .await;
        }
        self.said = None;
    }
}

/// By either clock: one that was set back must not keep people from hearing of it.
fn is_long(since: Instant, at: Timestamp, now: Timestamp) -> bool {
    let told_after = SignedDuration::try_from(TOLD_AFTER).unwrap_or(SignedDuration::ZERO);
    since.elapsed() >= TOLD_AFTER || now.duration_since(at) >= told_after
}

fn not_recorded<T: Transport>(engine: &Engine<T>) -> String {
    let answers = engine.not_recorded();
    if answers.is_empty() {
        String::new()
    } else {
        format!("; the portal answered, and the database does not have it: {}", answers.join("; "))
    }
}

/// Past the outbox, which is in the database. Whether people know it now.
async fn tell<T: Transport>(engine: &Engine<T>, now: Timestamp, what: String, command: &str) -> bool {
    let Notify::Channels(channels) = &engine.config.notify else { return true };
    let message = Message { cause: "machine".to_owned(), renewal: None, what, by: None, command: Some(command.to_owned()) };
    match Channel::send_to_all(channels, &body_of(&message, now, None)).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "a message could not be delivered");
            false
        }
    }
}
