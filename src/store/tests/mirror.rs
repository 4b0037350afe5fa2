//! The mirror: one row for one order, and when details are to be read.

use jiff::SignedDuration;

use super::*;
use crate::renewal::evidence;
use crate::renewal::learned::{Echo, Field, Learned};
use crate::renewal::subscription::{Identity, Party};
use crate::store::details::{Settling, Undetailed};
use crate::store::mirror::MirrorRow;

const SETTLING: Settling = Settling { shortest: SignedDuration::from_hours(1), longest: SignedDuration::from_hours(24) };
/// When the order of these tests was made.
const MADE: &str = "2027-02-15T08:55:00Z";

fn row(id: Option<&str>, order_no: Option<&str>, status: &str) -> MirrorRow {
    MirrorRow {
        key: order_no.or(id).unwrap().to_owned(),
        portal_id: id.map(str::to_owned),
        order_no: order_no.map(str::to_owned),
        status: Some(status.to_owned()),
        created_at: Some(at(MADE)),
        raw: json!({"id": id, "orderNo": order_no, "orderStatus": status}).to_string(),
    }
}

async fn undetailed(fresh: &mut Fresh, now: &str) -> Vec<Undetailed> {
    fresh.store.without_detail(0, None, 0, at(now), 10).await.unwrap()
}

#[tokio::test]
async fn an_order_that_had_no_number_at_first_is_the_same_order_later() {
    let mut fresh = Fresh::new().await;
    let now = at("2027-02-15T09:00:00Z");
    assert_eq!(fresh.store.take_rows(now, &[row(Some("7"), None, "pending")]).await.unwrap(), 1);
    assert_eq!(
        fresh
            .store
            .take_rows(now, &[row(Some("7"), Some("UF7"), "succeed"), row(Some("8"), Some("UF8"), "succeed")])
            .await
            .unwrap(),
        1
    );
    assert_eq!(fresh.store.take_rows(now, &[row(Some("7"), Some("UF7"), "succeed")]).await.unwrap(), 0, "nor after a restart");
    assert_eq!(fresh.store.take_rows(now, &[row(Some("7"), None, "succeed")]).await.unwrap(), 0, "nor when it loses it again");
    let rows = fresh.texts("SELECT key || ' ' || portal_id || ' ' || order_no FROM portal_order ORDER BY id").await;
    assert_eq!(rows, ["7 7 UF7", "UF8 8 UF8"]);
    // An id that two numbered orders share makes them no single order.
    fresh.store.take_rows(now, &[row(Some("8"), Some("UF9"), "succeed")]).await.unwrap();
    assert_eq!(fresh.number("SELECT count(*) FROM portal_order").await, 3);
}

#[tokio::test]
async fn an_order_of_ours_is_known_by_its_number_even_if_its_row_had_none_at_first() {
    let mut fresh = Fresh::with([1]).await;
    let term = fresh.only().await;
    let now = at("2027-02-15T09:00:00Z");
    let attempt = fresh.attempt(&term, "RW-T-", placed("UF7")).await;
    fresh.store.take_rows(now, &[row(Some("7"), None, "pending")]).await.unwrap();
    fresh.store.take_rows(now, &[row(Some("7"), Some("UF7"), "succeed")]).await.unwrap();
    assert_eq!(fresh.number("SELECT attempt_id FROM portal_order").await, attempt);
    let newest = fresh.store.newest_listed_of_ours().await.unwrap().unwrap();
    assert_eq!((newest.key.as_str(), newest.names.len()), ("7", 3));
}

