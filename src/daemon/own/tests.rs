use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::ManualClock;
use crate::daemon::commands::Asked;
use crate::daemon::testing::{BEGIN, World, at, order_of};
use crate::ids::PortalId;
use crate::portal::transport::{Request, Response, Transport, TransportError};
use crate::sandbox::settings::{Echo, ListSettings, Shows};
use crate::sandbox::{Effect, Endpoint, Fault, Foreign, OrderRequest, PlacedBy, Reply, SUCCEED, Sandbox, Settings, Target};
use crate::simulation::line::Line;

/// A portal that gives orders their numbers when they are paid.
struct Unnumbered(Line, Arc<AtomicBool>);

impl Transport for Unnumbered {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut response = self.0.send(request).await?;
        if !self.1.load(Ordering::Relaxed) {
            const NUMBER: &str = "\"orderNo\":\"";
            let text = String::from_utf8(response.body.to_vec()).unwrap();
            let mut parts = text.split(NUMBER);
            let first = parts.next().unwrap().to_owned();
            response.body = parts.fold(first, |all, part| all + NUMBER + &part[part.find('"').unwrap()..]).into();
        }
        Ok(response)
    }
}

/// The answer was lost, and the order, which had no number before it was paid, was recorded under none: set aside by a person and paid after all, it was
/// not found again, and a second one went.
#[tokio::test]
async fn an_order_that_gets_its_number_when_it_is_paid_is_known_by_its_id_until_then() {
    let (clock, numbered) = (ManualClock::at(at(BEGIN)), Arc::new(AtomicBool::new(false)));
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
    let mut world = World::new(Unnumbered(Line::quiet(sandbox.clone(), &clock), Arc::clone(&numbered)), clock).await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Done, reply: Reply::Garbage }, 1);
    world.live_until("2027-02-15T09:00:00Z").await;
    let order = sandbox.orders()[0].clone();
    sandbox.set_status(&order.order_no, "pending").unwrap();
    world.live_until("2027-02-15T10:00:00Z").await;
    assert_eq!(world.states().await, ["placed "]);
    sandbox.set_status(&order.order_no, "cancelled").unwrap();
    world.live_until("2027-02-16T10:00:00Z").await;
    let told = world.told("term:1:dead_order").await;
    assert!(told[0].contains(&format!("order {} is cancelled", order.id)), "{told:?}");
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    numbered.store(true, Ordering::Relaxed);
    sandbox.set_status(&order.order_no, SUCCEED.as_ref()).unwrap();
    world.live_until("2027-02-17T10:00:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held foreign_order".to_owned()], 1));
    world.ask(Asked::ResolveOrdered { term: 1, order: order.order_no.clone() }).await.unwrap();
    world.live_until("2027-02-17T11:00:00Z").await;
    assert_eq!(world.states().await[0], "renewed ");
    let number: String = sqlx::query_scalar("SELECT order_no FROM orders").fetch_one(&mut world.engine.store.conn).await.unwrap();
    assert_eq!(number, order.order_no);
    assert_eq!(world.engine.store.ledgers_disagree().await.unwrap(), [""; 0]);
}

/// A person took it for dead when it was; it was paid after all, and shows another customer since. This is the only thing that stands before a second
/// order.
#[tokio::test]
async fn an_order_that_was_set_aside_and_lives_holds_the_next_one_whatever_it_shows() {
    let (mut world, sandbox, retold) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    let order = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&order, "failed").unwrap();
    world.live_until("2027-02-15T10:00:00Z").await;
    assert_eq!(world.states().await, ["held dead_order"]);
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    sandbox.set_status(&order, "succeed").unwrap();
    retold.say_where("", r#""partnerId":"1""#, r#""partnerId":"9""#);
    world.live_until("2027-02-15T10:01:00Z").await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    assert!(world.told("term:1:foreign_order").await[0].contains(&order));
    assert_eq!(sandbox.orders().len(), 1);
}

