//! One database has one lock, whatever name it is reached by (R8).

use super::support::{Portal, due};

#[test]
fn a_database_with_two_hard_links_is_refused_under_both_names_until_one_is_gone() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    std::fs::hard_link(place.database(), place.path("other.db")).unwrap();
    for name in ["renewd.db", "other.db"] {
        let remedy = format!("-samefile {name}");
        place.run(&["run", "--once", "--database", name]).ended(1).explained(&["has 2 names", "two daemons", &remedy]);
        place.run(&["pause", "--database", name]).ended(1).explained(&["has 2 names"]);
    }
    place.run(&["status"]).ended(0); // reading changes nothing
    assert_eq!(portal.calls("save"), 0);
    std::fs::remove_file(place.path("other.db")).unwrap();
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(portal.orders().len(), 1);
}

#[test]
fn a_database_reached_by_a_symlink_has_the_lock_and_the_seal_of_the_file() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    std::os::unix::fs::symlink("renewd.db", place.path("other.db")).unwrap();
    let daemon = place.daemon();
    let holder = format!("process {}", daemon.child.id());
    place.run(&["run", "--once", "--database", "other.db"]).ended(1).explained(&["is in use by", &holder]);
    assert!(!place.path("other.db.lock").exists() && !place.path("other.db.seal").exists());
    daemon.stop();
    place.run(&["run", "--once", "--database", "other.db"]).ended(0);
    assert!(place.rows("reason", "attention").is_empty(), "it is not taken for a copy");
}
