//! The sandbox on a loopback socket: acts out what a verdict says becomes of the connection.
//!
//! Never listens on anything but loopback: the ledger has no owner and its control endpoints no lock.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming as HttpBody;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, USER_AGENT};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::control::{ROOT, control};
use super::message::{Answer, Fate, Incoming, Verdict};
use super::{BookError, Sandbox};

/// A longer body is not read to its end.
const LONGEST_BODY: usize = 1 << 20;
/// How long a connection may take to finish when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until `stop`, then saves the ledger.
///
/// # Errors
/// The listener is not on loopback, or the ledger could not be saved at the end.
pub async fn serve(sandbox: Sandbox, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the sandbox serves loopback only, not {address}")));
    }
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok(_) if sandbox.is_down() => {}
            Ok((stream, _)) => drop(connections.spawn(connection(sandbox.clone(), stream, stop.clone()))),
            Err(problem) => {
                tracing::warn!(%problem, "the sandbox could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
    off_the_runtime(sandbox, Sandbox::save).await
}

/// Saving waits for the disk: not on a thread that others need.
async fn off_the_runtime(
    sandbox: Sandbox,
    save: impl FnOnce(&Sandbox) -> Result<(), BookError> + Send + 'static,
) -> io::Result<()> {
    match tokio::task::spawn_blocking(move || save(&sandbox)).await {
        Ok(saved) => saved.map_err(io::Error::other),
        Err(problem) => Err(io::Error::other(problem)),
    }
}

async fn connection(sandbox: Sandbox, stream: TcpStream, stop: CancellationToken) {
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        let (sandbox, stop, reset) = (sandbox.clone(), stop.clone(), Arc::clone(&reset));
        async move { answer(sandbox, request, stop, &reset).await }
    });
    let mut http = http1::Builder::new();
    http.auto_date_header(false);
    let mut served = http.serve_connection(TokioIo::new(stream), service);
    // How a connection ends is what the caller sees; nobody here needs to hear of it.
    if stop.run_until_cancelled(Pin::new(&mut served)).await.is_none() {
        Pin::new(&mut served).graceful_shutdown();
        drop(tokio::time::timeout(LAST_WORDS, Pin::new(&mut served)).await);
    }
    if reset.load(Ordering::Acquire) {
        // Without lingering, closing a socket resets it. Where that cannot be set it closes in the ordinary way.
        drop(served.into_parts().io.into_inner().set_zero_linger());
    }
}

/// The connection ends here: hyper drops it without a further byte.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox ends this connection")]
struct Cut;

async fn answer(
    sandbox: Sandbox,
    request: Request<HttpBody>,
    stop: CancellationToken,
    reset: &AtomicBool,
) -> Result<Response<AnswerBody>, Cut> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    if target.starts_with(ROOT) {
        let (status, json) = control(&sandbox, head.method.as_str(), target, &read(body).await?);
        keep(&sandbox).await?;
        return respond(Answer { status, headers: Vec::new(), body: json }, None);
    }
    let incoming = Incoming {
        method: head.method.as_str(),
        path_and_query: target,
        user_agent: text(&head.headers, USER_AGENT),
        authorization: text(&head.headers, AUTHORIZATION),
        content_type: text(&head.headers, CONTENT_TYPE),
        body: &[],
    };
    let verdict = match sandbox.handle_unread(&incoming) {
        Some(verdict) => verdict,
        None => sandbox.handle(&Incoming { body: &read(body).await?, ..incoming }),
    };
    // An order that is not on disk must not be answered as a success.
    keep(&sandbox).await?;
    act(verdict, &stop, reset).await
}

async fn keep(sandbox: &Sandbox) -> Result<(), Cut> {
    if sandbox.book.is_none() {
        return Ok(());
    }
    off_the_runtime(sandbox.clone(), Sandbox::keep).await.map_err(|problem| {
        tracing::error!(%problem, "the sandbox closes a connection without an answer");
        Cut
    })
}

async fn read(body: HttpBody) -> Result<Bytes, Cut> {
    Ok(Limited::new(body, LONGEST_BODY).collect().await.map_err(|_| Cut)?.to_bytes())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Does to the connection what the verdict says. A stop ends every wait.
async fn act(verdict: Verdict, stop: &CancellationToken, reset: &AtomicBool) -> Result<Response<AnswerBody>, Cut> {
    let answer = verdict.answer;
    match verdict.fate {
        Fate::Answer => respond(answer, None),
        Fate::AnswerAfter(delay) => {
            stop.run_until_cancelled(tokio::time::sleep(delay)).await;
            respond(answer, None)
        }
        Fate::CutAfter(bytes) => respond(answer, Some(bytes)),
        Fate::Close | Fate::CloseUnread | Fate::Unreachable => Err(Cut),
        Fate::Reset => {
            reset.store(true, Ordering::Release);
            Err(Cut)
        }
        Fate::Hang => {
            stop.cancelled().await;
            Err(Cut)
        }
    }
}

fn respond(answer: Answer, cut: Option<usize>) -> Result<Response<AnswerBody>, Cut> {
    let mut response = Response::builder().status(answer.status).header(CONTENT_TYPE, "application/json;charset=UTF-8");
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(AnswerBody::new(answer.body, cut)).map_err(|_| Cut)
}

/// A body that may break off: it announces its whole length and then fails.
struct AnswerBody {
    data: Option<Bytes>,
    announced: u64,
    cut: CutState,
}

/// Where a body stands that breaks off.
enum CutState {
    Whole,
    /// The bytes before the cut are still on their way: failing at once would lose them.
    Flushing,
    Failing,
}

impl AnswerBody {
    fn new(body: Vec<u8>, cut: Option<usize>) -> Self {
        let announced = body.len() as u64;
        let mut data = Bytes::from(body);
        match cut.filter(|bytes| *bytes < data.len()) {
            Some(bytes) => {
                data.truncate(bytes);
                Self { data: Some(data), announced, cut: CutState::Flushing }
            }
            None => Self { data: Some(data), announced, cut: CutState::Whole },
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.cut {
            CutState::Whole => Poll::Ready(None),
            CutState::Flushing => {
                self.cut = CutState::Failing;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            CutState::Failing => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
