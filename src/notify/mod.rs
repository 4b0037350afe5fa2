//! How a message travels to people: a webhook, a command.
//!
//! Owns one try on each channel. The outbox in the database owns when it is tried again. Never carries a secret.

mod command;
mod webhook;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::config::model::Channels;

/// A channel did not take a message.
#[derive(Debug, thiserror::Error)]
#[error("{channel}: {what}")]
pub struct NotDelivered {
    /// Which channel.
    pub channel: &'static str,
    /// What happened.
    pub what: String,
    /// Whether the channel itself is wrong, so that trying again cannot help: no such program, no such kind of address.
    pub wrong: bool,
}

/// The same, before it is known of which channel.
struct Failed {
    what: String,
    wrong: bool,
}

impl Failed {
    /// It may work another time.
    fn now(what: String) -> Self {
        Self { what, wrong: false }
    }

    /// It never will.
    fn always(what: String) -> Self {
        Self { what, wrong: true }
    }
}

/// The ways to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A JSON POST.
    Webhook,
    /// A program that reads JSON on its standard input.
    Command,
}

impl Channel {
    /// The channels that are set up.
    pub fn all(channels: &Channels) -> Vec<Self> {
        let webhook = channels.webhook.as_ref().map(|_| Self::Webhook);
        let command = channels.command.as_ref().map(|_| Self::Command);
        webhook.into_iter().chain(command).collect()
    }

    /// What tells one set of channels from another, without showing it: a webhook's address is a secret.
    pub fn fingerprint(channels: &Channels) -> String {
        let webhook = channels.webhook.as_ref().map(|url| url.as_str().to_owned());
        crate::store::audit::hex(&Sha256::digest(format!("{webhook:?} {:?}", channels.command)))
    }

    /// Sends a message that says that it is a test, on every channel.
    pub async fn test(channels: &Channels, now: Timestamp) -> Vec<(Self, Result<(), NotDelivered>)> {
        let body = serde_json::json!({
            "at": now, "cause": "test", "renewal": null, "what": "this is a test of renewd's messages; nothing is wrong", "by": null, "command": null,
        })
        .to_string();
        let mut results = Vec::new();
        for channel in Self::all(channels) {
            results.push((channel, channel.send(channels, &body).await));
        }
        results
    }

    /// Sends `body` once on this channel.
    pub async fn send(self, channels: &Channels, body: &str) -> Result<(), NotDelivered> {
        let (channel, sent) = match (self, &channels.webhook, &channels.command) {
            (Self::Webhook, Some(url), _) => ("webhook", webhook::post(url, body, channels.timeout).await),
            (Self::Command, _, Some(argv)) => ("command", command::run(argv, body, channels.timeout).await),
            _ => return Ok(()),
        };
        sent.map_err(|Failed { what, wrong }| NotDelivered { channel, what, wrong })
    }

    /// Sends `body` on every channel that is not in `took`, and notes there which took it; all are tried, and the first failure is reported.
    pub async fn send_where_missing(channels: &Channels, body: &str, took: &mut Vec<Self>) -> Result<(), NotDelivered> {
        let mut result = Ok(());
        for channel in Self::all(channels) {
            if !took.contains(&channel) {
                match channel.send(channels, body).await {
                    Ok(()) => took.push(channel),
                    Err(error) => result = result.and(Err(error)),
                }
            }
        }
        result
    }
}
