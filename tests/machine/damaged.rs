//! Pages of the database are overwritten.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::scene::{A_MINUTE, Scene};
use super::support::{change, due};

const PAGE: u64 = 4096;
const PAGE_BYTES: usize = 4096;

/// Overwrites the pages from `first` up to `end`, all of them where there are fewer.
fn overwrite(scene: &Scene, first: u64, end: u64) {
    let file = File::options().write(true).open(scene.database()).unwrap();
    let pages = file.metadata().unwrap().len() / PAGE;
    for page in first..end.min(pages) {
        file.write_all_at(&[0xA5; PAGE_BYTES], page * PAGE).unwrap();
    }
}

/// The page on which the tree of this table or index begins, from 0.
fn page_of(scene: &Scene, name: &str) -> u64 {
    scene.value(&format!("SELECT rootpage - 1 FROM sqlite_schema WHERE name = '{name}'")).as_u64().unwrap()
}

#[test]
fn a_database_damaged_before_the_start_is_refused_with_the_way_out_and_nothing_is_ordered() {
    for (what, page) in [("the header", None), ("a table", Some("term")), ("an index", Some("sqlite_autoindex_attempt_1"))] {
        let scene = Scene::with(&due("one", "1", 3));
        let backup = scene.path("backup.db");
        scene.run(&["backup", backup.to_str().unwrap()]).ended(0);
        let page = page.map_or(0, |name| page_of(&scene, name));
        overwrite(&scene, page, page + 1);
        let refused = scene.run(&["run"]);
        assert_eq!(refused.code, Some(1), "{what}: {}", refused.err);
        refused.explained(&["damaged", "renewd restore"]);
        scene.ordered_nothing();
        scene.run(&["restore", backup.to_str().unwrap(), "--yes"]).ended(0);
        scene.daemon().stop();
        scene.ordered_nothing(); // a restored database waits for a person (R9)
    }
}

#[test]
fn an_index_that_hides_an_order_is_noticed_before_anything_is_concluded_from_it() {
    let scene = Scene::with(&due("one", "1", 3));
    scene.daemon().stop();
    scene.is_ordered_once();
    // A page of an index without an entry: whole in itself, so that only a comparison with the table shows what is missing.
    let file = File::options().write(true).open(scene.database()).unwrap();
    let mut empty = [0; PAGE_BYTES];
    empty[..8].copy_from_slice(&[0x0A, 0, 0, 0, 0, 0x10, 0, 0]);
    file.write_all_at(&empty, page_of(&scene, "attempt_one_placed_per_term") * PAGE).unwrap();
    scene.run(&["run"]).ended(1).explained(&["damaged"]);
    assert_eq!(scene.portal.calls("save"), 1);
}

#[test]
fn a_database_damaged_under_the_daemon_is_told_and_ends_it_before_it_orders() {
    let scene = Scene::with(&due("one", "1", 3));
    let mut daemon = scene.daemon_about_to_order();
    daemon.signal("STOP");
    // What the daemon holds in its cache is let go when another program has written.
    change(&scene.database(), "UPDATE account SET portal_tries = portal_tries + 1");
    change(&scene.database(), "PRAGMA wal_checkpoint(PASSIVE)");
    overwrite(&scene, 1, u64::MAX);
    scene.clock(A_MINUTE);
    daemon.signal("CONT");
    let (status, _) = daemon.ended();
    assert_eq!(status.code(), Some(1), "{}", daemon.log());
    scene.people_hear(&["nothing is renewed until a person has helped", "malformed"]);
    scene.ordered_nothing();
    scene.run(&["run"]).ended(1).explained(&["damaged", "renewd restore"]);
}
