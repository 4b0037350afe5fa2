//! When to try again what is certainly not placed, and when to look again for what is unknown.
//!
//! Owns the tables of docs/promise.md. The tries are counted in the database, so a restart does not begin anew.

use jiff::{SignedDuration, Timestamp};

use crate::portal::outcome::Why;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Seconds until the next probe after the n-th failure: minutes, then hours, then every six hours.
const TROUBLE: [i64; 8] = [MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR];
/// A refusal is told at once and tried again rarely: a person has to change something first.
const REFUSED: [i64; 2] = [6 * HOUR, 24 * HOUR];
/// Looks for an unknown or unpaid order: soon, then around the time when its absence begins to count, and ever more rarely while it is left
/// to a person.
const FINDING_OUT: [i64; 6] = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR];
/// From so many looks on, every six hours; once a day; once a week.
const RARELY: [(u32, i64); 3] = [(60, 7 * 24 * HOUR), (40, 24 * HOUR), (LEFT_TO_A_PERSON, 6 * HOUR)];
/// The count of looks at which a person has been asked.
pub const LEFT_TO_A_PERSON: u32 = 20;

fn step(table: &[i64], tries: u32) -> i64 {
    let last = table.len().saturating_sub(1);
    table.get((tries as usize).min(last)).copied().unwrap_or(HOUR)
}

/// When the portal is asked again after `failures` failures in a row; a `Retry-After` longer than the table is honoured, but one probe is kept
/// for the hour before the nearest `deadline`.
pub fn probe_again(now: Timestamp, failures: u32, retry_after: Option<u64>, deadline: Option<Timestamp>) -> Timestamp {
    let asked = i64::try_from(retry_after.unwrap_or(0)).unwrap_or(i64::MAX).min(24 * HOUR);
    let next = later(now, step(&TROUBLE, failures.saturating_sub(1)).max(asked));
    deadline.map_or(next, |deadline| before_deadline(now, next, deadline))
}

fn before_deadline(now: Timestamp, next: Timestamp, deadline: Timestamp) -> Timestamp {
    let last = deadline.checked_sub(SignedDuration::from_secs(HOUR)).unwrap_or(deadline);
    if now < last { next.min(last) } else { next }
}

/// When a term whose attempt is certainly not placed is tried again. Never so late that the deadline is missed by waiting:
/// one try is kept for the hour before it.
pub fn try_again(now: Timestamp, why: Why, tries: u32, retry_after: Option<u64>, deadline: Timestamp) -> Timestamp {
    let table: &[i64] = if why == Why::Refused { &REFUSED } else { &TROUBLE };
    let asked = i64::try_from(retry_after.unwrap_or(0)).unwrap_or(i64::MAX).min(24 * HOUR);
    let next = later(now, step(table, tries.saturating_sub(1)).max(asked));
    before_deadline(now, next, deadline)
}

/// When an unknown attempt, or one that is not paid yet, is looked for again.
pub fn look_again(now: Timestamp, looks: u32) -> Timestamp {
    let rarely = RARELY.iter().find(|(from, _)| looks >= *from).map(|(_, seconds)| *seconds);
    later(now, rarely.unwrap_or_else(|| step(&FINDING_OUT, looks)))
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn probes_slow_down_to_every_six_hours_and_no_further() {
        let now = at("2027-01-01T00:00:00Z");
        assert_eq!(probe_again(now, 1, None, None), at("2027-01-01T00:01:00Z"));
        assert_eq!(probe_again(now, 8, None, None), at("2027-01-01T06:00:00Z"));
        assert_eq!(probe_again(now, 4_000_000_000, None, None), at("2027-01-01T06:00:00Z"));
    }

    #[test]
    fn retry_after_is_honoured_but_cannot_silence_the_daemon() {
        let now = at("2027-01-01T00:00:00Z");
        assert_eq!(probe_again(now, 1, Some(600), None), at("2027-01-01T00:10:00Z"));
        assert_eq!(probe_again(now, 1, Some(u64::MAX), None), at("2027-01-02T00:00:00Z"));
    }

    #[test]
    fn a_long_retry_after_leaves_a_probe_for_the_last_hour_before_a_deadline() {
        let (now, deadline) = (at("2027-01-01T00:00:00Z"), at("2027-01-01T05:00:00Z"));
        assert_eq!(probe_again(now, 1, Some(86_400), Some(deadline)), at("2027-01-01T04:00:00Z"));
        assert_eq!(probe_again(now, 1, Some(600), Some(deadline)), at("2027-01-01T00:10:00Z"));
    }

    #[test]
    fn a_refused_order_is_tried_once_more_in_the_last_hour() {
        let (now, deadline) = (at("2027-01-01T00:00:00Z"), at("2027-01-01T05:00:00Z"));
        assert_eq!(try_again(now, Why::Refused, 1, None, deadline), at("2027-01-01T04:00:00Z"));
        assert_eq!(try_again(at("2027-01-01T04:30:00Z"), Why::Refused, 2, None, deadline), at("2027-01-02T04:30:00Z"));
    }
}
