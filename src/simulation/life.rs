//! One world, lived through: the daemon ticks, time jumps to whatever is next, and the oracle looks after every step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::agenda::{self, Entry, Event};
use super::crash;
use super::dice::Dice;
use super::disk::Disk;
use super::figures::Figures;
use super::file::{self, Plan};
use super::line::{Clocks, Line, Weather};
use super::nature::Nature;
use super::oracle::{Complaint, Oracle};
use crate::clock::{Clock as _, ManualClock};
use crate::config::parse_and_keep;
use crate::daemon::engine::{Engine, TickError};
use crate::daemon::roster::{self, File, Taken};
use crate::daemon::seal::Seal;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Credentials;
use crate::portal::wire::ValidationCodes;
use crate::sandbox::Sandbox;
use crate::store::account::Kind;
use crate::store::{Opening, Store};

/// How long each world is lived in.
pub(super) const YEARS: i64 = 5;
/// More ticks than this at one moment are a loop that never ends.
const MOST_TICKS: u32 = 300;
const PATH: &str = "/etc/renewd/renewals.toml";

/// The daemon, but for its shell.
pub(super) type Daemon = Engine<Line>;

/// A world and the daemon in it.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Life {
    pub(super) nature: Nature,
    pub(super) zone: TimeZone,
    pub(super) plans: Vec<Plan>,
    pub(super) line: Line,
    pub(super) sandbox: Sandbox,
    pub(super) engine: Option<Daemon>,
    pub(super) agenda: BinaryHeap<Reverse<Entry>>,
    pub(super) dice: Dice,
    pub(super) figures: Figures,
    pub(super) oracle: Oracle,
    pub(super) visit_planned: bool,
    /// Something happened that the daemon notices at once.
    touched: bool,
    /// How often in a row a person came and could not do everything: who comes in vain comes less often.
    pub(super) in_vain: u32,
    /// A backup was put in place of the database, and nobody has looked at it yet.
    restored: bool,
    truth: ManualClock,
    daemon: ManualClock,
    disk: Disk,
    begin: Timestamp,
    end: Timestamp,
    entered: u64,
    seed: u64,
    /// Printed as it happens, for a replay.
    loud: bool,
}

/// Lives through the world of `seed`.
pub(super) async fn live(seed: u64, nature: Option<Nature>, loud: bool) -> Result<Figures, Complaint> {
    crash::reset();
    let mut life = Life::new(seed, nature, loud).await;
    life.say(|| format!("{:?}", life.nature));
    life.say(|| format!("{:?}", life.plans));
    life.sandbox.change(|settings| life.say(|| format!("{settings:?}")));
    let lived = life.through().await;
    if let Some(engine) = life.engine.take() {
        drop(engine.store.close().await);
    }
    if let Some(keep) = std::env::var_os("RENEWD_KEEP").filter(|_| loud) {
        drop(std::fs::copy(life.disk.database(), keep));
    }
    crash::reset();
    lived.map(|()| life.figures)
}

impl Life {
    async fn new(seed: u64, nature: Option<Nature>, loud: bool) -> Self {
        let mut dice = Dice::new(seed);
        let nature = nature.unwrap_or_else(|| Nature::draw(&mut dice));
        let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a date");
        let begin =
            first + SignedDuration::from_hours(24 * dice.between(0, 2200)) + SignedDuration::from_secs(dice.between(0, 86_399));
        let end = begin + SignedDuration::from_hours(24 * 365 * YEARS);
        let zone = TimeZone::get(nature.zone).expect("a zone of the bundled database");
        let plans = file::draw(&mut dice, begin.to_zoned(zone.clone()).date(), nature.calm, nature.together);
        let (truth, daemon) = (ManualClock::at(begin), ManualClock::at(begin));
        let sandbox = Sandbox::new(Arc::new(truth.clone()), nature.portal(&mut dice));
        let clocks = Clocks { truth: truth.clone(), daemon: daemon.clone(), skew: SignedDuration::ZERO };
        let line = Line::new(sandbox.clone(), weather(&nature, &mut dice, clocks));
        let figures = Figures::default();
        let oracle = Oracle::new(&nature, zone.clone());
        let disk = Disk::new().await;
        let mut world = Self {
            nature,
            zone,
            plans,
            line,
            sandbox,
            engine: None,
            agenda: BinaryHeap::new(),
            dice,
            figures,
            oracle,
            visit_planned: false,
            touched: false,
            in_vain: 0,
            restored: false,
            truth,
            daemon,
            disk,
            begin,
            end,
            entered: 0,
            seed,
            loud,
        };
        agenda::draw(&mut world);
        world
    }

