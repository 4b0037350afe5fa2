//! What happens between reading the list and sending the order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock as _, ManualClock};
use crate::daemon::engine::TickError;
use crate::daemon::testing::{BEGIN, World, at, order_of};
use crate::daemon::watched::Watched;
use crate::portal::transport::{Request, Response, Transport, TransportError};
use crate::sandbox::settings::{Echo, Shows, Sort};
use crate::sandbox::{Sandbox, Settings};
use crate::simulation::line::Line;
use crate::store::{Opening, Store};

/// What happens while the answer to a request is on its way, once.
type Meanwhile = Arc<Mutex<Option<(&'static str, Box<dyn FnOnce() + Send>)>>>;

struct Eventful(Line, Meanwhile);

impl Transport for Eventful {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let response = self.0.send(request.clone()).await;
        let happens = self.1.lock().unwrap().take_if(|(on, _)| request.path.contains(*on));
        if let Some((_, happens)) = happens {
            happens();
        }
        response
    }
}

async fn world() -> (World, Sandbox, ManualClock, Meanwhile) {
    let clock = ManualClock::at(at(BEGIN));
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
    let meanwhile = Meanwhile::default();
    let line = Eventful(Line::quiet(sandbox.clone(), &clock), Arc::clone(&meanwhile));
    (World::new(line, clock.clone()).await, sandbox, clock, meanwhile)
}

fn while_answering(meanwhile: &Meanwhile, what: &'static str, happens: impl FnOnce() + Send + 'static) {
    *meanwhile.lock().unwrap() = Some((what, Box::new(happens)));
}

fn each_time(meanwhile: &Meanwhile, what: &'static str, happens: Arc<dyn Fn() + Send + Sync>) {
    let again = Arc::clone(meanwhile);
    while_answering(meanwhile, what, move || {
        happens();
        each_time(&again, what, happens);
    });
}

/// A person asks for this from elsewhere.
fn ask_beside(database: PathBuf, request: &'static str) {
    beside(database, async move |store| store.ask(due(), "a person", request).await.unwrap());
}

/// Whether people have heard of a deadline.
fn is_told(database: PathBuf) -> bool {
    let told = "SELECT EXISTS (SELECT 1 FROM outbox WHERE sent_at IS NOT NULL AND body LIKE '%not renewed yet%')";
    beside(database, async move |store| sqlx::query_scalar(told).fetch_one(&mut store.conn).await.unwrap())
}

fn beside<T: Send + 'static>(database: PathBuf, does: impl AsyncFnOnce(&mut Store) -> T + Send + 'static) -> T {
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut store = Store::open(&database, Opening::Beside).await.unwrap();
            does(&mut store).await
        })
    });
    other.join().unwrap()
}

fn in_force(path: &Path) -> Watched {
    std::fs::write(path, "as it is in force\n").unwrap();
    let mut watched = Watched::new(path);
    watched.is_read();
    watched
}

const LIST: &str = "/order/openapi/order/v1/page";
const DETAILS: &str = "/order/openapi/order/v1/get";

fn due() -> Timestamp {
    at("2027-02-15T09:00:00Z")
}

/// The machine slept while the list was on its way, and a colleague renewed in the portal: ours went out on top of it, by the list of before.
#[tokio::test]
async fn a_list_that_was_asked_for_long_ago_is_asked_for_again_before_an_order_goes() {
    let (mut world, sandbox, clock, meanwhile) = world().await;
    let theirs = sandbox.clone();
    clock.set(due());
    while_answering(&meanwhile, LIST, move || {
        clock.set(clock.now() + SignedDuration::from_mins(9));
        order_of(&theirs, 1);
    });
    world.engine.run_dry(|_| {}).await.unwrap();
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held foreign_order".to_owned()], 1));
}

/// The list took eight seconds too long, or the machine slept over the deadline: the order went out after it.
#[tokio::test]
async fn an_order_whose_deadline_passes_while_the_list_is_read_is_missed_and_not_sent() {
    let (mut world, sandbox, clock, meanwhile) = world().await;
    sandbox.inject(
        crate::sandbox::Target::Only(crate::sandbox::Endpoint::Save),
        crate::sandbox::Fault { effect: crate::sandbox::Effect::Undone, reply: crate::sandbox::Reply::Status(429, None) },
        1,
    );
    world.live_until("2027-02-15T09:00:00Z").await;
    sqlx::query("UPDATE term SET act_at = '2027-02-28T23:59:50.000Z'").execute(&mut world.engine.store.conn).await.unwrap();
    clock.set(at("2027-02-28T23:59:50Z"));
    while_answering(&meanwhile, LIST, move || clock.set(clock.now() + SignedDuration::from_secs(18)));
    world.engine.run_dry(|_| {}).await.unwrap();
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("missed deadline_passed", 0));
}

