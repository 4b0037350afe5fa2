use crate::daemon::commands::Asked;
use crate::daemon::testing::{World, at, file};
use crate::ids::PortalId;
use crate::sandbox::settings::Echo;
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED};

#[tokio::test]
async fn people_hear_when_a_doubted_database_can_be_accepted_and_of_orders_that_nothing_took_over() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let mut request = OrderRequest::rm_premium(Some(PortalId::known(9)), PortalId::known(5), PortalId::known(7), 1);
    request.po_number = Some(format!("{}ZZZZZZZZZZ", world.engine.po_prefix));
    let forgotten = sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at: None }).order_no;
    world.engine.store.doubt(at("2027-01-10T00:00:00Z"), "it was restored").await.unwrap();
    world.engine.recover().await.unwrap();
    world.live_until("2027-01-11T23:00:00Z").await;
    let refused = world.ask(Asked::AcceptDatabase).await.unwrap_err().to_string();
    assert!(refused.contains("until 2027-01-12T00:00:00Z"), "{refused}");
    for now in ["2027-01-12T00:00:00Z", "2027-01-12T00:20:00Z", "2027-01-12T08:00:00Z"] {
        world.live_until(now).await;
    }
    let told = world.told("doubt:ready").await;
    assert!(told.len() == 1 && told[0].starts_with("2027-01-12") && told[0].contains("renewd accept"), "{told:?}");
    world.ask(Asked::AcceptDatabase).await.unwrap();
    assert!(world.told("left:").await[0].contains(&forgotten));
}

/// What was skipped, held or paused since the backup went out in the second in which the backup was accepted, and the answer to that said why.
#[tokio::test]
async fn what_people_said_since_a_backup_is_to_be_said_again_before_it_is_accepted_and_holds_then() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-10T00:00:00Z").await;
    world.engine.store.doubt(at("2027-02-10T00:00:00Z"), "it was restored").await.unwrap();
    world.engine.recover().await.unwrap();
    for now in ["2027-02-12T00:00:00Z", "2027-02-12T00:20:00Z", "2027-02-16T08:00:00Z"] {
        world.live_until(now).await;
    }
    assert!(world.told("doubt:ready").await[0].contains("say it again before you accept"));
    world.ask(Asked::Hold { term: 1 }).await.unwrap();
    world.ask(Asked::AcceptDatabase).await.unwrap();
    world.live_until("2027-02-16T10:00:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held operator".to_owned()], 0));
}

/// Our order of this year was refunded, and the renewal held for that. A backup of before forgot both, and another order went by itself.
#[tokio::test]
async fn a_dead_order_that_the_database_forgot_holds_its_term_as_it_did() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-10T00:00:00Z").await;
    let forgotten = {
        let mut request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
        request.po_number = Some(format!("{}ZZZZZZZZZZ", world.engine.po_prefix));
        let created_at = Some(at("2027-02-15T10:00:00Z"));
        sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: "refunded".into(), created_at }).order_no
    };
    world.engine.store.doubt(at("2027-02-10T00:00:00Z"), "it was restored").await.unwrap();
    world.engine.recover().await.unwrap();
    for now in ["2027-02-16T08:00:00Z", "2027-02-16T09:00:00Z"] {
        world.live_until(now).await;
    }
    let answer = world.ask(Asked::AcceptDatabase).await.unwrap();
    assert!(answer.contains(&format!("one (order {forgotten})")), "{answer}");
    for now in ["2027-02-16T10:00:00Z", "2027-02-18T10:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held dead_order".to_owned()], 1));
}

/// The portal names no customer. Ours for a customer was taken over as one's own, and that customer's was bought again.
#[tokio::test]
async fn an_order_that_shows_no_customer_is_not_taken_over_as_ones_own_where_there_are_customers() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    sandbox.change(|settings| settings.list.details.partner_id = Echo::Absent);
    world.edit(&(file("2027-03-01") + "[[renewal]]\nname = \"own\"\nexpires_on = 2027-03-01\n"), true).await;
    let mut request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
    request.po_number = Some(format!("{}ZZZZZZZZZZ", world.engine.po_prefix));
    let created_at = Some(at("2027-02-15T10:00:00Z"));
    let forgotten = sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at }).order_no;
    world.live_until("2027-02-10T00:00:00Z").await;
    world.engine.store.doubt(at("2027-02-10T00:00:00Z"), "it was restored").await.unwrap();
    world.engine.recover().await.unwrap();
    for now in ["2027-02-16T08:00:00Z", "2027-02-16T09:00:00Z"] {
        world.live_until(now).await;
    }
    let answer = world.ask(Asked::AcceptDatabase).await.unwrap();
    assert!(answer.contains(&format!("none; not taken over, and holding what they look like: {forgotten}")), "{answer}");
    for now in ["2027-02-16T10:00:00Z", "2027-02-18T10:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await, ["held foreign_order", "held foreign_order"]);
}
