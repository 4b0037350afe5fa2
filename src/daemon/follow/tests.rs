use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, at, order_of};
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED};

/// The first order is through, and it is the time of the second.
async fn second_year(world: &mut World) {
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2028-02-16T09:00:00Z"] {
        world.live_until(now).await;
    }
}

/// Its answer is a success; whose it is stands in its details only, which nobody read.
#[tokio::test]
async fn an_order_that_the_portal_carried_out_for_another_customer_does_not_count_as_renewed() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    second_year(&mut world).await;
    let second = &sandbox.orders()[1];
    let po_number = second.request.po_number.clone().unwrap();
    // Only in the details that carry this number: the first order is shown as ever.
    retold.say_where(&po_number, r#""partnerId":"1""#, r#""partnerId":"9""#);
    world.live_until("2028-02-16T11:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "placed not_listed"]);
    assert!(world.told("term:2:not_listed").await[0].contains("shows for another product, customer"));
}

/// The same, and the portal shows every order under that name by now: it is its way to show them that changed.
#[tokio::test]
async fn a_portal_that_shows_all_of_ours_otherwise_than_it_did_mixes_nothing_up() {
    let (mut world, _, retold) = World::before_sandbox().await;
    second_year(&mut world).await;
    retold.say_where("", r#""partnerId":"1""#, r#""partnerId":"9""#);
    world.live_until("2028-02-16T11:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "renewed ", "scheduled "]);
    assert!(world.told("term:").await.is_empty());
}

/// A person has said so once; the next year it is no news.
#[tokio::test]
async fn a_customer_who_is_shown_under_another_name_is_asked_about_once() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    second_year(&mut world).await;
    let shown_alike = |order: usize| {
        let po_number = sandbox.orders()[order].request.po_number.clone().unwrap();
        retold.say_where(&po_number, r#""partnerId":"1""#, r#""partnerId":"9""#);
    };
    shown_alike(1);
    world.live_until("2028-02-16T11:00:00Z").await;
    let order = sandbox.orders()[1].order_no.clone();
    world.ask(Asked::ResolveOrdered { term: 2, order }).await.unwrap();
    world.live_until("2028-02-16T11:01:00Z").await;
    world.live_until("2029-02-15T09:00:00Z").await;
    shown_alike(2);
    world.live_until("2029-02-15T11:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "renewed ", "renewed ", "scheduled "]);
    assert_eq!(world.told("term:").await.len(), 1);
}

/// R23 looks at an order until its term has begun. What the list shows after that is told as well.
#[tokio::test]
async fn an_order_that_is_refunded_after_its_term_began_is_told() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    second_year(&mut world).await;
    world.live_until("2028-03-05T00:00:00Z").await;
    sandbox.set_status(&sandbox.orders()[1].order_no, "refunded").unwrap();
    world.clock.set(at("2028-03-06T00:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    let told = world.told("strange:").await;
    assert!(told[0].contains("which had renewed it until 2029-03-01, is refunded now"), "{told:?}");
    world.clock.set(at("2028-03-07T00:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    assert_eq!(world.told("strange:").await.len(), 1, "once");
}

/// R19: the details cut our number off, and show the customer by name. The first order, answered with success, was taken for another one of ours,
/// then for absent, and bought again.
#[tokio::test]
async fn an_order_whose_number_comes_back_cut_off_is_the_one_that_was_sent() {
    for cut in ["RW-test-".len(), 14, 17] {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        let sent = sandbox.orders()[0].request.po_number.clone().unwrap();
        retold.say_where("", &sent, &sent[..cut]);
        retold.say_where("", r#""partnerId":"1""#, r#""partnerId":"CU1""#);
        for day in 15..=28 {
            world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
        }
        assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("renewed ", 1), "cut to {cut}");
    }
}

/// It stood in the mirror within the hour, and was told a year later: nobody read its details before the next order was due.
#[tokio::test]
async fn a_renewal_by_the_customer_just_after_ours_is_told_while_ours_is_watched() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    let theirs = order_of(&sandbox, 1);
    world.live_until("2027-02-16T12:00:00Z").await;
    world.live_until("2027-02-18T12:00:00Z").await;
    let told = world.told("strange:").await;
    assert!(told.len() == 1 && told[0].contains(&format!("somebody else's order {theirs}")), "{told:?}");
}

/// The row says `succeed`, the details say what has become of it.
#[tokio::test]
async fn an_order_that_only_its_details_call_dead_does_not_count_as_renewed() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    retold.say_where(&ours, "succeed", "cancelled");
    world.live_until("2027-02-15T10:00:00Z").await;
    assert_eq!(world.states().await, ["held dead_order"]);

    let (mut world, sandbox, retold) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    retold.say_where(&sandbox.orders()[0].order_no, "succeed", "refunded");
    world.live_until("2027-02-16T12:00:00Z").await;
    assert_eq!(world.states().await, ["held refunded_later", "scheduled "], "and later");
    retold.say_where(&sandbox.orders()[0].order_no, "refunded", "succeed");
    world.live_until("2027-02-17T12:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "scheduled "], "and they think better of it");
}

/// A word that nobody knows: every command was refused, and it was told weekly for a year.
#[tokio::test]
async fn what_an_unknown_status_means_is_for_a_person_to_say() {
    for (word, paid) in [("completed", true), ("canceled", false)] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        let ours = sandbox.orders()[0].order_no.clone();
        sandbox.set_status(&ours, word).unwrap();
        world.live_until("2027-02-19T12:00:00Z").await;
        let told = world.told("term:1:pending_long").await;
        assert!(
            told[0].contains(&format!("renewd resolve one --order-no {ours} (it is paid) or renewd resolve one --void")),
            "{told:?}"
        );
        if paid {
            world.ask(Asked::ResolveOrdered { term: 1, order: ours }).await.unwrap();
        } else {
            world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
        }
        for now in ["2027-02-19T12:01:00Z", "2027-02-20T14:00:00Z"] {
            world.live_until(now).await;
        }
        let states = if paid { vec!["renewed ", "scheduled "] } else { vec!["awaiting_approval not_ordered"] };
        assert_eq!(world.states().await, states);
        if !paid {
            let request_hash = world.request_hash(1).await;
            world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
            world.live_until("2027-02-20T14:01:00Z").await;
            assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("placed ", 2));
        }
    }
}

/// The list says paid, the details say cancelled. The advice was `--void`, and the next order was a second one.
#[tokio::test]
async fn an_order_that_the_list_shows_as_paid_is_not_set_aside_for_what_its_details_say() {
    for paid in [true, false] {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
            world.live_until(now).await;
        }
        let ours = sandbox.orders()[0].order_no.clone();
        retold.say_where(&ours, "succeed", "cancelled");
        world.live_until("2027-02-16T12:00:00Z").await;
        assert_eq!(world.states().await, ["held refunded_later", "scheduled "]);
        for asked in [Asked::ResolveVoid { term: 1 }, Asked::Skip { term: 1, early: false }] {
            let refused = world.ask(asked).await.unwrap_err().to_string();
            assert!(
                refused.contains("list shows order") && refused.contains("as succeed, and only its details as cancelled"),
                "{refused}"
            );
        }
        if paid {
            world.ask(Asked::ResolveOrdered { term: 1, order: ours }).await.unwrap();
            for now in ["2027-02-16T12:01:00Z", "2027-02-18T12:00:00Z", "2027-02-27T12:00:00Z"] {
                world.live_until(now).await;
            }
            assert_eq!((world.states().await, sandbox.orders().len()), (vec!["renewed ".into(), "scheduled ".into()], 1));
        } else {
            world.live_until("2027-02-24T12:00:00Z").await;
            world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
        }
    }
}

/// The list said `pending`, the details said cancelled, and `--void` was offered and taken at once: the next order was a second one, and both were paid.
#[tokio::test]
async fn an_order_that_the_list_shows_as_payable_is_not_set_aside_for_what_its_details_say() {
    for (word, was_paid) in [("pending", false), ("confirming", false), ("pending", true)] {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        let ours = sandbox.orders()[0].order_no.clone();
        if was_paid {
            world.live_until("2027-02-15T10:00:00Z").await;
        }
        sandbox.set_status(&ours, word).unwrap();
        retold.say_where(&ours, word, "cancelled");
        for day in 16..=19 {
            world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
        }
        let held = if was_paid { "held refunded_later" } else { "held dead_order" };
        assert_eq!(world.states().await[0], held, "{word}");
        if !was_paid {
            let told = world.told("term:1:dead_order").await;
            assert!(told[0].contains(&format!("cancelled in the portal by its details, and {word} in the list")), "{told:?}");
        }
        for asked in [Asked::ResolveVoid { term: 1 }, Asked::Skip { term: 1, early: false }] {
            let refused = world.ask(asked).await.unwrap_err().to_string();
            assert!(refused.contains(&format!("as {word}, and only its details as cancelled")), "{refused}");
        }
        // A list that keeps the row as it was is believed for a week; then the order that is approved is held for it, by name.
        world.live_until("2027-02-27T12:00:00Z").await;
        world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
        let request_hash = world.request_hash(1).await;
        world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
        world.live_until("2027-02-27T12:01:00Z").await;
        assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("held foreign_order", 1), "{word}");
        assert!(world.told("term:1:foreign_order").await[0].contains(&ours));
    }
}

/// Paid or not, nobody could say: the message was to pay it or to cancel it, and neither can be done to an order that is paid.
#[tokio::test]
async fn an_order_without_a_status_is_for_a_person_to_say() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "").unwrap();
    sqlx::query("UPDATE attempt SET order_status = NULL").execute(&mut world.engine.store.conn).await.unwrap();
    world.live_until("2027-02-19T12:00:00Z").await;
    let told = world.told("term:1:pending_long").await;
    assert!(told[0].contains(&format!("renewd resolve one --order-no {ours} (it is paid)")), "{told:?}");
    world.ask(Asked::ResolveOrdered { term: 1, order: ours }).await.unwrap();
    world.live_until("2027-02-19T12:01:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "scheduled "]);
}

/// The list showed it first of all, as pending, and its details said that there is none. It was told to show nowhere, `--void` was taken, and both were
/// paid.
#[tokio::test]
async fn an_order_that_the_list_shows_as_payable_is_not_set_aside_for_details_that_are_not_there() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "pending").unwrap();
    retold.fail_where(&ours, 404);
    for day in 15..=19 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert_eq!(world.states().await, ["placed pending_long"]);
    let refused = world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap_err().to_string();
    assert!(refused.contains("pay it there, or cancel it there first"), "{refused}");
    // A list that keeps the row as it was is believed for a week; then the order that is approved is held for it, by name.
    world.live_until("2027-02-27T12:00:00Z").await;
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    world.live_until("2027-02-27T12:01:00Z").await;
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("held foreign_order", 1));
    assert!(world.told("term:1:foreign_order").await[0].contains(&ours));
}

