//! The ways to people: tried before they are trusted, and never in the way of the work.

use std::fs;
use std::time::{Duration, Instant};

use super::support::{Place, Portal, due, entry, file, until};

/// A file that tells by this `[notify]`.
fn told_by(portal: &Portal, notify: &str, entries: &str) -> String {
    file(&portal.address, entries).replace("notify = \"none\"\n[portal]", &format!("[notify]\n{notify}\n[portal]"))
}

/// People read the file `told`; while there is a file `hang`, the program does not come back, and with `fail` it fails.
fn by_program(place: &Place) -> String {
    let folder = place.path("").display().to_string();
    let script =
        format!("cd '{folder}'; if [ -e fail ]; then exit 1; fi; if [ -e hang ]; then sleep 60; fi; cat >> told; echo >> told");
    format!("command = [\"/bin/sh\", \"-c\", \"{script}\"]\ntimeout = \"50 s\"")
}

fn told(place: &Place) -> String {
    fs::read_to_string(place.path("told")).unwrap_or_default()
}

fn place(portal: &Portal, entries: &str) -> Place {
    let place = Place::with("");
    place.write(&told_by(portal, &by_program(&place), entries));
    place.init()
}

fn hears(place: &Place, words: &str) {
    until(&format!("people hear {words:?}"), || told(place).contains(words).then_some(()));
}

const NOWHERE: &str = "webhook = \"http://127.0.0.1:1/hook\"";

#[test]
fn a_channel_that_is_down_at_the_first_start_is_no_wrong_configuration_and_one_that_is_missing_is() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 1, 100));
    place.write(&told_by(&portal, NOWHERE, &entry("one", "1", 1, 100)));
    place.run(&["run"]).ended(1).explained(&["people cannot be told", "never found to work", "notify --test"]);
    place.write(&told_by(&portal, "command = [\"/nowhere/at/all\"]", &entry("one", "1", 1, 100)));
    place.run(&["run"]).ended(78).explained(&["people cannot be told", "/nowhere/at/all"]);
}

#[test]
fn a_channel_that_worked_before_keeps_no_daemon_from_starting_and_its_messages_are_missed_by_name() {
    let portal = Portal::start();
    let place = place(&portal, &entry("one", "1", 1, 100));
    place.daemon().stop();
    fs::write(place.path("fail"), "").unwrap();
    place.write(&told_by(&portal, &by_program(&place), &(due("two", "2", 1) + "approval = \"manual\"\n")));
    let daemon = place.daemon();
    until("it is shown", || place.run(&["status"]).out.contains("could not be delivered").then_some(()));
    daemon.stop();
}

#[test]
fn an_edit_that_names_channels_which_do_not_work_leaves_the_old_ones_in_force_and_they_say_so() {
    let portal = Portal::start();
    let place = place(&portal, &entry("one", "1", 10, 60));
    let daemon = place.daemon();
    place.write(&told_by(&portal, NOWHERE, &entry("one", "1", 11, 60)));
    hears(&place, "the old channels stay in force");
    assert_eq!(place.rows("quantity", "upcoming"), [11], "the rest of the edit is taken");
    let attention = || place.rows("reason", "attention").iter().map(ToString::to_string).collect::<String>();
    assert!(attention().contains("do not work"), "{}", attention());
    // A command looks at the file in force again: the channels that do not work stay out.
    place.run(&["hold", "one", "--yes"]).ended(0);
    place.write(&told_by(&portal, &by_program(&place), &entry("one", "1", 12, 60)));
    until("it is settled", || (!attention().contains("do not work")).then_some(()));
    daemon.stop();
}

/// The machine was started again before the file was mended: the start ended with 1, again and again, and nobody heard of it.
#[test]
fn a_start_with_an_edit_that_names_channels_which_do_not_work_goes_on_with_the_old_ones_too() {
    let portal = Portal::start();
    let place = place(&portal, &entry("one", "1", 10, 60));
    place.daemon().stop();
    place.write(&told_by(&portal, NOWHERE, &entry("one", "1", 11, 60)));
    for _ in 0..2 {
        let before = told(&place).matches("the old channels stay in force").count();
        let daemon = place.daemon();
        if before == 0 {
            hears(&place, "the old channels stay in force");
        }
        daemon.stop();
    }
    place.run(&["run", "--once"]).ended(0).explained(&["the old channels stay in force"]);
    place.write(&told_by(&portal, &by_program(&place), &entry("one", "1", 11, 60)));
    place.daemon().stop();
    assert_eq!(place.value("SELECT count(*) FROM attention"), 0);
}

#[test]
fn a_program_that_hangs_keeps_no_command_and_no_order_waiting() {
    let portal = Portal::start();
    let place = place(&portal, &entry("one", "1", 10, 60));
    let daemon = place.daemon();
    fs::write(place.path("hang"), "").unwrap();
    let manual = due("two", "2", 1) + "approval = \"manual\"\n";
    place.write(&told_by(&portal, &by_program(&place), &(entry("one", "1", 10, 60) + &manual)));
    until("somebody is to be told", || (place.value("SELECT count(*) FROM outbox") != 0).then_some(()));
    let began = Instant::now();
    place.run(&["hold", "one"]).ended(0);
    place.run(&["approve", "two", "--yes"]).ended(0);
    until("it is ordered", || (portal.orders().len() == 1).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(!told(&place).contains("two"), "it hangs still");
    daemon.stop();
    fs::remove_file(place.path("hang")).unwrap();
    let daemon = place.daemon();
    hears(&place, "two");
    daemon.stop();
}

#[test]
fn a_message_names_the_files_of_its_daemon() {
    let portal = Portal::start();
    let place = place(&portal, &(due("two", "2", 1) + "approval = \"manual\"\n"));
    let daemon = place.daemon();
    let file = fs::canonicalize(place.path("renewals.toml")).unwrap();
    hears(&place, &format!("renewd --config {} approve two", file.display()));
    daemon.stop();
}

/// The channels are tried after the file was read and before it is watched. Whatever was saved in that moment was never taken, and an entry taken out was ordered.
#[test]
fn an_edit_that_is_saved_while_a_start_reads_the_file_is_taken() {
    let portal = Portal::start();
    let place = place(&portal, &entry("one", "1", 10, 60));
    let folder = place.path("").display().to_string();
    let program = |entries: &str| {
        let notify = format!("command = [\"/bin/sh\", \"-c\", \"cd '{folder}'; cp after renewals.toml; cat >> told\"]");
        told_by(&portal, &notify, entries)
    };
    fs::write(place.path("after"), program(&entry("one", "1", 12, 60))).unwrap();
    place.write(&program(&entry("one", "1", 11, 60)));
    let daemon = place.daemon();
    until("the edit is taken", || (place.rows("quantity", "upcoming") == [12]).then_some(()));
    daemon.stop();
}
