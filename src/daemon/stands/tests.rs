use crate::daemon::commands::Asked;
use crate::daemon::testing::{Retold, World, at};
use crate::sandbox::Sandbox;

/// Ours was paid, and removed by the portal.
async fn paid_and_removed() -> (World, Sandbox, Retold, String) {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    let ours = sandbox.orders()[0].order_no.clone();
    retold.fail_where(&ours, 404);
    world.live_until("2027-02-16T12:00:00Z").await;
    assert_eq!(world.states().await[0], "renewed ", "the list has it");
    sandbox.list_from(&ours, at("2037-01-01T00:00:00Z")).unwrap();
    for day in [17, 20, 25] {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    (world, sandbox, retold, ours)
}

/// It was told once, every command was refused, `status` said that nothing needs anybody, and the year was not paid.
#[tokio::test]
async fn a_paid_order_that_the_portal_does_not_have_any_more_holds_its_term_until_a_person_says_what_became_of_it() {
    for pays in [true, false] {
        let (mut world, _sandbox, _retold, ours) = paid_and_removed().await;
        assert_eq!(world.states().await, ["held refunded_later", "scheduled "]);
        let told = world.told("term:1:refunded_later").await;
        assert!(told.len() == 1 && told[0].contains("is now removed"), "{told:?}");
        let asked = if pays { Asked::ResolveOrdered { term: 1, order: ours } } else { Asked::ResolveVoid { term: 1 } };
        world.ask(asked).await.unwrap();
        world.live_until("2027-02-25T13:00:00Z").await;
        world.live_until("2027-02-28T13:00:00Z").await;
        let state = if pays { "renewed " } else { "awaiting_approval not_ordered" };
        assert_eq!(world.states().await[0], state);
        assert_eq!(
            world.told("term:1:").await.iter().filter(|text| text.contains("deadline is within")).count(),
            usize::from(!pays)
        );
    }
}

#[tokio::test]
async fn a_paid_order_that_was_removed_and_shows_again_renews_its_term_again() {
    for details in [true, false] {
        let (mut world, sandbox, retold, ours) = paid_and_removed().await;
        sandbox.list_from(&ours, at("2027-02-15T09:00:00Z")).unwrap();
        if details {
            retold.recover();
        }
        world.live_until("2027-02-26T12:00:00Z").await;
        world.live_until("2027-02-26T13:00:00Z").await;
        assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("renewed ", 1), "{details}");
    }
}

/// A person looked, and it was gone; then it is there again, before another one went.
#[tokio::test]
async fn a_removed_order_that_was_set_aside_and_shows_again_holds_the_next_one() {
    let (mut world, sandbox, retold, ours) = paid_and_removed().await;
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    sandbox.list_from(&ours, at("2027-02-15T09:00:00Z")).unwrap();
    retold.recover();
    let request_hash = world.request_hash(1).await;
    drop(world.ask(Asked::Approve { term: 1, request_hash }).await);
    world.live_until("2027-02-26T12:00:00Z").await;
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("held foreign_order", 1));
    assert!(world.told("term:1:foreign_order").await[0].contains(&ours));
}