/// The row said `pending` for two months, its details could not be read, and nothing was said but "it is placed".
#[tokio::test]
async fn an_order_whose_details_cannot_be_read_stands_as_the_list_has_it() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "pending").unwrap();
    retold.fail_where(&ours, 500);
    for day in 15..=21 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert_eq!(world.states().await, ["placed pending_long"]);
    assert!(world.told("term:1:pending_long").await[0].contains("it is not renewed until it is paid"));
    sandbox.set_status(&ours, "succeed").unwrap();
    world.live_until("2027-02-22T12:00:00Z").await;
    world.live_until("2027-02-23T12:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "scheduled "]);
}

/// An order that was removed before anybody paid it, on a portal that has no word for "there is none": no command helped.
#[tokio::test]
async fn an_order_that_neither_the_list_nor_its_details_show_is_for_a_person_to_look_for() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "pending").unwrap();
    world.live_until("2027-02-15T12:00:00Z").await;
    sandbox.list_from(&ours, at("2037-01-01T00:00:00Z")).unwrap();
    retold.fail_where(&ours, 500);
    for day in 16..=21 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert_eq!(world.states().await, ["placed not_listed"]);
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    assert_eq!(world.states().await, ["awaiting_approval not_ordered"]);
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    world.live_until("2027-02-21T12:01:00Z").await;
    assert_eq!(world.states().await, ["held list_lacks"]);
    world.ask(Asked::Release { term: 1, orders: vec![ours] }).await.unwrap();
    world.live_until("2027-02-21T12:02:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["placed ".to_owned()], 2), "nor does it hold the next");
}

