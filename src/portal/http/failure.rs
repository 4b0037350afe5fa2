//! Says in words how a call failed.
//!
//! Never prints a URL or a header: only the innermost cause of an error is used, which names neither.

use std::error::Error;
use std::io;

use super::super::transport::{Reached, TransportError};

/// A call that brought no answer.
pub(super) fn unanswered(error: &reqwest::Error, reached: Reached) -> TransportError {
    TransportError { reached, what: words(error, reached), status: None }
}

/// An answer that ended before its end.
pub(super) fn cut(error: &reqwest::Error, status: u16) -> TransportError {
    let what = if error.is_timeout() {
        format!("the answer (HTTP {status}) did not end in time")
    } else {
        format!("the answer (HTTP {status}) broke off: {}", cause(error))
    };
    TransportError { reached: Reached::Maybe, what, status: Some(status) }
}

/// An answer beyond what is read.
pub(super) fn too_large(status: u16, limit: usize) -> TransportError {
    let what = format!("the answer (HTTP {status}) is larger than {limit} bytes");
    TransportError { reached: Reached::Maybe, what, status: Some(status) }
}

/// The innermost cause's own words; the layers above it repeat the URL or say less.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Goes by `reached` first: a reset can look like a failed connect although the body was taken.
fn words(error: &reqwest::Error, reached: Reached) -> String {
    match (reached, error.is_timeout()) {
        (Reached::Maybe, true) => "no answer in time, after sending".to_owned(),
        (Reached::Maybe, false) => format!("the connection broke after sending: {}", cause(error)),
        (Reached::No, true) => "timed out while connecting; nothing was sent".to_owned(),
        (Reached::No, false) => unconnected(error, &cause(error)),
    }
}

/// rustls reports through `io::Error`: a bad certificate or protocol as invalid data, a peer that hangs up as an early end.
fn unconnected(error: &reqwest::Error, cause: &str) -> String {
    let kinds: Vec<_> = chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).collect();
    if error.is_dns() {
        format!("the host name could not be resolved: {cause}")
    } else if kinds.contains(&io::ErrorKind::ConnectionRefused) {
        "the connection was refused".to_owned()
    } else if kinds.contains(&io::ErrorKind::InvalidData) || kinds.contains(&io::ErrorKind::UnexpectedEof) {
        format!("the TLS handshake failed: {cause}")
    } else {
        format!("no connection could be made, nothing was sent: {cause}")
    }
}
