//! Deliveries beside the tick: a webhook or a program that hangs keeps nobody's command and no renewal waiting.
//!
//! Owns the one delivery that is under way. What it is to say and when it is tried again stands in the outbox: a message is noted as
//! delivered after it was, so one that a kill interrupts is sent again, and none is lost.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

use crate::config::model::Channels;
use crate::notify::{Channel, NotDelivered};
use crate::store::outbox::Outgoing;

/// Makes commands in a text such that a person can paste them: with the options that find this file and this database.
pub type Typed = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// One delivery at a time, whoever sends.
pub(super) type Turn = Arc<Mutex<()>>;

/// Which channels took a message that others did not: a try does not repeat it to those.
type Reached = Arc<std::sync::Mutex<HashMap<(i64, String), Vec<Channel>>>>;

/// A message that was tried once.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) message: Outgoing,
    pub(super) result: Result<(), NotDelivered>,
}

/// Carries messages to people while the engine goes on.
pub struct Courier {
    wake: Arc<Notify>,
    turn: Turn,
    tried: UnboundedReceiver<Tried>,
    done: UnboundedSender<Tried>,
    under_way: Option<JoinHandle<()>>,
    /// Of those under way, how many were not heard of yet.
    left: usize,
    reached: Reached,
}

impl Courier {
    /// Rings `wake` whenever a message was tried.
    pub fn new(wake: Arc<Notify>) -> Self {
        let (done, tried) = unbounded_channel();
        Self { wake, turn: Turn::default(), tried, done, under_way: None, left: 0, reached: Reached::default() }
    }

    pub(super) fn turn(&self) -> Turn {
        Arc::clone(&self.turn)
    }

    /// Whether a delivery is under way, or has ended and was not noted. One that broke off counts as ended: it is tried again.
    pub(super) fn is_busy(&mut self) -> bool {
        if self.tried.is_empty() && self.under_way.as_ref().is_none_or(JoinHandle::is_finished) && self.tried.is_empty() {
            self.left = 0;
        }
        self.left > 0
    }

    /// Takes these messages along, one after the other.
    pub(super) fn send(&mut self, channels: Channels, typed: Typed, messages: Vec<Outgoing>) {
        let (wake, turn, done) = (Arc::clone(&self.wake), self.turn(), self.done.clone());
        let reached = Arc::clone(&self.reached);
        self.left += messages.len();
        self.under_way = Some(tokio::spawn(async move {
            for message in messages {
                let result = deliver_where_missing(&channels, &typed, &message, &turn, &reached).await;
                let _ = done.send(Tried { message, result });
                wake.notify_one();
            }
        }));
    }

    /// The next one that was tried.
    pub(super) fn tried(&mut self) -> Option<Tried> {
        let tried = self.tried.try_recv().ok()?;
        self.left = self.left.saturating_sub(1);
        Some(tried)
    }

    /// Lets what is under way end, but not for longer than `within`: what did not is sent again after the next start.
    pub(super) async fn leave(&mut self, within: Duration) {
        let Some(under_way) = self.under_way.take() else { return };
        let abort = under_way.abort_handle();
        if tokio::time::timeout(within, under_way).await.is_err() {
            abort.abort();
        }
    }
}

/// One try on every channel, when it is its turn.
pub(super) async fn deliver(channels: &Channels, typed: &Typed, body: &str, turn: &Turn) -> Result<(), NotDelivered> {
    let _turn = turn.lock().await;
    Channel::send_where_missing(channels, &pasted(body, typed), &mut Vec::new()).await
}

/// The same, but only on those channels that have not taken these words yet.
async fn deliver_where_missing(
    channels: &Channels,
    typed: &Typed,
    message: &Outgoing,
    turn: &Turn,
    reached: &Reached,
) -> Result<(), NotDelivered> {
    let _turn = turn.lock().await;
    let (key, body) = ((message.id, message.body.clone()), pasted(&message.body, typed));
    let known = |key| reached.lock().unwrap_or_else(PoisonError::into_inner).remove(key).unwrap_or_default();
    let mut took = known(&key);
    let result = Channel::send_where_missing(channels, &body, &mut took).await;
    if result.is_err() && !took.is_empty() {
        reached.lock().unwrap_or_else(PoisonError::into_inner).insert(key, took);
    }
    result
}

