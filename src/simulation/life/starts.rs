//! Starts of the daemon: after a crash, on a copy, on a backup that was put back, and by an edited file.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;

use super::{Daemon, Life, PATH};
use crate::clock::Clock as _;
use crate::config::parse_and_keep;
use crate::daemon::engine::Engine;
use crate::daemon::roster::{self, File, Taken};
use crate::daemon::seal::Seal;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Credentials;
use crate::portal::wire::ValidationCodes;
use crate::simulation::disk::Disk;
use crate::simulation::event::Event;
use crate::simulation::oracle::Complaint;
use crate::simulation::{crash, file};
use crate::store::account::Kind;
use crate::store::open::OpenError;
use crate::store::{Opening, Store};

impl Life {
    /// A new process on the old database.
    pub(in crate::simulation) async fn boot(&mut self) -> Result<(), Complaint> {
        if self.engine.is_some() {
            return Ok(());
        }
        crash::reset();
        if self.dice.chance(self.nature.wake_crashes) {
            crash::arm(u32::try_from(self.dice.between(1, 12)).unwrap_or(1));
        }
        let Some(started) = crash::survives(self.start()).await else {
            self.died();
            return Ok(());
        };
        crash::reset();
        self.engine = Some(started?);
        Ok(())
    }

    /// The last backup is kept beside the database.
    pub(in crate::simulation) async fn back_up(&mut self) -> Result<(), Complaint> {
        match &mut self.engine {
            Some(engine) => copy(engine, &self.disk.database(), &self.disk.backup()).await,
            None => Ok(()),
        }
    }

    /// Somebody stops the daemon, puts the last backup in place of the database with `cp`, and starts it again.
    pub(in crate::simulation) async fn restore(&mut self) -> Result<(), Complaint> {
        if self.engine.is_none() || !self.disk.backup().exists() {
            return Ok(());
        }
        let Some(engine) = self.engine.take() else { return Ok(()) };
        engine.store.close().await.map_err(|error| Complaint::new(format!("the database does not close: {error}")))?;
        self.disk.restore();
        self.figures.restores += 1;
        self.restored = true;
        let wait = SignedDuration::from_mins(self.dice.between(1, 300));
        let (now, skew) = (self.now(), self.line.weather().clocks.skew);
        self.oracle.note(now, false, skew);
        self.plan(now + wait, Event::Boot);
        Ok(())
    }

