//! Commands that are given while no daemon can do them, or have been given up.

use std::process::Stdio;
use std::time::Duration;

use super::support::{Place, Portal, due, entry, file, until};

fn waiting(place: &Place) -> i64 {
    place.value("SELECT count(*) FROM command WHERE done_at IS NULL").as_i64().unwrap()
}

/// A daemon that hangs is given a command, and then both are killed.
fn both_are_killed(place: &Place, command: &[&str]) {
    let daemon = place.daemon();
    daemon.signal("STOP");
    let mut given = place.command(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it waits for the daemon", || (waiting(place) == 1).then_some(()));
    given.kill().unwrap();
    given.wait().unwrap();
    daemon.kill();
}

/// Two names were swapped in the file while no daemon ran, and `skip` of one skipped the other: the wrong customer was ordered, the right one lapsed.
#[test]
fn a_name_that_means_another_renewal_in_the_file_is_not_acted_on_before_the_file_is_in_force() {
    let portal = Portal::start();
    let both = |one: &str, two: &str| entry(one, "1", 1, 60) + &entry(two, "2", 2, 60);
    let place = portal.place(&both("a", "b"));
    place.run(&["run", "--once"]).ended(0);
    place.write(&file(&portal.address, &both("b", "a")));
    for command in [&["skip", "a"][..], &["hold", "a"], &["order", "a", "--yes"], &["rebase", "a", "2030-01-01", "--yes"]] {
        place.run(command).ended(1).explained(&["is another renewal in the file", "renewd run --once"]);
    }
    place.run(&["run", "--once"]).ended(0);
    place.run(&["skip", "a"]).ended(0);
    assert_eq!(
        place.value("SELECT partner_id FROM term t JOIN subscription s ON s.id = t.subscription_id WHERE t.state = 'skipped'"),
        "2"
    );
}

/// Given up with Ctrl-C while the daemon hung, it was done days later, without a word.
#[test]
fn a_command_that_is_given_up_is_taken_back() {
    let portal = Portal::start();
    let place = portal.place(&entry("a", "1", 1, 60));
    let daemon = place.daemon();
    daemon.signal("STOP");
    for signal in ["INT", "TERM", "HUP"] {
        let given = place.command(&["pause", "wait"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        until("it waits for the daemon", || (waiting(&place) == 1).then_some(()));
        let kill = format!("kill -{signal} {}", given.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let ended = given.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && said.contains("nothing was done"), "{signal}: {said}");
        assert_eq!(waiting(&place), 0, "{signal}");
    }
    daemon.signal("CONT");
    daemon.stop();
    assert_eq!(place.value("SELECT paused_at FROM account"), serde_json::Value::Null);
}

/// The command line was killed, the daemon too; `pause` was done without them, and the next start did the `resume` from before it.
#[test]
fn what_no_daemon_took_up_is_not_done_after_what_was_said_since() {
    let portal = Portal::start();
    let place = portal.place(&entry("a", "1", 1, 60));
    both_are_killed(&place, &["resume"]);
    place.run(&["pause", "wait"]).ended(0);
    assert_eq!(waiting(&place), 0);
    place.daemon().stop();
    assert_ne!(place.value("SELECT paused_at FROM account"), serde_json::Value::Null);
}

/// The same where the next thing is a start, hours later: nobody waits for the answer any more.
#[test]
fn a_command_that_nobody_waits_for_any_more_is_not_done() {
    let portal = Portal::start();
    let place = portal.place(&entry("a", "1", 1, 60));
    both_are_killed(&place, &["pause", "wait"]);
    std::fs::write(place.path("clock"), "600").unwrap();
    place.daemon().stop();
    let answer = place.value("SELECT answer FROM command");
    assert!(answer.as_str().unwrap().contains("nobody waits for it any more"), "{answer}");
    assert_eq!(place.value("SELECT paused_at FROM account"), serde_json::Value::Null);
}

/// A file whose time lies ahead (copied from a machine with another clock) was taken for one that is just being written: `run --once` from a timer waited for it, and ordered
/// nothing until that time had come.
#[test]
fn a_single_run_does_not_wait_for_a_file_whose_time_lies_ahead() {
    let portal = Portal::start();
    let place = portal.place(&due("a", "1", 1));
    let tomorrow = std::time::SystemTime::now() + Duration::from_hours(24);
    std::fs::File::options().write(true).open(place.path("renewals.toml")).unwrap().set_modified(tomorrow).unwrap();
    let mut run = place.command(&["run", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ended = until("the run ends", || run.try_wait().unwrap());
    assert!(ended.success());
    assert_eq!(place.value("SELECT count(*) FROM orders WHERE order_no IS NOT NULL"), 1);
}
