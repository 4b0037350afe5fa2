//! The long-running loop: what wakes the engine, and how it leaves.
//!
//! Owns signals, reloads, the heartbeat and when systemd is told what. Ticks never overlap: there is one loop and it awaits them.

mod channels;
mod systemd;
mod trouble;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::engine::{Engine, OrderPlaced, TickError};
use super::lock::{Lock, LockError};
use super::roster::{File, Taken};
use super::watched::Watched;
use super::{bell, roster};
use crate::config::model::NOBODY_TOLD;
use crate::config::{Config, ConfigError, Parsed};
use crate::portal::client::PortalClient;
use crate::store::StoreError;
use crate::store::nature::Nature;
use crate::store::notices::Notice;
use channels::Trial;
use trouble::Trouble;

/// The longest the daemon goes without looking, whatever the bell does. tokio's timers do not count suspended time, so a longer
/// wait could sleep through a deadline.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How soon a command of a person is taken up.
const LOOK_FOR_COMMANDS: Duration = Duration::from_secs(1);
/// How often an edit is looked at until it stands still.
const LOOK_AT_EDIT: Duration = Duration::from_millis(200);
/// How long a tick may take after the daemon was asked to leave: an order in flight gets its answer, or becomes unknown.
const LEAVE_WITHIN: Duration = Duration::from_secs(8);
/// How often it is looked whether the portal has answered meanwhile.
const LOOK_FOR_ANSWERS: Duration = Duration::from_secs(1);
/// How old the status that systemd shows may get while nothing happens. It is read from every term, so not each time.
const STATUS_HOLDS: Duration = Duration::from_mins(5);
/// How long messages that are on their way may take when the daemon leaves.
const LAST_WORDS: Duration = Duration::from_millis(1500);
/// How long a file that is broken may stay so before people are told.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// How often refused credentials are read again.
const READ_CREDENTIALS: Duration = Duration::from_mins(1);