    /// A copy of the database is started elsewhere, without its seal: it must order nothing.
    pub(in crate::simulation) async fn run_a_copy(&mut self) -> Result<(), Complaint> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let failed = |what: &dyn std::fmt::Display| Complaint::new(format!("a copy does not run: {what}"));
        let elsewhere = Disk::empty();
        copy(engine, &self.disk.database(), &elsewhere.database()).await?;
        let mut store = open(&elsewhere.database()).await.map_err(|e| failed(&e))?;
        let Some(installation) = store.installation().await.map_err(|e| failed(&e))? else { return Ok(()) };
        let seal = Seal::of(&elsewhere.database(), &installation.uid).map_err(|e| failed(&e))?;
        let (portal, clock, config) = (Arc::clone(&engine.portal), Arc::clone(&engine.clock), Arc::clone(&engine.config));
        let mut second = Engine::new(store, portal, clock, config, &installation.uid).sealed(seal);
        crash::reset();
        second.recover().await.map_err(|e| failed(&e))?;
        second.run_dry(|_| {}).await.map_err(|e| failed(&e))?;
        crash::reset();
        self.figures.copies += 1;
        second.store.close().await.map_err(|e| failed(&e))
    }

    async fn start(&mut self) -> Result<Daemon, Complaint> {
        let failed = |what: &dyn std::fmt::Display| Complaint::new(format!("the daemon does not start: {what}"));
        let mut store = open(&self.disk.database()).await.map_err(|e| failed(&e))?;
        if store.installation().await.map_err(|e| failed(&e))?.is_none() {
            let seed = self.seed.to_string();
            store.install(Kind::Portal, &seed, "https://portal.example", self.daemon.now()).await.map_err(|e| failed(&e))?;
        }
        let uid = store.installation().await.map_err(|e| failed(&e))?.map(|it| it.uid).unwrap_or_default();
        if std::mem::take(&mut self.restored) {
            self.oracle.restored(&mut store).await?;
        }
        crate::simulation::mutations::weaken(&mut store).await;
        let config = self.take_file(&mut store).await?;
        let credentials = Credentials { client_id: "sandbox".into(), client_secret: "sandbox".into() };
        let clock = Arc::new(self.daemon.clone());
        let portal = PortalClient::new(self.line.clone(), credentials, clock.clone(), ValidationCodes::default());
        let seal = Seal::of(&self.disk.database(), &uid).map_err(|e| failed(&e))?;
        let mut engine = Engine::new(store, Arc::new(portal), clock, Arc::new(config), &uid).sealed(seal);
        engine.recover().await.map_err(|e| failed(&e))?;
        Ok(engine)
    }

    /// The file as a start or a reload takes it; returns the one in force.
    async fn take_file(&mut self, store: &mut Store) -> Result<crate::config::Config, Complaint> {
        let failed = |what: &dyn std::fmt::Display| Complaint::new(format!("the file is not taken: {what}"));
        let text = file::text(&self.plans, self.nature.zone, self.nature.settle_hours);
        let parsed = parse_and_keep(PATH, text).map_err(|e| failed(&e))?;
        let kept = store.file_in_force().await.map_err(|e| failed(&e))?;
        if kept.is_some_and(|kept| kept.text == parsed.source) {
            return Ok(parsed.config);
        }
        let file = File { path: PATH, text: &parsed.source, config: &parsed.config };
        match roster::take(store, file, self.daemon.now(), false).await.map_err(|e| failed(&e))? {
            Taken::InForce { .. } => Ok(parsed.config),
            Taken::Waiting { .. } => {
                let kept = store.file_in_force().await.map_err(|e| failed(&e))?;
                let old = kept.and_then(|kept| parse_and_keep(PATH, kept.text).ok());
                old.map(|old| old.config).ok_or_else(|| failed(&"it waits, and there is none before it"))
            }
        }
    }

    /// A command has put another file in force.
    pub(in crate::simulation) async fn adopt_file_in_force(&mut self, engine: &mut Daemon) -> Result<(), Complaint> {
        let kept = engine.store.file_in_force().await.map_err(|e| Complaint::new(format!("no file in force: {e}")))?;
        if let Some(config) = kept.and_then(|kept| parse_and_keep(PATH, kept.text).ok()) {
            engine.adopt(config.config);
        }
        Ok(())
    }

    /// A running daemon notices an edit.
    pub(in crate::simulation) async fn reload(&mut self) -> Result<(), Complaint> {
        let Some(mut engine) = self.engine.take() else { return Ok(()) };
        self.arm();
        let lived = crash::survives(async {
            let config = self.take_file(&mut engine.store).await?;
            engine.adopt(config);
            Ok::<_, Complaint>(engine)
        })
        .await;
        crash::reset();
        match lived {
            None => self.died(),
            Some(Err(complaint)) if complaint.is_injected() => self.died(),
            Some(engine) => self.engine = Some(engine?),
        }
        Ok(())
    }
}

/// Nobody else opens the files of a world, so that they need not be locked anew for every statement.
async fn open(database: &Path) -> Result<Store, OpenError> {
    let mut store = Store::open(database, Opening::Existing).await?;
    sqlx::query("PRAGMA locking_mode = EXCLUSIVE")
        .execute(&mut store.conn)
        .await
        .expect("a database that is open can be kept locked");
    Ok(store)
}

/// What `renewd backup` would write: nobody else has the file open, so that one that is whole can be copied, which takes a hundredth of the time.
async fn copy(engine: &mut Daemon, from: &Path, to: &Path) -> Result<(), Complaint> {
    let failed = |what: &dyn std::fmt::Display| Complaint::new(format!("the database cannot be copied: {what}"));
    let whole = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut engine.store.conn).await;
    match whole.map_err(|e| failed(&e))? {
        0 => std::fs::copy(from, to).map(drop).map_err(|e| failed(&e)),
        busy => Err(failed(&format!("it is busy ({busy})"))),
    }
}