/// The portal gives an order its number half an hour later: the row was taken for a second order of ours, and everything was paused.
#[tokio::test]
async fn an_order_of_ours_whose_row_has_no_number_is_known_by_its_id() {
    let mut fresh = Fresh::with([1]).await;
    let term = fresh.only().await;
    let attempt = fresh.attempt(&term, "RW-T-", placed("UF7")).await;
    fresh.sql("UPDATE attempt SET order_id = '7'").await.unwrap();
    let number = fresh.texts("SELECT po_number FROM attempt").await.remove(0);
    let raw = json!({"id": "7", "poNumber": number}).to_string();
    let row = MirrorRow { raw, ..row(Some("7"), None, "succeed") };
    fresh.store.take_rows(at("2027-02-15T09:00:00Z"), &[row]).await.unwrap();
    assert_eq!(fresh.number("SELECT attempt_id FROM portal_order").await, attempt);
    assert_eq!(fresh.store.carriers(&number).await.unwrap(), ["UF7"], "and not carried out twice");
}

#[tokio::test]
async fn details_are_read_again_after_each_settle_and_when_the_row_changes() {
    let mut fresh = Fresh::new().await;
    fresh.store.take_rows(at("2027-02-15T08:56:00Z"), &[row(Some("7"), Some("UF7"), "pending")]).await.unwrap();
    let detail = r#"{"orderNo":"UF7"}"#;
    let mark = undetailed(&mut fresh, "2027-02-15T08:56:00Z").await[0].mark;
    for (read, next) in [
        ("2027-02-15T08:57:00Z", Some("2027-02-15T09:56:00Z")), // an hour after it turned up
        ("2027-02-15T10:00:00Z", Some("2027-02-16T08:56:00Z")), // a day after
        ("2027-02-16T09:00:00Z", None),
    ] {
        fresh.store.take_detail(mark, detail, at(read), SETTLING).await.unwrap();
        let listed = fresh.store.listed_since(0, "RW-").await.unwrap().remove(0);
        assert_eq!((listed.detailed, listed.again_at), (true, next.map(at)), "read at {read}");
        assert_eq!(undetailed(&mut fresh, read).await, []);
        assert_eq!(undetailed(&mut fresh, next.unwrap_or("2031-01-01T00:00:00Z")).await.len(), usize::from(next.is_some()));
    }
    let paid = at("2027-02-20T00:00:00Z");
    fresh.store.take_rows(paid, &[row(Some("7"), Some("UF7"), "succeed")]).await.unwrap();
    assert_eq!(undetailed(&mut fresh, "2027-02-20T00:00:00Z").await.len(), 1, "it is shown otherwise now");
    assert_eq!(fresh.store.unread_details(at(MADE), paid).await.unwrap(), 1);
}

#[tokio::test]
async fn details_of_an_order_that_was_old_when_the_account_was_bound_stand_at_once() {
    let mut fresh = Fresh::new().await;
    fresh.sql("UPDATE account SET bound_at = '2027-02-20T00:00:00.000Z'").await.unwrap();
    fresh.store.take_rows(at("2027-02-19T00:00:00Z"), &[row(Some("7"), Some("UF7"), "succeed")]).await.unwrap();
    let mark = undetailed(&mut fresh, "2027-02-20T00:00:00Z").await[0].mark;
    fresh.store.take_detail(mark, "{}", at("2027-02-20T00:00:00Z"), SETTLING).await.unwrap();
    assert_eq!(undetailed(&mut fresh, "2031-01-01T00:00:00Z").await, []);
}

/// The second failure after details that were read found a moment that was not there: a term was set aside as a bad row.
#[tokio::test]
async fn details_that_fail_again_after_they_were_read_fail_since_then() {
    let mut fresh = Fresh::new().await;
    let [first, read, again] = ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z"].map(at);
    fresh.store.take_rows(first, &[row(Some("7"), Some("UF7"), "succeed")]).await.unwrap();
    let mark = fresh.store.mirror_mark().await.unwrap();
    assert_eq!(fresh.store.note_unreadable(mark, first).await.unwrap(), first);
    assert_eq!(fresh.store.note_unreadable(mark, read).await.unwrap(), first);
    fresh.store.take_detail(mark, "{}", read, SETTLING).await.unwrap();
    assert_eq!(fresh.store.note_unreadable(mark, again).await.unwrap(), again);
}

