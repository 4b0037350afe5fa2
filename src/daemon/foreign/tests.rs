use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, at, order_of};
use crate::sandbox::{PlacedBy, SUCCEED, Sandbox};

fn ours(sandbox: &Sandbox) -> usize {
    sandbox.orders().iter().filter(|order| order.placed_by == PlacedBy::Us).count()
}

/// The details of strangers' orders could not be read for some days, and all of them were named. They were read since, and it stayed held to its deadline.
#[tokio::test]
async fn a_renewal_goes_on_once_the_orders_that_held_it_show_other_customers() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.clock.set(at("2027-02-10T00:00:00Z"));
    let (other, theirs) = (order_of(&sandbox, 9), order_of(&sandbox, 9));
    for order in [&other, &theirs] {
        retold.fail_where(order, 500);
    }
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T21:00:00Z", "2027-02-16T10:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await, ["held foreign_order"]);
    world.live_until("2027-02-17T11:00:00Z").await;
    assert_eq!((world.states().await, ours(&sandbox)), (vec!["held foreign_order".to_owned()], 0));
    retold.recover();
    world.live_until("2027-02-18T12:00:00Z").await;
    assert_eq!((world.states().await, ours(&sandbox)), (vec!["scheduled ".to_owned()], 0));
    let told = world.told("term:1:goes_on").await;
    assert!(told.len() == 1 && told[0].contains("it goes on at 2027-02-19T12:00:00Z"), "{told:?}");
    for now in ["2027-02-19T12:00:00Z", "2027-02-19T13:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await[0].as_str(), ours(&sandbox)), ("renewed ", 1));
}

/// With a grace that had just ended people were told that it goes on, and hours later that it is missed.
#[tokio::test]
async fn a_renewal_whose_last_chance_is_gone_is_not_said_to_go_on() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.clock.set(at("2027-02-10T00:00:00Z"));
    let other = order_of(&sandbox, 9);
    retold.fail_where(&other, 500);
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T21:00:00Z", "2027-02-16T10:00:00Z", "2027-02-17T11:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await, ["held foreign_order"]);
    retold.recover();
    world.live_until("2027-03-01T00:30:00Z").await;
    world.live_until("2027-03-01T00:31:00Z").await;
    assert_eq!(world.states().await, ["missed deadline_passed"]);
    assert_eq!(world.told("term:1:goes_on").await, Vec::<String>::new());
}

/// Nothing says of a hold that names no order that it is over.
#[tokio::test]
async fn a_hold_that_names_no_order_does_not_go_on_by_itself() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    order_of(&sandbox, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    sqlx::query("UPDATE term SET candidates = '[]'").execute(&mut world.engine.store.conn).await.unwrap();
    world.live_until("2027-02-20T09:00:00Z").await;
    assert_eq!((world.states().await, ours(&sandbox)), (vec!["held foreign_order".to_owned()], 0));
    assert!(world.told("term:1:goes_on").await.is_empty());
}

/// The message said "pending" for days, and `release` by it let ours go beside an order that was paid meanwhile, as the daemon knew.
#[tokio::test]
async fn who_was_told_that_an_order_is_unpaid_hears_when_it_is_paid() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let theirs = order_of(&sandbox, 1);
    sandbox.set_status(&theirs, "pending").unwrap();
    world.live_until("2027-02-15T09:00:00Z").await;
    sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
    world.live_until("2027-02-15T12:00:00Z").await;
    world.engine.look_at_portal().await.unwrap();
    world.live_until("2027-02-15T12:01:00Z").await;
    let told = world.told("term:1:foreign_order").await;
    assert!(told.len() == 2 && told[0].contains(" of 2027-01-02 (pending)") && !told[1].contains("(pending)"), "{told:?}");
    assert_eq!(world.states().await, ["held foreign_order"]);
    let shown: String = sqlx::query_scalar("SELECT detail FROM term").fetch_one(&mut world.engine.store.conn).await.unwrap();
    assert!(!shown.contains("pending"), "{shown}");
}