/// The same on a portal whose details do not say how an order stands, or cannot be read, with the order far down the list: a second one went, silently.
#[tokio::test]
async fn an_order_that_was_set_aside_and_lives_holds_wherever_it_stands_in_the_list_and_whatever_its_details_say() {
    for details in ["without a status", "not found", "out of order"] {
        for lives in [true, false] {
            let (mut world, sandbox, retold) = World::before_sandbox().await;
            sandbox.change(|settings| settings.list.page_cap = Some(2));
            world.live_until("2027-02-15T09:00:00Z").await;
            let order = sandbox.orders()[0].order_no.clone();
            sandbox.set_status(&order, "failed").unwrap();
            world.live_until("2027-02-15T10:00:00Z").await;
            world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
            for now in ["2027-02-16T00:00:00Z", "2027-02-17T00:00:00Z", "2027-02-18T00:00:00Z", "2027-02-20T00:00:00Z"] {
                order_of(&sandbox, 9);
                world.live_until(now).await;
            }
            world.engine.look_at_portal().await.unwrap();
            world.live_until("2027-02-22T00:00:00Z").await;
            match details {
                "without a status" => retold.say_where(&order, "orderStatus", "somethingElse"),
                "not found" => retold.fail_where(&order, 404),
                _ => retold.fail_where(&order, 500),
            }
            if lives {
                sandbox.set_status(&order, "succeed").unwrap();
            }
            let request_hash = world.request_hash(1).await;
            world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
            for now in ["2027-02-22T01:00:00Z", "2027-02-22T12:00:00Z", "2027-02-23T06:00:00Z", "2027-02-23T12:00:00Z"] {
                world.live_until(now).await;
            }
            let ours = sandbox.orders().iter().filter(|order| order.placed_by == PlacedBy::Us).count();
            assert_eq!(ours, if lives { 1 } else { 2 }, "{details}: {:?}", world.states().await);
            if lives {
                let told = world.told("term:1:foreign_order").await;
                assert!(told[0].contains("sent from here and set aside, lives after all"), "{told:?}");
            }
        }
    }
}

/// The order was dead, and another one went for the same year; the first is paid after all. It was older than the second, and the next year was bought
/// on top of both. One that is seen to stay dead holds nothing.
#[tokio::test]
async fn an_order_that_was_set_aside_and_lives_since_another_went_holds_the_next_year() {
    for lives in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        let order = sandbox.orders()[0].order_no.clone();
        sandbox.set_status(&order, "failed").unwrap();
        world.live_until("2027-02-15T10:00:00Z").await;
        world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
        let request_hash = world.request_hash(1).await;
        world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
        for now in ["2027-02-15T10:01:00Z", "2027-02-15T11:00:00Z", "2027-02-15T12:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("renewed ", 2));
        if lives {
            sandbox.set_status(&order, "succeed").unwrap();
        }
        for now in ["2028-02-16T09:01:00Z", "2028-02-16T10:01:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(world.states().await[1], if lives { "held foreign_order" } else { "renewed " });
        assert_eq!(sandbox.orders().len(), if lives { 2 } else { 3 });
    }
}

/// `--void` took it for gone, and the next one went although it could be paid any day.
#[tokio::test]
async fn an_unpaid_order_that_the_portal_shows_cannot_be_set_aside() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    sandbox.set_status(&sandbox.orders()[0].order_no, "pending").unwrap();
    world.live_until("2027-02-19T12:00:00Z").await;
    assert_eq!(world.states().await, ["placed pending_long"]);
    let refused = world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap_err().to_string();
    assert!(refused.contains("pay it there, or cancel it there first"), "{refused}");
    assert_eq!(world.states().await, ["placed pending_long"]);
}

/// Our order was refunded, and a colleague made it again from a copy, number and all. The command failed half way, and nothing led on from there.
#[tokio::test]
async fn a_copy_of_our_order_that_carries_our_number_pays_the_term_when_a_person_says_so() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-02-15T10:00:00Z").await;
    let ours = sandbox.orders()[0].clone();
    sandbox.set_status(&ours.order_no, "refunded").unwrap();
    let mut request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
    request.po_number = ours.request.po_number;
    let copy = sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at: None }).order_no;
    world.live_until("2027-02-16T12:00:00Z").await;
    assert_eq!(world.states().await[0], "held refunded_later");
    world.ask(Asked::ResolveOrdered { term: 1, order: copy }).await.unwrap();
    world.live_until("2027-02-16T13:00:00Z").await;
    assert_eq!(world.states().await[0], "renewed ");
    assert_eq!(sandbox.orders().len(), 2);
}

