use crate::daemon::testing::{World, at, order_of};
use crate::sandbox::Sandbox;
use crate::sandbox::settings::Hides;

/// Other credentials, or a search index that is being built anew: the customer's own renewal was hidden with all the rest, and bought again.
#[tokio::test]
async fn nothing_is_ordered_by_a_list_that_lost_most_of_what_it_showed_before_the_first_order_of_ours() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    (2..6).for_each(|partner| drop(order_of(&sandbox, partner)));
    world.engine.look_at_portal().await.unwrap();
    sandbox.change(|settings| settings.list.hides = Hides::MadeFrom(at("2020-01-01T00:00:00Z")));
    world.live_until("2027-02-15T09:00:00Z").await;
    assert_eq!(world.states().await, ["scheduled portal_trouble"], "a day is waited for it");
    world.live_until("2027-02-16T10:00:00Z").await;
    assert_eq!(world.states().await, ["held list_lacks"]);
    assert!(world.told("term:1:list_lacks").await[0].contains("does not show order UF"));
    assert_eq!(sandbox.orders().len(), 4);
}

#[tokio::test]
async fn a_list_that_comes_back_within_a_day_costs_no_word() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    (2..6).for_each(|partner| drop(order_of(&sandbox, partner)));
    world.engine.look_at_portal().await.unwrap();
    sandbox.change(|settings| settings.list.hides = Hides::MadeFrom(at("2020-01-01T00:00:00Z")));
    world.live_until("2027-02-15T09:00:00Z").await;
    sandbox.change(|settings| settings.list.hides = Hides::Nothing);
    world.live_until("2027-02-15T11:00:00Z").await;
    assert_eq!(sandbox.orders().len(), 5);
    assert!(world.told("term:").await.is_empty());
}

/// A day and more after it was held, and nobody had come.
#[tokio::test]
async fn a_term_that_was_held_for_the_list_goes_on_when_the_list_is_whole_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    (2..6).for_each(|partner| drop(order_of(&sandbox, partner)));
    world.engine.look_at_portal().await.unwrap();
    sandbox.change(|settings| settings.list.hides = Hides::MadeFrom(at("2020-01-01T00:00:00Z")));
    for now in ["2027-02-15T09:00:00Z", "2027-02-16T10:00:00Z", "2027-02-16T17:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await, world.told("term:1:list_lacks").await.len()), (vec!["held list_lacks".to_owned()], 1));
    sandbox.change(|settings| settings.list.hides = Hides::Nothing);
    world.live_until("2027-02-17T01:00:00Z").await;
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["placed ".to_owned()], 5));
}

/// The same list, after the first order of ours: that one is missing, and another may be.
#[tokio::test]
async fn nothing_is_ordered_by_a_list_that_does_not_show_our_newest_order_until_a_person_says_so() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-02-15T10:00:00Z").await;
    sandbox.change(|settings| settings.list.hides = Hides::MadeFrom(at("2020-01-01T00:00:00Z")));
    world.live_until("2028-02-16T09:00:00Z").await;
    world.live_until("2028-02-17T10:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "held list_lacks"]);
    assert_eq!(sandbox.orders().len(), 1);
    let ours = sandbox.orders()[0].order_no.clone();
    world.ask(crate::daemon::commands::Asked::Release { term: 2, orders: vec![ours] }).await.unwrap();
    world.live_until("2028-02-17T10:01:00Z").await;
    assert_eq!(sandbox.orders().len(), 2);
}

/// Orders of other customers, in January.
async fn others_on<const N: usize>(world: &mut World, sandbox: &Sandbox, days: [u64; N]) {
    for day in days {
        world.live_until(&format!("2027-01-{day:02}T10:00:00Z")).await;
        order_of(sandbox, day);
    }
}

/// A copy of the list from before our newest order, which still shows what is older: at the next look that had been read from its newest row down to
/// what was new since the last, and lacked nothing any more. Ours went out on top of the customer's.
#[tokio::test]
async fn a_list_that_does_not_show_our_newest_order_is_no_better_when_it_is_read_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    sandbox.change(|settings| settings.list.page_cap = Some(2));
    others_on(&mut world, &sandbox, [3, 4, 5, 6]).await;
    world.live_until("2027-02-15T09:00:00Z").await;
    world.live_until("2027-02-15T10:00:00Z").await;
    world.live_until("2028-01-20T10:00:00Z").await;
    sandbox.change(|settings| settings.list.hides = Hides::MadeFrom(at("2027-02-15T00:00:00Z")));
    order_of(&sandbox, 1);
    for now in ["2028-02-16T09:00:00Z", "2028-02-16T11:00:00Z", "2028-02-17T10:00:00Z", "2028-02-17T23:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["renewed ".to_owned(), "held list_lacks".to_owned()], 6));
    sandbox.change(|settings| settings.list.hides = Hides::Nothing);
    world.live_until("2028-02-18T10:00:00Z").await;
    assert_eq!(world.states().await, ["renewed ", "held foreign_order"]);
}

/// The same before the first order of ours.
#[tokio::test]
async fn a_list_that_lost_most_of_what_it_showed_is_no_better_when_it_is_read_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    sandbox.change(|settings| settings.list.page_cap = Some(2));
    others_on(&mut world, &sandbox, [3, 4, 5, 12, 13, 14, 15]).await;
    world.live_until("2027-01-20T10:00:00Z").await;
    world.engine.look_at_portal().await.unwrap();
    sandbox.change(|settings| settings.list.hides = Hides::MadeFrom(at("2027-01-12T00:00:00Z")));
    order_of(&sandbox, 1);
    for now in ["2027-02-15T09:00:00Z", "2027-02-15T11:00:00Z", "2027-02-16T10:00:00Z", "2027-02-16T23:00:00Z"] {
        world.live_until(now).await;
    }
    assert_eq!((world.states().await, sandbox.orders().len()), (vec!["held list_lacks".to_owned()], 8));
}
