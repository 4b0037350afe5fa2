//! No file descriptors are left.

use std::process::Command;

use super::scene::{A_MINUTE, Scene};
use super::support::{Daemon, Place, RENEWD, due};

#[test]
fn a_start_with_too_few_descriptors_ends_with_a_message_and_orders_nothing_that_is_not_recorded() {
    let scene = Scene::with(&due("one", "1", 3));
    let mut refused = 0;
    for most in (4..100).step_by(3) {
        let ran = with_at_most(&scene.place, most);
        let (code, words) = (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned());
        if code == Some(127) {
            continue; // not even the system's loader had enough
        }
        if code != Some(1) {
            assert_eq!(code, Some(0), "with {most}: {words}");
            break;
        }
        refused += 1;
        assert!(words.contains("files") && !words.contains("panicked"), "with {most}: {words}");
        assert_eq!(scene.portal.orders().len(), scene.attempts().iter().filter(|state| *state == "placed").count(), "{words}");
    }
    assert!(refused > 2, "{refused}");
    scene.is_ordered_once();
}

fn with_at_most(place: &Place, most: u32) -> std::process::Output {
    let ours = place.command(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {most}; exec {RENEWD} run --once")]).current_dir(ours.get_current_dir().unwrap());
    for (name, value) in ours.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    command.output().unwrap()
}

fn at_most(daemon: &Daemon, most: &str) {
    let pid = daemon.child.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={most}:")]).status().unwrap().success());
}

#[test]
fn a_daemon_without_descriptors_orders_nothing_says_so_and_goes_on_when_there_are_some() {
    let scene = Scene::with(&due("one", "1", 3));
    let daemon = scene.daemon_about_to_order();
    // The clock is moved first: a daemon without descriptors cannot look at the file that moves it.
    daemon.signal("STOP");
    scene.clock(A_MINUTE);
    daemon.signal("CONT");
    at_most(&daemon, "4");
    std::thread::sleep(std::time::Duration::from_secs(2));
    at_most(&daemon, "1024");
    scene.is_ordered_once();
    daemon.stop();
}
