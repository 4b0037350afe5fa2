use crate::daemon::commands::Asked;
use crate::daemon::testing::{BEGIN, Retold, World, at, file, order_of};
use crate::ids::PortalId;
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED, Sandbox};

/// The first order is through, refunded before its term begins, and set aside by a person.
async fn refunded_and_set_aside() -> (World, Sandbox) {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.live_until("2027-02-16T12:00:00Z").await;
    assert_eq!(world.states().await, ["held refunded_later", "scheduled "]);
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    (world, sandbox)
}

/// The order of this year was refunded and set aside; the customer renewed two years by himself; a person had asked for the next year's order early.
/// It saw only what was ordered since this year's term began, which lay ahead, and was bought on top.
#[tokio::test]
async fn a_term_that_is_ordered_early_sees_what_others_ordered_since_the_last_that_is_paid() {
    let (mut world, sandbox) = refunded_and_set_aside().await;
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
    world.ask(Asked::Skip { term: 1, early: true }).await.unwrap();
    order_of(&sandbox, 1);
    world.live_until("2027-03-02T00:00:00Z").await;
    let to = jiff::civil::date(2028, 3, 1);
    world.ask(Asked::Rebase { subscription: 1, to, why: "renewed by hand".to_owned(), far: false }).await.unwrap();
    world.live_until("2028-02-16T10:00:00Z").await;
    world.live_until("2028-02-16T11:00:00Z").await;
    assert_eq!(world.states().await[1], "renewed ");
    assert_eq!(sandbox.orders().len(), 2);
}

/// The customer renewed for two years, and a person said so by `rebase`, as the message has it. Two years later that very order held the renewal.
#[tokio::test]
async fn what_a_person_counted_by_beginning_another_chain_does_not_hold_it() {
    for (another, skipped) in [(false, false), (false, true), (true, false)] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        world.live_until("2027-02-15T10:00:00Z").await;
        world.live_until("2028-02-10T00:00:00Z").await;
        order_of(&sandbox, 1);
        world.live_until("2028-02-16T10:00:00Z").await;
        assert_eq!(world.states().await, ["renewed ", "held foreign_order"]);
        if skipped {
            world.ask(Asked::Skip { term: 2, early: false }).await.unwrap();
        }
        let to = jiff::civil::date(2030, 3, 1);
        world.ask(Asked::Rebase { subscription: 1, to, why: "renewed for two years".to_owned(), far: true }).await.unwrap();
        if another {
            world.live_until("2029-03-05T00:00:00Z").await;
            order_of(&sandbox, 1);
        }
        for now in ["2030-02-15T10:00:00Z", "2030-02-15T11:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(world.states().await[2], if another { "held foreign_order" } else { "renewed " });
    }
}

/// A person put the date right, and the order that the customer had just made for the next year was counted as what ends with this one.
#[tokio::test]
async fn what_a_customer_ordered_for_the_next_year_is_not_counted_by_a_rebase() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-05T10:00:00Z").await;
    let theirs = order_of(&sandbox, 1);
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_details(i64::MAX, Some(at(BEGIN))).await.unwrap().unwrap();
    let to = jiff::civil::date(2027, 3, 10);
    let answer = world.ask(Asked::Rebase { subscription: 1, to, why: "a wrong date".to_owned(), far: false }).await.unwrap();
    assert!(!answer.contains("counts as"), "{answer}");
    world.live_until("2027-02-24T10:00:00Z").await;
    assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"]);
    assert!(world.told("term:2:foreign_order").await[0].contains(&theirs));
}

