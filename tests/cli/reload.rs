//! The file is read again on SIGHUP and when it changes; a bad edit changes nothing.

use super::support::{Place, Portal, due, entry, file, until};

fn upcoming(place: &Place) -> Vec<serde_json::Value> {
    place.rows("renewal, quantity", "upcoming")
}

#[test]
fn an_edit_is_taken_up_without_being_asked_to_also_when_the_file_is_replaced() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 60));
    let daemon = place.daemon();
    for quantity in [11, 12, 13] {
        place.write(&file(&portal.address, &entry("one", "1", quantity, 60)));
        until("the edit is taken up", || (upcoming(&place)[0][1] == quantity).then_some(()));
    }
    // In place, as `echo >` does.
    std::fs::write(place.path("renewals.toml"), file(&portal.address, &entry("one", "1", 14, 60))).unwrap();
    until("the edit is taken up", || (upcoming(&place)[0][1] == 14).then_some(()));
    daemon.stop();
}

#[test]
fn an_edit_that_makes_an_order_due_places_it_though_the_bell_never_rings() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 60));
    let daemon = place.daemon();
    assert_eq!(portal.calls("save"), 0);
    place.write(&file(&portal.address, &(entry("one", "1", 10, 60) + &due("two", "2", 5))));
    until("the new entry is ordered", || (portal.orders().len() == 1).then_some(()));
    assert_eq!(portal.orders()[0]["partnerId"], "2");
    daemon.stop();
}

/// A file that is a link to another folder was watched where the link stands: an edit was never noticed, and what had been taken out was ordered.
#[test]
fn an_edit_behind_a_link_is_taken_up() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 60));
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    std::fs::rename(place.path("renewals.toml"), place.path("elsewhere/real.toml")).unwrap();
    std::os::unix::fs::symlink("elsewhere/real.toml", place.path("renewals.toml")).unwrap();
    let daemon = place.daemon();
    std::fs::write(place.path("elsewhere/real.toml"), file(&portal.address, &entry("one", "1", 11, 60))).unwrap();
    until("the edit is taken up", || (upcoming(&place)[0][1] == 11).then_some(()));
    daemon.stop();
}

/// Half of a file that is being written: `systemctl reload` took it at once, and what waited for approval in the other half was ordered.
#[test]
fn sighup_does_not_read_half_a_file() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 60));
    let daemon = place.daemon();
    let whole = file(&portal.address, &entry("one", "1", 110, 60));
    std::fs::write(place.path("renewals.toml"), whole.split_once("110").unwrap().0.to_owned() + "11").unwrap();
    daemon.signal("HUP");
    std::fs::write(place.path("renewals.toml"), whole).unwrap();
    daemon.signal("HUP");
    until("the edit is taken up", || (upcoming(&place)[0][1] == 110).then_some(()));
    assert!(!daemon.log().contains("not reloaded"), "{}", daemon.log());
    daemon.stop();
}

#[test]
fn a_bad_edit_is_told_and_the_last_good_file_stays_in_force() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 60));
    let daemon = place.daemon();
    place.write(&file(&portal.address, &entry("one", "1", 11, 60)).replace("quantity", "quantitty"));
    daemon.says("did you mean `quantity`?");
    let attention = until("it needs attention", || place.rows("reason, what_to_do", "attention").pop());
    assert!(
        attention[0].as_str().unwrap().contains("the last good file stays in force") && attention[1] == "renewd check",
        "{attention}"
    );
    assert_eq!(upcoming(&place), [serde_json::json!(["one", 10])]);
    place.write(&file(&portal.address, &entry("one", "1", 12, 60)));
    until("the mended file is taken up", || (upcoming(&place)[0][1] == 12).then_some(()));
    until("nothing needs attention any more", || place.rows("reason", "attention").is_empty().then_some(()));
    daemon.stop();
}

#[test]
fn an_empty_file_or_none_at_all_takes_nothing_out() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 10, 60));
    let daemon = place.daemon();
    std::fs::write(place.path("renewals.toml"), "").unwrap();
    daemon.says("`timezone` is missing");
    std::fs::remove_file(place.path("renewals.toml")).unwrap();
    daemon.says("there is no file");
    assert_eq!(upcoming(&place).len(), 1);
    daemon.stop();
}

#[test]
fn a_broken_file_at_start_means_the_last_good_one_goes_on() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 10));
    let good = std::fs::read_to_string(place.path("renewals.toml")).unwrap();
    place.write(&good.replace("[defaults]", "[defaults"));
    let daemon = place.daemon();
    assert!(daemon.log().contains("going on with the last good one"), "{}", daemon.log());
    assert_eq!(portal.orders().len(), 1);
    assert!(place.rows("reason", "attention")[0].as_str().unwrap().contains("is broken"));
    daemon.stop();
    // Mended while it was down: the complaint goes away.
    place.write(&good);
    place.run(&["run", "--once"]).ended(0);
    assert!(place.rows("reason", "attention").is_empty());
}

/// A mistyped year would be a renewal that silently never comes (R5): that file is as broken as any other.
#[test]
fn a_new_entry_with_a_date_far_ahead_does_not_keep_the_daemon_from_starting() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 10));
    place.write(&file(&portal.address, &(due("one", "1", 10) + &entry("far", "2", 3, 4000))));
    place.daemon().stop();
    assert_eq!(portal.orders().len(), 1);
    assert_eq!(place.rows("name", "subscription"), ["one"]);
    assert!(place.rows("reason", "attention")[0].as_str().unwrap().contains("is broken"));
}

#[test]
fn a_file_cut_in_half_waits_for_a_person_and_the_whole_one_goes_on() {
    let portal = Portal::start();
    let all: String = (1..=9).map(|n| entry(&format!("p{n}"), &n.to_string(), n, 60)).collect();
    let place = portal.place(&all);
    place.write(&file(&portal.address, &entry("p1", "1", 99, 60)));
    let daemon = place.daemon();
    assert_eq!(upcoming(&place).len(), 9);
    assert_eq!(upcoming(&place)[0], serde_json::json!(["p1", 1]));
    let waits = place.rows("reason, what_to_do", "attention").pop().unwrap();
    assert!(
        waits[0].as_str().unwrap().contains("8 of 9 entries are gone") && waits[1].as_str().unwrap().contains("renewd accept"),
        "{waits}"
    );
    daemon.stop();
    // The whole file is back: nothing waits any more, also not the half one.
    place.write(&file(&portal.address, &all));
    place.run(&["run", "--once"]).ended(0);
    assert!(place.rows("reason", "attention").is_empty());
    assert_eq!(place.value("SELECT count(*) FROM config_file WHERE state = 'waiting'"), 0);
}
