//! `run --once`: what is due now, and no daemon.
//!
//! Owns the loop of a single run, and what it says as it ends. What it works with is put together in `run.rs`.

use std::time::Duration;

use super::output::{BAD, plain, say};
use super::{Exit, Failure, Global};
use crate::daemon::engine::{Engine, TickError};
use crate::daemon::watched::Watched;
use crate::store::Store;
use crate::store::nature::Nature;

/// How long `--once` waits for what comes within minutes: the first order of a kind is read back before the others go.
const PATIENCE: Duration = Duration::from_mins(5);

/// How a single run ended.
pub(super) enum Once {
    Ended(Exit),
    /// The file was edited meanwhile: the rest is done by what it says now.
    Edited(Box<(Store, Watched)>),
}

/// The file, if it was edited, once the edit stands still and can be read.
async fn edited(engine: &mut Engine) -> Option<Watched> {
    if !engine.is_file_edited() {
        return None;
    }
    while engine.is_file_edited() && !engine.file.as_mut().is_some_and(Watched::is_ready) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    engine.file.take()
}

/// Does what is due and what comes of it within minutes.
pub(super) async fn run(global: &Global, mut engine: Engine) -> Result<Once, Failure> {
    let began = std::time::Instant::now();
    let mut looked = false;
    loop {
        let next = match engine.run_dry(|_| {}).await {
            Ok(next) => next,
            Err(error) if recording_may_help(&engine, &error) && began.elapsed() < PATIENCE => {
                tracing::error!("{error}; it is tried again, because an answer is not recorded yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
                engine.mend().await;
                continue;
            }
            Err(error) => return Err(left_with(&engine, error)),
        };
        if let Some(file) = edited(&mut engine).await {
            return Ok(Once::Edited(Box::new((engine.store, file))));
        }
        if !std::mem::replace(&mut looked, true) {
            if let Some(trouble) = engine.look_at_portal().await? {
                tracing::warn!("the order list could not be read: {trouble}");
            }
            continue; // what the list showed may be due now
        }
        let undone = engine.store.undone(engine.clock.now()).await?;
        if undone.is_empty() {
            break; // what was placed is followed by the next run
        }
        let Some(wait) = next.and_then(|at| Duration::try_from(at.duration_since(engine.clock.now())).ok()) else { break };
        if began.elapsed() + wait > PATIENCE {
            break;
        }
        for term in &undone {
            let why = term.detail.as_deref().unwrap_or("it is looked at again then");
            explain(&format!("waiting {} s for {}: {why}", wait.as_secs().max(1), term.renewal));
        }
        tokio::time::sleep(wait).await;
    }
    let undone = engine.store.undone(engine.clock.now()).await?;
    engine.store.ran_once(engine.clock.now()).await?;
    engine.store.close().await?;
    for term in &undone {
        say!("{BAD}{}{BAD:#} is due and {}", plain(&term.renewal), plain(&term.state.replace('_', " ")))?;
        if let Some(detail) = &term.detail {
            say!("    {}", plain(detail))?;
        }
        if let Some(remedy) = &term.remedy {
            say!("    do   {}", plain(&global.here(remedy)))?;
        }
    }
    Ok(Once::Ended(if undone.is_empty() { Exit::Fine } else { Exit::Something }))
}

/// What is waited for, on standard error: standard output has the outcome.
fn explain(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{}", plain(text)); // that nobody reads it is no error
}

/// A database that fails for a moment must not lose an answer of the portal.
fn recording_may_help(engine: &Engine, error: &TickError) -> bool {
    error.nature() != Nature::Lasting && !engine.not_recorded().is_empty()
}

fn left_with(engine: &Engine, error: TickError) -> Failure {
    for answer in engine.not_recorded() {
        tracing::error!("left with an answer that is not recorded, and is found out at the next start: {answer}");
    }
    error.into()
}
