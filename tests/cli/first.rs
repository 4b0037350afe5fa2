//! A first order that is stuck says what it blocks, and what is blocked says by which command it is freed (R22).

use renewd::sandbox::settings::Echo;

use super::support::{entry, until};
use super::turned::Turned;

#[test]
fn what_waits_for_a_stuck_first_order_names_it_and_is_told_with_its_deadline() {
    // No poNumber comes back, and no field has been learned yet: nobody can tell whether the order in the list is ours.
    let portal = Turned::with(|settings| settings.list.details.po_number = Echo::Absent);
    let place = portal.place(&(entry("near", "1", 10, 10) + &entry("far", "2", 10, 13)));
    portal.fault("save=lost-answer");
    let daemon = place.daemon();
    let remedy = until("what is blocked names the command", || {
        let rows = place.rows("renewal, reason, what_to_do", "attention");
        rows.into_iter()
            .find(|row| row[0] == "near" && row[2].as_str().is_some_and(|todo| todo.starts_with("renewd resolve far")))
    });
    assert!(remedy[1].as_str().unwrap().contains("waits for far, the first order of its kind"), "{remedy}");
    daemon.stop();
    let told = place.rows("body", "outbox WHERE cause LIKE 'first:%'");
    assert_eq!(told.len(), 1, "once, and not once an hour: {told:?}");
    assert!(told[0].as_str().unwrap().contains(&format!("near (by {})", super::support::in_days(10))), "{told:?}");
    assert_eq!(portal.portal.orders().len(), 1);
}