/// "There is nothing to hold", and a day later it went on.
#[tokio::test]
async fn what_is_held_for_a_reason_that_may_pass_can_be_held_by_a_person() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.clock.set(at("2027-02-10T00:00:00Z"));
    retold.fail_where(&order_of(&sandbox, 9), 500);
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T21:00:00Z", "2027-02-16T10:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await, ["held foreign_order"]);
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    retold.recover();
    world.live_until("2027-02-20T12:00:00Z").await;
    assert_eq!((world.states().await, ours(&sandbox)), (vec!["held operator".to_owned()], 0));
    world.ask(Asked::Release { term: 1, orders: Vec::new() }).await.unwrap();
    world.live_until("2027-02-20T13:00:00Z").await;
    assert_eq!(ours(&sandbox), 1);
}

/// The customer had an unpaid basket, and a person let ours go beside it. It was paid before ours went, or after; nobody was told, and the year after
/// was bought on top.
#[tokio::test]
async fn an_order_that_was_released_unpaid_and_is_paid_since_is_another_fact() {
    for before_ours in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let theirs = order_of(&sandbox, 1);
        sandbox.set_status(&theirs, "pending").unwrap();
        world.live_until("2027-02-15T09:00:00Z").await;
        assert!(world.told("term:1:foreign_order").await[0].contains(" (pending)"));
        world.ask(Asked::Release { term: 1, orders: vec![theirs.clone()] }).await.unwrap();
        if before_ours {
            sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
            world.live_until("2027-02-15T09:05:00Z").await;
            assert_eq!((world.states().await, ours(&sandbox)), (vec!["held foreign_order".to_owned()], 0));
            continue;
        }
        world.live_until("2027-02-15T10:00:00Z").await;
        assert_eq!(ours(&sandbox), 1);
        sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
        world.live_until("2027-02-16T10:00:00Z").await;
        world.engine.look_at_portal().await.unwrap();
        let told = world.told("strange:").await;
        assert!(told.iter().any(|told| told.contains(&theirs) && told.contains("may be paid twice")), "{told:?}");
        world.live_until("2028-02-16T09:01:00Z").await;
        assert_eq!((world.states().await[1].as_str(), ours(&sandbox)), ("held foreign_order", 1));
    }
}

/// For a day the portal showed another word for every order. What had paid the terms of today was taken for paid only now, and everything was held.
#[tokio::test]
async fn what_was_paid_before_does_not_come_to_life_by_a_day_of_other_words() {
    for (ours_went, held) in [(false, false), (true, true)] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let theirs = order_of(&sandbox, 1);
        world.live_until("2027-02-14T00:00:00Z").await;
        world.engine.look_at_portal().await.unwrap();
        if ours_went {
            sandbox.set_status(&theirs, "cancelled").unwrap();
            world.live_until("2027-02-15T09:00:00Z").await;
        } else {
            world.live_until("2027-02-15T09:00:00Z").await;
            world.ask(Asked::Release { term: 1, orders: vec![theirs.clone()] }).await.unwrap();
        }
        for now in ["2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!((world.states().await[0].as_str(), ours(&sandbox)), ("renewed ", 1));
        for (status, now) in [("confirming", "2027-02-16T00:00:00Z"), (SUCCEED.as_ref(), "2027-02-17T00:00:00Z")] {
            sandbox.set_status(&theirs, status).unwrap();
            world.live_until(now).await;
            world.engine.look_at_portal().await.unwrap();
        }
        for now in ["2028-02-16T09:01:00Z", "2028-02-16T10:01:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(world.states().await[1], if held { "held foreign_order" } else { "renewed " });
    }
}

/// It held, was refunded, and was let go as the message had it; it was paid again before ours went, and ours went on top of it.
#[tokio::test]
async fn a_customers_order_that_is_paid_again_after_a_person_let_ours_go_holds_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let theirs = order_of(&sandbox, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    sandbox.set_status(&theirs, "refunded").unwrap();
    world.live_until("2027-02-16T10:00:00Z").await;
    world.engine.look_at_portal().await.unwrap();
    world.ask(Asked::Pause { why: "a while".to_owned() }).await.unwrap();
    world.ask(Asked::Release { term: 1, orders: vec![theirs.clone()] }).await.unwrap();
    world.live_until("2027-02-17T10:00:00Z").await;
    sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
    world.clock.set(at("2027-02-18T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    world.ask(Asked::Resume).await.unwrap();
    world.live_until("2027-02-19T10:00:00Z").await;
    assert_eq!((world.states().await, ours(&sandbox)), (vec!["held foreign_order".to_owned()], 0));
}
