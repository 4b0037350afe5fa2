//! What crosses the line to the portal: a request, a response, and how a failure failed.
//!
//! Owns the vocabulary between the client (which knows the API) and whatever carries its bytes. Never
//! interprets a body. The simulation puts its own transport here, so that the real client is what it tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;

/// The only two methods the portal knows (portal-api.md section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Queries; may be repeated.
    Get,
    /// Creates or acts.
    Post,
}

/// How often a request may leave this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Reads and tokens: a pooled connection may carry it.
    Repeatable,
    /// An order: at most once, by no layer a second time.
    AtMostOnce,
}

/// One request, complete but for the host.
#[derive(Clone)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Value of `Content-Type`, for a POST.
    pub content_type: Option<&'static str>,
    /// Value of `Authorization`; a secret.
    pub authorization: Option<secrecy::SecretString>,
    /// The body; empty for a GET. The token call carries the client secret here.
    pub body: Bytes,
    /// Whether any layer may send it twice.
    pub sending: Sending,
}

/// Prints neither the authorization nor the body: both can hold secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} ({:?})", self.method, self.path, self.sending)
    }
}

/// One response, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status line's code.
    pub status: u16,
    /// The whole body, within the size limit.
    pub body: Bytes,
    /// The `Date` header; with an `Age` header it is an old answer and this is `None` (R20).
    pub date: Option<Timestamp>,
    /// `Retry-After` as whole seconds from now, from either of its two forms.
    pub retry_after: Option<u64>,
}

/// Whether the bytes of a request may have reached the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The body's bytes were never asked for: certainly not sent (R15).
    No,
    /// Asked for, so they may have arrived.
    Maybe,
}

/// A request that brought no complete response.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct TransportError {
    /// Whether the portal may have received it.
    pub reached: Reached,
    /// What happened, in words, without URL credentials or header values.
    pub what: String,
    /// The status line, where it had been read before the answer broke off.
    pub status: Option<u16>,
}

/// Carries one request and brings back its response.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` once and reads the whole response.
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, TransportError>> + Send;
}

/// A transport of whatever kind: what is above it is compiled once, and not for each.
pub struct AnyTransport {
    line: Box<dyn Erased>,
    answers: AtomicU64,
}

impl AnyTransport {
    /// Wraps `transport`.
    pub fn new(transport: impl Transport) -> Self {
        Self { line: Box::new(transport), answers: AtomicU64::new(0) }
    }

    /// Sends `request` once and reads the whole response.
    pub async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let sent = self.line.send_boxed(request).await;
        self.answers.fetch_add(u64::from(sent.is_ok()), Ordering::Relaxed);
        sent
    }

    /// How many requests were answered so far.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn send_boxed(&self, request: Request) -> Sent<'_>;
}

impl<T: Transport> Erased for T {
    fn send_boxed(&self, request: Request) -> Sent<'_> {
        Box::pin(self.send(request))
    }
}