/// A person was asked to approve an order, and nagged until the deadline, that the customer had made himself a week before.
#[tokio::test]
async fn nobody_is_asked_to_approve_what_may_have_been_renewed_already_before_he_hears_of_that() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.take_text(&format!("{}approval = \"manual\"\n", file("2027-03-01"))).await;
    let theirs = order_of(&sandbox, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    world.ask(Asked::Release { term: 1, orders: vec![theirs] }).await.unwrap();
    world.live_until("2027-02-15T10:00:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["awaiting_approval approval".to_owned()], 1));
    let later = order_of(&sandbox, 1);
    world.live_until("2027-02-16T10:00:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"], "nor goes on being asked");
    assert!(world.told("term:1:foreign_order").await.last().unwrap().contains(&later));
}

/// The entry was added a year before it is due. What the customer ordered meanwhile was older than the term that is paid then, and did not count.
#[tokio::test]
async fn an_order_that_was_seen_to_come_counts_however_long_before_the_paid_term_it_was_made() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.take("2028-02-20").await;
    let to = jiff::civil::date(2028, 2, 20);
    world.ask(Asked::Rebase { subscription: 1, to, why: "it is paid until then".to_owned(), far: true }).await.unwrap();
    world.live_until("2027-01-20T00:00:00Z").await;
    let theirs = order_of(&sandbox, 1);
    world.engine.look_at_portal().await.unwrap();
    world.live_until("2028-02-07T10:00:00Z").await;
    assert_eq!(world.states().await.last().unwrap(), "held foreign_order");
    assert!(world.told("term:2:foreign_order").await[0].contains(&theirs));
}

/// The portal gives every order the date of its subscription: a renewal that turned up five days ago said that it was older than the paid term.
#[tokio::test]
async fn an_order_that_turns_up_counts_whenever_it_says_that_it_was_made() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    order_of(&sandbox, 7);
    world.engine.look_at_portal().await.unwrap();
    world.live_until("2027-02-10T00:00:00Z").await;
    let request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 1);
    let made = Some(at("2025-10-01T00:00:00Z"));
    sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: made });
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
}

