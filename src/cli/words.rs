//! Small words: counts, and moments as a person reads them.
//!
//! Owns how a number of things and a moment look, so that they look the same in every command. The views keep UTC; people get the
//! zone of their file.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `1 order`, `2 orders`.
pub(super) fn counted(number: impl TryInto<u64>, one: &str) -> String {
    match number.try_into() {
        Ok(1) => format!("1 {one}"),
        Ok(number) => format!("{number} {one}s"),
        Err(_) => format!("many {one}s"),
    }
}

/// `2027-03-01 09:00`
pub(super) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The same for a moment as the views give it; one that cannot be read is shown as it is.
pub(super) fn minute_of(text: &str, zone: &TimeZone) -> String {
    text.parse().map_or_else(|_| text.to_owned(), |at| minute(at, zone))
}

/// The zone that a kept file declares; UTC where there is no file yet.
pub(super) fn zone_of(file: Option<&str>) -> TimeZone {
    #[derive(serde::Deserialize)]
    struct Declares {
        timezone: String,
    }
    let declared = file.and_then(|text| toml::from_str::<Declares>(text).ok());
    declared.and_then(|file| TimeZone::get(&file.timezone).ok()).unwrap_or(TimeZone::UTC)
}

/// What a person calls the zone: `Europe/Berlin`.
pub(super) fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            [counted(0u64, "order"), counted(1i64, "order"), counted(2usize, "order")],
            ["0 orders", "1 order", "2 orders"]
        );
    }
}
