//! What the portal's list shows and nobody expected: dead orders that live again, numbers of ours that we do not know, two orders for one.

use super::support::{Place, Portal, change, due};

/// One order that failed, and whose term is held for it.
fn held(portal: &Portal) -> (Place, String) {
    let place = portal.place(&due("one", "1", 1));
    place.run(&["run", "--once"]).ended(0);
    let order = portal.orders()[0]["orderNo"].as_str().unwrap().to_owned();
    portal.set_status(&order, "failed");
    look_now(&place);
    place.run(&["run", "--once"]).ended(2);
    assert_eq!(place.value("SELECT state || ' ' || reason FROM term WHERE id = 1"), "held dead_order");
    (place, order)
}

fn look_now(place: &Place) {
    change(&place.database(), "UPDATE term SET act_at = '2020-01-01T00:00:00.000Z' WHERE state IN ('placed', 'renewed', 'held')");
}

/// A somebody else's order that carries this `poNumber`.
fn carrying(partner: &str, po_number: &str) -> String {
    format!(
        r#"{{"by":"colleague","request":{{"operationType":"renew_service","productId":21,"partnerId":{partner},"billingId":3197218168379846218,"poNumber":"{po_number}",
        "serviceList":[{{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":1,
        "billingModel":"recurring","billingCycle":"annually","multiCycle":0}}]}}}}"#
    )
}

/// A payment that failed and went through after all: the term is renewed, and was bought again where a person had followed the message.
#[test]
fn a_dead_order_that_lives_again_is_followed_and_not_bought_again() {
    let portal = Portal::start();
    let (place, order) = held(&portal);
    portal.set_status(&order, "succeed");
    look_now(&place);
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(place.value("SELECT state FROM term WHERE id = 1"), "renewed");
    place.run(&["resolve", "one", "--void", "--yes"]).ended(1).explained(&["--void is for orders that are cancelled"]);
    assert_eq!(portal.calls("save"), 1);
}

#[test]
fn an_order_that_was_set_aside_as_dead_and_lives_holds_the_next_one_for_its_term() {
    let portal = Portal::start();
    let (place, order) = held(&portal);
    place.run(&["resolve", "one", "--void", "--yes"]).ended(0);
    place.run(&["approve", "one", "--yes"]).ended(0);
    portal.set_status(&order, "succeed");
    let said = place.run(&["run", "--once"]).ended(2).out;
    assert!(said.contains(&order), "{said}");
    assert_eq!(place.value("SELECT state || ' ' || reason FROM term WHERE id = 1"), "held foreign_order");
    let said = place.run(&["audit", "verify"]).ended(1).out;
    assert!(said.contains(&order) && said.contains("set aside as dead and is succeed"), "{said}");
    place.run(&["resolve", "one", "--order-no", &order, "--yes"]).ended(0);
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(place.value("SELECT state FROM term WHERE id = 1"), "renewed");
    place.run(&["audit", "verify"]).ended(0);
    assert_eq!(portal.calls("save"), 1);
}

/// `skip`, then `rebase` to the same date: the failed order of the skipped term was paid meanwhile.
#[test]
fn the_order_of_a_skipped_term_that_lives_again_holds_what_is_ordered_instead() {
    let portal = Portal::start();
    let (place, order) = held(&portal);
    let date = place.value("SELECT starts_on FROM term WHERE id = 1").as_str().unwrap().to_owned();
    place.run(&["skip", "one"]).ended(0);
    place.run(&["rebase", "one", &date, "--yes"]).ended(0);
    portal.set_status(&order, "succeed");
    place.run(&["run", "--once"]).ended(2);
    place.run(&["resolve", "one", "--order-no", &order, "--yes"]).ended(0);
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(place.value("SELECT group_concat(state, ' ') FROM term"), "skipped renewed scheduled");
    assert_eq!(portal.calls("save"), 1);
}

/// R9: a disk rolled back together with its seal looks right, until the portal shows what it has forgotten.
#[test]
fn an_order_of_ours_that_the_database_does_not_know_stops_every_other() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["run", "--once"]).ended(0);
    let uid = place.value("SELECT uid FROM installation").as_str().unwrap().to_owned();
    portal.foreign_order(&carrying("9", &format!("RW-{uid}-ZZZZZZZZZZ")));
    place.write(&super::support::file(&portal.address, &(due("one", "1", 1) + &due("two", "2", 1))));
    look_now(&place);
    place.run(&["run", "--once"]).ended(2).explained(&["renewd accept"]);
    assert_eq!(portal.calls("save"), 1);
}

