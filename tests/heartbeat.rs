//! The bell may die (tokio-cron-scheduler stops for ever after some suspends, and reads only the wall clock): the daemon looks by
//! itself. Here the bell never rings, the clock is in the test's hand, and nothing else can wake the loop.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use renewd::clock::{Clock, ManualClock};
use renewd::config::parse_and_keep;
use renewd::daemon::engine::Engine;
use renewd::daemon::lock::Lock;
use renewd::daemon::roster::{self, File};
use renewd::daemon::service::Service;
use renewd::portal::client::PortalClient;
use renewd::portal::credentials::Credentials;
use renewd::portal::http::HttpTransport;
use renewd::portal::wire::ValidationCodes;
use renewd::sandbox::{Sandbox, serve, settings::Settings};
use renewd::store::account::Kind;
use renewd::store::{Opening, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// 29 February at midnight: no test runs then for long enough to matter.
const NEVER: &str = "0 0 0 29 2 *";
/// Reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

fn file(address: &str) -> String {
    format!(
        "timezone = \"UTC\"\nnotify = \"none\"\n[portal]\nbase_url = \"http://{address}\"\n[schedule]\ncheck = \"{NEVER}\"\n\
         [[renewal]]\nname = \"one\"\nproduct = \"rm-premium\"\nservice_id = 5\nbilling_id = 7\npartner_id = 9\nquantity = 3\n\
         expires_on = 2027-03-01\nlead = \"14 days\"\norder_at = \"09:00\"\n"
    )
}

/// A clock that counts how often it is looked at.
struct Watched {
    clock: ManualClock,
    looks: Arc<AtomicUsize>,
}

impl Clock for Watched {
    fn now(&self) -> Timestamp {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.clock.now()
    }
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn portal(clock: &ManualClock) -> (Sandbox, String) {
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(sandbox.clone(), listener, CancellationToken::new()));
    (sandbox, address)
}

async fn engine(folder: &std::path::Path, clock: &ManualClock, looks: &Arc<AtomicUsize>, address: &str) -> Engine {
    let parsed = parse_and_keep("renewals.toml", file(address)).unwrap();
    std::fs::write(folder.join("renewals.toml"), &parsed.source).unwrap();
    let mut store = Store::open(&folder.join("renewd.db"), Opening::Create).await.unwrap();
    store.install(Kind::Portal, "heartbeat", parsed.config.portal.base_url.as_str(), clock.now()).await.unwrap();
    store.bind_account(clock.now(), 0).await.unwrap();
    let path = folder.join("renewals.toml");
    let taken = File { path: path.to_str().unwrap(), text: &parsed.source, config: &parsed.config };
    roster::take(&mut store, taken, clock.now(), false).await.unwrap();
    let credentials = Credentials { client_id: "sandbox".into(), client_secret: "sandbox".into() };
    let transport = HttpTransport::new(&parsed.config.portal.base_url, None).unwrap();
    let shared: Arc<dyn Clock> = Arc::new(Watched { clock: clock.clone(), looks: Arc::clone(looks) });
    let client = PortalClient::new(transport, credentials, Arc::clone(&shared), ValidationCodes::new(&[]));
    Engine::new(store, Arc::new(client), shared, Arc::new(parsed.config), "HEARTBEAT")
}

#[tokio::test]
async fn an_order_is_placed_when_it_is_due_although_the_bell_never_rings() {
    let due: Timestamp = "2027-02-15T09:00:00Z".parse().unwrap();
    // So short before that the loop's own wait ends within a moment, again and again, until the clock has moved.
    let clock = ManualClock::at(due.checked_sub(SignedDuration::from_millis(50)).unwrap());
    let (sandbox, address) = portal(&clock).await;
    let folder = tempfile::tempdir().unwrap();
    let looked = Arc::new(AtomicUsize::new(0));
    let mut engine = engine(folder.path(), &clock, &looked, &address).await;
    let stop = engine.stop.clone();
    engine.keeps_portal = true;
    let lock = Lock::take(&folder.path().join("renewd.db")).unwrap();
    let service = Service { engine, lock, config_path: folder.path().join("renewals.toml"), on_order: |_| {} };
    let running = tokio::spawn(service.run());
    let orders = || sandbox.with_orders(<[_]>::len);

    until("it has looked many times by itself", || looked.load(Ordering::SeqCst) > 50).await;
    assert_eq!(orders(), 0, "what is not due is not ordered by looking");
    clock.set(due);
    until("the order is placed", || orders() > 0).await;
    stop.cancel();
    running.await.unwrap().unwrap().store.close().await.unwrap();
    assert_eq!(orders(), 1);
}
