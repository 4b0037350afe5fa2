//! A clock that nothing confirms.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::clock::ManualClock;
use crate::daemon::commands::Asked;
use crate::daemon::testing::{BEGIN, World, at, file};
use crate::sandbox::{Sandbox, Settings};
use crate::simulation::line::Line;

/// Nothing was ordered any more, it was asked every minute, `status` said that nothing needs you, and no message named the command.
#[tokio::test]
async fn a_portal_that_tells_the_time_no_more_is_told_within_the_hour_with_the_command_that_helps() {
    let (mut world, sandbox, line) = World::before_line().await;
    world.engine.look_at_portal().await.unwrap();
    line.stops_telling_the_time();
    for minute in ["09:00", "09:01", "09:30", "10:00", "10:01", "11:01", "12:01"] {
        world.live_until(&format!("2027-02-15T{minute}:00Z")).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["scheduled clock".to_owned()], 0));
    let told = world.told("all:clock").await;
    assert!(told.len() == 1 && told[0].contains("renewd accept --clock"), "{told:?}");
    let shown: String =
        sqlx::query_scalar("SELECT what_to_do FROM attention").fetch_one(&mut world.engine.store.conn).await.unwrap();
    assert!(shown.contains("renewd accept --clock"), "{shown}");

    world.ask(Asked::AcceptClock).await.unwrap();
    world.live_until("2027-02-15T12:02:00Z").await;
    assert_eq!(sandbox.orders().len(), 1);
}

/// One answer out of a cache is no reason to wake anybody.
#[tokio::test]
async fn one_answer_without_a_time_is_asked_again_and_not_told() {
    let (mut world, sandbox, line) = World::before_line().await;
    world.engine.look_at_portal().await.unwrap();
    line.stops_telling_the_time();
    world.live_until("2027-02-15T09:00:00Z").await;
    line.tells_the_time();
    world.live_until("2027-02-15T09:01:00Z").await;
    assert_eq!((sandbox.orders().len(), world.told("").await.len()), (1, 0));
}

/// The sentence holds the time, so it was another one with each run of `renewd run --once`.
#[tokio::test]
async fn a_wrong_clock_is_told_once_a_day_however_often_one_starts_on_it() {
    let (mut world, ..) = World::before_line().await;
    world.live_until("2027-02-14T09:00:00Z").await;
    world.engine.look_at_portal().await.unwrap();
    for (now, told) in [("2027-01-20T09:00:00Z", 1), ("2027-01-20T11:00:00Z", 1), ("2027-01-21T10:00:00Z", 2)] {
        world.clock.set(at(now));
        world.engine.mend_waits(at(now)).await.unwrap();
        world.engine.tell(at(now)).await.unwrap();
        assert_eq!(world.told("clock").await.len(), told, "{now}");
    }
}

/// Set right on the last evening, it went on hours later, when the wrong clock had planned to look again, and after the deadline.
#[tokio::test]
async fn a_clock_that_is_set_right_goes_on_at_once_with_what_it_kept() {
    let (ours, theirs) = (ManualClock::at(at(BEGIN)), ManualClock::at(at(BEGIN)));
    let sandbox = Sandbox::new(Arc::new(theirs.clone()), Settings::default());
    let mut world = World::new(Line::quiet(sandbox.clone(), &theirs), ours.clone()).await;
    let evening = at("2027-02-28T18:30:00Z");
    for (ahead, late, orders) in [(SignedDuration::from_hours(5), 0, 0), (SignedDuration::ZERO, 10, 1)] {
        let now = evening + SignedDuration::from_mins(late);
        theirs.set(now);
        ours.set(now + ahead);
        world.engine.run_dry(|_| {}).await.unwrap();
        assert_eq!(sandbox.orders().len(), orders, "{:?}", world.states().await);
    }
}

/// A start while the entry was out planned the next weekly reminder, so that nobody was told of it on the day of its next deadline; and reminded of an entry that is
/// not there (worlds 9946 and 200910 of a simulation with more people).
#[tokio::test]
async fn what_is_held_and_comes_back_into_the_file_is_told_at_once_although_the_daemon_was_started_meanwhile() {
    let (mut world, ..) = World::before_line().await;
    let with = file("2027-03-01");
    let without = with.replace("\"one\"\npartner_id = 1", "\"another\"\npartner_id = 9");
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    world.live_until("2027-03-02T00:00:00Z").await;
    world.edit(&without, true).await;
    let told = world.told("term:1:deadline").await.len();
    world.clock.set(at("2027-03-20T00:00:00Z"));
    world.engine.mend_waits(at("2027-03-20T00:00:00Z")).await.unwrap();
    world.live_until("2027-04-02T00:00:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), told, "nobody hears of what is not in the file");
    world.edit(&with, true).await;
    world.live_until("2027-04-02T00:01:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), told + 1);
}

/// It had come to wait for approval while it was out of the file, and was put back in the afternoon before: people heard of it at its deadline (world 78827).
#[tokio::test]
async fn what_waits_for_approval_and_comes_back_into_the_file_is_told_at_once() {
    let (mut world, ..) = World::before_line().await;
    let with = file("2027-03-01").replace("quantity = 3", "quantity = 3\napproval = \"manual\"");
    world.edit(&with, true).await;
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["awaiting_approval approval"]);
    world.edit(&with.replace("\"one\"\npartner_id = 1", "\"another\"\npartner_id = 9"), true).await;
    world.live_until("2027-02-28T15:00:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), 0);
    world.edit(&with, true).await;
    world.live_until("2027-02-28T15:01:00Z").await;
    assert_eq!(world.told("term:1:deadline").await.len(), 1);
}
