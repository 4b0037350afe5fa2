//! The file as the daemon uses it, after every check.
//!
//! Owns the shape of a valid configuration. Holds no secret: credentials never stand in the file.

use jiff::tz::TimeZone;
use url::Url;

pub use crate::portal::http::is_loopback;

use crate::renewal::subscription::Entry;

/// A valid `renewals.toml`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The zone in which dates of the file are meant.
    pub zone: TimeZone,
    /// Where the portal is and how it is read.
    pub portal: PortalSettings,
    /// Cron expression of the heartbeat, six fields, UTC.
    pub check: String,
    /// Who is told (R27).
    pub notify: Notify,
    /// What may be spent (R12).
    pub limits: Limits,
    /// Every `[[renewal]]`, in the order of the file, with `[defaults]` applied.
    pub entries: Vec<Entry>,
}

/// What is wrong with a file that tells nobody, and does not say that it means to.
pub const NOBODY_TOLD: &str = "nobody would be told when a renewal needs a person; name a channel in [notify] (webhook or command), or \
     write notify = \"none\" at the top of the file";

impl Config {
    /// R27: against a real portal somebody is told, or a person has said that nobody is to be.
    pub fn tells_nobody_by_oversight(&self) -> bool {
        self.notify == Notify::Unset && !self.portal.is_loopback()
    }

    /// Tells people by these channels, and returns those that the file asks for.
    pub fn use_channels(&mut self, channels: Channels) -> Option<Channels> {
        match std::mem::replace(&mut self.notify, Notify::Channels(channels)) {
            Notify::Channels(asked) => Some(asked),
            Notify::Unset | Notify::Nobody => None,
        }
    }
}

/// `[portal]`
#[derive(Debug, Clone)]
pub struct PortalSettings {
    /// `base_url`: https, or http on loopback; no credentials, query or fragment in it.
    pub base_url: Url,
    /// `settle`: how long before absence counts as evidence; by default R20's formula.
    pub settle: Option<std::time::Duration>,
    /// `validation_codes`: refusal codes (or prefixes ending in `*`) that prove nothing was created, beyond the built-in list (R15).
    pub validation_codes: Vec<String>,
    /// `proxy`: used only when it stands here; the environment's proxies are ignored.
    pub proxy: Option<Url>,
}

impl PortalSettings {
    /// Whether the portal is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.base_url)
    }
}

/// Who is told: `[notify]`, or `notify = "none"` at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notify {
    /// Nothing said: enough for a sandbox only.
    Unset,
    /// `notify = "none"`: a person chose to be told nothing.
    Nobody,
    /// `[notify]` with at least one channel.
    Channels(Channels),
}

/// The channels of `[notify]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channels {
    /// `webhook`: an https URL (http on loopback) that takes a JSON POST.
    pub webhook: Option<Url>,
    /// `command`: program and arguments; the message comes as JSON on standard input.
    pub command: Option<Vec<String>>,
    /// `timeout` of one try, for either.
    pub timeout: std::time::Duration,
}

/// `[limits]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `max_orders_per_day`
    pub max_orders_per_day: u32,
    /// `max_quantity_per_order`
    pub max_quantity_per_order: u32,
    /// `max_quantity_per_day`
    pub max_quantity_per_day: u32,
}
