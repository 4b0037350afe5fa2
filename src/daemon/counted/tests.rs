//! Which orders of others a person accounts for by beginning another chain.

use jiff::civil::{Date, date};

use super::{Ends, ends};
use crate::daemon::commands::Asked;
use crate::daemon::testing::{BEGIN, World, at, order_of};
use crate::ids::PortalId;
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED, Sandbox};

async fn rebase(world: &mut World, to: Date) -> String {
    world.engine.look_at_portal().await.unwrap();
    world.engine.read_details(i64::MAX, Some(at(BEGIN))).await.unwrap().unwrap();
    world.ask(Asked::Rebase { subscription: 1, to, why: "a test".to_owned(), far: true }).await.unwrap()
}

async fn live(world: &mut World, moments: &[&str]) {
    for now in moments {
        world.live_until(now).await;
    }
}

/// The orders that the customer made on these days.
async fn ordered_on<const N: usize>(world: &mut World, sandbox: &Sandbox, days: [&str; N]) -> [String; N] {
    let mut orders = Vec::new();
    for day in days {
        world.live_until(&format!("{day}T10:00:00Z")).await;
        orders.push(order_of(sandbox, 1));
    }
    orders.try_into().unwrap()
}

/// He had paid two years; one was counted, and the other one named by nothing: ours went on top of it.
#[tokio::test]
async fn one_order_at_most_is_counted_and_the_others_hold() {
    for held in [false, true] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let theirs = ordered_on(&mut world, &sandbox, ["2027-02-09", "2027-02-10"]).await;
        live(&mut world, if held { &["2027-02-15T09:00:00Z"] } else { &["2027-02-11T10:00:00Z"] }).await;
        let answer = rebase(&mut world, date(2028, 3, 1)).await;
        assert!(theirs.iter().all(|order| answer.contains(order.as_str())) && answer.contains("holds it"), "{answer}");
        live(&mut world, &["2028-02-16T10:00:00Z", "2028-02-18T10:00:00Z"]).await;
        assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"], "held: {held}");
        let told = world.told("term:2:foreign_order").await;
        assert!(theirs.iter().all(|order| told[0].contains(order.as_str())), "{told:?}");
    }
}

/// A renewal was held for the customer's own of last week; the date was put right by five days, and ours went on top of it.
#[tokio::test]
async fn what_holds_a_term_holds_it_on_another_day_too() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-09"]).await;
    live(&mut world, &["2027-02-15T09:00:00Z"]).await;
    assert_eq!(world.states().await, ["held foreign_order"]);
    let answer = rebase(&mut world, date(2027, 3, 6)).await;
    assert!(answer.contains(&format!("order {theirs} of 2027-02-09 is there as well")), "{answer}");
    live(&mut world, &["2027-02-20T10:00:00Z", "2027-02-21T10:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"]);
}

/// Ours pays until then; what the customer ordered beside it was counted as that, and ours of the next year went on top of it.
#[tokio::test]
async fn nothing_is_counted_as_what_ours_pays() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    live(&mut world, &["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"]).await;
    let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-20"]).await;
    live(&mut world, &["2027-02-22T10:00:00Z"]).await;
    let answer = rebase(&mut world, date(2028, 3, 6)).await;
    assert!(answer.contains(&format!("order {theirs} of 2027-02-20 is there as well")), "{answer}");
    live(&mut world, &["2028-02-21T10:00:00Z", "2028-02-22T10:00:00Z"]).await;
    assert_eq!(world.states().await, ["renewed ", "skipped rebased", "held foreign_order"]);
}