/// An entry was taken out while the portal was slow; its order went out a moment, or three minutes, after the file was saved.
#[tokio::test]
async fn nothing_is_ordered_by_a_file_that_was_edited_meanwhile() {
    for slow in [LIST, DETAILS] {
        let (mut world, sandbox, clock, meanwhile) = world().await;
        order_of(&sandbox, 9);
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("renewals.toml");
        world.engine.file = Some(in_force(&path));
        clock.set(due());
        let saved = path.clone();
        while_answering(&meanwhile, slow, move || std::fs::write(&saved, "edited, and longer than before\n").unwrap());
        world.engine.run_dry(|_| {}).await.unwrap();
        assert!(meanwhile.lock().unwrap().is_none(), "it was edited");
        assert_eq!((world.states().await, sandbox.orders().len()), (vec!["scheduled ".to_owned()], 1), "{slow}");
        world.engine.file.as_mut().unwrap().is_read();
        world.engine.run_dry(|_| {}).await.unwrap();
        assert_eq!(sandbox.orders().len(), 2);
    }
}

/// `pause` was answered after a dozen more orders had left; and not at all while the details of others' orders were read for minutes.
#[tokio::test]
async fn a_command_that_comes_while_the_portal_is_slow_is_done_before_anything_is_ordered() {
    for slow in [LIST, DETAILS] {
        let (mut world, sandbox, clock, meanwhile) = world().await;
        order_of(&sandbox, 9);
        clock.set(due());
        let database = world.database();
        while_answering(&meanwhile, slow, move || ask_beside(database, r#"{"do": "pause", "why": "wait"}"#));
        world.engine.run_dry(|_| {}).await.unwrap();
        assert_eq!((world.states().await, sandbox.orders().len()), (vec!["scheduled paused".to_owned()], 1), "{slow}");
    }
}

/// Commands without end, each of which came while the list was read again for the one before, kept every order from going out.
#[tokio::test]
async fn commands_without_end_do_not_keep_an_order_from_going() {
    let (mut world, sandbox, clock, meanwhile) = world().await;
    clock.set(due());
    let database = world.database();
    each_time(&meanwhile, LIST, Arc::new(move || ask_beside(database.clone(), r#"{"do": "resume"}"#)));
    world.engine.tick().await.unwrap();
    assert_eq!(sandbox.orders().len(), 0, "the first is done before an order");
    world.engine.tick().await.unwrap();
    assert_eq!(sandbox.orders().len(), 1);
}

/// A portal whose list is longer on its way than it is looked whether a person waits.
struct Slow(Line);

impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.path.contains(LIST) {
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
        self.0.send(request).await
    }
}

/// A portal that answers for its list when people have heard of the deadline that came near meanwhile, or not at all.
struct UntilTold(Line, ManualClock, Arc<Mutex<PathBuf>>);

impl Transport for UntilTold {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.path.contains(LIST) {
            self.1.set(at("2027-02-22T01:00:00Z"));
            let database = self.2.lock().unwrap().clone();
            for _ in 0..500 {
                if is_told(database.clone()) {
                    return self.0.send(request).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            panic!("nobody was told while the list was read");
        }
        self.0.send(request).await
    }
}

/// A list that took longer to read than systemd waits was begun anew at each start, and what was to be said stayed in the outbox until it had been read.
#[tokio::test]
async fn people_hear_of_deadlines_while_the_list_is_read() {
    let clock = ManualClock::at(at(BEGIN));
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
    let database = Arc::new(Mutex::new(PathBuf::new()));
    let line = UntilTold(Line::quiet(sandbox.clone(), &clock), clock.clone(), Arc::clone(&database));
    let mut world = World::new(line, clock.clone()).await;
    *database.lock().unwrap() = world.database();
    world.engine.hire_courier(Arc::default());
    sqlx::query("UPDATE term SET warn_at = '2027-02-22T00:00:00.000Z'").execute(&mut world.engine.store.conn).await.unwrap();
    clock.set(due());
    for _ in 0..3 {
        world.engine.tick().await.unwrap();
    }
    assert_eq!(sandbox.orders().len(), 1, "and it is ordered");
}

/// `hold` was answered after the list had been read, which took a minute. `run --once` and `init` read it outside of any tick: a command that waited ended them with an error.
#[tokio::test]
async fn reading_the_list_gives_way_within_a_tick_and_only_there() {
    let clock = ManualClock::at(at(BEGIN));
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
    let mut world = World::new(Slow(Line::quiet(sandbox, &clock)), clock.clone()).await;
    ask_beside(world.database(), r#"{"do": "resolve_not_ordered", "term": 1}"#);
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_whole_list().await.unwrap().unwrap();
    clock.set(due());
    let called = world.engine.reach_portal(due(), false).await;
    assert!(matches!(called, Err(TickError::CalledAway)), "{called:?}");
    assert!(world.engine.reach_portal(due(), false).await.unwrap().is_ok(), "and not twice in a row");
}

/// The file was saved twice, so the reading went on to its end; `pause` was refused after ninety seconds, and the order left.
#[tokio::test]
async fn what_a_person_says_while_the_list_is_read_is_done_at_once_and_holds() {
    for (asked, state) in [
        (r#"{"do": "pause", "why": "wait"}"#, "scheduled paused"),
        (r#"{"do": "hold", "term": 1}"#, "held operator"),
        (r#"{"do": "skip", "term": 1}"#, "skipped skipped"),
    ] {
        let clock = ManualClock::at(at(BEGIN));
        let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
        let mut world = World::new(Slow(Line::quiet(sandbox.clone(), &clock)), clock.clone()).await;
        clock.set(due());
        let database = world.database();
        let mut asks = Some(move || ask_beside(database, asked));
        let answered = async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            asks.take().unwrap()();
        };
        let (ticked, ()) = tokio::join!(world.engine.tick(), answered);
        assert_eq!(ticked.unwrap().placed.len(), 0);
        assert!(!world.engine.store.has_waiting_commands().await.unwrap(), "{asked}: it is done when the list was read");
        world.engine.run_dry(|_| {}).await.unwrap();
        assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), (state, 0));
    }
}

/// A list in no order of time that took more than two minutes was read again and again, and nothing was ever ordered.
#[tokio::test]
async fn a_list_that_takes_minutes_page_by_page_is_good_for_an_order() {
    for sort in [Sort::Shuffled, Sort::Ascending, Sort::Descending] {
        let (mut world, sandbox, clock, meanwhile) = world().await;
        sandbox.change(|settings| (settings.list.sort, settings.list.page_cap) = (sort, Some(1)));
        (9..14).for_each(|partner| drop(order_of(&sandbox, partner)));
        clock.set(due());
        let waits = clock.clone();
        each_time(&meanwhile, LIST, Arc::new(move || waits.set(waits.now() + SignedDuration::from_secs(50))));
        world.engine.tick().await.unwrap();
        assert_eq!(sandbox.orders().len(), 6, "{sort:?}");
    }
}

/// Where nothing tells customers apart, every dead order of a year is looked at before the first of ours, which takes longer than a list holds.
#[tokio::test]
async fn looking_at_many_dead_orders_again_comes_to_its_end() {
    let (mut world, sandbox, clock, meanwhile) = world().await;
    let nothing = Shows::each(Echo::Absent);
    sandbox.change(|settings| (settings.list.row, settings.list.details) = (nothing, nothing));
    for _ in 0..20 {
        let theirs = order_of(&sandbox, 9);
        sandbox.set_status(&theirs, "failed").unwrap();
    }
    clock.set(due());
    let waits = clock.clone();
    each_time(&meanwhile, DETAILS, Arc::new(move || waits.set(waits.now() + SignedDuration::from_secs(15))));
    for _ in 0..3 {
        world.engine.tick().await.unwrap();
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["placed ".to_owned()], 21));
}

/// The one that had been looked at first was paid while the others were: the order went a minute later, by a list from before.
#[tokio::test]
async fn a_dead_order_that_is_paid_while_others_are_looked_at_holds() {
    let (mut world, sandbox, clock, meanwhile) = world().await;
    sandbox.change(|settings| settings.list.page_cap = Some(2));
    let dead: Vec<String> = (0..20).map(|_| order_of(&sandbox, 1)).collect();
    for theirs in &dead {
        sandbox.set_status(theirs, "failed").unwrap();
    }
    world.engine.look_at_portal().await.unwrap();
    clock.set(due());
    let (waits, theirs, looks) = (clock.clone(), sandbox.clone(), Arc::new(Mutex::new(0)));
    let happens = move || {
        waits.set(waits.now() + SignedDuration::from_secs(15));
        *looks.lock().unwrap() += 1;
        if *looks.lock().unwrap() == 2 * dead.len() - 3 {
            theirs.set_status(&dead[0], "succeed").unwrap();
        }
    };
    each_time(&meanwhile, DETAILS, Arc::new(happens));
    for _ in 0..3 {
        world.engine.tick().await.unwrap();
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held foreign_order".to_owned()], 20));
}

/// The looks at dead orders were old each time that the list had been read, and took longer than it holds.
#[tokio::test]
async fn looking_at_dead_orders_again_comes_to_its_end_before_a_slow_list_too() {
    for sort in [Sort::Shuffled, Sort::Descending] {
        let (mut world, sandbox, clock, meanwhile) = world().await;
        sandbox.change(|settings| (settings.list.sort, settings.list.page_cap) = (sort, Some(1)));
        for partner in [1, 1, 9, 9, 9, 9, 9, 9, 9, 9] {
            let theirs = order_of(&sandbox, partner);
            sandbox.set_status(&theirs, if partner == 1 { "failed" } else { "succeed" }).unwrap();
            clock.set(clock.now() + SignedDuration::from_mins(1));
        }
        world.engine.look_at_portal().await.unwrap();
        clock.set(due());
        let waits = clock.clone();
        let slow = move || waits.set(waits.now() + SignedDuration::from_secs(18));
        each_time(&meanwhile, "/order/openapi/order/v1/", Arc::new(slow));
        for _ in 0..5 {
            world.engine.tick().await.unwrap();
        }
        assert_eq!(sandbox.orders().len(), 11, "{sort:?}: {:?}", world.states().await);
    }
}

/// A colleague renewed while the list was read for minutes, and after its first page.
#[tokio::test]
async fn what_is_ordered_while_a_long_list_is_read_holds() {
    for sort in [Sort::Ascending, Sort::Descending, Sort::Shuffled] {
        let (mut world, sandbox, clock, meanwhile) = world().await;
        sandbox.change(|settings| (settings.list.sort, settings.list.page_cap) = (sort, Some(2)));
        for partner in 9..14 {
            order_of(&sandbox, partner);
            clock.set(clock.now() + SignedDuration::from_mins(1));
        }
        clock.set(due());
        let (waits, theirs) = (clock.clone(), sandbox.clone());
        let happens = move || {
            waits.set(waits.now() + SignedDuration::from_secs(50));
            if theirs.orders().len() == 5 {
                order_of(&theirs, 1);
            }
        };
        each_time(&meanwhile, LIST, Arc::new(happens));
        world.engine.tick().await.unwrap();
        world.engine.tick().await.unwrap();
        assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held foreign_order".to_owned()], 6), "{sort:?}");
    }
}

/// It ended the tick with an error, and people were told that the daemon does not work.
#[tokio::test]
async fn a_doubted_database_gives_way_too_and_reads_on_afterwards() {
    let (mut world, sandbox, clock, meanwhile) = world().await;
    order_of(&sandbox, 9);
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("renewals.toml");
    world.engine.file = Some(in_force(&path));
    world.engine.store.doubt(at(BEGIN), "it was restored").await.unwrap();
    world.engine.recover().await.unwrap();
    clock.set(at(BEGIN) + SignedDuration::from_hours(24 * 4));
    let saved = path.clone();
    while_answering(&meanwhile, LIST, move || std::fs::write(&saved, "edited, and longer than before\n").unwrap());
    world.engine.tick().await.unwrap();
    assert!(world.told("doubt:ready").await.is_empty());
    world.engine.file.as_mut().unwrap().is_read();
    world.engine.run_dry(|_| {}).await.unwrap();
    world.clock.set(world.clock.now() + SignedDuration::from_mins(16));
    world.engine.run_dry(|_| {}).await.unwrap();
    assert_eq!(world.told("doubt:ready").await.len(), 1);
}

/// What was said waited in the outbox as long as the file did not stand still, while deadlines passed.
#[tokio::test]
async fn people_are_told_although_the_file_is_written_without_end() {
    let (mut world, sandbox, _clock, _) = world().await;
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("renewals.toml");
    world.engine.file = Some(in_force(&path));
    world.live_until("2027-02-15T08:59:00Z").await;
    std::fs::write(&path, "edited, and longer than before\n").unwrap();
    sqlx::query("UPDATE term SET warn_at = '2027-02-22T00:00:00.000Z'").execute(&mut world.engine.store.conn).await.unwrap();
    world.live_until("2027-02-22T00:00:00Z").await;
    let sent: Vec<bool> =
        sqlx::query_scalar("SELECT sent_at IS NOT NULL FROM outbox").fetch_all(&mut world.engine.store.conn).await.unwrap();
    assert_eq!((sent, sandbox.orders().len()), (vec![true], 0));
}
