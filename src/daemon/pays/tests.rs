use crate::daemon::commands::Asked;
use crate::daemon::testing::{BEGIN, World, at, order_of};
use crate::ids::PortalId;
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED};

/// It was missed, bought by hand and begun anew, as the message says. A year later that very order held it, as one that may have renewed it, and was taken
/// for the next year: nobody was told of the year that lapsed.
#[tokio::test]
async fn what_was_bought_by_hand_pays_the_chain_that_begins_with_it_and_no_other_year() {
    for others in [0, 1] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.ask(Asked::Hold { term: 1 }).await.unwrap();
        world.live_until("2027-03-02T10:00:00Z").await;
        world.ask(Asked::Release { term: 1, orders: vec![] }).await.unwrap();
        world.live_until("2027-03-02T12:00:00Z").await;
        assert_eq!(world.states().await, ["missed deadline_passed"]);
        world.live_until("2027-03-03T10:00:00Z").await;
        let by_hand = order_of(&sandbox, 1);
        (0..others).for_each(|_| drop(order_of(&sandbox, 1)));
        world.engine.look_at_portal().await.unwrap();
        world.engine.read_details(i64::MAX, Some(at(BEGIN))).await.unwrap().unwrap();
        let to = jiff::civil::date(2028, 3, 3);
        let answer = world.ask(Asked::Rebase { subscription: 1, to, why: "bought by hand".to_owned(), far: false }).await;
        let counts = format!("order {by_hand} of 2027-03-03 counts as what is paid until then");
        assert_eq!(answer.unwrap().contains(&counts), others == 0);
        for now in ["2028-02-18T10:00:00Z", "2028-02-18T11:00:00Z"] {
            world.live_until(now).await;
        }
        if others == 0 {
            assert_eq!(world.states().await, ["skipped rebased", "renewed ", "scheduled "]);
            continue;
        }
        assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"]);
        assert!(world.told("term:2:foreign_order").await[0].contains(&format!("{by_hand} of 2027-03-03")));
        let named = Asked::ResolveOrdered { term: 2, order: by_hand };
        let refused = world.ask(named).await.unwrap_err().to_string();
        assert!(refused.contains("most likely pays that one: look in the portal"), "{refused}");
    }
}

/// The same after a refund in mid-term, where the list was not read as the chain was begun anew.
#[tokio::test]
async fn what_was_bought_by_hand_after_a_refund_pays_no_other_year_either() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-03-02T10:00:00Z"] {
        world.live_until(now).await;
    }
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.clock.set(at("2027-04-20T10:00:00Z"));
    let order = order_of(&sandbox, 1);
    let to = jiff::civil::date(2028, 4, 20);
    world.ask(Asked::Rebase { subscription: 1, to, why: "bought by hand".to_owned(), far: false }).await.unwrap();
    world.clock.set(at("2028-04-01T10:00:00Z"));
    order_of(&sandbox, 1);
    world.live_until("2028-04-06T10:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "skipped rebased", "held foreign_order"]);
    let refused = world.ask(Asked::ResolveOrdered { term: 3, order }).await.unwrap_err().to_string();
    assert!(refused.contains("most likely pays that one: look in the portal"), "{refused}");
}

/// The customer renewed beside ours, and ours was the one that was cancelled, as the message had it. A year later the customer's was taken for the next.
#[tokio::test]
async fn an_order_beside_ours_that_died_pays_the_term_that_ours_was_for() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-02-20T10:00:00Z"] {
        world.live_until(now).await;
    }
    let order = order_of(&sandbox, 1);
    world.live_until("2027-03-02T10:00:00Z").await;
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.clock.set(at("2027-03-10T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    let beside = world.told("strange:").await.len();
    order_of(&sandbox, 1);
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_details(i64::MAX, Some(at("2027-03-09T10:00:00Z"))).await.unwrap().unwrap();
    assert_eq!(world.told("strange:").await.len(), beside, "nothing lives beside it");
    world.live_until("2028-02-16T10:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "held foreign_order"]);
    let refused = world.ask(Asked::ResolveOrdered { term: 2, order }).await.unwrap_err().to_string();
    assert!(refused.contains("most likely pays that one"), "{refused}");
}

/// Refused, with the advice to order on top, although the list shows which order pays what is paid today.
#[tokio::test]
async fn an_order_from_the_beginning_of_the_paid_term_pays_the_next_where_another_pays_that() {
    for paid_before in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let made = |at_: &str, partner: u64| {
            let request = OrderRequest::rm_premium(Some(PortalId::known(partner)), PortalId::known(5), PortalId::known(7), 3);
            let created_at = Some(at(at_));
            sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at }).order_no
        };
        made("2026-02-20T00:00:00Z", if paid_before { 1 } else { 9 });
        let further = made("2026-03-05T00:00:00Z", 1);
        world.live_until("2027-02-15T09:00:00Z").await;
        assert_eq!(world.states().await, ["held foreign_order"]);
        world.engine.read_details(i64::MAX, Some(at("2026-01-01T00:00:00Z"))).await.unwrap().unwrap();
        let named = world.ask(Asked::ResolveOrdered { term: 1, order: further }).await;
        assert_eq!(named.is_ok(), paid_before, "{named:?}");
    }
}

