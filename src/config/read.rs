//! The file from top to bottom: its tables one by one, then its entries.
//!
//! Owns everything but `[[renewal]]` and `[defaults]` (`entry.rs`). A mistake in one table never hides those of another.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::entry::{self, Places};
use super::keys::{self, Key};
use super::model::{Channels, Config, Limits, Notify, PortalSettings, is_loopback};
use super::problem::{Problem, Problems, Span};
use super::section::{At, Field, Said, Section};
use super::{address, value};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// The production portal (portal-api.md section 1).
const PRODUCTION: &str = "https://openapi.partner.yeastar.com";

/// Reads the parsed file.
pub(super) fn file(root: &DeTable<'_>, source: &str, problems: &Problems) -> Result<(Config, Places), Said> {
    let top = Section::open("the file", Span::default(), root, &keys::FILE, problems);
    let zone = top.read("timezone", value::zone).needed();
    let portal = portal(&top);
    let check = check(&top);
    let notify = notify(&top);
    let limits = limits(&top);
    let (entries, places) = entry::all(&top, limits.ok(), source)?;
    let config = Config { zone: zone?.value, portal: portal?, check: check?, notify: notify?, limits: limits?, entries };
    Ok((config, places))
}

/// Opens a table of the file; where it is absent, an empty one stands in, so that its defaults hold.
pub(super) fn table<'d, 'i>(top: &Section<'d, 'i>, name: &str, title: &'static str, known: &'static [Key]) -> Section<'d, 'i>
where
    'i: 'd,
{
    let found = top.read(name, |value| as_table(value, title)).good();
    match found {
        Some(At { value, span }) => Section::open(title, span, value, known, top.problems),
        None => Section::empty(title, known, top.problems),
    }
}

fn as_table<'d, 'i>(value: &'d Spanned<DeValue<'i>>, title: &str) -> Result<&'d DeTable<'i>, value::Wrong> {
    let wrong = || value::Wrong::new("a table", "this is none").help(format!("write {title} on a line of its own"));
    value.get_ref().as_table().ok_or_else(wrong)
}

fn portal(top: &Section<'_, '_>) -> Result<PortalSettings, Said> {
    let section = table(top, "portal", "[portal]", &keys::PORTAL);
    let base_url = match section.read("base_url", address::portal) {
        Field::Absent => Url::parse(PRODUCTION).map_err(|_| section.missing("base_url", "the built-in one is no address")),
        given => given.needed().map(|at| at.value),
    };
    let local = base_url.as_ref().is_ok_and(is_loopback);
    let settle = section.read("settle", |value| settle(value, local));
    let codes = section.read("validation_codes", address::validation_codes);
    let proxy = section.read("proxy", address::proxy);
    Ok(PortalSettings {
        base_url: base_url?,
        settle: settle.optional()?,
        validation_codes: codes.unwrap_or(Vec::new())?,
        proxy: proxy.optional()?,
    })
}

/// R20: a short settle makes a slow order look absent, and absent orders are sent again.
fn settle(value: &Spanned<DeValue<'_>>, local: bool) -> Result<Duration, value::Wrong> {
    if local {
        value::time(value, Duration::from_secs(1), 7 * DAY, "from 1 s to 7 days")
    } else {
        value::time(value, 60 * MINUTE, 7 * DAY, "from 60 minutes to 7 days (less only for a portal on loopback)")
    }
}

fn check(top: &Section<'_, '_>) -> Result<String, Said> {
    let section = table(top, "schedule", "[schedule]", &keys::SCHEDULE);
    section.read("check", address::cron).unwrap_or_else(|| "0 * * * * *".to_owned())
}

fn notify(top: &Section<'_, '_>) -> Result<Notify, Said> {
    if top.value("notify").is_some_and(|value| value.get_ref().is_str()) {
        let nobody = top.read("notify", |value| value::word(value, &[("none", ())]));
        return nobody.needed().map(|_| Notify::Nobody);
    }
    let section = table(top, "notify", "[notify]", &keys::NOTIFY);
    let webhook = section.read("webhook", address::webhook);
    let command = section.read("command", address::command);
    let timeout = section.read("timeout", |value| value::time(value, Duration::from_secs(1), MINUTE, "from 1 s to 60 s"));
    let channels = Channels {
        webhook: webhook.optional()?,
        command: command.optional()?,
        timeout: timeout.unwrap_or(Duration::from_secs(10))?,
    };
    let none = channels.webhook.is_none() && channels.command.is_none();
    Ok(if none { Notify::Unset } else { Notify::Channels(channels) })
}

fn limits(top: &Section<'_, '_>) -> Result<Limits, Said> {
    let section = table(top, "limits", "[limits]", &keys::LIMITS);
    let read = |name: &str, default: u32| section.number(name).unwrap_or(default);
    let orders = read("max_orders_per_day", 50);
    let per_order = read("max_quantity_per_order", 500);
    let per_day = read("max_quantity_per_day", 2000);
    Ok(Limits { max_orders_per_day: orders?, max_quantity_per_order: per_order?, max_quantity_per_day: per_day? })
}

/// What only a mistake in renewd itself can cause: nothing is left out of a file in silence.
pub(super) fn incomplete() -> Problem {
    Problem::error(Span::default(), "this file could not be read completely, and renewd cannot say why")
        .help("this is a mistake in renewd: please report it, with the file")
}
