//! Moments and dates as the database keeps them: one width, so that text order is time order.

use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;

/// `2027-03-01T09:00:00.000Z`
pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The same for a moment that may be missing.
pub(crate) fn optional_time(at: Option<Timestamp>) -> Option<String> {
    at.map(time)
}

/// Reads a moment back.
pub(crate) fn read_time(text: &str) -> Result<Timestamp, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable { what: format!("the time '{text}'") })
}

/// Reads a moment that may be missing.
pub(crate) fn read_optional_time(text: Option<&str>) -> Result<Option<Timestamp>, StoreError> {
    text.map(read_time).transpose()
}

/// Reads a date back.
pub(crate) fn read_date(text: &str) -> Result<Date, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable { what: format!("the date '{text}'") })
}

/// Reads a stored JSON document.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { what: format!("{what} ({error})") })
}

/// Writes a JSON document for storing.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable { what: format!("a value that is not JSON ({error})") })
}
