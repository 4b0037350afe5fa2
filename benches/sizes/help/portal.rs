//! The built-in portal on loopback, in a thread and a runtime of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use renewd::clock::WallClock;
use renewd::sandbox::{Effect, Endpoint, Fault, Reply, Sandbox, Settings, Target, serve};
use tokio_util::sync::CancellationToken;

/// A portal in which every id is known. Ends when it is dropped.
pub struct Portal {
    pub address: SocketAddr,
    sandbox: Sandbox,
    stop: CancellationToken,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Portal {
    pub fn open() -> Result<Self> {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Result<Self> {
        let sandbox = Sandbox::new(Arc::new(WallClock), settings);
        let stop = CancellationToken::new();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (served, stopped) = (sandbox.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { serve(served, tokio::net::TcpListener::from_std(listener)?, stopped).await })
        });
        Ok(Self { address, sandbox, stop, thread: Some(thread) })
    }

    /// How many orders it has.
    pub fn orders(&self) -> usize {
        self.sandbox.with_orders(<[_]>::len)
    }

    /// The next `times` orders are answered after `delay`.
    pub fn slow_down(&self, delay: Duration, times: u32) {
        self.sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Done, reply: Reply::Late(delay) }, times);
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // how it ended does not matter any more
        }
    }
}
