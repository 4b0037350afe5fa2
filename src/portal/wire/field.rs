//! Reads one field whose JSON type the portal does not keep to: ids and numbers come as strings or as numbers.
//!
//! Never passes an id through a number: its digits are kept as they came (portal-api.md section 1).

use jiff::Timestamp;
use serde_json::{Map, Value};

/// From here on a `createTime` is in milliseconds: as seconds it would be in the year 5138, as milliseconds it is 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// A string that is not blank, or a number, exactly as written.
pub(crate) fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    value_text(object.get(key)?)
}

pub(super) fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A count, from a number or a string of digits.
pub(super) fn count(object: &Map<String, Value>, key: &str) -> Option<u64> {
    text(object, key)?.trim().parse().ok()
}

/// A moment, from seconds or milliseconds since 1970 (told by size) or from text that names its zone.
pub(super) fn moment(object: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    let text = text(object, key)?;
    let Ok(number) = text.trim().parse::<i64>() else { return text.trim().parse().ok() };
    match number {
        ..=0 => None,
        MILLISECONDS_FROM.. => Timestamp::from_millisecond(number).ok(),
        _ => Timestamp::from_second(number).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_id_keeps_its_digits_in_either_form() {
        for json in [r#"{"id":99999999999999999999}"#, r#"{"id":"99999999999999999999"}"#] {
            assert_eq!(text(&object(json), "id").as_deref(), Some("99999999999999999999"));
        }
    }

    #[test]
    fn what_is_no_text_is_absent() {
        for json in [r#"{"id":null}"#, r#"{"id":" "}"#, r#"{"id":{}}"#, r#"{"id":true}"#, "{}"] {
            assert_eq!(text(&object(json), "id"), None, "{json}");
        }
    }

    #[test]
    fn seconds_and_milliseconds_are_told_by_their_size() {
        let nine: Timestamp = "2027-03-01T09:00:00Z".parse().unwrap();
        for json in [
            r#"{"t":1803891600}"#,
            r#"{"t":"1803891600"}"#,
            r#"{"t":1803891600000}"#,
            r#"{"t":"1803891600000"}"#,
            r#"{"t":"2027-03-01T10:00:00+01:00"}"#,
        ] {
            assert_eq!(moment(&object(json), "t"), Some(nine), "{json}");
        }
        for json in
            [r#"{"t":0}"#, r#"{"t":-1}"#, r#"{"t":"2027-03-01 10:00:00"}"#, r#"{"t":9223372036854775807}"#, r#"{"t":1.5}"#]
        {
            assert_eq!(moment(&object(json), "t"), None, "{json}");
        }
    }
}
