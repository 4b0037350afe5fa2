//! What a person may not do.

use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, at, file};
use crate::ids::PortalId;
use crate::sandbox::{Effect, Endpoint, Fault, LedgerOrder, Reply, Target};

/// Approved after it was taken out, it was ordered without a question when the entry came back.
#[tokio::test]
async fn nothing_can_be_let_go_for_an_entry_that_was_taken_out() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    let by_hand = format!("{}approval = \"manual\"\n", file("2027-03-01"));
    world.take_text(&by_hand).await;
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["awaiting_approval approval"]);
    let others = file("2027-03-01").replace("\"one\"", "\"another\"").replace("partner_id = 1", "partner_id = 2");
    world.take_text(&others).await;

    let (term, request_hash) = (1, world.request_hash(1).await);
    let to = "2027-06-01".parse().unwrap();
    for asked in [
        Asked::Approve { term, request_hash: request_hash.clone() },
        Asked::Order { term, request_hash, early: false },
        Asked::Rebase { subscription: 1, to, why: String::new(), far: false },
    ] {
        let refused = world.ask(asked).await.unwrap_err().to_string();
        assert!(refused.contains("one is not in the file any more"), "{refused}");
    }
    world.take_text(&by_hand).await;
    world.live_until("2027-02-16T09:00:00Z").await;
    assert_eq!(world.states().await[0], "awaiting_approval approval", "{:?}", sandbox.orders());
}

/// The customer has left while nobody knew whether the order had gone through: each command was refused, no answer said what helps, and it was sent again.
#[tokio::test]
async fn who_wants_no_other_order_for_one_of_unknown_fate_hears_what_keeps_it_from_going_again_and_that_does() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Undone, reply: Reply::Garbage }, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["unknown finding_out"]);
    for asked in [Asked::Hold { term: 1 }, Asked::Skip { term: 1, early: false }] {
        let refused = world.ask(asked).await.unwrap_err().to_string();
        assert!(refused.contains("take the entry out of the file"), "{refused}");
    }
    world.take_text(&file("2027-03-01").replace("\"one\"", "\"another\"").replace("partner_id = 1", "partner_id = 2")).await;
    for now in ["2027-02-15T10:00:10Z", "2027-02-17T12:00:00Z", "2027-02-19T12:00:00Z", "2027-02-22T12:00:00Z"] {
        world.live_until(now).await;
    }
    let for_one = |order: &&LedgerOrder| order.request.partner_id == Some(PortalId::known(1));
    assert_eq!(sandbox.orders().iter().filter(for_one).count(), 0);
}

/// It was told every week, and each command was refused.
#[tokio::test]
async fn who_wants_to_hear_no_more_of_what_was_missed_hears_how() {
    let (mut world, ..) = World::before_sandbox().await;
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    world.live_until("2027-03-02T10:00:00Z").await;
    world.ask(Asked::Release { term: 1, orders: vec![] }).await.unwrap();
    world.live_until("2027-03-02T12:00:00Z").await;
    let refused = world.ask(Asked::Skip { term: 1, early: false }).await.unwrap_err().to_string();
    assert!(refused.contains("one is missed") && refused.contains("take its entry out of the file"), "{refused}");
}

/// The daemon had been away for two settles. `--not-ordered` was taken by the list of before, and a moment later the order turned up in it.
#[tokio::test]
async fn not_ordered_is_weighed_against_the_list_as_it_is_now() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Done, reply: Reply::Garbage }, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["unknown finding_out".to_owned()], 1));
    let now = at("2027-02-18T09:00:00Z");
    world.clock.set(now);
    let refused = world.ask(Asked::ResolveNotOrdered { term: 1 }).await.unwrap_err().to_string();
    assert!(refused.contains("was not read since"), "{refused}");
    world.engine.store.ask(now, "a person", r#"{"do": "resolve_not_ordered", "term": 1}"#).await.unwrap();
    world.engine.take_commands().await.unwrap();
    let answer: String = sqlx::query_scalar("SELECT answer FROM command").fetch_one(&mut world.engine.store.conn).await.unwrap();
    assert!(answer.contains("one is ordered; --not-ordered is for orders of unknown fate"), "{answer}");
    assert_eq!(world.states().await, ["placed "]);
}

/// A person's pause was overwritten by the daemon's own, and ended by a colleague who knew of that one only; and the other way round.
#[tokio::test]
async fn a_second_pause_stands_beside_the_first() {
    let (mut world, _sandbox, _) = World::before_sandbox().await;
    for why in ["the budget is not signed", "lunch", "lunch"] {
        world.ask(Asked::Pause { why: why.to_owned() }).await.unwrap();
    }
    let (_, why) = world.engine.store.account().await.unwrap().paused.unwrap();
    assert_eq!(why, "the budget is not signed; and: lunch");
    assert_eq!(world.ask(Asked::Resume).await.unwrap(), format!("resumed; it was paused: {why}"));
    assert!(world.engine.store.account().await.unwrap().paused.is_none());
}
