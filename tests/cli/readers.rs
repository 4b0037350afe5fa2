//! People read the database with `sqlite3 -readonly`: while the daemon runs, after a kill, and after a clean stop.

use super::support::{Portal, due, value};

#[test]
fn a_reader_works_while_the_daemon_runs_after_a_kill_and_after_a_clean_stop() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    let daemon = place.daemon();
    let order = [portal.orders()[0]["orderNo"].clone()];
    assert_eq!(place.rows("order_no", "orders"), order);
    daemon.kill();
    assert_eq!(place.rows("order_no", "orders"), order);
    place.daemon().stop();
    assert_eq!(place.rows("order_no", "orders"), order);
    assert_eq!(place.value("SELECT journal_mode FROM pragma_journal_mode"), "delete");
    assert!(!place.path("renewd.db-wal").exists());
}

/// In a WAL database without its side files, a reader that may not write beside it sees nothing at all.
#[test]
fn every_command_leaves_the_database_readable_without_write_permission() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    let wrong_kind = ["run", "--sandbox", "--database", "renewd.db"];
    for (command, code) in [(&["init", "--yes"][..], 0), (&["run", "--once"], 0), (&wrong_kind, 78)] {
        place.run(command).ended(code);
        assert_eq!(place.value("SELECT journal_mode FROM pragma_journal_mode"), "delete", "{command:?}");
    }
    place.write("no file of ours");
    place.run(&["init", "--yes"]).ended(78);
    assert_eq!(place.value("SELECT journal_mode FROM pragma_journal_mode"), "delete");
}

#[test]
fn a_reader_that_takes_its_time_does_not_stop_an_order() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    // A read that lasts as long as the daemon's start: it holds its snapshot all the time.
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| value(&place.database(), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000) SELECT count(*) FROM n, (SELECT count(*) FROM audit)"));
        place.daemon().stop();
        assert_eq!(reader.join().unwrap().unwrap(), 4_000_000);
    });
    assert_eq!(portal.orders().len(), 1);
}