/// The customer renewed for three years, the message offered `resolve --order-no`, and a year later another one was bought on top.
#[tokio::test]
async fn an_order_of_another_length_does_not_pay_a_term_and_the_answer_names_what_helps() {
    for (cycle, multi, months) in [("annually", 3, "36 months"), ("monthly", 0, "1 months")] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let mut request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
        (request.service_list[0].billing_cycle, request.service_list[0].multi_cycle) = (cycle.to_owned(), multi);
        let theirs = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: None }).order_no;
        world.live_until("2027-02-15T09:00:00Z").await;
        assert_eq!(world.states().await, ["held foreign_order"]);
        let refused = world.ask(Asked::ResolveOrdered { term: 1, order: theirs }).await.unwrap_err().to_string();
        assert!(refused.contains(months) && refused.contains("renewd rebase one DATE"), "{refused}");
        let to = jiff::civil::date(2030, 3, 1);
        world.ask(Asked::Rebase { subscription: 1, to, why: "renewed for three years".to_owned(), far: true }).await.unwrap();
        world.live_until("2029-12-01T00:00:00Z").await;
        assert_eq!(sandbox.orders().len(), 1);
    }
}

/// A trial, a first purchase, another service or three of ten counted as the renewal, as the message had it, and ours lapsed untold. What was not learned to
/// come back refuses nothing.
#[tokio::test]
async fn an_order_that_renews_something_else_does_not_pay_a_term() {
    type Changes = fn(&mut OrderRequest);
    let cases: [(Changes, &str); 5] = [
        (|request| request.operation_type = "trial_service".to_owned(), "renews nothing"),
        (|request| request.operation_type = "purchase_service".to_owned(), "renews nothing"),
        (|request| request.service_list[0].service_id = PortalId::known(8), "another service (8)"),
        (|request| request.service_list[0].quantity = Some(2), "is for 2, and one is renewed for 3"),
        (
            |request| {
                let mut line = request.service_list[0].clone();
                (line.service_id, line.quantity) = (PortalId::known(8), Some(10));
                request.service_list[0].quantity = Some(2);
                request.service_list.insert(0, line);
            },
            "is for 2, and one is renewed for 3",
        ),
    ];
    for (changes, why) in cases {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2028-02-10T00:00:00Z"] {
            world.live_until(now).await; // the first is read back, and its fields are learned
        }
        let mut request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
        changes(&mut request);
        let theirs = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: None }).order_no;
        world.live_until("2028-02-16T09:00:00Z").await;
        assert_eq!(world.states().await, ["renewed ", "held foreign_order"]);
        let refused = world.ask(Asked::ResolveOrdered { term: 2, order: theirs.clone() }).await.unwrap_err().to_string();
        assert!(refused.contains(why) && refused.contains("renewd rebase one DATE"), "{refused}");
    }
}

/// Every renewal goes by the name of a purchase in this portal: the customer's was refused, with the advice to order on top of it.
#[tokio::test]
async fn what_the_portal_calls_ours_is_a_renewal_too() {
    for ours_seen in [true, false] {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        retold.say_where("", "renew_service", "purchase");
        let year = if ours_seen {
            for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
                world.live_until(now).await;
            }
            2028
        } else {
            2027
        };
        world.live_until(&format!("{year}-02-10T00:00:00Z")).await;
        let request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
        let theirs = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: None }).order_no;
        world.live_until(&format!("{year}-02-16T09:01:00Z")).await;
        let term = year - 2026;
        let named = world.ask(Asked::ResolveOrdered { term, order: theirs }).await.map_err(|refused| refused.to_string());
        match named {
            Ok(_) => assert!(ours_seen),
            Err(refused) => {
                assert!(!ours_seen && refused.contains("renews nothing") && !refused.contains("release"), "{refused}");
            }
        }
    }
}

/// Customer and colleague had each renewed it. A person took the later order, and the earlier one counted for nothing, untold: ours went on top of it.
#[tokio::test]
async fn of_two_orders_the_one_that_a_person_did_not_take_holds_the_next_term() {
    for later in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-08T10:00:00Z").await;
        let first = order_of(&sandbox, 1);
        world.live_until("2027-02-09T10:00:00Z").await;
        let second = order_of(&sandbox, 1);
        world.live_until("2027-02-15T09:00:00Z").await;
        assert_eq!(world.states().await, ["held foreign_order"]);
        let (taken, left) = if later { (second, first) } else { (first, second) };
        let answer = world.ask(Asked::ResolveOrdered { term: 1, order: taken }).await.unwrap();
        assert!(answer.contains(&format!("order {left} of 2027-02-")), "{answer}");
        for now in ["2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z", "2028-02-16T10:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(world.states().await, ["renewed ", "held foreign_order"], "{later}");
        let told = world.told("term:2:foreign_order").await;
        assert!(told[0].contains(&left), "{told:?}");
    }
}

/// Ours died, was set aside and bought by hand, and lives again: taken, as the message had it, it counted as the year after.
#[tokio::test]
async fn an_order_of_ours_pays_no_term_of_another_chain_a_year_later() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "refunded").unwrap();
    world.live_until("2027-02-18T12:00:00Z").await;
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    world.live_until("2027-02-20T10:00:00Z").await;
    let theirs = order_of(&sandbox, 1);
    world.live_until("2027-02-21T10:00:00Z").await;
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_details(i64::MAX, Some(at(BEGIN))).await.unwrap().unwrap();
    let to = jiff::civil::date(2028, 2, 21);
    world.ask(Asked::Rebase { subscription: 1, to, why: "bought by hand".to_owned(), far: false }).await.unwrap();
    sandbox.set_status(&ours, "succeed").unwrap();
    world.clock.set(at("2027-02-25T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    let told = world.told("strange:").await.pop().unwrap();
    assert!(told.contains("is succeed again") && told.contains(&format!("order {theirs} is for the same")), "{told}");
    assert!(told.contains("renewd rebase one DATE") && !told.contains("--order-no"), "{told}");
    let term = 3;
    let refused = world.ask(Asked::ResolveOrdered { term, order: ours }).await.unwrap_err().to_string();
    assert!(refused.contains("was sent for the term from 2027-03-01"), "{refused}");
}
