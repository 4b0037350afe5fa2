//! A request body that is given out at most once and tells whether it was asked for.
//!
//! Owns the proof behind "certainly not sent" (R15): bytes that nobody asked for never left this machine. It cannot be cloned, so neither a
//! redirect nor a retry layer can send it again. Never looks at its bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

const WAITING: u8 = 0;
const ASKED: u8 = 1;
const REVOKED: u8 = 2;

/// The body. Goes to the HTTP client; its [`Ticket`] stays with the sender.
#[derive(Debug)]
pub struct OnceBody {
    data: Option<Bytes>,
    state: Arc<AtomicU8>,
}

/// What the sender keeps: learns the fate of the body, and withdraws it when dropped.
#[derive(Debug)]
pub struct Ticket(Arc<AtomicU8>);

/// The body was withdrawn before anyone asked for it; the connection that still held it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request was given up before its body was sent")]
pub struct Revoked;

/// A body of `data`, and its ticket. An empty body is never asked for by an HTTP client, so it counts as asked from the start.
pub fn once_body(data: Bytes) -> (OnceBody, Ticket) {
    let state = Arc::new(AtomicU8::new(if data.is_empty() { ASKED } else { WAITING }));
    let ticket = Ticket(Arc::clone(&state));
    (OnceBody { data: Some(data).filter(|data| !data.is_empty()), state }, ticket)
}

impl Ticket {
    /// Withdraws the body; true means that its bytes were not and never will be given out.
    ///
    /// Only looking would not do: between the look and the report a connection's task could still take the body.
    pub fn withdraw(&self) -> bool {
        match self.0.compare_exchange(WAITING, REVOKED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(state) => state == REVOKED,
        }
    }
}

/// A caller that goes away (a shutdown, an outer timeout) leaves no body behind that a connection could still send.
impl Drop for Ticket {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Body for OnceBody {
    type Data = Bytes;
    type Error = Revoked;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Revoked>>> {
        let Some(data) = self.data.take() else { return Poll::Ready(None) };
        let given = self.state.compare_exchange(WAITING, ASKED, Ordering::AcqRel, Ordering::Acquire).is_ok();
        Poll::Ready(Some(if given { Ok(Frame::data(data)) } else { Err(Revoked) }))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_body_that_was_asked_for_cannot_be_called_not_sent() {
        let (body, ticket) = once_body(Bytes::from_static(b"order"));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "order");
        assert!(!ticket.withdraw());
    }

    #[tokio::test]
    async fn a_withdrawn_body_gives_no_byte_however_late_it_is_asked() {
        let (body, ticket) = once_body(Bytes::from_static(b"order"));
        assert!(ticket.withdraw());
        assert!(ticket.withdraw(), "asking twice gives the same answer");
        assert_eq!(body.collect().await.unwrap_err(), Revoked);
    }

    #[tokio::test]
    async fn a_sender_that_goes_away_takes_its_body_along() {
        let (body, ticket) = once_body(Bytes::from_static(b"order"));
        drop(ticket);
        assert_eq!(body.collect().await.unwrap_err(), Revoked);
    }

    #[tokio::test]
    async fn a_body_gives_its_bytes_once() {
        let (mut body, _ticket) = once_body(Bytes::from_static(b"order"));
        assert_eq!(body.size_hint().exact(), Some(5));
        assert!(body.frame().await.is_some());
        assert!(body.frame().await.is_none());
        assert!(body.is_end_stream());
    }

    #[test]
    fn an_empty_body_proves_nothing() {
        let (body, ticket) = once_body(Bytes::new());
        assert!(body.is_end_stream());
        assert!(!ticket.withdraw());
    }
}
