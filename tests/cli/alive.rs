//! Nothing needs you: never said while nobody works on what needs somebody.

use super::support::{Place, Portal, change, due, entry, file};

/// What `status` shows for people, and that its JSON and `check` say it too.
fn worries(place: &Place, words: &[&str]) {
    let said = place.run(&["status"]).ended(0).out;
    assert!(!said.contains("Nothing needs you"), "{said}");
    let json = place.run(&["status", "--json"]).ended(0).json()["attention"].to_string();
    let checked = place.run(&["check"]).ended(0).out;
    for text in [said, json, checked] {
        for word in words {
            assert!(text.contains(word), "{word:?} is not in:\n{text}");
        }
    }
}

fn is_content(place: &Place) {
    let said = place.run(&["status"]).ended(0).out;
    assert!(said.contains("Nothing needs you"), "{said}");
    assert!(!place.run(&["check"]).ended(0).out.contains("note"), "{said}");
}

fn clock(place: &Place, seconds: i64) {
    std::fs::write(place.path("clock.new"), seconds.to_string()).unwrap();
    std::fs::rename(place.path("clock.new"), place.path("clock")).unwrap();
}

#[test]
fn a_daemon_that_is_not_there_is_missed() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 1, 100));
    worries(&place, &["not running", "one", "run"]);
    let daemon = place.daemon();
    is_content(&place);
    daemon.kill();
    worries(&place, &["not running", "order list was last read"]);
}

#[test]
fn who_runs_it_by_a_timer_misses_no_daemon_but_a_timer_that_has_stopped() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 1, 100));
    place.run(&["run", "--once"]).ended(0);
    is_content(&place);
    clock(&place, 27 * 3600);
    worries(&place, &["not running"]);
}

/// Each start put off the message by an hour, and a timer starts it every hour: the renewal that the broken file added lapsed without a word.
#[test]
fn a_broken_file_is_told_also_where_a_timer_starts_it_every_hour() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 1, 100));
    place.run(&["run", "--once"]).ended(0);
    let good = std::fs::read_to_string(place.path("renewals.toml")).unwrap();
    std::fs::write(place.path("renewals.toml"), format!("{good}\n[[renewal]]\nname = \"two\"\nlead = \"2 weks\"\n")).unwrap();
    for quarters in 0..=8 {
        clock(&place, quarters * 900);
        place.run(&["run", "--once"]).ended(0);
    }
    let told = place.rows("body", "outbox");
    let told = told.iter().filter(|row| row.to_string().contains("is broken; the last good file")).count();
    assert_eq!(told, 1);
}

#[test]
fn a_daemon_that_hangs_is_noticed_by_what_is_overdue() {
    let portal = Portal::start();
    let place = portal.place(&entry("later", "1", 1, 20));
    let daemon = place.daemon();
    daemon.signal("STOP");
    is_content(&place);
    clock(&place, 7 * 86_400);
    worries(&place, &["later", "journalctl -u renewd", "deadline"]);
}

#[test]
fn messages_that_reach_nobody_are_shown() {
    let portal = Portal::start();
    let place = portal.place(&entry("one", "1", 1, 100));
    place.run(&["run", "--once"]).ended(0);
    change(
        &place.database(),
        "INSERT INTO outbox (created_at, cause, body, next_at, tries, last_error)
         VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'x', '{}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 hour'), 2, 'webhook: answered HTTP 500')",
    );
    worries(&place, &["1 message could not be delivered", "HTTP 500", "notify --test"]);
}

#[test]
fn an_account_that_was_never_bound_is_shown() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "1", 1)));
    let checked = place.run(&["check"]).ended(0).out;
    assert!(checked.contains("no database") && checked.contains("renewd init"), "{checked}");
    let place = place.init();
    change(&place.database(), "UPDATE account SET bound_at = NULL");
    worries(&place, &["not bound", "renewd init"]);
}
