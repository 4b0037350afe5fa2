//! A server on a raw socket that counts whole requests and then misbehaves as told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// What the server does with each connection.
#[derive(Clone)]
pub enum Manner {
    /// Answers each whole request with these bytes, and goes on reading.
    Answer(String),
    /// Answers with these bytes, perhaps none, and closes.
    AnswerAndClose(String),
    /// Reads a whole request and resets the connection.
    Reset,
    /// Reads all and never answers.
    Silent,
    /// Waits for the first byte, leaves it unread and closes.
    CloseUnread,
}

/// What a server saw.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub connections: usize,
    /// Head and body of each whole request.
    pub requests: Vec<(String, Vec<u8>)>,
}

impl Seen {
    pub fn posts(&self) -> usize {
        self.requests.iter().filter(|(head, _)| head.starts_with("POST ")).count()
    }
}

pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    last: oneshot::Sender<SocketAddr>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (last, stop) = oneshot::channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let accepting = tokio::spawn(accept(listener, manner, Arc::clone(&seen), stop));
        Self { address, seen, last, accepting }
    }

    /// What arrived, after every connection has been accepted and served to its end. A connection of its own comes last in the queue, so
    /// nothing that a client has begun can come after it. The client must be gone by then.
    pub async fn finish(self) -> Seen {
        let last = TcpStream::connect(self.address).await.unwrap();
        self.last.send(last.local_addr().unwrap()).unwrap();
        drop(last);
        self.accepting.await.unwrap();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(listener: TcpListener, manner: Manner, seen: Arc<Mutex<Seen>>, mut stop: oneshot::Receiver<SocketAddr>) {
    let mut open = JoinSet::new();
    let mut last = None;
    let mut peers = Vec::new();
    while last.is_none_or(|last| !peers.contains(&last)) {
        tokio::select! {
            peer = &mut stop, if last.is_none() => last = Some(peer.unwrap()),
            accepted = listener.accept() => {
                let (stream, peer) = accepted.unwrap();
                peers.push(peer);
                open.spawn(serve(stream, manner.clone(), Arc::clone(&seen)));
            }
        }
    }
    seen.lock().unwrap().connections = peers.len() - 1;
    open.join_all().await;
}

/// An error means that the client is gone, which is how each connection ends.
async fn serve(mut stream: TcpStream, manner: Manner, seen: Arc<Mutex<Seen>>) {
    if matches!(manner, Manner::CloseUnread) {
        let _ = stream.peek(&mut [0]).await;
        return;
    }
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().requests.push(request);
        match &manner {
            Manner::Answer(bytes) => drop(stream.write_all(bytes.as_bytes()).await),
            Manner::AnswerAndClose(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                let _ = stream.shutdown().await;
                return;
            }
            Manner::Reset => return stream.set_zero_linger().unwrap(),
            Manner::Silent | Manner::CloseUnread => {}
        }
    }
}

/// One whole request, or nothing if the connection ends first.
async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}