/// A year ago this portal showed customers by our ids. It does not any more, and the first renewal after that would have been ordered on top of the
/// customer's own.
#[tokio::test]
async fn what_was_learned_a_year_ago_is_looked_at_again_before_an_order_is_taken_for_another_customers() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-02-15T10:00:00Z").await;
    retold.say_where("", r#""partnerId":"1""#, r#""partnerId":"CU1""#);
    world.live_until("2028-02-10T00:00:00Z").await;
    order_of(&sandbox, 1);
    world.live_until("2028-02-16T09:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "held foreign_order"]);
    assert_eq!(sandbox.orders().len(), 2);
}

/// A customer's order that was cancelled as the list and its details were read, paid a year later and far down the list by then: ours went out on
/// top of it, and nobody was told.
async fn theirs_is_cancelled_and_far_down_the_list() -> (World, Sandbox, Retold, String) {
    theirs_is_far_down_the_list("cancelled").await
}

async fn theirs_is_far_down_the_list(status: &'static str) -> (World, Sandbox, Retold, String) {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    sandbox.change(|settings| settings.list.page_cap = Some(2));
    world.live_until("2027-02-15T09:00:00Z").await;
    let theirs = order_of(&sandbox, 1);
    sandbox.set_status(&theirs, status).unwrap();
    world.live_until("2027-02-20T00:00:00Z").await;
    assert_eq!(world.states().await[0], "renewed ");
    for now in ["2027-02-26T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-02T00:00:00Z"] {
        order_of(&sandbox, 9);
        world.live_until(now).await;
    }
    world.live_until("2027-03-10T00:00:00Z").await;
    world.engine.look_at_portal().await.unwrap();
    (world, sandbox, retold, theirs)
}

#[tokio::test]
async fn an_order_of_the_customer_that_died_and_is_paid_after_all_holds_wherever_it_stands_in_the_list() {
    let (mut world, sandbox, _, theirs) = theirs_is_cancelled_and_far_down_the_list().await;
    sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
    world.live_until("2028-02-16T09:01:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "held foreign_order"]);
    assert!(world.told("term:2:foreign_order").await[0].contains(&theirs));
}

/// A customer's order was cancelled when ours went, and is paid after all: it was older than ours, and was never looked at again. Nobody was told, and
/// the next year was bought on top.
#[tokio::test]
async fn an_order_of_the_customer_that_was_dead_when_ours_went_and_is_paid_since_is_told_and_holds_the_next() {
    for far_down in [false, true] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        sandbox.change(|settings| settings.list.page_cap = Some(2));
        let theirs = order_of(&sandbox, 1);
        sandbox.set_status(&theirs, "cancelled").unwrap();
        world.live_until("2027-02-15T09:00:00Z").await;
        world.live_until("2027-02-15T10:00:00Z").await;
        assert_eq!(world.states().await[0], "renewed ");
        if far_down {
            for now in ["2027-02-26T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-02T00:00:00Z", "2027-03-04T00:00:00Z"] {
                order_of(&sandbox, 9);
                world.live_until(now).await;
                world.engine.look_at_portal().await.unwrap();
            }
        }
        sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
        world.live_until("2027-03-05T00:00:00Z").await;
        world.engine.look_at_portal().await.unwrap();
        let told = world.told("strange:").await;
        assert_eq!(told.iter().any(|told| told.contains(&theirs) && told.contains("may be paid twice")), !far_down, "{told:?}");
        world.live_until("2028-02-16T09:01:00Z").await;
        assert_eq!(world.states().await, ["renewed ", "held foreign_order"], "far down: {far_down}");
        assert!(world.told("term:2:foreign_order").await[0].contains(&theirs));
        assert!(!world.told("strange:").await.is_empty());
    }
}

/// The customer had put it into his basket before the paid term began, and paid for it days before ours was due.
#[tokio::test]
async fn an_old_order_of_the_customer_that_is_paid_only_now_holds() {
    for status in ["pending", "cancelled"] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 1);
        let made = Some(at("2026-02-10T00:00:00Z"));
        let theirs = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: made }).order_no;
        sandbox.set_status(&theirs, status).unwrap();
        world.engine.look_at_portal().await.unwrap();
        world.live_until("2027-02-10T00:00:00Z").await;
        sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
        world.live_until("2027-02-15T09:00:00Z").await;
        assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held foreign_order".to_owned()], 1), "{status}");
        world.ask(Asked::ResolveOrdered { term: 1, order: theirs }).await.unwrap();
        world.live_until("2027-02-15T12:00:00Z").await;
        assert_eq!(world.states().await[0], "renewed ", "and the command of the message works");
    }
}

/// Somebody else's order turned up with an old date, and its details were never asked for: it held every renewal of the product.
#[tokio::test]
async fn an_old_order_of_another_customer_that_turns_up_holds_nothing() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    order_of(&sandbox, 7);
    world.engine.look_at_portal().await.unwrap();
    world.live_until("2027-02-13T00:00:00Z").await;
    let request = OrderRequest::rm_premium(Some(PortalId::known(9)), PortalId::known(5), PortalId::known(7), 1);
    let made = Some(at("2025-02-20T00:00:00Z"));
    sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: made });
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await[0], "renewed ");
}

/// An old basket of somebody else was paid, and its details, older than any that are read, were never asked for: it held every renewal of the product.
#[tokio::test]
async fn an_old_order_of_another_customer_that_is_paid_only_now_holds_nothing() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let request = OrderRequest::rm_premium(Some(PortalId::known(9)), PortalId::known(5), PortalId::known(7), 1);
    let made = Some(at("2025-11-20T00:00:00Z"));
    let theirs = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: made }).order_no;
    sandbox.set_status(&theirs, "pending").unwrap();
    world.engine.look_at_portal().await.unwrap();
    world.live_until("2027-02-10T00:00:00Z").await;
    sandbox.set_status(&theirs, SUCCEED.as_ref()).unwrap();
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await[0], "renewed ");
}