/// A look every fifteen minutes, for a year.
#[tokio::test]
async fn what_is_renewed_is_not_asked_about_without_end_where_its_details_cannot_be_read() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    sandbox.change(|settings| settings.list.page_cap = Some(2));
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    retold.fail_where(&sandbox.orders()[0].order_no, 500);
    for day in 16..=28 {
        order_of(&sandbox, 9);
        order_of(&sandbox, 9);
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert_eq!(world.states().await, ["renewed ", "scheduled "]);
    let next = "SELECT act_at FROM term WHERE id = 1";
    let next: String = sqlx::query_scalar(next).fetch_one(&mut world.engine.store.conn).await.unwrap();
    assert_eq!(next, "2027-03-01T00:00:00.000Z");
}

/// "Is refunding again, nothing is to be done", two days after it was told as not paid any more; a year later the next was ordered after it.
#[tokio::test]
async fn an_order_that_succeeded_and_is_not_paid_any_more_is_held_until_it_is_paid_again() {
    for word in ["refunding", "pending"] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
            world.live_until(now).await;
        }
        let ours = sandbox.orders()[0].order_no.clone();
        sandbox.set_status(&ours, word).unwrap();
        for day in [16, 18, 20] {
            world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
        }
        assert_eq!(world.states().await, ["held refunded_later", "scheduled "], "{word}");
        let voided = world.ask(Asked::ResolveVoid { term: 1 }).await;
        assert_eq!(voided.is_ok(), word == "refunding", "{voided:?}");
        if voided.is_err() {
            sandbox.set_status(&ours, "succeed").unwrap();
            for day in [22, 23] {
                world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
            }
            assert_eq!(world.states().await, ["renewed ", "scheduled "]);
        }
    }
}