#[tokio::test]
async fn a_dead_order_is_dead_in_any_case() {
    let mut fresh = Fresh::new().await;
    let rows = [row(Some("7"), Some("UF7"), "Cancelled"), row(Some("8"), Some("UF8"), "Succeed")];
    fresh.store.take_rows(at("2027-02-15T09:00:00Z"), &rows).await.unwrap();
    let orders = fresh.store.foreign_since(at("2027-01-01T00:00:00Z"), Timestamp::MAX, "RW-").await.unwrap();
    let alive = orders.iter().filter(|order| !evidence::is_dead(order.status.as_deref()));
    assert_eq!(alive.map(|order| order.key.as_str()).collect::<Vec<_>>(), ["UF8"]);
}

#[tokio::test]
async fn since_when_a_list_lacks_an_order_is_kept_until_it_shows_it() {
    let mut fresh = Fresh::new().await;
    let mut synced = async |now: &str, lacks| {
        fresh.store.synced(at(now), Some(3), None, lacks).await.unwrap();
        fresh.store.account().await.unwrap().lacks
    };
    assert_eq!(synced("2027-02-15T09:00:00Z", Some("UF7")).await, Some(("UF7".to_owned(), at("2027-02-15T09:00:00Z"))));
    assert_eq!(synced("2027-02-16T09:00:00Z", Some("UF7")).await, Some(("UF7".to_owned(), at("2027-02-15T09:00:00Z"))));
    assert_eq!(synced("2027-02-17T09:00:00Z", None).await, None);
    assert_eq!(synced("2027-02-18T09:00:00Z", Some("UF7")).await, Some(("UF7".to_owned(), at("2027-02-18T09:00:00Z"))));
}