/// `skip` of a dead order and `rebase`, as the messages say; the dead one was paid a day later, and nobody heard of it for a year.
#[tokio::test]
async fn a_skipped_order_that_lives_again_is_told() {
    for rebased in [false, true] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-15T09:00:00Z").await;
        let order = sandbox.orders()[0].order_no.clone();
        sandbox.set_status(&order, "cancelled").unwrap();
        world.live_until("2027-02-15T10:00:00Z").await;
        world.ask(Asked::Skip { term: 1, early: false }).await.unwrap();
        if rebased {
            let to = jiff::civil::date(2027, 3, 1);
            world.ask(Asked::Rebase { subscription: 1, to, why: "it goes on".to_owned(), far: false }).await.unwrap();
        }
        world.live_until("2027-02-15T10:05:00Z").await;
        sandbox.set_status(&order, "succeed").unwrap();
        world.live_until("2027-02-16T12:00:00Z").await;
        world.engine.look_at_portal().await.unwrap();
        let told = world.told("strange:").await;
        let beside = if rebased { "was ordered since: it may be paid twice" } else { "it holds any other order for it" };
        assert!(told.len() == 1 && told[0].contains(&order) && told[0].contains(beside), "{told:?}");
        if !rebased {
            assert!(told[0].contains(&format!("renewd resolve one --order-no {order}")), "{told:?}");
            world.ask(Asked::ResolveOrdered { term: 1, order }).await.unwrap();
            world.live_until("2027-02-16T12:01:00Z").await;
            assert_eq!(world.states().await, ["renewed ", "scheduled "]);
        }
    }
}

/// Refunded in mid-term, bought again by hand and begun anew, as the message has it; then the refund was taken back. Both paid the same months, and the next
/// year was ordered on top.
#[tokio::test]
async fn an_order_that_was_refunded_and_is_paid_again_after_its_chain_was_begun_anew_is_told_and_holds_the_next() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-03-02T10:00:00Z"] {
        world.live_until(now).await;
    }
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "refunded").unwrap();
    world.clock.set(at("2027-04-18T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    world.clock.set(at("2027-04-20T10:00:00Z"));
    order_of(&sandbox, 1);
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_details(i64::MAX, Some(at("2027-04-19T10:00:00Z"))).await.unwrap().unwrap();
    let to = jiff::civil::date(2028, 4, 20);
    world.ask(Asked::Rebase { subscription: 1, to, why: "bought by hand".to_owned(), far: false }).await.unwrap();
    sandbox.set_status(&ours, "succeed").unwrap();
    world.clock.set(at("2027-04-25T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    assert!(world.told("strange:").await.iter().any(|told| told.contains(&ours) && told.contains("is succeed")));
    world.live_until("2028-04-06T10:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "skipped rebased", "held foreign_order"]);
    world.ask(Asked::Release { term: 3, orders: vec![ours] }).await.unwrap();
    for now in ["2028-04-06T10:01:00Z", "2028-04-06T11:01:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!(world.states().await[2], "renewed ");
}

/// It lived again and held, was refunded, and was released as the message had it; it was paid again before the approved one went, and that was a second one.
#[tokio::test]
async fn an_order_of_ours_that_was_released_while_it_was_dead_holds_again_once_it_is_paid() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"] {
        world.live_until(now).await;
    }
    let ours = sandbox.orders()[0].order_no.clone();
    let mut day = 15;
    let mut becomes = async |world: &mut World, status: &'static str| {
        sandbox.set_status(&ours, status).unwrap();
        day += 1;
        world.live_until(&format!("2027-02-{day}T12:00:00Z")).await;
        world.engine.look_at_portal().await.unwrap();
    };
    becomes(&mut world, "refunded").await;
    becomes(&mut world, "refunded").await;
    world.ask(Asked::ResolveVoid { term: 1 }).await.unwrap();
    becomes(&mut world, "succeed").await;
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap_err(); // it is held by now
    assert_eq!(world.states().await[0], "held foreign_order");
    becomes(&mut world, "refunded").await;
    world.ask(Asked::Release { term: 1, orders: vec![ours.clone()] }).await.unwrap();
    becomes(&mut world, "refunded").await;
    assert_eq!(world.states().await[0], "awaiting_approval not_ordered");
    becomes(&mut world, "succeed").await;
    let request_hash = world.request_hash(1).await;
    drop(world.ask(Asked::Approve { term: 1, request_hash }).await);
    becomes(&mut world, "succeed").await;
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("held foreign_order", 1));
}

/// The answer to our first order is lost, and the portal shows it for another customer and without its number.
async fn lost_and_shown_for_another() -> (World, Sandbox, String) {
    let shows = Shows { po_number: Echo::Absent, partner_id: Echo::Misleading, ..Shows::each(Echo::Echoed) };
    let list = ListSettings { details: shows, ..ListSettings::default() };
    let clock = ManualClock::at(at(BEGIN));
    let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings { list, ..Settings::default() });
    let mut world = World::new(Line::quiet(sandbox.clone(), &clock), clock).await;
    sandbox.inject(Target::Only(Endpoint::Save), Fault { effect: Effect::Done, reply: Reply::Close }, 1);
    for day in 15..=19 {
        world.live_until(&format!("2027-02-{day}T09:00:00Z")).await;
    }
    assert_eq!(world.states().await, ["unknown no_evidence"]);
    let order = sandbox.orders()[0].order_no.clone();
    (world, sandbox, order)
}