/// Refunded, bought by hand and begun anew, as the message says; nobody had read whose order that was, and it held the next year.
#[tokio::test]
async fn what_was_bought_by_hand_counts_also_where_it_is_read_only_later() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    live(&mut world, &["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-03-02T10:00:00Z"]).await;
    sandbox.set_status(&sandbox.orders()[0].order_no, "refunded").unwrap();
    world.clock.set(at("2027-04-17T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    world.clock.set(at("2027-04-18T10:00:00Z"));
    order_of(&sandbox, 1);
    world.clock.set(at("2027-04-18T11:00:00Z"));
    let to = date(2028, 4, 18);
    world.ask(Asked::Rebase { subscription: 1, to, why: "by hand".to_owned(), far: false }).await.unwrap();
    live(&mut world, &["2028-04-04T10:00:00Z", "2028-04-04T11:00:00Z"]).await;
    assert_eq!(world.states().await, ["renewed ", "skipped rebased", "renewed ", "scheduled "]);
}

/// He renews by himself each year. What had counted by itself was forgotten when a person took the next one, held the year after, and was taken for that.
#[tokio::test]
async fn what_counts_by_itself_holds_no_later_term() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-08T10:00:00Z").await;
    order_of(&sandbox, 1);
    let to = date(2028, 3, 1);
    world.ask(Asked::Rebase { subscription: 1, to, why: "renewed".to_owned(), far: false }).await.unwrap();
    let [second] = ordered_on(&mut world, &sandbox, ["2028-02-08"]).await;
    live(&mut world, &["2028-02-16T10:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"]);
    let answer = world.ask(Asked::ResolveOrdered { term: 2, order: second }).await.unwrap();
    assert!(!answer.contains("as well"), "{answer}");
    live(&mut world, &["2028-02-17T10:00:00Z", "2029-02-15T10:00:00Z", "2029-02-15T11:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "renewed ", "renewed ", "scheduled "]);
}

/// He paid three years with one order, and another one with the next. The refusal of `--order-no` names `rebase`, and that forgot the second.
#[tokio::test]
async fn what_is_more_than_the_time_until_then_needs_is_left_over_and_holds() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    world.live_until("2027-02-08T10:00:00Z").await;
    let mut request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
    request.service_list[0].multi_cycle = 3;
    let three = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at: None }).order_no;
    let [one] = ordered_on(&mut world, &sandbox, ["2027-02-09"]).await;
    live(&mut world, &["2027-02-15T09:00:00Z"]).await;
    let refused = world.ask(Asked::ResolveOrdered { term: 1, order: three.clone() }).await.unwrap_err().to_string();
    assert!(refused.contains("is for 36 months") && refused.contains("renewd rebase"), "{refused}");
    let (to, why) = (date(2030, 3, 1), "three years".to_owned());
    let answer = world.ask(Asked::Rebase { subscription: 1, to, why, far: true }).await.unwrap();
    assert!(answer.contains(&format!("order {three} of 2027-02-08 counts")), "{answer}");
    assert!(answer.contains(&format!("order {one} of 2027-02-09 is there as well")), "{answer}");
    live(&mut world, &["2030-02-15T10:00:00Z", "2030-02-16T10:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"]);
    let told = world.told("term:2:foreign_order").await;
    assert!(told[0].contains(&one) && !told[0].contains(&three), "{told:?}");
}

/// The term that was paid had been bought on its first day: that held the first renewal with the customer's own, and, where he had taken that, every later one.
#[tokio::test]
async fn what_paid_until_the_term_that_a_person_settled_holds_no_later_one() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let request = OrderRequest::rm_premium(Some(PortalId::known(1)), PortalId::known(5), PortalId::known(7), 3);
    let created_at = Some(at("2026-03-01T08:00:00Z"));
    let before = sandbox.add_foreign(Foreign { by: PlacedBy::Customer, request, status: SUCCEED, created_at }).order_no;
    let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-09"]).await;
    live(&mut world, &["2027-02-15T09:00:00Z"]).await;
    assert!(world.told("term:1:foreign_order").await[0].contains(&before));
    let answer = world.ask(Asked::ResolveOrdered { term: 1, order: theirs }).await.unwrap();
    assert!(!answer.contains("as well"), "{answer}");
    live(&mut world, &["2027-02-15T10:00:00Z", "2028-02-16T10:00:00Z", "2028-02-16T11:00:00Z"]).await;
    assert_eq!(world.states().await, ["renewed ", "renewed ", "scheduled "]);
}

/// Typed again, it named nothing, and what had been counted held the next year.
#[tokio::test]
async fn what_was_counted_stays_so_when_the_same_is_said_again() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let [theirs] = ordered_on(&mut world, &sandbox, ["2027-03-02"]).await;
    live(&mut world, &["2027-03-03T10:00:00Z"]).await;
    for _ in 0..2 {
        let answer = rebase(&mut world, date(2028, 3, 2)).await;
        assert!(answer.contains(&format!("order {theirs} of 2027-03-02 counts as")), "{answer}");
    }
    live(&mut world, &["2028-02-17T10:00:00Z", "2028-02-17T11:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "skipped rebased", "renewed ", "scheduled "]);
}

/// Somebody put the chain back by a year, and ours went on top of what had been counted as that year.
#[tokio::test]
async fn what_was_counted_for_longer_than_a_person_says_then_holds() {
    for (to, holds) in [(date(2027, 3, 1), true), (date(2028, 2, 25), false)] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-09"]).await;
        live(&mut world, &["2027-02-12T10:00:00Z"]).await;
        rebase(&mut world, date(2028, 3, 1)).await;
        let answer = rebase(&mut world, to).await;
        assert_eq!(answer.contains(&format!("order {theirs} of 2027-02-09 is there as well")), holds, "{answer}");
        let due = if holds {
            ["2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z"]
        } else {
            ["2028-02-12T10:00:00Z", "2028-02-12T11:00:00Z"]
        };
        live(&mut world, &due).await;
        let then = if holds { vec!["held foreign_order"] } else { vec!["renewed ", "scheduled "] };
        assert_eq!(world.states().await, [vec!["skipped rebased", "skipped rebased"], then].concat());
    }
}

