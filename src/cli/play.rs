//! `run --sandbox`: the real engine and the real client against the built-in portal, on a simulated clock.
//!
//! Owns starting the sandbox inside the process and playing 400 days of it in seconds. Nothing can be spent: the sandbox serves on
//! loopback only, and its database is bound to it for ever (R28).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::output::{BOLD, DIM, GOOD, plain, say};
use super::words::{counted, minute};
use super::{Exit, Failure, Global};
use crate::clock::{Clock, ManualClock, ShiftedClock, WallClock};
use crate::config::Parsed;
use crate::daemon::engine::{Engine, OrderPlaced};
use crate::daemon::lock::Lock;
use crate::daemon::seal::Seal;
use crate::daemon::service::Service;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Credentials;
use crate::portal::http::HttpTransport;
use crate::portal::wire::ValidationCodes;
use crate::renewal::chain;
use crate::renewal::subscription::{Entry, Standing};
use crate::renewal::typed::typed;
use crate::sandbox::{Sandbox, catalogue::Catalogue, serve, settings::Settings};
use crate::store::account::Kind;
use crate::store::{Opening, Store};

const DAYS: i64 = 400;

/// The sandbox's client id and secret; they open nothing else.
pub(super) const SANDBOX: &str = "sandbox";

/// Plays the coming 400 days of the file.
pub(super) async fn play(global: &Global, parsed: Parsed) -> Result<Exit, Failure> {
    let (_lock, mut store) = open(global).await?;
    let start = match start(&mut store, &parsed).await {
        Ok(start) => start,
        Err(failure) => return Err(super::run::refused(store, failure).await),
    };
    let end = start.checked_add(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MAX);
    let clock = ManualClock::at(start);
    let (mut engine, stop) = engine(global, store, parsed, Arc::new(clock.clone())).await?;
    let zone = engine.config.zone.clone();
    say!(
        "{BOLD}The built-in portal: nothing is spent.{BOLD:#} Playing {} to {} on a simulated clock.",
        day(start, &zone),
        day(end, &zone)
    )?;
    say!("")?;
    let mut placed = 0u64;
    loop {
        let mut orders = Vec::new();
        let next = engine.run_dry(|ticked| orders.extend(ticked.placed.iter().cloned())).await?;
        for order in &orders {
            placed += 1;
            show(clock.now(), order, &zone)?;
        }
        let Some(next) = next.filter(|next| *next < end) else { break };
        clock.set(next);
    }
    clock.set(end);
    engine.store.keep_sandbox_clock(end).await?;
    let waiting = engine.store.attention().await?;
    engine.store.close().await?;
    stop.cancel();
    conclude(global, placed, &waiting)
}

/// Stays up like the real daemon, against the built-in portal, by the wall clock.
pub(super) async fn real_time(global: &Global, parsed: Parsed) -> Result<Exit, Failure> {
    let (lock, mut store) = open(global).await?;
    // The sandbox's time never goes back: what was played is in its past (R28).
    let stood = store.installation().await?.and_then(|installation| installation.sandbox_now);
    let stood = stood.max(store.account().await?.high_water);
    let ahead = stood.map_or(SignedDuration::ZERO, |at| at.duration_since(WallClock.now()).max(SignedDuration::ZERO));
    let clock = ShiftedClock(ahead);
    let (engine, stop) = engine(global, store, parsed, Arc::new(clock)).await?;
    say!("{BOLD}The built-in portal: nothing is spent.{BOLD:#} It is {:.0}; stop with Ctrl-C.", clock.now())?;
    let service = Service { engine, lock, config_path: global.config_path(), on_order: |_| {} };
    let mut engine = service.run().await?;
    engine.store.keep_sandbox_clock(clock.now()).await?;
    engine.store.close().await?;
    stop.cancel();
    Ok(Exit::Fine)
}

async fn open(global: &Global) -> Result<(Lock, Store), Failure> {
    let path = global.database_path();
    let lock = Lock::take(&path)?;
    let mut store = Store::open(&path, Opening::Create).await?;
    match store.installation().await? {
        None => store.install(Kind::Sandbox, &super::run::seed(), "sandbox", WallClock.now()).await?,
        Some(installation) if installation.kind == Kind::Sandbox => {}
        Some(_) => {
            let why =
                format!("{} belongs to a real portal; the sandbox never touches it (use another --database)", path.display());
            return Err(super::run::refused(store, Failure::Config(why)).await);
        }
    }
    Ok((lock, store))
}