/// Sent with its answer lost, on a portal that shows it for another customer and without its number; it died, a person said that it was not ordered, and it was paid after
/// all. Ours went on top (world 90578).
#[tokio::test]
async fn what_may_have_been_ours_and_was_dead_as_a_person_said_that_there_is_none_holds_once_it_lives() {
    let (mut world, sandbox, order) = lost_and_shown_for_another().await;
    sandbox.set_status(&order, "failed").unwrap();
    world.live_until("2027-02-20T09:00:00Z").await;
    world.ask(Asked::ResolveNotOrdered { term: 1 }).await.unwrap();
    sandbox.set_status(&order, SUCCEED.as_ref()).unwrap();
    world.live_until("2027-02-21T09:00:00Z").await;
    let request_hash = world.request_hash(1).await;
    drop(world.ask(Asked::Approve { term: 1, request_hash }).await);
    for day in 22..=24 {
        world.live_until(&format!("2027-02-{day}T09:00:00Z")).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held foreign_order".to_owned()], 1));
    assert!(world.told("term:1:foreign_order").await[0].contains(&order));
    world.ask(Asked::Release { term: 1, orders: vec![order] }).await.unwrap();
    world.live_until("2027-02-24T10:00:00Z").await;
    let request_hash = world.request_hash(1).await;
    world.ask(Asked::Approve { term: 1, request_hash }).await.unwrap();
    world.live_until("2027-02-24T11:00:00Z").await;
    assert_eq!(sandbox.orders().len(), 2, "a person may order all the same");
}

/// The message named it, `--order-no` was refused as another customer's, and `--not-ordered` bought it twice (twentieth hunt).
#[tokio::test]
async fn the_order_that_a_message_names_can_be_taken_whatever_customer_the_portal_shows_it_for() {
    let (mut world, sandbox, order) = lost_and_shown_for_another().await;
    assert!(world.told("term:1:no_evidence").await[0].contains(&order));
    world.ask(Asked::ResolveOrdered { term: 1, order }).await.unwrap();
    world.live_until("2027-02-19T10:00:00Z").await;
    assert_eq!((world.states().await[0].as_str(), sandbox.orders().len()), ("renewed ", 1));
}
