//! SIGTERM and Ctrl-C leave within 10 s, whatever the portal does.

use std::time::Duration;

use super::support::{Portal, due, until};

#[test]
fn sigterm_and_ctrl_c_leave_at_once_when_nothing_is_in_flight() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    for signal in ["TERM", "INT"] {
        let mut daemon = place.daemon();
        daemon.signal(signal);
        let (status, took) = daemon.ended();
        assert!(status.success() && took < Duration::from_secs(5), "{signal}: {status}, {took:?}");
    }
    assert_eq!(portal.calls("save"), 1);
}

#[test]
fn an_order_in_flight_gets_its_answer() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    portal.fault("save=late:2s");
    let mut daemon = place.daemon_starting(&["run"]);
    until("the order is on its way", || (portal.calls("save") == 1).then_some(()));
    daemon.signal("TERM");
    let (status, took) = daemon.ended();
    assert!(status.success() && took < Duration::from_secs(10), "{status}, {took:?}");
    assert_eq!(place.attempts(), ["placed"]);
}

#[test]
fn an_order_that_hangs_becomes_unknown_and_is_never_sent_again() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    portal.fault("save=hang");
    let mut daemon = place.daemon_starting(&["run"]);
    until("the order is on its way", || (portal.calls("save") == 1).then_some(()));
    daemon.signal("INT");
    let (status, took) = daemon.ended();
    assert!(status.success() && took < Duration::from_secs(10), "{status}, {took:?}");
    place.daemon().stop();
    assert_eq!((place.attempts(), portal.calls("save")), (vec!["unknown".into()], 1));
    let said = place.run(&["status"]).ended(0).out;
    assert!(said.contains("one") && said.contains("1 unknown") && said.contains("is being found out"), "{said}");
}
