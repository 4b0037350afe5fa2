use super::*;
use jiff::civil::date;
use proptest::prelude::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn chain(anchor: Date, cycle: Cycle, length: u32) -> Vec<String> {
    (0..length).map(|n| boundary(anchor, cycle, n).unwrap().to_string()).collect()
}

#[test]
fn the_29th_of_february_comes_back_in_the_next_leap_year() {
    let years = chain(date(2024, 2, 29), Cycle::years(1), 5);
    assert_eq!(years, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
}

#[test]
fn a_month_end_keeps_its_day_after_a_short_month() {
    let months = chain(date(2027, 1, 31), Cycle::months(1), 4);
    assert_eq!(months, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]);
}

#[test]
fn the_deadline_is_midnight_where_the_file_says_not_utc() {
    assert_eq!(deadline(date(2027, 3, 1), &berlin()).unwrap().to_string(), "2027-02-28T23:00:00Z");
}

#[test]
fn due_is_civil_days_before_at_the_civil_hour_across_a_clock_change() {
    // 14 civil days, one of which has 23 hours (2027-03-28).
    let at = due(date(2027, 4, 4), 14, Time::constant(9, 0, 0, 0), &berlin()).unwrap();
    assert_eq!(at.to_string(), "2027-03-21T08:00:00Z");
    let after = due(date(2027, 4, 12), 14, Time::constant(9, 0, 0, 0), &berlin()).unwrap();
    assert_eq!(after.to_string(), "2027-03-29T07:00:00Z");
}

#[test]
fn a_time_that_does_not_exist_moves_forward_and_one_that_exists_twice_is_the_first() {
    let gap = moment(date(2027, 3, 28), Time::constant(2, 30, 0, 0), &berlin()).unwrap();
    assert_eq!(gap.to_string(), "2027-03-28T01:30:00Z");
    let fold = moment(date(2027, 10, 31), Time::constant(2, 30, 0, 0), &berlin()).unwrap();
    assert_eq!(fold.to_string(), "2027-10-31T00:30:00Z");
}

#[test]
fn a_zone_without_midnight_on_that_day_starts_it_at_its_first_moment() {
    let beirut = TimeZone::get("Asia/Beirut").unwrap();
    assert_eq!(deadline(date(2022, 3, 27), &beirut).unwrap().to_string(), "2022-03-26T22:00:00Z");
}

#[test]
fn counting_past_the_end_of_the_calendar_is_an_error_not_a_wrong_date() {
    assert!(boundary(date(9999, 1, 1), Cycle::years(1), 1).is_err());
    assert!(boundary(date(2027, 1, 1), Cycle::years(5), u32::MAX).is_err());
}

proptest! {
    #[test]
    fn terms_follow_each_other_without_gap_or_overlap(
        year in 2020i16..2400, month in 1i8..=12, day in 1i8..=28, months in prop::sample::select(vec![1u16, 12, 24, 36, 60]), n in 0u32..200,
    ) {
        let anchor = date(year, month, day);
        let cycle = Cycle::months(months);
        let (from, to) = (boundary(anchor, cycle, n).unwrap(), boundary(anchor, cycle, n + 1).unwrap());
        prop_assert!(from < to);
        prop_assert!((to - from).get_days() >= i32::try_from(cycle.least_days()).unwrap());
    }

    #[test]
    fn a_boundary_lies_on_the_anchor_day_or_on_the_last_day_of_a_shorter_month(
        year in 2020i16..2400, month in 1i8..=12, day in 1i8..=31, n in 0u32..400,
    ) {
        let Ok(anchor) = Date::new(year, month, day) else { return Ok(()) };
        let at = boundary(anchor, Cycle::months(1), n).unwrap();
        prop_assert!(at.day() == anchor.day() || (at.day() < anchor.day() && at == at.last_of_month()));
    }
}