/// The details that were read again were a placeholder, without a status.
#[tokio::test]
async fn an_order_of_which_the_details_do_not_say_how_it_stands_stands_as_the_list_has_it() {
    for (status, orders, instead_of) in
        [(SUCCEED.as_ref(), 1, "orderStatus"), ("cancelled", 2, "orderStatus"), (SUCCEED.as_ref(), 1, "orderNo")]
    {
        let (mut world, sandbox, retold, theirs) = theirs_is_cancelled_and_far_down_the_list().await;
        sandbox.set_status(&theirs, status).unwrap();
        retold.say_where(&theirs, instead_of, "somethingElse");
        world.live_until("2028-02-16T09:01:00Z").await;
        let ours = sandbox.orders().iter().filter(|order| order.placed_by == PlacedBy::Us).count();
        assert_eq!(ours, orders, "{status}: {:?}", world.states().await);
    }
}

/// The same where the details were never read before: they had just been read, without a status, and were not read down to in the list.
#[tokio::test]
async fn an_order_whose_details_never_say_how_it_stands_stands_as_the_list_has_it() {
    for (status, orders) in [(SUCCEED.as_ref(), 1), ("cancelled", 2)] {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        retold.say_where("", "orderStatus", "somethingElse");
        sandbox.change(|settings| settings.list.page_cap = Some(2));
        world.live_until("2027-02-15T09:00:00Z").await;
        world.live_until("2027-03-05T00:00:00Z").await;
        let theirs = order_of(&sandbox, 1);
        sandbox.set_status(&theirs, "cancelled").unwrap();
        for now in ["2027-03-06T00:00:00Z", "2027-03-07T00:00:00Z", "2027-03-08T00:00:00Z", "2027-03-20T00:00:00Z"] {
            world.live_until(now).await;
            order_of(&sandbox, 9);
        }
        world.engine.look_at_portal().await.unwrap();
        world.live_until("2027-04-01T00:00:00Z").await;
        world.engine.look_at_portal().await.unwrap();
        sandbox.set_status(&theirs, status).unwrap();
        world.live_until("2028-02-16T09:01:00Z").await;
        let ours = sandbox.orders().iter().filter(|order| order.placed_by == PlacedBy::Us).count();
        assert_eq!(ours, orders, "{status}: {:?}", world.states().await);
    }
}

/// It was unpaid when the list last showed it, and was cancelled since: it held until the deadline.
#[tokio::test]
async fn an_order_that_was_unpaid_and_is_cancelled_holds_nothing_wherever_it_stands_in_the_list() {
    for (status, state) in [("cancelled", "placed "), ("pending", "held foreign_order")] {
        let (mut world, sandbox, _, theirs) = theirs_is_far_down_the_list("pending").await;
        sandbox.set_status(&theirs, status).unwrap();
        world.live_until("2028-02-16T09:01:00Z").await;
        assert_eq!(world.states().await[1], state);
    }
}

#[tokio::test]
async fn a_dead_order_of_the_customer_holds_nothing_and_waits_while_it_cannot_be_looked_at() {
    let (mut world, sandbox, retold, theirs) = theirs_is_cancelled_and_far_down_the_list().await;
    let ours = |sandbox: &Sandbox| sandbox.orders().iter().filter(|order| order.placed_by == PlacedBy::Us).count();
    retold.fail_where(&theirs, 503);
    world.live_until("2028-02-16T12:00:00Z").await;
    assert_eq!((world.states().await[1].as_str(), ours(&sandbox)), ("scheduled portal_trouble", 1));
    retold.recover();
    world.live_until("2028-02-16T12:10:00Z").await;
    assert_eq!(ours(&sandbox), 2);
}

