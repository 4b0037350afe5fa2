use crate::daemon::commands::Asked;
use crate::daemon::testing::World;

/// A person took it for gone; it was there, unpaid, and could be paid any day. This is the only thing that stands before a second order.
#[tokio::test]
async fn an_unpaid_order_that_a_person_set_aside_and_that_is_still_there_holds_the_next_one() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let order = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&order, "pending").unwrap();
    world.live_until("2027-02-19T12:00:00Z").await;
    assert_eq!(world.states().await, ["placed pending_long"]);
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    world.live_until("2027-02-19T12:01:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    assert!(world.told("term:1:foreign_order").await[0].contains(&order));
    assert_eq!(sandbox.orders().len(), 1);
}
