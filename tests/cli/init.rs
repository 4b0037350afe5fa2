//! `init`: the one moment at which a database for a real portal comes to be (R8).

use super::support::{Place, Portal, due, file};

#[test]
fn it_reads_the_list_shows_what_was_found_and_binds() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("blue-harbour", "7", 10)));
    let said = place.run(&["init", "--yes"]).ended(0).out;
    for words in ["0 orders", "blue-harbour x10", "Bound."] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    assert_eq!((portal.calls("list") > 0, portal.calls("save")), (true, 0));
    assert_eq!(place.value("SELECT bound_at IS NOT NULL FROM account"), 1);
    assert_eq!(place.rows("kind", "audit"), ["database.created", "entry.added", "account.bound"]);
}

#[test]
fn without_a_terminal_it_asks_for_yes_and_leaves_nothing_behind() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "1", 1)));
    place.run(&["init"]).ended(64).explained(&["no terminal", "--yes"]);
    assert!(!place.database().exists());
    assert_eq!(portal.calls("token"), 0);
}

#[test]
fn a_second_time_it_says_so_and_changes_nothing() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    let before = place.rows("hash", "audit");
    let said = place.run(&["init", "--yes"]).ended(0).out;
    assert!(said.contains("bound already; nothing was changed"), "{said}");
    assert_eq!(place.rows("hash", "audit"), before);
}

#[test]
fn run_without_it_says_what_to_do_and_leaves_nothing_behind() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "1", 1)));
    place.run(&["run"]).ended(78).explained(&["no database", "renewd init", "renewd run --sandbox"]);
    let left: Vec<_> = std::fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["renewals.toml"]);
}

#[test]
fn a_portal_that_is_down_leaves_it_unbound_and_a_later_init_goes_on() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "1", 1)));
    portal.fault("list=500*9");
    place.run(&["init", "--yes"]).ended(1).explained(&["500"]);
    place.run(&["run", "--once"]).ended(78).explained(&["not bound to a portal account yet", "renewd init"]);
    assert_eq!(portal.calls("save"), 0);
    while portal.calls("list") < 9 {
        place.run(&["init", "--yes"]).ended(1);
    }
    place.run(&["init", "--yes"]).ended(0);
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(portal.orders().len(), 1);
}

#[test]
fn wrong_or_missing_credentials_create_nothing() {
    let portal = Portal::start();
    let file = file(&portal.address, &due("one", "1", 1));
    let wrong = Place::with(&file).with_credentials("sandbox", "wrong");
    wrong.run(&["init", "--yes"]).ended(1).explained(&["client id"]);
    let none = Place::with(&file);
    let ran =
        none.command(&["init", "--yes"]).env_remove("RENEWD_CLIENT_ID").env_remove("RENEWD_CLIENT_SECRET").output().unwrap();
    super::support::Ran::of(&ran).ended(78).explained(&["no portal credentials", "RENEWD_CLIENT_ID"]);
    assert!(!none.database().exists());
}
