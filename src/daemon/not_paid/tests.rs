use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, order_of};
use crate::ids::PortalId;
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED};

/// He was told once that it may be paid twice, and then, for two weeks, to pay ours.
#[tokio::test]
async fn who_is_asked_to_pay_our_order_hears_that_somebody_elses_is_there_for_the_same() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "pending").unwrap();
    for day in 15..=18 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    let other = order_of(&sandbox, 1);
    for day in 19..=28 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    let (told, warned) = (world.told("term:1:pending_long").await, world.told("term:1:deadline").await);
    let says = |text: &String| {
        text.contains(&format!("look at order {other} in the portal")) && text.contains(&format!("cancel order {ours}"))
    };
    assert!(!told[0].contains(&other) && says(&told[1]), "{told:?}");
    assert!(
        warned.iter().filter(|text| text.contains("3 days") || text.contains("within a day")).all(says) && warned.len() >= 3,
        "{warned:?}"
    );

    sandbox.set_status(&other, "cancelled").unwrap();
    world.live_until("2027-02-28T20:00:00Z").await;
    assert!(!world.told("term:1:pending_long").await.last().unwrap().contains(&other));
}

/// The message named `--void` and `skip`, and whoever skipped what a colleague had paid had ended the chain by that.
#[tokio::test]
async fn who_hears_that_our_order_is_dead_hears_of_somebody_elses_for_the_same() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "pending").unwrap();
    world.live_until("2027-02-16T12:00:00Z").await;
    let request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
    let other = sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at: None }).order_no;
    world.live_until("2027-02-17T12:00:00Z").await;
    sandbox.set_status(&ours, "cancelled").unwrap();
    world.live_until("2027-02-18T12:00:00Z").await;
    let told = world.told("term:1:dead_order").await;
    assert!(told[0].contains(&format!("renewd resolve one --order-no {other}")), "{told:?}");
    world.ask(Asked::ResolveOrdered { term: 1, order: other }).await.unwrap();
    world.live_until("2027-02-18T13:00:00Z").await;
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("renewed ", 2));
}
