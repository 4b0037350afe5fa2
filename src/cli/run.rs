//! `run`: the daemon.
//!
//! Owns putting the rooms together for a real portal: lock, database, file, credentials, client, engine. The loop itself is in
//! `daemon/service.rs`.

use std::sync::Arc;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{SignalKind, signal};

use super::once::{self, Once};
use super::{Exit, Failure, Global, play};
use crate::clock::{Clock as _, WallClock};
use crate::config::model::{Channels, Config, NOBODY_TOLD, is_loopback};
use crate::config::{ConfigError, Parsed, credentials, parse_and_keep};
use crate::daemon::address;
use crate::daemon::engine::Engine;
use crate::daemon::lock::Lock;
use crate::daemon::roster::{self, File, Taken};
use crate::daemon::seal::Seal;
use crate::daemon::service::{Service, absolute};
use crate::daemon::tell::{self, Channelled};
use crate::daemon::watched::Watched;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Source;
use crate::portal::http::HttpTransport;
use crate::portal::wire::ValidationCodes;
use crate::store::account::{Account, Kind};
use crate::store::notices::Notice;
use crate::store::{OpenError, Opening, Store};

/// The daemon's options.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Do what is due now and leave. Exit code 2: something was left undone
    #[arg(long, conflicts_with_all = ["sandbox", "real_time"])]
    once: bool,
    /// With --sandbox: keep the wall clock and stay up, instead of playing 400 days in seconds
    #[arg(long, requires = "sandbox")]
    real_time: bool,
}

impl Run {
    /// Whether the sandbox is played on a simulated clock, its orders printed as they are placed.
    pub(super) fn plays(&self) -> bool {
        !self.real_time
    }

    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        // From here on SIGHUP ends nobody: a reload that comes while the daemon starts, or during `--once`, is only too early.
        drop(signal(SignalKind::hangup())?);
        match (global.sandbox, self.real_time) {
            (true, true) => play::real_time(global, Config::from_file(&global.config_path())?).await,
            (true, false) => play::play(global, Config::from_file(&global.config_path())?).await,
            (false, _) => self.real(global).await,
        }
    }

    async fn real(self, global: &Global) -> Result<Exit, Failure> {
        let path = global.database_path();
        if !path.exists() {
            return Err(no_database(global)); // before a lock file is left in a folder that may be the wrong one
        }
        let lock = Lock::take(&path)?;
        let mut store = open(global).await?;
        let mut file = Watched::new(&global.config_path());
        loop {
            let (config, channels_asked) = match usable_config(&mut store, global).await {
                Ok(usable) => usable,
                Err(failure) => return Err(refused(store, failure).await),
            };
            let mut engine = engine(global, store, config).await?;
            (engine.channels_asked, engine.file) = (channels_asked, Some(file));
            engine.recover().await?;
            if !self.once {
                let service = Service { engine, lock, config_path: global.config_path(), on_order: |_| {} };
                service.run().await?.store.close().await?;
                return Ok(Exit::Fine);
            }
            match once::run(global, engine).await? {
                Once::Ended(exit) => return Ok(exit),
                Once::Edited(open) => {
                    (store, file) = *open;
                    file.is_read();
                }
            }
        }
    }
}

async fn open(global: &Global) -> Result<Store, Failure> {
    let path = global.database_path();
    let mut store = Store::open(&path, Opening::Existing).await.map_err(|error| match error {
        OpenError::Missing(_) => no_database(global),
        other => other.into(),
    })?;
    store.assert_whole(&path).await?;
    let bound = match store.installation().await? {
        Some(installation) if installation.kind == Kind::Portal => store.account().await?.bound_at.is_some(),
        Some(_) => {
            let why = format!("{} belongs to the sandbox; a real portal needs its own (`renewd init`)", path.display());
            return Err(refused(store, Failure::Config(why)).await);
        }
        None => false,
    };
    if bound {
        return Ok(store);
    }
    // An unbound daemon would order nothing and keep `init` out by its lock.
    let why = format!("{} is not bound to a portal account yet; run `{}`", path.display(), global.command("init"));
    Err(refused(store, Failure::Config(why)).await)
}

/// Ends a command that opened the database for writing and must not go on: a reader without write access must still be able to
/// open it afterwards.
pub(super) async fn refused(store: Store, failure: Failure) -> Failure {
    if let Err(error) = store.close().await {
        tracing::warn!("{error}");
    }
    failure
}

