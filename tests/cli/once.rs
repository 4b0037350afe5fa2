//! `run --once`: places what is due, and tells by its exit code whether anything was left undone.

use super::support::{Portal, due, entry};

#[test]
fn it_places_what_is_due_and_leaves_the_rest() {
    let portal = Portal::start();
    let place = portal.place(&(due("now", "1", 3) + &entry("later", "2", 4, 60)));
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(portal.orders().len(), 1);
    let order = &portal.orders()[0];
    assert_eq!(
        place.rows("renewal, quantity, order_no, transaction_no", "orders"),
        [serde_json::json!(["now", 3, order["orderNo"], order["transactionNo"]])]
    );
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(portal.calls("save"), 1);
}

#[test]
fn it_reads_the_order_list_also_when_nothing_is_due() {
    let portal = Portal::start();
    let place = portal.place(&entry("later", "2", 4, 60));
    std::fs::write(place.path("clock"), "300").unwrap();
    let before = portal.calls("list");
    place.run(&["run", "--once"]).ended(0);
    assert!(portal.calls("list") > before);
}

#[test]
fn while_it_waits_it_says_for_what() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    drop(portal);
    let mut daemon = place.daemon_starting(&["run", "--once"]);
    daemon.says("for one: ");
    daemon.signal("KILL");
    daemon.ended();
}

#[test]
fn commands_that_spend_nothing_take_yes_too() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 1, 60).replace("expires_on", "order_at = \"07:00\"\nexpires_on"));
    place.write(&std::fs::read_to_string(place.path("renewals.toml")).unwrap().replace("\"UTC\"", "\"Asia/Tokyo\""));
    place.run(&["run", "--once"]).ended(0);
    for command in [&["hold", "one", "--yes"][..], &["pause", "a while"], &["resume", "--yes"], &["skip", "one", "--yes"]] {
        place.run(command).ended(0);
    }
    let date = super::support::in_days(200);
    let said = place.run(&["rebase", "one", &date, "--yes"]).ended(0).out;
    assert!(said.contains("07:00"), "the time of the file's zone: {said}");
    let far = super::support::in_days(500);
    place.run(&["rebase", "one", &far, "--yes"]).ended(1).explained(&["--far"]);
    place.run(&["rebase", "one", &far, "--far", "--yes"]).ended(0);
}

#[test]
fn what_waits_for_approval_is_left_undone_and_named() {
    let portal = Portal::start();
    let place = portal.place(&(due("north-quay", "1", 3) + "approval = \"manual\"\n"));
    let said = place.run(&["run", "--once"]).ended(2).out;
    for words in ["north-quay is due and awaiting approval", "an order of 3", "renewd approve north-quay"] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    assert_eq!(portal.calls("save"), 0);
    assert_eq!(place.rows("renewal, what_to_do", "attention")[0][0], "north-quay");
}

#[test]
fn a_refused_order_is_left_undone_and_told_with_the_portals_words() {
    let portal = Portal::start();
    let place = portal.place(&due("refused", "1", 3));
    portal.fault("save=refuse:parameter_validation_quantity");
    let said = place.run(&["run", "--once"]).ended(2).out;
    assert!(said.contains("refused is due and scheduled") && said.contains("the portal refused the order"), "{said}");
    assert_eq!((place.attempts(), portal.calls("save")), (vec!["not_placed".into()], 1));
}

#[test]
fn a_portal_that_is_down_leaves_everything_undone_and_nothing_sent() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    drop(portal);
    // The first probe fails, the next comes within minutes: a person does not wait for it here.
    let mut daemon = place.daemon_starting(&["run", "--once"]);
    daemon.says("the connection was refused");
    daemon.signal("KILL");
    daemon.ended();
    assert_eq!(place.value("SELECT count(*) FROM attempt"), 0);
}
