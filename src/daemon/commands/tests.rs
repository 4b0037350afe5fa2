//! What a person may not do.

use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, file};

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
