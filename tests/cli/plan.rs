//! `plan`: what would be ordered. Spends nothing, writes nothing, needs no credentials.

use super::support::{EXAMPLE, Place, Portal, due, entry, file, in_days};

#[test]
fn its_exit_code_tells_whether_anything_is_due_in_the_span() {
    let place = Place::with(&file("127.0.0.1:9", &entry("one", "1", 10, 40)));
    assert!(place.run(&["plan", "--days", "5"]).ended(0).out.contains("Nothing is due until"));
    let said = place.run(&["plan"]).ended(2).out;
    assert!(said.contains("one") && said.contains("x10") && said.contains("1 order, 10 units"), "{said}");
    place.run(&["plan", "--until", &in_days(25)]).ended(0);
    place.run(&["plan", "--until", &in_days(26)]).ended(2);
    assert!(!place.database().exists());
}

#[test]
fn it_follows_an_edited_quantity_before_the_daemon_has_taken_it_up() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 20));
    place.write(&file(&portal.address, &entry("one", "1", 12, 20)));
    let said = place.run(&["plan"]).ended(2).out;
    assert!(said.contains("x12") && said.contains("was x10 until this edit"), "{said}");
    assert_eq!(place.value("SELECT quantity FROM upcoming"), 10);
}

#[test]
fn what_was_ordered_is_no_longer_planned() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 10));
    assert!(place.run(&["plan"]).ended(2).out.contains("due now"));
    place.run(&["run", "--once"]).ended(0);
    assert!(place.run(&["plan", "--json"]).json().as_array().unwrap().iter().all(|line| line["state"] == "placed"));
}

#[test]
fn its_json_has_stable_keys() {
    let place = Place::with(EXAMPLE);
    let planned = place.run(&["plan", "--days", "4000", "--json"]).ended(2).json();
    let mut keys: Vec<&String> = planned[0].as_object().unwrap().keys().collect();
    keys.sort();
    let expected = ["deadline", "due_at", "ends_on", "partner_id", "product", "quantity", "renewal", "starts_on", "state", "why"];
    assert_eq!(keys, expected);
    assert_eq!(
        (planned.as_array().unwrap().len(), &planned[0]["renewal"], &planned[0]["quantity"]),
        (6, &"blue-harbour".into(), &10.into())
    );
}
