//! Having a command done: by the daemon that runs, or here when none does.
//!
//! Owns the way there and back. What is allowed when is in `daemon/commands.rs`.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::output::{plain, say};
use super::{Exit, Failure, Global, run};
use crate::clock::{Clock as _, WallClock};
use crate::config::parse;
use crate::daemon::commands::{Asked, Desk};
use crate::daemon::lock::{Lock, LockError};
use crate::daemon::seal::Seal;
use crate::store::{Opening, Store};

/// How long a running daemon may take to take a command up; it looks every second, but not while an order is on its way.
const PATIENCE: Duration = Duration::from_secs(90);

/// Does it here if no daemon runs, else asks the one that does.
pub(super) async fn submit(global: &Global, asked: Asked) -> Result<Exit, Failure> {
    match Lock::take(&global.database_path()) {
        Ok(lock) => {
            let answer = apply_here(global, asked).await;
            drop(lock);
            say!("{}", plain(&answer?))?;
        }
        Err(LockError::Held { .. }) => ask_daemon(global, &asked).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Fine)
}

async fn apply_here(global: &Global, asked: Asked) -> Result<String, Failure> {
    let mut store = Store::open(&global.database_path(), Opening::Existing).await?;
    let kept = store
        .file_in_force()
        .await?
        .ok_or_else(|| anyhow::anyhow!("the database has no file in force; start the daemon once"))?;
    let config = parse(&kept.path, &kept.text)
        .map_err(|_| anyhow::anyhow!("the last good file does not read any more; run `renewd check`"))?;
    let now = now(&mut store).await?;
    let uid = run::uid(&mut store).await?;
    let seal = Seal::of(&global.database_path(), &uid)?;
    // Given to a daemon that has ended since: it must not be done after this one, which may be its contrary.
    store.unask_all(now).await?;
    let by = person();
    let prefix = format!("RW-{uid}-");
    let mut desk = Desk { store: &mut store, config: &config, seal: Some(&seal), po_prefix: &prefix, now, by: &by };
    let done = desk.apply(asked).await.map_err(|refused| anyhow::anyhow!("{refused}"));
    store.close().await?;
    Ok(done?)
}

/// The time by which the database lives: the sandbox has its own clock (R28).
pub(super) async fn now(store: &mut Store) -> Result<jiff::Timestamp, Failure> {
    let stood = store.installation().await?.and_then(|installation| installation.sandbox_now);
    Ok(stood.unwrap_or_else(|| WallClock.now()))
}

async fn ask_daemon(global: &Global, asked: &Asked) -> Result<(), Failure> {
    let mut store = Store::open(&global.database_path(), Opening::Beside).await?;
    let request = serde_json::to_string(asked).map_err(anyhow::Error::from)?;
    let mut interrupted = interruption()?;
    let id = store.ask(WallClock.now(), &person(), &request).await?;
    let began = Instant::now();
    loop {
        if let Some(answered) = store.answered(id).await? {
            return if answered.ok {
                Ok(say!("{}", plain(&answered.answer))?)
            } else {
                Err(anyhow::anyhow!("{}", plain(&answered.answer)).into())
            };
        }
        if began.elapsed() > PATIENCE && store.unask(WallClock.now(), id).await? {
            return Err(anyhow::anyhow!(
                "the daemon did not take it up within {} s; nothing was done. See `renewd status`",
                PATIENCE.as_secs()
            )
            .into());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            Some(()) = interrupted.recv() => {
                // Whoever gives up must not be surprised by it later.
                if store.unask(WallClock.now(), id).await? {
                    return Err(anyhow::anyhow!("interrupted before the daemon took it up: nothing was done").into());
                }
            }
        }
    }
}

/// Rings for each SIGINT, SIGTERM and SIGHUP from now on, which end nobody any more.
fn interruption() -> Result<tokio::sync::mpsc::Receiver<()>, Failure> {
    let (ring, heard) = tokio::sync::mpsc::channel(1);
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut caught, ring) = (signal(kind)?, ring.clone());
        tokio::spawn(async move { while caught.recv().await.is_some() && ring.send(()).await.is_ok() {} });
    }
    Ok(heard)
}

/// Who is at the keyboard, for the audit log: the one who called sudo, if anyone did.
fn person() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    plain(&name.unwrap_or_else(|| "someone".to_owned()))
}
