//! The built-in portal inside the test, with its settings turned: sort order, units, shapes, lags.

use std::sync::Arc;

use renewd::clock::WallClock;
use renewd::sandbox::{Sandbox, serve, settings::Settings};
use tokio_util::sync::CancellationToken;

use super::support::{Place, file};

/// Stops when it is dropped.
pub struct Turned {
    pub portal: Sandbox,
    pub address: String,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Turned {
    pub fn with(turn: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        turn(&mut settings);
        Self::of(Sandbox::new(Arc::new(WallClock), settings))
    }

    /// Serves a portal.
    pub fn of(portal: Sandbox) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, served) = (CancellationToken::new(), portal.clone());
        let leave = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(served, listener, leave).await.unwrap();
            });
        });
        Self { portal, address, stop, thread: Some(thread) }
    }

    pub fn fault(&self, text: &str) {
        self.portal.switch_on(renewd::sandbox::faults::parse(text).unwrap());
    }

    /// How often an endpoint was called.
    pub fn calls(&self, endpoint: &str) -> u64 {
        self.portal.calls()[endpoint]
    }

    /// A folder with these entries, bound to this portal, with a settle that a test can wait for.
    pub fn place(&self, entries: &str) -> Place {
        Place::with(&self.file(entries)).init()
    }

    pub fn file(&self, entries: &str) -> String {
        file(&self.address, entries).replace("[schedule]", "settle = \"1 second\"\n[schedule]")
    }
}

impl Drop for Turned {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
