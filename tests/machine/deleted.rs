//! The database, or its lock file, is deleted, moved or replaced under the running daemon.

use std::fs;

use super::scene::{A_MINUTE, Scene};
use super::support::{due, until};

/// Somebody does this to the files while the daemon is about to order.
fn done_to(scene: &Scene, what: impl FnOnce()) {
    let mut daemon = scene.daemon_about_to_order();
    what();
    scene.clock(A_MINUTE);
    let (status, _) = daemon.ended();
    assert_eq!(status.code(), Some(1), "{}", daemon.log());
    daemon.says("was deleted or replaced while the daemon used it");
    scene.people_hear(&["nothing is renewed until a person has helped", "was deleted or replaced while the daemon used it"]);
    assert_eq!(scene.told().matches("\"machine\"").count(), 1, "{}", scene.told());
    scene.ordered_nothing();
}

#[test]
fn a_database_deleted_under_the_daemon_is_told_and_is_not_made_anew() {
    let scene = Scene::with(&due("one", "1", 3));
    let backup = scene.path("backup.db");
    scene.run(&["backup", backup.to_str().unwrap()]).ended(0);
    done_to(&scene, || fs::remove_file(scene.database()).unwrap());
    let refused = scene.run(&["run"]).ended(78);
    refused.explained(&["is gone, and its seal is still there", "renewd restore"]);
    assert!(!refused.err.contains("renewd init"), "{}", refused.err);
    // Nor does whoever tries get one that knows of no order.
    scene.run(&["init", "--yes"]).ended(78).explained(&[
        "is gone, and its seal is still there",
        "renewd restore",
        "delete",
        ".seal",
    ]);
    assert!(!scene.database().exists());
    // What it says to do is what helps.
    scene.run(&["restore", backup.to_str().unwrap()]).ended(0);
    scene.daemon().stop();
    scene.ordered_nothing(); // a restored database waits for a person (R9)
}

#[test]
fn a_database_moved_away_is_told_and_put_back_it_goes_on() {
    let scene = Scene::with(&due("one", "1", 3));
    let aside = scene.path("aside.db");
    done_to(&scene, || fs::rename(scene.database(), &aside).unwrap());
    for ending in ["-wal", "-shm"] {
        let side = |path: &std::path::Path| format!("{}{ending}", path.display());
        let _ = fs::rename(side(&scene.database()), side(&aside));
    }
    scene.run(&["run"]).ended(78).explained(&["Put it back"]);
    fs::rename(&aside, scene.database()).unwrap();
    for ending in ["-wal", "-shm"] {
        let side = |path: &std::path::Path| format!("{}{ending}", path.display());
        let _ = fs::rename(side(&aside), side(&scene.database()));
    }
    scene.daemon().stop();
    scene.is_ordered_once();
}

#[test]
fn a_database_replaced_by_an_older_copy_is_told_and_not_believed() {
    let scene = Scene::with(&due("one", "1", 3));
    let copy = scene.path("copy.db");
    fs::copy(scene.database(), &copy).unwrap();
    done_to(&scene, || fs::rename(&copy, scene.database()).unwrap());
}

#[test]
fn a_lock_file_deleted_under_the_daemon_is_made_anew_and_still_keeps_others_out() {
    let scene = Scene::with(&due("one", "1", 3));
    let daemon = scene.daemon();
    fs::remove_file(scene.path("renewd.db.lock")).unwrap();
    daemon.says("it is made anew");
    scene.run(&["run"]).ended(1).explained(&["is in use by process"]);
    daemon.stop();
    scene.is_ordered_once();
}

#[test]
fn of_two_daemons_that_a_deleted_lock_file_let_in_the_first_leaves_and_says_why() {
    let scene = Scene::with(&due("one", "1", 3));
    let mut first = scene.daemon_about_to_order();
    // Between two looks of the first, however fast it is.
    first.signal("STOP");
    fs::remove_file(scene.path("renewd.db.lock")).unwrap();
    let second = scene.daemon_starting(&["run"]);
    second.says("looked for the first time");
    first.signal("CONT");
    let (status, _) = first.ended();
    assert_eq!(status.code(), Some(1));
    let log = first.log();
    assert!(log.contains("another process uses") && log.contains("lock file was deleted"), "{log}");
    assert!(!log.contains("restore a backup"), "{log}");
    scene.people_hear(&["the lock file was deleted under this daemon"]);
    scene.clock(A_MINUTE);
    until("the second one orders", || (scene.portal.calls("save") == 1).then_some(()));
    scene.is_ordered_once();
    second.stop();
}