#[tokio::test]
async fn a_dead_order_that_the_portal_does_not_show_any_more_is_not_waited_for() {
    let (mut world, sandbox, retold, theirs) = theirs_is_cancelled_and_far_down_the_list().await;
    retold.fail_where(&theirs, 404);
    world.live_until("2028-02-16T09:01:00Z").await;
    assert_eq!(sandbox.orders().iter().filter(|order| order.placed_by == PlacedBy::Us).count(), 2);
}

/// A command in an old message, or one that came a moment too late, meant the term that had just been renewed.
#[tokio::test]
async fn a_command_right_after_a_renewal_does_not_mean_the_next_year() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-02-15T10:00:00Z").await;
    let refused = world.ask(Asked::Skip { term: 2, early: false }).await.unwrap_err().to_string();
    assert!(refused.contains("renewed until 2028-03-01") && refused.contains("--term 2028-03-01"), "{refused}");
    let request_hash = world.request_hash(2).await;
    let refused =
        world.ask(Asked::Order { term: 2, request_hash: request_hash.clone(), early: false }).await.unwrap_err().to_string();
    assert!(refused.starts_with("one is renewed until 2028-03-01: the next term is not due before 2028-02-16"), "{refused}");
    world.ask(Asked::Order { term: 2, request_hash, early: true }).await.unwrap();
    world.live_until("2027-02-15T11:00:00Z").await;
    world.live_until("2027-02-15T12:00:00Z").await;
    let request_hash = world.request_hash(3).await;
    let refused = world.ask(Asked::Order { term: 3, request_hash, early: true }).await.unwrap_err().to_string();
    assert!(refused.contains("more than 400 days ahead"), "{refused}");
    assert_eq!(sandbox.orders().len(), 2);
}

/// The customer left in mid-term, the order was cancelled, and the entry stayed in the file: it was bought for another year.
#[tokio::test]
async fn a_term_whose_predecessor_is_not_paid_any_more_waits_for_a_person() {
    for status in ["cancelled", "refunded", "refunding", "pending"] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        world.live_until("2027-03-02T10:00:00Z").await;
        let ours = sandbox.orders()[0].order_no.clone();
        sandbox.set_status(&ours, status).unwrap();
        world.live_until("2028-02-16T10:00:00Z").await;
        assert_eq!((world.states().await, sandbox.orders().len()), (vec!["renewed ".to_owned(), "held lapsed".to_owned()], 1));
        assert!(
            world.told("term:2:lapsed").await[0]
                .contains(&format!("order {ours}, which had renewed it until 2028-03-01, is {status}"))
        );
        world.ask(Asked::Release { term: 2, orders: vec![ours] }).await.unwrap();
        world.live_until("2028-02-16T10:01:00Z").await;
        assert_eq!(sandbox.orders().len(), 2, "and then it goes");
    }
}

/// A dispute that ended well: the hold was for a person to end, and nobody did.
#[tokio::test]
async fn a_term_goes_on_when_the_one_before_it_is_paid_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-03-02T10:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    for (status, now, state, orders) in [
        ("refunding", "2028-02-16T10:00:00Z", "held lapsed", 1),
        ("refunding", "2028-02-17T10:00:00Z", "held lapsed", 1),
        ("succeed", "2028-02-18T10:00:00Z", "placed ", 2),
    ] {
        sandbox.set_status(&ours, status).unwrap();
        world.live_until(now).await;
        assert_eq!((world.states().await[1].as_str(), sandbox.orders().len()), (state, orders));
    }
}

/// A busy account: what became of last year's order stands further back than the list is read.
#[tokio::test]
async fn the_order_before_is_looked_at_however_far_back_it_stands() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-03-02T10:00:00Z"] {
        world.live_until(now).await;
    }
    retold.say_where(&sandbox.orders()[0].order_no, "succeed", "refunded");
    world.live_until("2028-02-16T10:00:00Z").await;
    assert_eq!((world.states().await[1].as_str(), sandbox.orders().len()), ("held lapsed", 1));
}

