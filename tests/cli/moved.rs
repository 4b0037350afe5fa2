//! A database that is bound to one portal is not taken to another by an edit of `base_url`: the list there is no evidence about what was
//! sent here (R8, R9).

use std::time::Duration;

use renewd::sandbox::settings::Lag;

use super::support::{Place, due, until};
use super::turned::Turned;

/// A portal that carries out one order, loses the answer and is not to be reached from then on; and the folder that sent it.
fn of_unknown_fate() -> (Turned, Place) {
    let portal = Turned::with(|settings| settings.list.lag = Lag::Fixed(Duration::from_hours(1)));
    let place = portal.place(&due("one", "1", 10));
    portal.fault("save=lost-answer");
    place.daemon().stop();
    portal.fault("any=down:1h");
    assert_eq!((portal.portal.orders().len(), place.attempts()), (1, vec!["unknown".into()]));
    (portal, place)
}

fn attention(place: &Place) -> String {
    place.rows("reason, what_to_do", "attention").iter().map(ToString::to_string).collect()
}

#[test]
fn the_list_of_another_address_is_neither_read_nor_evidence_before_a_person_has_accepted_it() {
    let (portal, place) = of_unknown_fate();
    let other = Turned::with(|_| {});
    place.write(&other.file(&due("one", "1", 10)));
    place.daemon().stop();
    assert_eq!((other.calls("token"), other.calls("list")), (0, 0), "not asked anything");
    assert_eq!(place.attempts(), ["unknown"]);
    let waits = attention(&place);
    for words in [portal.address.as_str(), &other.address, "bound to", "renewd accept"] {
        assert!(waits.contains(words), "{words:?} is not in {waits}");
    }
}

#[test]
fn accepted_it_still_orders_nothing_until_the_list_was_read_and_a_person_has_said_that_it_is_the_same_account() {
    let (portal, place) = of_unknown_fate();
    let other = Turned::with(|_| {});
    place.write(&other.file(&due("one", "1", 10)));
    place.daemon().stop();
    let said = place.run(&["accept", "--yes"]).ended(0).out;
    assert!(said.contains(&portal.address) && said.contains(&other.address), "{said}");
    let daemon = place.daemon();
    let doubts = attention(&place);
    assert!(
        doubts.contains("address was changed from") && doubts.contains(&portal.address) && doubts.contains(&other.address),
        "{doubts}"
    );
    until("the order of unknown fate is left to a person", || {
        attention(&place).contains("list could not be trusted").then_some(())
    });
    assert!(other.calls("list") > 0);
    daemon.stop();
    assert_eq!((place.attempts(), other.portal.orders().len()), (vec!["unknown".into()], 0), "an empty list proved nothing");
    let kinds = place.rows("kind", "audit");
    assert!(kinds.contains(&"account.moved".into()), "{kinds:?}");
}

#[test]
fn an_edit_that_is_undone_leaves_nothing_behind_and_the_renewals_went_on() {
    let portal = Turned::with(|_| {});
    let place = portal.place(&due("one", "1", 10));
    let other = Turned::with(|_| {});
    place.write(&other.file(&due("one", "1", 10)));
    let daemon = place.daemon();
    assert_eq!((portal.portal.orders().len(), other.calls("token")), (1, 0));
    place.write(&portal.file(&due("one", "1", 10)));
    until("nothing waits any more", || place.rows("reason", "attention").is_empty().then_some(()));
    daemon.stop();
}

#[test]
fn a_running_daemon_does_not_go_over_to_an_edited_address() {
    let portal = Turned::with(|_| {});
    let place = portal.place("");
    let daemon = place.daemon();
    let other = Turned::with(|_| {});
    place.write(&other.file(&due("one", "1", 10)));
    until("the edit waits", || attention(&place).contains("renewd accept").then_some(()));
    daemon.stop();
    assert_eq!((other.calls("token"), other.calls("save"), portal.calls("save")), (0, 0, 0));
}

/// Scheme, host, port and path are the address; how it is written is not.
#[test]
fn the_same_address_written_otherwise_is_the_same_portal() {
    let portal = Turned::with(|_| {});
    let place = portal.place(&due("one", "1", 10));
    let port = portal.address.rsplit(':').next().unwrap();
    place.write(
        &portal.file(&due("one", "1", 11)).replace(&format!("http://{}", portal.address), &format!("HTTP://127.0.0.1:{port}/")),
    );
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(portal.portal.orders().len(), 1);
    place.write(
        &portal.file(&due("one", "1", 11)).replace(&format!("{}\"", portal.address), &format!("{}/prefix\"", portal.address)),
    );
    place.run(&["run", "--once"]);
    assert!(attention(&place).contains("/prefix"), "{}", attention(&place));
}

#[test]
fn init_of_a_database_that_is_not_bound_yet_may_name_another_address() {
    let (portal, other) = (Turned::with(|_| {}), Turned::with(|_| {}));
    portal.fault("list=500*9");
    let place = Place::with(&portal.file(&due("one", "1", 10)));
    place.run(&["init", "--yes"]).ended(1);
    place.write(&other.file(&due("one", "1", 10)));
    place.run(&["init", "--yes"]).ended(0);
    assert!(place.value("SELECT base_url FROM account").to_string().contains(&other.address));
    place.run(&["run", "--once"]).ended(0);
    assert_eq!((other.portal.orders().len(), portal.portal.orders().len()), (1, 0));
}
