use super::{ANY, is_po_number};
use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, at, order_of};
use crate::store::account::short_id;

/// A customer's own number that begins like ours must not stop every order.
#[test]
fn only_what_renewd_makes_is_taken_for_another_installations_number() {
    let ours = format!("{ANY}{}-{}", short_id(&["installation"]), short_id(&["order"]));
    assert!(is_po_number(&ours), "{ours}");
    for other in [
        "RW-Purchase2027-000123",
        "RW-ABCDEFGHJK",
        "RW-ABCDEFGHJK-ABCDEFGHJ",
        "RW-ABCDEFGHJK-ABCDEFGHJK-1",
        "RW-abcdefghjk-abcdefghjk",
    ] {
        assert!(!is_po_number(other), "{other}");
    }
}

/// The customer had renewed beside us, and ours was cancelled, as the message had it. That of the refund said to renew by hand, which buys a third one.
#[tokio::test]
async fn the_message_of_a_refund_names_what_the_customer_ordered_beside_it() {
    for beside in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-02-20T10:00:00Z"] {
            world.live_until(now).await;
        }
        let theirs = beside.then(|| order_of(&sandbox, 1));
        for now in ["2027-02-21T10:00:00Z", "2027-02-26T10:00:00Z", "2027-03-02T10:00:00Z"] {
            world.live_until(now).await;
        }
        sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
        world.clock.set(at("2027-03-10T10:00:00Z"));
        world.engine.look_at_portal().await.unwrap();
        let told = world.told("strange:").await.pop().unwrap();
        assert!(told.contains("is refunded now"), "{told}");
        match theirs {
            Some(theirs) => assert!(told.contains(&format!("order {theirs} is for the same product and customer")), "{told}"),
            None => assert!(told.contains("renew it in the portal by hand, then: renewd rebase one DATE"), "{told}"),
        }
        assert!(told.contains("if it ends: renewd skip one --term 2028-03-01"), "{told}");
    }
}

/// Two years were ordered ahead, and the first of them is refunded: no command orders it, and the message said that the next one is held.
#[tokio::test]
async fn the_message_of_a_refund_says_what_was_ordered_ahead() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    let request_hash = world.request_hash(2).await;
    world.ask(Asked::Order { term: 2, request_hash, early: true }).await.unwrap();
    for now in ["2027-02-15T11:00:00Z", "2027-02-15T12:00:00Z", "2027-03-02T10:00:00Z"] {
        world.live_until(now).await;
    }
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.clock.set(at("2027-03-10T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    let told = world.told("strange:").await.pop().unwrap();
    assert!(told.contains("until 2029-03-01 it is ordered already"), "{told}");
    assert!(told.contains("if it ends: renewd skip one --term 2029-03-01; the next order is made all the same"), "{told}");
}

/// A person counted it by `rebase`, and it was refunded: nobody heard of the year that was not paid.
#[tokio::test]
async fn an_order_that_was_counted_by_a_rebase_and_is_refunded_is_told() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    world.live_until("2027-03-02T10:00:00Z").await;
    world.ask(Asked::Release { term: 1, orders: vec![] }).await.unwrap();
    for now in ["2027-03-02T12:00:00Z", "2027-03-03T10:00:00Z"] {
        world.live_until(now).await;
    }
    let by_hand = order_of(&sandbox, 1);
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_details(i64::MAX, Some(at("2027-03-01T00:00:00Z"))).await.unwrap().unwrap();
    let to = jiff::civil::date(2028, 3, 3);
    let answer = world.ask(Asked::Rebase { subscription: 1, to, why: "by hand".to_owned(), far: false }).await.unwrap();
    assert!(answer.contains("counts as what is paid until then"), "{answer}");
    sandbox.set_status(&by_hand, "refunded").unwrap();
    world.clock.set(at("2027-03-20T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    let told = world.told("strange:").await.pop().unwrap();
    assert!(told.contains(&format!("{by_hand}, which counted as what is paid until 2028-03-03, is refunded now")), "{told}");
    assert!(told.contains("skip one --term 2028-03-03; the next term is held until then"), "{told}");
}