/// Refunded before the term began, set aside, and left at that: "nothing is ordered for it any more", and the year after it was.
#[tokio::test]
async fn a_term_goes_no_further_than_the_one_before_it() {
    let (mut world, sandbox) = refunded_and_set_aside().await;
    for now in ["2027-03-02T00:00:00Z", "2028-02-17T00:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await[1].as_str(), sandbox.orders().len()), ("held lapsed", 1));
}

/// It failed at a trigger, with the words of the database.
#[tokio::test]
async fn another_chain_ends_the_next_term_of_the_old_one_too() {
    let (mut world, _) = refunded_and_set_aside().await;
    let to = jiff::civil::date(2027, 3, 20);
    world.ask(Asked::Rebase { subscription: 1, to, why: "it begins later".to_owned(), far: false }).await.unwrap();
    assert_eq!(world.states().await, ["skipped rebased", "skipped rebased", "scheduled "]);
}

/// One order of a stranger, of which the portal gives no details: every renewal waited for it until it was missed, and no command helped.
#[tokio::test]
async fn an_order_that_never_reads_holds_by_name_after_a_day_and_a_person_can_go_on() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.clock.set(at("2027-02-10T00:00:00Z"));
    let theirs = order_of(&sandbox, 9);
    retold.fail_where(&theirs, 500);
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["scheduled portal_trouble"], "it may be for a moment");
    for now in ["2027-02-15T15:00:00Z", "2027-02-15T21:00:00Z", "2027-02-16T03:00:00Z", "2027-02-16T08:00:00Z"] {
        world.live_until(now).await;
        assert_eq!(world.states().await, ["scheduled portal_trouble"], "{now}");
    }
    world.live_until("2027-02-16T10:00:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    assert!(world.told("term:1:foreign_order").await[0].contains(&theirs));
    world.ask(Asked::Release { term: 1, orders: vec![theirs] }).await.unwrap();
    world.live_until("2027-02-16T10:01:00Z").await;
    assert_eq!(sandbox.orders().len(), 2);
}

/// One byte that is no UTF-8 in the details of a stranger's order: counted in memory, it began anew with each `run --once`, and every renewal of the
/// account waited until it was missed.
#[tokio::test]
async fn an_order_whose_details_are_garbage_holds_by_name_also_where_nothing_stays_in_memory() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.clock.set(at("2027-02-10T00:00:00Z"));
    let theirs = order_of(&sandbox, 9);
    retold.say_where(&theirs, "\"code\"", "code");
    for (now, state) in [("2027-02-15T09:00:00Z", "scheduled portal_trouble"), ("2027-02-16T09:00:00Z", "held foreign_order")] {
        world.live_until(now).await;
        assert_eq!(world.states().await, [state]);
    }
    assert!(world.told("term:1:foreign_order").await[0].contains(&theirs));
}

/// He got another id in the portal, which all his orders show since, ours of last year too: what a colleague ordered for him was another customer's, and ours went on top (twentieth
/// hunt).
#[tokio::test]
async fn an_order_for_a_customer_who_is_shown_under_another_id_by_now_holds() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    let another = "[[renewal]]\nname = \"two\"\npartner_id = 2\nexpires_on = 2027-03-03\n";
    world.take_text(&format!("{}{another}", file("2027-03-01"))).await;
    for day in 15..=19 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    world.live_until("2027-03-04T10:00:00Z").await;
    retold.say_where("", r#""partnerId":"1""#, r#""partnerId":"77""#);
    world.clock.set(at("2028-02-08T09:00:00Z"));
    let theirs = order_of(&sandbox, 77);
    let neighbours = order_of(&sandbox, 9);
    world.live_until("2028-02-16T09:00:00Z").await;
    assert_eq!(sandbox.orders().len(), 4, "{:?}", world.states().await);
    let told = world.told("term:").await;
    assert!(told[0].contains(&theirs) && !told[0].contains(&neighbours), "{told:?}");
}