/// What comes before was renewed once, and somebody pays for its second order, or does not.
#[tokio::test]
async fn nothing_is_ordered_after_a_term_whose_order_waits_to_be_paid() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    sandbox.set_status(&sandbox.orders()[0].order_no, "cancelled").unwrap();
    world.live_until("2027-02-17T12:00:00Z").await;
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    world.live_until("2027-02-17T12:01:00Z").await;
    let second = sandbox.orders()[1].order_no.clone();
    sandbox.set_status(&second, "pending").unwrap();
    for now in ["2027-02-22T12:00:00Z", "2028-02-15T09:00:00Z", "2028-02-17T09:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["placed pending_long".into(), "held lapsed".into()], 2));
}

/// Ours was called somebody else's, and no command took it for ours.
#[tokio::test]
async fn an_order_that_gets_another_number_when_it_is_paid_can_be_named() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].clone();
    sandbox.set_status(&ours.order_no, "pending").unwrap();
    world.live_until("2027-02-15T12:00:00Z").await;
    sandbox.list_from(&ours.order_no, at("2037-01-01T00:00:00Z")).unwrap();
    let request = OrderRequest { po_number: None, ..ours.request };
    let paid = sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at: None }).order_no;
    let id = sandbox.orders()[1].id.to_string();
    sqlx::query("UPDATE attempt SET order_id = $1").bind(id).execute(&mut world.engine.store.conn).await.unwrap();
    for day in 16..=21 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    let told = world.told("strange:").await;
    assert!(told[0].contains("it may be ours under another number"), "{told:?}");
    world.ask(Asked::ResolveOrdered { term: 1, order: paid }).await.unwrap();
    world.live_until("2027-02-21T12:01:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "scheduled "]);
    for now in ["2028-02-16T09:01:00Z", "2028-02-16T10:01:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await, ["renewed ", "renewed ", "scheduled "], "and by its old number it holds nothing");
}

/// It was told that the date is doubtful, and the next one went in the same tick.
#[tokio::test]
async fn after_an_order_that_was_paid_late_there_is_time_to_say_until_when() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "pending").unwrap();
    for now in ["2027-02-20T09:00:00Z", "2028-02-17T09:00:00Z"] {
        world.live_until(now).await;
    }
    sandbox.set_status(&ours, "succeed").unwrap();
    world.clock.set(at("2028-02-18T09:00:00Z"));
    world.live_until("2028-02-25T09:00:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["renewed ".into(), "scheduled ".into()], 1));
    assert!(world.told("term:1:paid_late").await[0].contains("it counts as paid until 2028-03-01"));
    world.live_until("2028-02-26T09:00:00Z").await;
    assert_eq!(sandbox.orders().len(), 2);
}

/// The second refund of one order, in mid-term, was the same news as the first (twentieth hunt).
#[tokio::test]
async fn an_order_that_dies_again_after_it_was_paid_again_is_told_again() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-03-01T12:00:00Z", "2027-03-05T12:00:00Z"] {
        world.live_until(now).await;
    }
    let ours = sandbox.orders()[0].order_no.clone();
    for (day, status) in [(1, "refunded"), (5, "succeed"), (9, "refunded")] {
        world.clock.set(at(&format!("2027-05-{day:02}T12:00:00Z")));
        sandbox.set_status(&ours, status).unwrap();
        world.engine.look_at_portal().await.unwrap();
        world.live_until(&format!("2027-05-{day:02}T12:01:00Z")).await;
    }
    assert_eq!(world.told(&format!("strange:{ours}:died")).await.len(), 2);
}
