//! What goes into the sandbox and what comes out: requests, envelopes, and what becomes of the connection.
//!
//! Owns the envelope of portal-api.md section 1. Never touches a socket: `server.rs` acts out a [`Fate`].

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Serialize;

use super::settings::ErrorStyle;

/// One request, as far as the portal looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path, and the query after `?`.
    pub path_and_query: &'a str,
    /// `User-Agent`
    pub user_agent: Option<&'a str>,
    /// `Authorization`
    pub authorization: Option<&'a str>,
    /// `Content-Type`
    pub content_type: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

/// What the portal wrote. With some fates nobody gets to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Date` always; `Retry-After` and `Location` where they belong.
    pub headers: Vec<(&'static str, String)>,
    /// The body, usually an envelope.
    pub body: Vec<u8>,
}

/// What the connection does with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The answer arrives.
    Answer,
    /// The answer arrives after this long.
    AnswerAfter(Duration),
    /// The head arrives, and this many bytes of the body.
    CutAfter(usize),
    /// The request was read; the connection closes without a byte.
    Close,
    /// The connection closes before the body was read.
    CloseUnread,
    /// The request was read; the connection is reset.
    Reset,
    /// The request was read; nothing ever comes.
    Hang,
    /// No connection comes about: the request certainly did not arrive. (A listener cannot refuse what the kernel has
    /// accepted for it: over HTTP the connection closes before a byte is read.)
    Unreachable,
}

/// The outcome of one request: what was written, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the connection does.
    pub fate: Fate,
    /// What the portal wrote.
    pub answer: Answer,
}

/// A request that the portal does not carry out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refusal {
    /// The HTTP status, also `status` of the envelope.
    pub status: u16,
    /// `code` of the envelope.
    pub code: Cow<'static, str>,
    /// `detailMessage` of the envelope.
    pub detail: String,
}

/// The one error code of which the guide shows a beginning (portal-api.md section 1).
pub const VALIDATION_CODE: &str = "parameter_validation_failed";

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code: Cow::Borrowed(code), detail: detail.into() }
    }

    /// A parameter that is missing, of the wrong JSON type, or not allowed here.
    pub(super) fn validation(detail: impl Into<String>) -> Self {
        Self::new(400, VALIDATION_CODE, detail)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "the token is missing, unknown or expired")
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("{what} does not exist"))
    }
}

/// The JSON of `result`, or why there is none.
pub(super) type Outcome = Result<Vec<u8>, Refusal>;

/// `result` from a serialisable value.
pub(super) fn result(value: &impl Serialize) -> Outcome {
    serde_json::to_vec(value).map_err(|problem| Refusal::new(500, "internal_error", problem.to_string()))
}

/// Shows an id as a JSON string, as answers do (portal-api.md section 1).
pub(super) fn as_text<T: std::fmt::Display, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Writes answers: everything an envelope needs beside its content.
pub(super) struct Pen {
    pub(super) now: Timestamp,
    pub(super) request_id: String,
    pub(super) errors: ErrorStyle,
}

impl Pen {
    pub(super) fn answer(&self, outcome: &Outcome) -> Answer {
        match outcome {
            Ok(result) => self.plain(200, self.envelope("success", "", result, 200)),
            Err(refusal) => {
                let status = if self.errors == ErrorStyle::AlwaysOk { 200 } else { refusal.status };
                self.refusal(status, refusal)
            }
        }
    }

    /// A refusal under a given HTTP status.
    pub(super) fn refusal(&self, status: u16, refusal: &Refusal) -> Answer {
        self.plain(status, self.envelope(&refusal.code, &refusal.detail, b"null", refusal.status))
    }

    /// Any body, with the `Date` that every answer has.
    pub(super) fn plain(&self, status: u16, body: Vec<u8>) -> Answer {
        Answer { status, headers: vec![("date", http_date(self.now))], body }
    }

    fn envelope(&self, code: &str, detail: &str, result: &[u8], status: u16) -> Vec<u8> {
        let mut body = Vec::with_capacity(result.len() + 160);
        body.extend_from_slice(br#"{"code":"#);
        body.extend_from_slice(&quoted(code));
        body.extend_from_slice(br#","detailMessage":"#);
        body.extend_from_slice(&quoted(detail));
        body.extend_from_slice(br#","requestId":""#);
        body.extend_from_slice(self.request_id.as_bytes());
        body.extend_from_slice(br#"","result":"#);
        body.extend_from_slice(result);
        body.extend_from_slice(format!(r#","status":{status}}}"#).as_bytes());
        body
    }
}

fn quoted(text: &str) -> Vec<u8> {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return [b"\"", text.as_bytes(), b"\""].concat();
    }
    serde_json::to_vec(text).unwrap_or_else(|_| b"\"\"".to_vec())
}

/// `Date` in the form of RFC 9110 section 5.6.7. A clock before 1970 shows 1970: the format has nothing earlier.
fn http_date(now: Timestamp) -> String {
    httpdate::fmt_http_date(SystemTime::from(now.max(Timestamp::UNIX_EPOCH)))
}