/// The message with its commands as a person must type them.
pub(super) fn pasted(body: &str, typed: &Typed) -> String {
    let Ok(mut message) = serde_json::from_str::<serde_json::Value>(body) else { return body.to_owned() };
    for part in ["what", "command"] {
        if let Some(text) = message.get_mut(part)
            && let Some(pasted) = text.as_str().map(|text| typed(text))
        {
            *text = pasted.into();
        }
    }
    message.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_said() -> Typed {
        Arc::new(|text| text.replace("renewd ", "renewd --config /srv/r.toml "))
    }

    fn hangs(seconds: u64) -> Channels {
        let command = ["/bin/sh", "-c", "sleep 60"].map(str::to_owned).to_vec();
        Channels { command: Some(command), timeout: Duration::from_secs(seconds), ..Channels::default() }
    }

    fn message(id: i64) -> Outgoing {
        Outgoing { id, body: "{}".to_owned(), tries: 0 }
    }

    #[test]
    fn a_command_in_a_message_finds_the_files_of_this_daemon() {
        let body = r#"{"what":"do renewd status","command":"renewd approve a","by":null,"n":1.50}"#;
        let pasted: serde_json::Value = serde_json::from_str(&pasted(body, &as_said())).unwrap();
        assert_eq!(pasted["command"], "renewd --config /srv/r.toml approve a");
        assert_eq!(pasted["what"], "do renewd --config /srv/r.toml status");
        assert!(pasted["by"].is_null());
    }

    #[tokio::test]
    async fn a_channel_that_hangs_keeps_nobody_waiting_and_its_message_is_not_noted_as_sent() {
        let mut courier = Courier::new(Arc::new(Notify::new()));
        courier.send(hangs(30), as_said(), vec![message(1)]);
        assert!(courier.is_busy());
        assert!(courier.tried().is_none());
        courier.leave(Duration::from_millis(10)).await;
        assert!(courier.tried().is_none());
        tokio::task::yield_now().await;
        assert!(!courier.is_busy(), "what was broken off is no longer under way");
    }

    /// One channel was dead for weeks, and the other one had every message dozens of times.
    #[tokio::test]
    async fn a_message_is_not_repeated_to_the_channel_that_took_it() {
        let folder = tempfile::tempdir().unwrap();
        let (heard, broken) = (folder.path().join("heard"), "http://127.0.0.1:1/".parse().unwrap());
        let script = format!("cat >> {0}; echo >> {0}", heard.display());
        let command = Some(["/bin/sh", "-c", script.as_str()].map(str::to_owned).to_vec());
        let channels = Channels { command, webhook: Some(broken), timeout: Duration::from_secs(5) };
        let (turn, reached) = (Turn::default(), Reached::default());
        for _ in 0..3 {
            assert!(deliver_where_missing(&channels, &as_said(), &message(1), &turn, &reached).await.is_err());
        }
        assert_eq!(std::fs::read_to_string(&heard).unwrap().lines().count(), 1);
        let other = Outgoing { body: r#"{"what":"other words"}"#.to_owned(), ..message(1) };
        assert!(deliver_where_missing(&channels, &as_said(), &other, &turn, &reached).await.is_err());
        assert_eq!(std::fs::read_to_string(&heard).unwrap().lines().count(), 2);
    }

    #[tokio::test]
    async fn one_that_fails_keeps_no_other_from_being_tried() {
        let wake = Arc::new(Notify::new());
        let mut courier = Courier::new(Arc::clone(&wake));
        let wrong =
            Channels { command: Some(vec!["/nowhere".to_owned()]), timeout: Duration::from_secs(5), ..Channels::default() };
        courier.send(wrong, as_said(), vec![message(1), message(2)]);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            wake.notified().await;
            seen.extend(std::iter::from_fn(|| courier.tried()).map(|tried| (tried.message.id, tried.result.is_err())));
        }
        assert_eq!(seen, [(1, true), (2, true)]);
        assert!(!courier.is_busy());
    }
}
