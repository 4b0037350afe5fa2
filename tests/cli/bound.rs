//! A database speaks to the sandbox or to a portal, for ever (R28), and to the portal it was bound to.

use super::support::{Place, Portal, due, file};

#[test]
fn a_database_of_the_sandbox_is_refused_by_a_real_run_and_by_init() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "1", 1)));
    place.run(&["run", "--sandbox", "--database", "renewd.db"]).ended(0);
    for command in [&["run"][..], &["run", "--once"], &["init", "--yes"]] {
        place.run(command).ended(78).explained(&["renewd.db belongs to the sandbox"]);
    }
    assert_eq!(portal.calls("save"), 0);
}

#[test]
fn a_database_of_a_portal_is_refused_by_the_sandbox() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    for command in
        [&["run", "--sandbox", "--database", "renewd.db"][..], &["run", "--sandbox", "--real-time", "--database", "renewd.db"]]
    {
        place.run(command).ended(78).explained(&["renewd.db belongs to a real portal"]);
    }
    assert_eq!(place.value("SELECT count(*) FROM attempt"), 0);
}

/// What was tried out on loopback counts as renewed there: against the real portal it would not be renewed, silently.
#[test]
fn a_database_tried_out_on_loopback_is_refused_for_the_real_portal() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.write(
        &file(&portal.address, &due("one", "1", 1)).replace(&format!("http://{}", portal.address), "https://portal.example"),
    );
    place.run(&["run", "--once"]).ended(78).explained(&[
        "is bound to http://127.0.0.1",
        "https://portal.example",
        "renewd init --database",
    ]);
}
