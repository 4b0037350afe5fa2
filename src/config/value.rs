//! From a TOML value to what it means, one function per kind of value.
//!
//! Owns spelling: ids, durations, dates, addresses. Never compares one key with another.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::DeValue;

use super::limits::SANE_YEARS;
use super::problem::Span;
use super::section::nearest;
use super::shown::{is_treacherous, quoted};
use crate::ids::{IdError, PortalId};
use crate::renewal::product::{self, PRODUCTS, Product};

/// Why a value is wrong. `must` ends the sentence "`key` must be …".
#[derive(Debug)]
pub(super) struct Wrong {
    pub must: String,
    pub label: String,
    /// Without one, the key's example is the remedy.
    pub help: Option<String>,
    /// Without one, the whole value is marked.
    pub span: Option<Span>,
}

impl Wrong {
    pub fn new(must: impl Into<String>, label: impl Into<String>) -> Self {
        Self { must: must.into(), label: label.into(), help: None, span: None }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn kind(must: &str, value: &DeValue<'_>) -> Self {
        Self::new(must, format!("this is {}", kind(value)))
    }
}

type Value<'i> = Spanned<DeValue<'i>>;

/// What a value is, with its article.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction or an exponent",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Any text.
pub(super) fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, Wrong> {
    value.get_ref().as_str().ok_or_else(|| Wrong::kind("a text in quotes", value.get_ref()))
}

/// A text that people read and type: nothing invisible, no spaces around it, no leading `-` (the command line would take it
/// for an option), at most `max` characters.
pub(super) fn label<'v>(value: &'v Value<'_>, max: usize) -> Result<&'v str, Wrong> {
    let text = text(value)?;
    let wrong = |label: &str| Err(Wrong::new(format!("a plain text of 1 to {max} characters"), label));
    match text {
        "" => wrong("this is empty"),
        _ if text.trim() != text => wrong("there are spaces around it"),
        _ if text.starts_with('-') => wrong("the command line would take this for an option"),
        _ if text.contains(is_treacherous) => wrong("there is an invisible character in it"),
        _ if text.chars().count() > max => wrong("this is too long"),
        _ => Ok(text),
    }
}

/// A serial number: letters, digits and `-`.
pub(super) fn serial<'v>(value: &'v Value<'_>, max: usize) -> Result<&'v str, Wrong> {
    let text = text(value)?;
    let fine = (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fine { Ok(text) } else { Err(Wrong::new("a serial number of letters, digits and `-`", "this is none")) }
}

/// One of a few words.
pub(super) fn word<T: Copy>(value: &Value<'_>, words: &[(&'static str, T)]) -> Result<T, Wrong> {
    let list = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
    let Some(text) = value.get_ref().as_str() else { return Err(Wrong::kind(&list(), value.get_ref())) };
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| match nearest(text, words.iter().map(|(word, _)| *word)) {
        Some(near) => Wrong::new(list(), format!("did you mean \"{near}\"?")),
        None => Wrong::new(list(), "this is neither"),
    })
}

/// `true` or `false`.
pub(super) fn flag(value: &Value<'_>) -> Result<bool, Wrong> {
    value.get_ref().as_bool().ok_or_else(|| Wrong::kind("true or false, without quotes", value.get_ref()))
}