/// Two years had been paid, and nobody had read whose orders those were: what was older than a cycle before DATE was forgotten.
#[tokio::test]
async fn what_nobody_had_read_holds_however_far_the_day_is() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    ordered_on(&mut world, &sandbox, ["2027-01-06", "2027-01-07"]).await;
    live(&mut world, &["2027-01-08T10:00:00Z"]).await;
    world.engine.look_at_portal().await.unwrap();
    let (to, why) = (date(2028, 4, 15), "co-term".to_owned());
    world.ask(Asked::Rebase { subscription: 1, to, why, far: true }).await.unwrap();
    live(&mut world, &["2028-04-02T10:00:00Z", "2028-04-04T10:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "held foreign_order"]);
}

/// Typed before the renewal is held, it named both as there as well, and nobody heard of their refunds.
#[tokio::test]
async fn what_is_paid_counts_whether_the_renewal_is_held_for_it_or_not() {
    for held in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let theirs = ordered_on(&mut world, &sandbox, ["2027-02-08", "2027-02-09"]).await;
        live(&mut world, if held { &["2027-02-15T09:00:00Z"] } else { &["2027-02-12T10:00:00Z"] }).await;
        let answer = rebase(&mut world, date(2029, 3, 1)).await;
        assert!(theirs.iter().all(|order| answer.contains(order)) && answer.contains("counts as"), "{answer}");
        assert!(!answer.contains("as well"), "{answer}");
        sandbox.set_status(&theirs[1], "refunded").unwrap();
        world.clock.set(at("2027-02-20T10:00:00Z"));
        world.engine.look_at_portal().await.unwrap();
        assert!(world.told("strange:").await.pop().unwrap().contains("is refunded now"), "held: {held}");
    }
}

/// Beside ours, as the message said; it was named as there as well, offered as what pays from DATE, and refunded without a word.
#[tokio::test]
async fn what_was_ordered_beside_ours_counts_as_what_pays_after_it() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    live(&mut world, &["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"]).await;
    let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-20"]).await;
    live(&mut world, &["2027-02-22T10:00:00Z"]).await;
    let answer = rebase(&mut world, date(2029, 3, 1)).await;
    assert!(answer.contains(&format!("order {theirs} of 2027-02-20 counts as")) && !answer.contains("as well"), "{answer}");
    sandbox.set_status(&theirs, "refunded").unwrap();
    world.clock.set(at("2027-02-25T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    assert!(world.told("strange:").await.pop().unwrap().contains("counted as what is paid until 2029-03-01, is refunded now"));
}

/// The same typed twice, or corrected by days or weeks, forgot what the first had named.
#[tokio::test]
async fn what_was_left_over_stays_so_when_the_day_is_said_again() {
    let two: (&[&str], _) = (&["2027-02-08", "2027-02-09"], date(2028, 3, 1));
    let three: (&[&str], _) = (&["2027-02-08", "2027-02-09", "2027-02-10"], date(2029, 3, 1));
    for ((days, first), second) in
        [(three, date(2029, 3, 1)), (three, date(2029, 3, 5)), (two, date(2028, 5, 1)), (two, date(2028, 3, 6))]
    {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        for day in days {
            world.live_until(&format!("{day}T10:00:00Z")).await;
            order_of(&sandbox, 1);
        }
        live(&mut world, &["2027-02-16T10:00:00Z"]).await;
        rebase(&mut world, first).await;
        let answer = rebase(&mut world, second).await;
        assert!(answer.contains("as well, may pay further, and holds it"), "{answer}");
        let due = second - jiff::Span::new().days(14);
        live(&mut world, &[&format!("{due}T10:00:00Z"), &format!("{due}T12:00:00Z")]).await;
        assert_eq!(world.states().await, ["skipped rebased", "skipped rebased", "held foreign_order"], "{first}, {second}");
    }
}

/// A year too far, and put right: both went on counting, for the one year.
#[tokio::test]
async fn what_was_counted_for_two_years_is_counted_anew_for_one() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    ordered_on(&mut world, &sandbox, ["2027-02-08", "2027-02-09"]).await;
    live(&mut world, &["2027-02-16T10:00:00Z"]).await;
    rebase(&mut world, date(2029, 3, 1)).await;
    let answer = rebase(&mut world, date(2028, 3, 1)).await;
    assert!(answer.contains("as well, may pay further, and holds it"), "{answer}");
    live(&mut world, &["2028-02-16T10:00:00Z", "2028-02-18T10:00:00Z"]).await;
    assert_eq!(world.states().await, ["skipped rebased", "skipped rebased", "held foreign_order"]);
}