/// Why the loop ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A tick failed in a way that going on does not mend; systemd starts the daemon again, and it recovers.
    #[error(transparent)]
    Tick(#[from] TickError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The heartbeat could not be set up.
    #[error("cannot set up the heartbeat: {0}")]
    Bell(#[from] tokio_cron_scheduler::JobSchedulerError),
    /// Signals could not be caught.
    #[error("cannot catch signals: {0}")]
    Signals(std::io::Error),
    /// R8: another daemon works on this database.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl ServiceError {
    /// How far the failure reaches: whether going on may help.
    fn nature(&self) -> Nature {
        match self {
            Self::Tick(error) => error.nature(),
            Self::Store(error) => error.nature(),
            Self::Bell(_) | Self::Signals(_) | Self::Lock(_) => Nature::Lasting,
        }
    }
}

/// The engine and what wakes it.
pub struct Service {
    /// What does the work.
    pub engine: Engine,
    /// Keeps other daemons from its database.
    pub lock: Lock,
    /// The file that is watched.
    pub config_path: PathBuf,
    /// Called for every order that was placed.
    pub on_order: fn(&OrderPlaced),
}

/// What the loop has in mind.
struct Said {
    /// When systemd was shown how things are.
    at: Instant,
    /// Whether the first look was logged.
    looked: bool,
    /// The trial of new channels.
    trial: Trial,
    /// When refused credentials were last read again.
    credentials: Instant,
}

/// What one round of ticks came to.
struct Round {
    next: Option<Timestamp>,
    /// Whether a term was looked at, so that what systemd shows may have changed.
    busy: bool,
}

impl Service {
    /// Runs until SIGTERM or SIGINT.
    pub async fn run(mut self) -> Result<Engine, ServiceError> {
        let wake = Arc::new(Notify::new());
        self.engine.hire_courier(Arc::clone(&wake));
        let path = &self.config_path;
        self.engine.file.get_or_insert_with(|| Watched::new(path));
        let _bell = bell::hang(&self.engine.config.check, Arc::clone(&wake)).await?;
        let mut hangup = signal(SignalKind::hangup()).map_err(ServiceError::Signals)?;
        let stop = self.engine.stop.clone();
        let _leaving = leave_on_signal(stop.clone())?;
        let _answers = alive_while_answered(Arc::clone(&self.engine.portal));
        systemd::ready(&self.status().await?);
        tracing::info!(renewals = self.engine.config.entries.len(), "ready");
        let mut said = Said { at: Instant::now(), looked: false, trial: Trial::default(), credentials: Instant::now() };
        let mut trouble = Trouble::none(self.engine.clock.now());
        trouble.remember(&mut self.engine).await;
        let mut reload = false;
        loop {
            let next = match self.round(&mut reload, &mut said, &mut trouble).await {
                Ok(None) => break,
                Ok(Some(next)) => next,
                Err(error) => {
                    trouble.struck(&mut self.engine, error).await?;
                    self.engine.mend().await;
                    systemd::alive(); // a tick that failed is finished all the same: what it holds in memory must not be lost
                    None
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = wake.notified() => {}
                () = tokio::time::sleep(self.wait(next)) => {}
                _ = hangup.recv() => reload = true,
            }
        }
        self.engine.leave().await;
        self.engine.end_deliveries(LAST_WORDS).await;
        trouble.leave(LAST_WORDS).await;
        Ok(self.engine)
    }

    /// Takes up an edit, does what is due, and shows it. When something is next to be done; `None` when the daemon was asked to leave.
    async fn round(
        &mut self,
        reload: &mut bool,
        said: &mut Said,
        trouble: &mut Trouble,
    ) -> Result<Option<Option<Timestamp>>, ServiceError> {
        self.lock.assert_held()?;
        let stands_still = self.engine.file.as_mut().is_some_and(Watched::is_ready);
        if *reload || stands_still {
            self.reload(stands_still).await?;
            *reload = false;
            said.trial.at_once();
        }
        said.trial.step(&mut self.engine).await?;
        self.refused_credentials(&mut said.credentials).await?;
        let Some(round) = self.tick_or_leave().await? else { return Ok(None) };
        if trouble.over(&mut self.engine).await {
            systemd::ready(&self.status().await?);
        }
        if !std::mem::replace(&mut said.looked, true) {
            tracing::info!(next = round.next.map(tracing::field::display), "looked for the first time");
        }
        if round.busy || said.at.elapsed() > STATUS_HOLDS {
            systemd::status(&self.status().await?);
            trouble.remember(&mut self.engine).await;
            said.at = Instant::now();
        }
        Ok(Some(round.next))
    }

    /// Refused credentials may have been put right in their files: then the portal is asked at once, not at the next probe.
    async fn refused_credentials(&mut self, read_at: &mut Instant) -> Result<(), ServiceError> {
        if self.engine.portal.credentials_help().is_none() || read_at.elapsed() < READ_CREDENTIALS {
            return Ok(());
        }
        *read_at = Instant::now();
        self.read_credentials_again().await
    }

    async fn read_credentials_again(&mut self) -> Result<(), ServiceError> {
        if self.engine.portal.read_credentials_again() {
            self.engine.store.ask_portal_anew(self.engine.clock.now()).await?;
        }
        Ok(())
    }

    /// One round of ticks; `None` when the daemon was asked to leave. An answer that does not come in time leaves its order
    /// committed and open: the next start makes it unknown and finds out.
    ///
    /// The watchdog is fed here, by each finished tick, and by what the portal answers meanwhile; not by a timer: a stuck tick is restarted.
    async fn tick_or_leave(&mut self) -> Result<Option<Round>, ServiceError> {
        let stop = self.engine.stop.clone();
        let on_order = self.on_order;
        let mut busy = false;
        let ticks = self.engine.run_dry(|ticked| {
            busy |= ticked.looked_at > 0;
            ticked.placed.iter().for_each(on_order);
            systemd::alive();
        });
        let leave = async {
            stop.cancelled().await;
            tokio::time::sleep(LEAVE_WITHIN).await;
        };
        tokio::select! {
            next = ticks => { let next = next?; Ok(Some(Round { next, busy })) }
            () = leave => {
                tracing::warn!("left before an order in flight was answered; what became of it is found out at the next start");
                Ok(None)
            }
        }
    }

    fn wait(&self, next: Option<Timestamp>) -> Duration {
        let now = self.engine.clock.now();
        if self.engine.is_file_edited() {
            return LOOK_AT_EDIT;
        }
        let until = next.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO));
        until.map_or(LONGEST_WAIT, |until| until.min(LONGEST_WAIT)).min(LOOK_FOR_COMMANDS)
    }

    async fn status(&mut self) -> Result<String, ServiceError> {
        let attention = self.engine.store.attention().await?;
        let next = self.engine.store.upcoming(1).await?;
        Ok(systemd::line(&attention, next.first()))
    }

    /// A bad edit is reported and changes nothing. One that is still being written is not read, whoever asks: it is, once it stands still.
    async fn reload(&mut self, stands_still: bool) -> Result<(), ServiceError> {
        systemd::reloading();
        self.read_credentials_again().await?;
        if stands_still || !self.engine.is_file_edited() {
            self.read_file().await?;
        }
        systemd::ready(&self.status().await?);
        Ok(())
    }

    async fn read_file(&mut self) -> Result<(), ServiceError> {
        if let Some(file) = &mut self.engine.file {
            file.is_read();
        }
        let now = self.engine.clock.now();
        match Config::from_file(&self.config_path) {
            Ok(parsed) => self.take(parsed, now).await,
            Err(error) => self.bad_edit(&error, now).await,
        }
    }

    async fn take(&mut self, parsed: Parsed, now: Timestamp) -> Result<(), ServiceError> {
        let path = absolute(&self.config_path);
        let file = File { path: &path, text: &parsed.source, config: &parsed.config };
        if self.engine.store.file_in_force().await?.is_some_and(|kept| kept.text == parsed.source && kept.path == path) {
            return Ok(roster::back_in_force(&mut self.engine.store).await?);
        }
        if let Some(why) = self.unfit(&parsed.config) {
            return self.refuse_edit(&why, now).await;
        }
        if let Some(far) = roster::far_dates(&mut self.engine.store, &parsed, now).await? {
            return self.bad_edit(&far, now).await;
        }
        match roster::take(&mut self.engine.store, file, now, false).await? {
            Taken::InForce { changes, refused } => {
                tracing::info!(changes, "reloaded {path}");
                for refused in refused {
                    tracing::error!("{refused}");
                }
                self.note_what_waits_for_a_restart(&parsed.config, now).await?;
                self.engine.adopt(parsed.config);
                if self.engine.channels_asked.is_none() {
                    self.engine.store.withdraw("channel", &[]).await?;
                }
            }
            Taken::Waiting { why } => tracing::error!("not reloaded, it waits for `renewd accept`: {why}"),
        }
        Ok(())
    }

    /// What a running daemon cannot go over to: nobody to tell (R27), or a portal of another kind than its database is bound to.
    fn unfit(&self, config: &Config) -> Option<String> {
        if self.engine.keeps_portal {
            return None;
        }
        if config.portal.is_loopback() != self.engine.config.portal.is_loopback() {
            return Some(format!(
                "base_url = {} is another kind of portal than this database is bound to",
                config.portal.base_url
            ));
        }
        config.tells_nobody_by_oversight().then(|| NOBODY_TOLD.to_owned())
    }

    /// What the client and the bell were made from stays as it was until the next start; that is said, not left to be found out.
    async fn note_what_waits_for_a_restart(&mut self, config: &Config, now: Timestamp) -> Result<(), ServiceError> {
        let before = &self.engine.config;
        let portal = |c: &Config| (c.portal.base_url.clone(), c.portal.proxy.clone(), c.portal.validation_codes.clone());
        if self.engine.keeps_portal || (before.check == config.check && portal(before) == portal(config)) {
            return Ok(self.engine.store.withdraw("restart", &[]).await?);
        }
        let reason =
            "base_url, proxy, validation_codes or check changed in the file; they hold from the next start on".to_owned();
        tracing::warn!("{reason}");
        let notice =
            Notice { key: "restart".to_owned(), renewal: None, reason, what_to_do: "systemctl restart renewd".to_owned() };
        self.engine.store.raise(now, &notice).await?;
        Ok(())
    }

    async fn bad_edit(&mut self, error: &ConfigError, now: Timestamp) -> Result<(), ServiceError> {
        tracing::error!("not reloaded, the last good file stays in force:\n{error}");
        let reason = format!("{} is broken; the last good file stays in force", self.config_path.display());
        self.note_edit(reason, now).await
    }

    async fn refuse_edit(&mut self, why: &str, now: Timestamp) -> Result<(), ServiceError> {
        tracing::error!("not reloaded, the last good file stays in force: {why}");
        self.note_edit(format!("an edit of {} is not taken: {why}", self.config_path.display()), now).await
    }

    async fn note_edit(&mut self, reason: String, now: Timestamp) -> Result<(), ServiceError> {
        let notice = Notice { key: "file".to_owned(), renewal: None, reason, what_to_do: "renewd check".to_owned() };
        // Whoever edits it looks at it now; whoever has left it so for an hour is told, and then every week.
        if self.engine.store.raise(now, &notice).await? {
            self.engine.store.tell_again_at("file", super::engine::after(now, SOON), None).await?;
        }
        Ok(())
    }
}

/// A list of many slow pages can take longer to read than the watchdog waits, and after a restart it would be begun anew, for ever.
fn alive_while_answered(portal: Arc<PortalClient>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut seen = portal.answers();
        loop {
            tokio::time::sleep(LOOK_FOR_ANSWERS).await;
            if std::mem::replace(&mut seen, portal.answers()) != seen {
                systemd::alive();
            }
        }
    }))
}

/// Cancels `stop` on the first SIGTERM or SIGINT.
fn leave_on_signal(stop: tokio_util::sync::CancellationToken) -> Result<tokio::task::JoinHandle<()>, ServiceError> {
    let mut term = signal(SignalKind::terminate()).map_err(ServiceError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServiceError::Signals)?;
    Ok(tokio::spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
        stop.cancel(); // before anything is said: a log that cannot be written must not keep it here
        tracing::info!("leaving; an order in flight is waited for");
        systemd::stopping();
    }))
}

/// R7: the file by which the database remembers it.
pub fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}
