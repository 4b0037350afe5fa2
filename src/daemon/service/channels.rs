//! An edit of `[notify]`: the new channels are tried before they take the place of those that work.
//!
//! Owns the trial and its repetition. A daemon whose only way to people is one that nobody has tried would be silent when it matters (R27).

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::ServiceError;
use crate::config::model::{Channels, Notify};
use crate::daemon::engine::Engine;
use crate::daemon::tell::{self, Channelled};
use crate::notify::Channel;
use crate::store::notices::Notice;
use crate::store::outbox::Message;

/// How long after a trial that failed the next one is: the other side may have been down.
const TRIED_AGAIN: Duration = Duration::from_mins(15);

/// The trial of channels that are not in force yet.
#[derive(Debug, Default)]
pub(super) struct Trial {
    under_way: Option<(Channels, JoinHandle<Channelled>)>,
    failed: Option<(Channels, Instant)>,
}

impl Trial {
    /// The file was read again: what failed may have been mended.
    pub(super) fn at_once(&mut self) {
        self.failed = None;
    }

    /// Begins a trial where one is due, and concludes one that has ended. Waits for none.
    pub(super) async fn step(&mut self, engine: &mut Engine) -> Result<(), ServiceError> {
        let now = engine.clock.now();
        if let Some((tried, job)) = self.under_way.take_if(|(_, job)| job.is_finished()) {
            let result = job.await.unwrap_or_else(|error| Channelled::NotNow(format!("the trial broke off: {error}")));
            if engine.channels_asked.as_ref().is_some_and(|asked| same(asked, &tried)) {
                self.conclude(engine, now, tried, result).await?;
            }
        }
        let Some(asked) = &engine.channels_asked else { return Ok(()) };
        let waits = self.failed.as_ref().is_some_and(|(failed, at)| same(failed, asked) && at.elapsed() < TRIED_AGAIN);
        if self.under_way.is_none() && !waits {
            self.under_way = Some((asked.clone(), tokio::spawn(tell::test(asked.clone(), now))));
        }
        Ok(())
    }

    async fn conclude(
        &mut self,
        engine: &mut Engine,
        now: Timestamp,
        tried: Channels,
        result: Channelled,
    ) -> Result<(), ServiceError> {
        match result {
            Channelled::Works => {
                tracing::info!("the channels of [notify] work");
                engine.store.keep_channels(&Channel::fingerprint(&tried), now).await?;
                engine.store.withdraw("channel", &[]).await?;
                engine.use_channels(tried);
            }
            Channelled::Partly(wrong) => {
                raise(engine, now, &format!("a channel of [notify] does not work: {wrong}")).await?;
                engine.use_channels(tried);
            }
            Channelled::NotNow(wrong) | Channelled::Wrong(wrong) => {
                let others = matches!(&engine.config.notify, Notify::Channels(old) if !same(old, &tried));
                let kept = if others { "; the old channels stay in force" } else { "; people cannot be told" };
                raise(engine, now, &format!("the new channels of [notify] do not work: {wrong}{kept}")).await?;
                self.failed = Some((tried, Instant::now()));
            }
        }
        Ok(())
    }
}

fn same(one: &Channels, other: &Channels) -> bool {
    Channel::fingerprint(one) == Channel::fingerprint(other)
}

/// A notice, and a message by the channels that are in force.
async fn raise(engine: &mut Engine, now: Timestamp, what: &str) -> Result<(), ServiceError> {
    tracing::error!("{what}");
    let help = "mend [notify] in the file; renewd notify --test".to_owned();
    let notice = Notice { key: "channel".to_owned(), renewal: None, reason: what.to_owned(), what_to_do: help.clone() };
    engine.store.raise(now, &notice).await?;
    let a_day_ago = crate::daemon::engine::after(now, jiff::SignedDuration::from_hours(-24));
    if !engine.store.told_since("channel", a_day_ago, now).await? {
        let message =
            Message { cause: "channel".to_owned(), renewal: None, what: what.to_owned(), by: None, command: Some(help) };
        engine.store.tell(now, &[message]).await?;
    }
    Ok(())
}