/// What counted was refunded, bought again by hand and begun anew, as the message says: the dead one kept its place, and the second counted for nothing.
#[tokio::test]
async fn what_is_bought_again_takes_the_place_of_what_counted_and_died() {
    for refunded_too in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-09"]).await;
        live(&mut world, &["2027-02-16T10:00:00Z"]).await;
        rebase(&mut world, date(2028, 3, 1)).await;
        sandbox.set_status(&theirs, "refunded").unwrap();
        live(&mut world, &["2027-02-18T10:00:00Z"]).await;
        world.engine.look_at_portal().await.unwrap();
        let again = order_of(&sandbox, 1);
        world.clock.set(at("2027-02-18T11:00:00Z"));
        let (to, why) = (date(2028, 3, 1), "again".to_owned());
        world.ask(Asked::Rebase { subscription: 1, to, why, far: false }).await.unwrap();
        world.clock.set(at("2027-02-19T10:00:00Z"));
        world.engine.look_at_portal().await.unwrap();
        if refunded_too {
            sandbox.set_status(&again, "refunded").unwrap();
            world.clock.set(at("2027-02-24T10:00:00Z"));
            world.engine.look_at_portal().await.unwrap();
            let told = world.told("strange:").await.pop().unwrap();
            assert!(
                told.contains(&format!("{again}, which counted as what is paid until 2028-03-01, is refunded now")),
                "{told}"
            );
        }
        live(&mut world, &["2028-02-16T10:00:00Z", "2028-02-16T11:00:00Z"]).await;
        let then = if refunded_too { "held lapsed" } else { "renewed " };
        assert_eq!(world.states().await[2], then);
    }
}

/// It was refunded: the year passed without a word, and the next one was bought for a customer who had left.
#[tokio::test]
async fn what_was_counted_and_is_not_paid_any_more_is_told_and_holds_the_next() {
    for released in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-09"]).await;
        live(&mut world, &["2027-02-12T10:00:00Z"]).await;
        rebase(&mut world, date(2028, 3, 1)).await;
        sandbox.set_status(&theirs, "refunded").unwrap();
        world.clock.set(at("2027-02-20T10:00:00Z"));
        world.engine.look_at_portal().await.unwrap();
        let told = world.told("strange:").await.pop().unwrap();
        assert!(told.contains(&format!("{theirs}, which counted as what is paid until 2028-03-01, is refunded now")), "{told}");
        live(&mut world, &["2028-02-16T10:00:00Z", "2028-02-18T10:00:00Z"]).await;
        assert_eq!(world.states().await, ["skipped rebased", "held lapsed"]);
        if released {
            world.ask(Asked::Release { term: 2, orders: vec![theirs] }).await.unwrap();
            live(&mut world, &["2028-02-18T11:00:00Z", "2028-02-18T12:00:00Z"]).await;
            assert_eq!(world.states().await, ["skipped rebased", "renewed ", "scheduled "]);
        }
    }
}

/// The customer had paid, and somebody began the chain anew before the list showed it, so that nothing was counted by name. It was refunded, untold.
#[tokio::test]
async fn what_counts_by_itself_and_is_not_paid_any_more_is_told_and_holds_the_next() {
    for seen in [true, false] {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        world.live_until("2027-02-08T10:00:00Z").await;
        let theirs = order_of(&sandbox, 1);
        world.clock.set(at("2027-02-08T10:01:00Z"));
        let (to, why) = (date(2028, 3, 1), "renewed".to_owned());
        world.ask(Asked::Rebase { subscription: 1, to, why, far: false }).await.unwrap();
        world.clock.set(at("2027-02-09T10:00:00Z"));
        world.engine.look_at_portal().await.unwrap();
        sandbox.set_status(&theirs, "refunded").unwrap();
        if seen {
            world.clock.set(at("2027-02-14T10:00:00Z"));
            world.engine.look_at_portal().await.unwrap();
            let told = world.told("strange:").await.pop().unwrap();
            assert!(
                told.contains(&format!("{theirs}, which counted as what is paid until 2028-03-01, is refunded now")),
                "{told}"
            );
        }
        live(&mut world, &["2028-02-16T10:00:00Z", "2028-02-18T10:00:00Z"]).await;
        assert_eq!(world.states().await, ["skipped rebased", "held lapsed"]);
    }
}

