//! `status`: one screen, and its JSON.

use super::support::{EXAMPLE, Place, Portal, due};

#[test]
fn it_shows_what_needs_a_person_the_next_and_the_last_orders() {
    let place = Place::with(EXAMPLE);
    place.run(&["run", "--sandbox"]).ended(0);
    let said = place.run(&["status", "--sandbox"]).ended(0).out;
    for words in [
        "alder-works",
        "renewd --sandbox rebase alder-works",
        "not running",
        "the sandbox",
        "Next",
        "Last orders",
        "harvest-lane",
        "UF34",
    ] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
}

#[test]
fn its_json_has_stable_keys() {
    let place = Place::with(EXAMPLE);
    place.run(&["run", "--sandbox"]).ended(0);
    let status = place.run(&["status", "--sandbox", "--json"]).ended(0).json();
    let keys = |value: &serde_json::Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(keys(&status), "attention counts daemon orders paused portal sandbox_now upcoming");
    assert_eq!(keys(&status["daemon"]), "pid running");
    assert_eq!(keys(&status["portal"]), "base_url bound_at kind next_try_at synced_at trouble");
    assert_eq!(keys(&status["attention"][0]), "deadline reason renewal since what_to_do");
    assert_eq!(keys(&status["upcoming"][0]), "deadline due_at expires_on partner_id quantity reason renewal state");
    assert!(keys(&status["orders"][0]).contains("order_no order_status ordered_at"), "{status}");
    assert_eq!(status["daemon"]["running"], false);
}

#[test]
fn it_names_the_running_daemon_and_does_not_disturb_it() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    let daemon = place.daemon();
    let status = place.run(&["status", "--json"]).ended(0).json();
    assert_eq!((&status["daemon"]["running"], &status["daemon"]["pid"]), (&true.into(), &daemon.child.id().into()));
    daemon.stop();
    assert_eq!(place.run(&["status", "--json"]).ended(0).json()["daemon"]["running"], false);
}

/// `status` looks at the lock by sharing it for a moment.
#[test]
fn a_daemon_starts_although_somebody_asks_for_the_status_all_the_time() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    std::thread::scope(|threads| {
        let asking: Vec<_> =
            (0..2).map(|_| threads.spawn(|| (0..15).for_each(|_| drop(place.run(&["status"]).ended(0))))).collect();
        for _ in 0..8 {
            place.run(&["run", "--once"]).ended(0);
        }
        for thread in asking {
            thread.join().unwrap();
        }
    });
}

#[test]
fn without_a_database_it_says_how_to_get_one() {
    Place::with(EXAMPLE).run(&["status"]).ended(1).explained(&["no database", "renewd init", "renewd run --sandbox"]);
}
