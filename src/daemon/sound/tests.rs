use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, order_of};

/// The order of this year was refunded and set aside; the customer renewed two years by himself; a person had asked for the next year's order early.
/// It saw only what was ordered since this year's term began, which lay ahead, and was bought on top.
#[tokio::test]
async fn a_term_that_is_ordered_early_sees_what_others_ordered_since_the_last_that_is_paid() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-02-15T10:00:00Z").await;
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.live_until("2027-02-16T12:00:00Z").await;
    assert_eq!(world.states().await, ["held refunded_later", "scheduled "]);
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    let theirs = [order_of(&sandbox, 1), order_of(&sandbox, 1)];
    let request_hash = world.request_hash(2).await;
    world.ask(Asked::Order { term: 2, request_hash, early: true }).await.unwrap();
    world.live_until("2027-02-16T12:01:00Z").await;
    assert_eq!(world.states().await, ["awaiting_approval not_ordered", "held foreign_order"]);
    let told = world.told("term:2:foreign_order").await;
    assert!(theirs.iter().all(|order| told[0].contains(order.as_str())), "{told:?}");
    world.live_until("2027-03-02T00:00:00Z").await;
    assert_eq!(world.states().await[0], "missed deadline_passed", "and when the first is missed");
    world.ask(Asked::Release { term: 2, orders: Vec::new() }).await.unwrap();
    world.live_until("2028-02-20T00:00:00Z").await;
    assert_eq!((world.states().await[1].as_str(), sandbox.orders().len()), ("held foreign_order", 3));
}

/// A chain that a person began anew does not look back at what was ordered for the one before.
#[tokio::test]
async fn a_chain_begun_anew_is_not_held_by_what_paid_until_its_beginning() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    order_of(&sandbox, 1);
    world.live_until("2027-03-02T00:00:00Z").await;
    let to = jiff::civil::date(2028, 3, 1);
    world.ask(Asked::Rebase { subscription: 1, to, why: "renewed by hand".to_owned(), far: false }).await.unwrap();
    world.live_until("2028-02-16T10:00:00Z").await;
    world.live_until("2028-02-16T11:00:00Z").await;
    assert_eq!(world.states().await[1], "renewed ");
    assert_eq!(sandbox.orders().len(), 2);
}
