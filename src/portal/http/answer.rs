//! Reads one answer to its end: the body within its limit, and the headers that say what time it is there.
//!
//! Never looks into the body.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{AGE, DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::super::transport::{Response, TransportError};
use super::failure;
use crate::clock::{Clock, WallClock};

/// Reads the rest of `response`, at most `limit` bytes of body. From here on the request has arrived, whatever happens.
pub(super) async fn read(response: reqwest::Response, limit: usize) -> Result<Response, TransportError> {
    let status = response.status().as_u16();
    let date = date(response.headers());
    let retry_after = retry_after(response.headers(), date.unwrap_or_else(|| WallClock.now()));
    let body = whole_body(response, status, limit).await?;
    Ok(Response { status, body, date, retry_after })
}

/// Measured after decompression, so a small answer cannot grow without bound.
async fn whole_body(mut response: reqwest::Response, status: u16, limit: usize) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::cut(&error, status))? {
        if body.len() + chunk.len() > limit {
            return Err(failure::too_large(status, limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The `Date` header. An answer with an `Age` was made earlier and kept by somebody: its date proves nothing (R20).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    if headers.contains_key(AGE) {
        return None;
    }
    http_date(text(headers, &DATE)?)
}

/// `Retry-After` in seconds, from its seconds or from its date seen from `now` (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let value = text(headers, &RETRY_AFTER)?.trim();
    match value.parse() {
        Ok(seconds) => Some(seconds),
        Err(_) => http_date(value).map(|at| u64::try_from(at.duration_since(now).as_secs()).unwrap_or(0)),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    const NINE: &str = "Mon, 01 Mar 2027 09:00:00 GMT";

    #[test]
    fn the_portals_date_is_read() {
        assert_eq!(date(&headers(&[(DATE, NINE)])).unwrap().to_string(), "2027-03-01T09:00:00Z");
        assert_eq!(date(&headers(&[(DATE, "yesterday")])), None);
        assert_eq!(date(&headers(&[])), None);
    }

    #[test]
    fn the_date_of_a_kept_answer_does_not_count() {
        assert_eq!(date(&headers(&[(DATE, NINE), (AGE, "0")])), None);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2027-03-01T08:58:00Z".parse().unwrap();
        let read = |value| retry_after(&headers(&[(RETRY_AFTER, value)]), now);
        assert_eq!(read("120"), Some(120));
        assert_eq!(read(NINE), Some(120));
        assert_eq!(read("Mon, 01 Mar 2027 08:00:00 GMT"), Some(0), "a date that has passed");
        assert_eq!(read("-5"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&headers(&[]), now), None);
    }
}
