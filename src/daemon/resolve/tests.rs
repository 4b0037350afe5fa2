//! Orders of unknown fate that are there, in another order.

use std::sync::Arc;

use crate::clock::ManualClock;
use crate::daemon::testing::{BEGIN, Retelling, Retold, World, at, file, order_of};
use crate::ids::PortalId;
use crate::sandbox::settings::{Echo, ListSettings, Shows};
use crate::sandbox::{Effect, Endpoint, Fault, Foreign, OrderRequest, PlacedBy, Reply, Sandbox, Settings, Target};
use crate::simulation::line::Line;

/// A basket: an unpaid order of the customer's, older than ours, took in what was sent. Its number stood there for two days, was held to be absent, and
/// sent again.
#[tokio::test]
async fn an_order_whose_number_stands_in_an_older_one_is_not_sent_again() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.clock.set(at("2027-02-10T00:00:00Z"));
    let basket = order_of(&sandbox, 9);
    world.engine.look_at_portal().await.unwrap();
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Undone, reply: Reply::Close }, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    let number: String =
        sqlx::query_scalar("SELECT po_number FROM attempt").fetch_one(&mut world.engine.store.conn).await.unwrap();
    drop(retold);
    sqlx::query("UPDATE portal_order SET row = json_set(row, '$.remark', $1)")
        .bind(&number)
        .execute(&mut world.engine.store.conn)
        .await
        .unwrap();
    for day in 15..=20 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["unknown no_evidence".to_owned()], 1));
    assert!(world.told("term:1:no_evidence").await[0].contains(&basket));
}

/// The same, where the basket keeps a number of its own: nothing names our order anywhere. Unpaid, or paid since, it may be the one.
#[tokio::test]
async fn an_unpaid_order_of_the_same_customer_may_have_taken_ours_in() {
    for paid_later in [false, true] {
        let (mut world, sandbox, _retold) = World::before_sandbox().await;
        world.clock.set(at("2027-01-10T00:00:00Z"));
        let unpaid = |partner| {
            let request = OrderRequest::rm_premium(Some(PortalId::known(partner)), PortalId::known(5), PortalId::known(7), 1);
            let created_at = Some(at("2025-12-01T00:00:00Z"));
            sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: "pending".into(), created_at }).order_no
        };
        let (basket, others) = (unpaid(1), unpaid(9));
        world.engine.look_at_portal().await.unwrap();
        sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Undone, reply: Reply::Close }, 1);
        world.live_until("2027-02-15T09:00:00Z").await;
        assert_eq!(world.states().await, ["unknown finding_out"]);
        if paid_later {
            sandbox.set_status(&basket, "succeed").unwrap();
        }
        for day in 15..=20 {
            world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
        }
        assert_eq!((world.states().await, sandbox.orders().len()), (vec!["unknown no_evidence".to_owned()], 2));
        let told = world.told("term:1:no_evidence").await;
        assert!(told[0].contains(&basket) && !told[0].contains(&others), "{told:?}");
    }
}

/// Between two looks for it the order turned up as a colleague's would, in a list that was read for another renewal, and held that.
#[tokio::test]
async fn an_order_that_is_looked_for_and_turns_up_holds_nobody_else() {
    let (mut world, sandbox, _retold) = World::before_sandbox().await;
    let another = "[[renewal]]\nname = \"own\"\nexpires_on = 2027-02-27\n";
    world.take_text(&format!("{}{another}", file("2027-03-01"))).await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Done, reply: Reply::Close }, 1);
    world.live_until("2027-02-13T09:00:00Z").await;
    assert_eq!(world.states().await, ["scheduled ", "unknown finding_out"]);
    sqlx::query("UPDATE term SET act_at = '2027-02-20T00:00:00.000Z' WHERE state = 'unknown'")
        .execute(&mut world.engine.store.conn)
        .await
        .unwrap();
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(
        (world.states().await, sandbox.orders().len()),
        (vec!["placed ".to_owned(), "renewed ".to_owned(), "scheduled ".to_owned()], 2)
    );
}

/// His orders show another id in the portal, the old ones too, since he was registered anew; those of another customer, of whom it was learned, do not. His lost order was proven absent, and
/// sent again (twentieth hunt).
#[tokio::test]
async fn an_order_of_a_customer_whose_older_orders_show_another_id_by_now_is_not_held_to_be_absent() {
    let shows = Shows { po_number: Echo::Absent, ..Shows::each(Echo::Echoed) };
    let list = ListSettings { details: shows, ..ListSettings::default() };
    let clock = ManualClock::at(at(BEGIN));
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings { list, ..Settings::default() });
    let retold = Retold::default();
    let mut world = World::new(Retelling::new(Line::quiet(sandbox.clone(), &clock), retold.clone()), clock).await;
    let another = "[[renewal]]\nname = \"two\"\npartner_id = 2\nexpires_on = 2027-03-03\n";
    world.take_text(&format!("{}{another}", file("2027-03-01"))).await;
    for day in 15..=19 {
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
    }
    // It is not looked at any more once its term has begun.
    world.live_until("2027-03-04T12:00:00Z").await;
    assert_eq!(sandbox.orders().len(), 2);
    let of_two: Vec<String> = sandbox
        .orders()
        .iter()
        .filter(|o| o.request.partner_id == Some(PortalId::known(2)))
        .map(|o| o.order_no.clone())
        .collect();
    retold.say_where(&of_two[0], r#""partnerId":"2""#, r#""partnerId":"77""#);
    world.live_until("2028-02-16T12:00:00Z").await;
    world.live_until("2028-02-17T12:00:00Z").await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Done, reply: Reply::Close }, 1);
    world.live_until("2028-02-18T09:00:00Z").await;
    let carried_out = sandbox.orders()[3].order_no.clone();
    retold.say_where(&carried_out, r#""partnerId":"2""#, r#""partnerId":"77""#);
    for day in 18..=27 {
        world.live_until(&format!("2028-02-{day}T12:00:00Z")).await;
    }
    assert_eq!(sandbox.orders().len(), 4, "{:?}", world.states().await);
    let told = world.told("term:").await;
    assert!(told.iter().any(|text| text.contains("no_evidence") && text.contains(&carried_out)), "{told:?}");
}