/// Ours was refunded and its chain ended, as the message had it; then the refund was taken back, and a person said until when it is paid. It held the
/// next year as one that was set aside, and the command of the message was refused.
#[tokio::test]
async fn an_order_of_ours_that_is_paid_again_holds_nothing_once_a_person_has_said_until_when_it_pays() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    live(&mut world, &["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-03-02T10:00:00Z"]).await;
    let ours = sandbox.orders()[0].order_no.clone();
    sandbox.set_status(&ours, "refunded").unwrap();
    world.clock.set(at("2027-04-17T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    world.ask(Asked::Skip { term: 2, early: true }).await.unwrap();
    sandbox.set_status(&ours, "succeed").unwrap();
    world.clock.set(at("2027-04-22T10:00:00Z"));
    world.engine.look_at_portal().await.unwrap();
    let told = world.told("strange:").await.pop().unwrap();
    assert!(
        told.contains(&format!("{ours}, which had been paid until 2028-03-01 and counted for nothing, is succeed again")),
        "{told}"
    );
    assert!(told.contains("renewd rebase one DATE"), "{told}");
    world.clock.set(at("2027-04-24T10:00:00Z"));
    rebase(&mut world, date(2028, 3, 1)).await;
    live(&mut world, &["2028-02-16T10:00:00Z", "2028-02-16T11:00:00Z"]).await;
    assert_eq!(world.states().await, ["renewed ", "skipped rebased", "renewed ", "scheduled "]);
}

/// The database asks of every row what the code says of one order; where the two part, an order that counted may end untold.
#[tokio::test]
async fn the_database_counts_what_the_code_counts() {
    let (mut world, sandbox, _) = World::before_sandbox().await;
    let [theirs] = ordered_on(&mut world, &sandbox, ["2027-02-01"]).await;
    world.engine.look_at_portal().await.unwrap();
    world.clock.set(at("2027-03-30T10:00:00Z"));
    sqlx::raw_sql("DROP TRIGGER term_keeps_its_dates").execute(&mut world.engine.store.conn).await.unwrap();
    let began = date(2027, 3, 1);
    for months in [1, 3, 12, 24] {
        let length = jiff::Span::new().months(i64::from(months));
        let to = began + length;
        world.ask(Asked::Rebase { subscription: 1, to, why: "a test".to_owned(), far: true }).await.unwrap();
        run(&mut world, "UPDATE term SET ends_on = $1 WHERE id = (SELECT max(id) FROM term)", to + length).await;
        let id = sqlx::query_scalar("SELECT max(id) FROM term").fetch_one(&mut world.engine.store.conn).await.unwrap();
        let mut term = world.engine.store.term(id).await.unwrap().unwrap();
        term.standing.cycle_months = months;
        let days = (began - jiff::Span::new().days(80)).series(jiff::Span::new().days(1)).take(130);
        let (mut counting, mut parted) = (0, 0);
        for day in days {
            run(&mut world, MADE_ON, day).await;
            let order = world.engine.store.listed_order(&theirs, "RW-").await.unwrap().unwrap();
            let counts = matches!(ends(&order, &term, to), Ends::There);
            counting += i32::from(counts);
            parted += i32::from(world.engine.store.died_unread(&[&theirs]).await.unwrap().is_empty() == counts);
        }
        // Months are not all as long: a day may differ at either end.
        assert!(
            counting > 0 && counting < 130 && parted <= 2,
            "{months} months: {counting} days count, of {parted} the two say otherwise"
        );
    }
}

const MADE_ON: &str = "UPDATE portal_order SET created_at = $1 || 'T12:00:00.000Z', status = 'refunded', unpaid_at = '2030-06-01T00:00:00.000Z', detail = NULL";

async fn run(world: &mut World, sql: &'static str, day: Date) {
    sqlx::query(sql).bind(day.to_string()).execute(&mut world.engine.store.conn).await.unwrap();
}
