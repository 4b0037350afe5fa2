//! The clock is wrong: at boot, and while the daemon runs.

use jiff::Timestamp;
use serde_json::json;

use super::scene::Scene;
use super::support::{due, until};

/// So many seconds from now to then.
fn to(then: &str) -> i64 {
    then.parse::<Timestamp>().unwrap().duration_since(Timestamp::now()).as_secs()
}

/// Machines without a battery begin in 1970, some in 2001; and a clock may be far ahead.
const WRONG: [&str; 4] = ["1970-01-01T00:01:00Z", "2001-01-01T00:01:00Z", "2100-01-01T00:01:00Z", "9999-01-01T00:01:00Z"];

#[test]
fn a_boot_with_a_wrong_clock_orders_nothing_and_misses_nothing_and_is_told() {
    for wrong in WRONG {
        let scene = Scene::with(&due("one", "1", 3));
        scene.clock(to(wrong));
        let daemon = scene.daemon();
        scene.people_hear(&[&format!("the clock says {}", &wrong[..10]), "timedatectl"]);
        assert!(daemon.log().contains(&wrong[..10]), "{wrong}: {}", daemon.log());
        scene.ordered_nothing();
        assert_eq!(scene.rows("state", "term"), [json!("scheduled")], "{wrong}");
        // Set right while it runs, as timesyncd does it.
        scene.clock(0);
        scene.is_ordered_once();
        daemon.stop();
        assert_eq!(scene.portal.calls("save"), 1, "{wrong}");
    }
}

#[test]
fn a_clock_that_is_stepped_while_the_daemon_runs_buys_nothing_and_loses_nothing() {
    for wrong in WRONG {
        let scene = Scene::with(&due("one", "1", 3));
        let daemon = scene.daemon();
        scene.is_ordered_once();
        scene.clock(to(wrong));
        scene.people_hear(&[&format!("the clock says {}", &wrong[..10]), "timedatectl"]);
        assert!(daemon.log().contains(&wrong[..10]), "{wrong}: {}", daemon.log());
        scene.clock(0);
        until("it is renewed all the same", || scene.rows("state", "term").contains(&json!("renewed")).then_some(()));
        daemon.stop();
        assert_eq!((scene.portal.calls("save"), scene.portal.orders().len()), (1, 1), "{wrong}");
        scene.agrees_with_the_portal();
    }
}
