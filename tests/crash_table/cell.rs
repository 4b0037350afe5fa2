//! One cell of the crash table: a daemon that dies at a step of its order, whose request has a fate, and the daemon that goes on.

use std::time::{Duration, Instant};

use renewd::sandbox::Endpoint;

use crate::world::{Daemon, Ended, World};

/// The row without a crash.
pub const NO_CRASH: &str = "(no crash)";
/// The step that no code names: the portal has the request, and nobody has answered it.
pub const IN_FLIGHT: &str = "in flight";

/// What becomes of the first order that is sent.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    pub name: &'static str,
    /// What the portal does with it.
    save: &'static str,
    /// The same, but it never answers: for a daemon that is killed before.
    unanswered: &'static str,
    /// What the portal does when it is asked for its list.
    list: &'static [&'static str],
    /// How long an order takes to show in the list.
    lag: Duration,
    /// Another daemon is started beside the one that goes on.
    second_daemon: bool,
}

const DONE: &str = "save=hang+done";
const UNDONE: &str = "save=hang";

impl Fate {
    pub fn all() -> Vec<Self> {
        let fate = |name, save, unanswered| Self { name, save, unanswered, list: &[], lag: Duration::ZERO, second_daemon: false };
        let lost = fate("answer lost", "save=lost-answer", DONE);
        vec![
            fate("answered", "save=ok", DONE),
            fate("not received", "save=unread", UNDONE),
            lost,
            fate("reset, carried out", "save=reset+done", DONE),
            fate("cut answer", "save=cut:20", DONE),
            fate("500, not carried out", "save=500", UNDONE),
            fate("500, carried out", "save=500+done", DONE),
            fate("redirect", "save=redirect", UNDONE),
            fate("no number", "save=no-order-number", DONE),
            fate("carried out later", "save=reset+later:30m", "save=hang+later:30m"),
            Self { name: "list fails", list: &["list=ok*2", "list=500*2"], ..lost },
            Self { name: "list lags", lag: Duration::from_mins(40), ..lost },
            Self { name: "second daemon", second_daemon: true, ..lost },
        ]
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub step: &'static str,
    pub fate: Fate,
}

/// How a cell ended.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Orders in the portal's ledger.
    orders: usize,
    /// How often the portal was asked for one.
    sent: u64,
    /// Where the first term stays.
    state: String,
    /// What is wrong with it, if anything.
    pub wrong: Option<String>,
}

impl Verdict {
    pub fn short(&self) -> String {
        let again = if self.sent > 1 { format!(", sent {} times", self.sent) } else { String::new() };
        let told = if self.state == "renewed" { "" } else { ", a person is told" };
        format!("{} {}{again}{told}", self.orders, self.state)
    }
}

impl Cell {
    pub async fn run(&self) -> Verdict {
        let world = World::new(self.fate.lag).await;
        world.fault(if self.step == IN_FLIGHT { self.fate.unanswered } else { self.fate.save });
        for fault in self.fate.list {
            world.fault(fault);
        }
        self.crash(&world).await;
        let mut daemon = world.daemon(None);
        let refused = if self.fate.second_daemon { second_is_refused(&world, &daemon).await } else { Ok(()) };
        let Ended::At(state) = world.through(&mut daemon, false).await else { panic!("it died by itself:\n{}", world.log()) };
        daemon.kill();
        let (orders, sent) = (world.portal.orders().len(), world.portal.calls_of(Endpoint::Save));
        let wrong = refused.and(accounted(&world, orders, &state).await).err();
        Verdict { orders, sent, state, wrong }
    }

    /// Lets a daemon die where it should.
    async fn crash(&self, world: &World) {
        match self.step {
            NO_CRASH => {}
            IN_FLIGHT => killed_in_flight(world).await,
            step => {
                let ended = world.through(&mut world.daemon(Some(step)), true).await;
                assert_eq!(ended, Ended::Died, "it does not come to {step}");
            }
        }
    }
}

/// Kills a daemon when the portal has its order, and has not answered.
async fn killed_in_flight(world: &World) {
    let mut daemon = world.daemon(None);
    let began = Instant::now();
    while world.portal.calls_of(Endpoint::Save) == 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "nothing is sent:\n{}", world.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    daemon.kill();
}

async fn second_is_refused(world: &World, first: &Daemon) -> Result<(), String> {
    world.is_locked_by(first).await;
    let second = world.ended(&["run", "--once"]).await;
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    if second.status.code() == Some(1) && words.contains("is in use by process") { Ok(()) } else { Err(words) }
}

/// At most one order; the database has the one of the ledger; the log is whole; and what is not renewed says why, and what to do.
async fn accounted(world: &World, orders: usize, state: &str) -> Result<(), String> {
    let ledger: Vec<String> = world.portal.orders().iter().map(|order| order.order_no.clone()).collect();
    let ours: String = world.value("SELECT coalesce(group_concat(order_no), '') FROM attempt WHERE state = 'placed'").await;
    let unexplained: i64 = world.value("SELECT count(*) FROM attention WHERE reason IS NULL OR what_to_do IS NULL").await;
    let told: i64 = world.value("SELECT count(*) FROM attention").await;
    let verified = world.ended(&["audit", "verify"]).await;
    let wrong = |what: String| Err(format!("{what}\n{}", world.log()));
    match () {
        () if orders > 1 => wrong(format!("{orders} orders")),
        () if ours != ledger.join(",") => wrong(format!("the portal has {ledger:?}, the database {ours}")),
        () if !verified.status.success() => wrong(String::from_utf8_lossy(&verified.stdout).into_owned()),
        () if unexplained > 0 => wrong("something waits for a person and does not say why".to_owned()),
        () if state != "renewed" && told == 0 => wrong(format!("{state}, and nobody is told")),
        () => Ok(()),
    }
}