/// The terms of a database tried out on loopback say nothing about the real portal: what they call renewed is not.
fn refuse_other_portal(account: &Account, config: &Config) -> Result<(), Failure> {
    let bound_to: Result<url::Url, _> = account.base_url.parse();
    if bound_to.as_ref().is_ok_and(|url| is_loopback(url) == config.portal.is_loopback()) {
        return Ok(());
    }
    Err(Failure::Config(format!(
        "this database is bound to {} and the file names {}; one of them is only for trying out: bind another database with \
         `renewd init --database FILE`",
        account.base_url, config.portal.base_url
    )))
}

/// Where there is a seal there was a database, which knew what had been ordered.
pub(super) fn gone(global: &Global) -> Option<String> {
    let path = global.database_path();
    let gone = || {
        format!(
            "the database {} is gone, and its seal is still there: it was deleted or moved. Put it back, or restore a backup with \
             `renewd restore FILE{}`; nothing is ordered without it, and a new one would not know what was ordered",
            path.display(),
            global.flags()
        )
    };
    (!path.exists() && Seal::stands_beside(&path)).then(gone)
}

fn no_database(global: &Global) -> Failure {
    let path = global.database_path();
    if let Some(gone) = gone(global) {
        return Failure::Config(gone);
    }
    Failure::Config(format!(
        "there is no database at {}; create and bind it with `{}`, or try `renewd run --sandbox`, which needs none",
        path.display(),
        global.command("init")
    ))
}

/// What to work by, and the channels that the file asks for, if others are used because those do not work.
async fn usable_config(store: &mut Store, global: &Global) -> Result<(Config, Option<Channels>), Failure> {
    let mut config = file_or_last_good(store, global).await?.config;
    require_channel(&config)?;
    refuse_other_portal(&store.account().await?, &config)?;
    address::go_over(store, &config, WallClock.now()).await?;
    client(&config)?; // without credentials nothing can be ordered
    let asked = require_working_channel(store, &mut config).await?;
    Ok((config, asked))
}

/// The file, taken into the database. R7: a broken one at start means: go on with the last good one, and say so.
async fn file_or_last_good(store: &mut Store, global: &Global) -> Result<Parsed, Failure> {
    let now = WallClock.now();
    let broken = match Config::from_file(&global.config_path()) {
        Ok(parsed) => match roster::far_dates(store, &parsed, now).await? {
            None => {
                require_channel(&parsed.config)?;
                take_file(store, global, &parsed, now).await?;
                return in_force(store, parsed).await;
            }
            Some(far) => far,
        },
        Err(error) => error,
    };
    let Some(kept) = store.file_in_force().await? else { return Err(broken.into()) };
    tracing::error!("the file is broken; going on with the last good one:\n{broken}");
    let reason = format!("{} is broken; the last good file is in force", global.config_path().display());
    let what_to_do = "renewd check".to_owned();
    // One that stands already is told in its time: a timer that starts this every hour must not put that off for ever.
    if store.raise(now, &Notice { key: "file".to_owned(), renewal: None, reason, what_to_do }).await? {
        store.tell_again_at("file", now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now), None).await?;
    }
    Ok(parse_and_keep(&kept.path, kept.text).map_err(ConfigError::from)?)
}

/// R6, R7: while an edit waits for `accept`, the last good file decides, in the limits and the zone too.
async fn in_force(store: &mut Store, parsed: Parsed) -> Result<Parsed, Failure> {
    match store.file_in_force().await? {
        Some(kept) if kept.text != parsed.source => Ok(parse_and_keep(&kept.path, kept.text).map_err(ConfigError::from)?),
        _ => Ok(parsed),
    }
}

/// R27.
pub(super) fn require_channel(config: &Config) -> Result<(), Failure> {
    if config.tells_nobody_by_oversight() { Err(Failure::Config(NOBODY_TOLD.to_owned())) } else { Ok(()) }
}