/// The list showed a stale status for weeks; the customer's renewal was bought again.
#[tokio::test]
async fn an_order_that_its_row_calls_dead_and_its_details_do_not_is_alive() {
    let mut fresh = Fresh::new().await;
    let now = at("2027-02-15T09:00:00Z");
    fresh.store.take_rows(now, &[row(Some("7"), Some("UF7"), "cancelled")]).await.unwrap();
    let mark = fresh.store.mirror_mark().await.unwrap();
    let mut alive_after = async |detail: &str| {
        fresh.store.take_detail(mark, detail, now, SETTLING).await.unwrap();
        let orders = fresh.store.foreign_since(at("2027-01-01T00:00:00Z"), Timestamp::MAX, "RW-").await.unwrap();
        !evidence::is_dead(orders[0].status.as_deref())
    };
    assert!(!alive_after("{}").await);
    assert!(alive_after(r#"{"basic":{"orderStatus":"succeed"}}"#).await);
    assert!(!alive_after(r#"{"basic":{"orderStatus":"cancelled"}}"#).await);
}

/// A8: see `learned::Learned::of_others_only`.
#[tokio::test]
async fn a_customer_is_shown_once_any_order_names_it() {
    let mut fresh = Fresh::with([1]).await;
    let identity = fresh.only().await.identity;
    let learned = [(Field::Partner, Echo::Echoed), (Field::Product, Echo::Echoed)];
    let all = Learned::new(learned.to_vec());
    fresh.store.learn(at(DUE), &identity, "UF1", &learned).await.unwrap();
    assert_eq!(fresh.store.learned(&identity).await.unwrap(), all.clone().of_others_only());
    let named = MirrorRow {
        raw: format!(r#"{{"productId":"{}","partnerId":"1"}}"#, identity.product_id),
        ..row(Some("7"), Some("UF7"), "succeed")
    };
    fresh.store.take_rows(at(DUE), &[named]).await.unwrap();
    assert_eq!(fresh.store.learned(&identity).await.unwrap(), all);
}

/// No order showed a customer, and one's own was taken for proven by that: it was found in a customer's, which was bought again.
#[tokio::test]
async fn an_order_without_a_customer_is_ones_own_only_where_customers_are_shown() {
    let mut fresh = Fresh::with([1]).await;
    let theirs = fresh.only().await.identity;
    let own = Identity { party: Party::Own, ..theirs.clone() };
    fresh.store.learn(at(DUE), &own, "UF1", &[(Field::Partner, Echo::Echoed)]).await.unwrap();
    assert_eq!(fresh.store.learned(&own).await.unwrap().of(Field::Partner), Some(Echo::Absent), "nobody knows yet");
    for (shown, then) in [(Echo::Absent, Echo::Absent), (Echo::Echoed, Echo::Echoed)] {
        fresh.store.learn(at(DUE), &theirs, "UF2", &[(Field::Partner, shown)]).await.unwrap();
        assert_eq!(fresh.store.learned(&own).await.unwrap().of(Field::Partner), Some(then));
    }
}

/// Its row had no number when it was first seen, so that its key is its id: it was counted beside itself, and every other order stopped.
#[tokio::test]
async fn an_order_of_ours_that_is_kept_under_its_id_is_not_carried_out_twice() {
    let mut fresh = Fresh::with([1]).await;
    let term = fresh.only().await;
    fresh.attempt(&term, "RW-T-", placed("UF1")).await;
    let po_number = "RW-T-0";
    let carrying = |order_no: Option<&str>| MirrorRow {
        raw: json!({"id": "7", "orderNo": order_no, "poNumber": po_number}).to_string(),
        ..row(Some("7"), order_no, "succeed")
    };
    fresh.store.take_rows(at(DUE), &[carrying(None)]).await.unwrap();
    fresh.store.take_rows(at(DUE), &[carrying(Some("UF1"))]).await.unwrap();
    assert_eq!(fresh.store.carriers(po_number).await.unwrap(), ["UF1"]);
    let second = MirrorRow { raw: json!({"poNumber": po_number}).to_string(), ..row(Some("8"), Some("UF8"), "succeed") };
    fresh.store.take_rows(at(DUE), &[second]).await.unwrap();
    assert_eq!(fresh.store.carriers(po_number).await.unwrap(), ["UF1", "UF8"]);
}

#[tokio::test]
async fn an_order_of_ours_is_known_by_its_number_in_another_case() {
    let mut fresh = Fresh::with([1]).await;
    let term = fresh.only().await;
    let attempt = fresh.attempt(&term, "RW-T-", placed("uf7a")).await;
    fresh.store.take_rows(at("2027-02-15T09:00:00Z"), &[row(Some("7"), Some("UF7A"), "succeed")]).await.unwrap();
    assert_eq!(fresh.number("SELECT attempt_id FROM portal_order").await, attempt);
    assert_eq!(fresh.store.listed_order(" uf7a ", "RW-T-").await.unwrap().unwrap().attempt, Some(attempt));
}

/// A migration of the portal gave every order a new `createTime`: last year's was taken for the next year's.
#[tokio::test]
async fn an_order_was_made_when_it_was_first_said_to_be() {
    let mut fresh = Fresh::new().await;
    let now = at("2027-02-15T09:00:00Z");
    fresh.store.take_rows(now, &[row(Some("7"), Some("UF7"), "succeed")]).await.unwrap();
    for later in [Some("2027-09-01T00:00:00Z"), None] {
        let mut moved = row(Some("7"), Some("UF7"), "succeed");
        (moved.created_at, moved.raw) = (later.map(at), format!("{} ", moved.raw));
        moved.raw = moved.raw.replace("succeed", if later.is_some() { "Succeed" } else { "SUCCEED" });
        fresh.store.take_rows(now, &[moved]).await.unwrap();
        let made: Option<String> =
            sqlx::query_scalar("SELECT created_at FROM portal_order").fetch_one(&mut fresh.store.conn).await.unwrap();
        assert_eq!(made.as_deref(), Some("2027-02-15T08:55:00.000Z"));
    }
}