/// Where the clock stood; in a new database, an hour before the first order of the file is due. A run that was cut short did not
/// write its clock down, but what its portal confirmed is in the past all the same.
async fn start(store: &mut Store, parsed: &Parsed) -> Result<Timestamp, Failure> {
    let kept = store.installation().await?.and_then(|installation| installation.sandbox_now);
    if let Some(stood) = kept.max(store.account().await?.high_water) {
        return Ok(stood);
    }
    let due = |entry: &Entry| {
        chain::moments(entry.expires_on, &Standing::of(entry), &parsed.config.zone).ok().map(|moments| moments.due_at)
    };
    let first = parsed.config.entries.iter().filter_map(due).min();
    let start = first.and_then(|at| at.checked_sub(SignedDuration::from_hours(1)).ok());
    start.ok_or_else(|| Failure::Config("there is no [[renewal]] in the file, so there is nothing to play".to_owned()))
}

/// The sandbox's own books, beside the database.
fn ledger_path(database: &Path) -> PathBuf {
    database.with_extension("portal.json")
}

/// Starts the sandbox on a free loopback port and an engine that speaks to it.
async fn engine(
    global: &Global,
    mut store: Store,
    parsed: Parsed,
    clock: Arc<dyn Clock>,
) -> Result<(Engine, CancellationToken), Failure> {
    let settings = Settings { catalogue: Some(Catalogue::for_entries(&parsed.config.entries)), ..Settings::default() };
    let sandbox = Sandbox::open(&ledger_path(&global.database_path()), Arc::clone(&clock), settings)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    tokio::spawn(serve(sandbox, listener, stop.clone()));
    let mut config = parsed.config.clone();
    config.portal.base_url = base_url.parse().map_err(anyhow::Error::from)?;
    config.portal.proxy = None;
    let credentials = Credentials { client_id: SANDBOX.into(), client_secret: SANDBOX.into() };
    let transport = HttpTransport::new(&config.portal.base_url, None)?;
    let portal =
        PortalClient::new(transport, credentials, Arc::clone(&clock), ValidationCodes::new(&config.portal.validation_codes));
    let uid = super::run::uid(&mut store).await?;
    let seal = Seal::of(&global.database_path(), &uid)?;
    super::run::take_file(&mut store, global, &parsed, clock.now()).await?;
    let mut engine = Engine::new(store, Arc::new(portal), clock, Arc::new(config), &uid).sealed(seal);
    engine.keeps_portal = true;
    engine.recover().await?;
    bind(&mut engine).await?;
    Ok((engine, stop))
}

/// The sandbox needs no `init`: its list is read whole, and nobody has to be asked.
async fn bind(engine: &mut Engine) -> Result<(), Failure> {
    if engine.store.account().await?.bound_at.is_none() {
        let found = engine.read_whole_list().await??;
        engine.store.bind_account(engine.clock.now(), found).await?;
    }
    Ok(())
}

fn show(now: Timestamp, order: &OrderPlaced, zone: &jiff::tz::TimeZone) -> Result<(), Failure> {
    let when = minute(now, zone);
    let quantity = format!("x{}", order.quantity);
    let name = plain(&order.renewal);
    say!(
        "{GOOD}{when}{GOOD:#}  {name:<18} {quantity:>5}  {} to {}  order {}  transaction {}",
        order.starts_on,
        order.ends_on,
        plain(&order.order_no),
        plain(order.transaction_no.as_deref().unwrap_or("-"))
    )?;
    Ok(())
}

fn conclude(global: &Global, placed: u64, waiting: &[crate::store::reports::AttentionRow]) -> Result<Exit, Failure> {
    say!("")?;
    say!("{} placed. The clock stands {DAYS} days later; the next run goes on from there.", counted(placed, "order"))?;
    for row in waiting {
        let name = plain(row.renewal.as_deref().unwrap_or("renewd"));
        say!("{BOLD}{name}{BOLD:#}: {}", plain(row.reason.as_deref().unwrap_or_default()))?;
    }
    say!("")?;
    let database = global.database_path();
    say!("Look at what happened:   renewd status{}", global.flags())?;
    say!(
        "Query the audit log:     sqlite3 -readonly {} 'SELECT renewal, quantity, order_no, transaction_no, starts_on FROM orders'",
        typed(&database.to_string_lossy())
    )?;
    let path = |path: &Path| typed(&path.to_string_lossy()).into_owned();
    // The seal too: a seal without its database would keep the next one from ordering (R9).
    let beside = |ending: &str| path(Path::new(&format!("{}.{ending}", database.display())));
    let files = [path(&database), path(&ledger_path(&database)), beside("lock"), beside("seal")];
    say!("{DIM}Begin again from nothing: rm {}{DIM:#}", files.join(" "))?;
    Ok(Exit::Fine)
}

fn day(at: Timestamp, zone: &jiff::tz::TimeZone) -> jiff::civil::Date {
    at.to_zoned(zone.clone()).date()
}
