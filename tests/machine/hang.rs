//! A daemon that is stuck, and one whose log nobody reads.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::scene::Scene;
use super::support::{Daemon, due, entry, until};

/// The service manager's end.
struct Manager(UnixDatagram);

impl Manager {
    /// Whether the watchdog is fed within this time.
    fn is_fed_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut message = [0; 1024];
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.0.set_read_timeout(Some(left)).unwrap();
            if self.0.recv(&mut message).is_ok_and(|length| message[..length].starts_with(b"WATCHDOG=1")) {
                return true;
            }
        }
        false
    }
}

/// A daemon that is watched over, and its manager, who has heard from it.
fn watched(scene: &Scene) -> (Daemon, Manager) {
    let socket = scene.path("manager");
    let manager = Manager(UnixDatagram::bind(&socket).unwrap());
    let mut command = scene.command(&["run"]);
    command.env("NOTIFY_SOCKET", &socket);
    let daemon = Daemon::of(command);
    daemon.says("looked for the first time");
    for _ in 0..3 {
        assert!(manager.is_fed_within(Duration::from_secs(10)));
    }
    (daemon, manager)
}

#[test]
fn a_daemon_that_is_stuck_does_not_feed_its_watchdog() {
    let scene = Scene::with(&entry("one", "1", 3, 100));
    let (daemon, manager) = watched(&scene);
    // A portal that never answers: whoever reads its list waits, for up to a minute.
    scene.portal.fault("list=hang*9");
    let file = std::fs::read_to_string(scene.path("renewals.toml")).unwrap();
    scene.write(&(file + &due("two", "2", 1)));
    daemon.signal("HUP");
    until("it is stuck", || (!manager.is_fed_within(Duration::from_secs(5))).then_some(()));
    daemon.kill();
}

/// It was killed, began to read from the first page on again, and was killed again: nothing was ever ordered or said.
#[test]
fn a_daemon_that_reads_a_slow_portal_for_longer_than_its_watchdog_waits_feeds_it() {
    let scene = Scene::with(&entry("one", "1", 3, 100));
    let other = r#"{"by": "colleague", "request": {"operationType": "renew_service", "productId": 21, "partnerId": 9, "billingId": 1, "serviceList": [
        {"serviceType": "service", "serviceId": 3375819276601303040, "purchaseType": "renew", "quantity": 1, "billingModel": "recurring",
         "billingCycle": "annually", "multiCycle": 0}]}}"#;
    (0..20).for_each(|_| scene.portal.foreign_order(other));
    let (daemon, manager) = watched(&scene);
    scene.portal.fault("get=late:2s*20");
    let file = std::fs::read_to_string(scene.path("renewals.toml")).unwrap();
    scene.write(&(file + &due("two", "2", 1)));
    daemon.signal("HUP");
    until("it reads what others ordered", || (scene.portal.calls("get") > 1).then_some(()));
    for _ in 0..3 {
        assert!(manager.is_fed_within(Duration::from_secs(5)));
    }
    assert!(scene.portal.calls("get") < 20, "in one tick");
    daemon.kill();
}

/// Opening a pipe waits for somebody to write to it: nothing was ordered, said or obeyed any more.
#[test]
fn a_pipe_in_place_of_the_file_is_refused_and_the_daemon_goes_on() {
    let scene = Scene::with(&entry("one", "1", 3, 100));
    let (daemon, manager) = watched(&scene);
    let pipe = scene.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::rename(&pipe, scene.path("renewals.toml")).unwrap();
    daemon.signal("HUP");
    daemon.says("is no regular file");
    for _ in 0..3 {
        assert!(manager.is_fed_within(Duration::from_secs(10)));
    }
    daemon.stop();
}

#[test]
fn a_daemon_whose_log_nobody_reads_orders_records_and_leaves_when_asked() {
    let scene = Scene::with(&due("one", "1", 3));
    let mut child = scene.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    scene.is_ordered_once();
    assert!(Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status().unwrap().success());
    let status = until("it has left", || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
}
