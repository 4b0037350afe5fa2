//! Two batches of one product for one customer look alike at the portal.

use crate::daemon::testing::{World, at, file};
use crate::sandbox::{Effect, Endpoint, Fault, Reply, Target};

/// It was missed with "another order that looks the same is not decided yet", and nobody was told which one, nor what to do about it.
#[tokio::test]
async fn who_waits_for_an_order_that_is_left_to_a_person_says_for_which_and_what_to_do() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    let second = "[[renewal]]\nname = \"two\"\npartner_id = 1\nbatch = \"b\"\nexpires_on = 2027-03-05\n";
    world.take_text(&format!("{}{second}", file("2027-03-01"))).await;
    sqlx::query("UPDATE subscription SET confirm = NULL").execute(&mut world.engine.store.conn).await.unwrap();
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Undone, reply: Reply::Close }, 2);
    for day in 15..=22 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert_eq!(world.states().await, ["unknown second_unknown", "scheduled look_alike"]);
    let told = world.told("term:2:look_alike").await;
    assert_eq!(told.len(), 1, "once, and not with each look: {told:?}");
    assert!(told[0].contains("it waits for one") && told[0].contains("renewd resolve one --not-ordered"), "{told:?}");

    world.clock.set(at("2027-02-26T00:00:00Z"));
    world.live_until("2027-02-26T09:00:00Z").await;
    let warned = world.told("term:2:deadline").await;
    assert!(warned.iter().any(|warning| warning.contains("renewd resolve one")), "{warned:?}");
}
