//! Files are readable by owner and group only, whatever the umask, and one database has one daemon.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::support::{EXAMPLE, Place, Portal, RENEWD, Ran, due, until};

fn modes(place: &Place) -> Vec<(String, u32)> {
    let mut found: Vec<(String, u32)> = std::fs::read_dir(place.path(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "renewals.toml")
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    found.sort();
    found
}

/// The group reads everything but the lock: whoever may open that could hold it, and keep the daemon from starting.
fn right((name, mode): &(String, u32)) -> bool {
    *mode == if name.strip_suffix(".lock").is_some() { 0o600 } else { 0o640 }
}

#[test]
fn every_file_is_0640_and_the_lock_0600_under_every_umask() {
    for umask in ["000", "022", "077"] {
        let place = Place::with(EXAMPLE);
        let line = format!("umask {umask}; exec {RENEWD} run --sandbox --real-time");
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .current_dir(place.path(""))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // The side files of the database are there only while it is open; SQLite makes them, and then gives them the database's mode.
        let found = until("all files are there and right", || {
            Some(modes(&place)).filter(|found| found.len() >= 5 && found.iter().all(right))
        });
        until("the portal's ledger is there", || place.path("renewd-sandbox.db-wal").exists().then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.iter().chain(&modes(&place)).all(right), "umask {umask}: {found:?}");
    }
}

#[test]
fn a_played_sandbox_leaves_nothing_that_others_can_read() {
    let place = Place::with(EXAMPLE);
    let line = format!("umask 000; exec {RENEWD} run --sandbox");
    let output = Command::new("sh").args(["-c", &line]).current_dir(place.path("")).output().unwrap();
    Ran::of(&output).ended(0);
    let found = modes(&place);
    assert!(found.iter().all(right), "{found:?}");
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let db = |ending: &str| format!("renewd-sandbox.db{ending}");
    assert_eq!(names, [db(""), db(".lock"), db(".running"), db(".seal"), "renewd-sandbox.portal.json".to_owned()]);
}

#[test]
fn a_second_daemon_is_refused_and_told_who_holds_the_database() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    let daemon = place.daemon();
    let holder = format!("process {}", daemon.child.id());
    for second in [&["run"][..], &["run", "--once"], &["init", "--yes"]] {
        place.run(second).ended(1).explained(&["renewd.db is in use by", &holder]);
    }
    daemon.kill();
    place.daemon().stop();
    assert_eq!(portal.calls("save"), 1);
}
