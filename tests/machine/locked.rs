//! The database is locked by another program.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::runtime::Runtime;

use super::scene::{A_MINUTE, Scene, writes_to_files_that_are_there};
use super::support::{due, until};

/// Another program in the middle of a transaction.
struct Holder {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Holder {
    fn of(scene: &Scene, begin: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(scene.database()).busy_timeout(std::time::Duration::from_secs(30));
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            connection.execute(begin).await.unwrap();
            connection
        });
        Self { runtime, connection }
    }

    fn lets_go(mut self) {
        self.runtime.block_on(async {
            self.connection.execute("ROLLBACK").await.unwrap();
            self.connection.close().await.unwrap();
        });
    }
}

#[test]
fn an_answer_that_comes_while_the_database_is_locked_is_kept_and_recorded_whole() {
    let scene = Scene::with(&due("one", "1", 3));
    scene.portal.fault("save=late:1s");
    let mut daemon = scene.daemon_starting(&["run"]);
    until("the order is on its way", || (scene.portal.calls("save") == 1).then_some(()));
    let holder = Holder::of(&scene, "BEGIN EXCLUSIVE");
    daemon.says("the portal answered, and the database does not have it");
    let order = &scene.portal.orders()[0];
    for number in ["orderNo", "transactionNo"] {
        assert!(daemon.log().contains(order[number].as_str().unwrap()), "{}", daemon.log());
    }
    assert_eq!(scene.attempts(), ["open"]);
    assert!(!scene.told().contains("nothing is ordered"), "a moment wakes nobody: {}", scene.told());
    // A minute later people are told as well, though the outbox cannot be written.
    scene.clock(A_MINUTE);
    scene.people_hear(&["nothing is ordered or followed since", order["transactionNo"].as_str().unwrap()]);
    holder.lets_go();
    scene.is_ordered_once();
    scene.people_hear(&["all is well again"]);
    writes_to_files_that_are_there(&daemon);
    assert_eq!(daemon.child.try_wait().unwrap(), None, "the daemon has never left");
    daemon.stop();
    assert_eq!(scene.portal.calls("save"), 1);
}

#[test]
fn nothing_is_sent_while_the_database_is_locked_and_the_order_goes_out_after() {
    let scene = Scene::with(&due("one", "1", 3));
    let daemon = scene.daemon_about_to_order();
    let holder = Holder::of(&scene, "BEGIN IMMEDIATE");
    scene.clock(A_MINUTE);
    daemon.says("database is locked");
    scene.ordered_nothing();
    holder.lets_go();
    scene.is_ordered_once();
    writes_to_files_that_are_there(&daemon);
    daemon.stop();
}

#[test]
fn a_daemon_asked_to_leave_with_an_answer_that_it_cannot_record_says_the_numbers_and_the_next_one_finds_the_order() {
    let scene = Scene::with(&due("one", "1", 3));
    scene.portal.fault("save=late:1s");
    let mut daemon = scene.daemon_starting(&["run"]);
    until("the order is on its way", || (scene.portal.calls("save") == 1).then_some(()));
    let holder = Holder::of(&scene, "BEGIN IMMEDIATE");
    daemon.says("the portal answered, and the database does not have it");
    daemon.signal("TERM");
    daemon.ended();
    daemon.says("left with an answer that is not recorded");
    holder.lets_go();
    let next = scene.daemon();
    until("the order is found", || (scene.attempts() == ["placed"]).then_some(()));
    next.stop();
    assert_eq!((scene.portal.calls("save"), scene.portal.orders().len()), (1, 1));
}

#[test]
fn a_start_while_another_program_holds_the_database_says_so_and_speaks_of_no_damage() {
    let scene = Scene::with(&due("one", "1", 3));
    let holder = Holder::of(&scene, "BEGIN EXCLUSIVE");
    let refused = scene.run(&["run"]).ended(1);
    refused.explained(&["is locked by another program"]);
    assert!(!refused.err.contains("damaged") && !refused.err.contains("restore"), "{}", refused.err);
    scene.ordered_nothing();
    holder.lets_go();
    scene.daemon().stop();
    scene.is_ordered_once();
}
