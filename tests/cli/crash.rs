//! A kill at the worst moment: between the intent and the answer.

use super::support::{Place, Portal, due, until};

/// Kills the daemon while its order is on its way.
fn killed_mid_order(portal: &Portal) -> Place {
    let place = portal.place(&due("one", "1", 3));
    let daemon = place.daemon_starting(&["run"]);
    until("the order is on its way", || (portal.calls("save") == 1).then_some(()));
    daemon.kill();
    assert_eq!(place.attempts(), ["open"]);
    place
}

#[test]
fn an_order_that_arrived_before_the_kill_is_found_and_not_sent_again() {
    let portal = Portal::start();
    portal.fault("save=hang+done");
    let place = killed_mid_order(&portal);
    let daemon = place.daemon();
    until("the order is found", || (place.attempts() == ["placed"]).then_some(()));
    daemon.stop();
    assert_eq!((portal.calls("save"), portal.orders().len()), (1, 1));
    assert_eq!(
        place.rows("order_no, po_number", "orders"),
        [serde_json::json!([portal.orders()[0]["orderNo"], portal.orders()[0]["poNumber"]])]
    );
    assert!(place.rows("kind", "audit").contains(&"attempt.interrupted".into()));
}

#[test]
fn an_order_that_did_not_arrive_before_the_kill_is_unknown_and_not_sent_again() {
    let portal = Portal::start();
    portal.fault("save=hang");
    let place = killed_mid_order(&portal);
    for _ in 0..3 {
        place.daemon().stop();
    }
    assert_eq!((place.attempts(), portal.calls("save")), (vec!["unknown".into()], 1));
}