/// R27. New channels that do not work do not take the place of those that do, at a start as little as later: they are returned, to be tried again.
async fn require_working_channel(store: &mut Store, config: &mut Config) -> Result<Option<Channels>, Failure> {
    let now = WallClock.now();
    let help = "mend the channel in [notify] and try it with `renewd notify --test`";
    let tried = tell::try_channels(store, config, now).await?;
    let before = if tried == Channelled::Works { None } else { tell::channels_before(store).await? };
    match tried {
        Channelled::Works => {
            let waiting = store.undelivered_since(now).await?;
            if let Some(error) = waiting.error {
                tracing::error!("{} messages could not be delivered, and are tried again: {error}; {help}", waiting.messages);
            }
            store.withdraw("channel", &[]).await?;
            Ok(None)
        }
        Channelled::Partly(wrong) => {
            tracing::error!("a channel does not work: {wrong}; {help}");
            raise_channel(store, now, format!("a channel of [notify] does not work: {wrong}")).await?;
            Ok(None)
        }
        Channelled::Wrong(wrong) | Channelled::NotNow(wrong) if before.is_some() => {
            let why = format!("the new channels of [notify] do not work: {wrong}; the old channels stay in force");
            tracing::error!("{why}; {help}");
            raise_channel(store, now, why).await?;
            Ok(before.and_then(|before| config.use_channels(before)))
        }
        Channelled::Wrong(wrong) => Err(Failure::Config(format!("people cannot be told: {wrong}; {help}"))),
        // Not 78: what is down for a minute must not keep the service down for ever.
        Channelled::NotNow(wrong) => Err(Failure::Failed(anyhow::anyhow!(
            "people cannot be told, and these channels were never found to work: {wrong}; {help}"
        ))),
    }
}

async fn raise_channel(store: &mut Store, now: Timestamp, reason: String) -> Result<(), Failure> {
    let what_to_do = "renewd notify --test".to_owned();
    store.raise(now, &Notice { key: "channel".to_owned(), renewal: None, reason, what_to_do }).await?;
    Ok(())
}

/// Takes the file into the database, if it is one to take: the one in force is left alone.
pub(super) async fn take_file(store: &mut Store, global: &Global, parsed: &Parsed, now: Timestamp) -> Result<(), Failure> {
    let path = absolute(&global.config_path());
    if store.file_in_force().await?.is_some_and(|kept| kept.text == parsed.source && kept.path == path) {
        return Ok(roster::back_in_force(store).await?);
    }
    if let Some(far) = roster::far_dates(store, parsed, now).await? {
        return Err(far.into());
    }
    let file = File { path: &path, text: &parsed.source, config: &parsed.config };
    match roster::take(store, file, now, false).await? {
        Taken::InForce { changes, refused } => {
            tracing::info!(changes, renewals = parsed.config.entries.len(), "took {path}");
            for refused in refused {
                tracing::error!("{refused}");
            }
        }
        Taken::Waiting { why } => tracing::error!("the file waits for `renewd accept`; the last good one stays in force: {why}"),
    }
    Ok(())
}

/// An engine for the portal that the file names.
pub(super) async fn engine(global: &Global, mut store: Store, config: Config) -> Result<Engine, Failure> {
    let uid = uid(&mut store).await?;
    let seal = Seal::of(&global.database_path(), &uid)?;
    let portal = client(&config)?;
    let mut engine = Engine::new(store, Arc::new(portal), Arc::new(WallClock), Arc::new(config), &uid).sealed(seal);
    let elsewhere = global.typed_elsewhere();
    engine.typed = Arc::new(move |text| elsewhere.here(text));
    Ok(engine)
}

/// Who this installation is.
pub(super) async fn uid(store: &mut Store) -> Result<String, Failure> {
    let installation = store.installation().await?;
    Ok(installation.ok_or_else(|| anyhow::anyhow!("the database was not set up completely; run `renewd init`"))?.uid)
}

/// A client for the portal that the file names, with the credentials of this process.
pub(super) fn client(config: &Config) -> Result<PortalClient, Failure> {
    let env = |name: &str| std::env::var_os(name);
    let credentials = credentials::load(&env)?;
    let source = Source {
        read: Box::new(move || credentials::load(&env).map_err(|error| error.to_string())),
        help: credentials::help(&env),
    };
    let transport = HttpTransport::new(&config.portal.base_url, config.portal.proxy.as_ref())?;
    let codes = ValidationCodes::new(&config.portal.validation_codes);
    Ok(PortalClient::with_source(transport, credentials, source, Arc::new(WallClock), codes))
}

/// What makes an installation unlike any other.
pub(super) fn seed() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    // Two draws of the system's random keys; the time and the process make it unique even where those are poor.
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{}-{}-{}-{}", random(), random(), std::process::id(), Timestamp::now())
}
