//! One world, lived through: the daemon ticks, time jumps to whatever is next, and the oracle looks after every step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::agenda;
use super::crash;
use super::dice::Dice;
use super::disk::Disk;
use super::event::{Entry, Event};
use super::figures::Figures;
use super::file::{self, Plan};
use super::line::{Clocks, Line, Weather};
use super::nature::Nature;
use super::oracle::{Complaint, Oracle};
use crate::clock::{Clock as _, ManualClock};
use crate::daemon::engine::{Engine, TickError};
use crate::sandbox::Sandbox;

mod starts;

/// How long each world is lived in.
pub(super) const YEARS: i64 = 5;
/// More ticks than this at one moment are a loop that never ends.
const MOST_TICKS: u32 = 300;
const PATH: &str = "/etc/renewd/renewals.toml";

/// The daemon, but for its shell.
pub(super) type Daemon = Engine;

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
