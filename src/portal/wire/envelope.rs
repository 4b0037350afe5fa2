//! The envelope of every answer: `code`, `detailMessage`, `requestId`, `result`, `status` (portal-api.md section 1).
//!
//! Owns when an answer is a success. What an answer to an *order* proves is `proof.rs`.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::read_error::ReadError;
use super::super::transport::Response;
use super::field::value_text;

/// The longest text of the portal that is repeated to people.
const LONGEST_MESSAGE: usize = 300;

/// An answer that keeps to the documented form. A field that stands there twice makes it malformed: such an answer proves nothing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    pub(super) code: String,
    #[serde(default)]
    detail_message: Option<Value>,
    #[serde(default)]
    request_id: Option<Value>,
    #[serde(default, borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(default)]
    status: Option<Value>,
}

/// `status` of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Absent,
    Said(u16),
    Unreadable,
}

impl<'a> Envelope<'a> {
    /// The envelope of `body`, if it is one. An array is none, although serde would fill the fields from it in their order.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let object = body.trim_ascii_start().starts_with(b"{");
        serde_json::from_slice(body).ok().filter(|_| object)
    }

    pub(super) fn status(&self) -> Status {
        match &self.status {
            None | Some(Value::Null) => Status::Absent,
            Some(value) => value_text(value).and_then(|text| text.trim().parse().ok()).map_or(Status::Unreadable, Status::Said),
        }
    }

    /// The `result` of a success: HTTP 2xx and `code` = `success` and `status` = 200 or absent.
    pub(super) fn success(&self, http: u16) -> Option<&'a RawValue> {
        let well =
            (200..300).contains(&http) && self.says_success() && matches!(self.status(), Status::Absent | Status::Said(200));
        self.result.filter(|_| well)
    }

    pub(super) fn says_success(&self) -> bool {
        self.code == "success"
    }

    pub(super) fn request_id(&self) -> Option<String> {
        self.request_id.as_ref().and_then(value_text)
    }

    /// The portal's own words, or its code where it has none.
    pub(super) fn message(&self) -> String {
        printable(&self.detail_message.as_ref().and_then(value_text).unwrap_or_else(|| self.code.clone()))
    }
}

/// Text from outside on its way to a terminal and a journal: one line, no control characters, not too long.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect()
}

/// The `result` of a read, or why there is none.
pub(in super::super) fn read_result(response: &Response) -> Result<&RawValue, ReadError> {
    let envelope = Envelope::read(&response.body);
    if let Some(result) = envelope.as_ref().and_then(|envelope| envelope.success(response.status)) {
        return Ok(result);
    }
    Err(read_error(response, envelope.as_ref()))
}

/// The HTTP status says most; the envelope's counts where HTTP says that all is well, or no more than that it is not.
fn read_error(response: &Response, envelope: Option<&Envelope>) -> ReadError {
    let http_is_vague = matches!(response.status, 200..300 | 400);
    let said = match envelope.map(Envelope::status) {
        Some(Status::Said(status)) if http_is_vague => status,
        _ => response.status,
    };
    let retry_after = response.retry_after;
    let what = words(said, envelope);
    match said {
        401 => ReadError::Unauthorized { what },
        403 => ReadError::Forbidden { what },
        404 => ReadError::NotFound { what },
        429 => ReadError::TooManyRequests { retry_after },
        408 | 500.. => ReadError::Unavailable { retry_after, what },
        300..=399 => ReadError::Malformed { what: format!("it redirects elsewhere ({what})") },
        _ => refused_or_malformed(said, envelope, what),
    }
}

fn refused_or_malformed(said: u16, envelope: Option<&Envelope>, what: String) -> ReadError {
    match envelope {
        Some(envelope) if !envelope.says_success() => ReadError::Refused {
            code: Some(envelope.code.clone()),
            message: envelope.message(),
            request_id: envelope.request_id(),
        },
        Some(_) => ReadError::Malformed { what: format!("a success without a result ({what})") },
        None if said == 400 => ReadError::Refused { code: None, message: what, request_id: None },
        None => ReadError::Malformed { what: format!("it is not the documented JSON ({what})") },
    }
}

fn words(status: u16, envelope: Option<&Envelope>) -> String {
    match envelope {
        Some(envelope) => format!("{status}, {}", envelope.message()),
        None => format!("HTTP {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, body: body.to_owned().into(), date: None, retry_after: Some(9) }
    }

    fn error(status: u16, body: &str) -> ReadError {
        read_result(&response(status, body)).unwrap_err()
    }

    #[test]
    fn a_success_needs_http_code_status_and_result() {
        let read = |status, body: &str| read_result(&response(status, body)).map(|raw| raw.get().to_owned());
        assert_eq!(read(200, r#"{"code":"success","status":200,"result":[1]}"#).unwrap(), "[1]");
        assert_eq!(read(200, r#"{"code":"success","result":{}}"#).unwrap(), "{}");
        assert!(read(500, r#"{"code":"success","status":200,"result":[1]}"#).is_err());
        assert!(read(200, r#"{"code":"success","status":500,"result":[1]}"#).is_err());
        assert!(read(200, r#"{"code":"Success","status":200,"result":[1]}"#).is_err());
        assert!(read(200, r#"{"code":"success","status":200,"result":null}"#).is_err());
        assert!(read(200, r#"{"code":"success","status":"fine","result":[1]}"#).is_err());
        assert!(read(200, r#"{"code":"success","code":"success","result":[1]}"#).is_err());
    }

    #[test]
    fn an_error_is_read_from_http_or_from_the_envelope() {
        for (http, status) in [(401, 401), (200, 401), (400, 401), (401, 200)] {
            let body = format!(r#"{{"code":"e","status":{status}}}"#);
            assert!(matches!(error(http, &body), ReadError::Unauthorized { .. }), "{http} {status}");
        }
        assert!(matches!(error(403, ""), ReadError::Forbidden { .. }));
        assert!(matches!(error(200, r#"{"code":"e","status":"403"}"#), ReadError::Forbidden { .. }));
        assert!(matches!(error(404, "<html>"), ReadError::NotFound { .. }));
        assert_eq!(error(429, "").retry_after(), Some(9));
        assert_eq!(error(503, "").retry_after(), Some(9));
        assert!(matches!(error(200, r#"{"code":"e","status":500}"#), ReadError::Unavailable { .. }));
        assert!(matches!(error(302, ""), ReadError::Malformed { .. }));
        assert!(matches!(error(200, "<html>"), ReadError::Malformed { .. }));
    }

    #[test]
    fn a_refusal_keeps_its_code_words_and_request_id() {
        let refused = error(200, r#"{"code":"no_such","detailMessage":"no such\nproduct","requestId":"r1","status":400}"#);
        let expected = ReadError::Refused {
            code: Some("no_such".to_owned()),
            message: "no such product".to_owned(),
            request_id: Some("r1".to_owned()),
        };
        assert_eq!(refused, expected);
    }
}