#[test]
fn one_order_that_the_portal_carried_out_twice_stops_every_other() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["run", "--once"]).ended(0);
    let po_number = place.value("SELECT po_number FROM attempt").as_str().unwrap().to_owned();
    portal.foreign_order(&carrying("1", &po_number));
    place.write(&super::support::file(&portal.address, &(due("one", "1", 1) + &due("two", "2", 1))));
    look_now(&place);
    place.run(&["run", "--once"]).ended(2).explained(&["carried out one order twice"]);
    let said = place.run(&["audit", "verify"]).ended(1).out;
    assert!(said.contains("carried out one order twice"), "{said}");
    assert_eq!(portal.calls("save"), 1);
}

/// A4: a machine that was installed anew beside the old one.
#[test]
fn another_installation_on_the_account_stops_every_order() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    portal.foreign_order(&carrying("9", "RW-ABCDEFGHJK-ABCDEFGHJK"));
    place.run(&["run", "--once"]).ended(2).explained(&["another installation"]);
    assert!(place.run(&["status"]).out.contains("renewd resume"));
    assert_eq!(portal.calls("save"), 0);
}

/// The customer has renewed as well, a moment after us: nobody would have heard of it before next year.
#[test]
fn a_renewal_by_somebody_else_beside_ours_is_told_when_it_shows() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["run", "--once"]).ended(0);
    portal.foreign_order(&carrying("1", "PO-7"));
    place.write(&super::support::file(&portal.address, &(due("one", "1", 1) + &due("two", "2", 1))));
    look_now(&place);
    place.run(&["run", "--once"]);
    assert_eq!(place.value("SELECT count(*) FROM outbox WHERE body LIKE '%may be paid twice%'"), 1);
}

/// Somebody orders by hand while the renewal is held: nothing else needs the list, and the command that people are told read an old one.
#[test]
fn an_order_made_by_hand_can_be_named_as_soon_as_it_is_made() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["hold", "one"]).ended(0);
    let daemon = place.daemon();
    portal.foreign_order(&carrying("1", "PO-7"));
    let order = portal.orders()[0]["orderNo"].as_str().unwrap().to_owned();
    place.run(&["resolve", "one", "--order-no", &order, "--yes"]).ended(0);
    daemon.stop();
    let state = place.value("SELECT state FROM term WHERE id = 1");
    assert!(state == "placed" || state == "renewed", "{state}");
    assert_eq!(portal.calls("save"), 0);
}

/// Refunded, set aside, left until it was missed; the colleague's order was then booked for the year after, which was not renewed, and nobody was told.
#[test]
fn an_order_named_by_a_person_pays_the_missed_term_or_the_next_one_as_they_say() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["run", "--once"]).ended(0);
    look_now(&place);
    place.run(&["run", "--once"]).ended(0);
    let ours = portal.orders()[0]["orderNo"].as_str().unwrap().to_owned();
    portal.set_status(&ours, "refunded");
    look_now(&place);
    place.run(&["run", "--once"]).ended(2);
    place.run(&["resolve", "one", "--void", "--yes"]).ended(0);
    let missed = "UPDATE term SET state = 'missed', reason = 'deadline_passed', act_at = NULL WHERE id = 1";
    change(&place.database(), missed);
    portal.foreign_order(&carrying("1", "PO-7"));
    let theirs = portal.orders()[1]["orderNo"].as_str().unwrap().to_owned();
    change(&place.database(), "UPDATE account SET synced_at = NULL");
    place.run(&["run", "--once"]);
    let date = place.value("SELECT starts_on FROM term WHERE id = 1").as_str().unwrap().to_owned();
    let resolve = ["resolve", "one", "--order-no", &theirs, "--yes"];
    place.run(&resolve).ended(1).explained(&["was missed", &format!("--order-no {theirs} --term {date}, or --term ")]);
    place.run(&["resolve", "one", "--order-no", &theirs, "--term", "2001-01-01", "--yes"]).ended(1);
    let said = place.run(&[&resolve[..], &["--term", &date]].concat()).ended(0).out;
    assert!(said.contains(&format!("pays the term from {date}")), "{said}");
    look_now(&place);
    place.run(&["run", "--once"]);
    assert_eq!(place.value("SELECT group_concat(state, ' ') FROM term"), "renewed scheduled");
    assert_eq!(portal.calls("save"), 1);
}
