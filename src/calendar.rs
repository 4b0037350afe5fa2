//! Civil dates and terms.
//!
//! Owns every step from a date in the file to a moment in UTC. Terms are counted from their anchor, never from the term
//! before: 29 February comes back in the next leap year, and the 31st after a short month. Never reads a clock.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How long one term lasts, in calendar months (12 for a year).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cycle {
    months: u16,
}

impl Cycle {
    /// `count` months.
    pub const fn months(count: u16) -> Self {
        Self { months: count }
    }

    /// `count` years.
    pub const fn years(count: u16) -> Self {
        Self { months: count * 12 }
    }

    /// Its length in months.
    pub const fn in_months(self) -> u16 {
        self.months
    }

    /// The fewest days it can last: 28 a month, 365 a year.
    pub const fn least_days(self) -> u32 {
        let (years, months) = (self.months / 12, self.months % 12);
        years as u32 * 365 + months as u32 * 28
    }
}

/// A date or a moment lies outside what the calendar can hold (year 9999).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} lies outside the calendar")]
pub struct OutOfCalendar {
    /// What was being counted.
    pub what: String,
}

/// The `number`-th boundary of a chain that began at `anchor`: boundary 0 is the anchor itself.
///
/// A day that a month lacks becomes the last day of that month, for that boundary alone.
pub fn boundary(anchor: Date, cycle: Cycle, number: u32) -> Result<Date, OutOfCalendar> {
    let months = i64::from(cycle.months) * i64::from(number);
    let span = jiff::Span::new().try_months(months).map_err(|_| outside(anchor, months))?;
    anchor.checked_add(span).map_err(|_| outside(anchor, months))
}

fn outside(anchor: Date, months: i64) -> OutOfCalendar {
    OutOfCalendar { what: format!("{anchor} and {months} months") }
}

/// The moment at which the paid term is over: 00:00 at the start of `expires_on` in the declared zone (R5).
pub fn deadline(expires_on: Date, zone: &TimeZone) -> Result<Timestamp, OutOfCalendar> {
    moment(expires_on, Time::midnight(), zone)
}

/// The moment to order: `lead_days` civil days before `expires_on`, at `order_at`.
pub fn due(expires_on: Date, lead_days: u32, order_at: Time, zone: &TimeZone) -> Result<Timestamp, OutOfCalendar> {
    let day = expires_on
        .checked_sub(i64::from(lead_days).days())
        .map_err(|_| OutOfCalendar { what: format!("{lead_days} days before {expires_on}") })?;
    moment(day, order_at, zone)
}

/// A civil time in `zone` as a moment. In a gap (spring) the time moves forward by the length of the gap; in a fold (autumn)
/// the first of the two is meant: "compatible" of RFC 5545 section 3.3.5.
pub fn moment(day: Date, at: Time, zone: &TimeZone) -> Result<Timestamp, OutOfCalendar> {
    zone.to_ambiguous_zoned(day.to_datetime(at))
        .compatible()
        .map(|zoned| zoned.timestamp())
        .map_err(|_| OutOfCalendar { what: format!("{day} {at}") })
}

/// The civil day of `now` in `zone`; per-day limits count by it (R12).
pub fn day_of(now: Timestamp, zone: &TimeZone) -> Date {
    now.to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests;