    pub(super) fn begin(&self) -> Timestamp {
        self.begin
    }

    pub(super) fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether the list hides nothing now.
    pub(super) fn shows_all(&self) -> bool {
        let mut all = true;
        self.sandbox.change(|settings| all = settings.list.hides == crate::sandbox::settings::Hides::Nothing);
        all
    }

    /// True time.
    pub(super) fn now(&self) -> Timestamp {
        self.truth.now()
    }

    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if self.loud {
            println!("{:.0} {}", self.now(), what());
        }
    }

    /// Puts an event on the agenda; of two at one moment the one entered first comes first.
    pub(super) fn plan(&mut self, at: Timestamp, event: Event) {
        self.entered += 1;
        self.agenda.push(Reverse(Entry { at, number: self.entered, event }));
    }

    async fn through(&mut self) -> Result<(), Complaint> {
        let mut next = None;
        loop {
            if self.touched || next.is_some_and(|at| at <= self.now()) {
                next = self.wake().await?;
                self.look().await?;
                self.touched = false;
            }
            let event = self.agenda.peek().map(|Reverse(entry)| entry.at);
            let Some(at) = [next, event].into_iter().flatten().min().filter(|at| *at < self.end) else { break };
            let at = at.max(self.now());
            self.line.weather().clocks.set(at);
            while self.agenda.peek().is_some_and(|Reverse(entry)| entry.at <= at) {
                let Some(Reverse(entry)) = self.agenda.pop() else { break };
                self.say(|| format!("   {:?}", entry.event));
                self.touched |= entry.event.touches_the_daemon();
                agenda::happen(self, entry.event).await?;
            }
        }
        self.finish().await
    }

    /// Ticks until nothing is due; says when something is, in true time. The process may die in it.
    async fn wake(&mut self) -> Result<Option<Timestamp>, Complaint> {
        if self.dice.chance(self.nature.copies) {
            self.run_a_copy().await?;
        }
        let Some(mut engine) = self.engine.take() else { return Ok(None) };
        self.arm();
        let mut ticks = 0;
        let figures = &mut self.figures;
        let lived = crash::survives(async {
            let next = engine
                .run_dry(|_| {
                    figures.ticks += 1;
                    ticks += 1;
                    assert!(ticks < MOST_TICKS, "ticks that never end");
                })
                .await;
            (engine, next)
        });
        match lived.await {
            None => self.died(),
            Some((_, Err(error))) if is_injected(&error) => self.died(),
            Some((engine, Err(error))) => {
                self.engine = Some(engine);
                return Err(Complaint::new(format!("a tick failed: {error}")));
            }
            Some((engine, Ok(next))) => {
                crash::reset();
                self.engine = Some(engine);
                let skew = self.line.weather().clocks.skew;
                return Ok(next.map(|at| at.checked_sub(skew).unwrap_or(Timestamp::MAX)));
            }
        }
        Ok(None)
    }

    fn arm(&mut self) {
        crash::reset();
        if self.dice.chance(self.nature.wake_crashes) {
            crash::arm(u32::try_from(self.dice.between(1, 40)).unwrap_or(1));
        }
        if self.dice.chance(self.nature.write_faults) {
            crash::arm_write(u32::try_from(self.dice.between(1, 12)).unwrap_or(1));
        }
    }

    /// The process is dead. Somebody, or systemd, starts it again.
    fn died(&mut self) {
        crash::reset();
        self.figures.crashes += 1;
        self.say(|| "   the process dies".to_owned());
        let wait = match self.dice.below(10) {
            0..6 => 5,
            6..8 => self.dice.between(60, 3600),
            _ => self.dice.between(3600, 20 * 3600),
        };
        self.plan(self.now() + SignedDuration::from_secs(wait), Event::Boot);
    }

    /// A new process on the old database.
    pub(super) async fn boot(&mut self) -> Result<(), Complaint> {
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
    pub(super) async fn back_up(&mut self) -> Result<(), Complaint> {
        match &mut self.engine {
            Some(engine) => copy(engine, &self.disk.backup()).await,
            None => Ok(()),
        }
    }

    /// Somebody stops the daemon, puts the last backup in place of the database with `cp`, and starts it again.
    pub(super) async fn restore(&mut self) -> Result<(), Complaint> {
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
    async fn run_a_copy(&mut self) -> Result<(), Complaint> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let failed = |what: &dyn std::fmt::Display| Complaint::new(format!("a copy does not run: {what}"));
        let elsewhere = Disk::empty();
        copy(engine, &elsewhere.database()).await?;
        let mut store = Store::open(&elsewhere.database(), Opening::Existing).await.map_err(|e| failed(&e))?;
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
        let mut store = Store::open(&self.disk.database(), Opening::Existing).await.map_err(|e| failed(&e))?;
        if store.installation().await.map_err(|e| failed(&e))?.is_none() {
            let seed = self.seed.to_string();
            store.install(Kind::Portal, &seed, "https://portal.example", self.daemon.now()).await.map_err(|e| failed(&e))?;
        }
        let uid = store.installation().await.map_err(|e| failed(&e))?.map(|it| it.uid).unwrap_or_default();
        if std::mem::take(&mut self.restored) {
            self.oracle.restored(&mut store).await?;
        }
        super::mutations::weaken(&mut store).await;
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
    pub(super) async fn adopt_file_in_force(&mut self, engine: &mut Daemon) -> Result<(), Complaint> {
        let kept = engine.store.file_in_force().await.map_err(|e| Complaint::new(format!("no file in force: {e}")))?;
        if let Some(config) = kept.and_then(|kept| parse_and_keep(PATH, kept.text).ok()) {
            engine.adopt(config.config);
        }
        Ok(())
    }

    /// A running daemon notices an edit.
    pub(super) async fn reload(&mut self) -> Result<(), Complaint> {
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

    /// The process is stopped, and started again later.
    pub(super) fn stop(&mut self, span: SignedDuration) {
        if self.engine.take().is_some() {
            self.plan(self.now() + span, Event::Boot);
        }
    }

    async fn look(&mut self) -> Result<(), Complaint> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let news = self.oracle.look(&mut engine.store, &self.sandbox, &self.plans, &mut self.figures).await?;
        agenda::follow_up(self, &news);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Complaint> {
        while self.engine.is_none() {
            self.boot().await?;
        }
        let Some(engine) = &mut self.engine else { return Ok(()) };
        self.figures.years += u64::try_from(YEARS).unwrap_or(0);
        self.figures.worlds += 1;
        for (fate, times) in &self.line.weather().fates {
            *self.figures.fates.entry(fate).or_default() += times;
        }
        self.oracle.conclude(&mut engine.store, &self.sandbox, &self.plans, &mut self.figures).await
    }
}

/// As `renewd backup` does it.
async fn copy(engine: &mut Daemon, to: &std::path::Path) -> Result<(), Complaint> {
    drop(std::fs::remove_file(to));
    sqlx::query("VACUUM INTO $1")
        .bind(to.to_string_lossy().into_owned())
        .execute(&mut engine.store.conn)
        .await
        .map(drop)
        .map_err(|error| Complaint::new(format!("the database cannot be copied: {error}")))
}

fn is_injected(error: &TickError) -> bool {
    error.to_string().contains(&std::io::Error::from(std::io::ErrorKind::StorageFull).to_string())
}

fn weather(nature: &Nature, dice: &mut Dice, clocks: Clocks) -> Weather {
    Weather {
        dice: dice.fork(),
        clocks,
        order_faults: nature.order_faults,
        read_faults: nature.read_faults,
        slow: nature.slow,
        crashes: nature.crashes,
        dates: nature.dates,
        settle: nature.settle(),
        beyond_settle: nature.beyond_settle,
        fates_met: nature.fates,
        spell: None,
        fates: BTreeMap::default(),
        sent: HashMap::default(),
    }
}
