//! Retries after an order of unknown fate go one at a time.

use crate::daemon::testing::{World, at, file};
use crate::sandbox::{Effect, Endpoint, Fault, Reply, Target};

/// The first was left to a person; the second was missed with "another order that looks the same is not decided yet", and nobody was told which one.
#[tokio::test]
async fn who_waits_for_an_order_that_is_left_to_a_person_says_for_which_and_what_to_do() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    world.clock.set(at("2027-06-01T00:00:00Z"));
    let second = "[[renewal]]\nname = \"two\"\npartner_id = 2\nexpires_on = 2028-03-06\n";
    world.take_text(&format!("{}{second}", file("2027-03-01"))).await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Undone, reply: Reply::Close }, 3);
    for day in 16..=28 {
        for hour in ["09:00", "10:30", "22:00"] {
            world.live_until(&format!("2028-02-{day}T{hour}:00Z")).await;
        }
    }
    assert_eq!(world.states().await, ["renewed ", "unknown second_unknown", "scheduled look_alike"]);
    let told = world.told("term:3:look_alike").await;
    assert_eq!(told.len(), 1, "once, and not with each look: {told:?}");
    assert!(told[0].contains("it waits for one") && told[0].contains("renewd resolve one --not-ordered"), "{told:?}");

    world.live_until("2028-03-03T09:00:00Z").await;
    let warned = world.told("term:3:deadline").await;
    assert!(warned.iter().any(|warning| warning.contains("renewd resolve one")), "{warned:?}");
}
