//! A daemon whose database or disk fails.
//!
//! Owns going on trying while that can help, and telling people without the database: the last good file says how, and what was last read
//! says whose deadlines come near. What the portal has answered stays in the engine's memory meanwhile, and nothing is placed.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use super::{ServiceError, systemd};
use crate::config::model::Notify;
use crate::daemon::courier;
use crate::daemon::engine::{Engine, after};
use crate::store::nature::Nature;
use crate::store::outbox::{Message, body_of};
use crate::store::unheard::Nearing;

/// A lock of a moment wakes nobody at night; the journal has it at once.
const TOLD_AFTER: Duration = Duration::from_mins(1);
/// How often the journal says it again, and how often people are tried to be told.
const SAID_AGAIN: Duration = Duration::from_mins(1);
/// How often people hear of it while it lasts.
const TOLD_AGAIN: Duration = Duration::from_hours(24);
/// Whose deadlines are named.
const NEAR: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How far ahead deadlines are kept in mind, for a database that cannot be read any more.
const KEPT: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How many deadlines are kept in mind.
const MOST: u32 = 200;

/// A moment by both clocks: one that is set must not keep people from hearing.
type Moment = (Instant, Timestamp);

/// What is wrong with the machine, and who knows.
#[derive(Debug)]
pub(super) struct Trouble {
    since: Option<Moment>,
    said: Option<Instant>,
    /// When people last heard of it, and when telling them was last tried.
    told: Option<Moment>,
    tried: Option<Instant>,
    sending: Option<Sending>,
    /// Deadlines as last read.
    near: Vec<Nearing>,
    /// Deadlines that have passed by then were told.
    passed: Timestamp,
}

/// A message on its way.
#[derive(Debug)]
struct Sending {
    job: JoinHandle<bool>,
    /// What it says holds until then.
    now: Moment,
}

impl Trouble {
    pub(super) fn none(now: Timestamp) -> Self {
        Self { since: None, said: None, told: None, tried: None, sending: None, near: Vec::new(), passed: now }
    }

    /// While the database can be read: whose deadlines come near.
    pub(super) async fn remember(&mut self, engine: &mut Engine) {
        let now = engine.clock.now();
        match engine.store.nearing(now, after(now, KEPT), MOST).await {
            Ok(near) => self.near = near,
            Err(error) => tracing::debug!("the deadlines cannot be read: {error}"),
        }
    }

    /// A tick failed. What passes is tried again with the next tick; what does not is told, and ends the daemon.
    pub(super) async fn struck(&mut self, engine: &mut Engine, error: ServiceError) -> Result<(), ServiceError> {
        let now = engine.clock.now();
        if error.nature() == Nature::Lasting {
            let what = format!("renewd ends, and nothing is renewed until a person has helped: {error}");
            let what = what + &not_recorded(engine) + &deadlines(&self.near, now, now, &engine.config.zone);
            send(engine, now, what, self.nearest(now), "systemctl status renewd").await;
            return Err(error);
        }
        if self.since.is_none() {
            (self.since, self.passed) = (Some((Instant::now(), now)), now);
        }
        let since = self.since.map_or(now, |(_, at)| at);
        self.hear().await;
        let tell = self.is_time_to_tell(now);
        if !tell && self.said.is_some_and(|said| said.elapsed() < SAID_AGAIN) {
            return Ok(());
        }
        self.said = Some(Instant::now());
        systemd::status(&format!("in trouble since {since:.0}, nothing is ordered: {error}"));
        tracing::error!("{error}; nothing is ordered meanwhile, and it is tried again every second{}", not_recorded(engine));
        if tell {
            self.remember(engine).await;
            let what = format!("nothing is ordered or followed since {since:.0}: {error}{}", not_recorded(engine));
            let what = what + &deadlines(&self.near, self.passed, now, &engine.config.zone);
            self.tried = Some(Instant::now());
            let job = tokio::spawn(send(engine, now, what, self.nearest(now), HELP));
            self.sending = Some(Sending { job, now: (Instant::now(), now) });
        }
        Ok(())
    }

    /// Whether the message that was on its way has arrived.
    async fn hear(&mut self) {
        let Some(sending) = self.sending.take_if(|sending| sending.job.is_finished()) else { return };
        if sending.job.await.unwrap_or(false) {
            (self.told, self.passed) = (Some(sending.now), sending.now.1);
        }
    }

    /// After a minute, then every day; and at once when a deadline has passed meanwhile. What did not arrive is tried every minute.
    fn is_time_to_tell(&self, now: Timestamp) -> bool {
        let lasts = |since: &Moment, span| is_long(*since, now, span);
        if self.sending.is_some()
            || self.tried.is_some_and(|at| at.elapsed() < SAID_AGAIN && self.told.is_none_or(|told| told.0 < at))
        {
            return false;
        }
        let long = self.since.as_ref().is_some_and(|since| lasts(since, TOLD_AFTER));
        let again = self.told.as_ref().is_none_or(|told| lasts(told, TOLD_AGAIN));
        let missed = self.near.iter().any(|term| self.passed < term.deadline_at && term.deadline_at <= now);
        long && (again || missed)
    }

    fn nearest(&self, now: Timestamp) -> Option<Timestamp> {
        self.near.iter().map(|term| term.deadline_at).find(|at| *at > now)
    }