/// A portal id, as an integer or a text, exact to the last digit.
pub(super) fn id(value: &Value<'_>) -> Result<PortalId, Wrong> {
    const MUST: &str = "an id of 1 to 20 digits";
    let parsed = match value.get_ref() {
        DeValue::String(text) => text.parse(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse(),
        other => return Err(Wrong::kind(MUST, other)),
    };
    parsed.map_err(|error| match error {
        IdError::NotDigits => Wrong::new(MUST, "an id consists of digits only"),
        IdError::TooLong => Wrong::new(MUST, "an id has at most 20 digits"),
        IdError::LeadingZero => Wrong::new(MUST, "an id does not begin with 0"),
    })
}

/// A whole number from `min` to `max`.
pub(super) fn number(value: &Value<'_>, min: u32, max: u32) -> Result<u32, Wrong> {
    let must = format!("a whole number from {min} to {max}");
    let DeValue::Integer(number) = value.get_ref() else {
        let wrong = Wrong::kind(&must, value.get_ref());
        return Err(if value.get_ref().is_str() { wrong.help("write it without quotes") } else { wrong });
    };
    let exact = i128::from_str_radix(number.as_str(), number.radix()).ok();
    let fitting = exact.and_then(|exact| u32::try_from(exact).ok()).filter(|number| (min..=max).contains(number));
    fitting.ok_or_else(|| {
        let small = exact.is_some_and(|exact| exact < i128::from(min)) || number.as_str().starts_with('-');
        Wrong::new(must, if small { "this is too small" } else { "this is too large" })
    })
}

/// The preset of a product.
pub(super) fn product(value: &Value<'_>) -> Result<&'static Product, Wrong> {
    const MUST: &str = "a product that renewd knows";
    let text = text(value)?;
    product::by_key(text).ok_or_else(|| {
        let keys: Vec<&str> = PRODUCTS.iter().map(|product| product.key).collect();
        match nearest(text, keys.iter().copied()) {
            Some(near) => Wrong::new(MUST, format!("did you mean \"{near}\"?")).help(format!("write `product = \"{near}\"`")),
            None => Wrong::new(MUST, "no product is called so").help(format!("the products are {}", keys.join(", "))),
        }
    })
}

/// A zone by its IANA name.
pub(super) fn zone(value: &Value<'_>) -> Result<TimeZone, Wrong> {
    let text = text(value)?;
    let known = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown() && zone.iana_name().is_some());
    known.ok_or_else(|| {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let label = match nearest(text, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "no zone is called so".to_owned(),
        };
        Wrong::new("the name of a zone in the IANA database", label)
    })
}

/// A day without a time: a TOML date, or the same in quotes.
pub(super) fn day(value: &Value<'_>) -> Result<Date, Wrong> {
    const MUST: &str = "a day, written YYYY-MM-DD";
    let day = match value.get_ref() {
        DeValue::Datetime(moment) => match (moment.date, moment.time) {
            (Some(day), None) => civil(day),
            (Some(day), Some(_)) => return Err(day_with_time(&day.to_string())),
            (None, _) => return Err(Wrong::new(MUST, "this is a time of day")),
        },
        DeValue::String(text) => plain_day(text),
        other => return Err(Wrong::kind(MUST, other)),
    };
    let day = day.ok_or_else(|| Wrong::new(MUST, "there is no such day"))?;
    if SANE_YEARS.contains(&day.year()) { Ok(day) } else { Err(Wrong::new(MUST, "this year cannot be meant")) }
}

fn civil(day: toml::value::Date) -> Option<Date> {
    Date::new(i16::try_from(day.year).ok()?, i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?).ok()
}

fn day_with_time(day: &str) -> Wrong {
    Wrong::new("a day without a time", "this is a moment")
        .help(format!("write `{day}`: the day is meant in the zone of `timezone`; check that it is the same day there"))
}

/// Exactly `YYYY-MM-DD`; jiff alone would take more forms.
fn plain_day(text: &str) -> Option<Date> {
    let form = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    if form { text.parse().ok() } else { None }
}

/// A time of day to the minute: "09:00", or a TOML time.
pub(super) fn time_of_day(value: &Value<'_>) -> Result<Time, Wrong> {
    const MUST: &str = "a time of day from \"00:00\" to \"23:59\"";
    match value.get_ref() {
        DeValue::String(text) => plain_time(text).ok_or_else(|| Wrong::new(MUST, "this is none")),
        DeValue::Datetime(moment) => match (moment.date, moment.time) {
            (None, Some(time)) => plain_time(&time.to_string()).ok_or_else(|| Wrong::new(MUST, "this is more exact")),
            _ => Err(Wrong::new(MUST, "this has a date")),
        },
        other => Err(Wrong::kind(MUST, other)),
    }
}

/// `HH:MM`, or `HH:MM:00`.
fn plain_time(text: &str) -> Option<Time> {
    let text = text.strip_suffix(":00").filter(|short| short.len() == 5).unwrap_or(text);
    let (hour, minute) = text.split_once(':')?;
    let two =
        |digits: &str| (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse::<i8>().ok())?;
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

/// Whole days, written in days or weeks.
pub(super) fn days(value: &Value<'_>, min: u32, max: u32) -> Result<u32, Wrong> {
    let must = if min == 0 { "a number of days or weeks" } else { "at least one day, in days or weeks" };
    let seconds = length(value, must)?.as_secs();
    let days = u32::try_from(seconds / DAY).unwrap_or(u32::MAX);
    match days {
        _ if seconds % DAY != 0 => Err(Wrong::new(must, "these are no whole days")),
        _ if days < min => Err(Wrong::new(must, "this is too short")),
        _ if days > max => Err(Wrong::new(must, format!("this is more than {max} days"))),
        _ => Ok(days),
    }
}

/// A length of time from `min` to `max`, both described by `range`.
pub(super) fn time(value: &Value<'_>, min: Duration, max: Duration, range: &str) -> Result<Duration, Wrong> {
    let must = format!("a length of time {range}");
    let length = length(value, &must)?;
    match length {
        _ if length < min => Err(Wrong::new(must, "this is too short")),
        _ if length > max => Err(Wrong::new(must, "this is too long")),
        _ => Ok(length),
    }
}

const DAY: u64 = 86_400;

/// A number and a unit.
fn length(value: &Value<'_>, must: &str) -> Result<Duration, Wrong> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.as_ref(),
        DeValue::Integer(number) => {
            return Err(Wrong::new(must, "this has no unit")
                .help(format!("write the unit too, in quotes, such as \"{number} days\" or \"{number} minutes\"")));
        }
        other => return Err(Wrong::kind(must, other)),
    };
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let Ok(number) = number.parse::<u64>() else { return Err(Wrong::new(must, "this does not begin with a whole number")) };
    let seconds = match unit.trim() {
        "s" | "sec" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "" => return Err(Wrong::new(must, "this has no unit")),
        unit => {
            return Err(Wrong::new(must, format!("{} is no unit", quoted(unit))).help("the units are s, min, h, days and weeks"));
        }
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| Wrong::new(must, "this is too long"))
}

/// A list of texts, each read by `one`.
pub(super) fn list<'v, T>(value: &'v Value<'_>, one: impl Fn(&'v str) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    const MUST: &str = "a list of texts in quotes";
    let Some(array) = value.get_ref().as_array() else { return Err(Wrong::kind(MUST, value.get_ref())) };
    let read = |item: &'v Value<'_>| {
        let here = |wrong: Wrong| Wrong { span: Some(item.span().into()), ..wrong };
        let text = item.get_ref().as_str().ok_or_else(|| Wrong::kind(MUST, item.get_ref()));
        text.and_then(&one).map_err(here)
    };
    array.iter().map(read).collect()
}
