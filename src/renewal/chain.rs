//! The chain of terms of one subscription (R4) and the moments of one term.
//!
//! Owns when a term begins, ends, is due and is over. Counts from the anchor, so that no date drifts.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::subscription::Standing;
use crate::calendar::{self, Cycle, OutOfCalendar};

/// A term as the chain sees it: half-open, `[starts_on, ends_on)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Months from the anchor to `starts_on`.
    pub offset_months: u32,
    /// The first day that this term pays; the paid term ends here.
    pub starts_on: Date,
    /// The first day that it no longer pays.
    pub ends_on: Date,
}

/// The term that begins `offset_months` after `anchor` and lasts one `cycle`.
pub fn term_at(anchor: Date, offset_months: u32, cycle: Cycle) -> Result<Span, OutOfCalendar> {
    let month = Cycle::months(1);
    Ok(Span {
        offset_months,
        starts_on: calendar::boundary(anchor, month, offset_months)?,
        ends_on: calendar::boundary(anchor, month, offset_months.saturating_add(u32::from(cycle.in_months())))?,
    })
}

/// When a term must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// When to order.
    pub due_at: Timestamp,
    /// When it must be done.
    pub deadline_at: Timestamp,
}

/// The moments of a term that begins on `starts_on`.
pub fn moments(starts_on: Date, standing: &Standing, zone: &TimeZone) -> Result<Moments, OutOfCalendar> {
    Ok(Moments {
        due_at: calendar::due(starts_on, standing.lead_days, standing.order_at, zone)?,
        deadline_at: calendar::deadline(starts_on, zone)?,
    })
}

/// The last moment at which a late order still goes by itself.
pub fn last_chance(deadline_at: Timestamp, grace_days: u32) -> Timestamp {
    deadline_at.checked_add(SignedDuration::from_hours(24 * i64::from(grace_days))).unwrap_or(Timestamp::MAX)
}

/// Days before the deadline on which people are warned.
const WARNINGS: [i64; 3] = [7, 3, 1];

/// The next deadline warning after `now`: 7, 3 and 1 days before, once each, and at the deadline itself; then every week, because what still
/// waits for a person stops the terms after it too.
pub fn next_warning(deadline_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let day = |days: i64| deadline_at.checked_add(SignedDuration::from_hours(24 * days)).ok();
    let weeks = now.duration_since(deadline_at).as_hours().div_euclid(24 * 7).max(0);
    WARNINGS.iter().filter_map(|days| day(-days)).chain([deadline_at]).chain(day(7 * (weeks + 1))).find(|at| *at > now)
}