    /// A tick went well. Whether it had not before.
    pub(super) async fn over(&mut self, engine: &mut Engine) -> bool {
        let Some((_, at)) = self.since.take() else { return false };
        tracing::info!("the database works again; it failed since {at:.0}");
        let told = self.told.take().is_some() || self.sending.is_some();
        (self.said, self.tried) = (None, None);
        if told {
            let what = format!("all is well again: the database had failed since {at:.0}");
            let command = Some("renewd status".to_owned());
            let message = Message { cause: "machine.over".to_owned(), renewal: None, what, by: None, command };
            if let Err(error) = engine.store.tell(engine.clock.now(), &[message]).await {
                tracing::warn!("people are not told that it is over: {error}");
            }
        }
        true
    }

    /// A message on its way gets a moment to arrive.
    pub(super) async fn leave(self, within: Duration) {
        if let Some(sending) = self.sending {
            let _ = tokio::time::timeout(within, sending.job).await;
        }
    }
}

const HELP: &str = "df -h; systemctl status renewd; do not stop renewd before this is mended";

/// By either clock.
fn is_long((since, at): Moment, now: Timestamp, span: Duration) -> bool {
    since.elapsed() >= span || now.duration_since(at) >= SignedDuration::try_from(span).unwrap_or(SignedDuration::ZERO)
}

/// Whose deadlines have passed since `from`, and whose come near.
fn deadlines(known: &[Nearing], from: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let named = |which: &dyn Fn(Timestamp) -> bool| {
        let shown =
            |term: &Nearing| format!("{} ({})", term.renewal, term.deadline_at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M"));
        let all: Vec<String> = known.iter().filter(|term| which(term.deadline_at)).map(shown).collect();
        let more = if all.len() > 20 { format!(" and {} more", all.len() - 20) } else { String::new() };
        all.into_iter().take(20).collect::<Vec<_>>().join(", ") + &more
    };
    let passed = named(&|at| from < at && at <= now);
    let near = named(&|at| now < at && at <= after(now, NEAR));
    let passed = if passed.is_empty() { passed } else { format!("; not renewed, and the deadline has passed: {passed}") };
    let near = if near.is_empty() { near } else { format!("; renew in the portal what cannot wait, deadlines: {near}") };
    passed + &near
}

fn not_recorded(engine: &Engine) -> String {
    let answers = engine.not_recorded();
    if answers.is_empty() {
        String::new()
    } else {
        format!("; the portal answered, and the database does not have it: {}", answers.join("; "))
    }
}

/// Past the outbox, which is in the database. Whether people know it now.
fn send(
    engine: &Engine,
    now: Timestamp,
    what: String,
    by: Option<Timestamp>,
    command: &str,
) -> impl Future<Output = bool> + Send + 'static {
    let message = Message { cause: "machine".to_owned(), renewal: None, what, by, command: Some(command.to_owned()) };
    let body = body_of(&message, now, None);
    let (notify, typed, turn) = (engine.config.notify.clone(), std::sync::Arc::clone(&engine.typed), engine.turn());
    async move {
        let Notify::Channels(channels) = notify else { return true };
        let delivered = courier::deliver(&channels, &typed, &body, &turn).await;
        delivered.inspect_err(|error| tracing::error!(%error, "a message could not be delivered")).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn known() -> Vec<Nearing> {
        let nearing = |renewal: &str, day: &str| Nearing { renewal: renewal.to_owned(), deadline_at: at(day) };
        vec![nearing("a", "2027-03-01T00:00:00Z"), nearing("b", "2027-03-10T00:00:00Z"), nearing("c", "2027-04-10T00:00:00Z")]
    }

    /// In trouble since `since` by the calendar, told then, and not a minute by the machine's own clock.
    fn told(since: &str) -> Trouble {
        let moment = (Instant::now(), at(since));
        Trouble { since: Some(moment), told: Some(moment), near: known(), ..Trouble::none(at(since)) }
    }

    #[test]
    fn it_is_said_again_every_day_while_it_lasts() {
        let trouble = told("2027-02-01T00:00:00Z");
        assert!(!trouble.is_time_to_tell(at("2027-02-01T23:59:00Z")));
        assert!(trouble.is_time_to_tell(at("2027-02-02T00:00:00Z")));
    }

    #[test]
    fn a_deadline_that_passes_meanwhile_is_told_at_once() {
        let trouble = told("2027-02-28T20:00:00Z");
        assert!(!trouble.is_time_to_tell(at("2027-02-28T23:59:00Z")));
        assert!(trouble.is_time_to_tell(at("2027-03-01T00:00:00Z")));
    }

    #[test]
    fn a_failure_of_a_moment_wakes_nobody() {
        let trouble = Trouble { told: None, ..told("2027-02-01T00:00:00Z") };
        assert!(!trouble.is_time_to_tell(at("2027-02-01T00:00:59Z")));
        assert!(trouble.is_time_to_tell(at("2027-02-01T00:01:00Z")));
    }

    #[test]
    fn the_renewals_of_the_next_fortnight_are_named_and_those_whose_deadline_has_passed() {
        let said = deadlines(&known(), at("2027-02-28T00:00:00Z"), at("2027-03-02T00:00:00Z"), &TimeZone::UTC);
        assert_eq!(
            said,
            "; not renewed, and the deadline has passed: a (2027-03-01 00:00); renew in the portal what cannot wait, deadlines: b (2027-03-10 00:00)"
        );
    }
}
