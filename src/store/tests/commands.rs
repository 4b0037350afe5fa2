//! What a person may do, and when: the desk against a stored attempt.

use serde_json::json;

use super::{DUE, Fresh, PATH, at, entry, file, placed, unknown};
use crate::config;
use crate::daemon::commands::{Asked, Desk, Refused};
use crate::store::mirror::MirrorRow;

impl Fresh {
    /// Asks at `now`, with a settle of one day; what was refused.
    async fn asks(&mut self, now: &str, asked: Asked) -> Option<String> {
        let config = config::parse(PATH, &file(&entry("p1", 1))).unwrap();
        let mut desk =
            Desk { store: &mut self.store, config: &config, seal: None, po_prefix: "RW-test-", now: at(now), by: "a person" };
        match desk.apply(asked).await {
            Ok(_) => None,
            Err(Refused::No(why)) => Some(why),
            Err(error) => panic!("{error}"),
        }
    }
}

/// 2027-02-15 09:00 and fourteen days to go: a settle is a day, so two end on the 17th.
#[tokio::test]
async fn not_ordered_is_refused_until_an_order_would_have_been_carried_out_and_listed() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", unknown()).await;
    let refused = db.asks("2027-02-17T08:59:00Z", Asked::ResolveNotOrdered { term: term.id }).await;
    assert!(refused.is_some_and(|why| why.contains("may still show up until 2027-02-17T09:00:00Z")));
    let mut asks_once_read = async |read: &str| {
        db.store.synced(at(read), None, None, None).await.unwrap();
        db.asks("2027-02-18T09:00:00Z", Asked::ResolveNotOrdered { term: term.id }).await
    };
    let refused = asks_once_read("2027-02-17T08:59:00Z").await;
    assert!(refused.is_some_and(|why| why.contains("was not read since 2027-02-17T09:00:00Z")), "by a list of before");
    assert_eq!(asks_once_read("2027-02-17T09:00:00Z").await, None);
    assert_eq!(db.texts("SELECT state FROM term").await, ["awaiting_approval"]);
}

/// Sent under a settle of a week, and edited to a day since: an order does not appear sooner for that.
#[tokio::test]
async fn a_shorter_settle_does_not_count_for_what_was_sent_before() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", unknown()).await;
    db.allows("UPDATE attempt SET settle_s = 604800", 1).await;
    let refused = db.asks("2027-02-20T09:00:00Z", Asked::ResolveNotOrdered { term: term.id }).await;
    assert!(refused.is_some_and(|why| why.contains("may still show up until 2027-03-01T09:00:00Z")));
}

/// The answer named somebody else's order: ours may still be on its way, and freeing the term too early would buy it twice.
#[tokio::test]
async fn a_term_whose_answer_named_a_strange_order_is_not_freed_while_its_own_may_come() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", placed("UF1")).await;
    db.allows("UPDATE term SET reason = 'not_listed'", 1).await;
    let refused = db.asks("2027-02-17T08:59:00Z", Asked::ResolveVoid { term: term.id }).await;
    assert!(refused.is_some_and(|why| why.contains("may still show up until 2027-02-17T09:00:00Z")));
    assert_eq!(db.texts("SELECT state FROM attempt").await, ["placed"]);
    assert_eq!(db.asks("2027-02-17T09:00:00Z", Asked::ResolveVoid { term: term.id }).await, None);
    assert_eq!(db.texts("SELECT state FROM attempt").await, ["void"]);
}

/// R26. The order was refunded after its term had been renewed, so that the next one has begun: ending the chain ends both.
#[tokio::test]
async fn skipping_ends_the_chain_also_where_the_next_term_has_begun() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", placed("UF1")).await;
    let placed = db.only().await;
    db.renew(&placed).await.unwrap();
    db.allows("UPDATE term SET state = 'held', reason = 'refunded_later' WHERE id = 1", 1).await;
    assert_eq!(db.asks(DUE, Asked::Skip { term: term.id, early: false }).await, None);
    assert_eq!(db.texts("SELECT state FROM term").await, ["skipped", "skipped"]);
    assert_eq!(db.texts("SELECT kind FROM audit WHERE kind = 'term.skipped'").await.len(), 2);
}

#[tokio::test]
async fn what_people_are_to_run_follows_a_new_name() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    assert_eq!(db.asks(DUE, Asked::Hold { term: term.id }).await, None);
    db.take(&entry("O'Neill", 1)).await;
    assert_eq!(db.texts("SELECT what_to_do FROM attention").await, [r"renewd release 'O'\''Neill'"]);
    assert_eq!(db.store.renamed("p1").await.unwrap().as_deref(), Some("O'Neill"));
}

#[tokio::test]
async fn a_dead_order_is_set_aside_at_once() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", placed("UF1")).await;
    db.allows("UPDATE term SET state = 'held', reason = 'dead_order'", 1).await;
    assert_eq!(db.asks(DUE, Asked::ResolveVoid { term: term.id }).await, None);
}

/// R9, R19: the list may hide what was ordered before the database was doubted as well.
#[tokio::test]
async fn a_database_is_not_accepted_by_a_list_that_does_not_show_our_newest_order() {
    let mut db = Fresh::new().await;
    db.store.doubt(at("2027-02-15T09:00:00Z"), "restored").await.unwrap();
    db.store.synced(at("2027-02-18T09:00:00Z"), Some(0), None, Some("UF1")).await.unwrap();
    let refused = db.asks("2027-02-18T10:00:00Z", Asked::AcceptDatabase).await;
    assert!(refused.is_some_and(|why| why.contains("does not show order UF1") && why.contains("after 2027-02-25T09:00:00Z")));
    assert_eq!(db.asks("2027-02-25T09:00:00Z", Asked::AcceptDatabase).await, None, "it was removed: no dead end");
    let mut db = Fresh::new().await;
    db.store.doubt(at("2027-02-15T09:00:00Z"), "restored").await.unwrap();
    db.store.synced(at("2027-02-18T09:00:00Z"), Some(0), None, None).await.unwrap();
    assert_eq!(db.asks("2027-02-18T10:00:00Z", Asked::AcceptDatabase).await, None);
}

/// R9. A backup from before two orders: each paid the term that was due when it was made. The newer one was taken for the older term, and
/// its own was bought again.
#[tokio::test]
async fn an_order_that_a_restored_database_forgot_pays_the_term_that_was_due_when_it_was_made() {
    let mut db = Fresh::with([1]).await;
    db.store.doubt(at("2028-02-20T00:00:00Z"), "restored").await.unwrap();
    let order = |number: &str, made: &str| MirrorRow {
        key: number.to_owned(),
        portal_id: None,
        order_no: Some(number.to_owned()),
        status: Some("succeed".to_owned()),
        created_at: Some(at(made)),
        raw: json!({"orderNo": number, "poNumber": format!("RW-test-{number}"), "productId": 21, "partnerId": 1, "serviceId": 5})
            .to_string(),
    };
    let read = at("2028-02-23T00:00:00Z");
    let orders = [order("UFNEW", "2028-02-16T09:00:00Z"), order("UFOLD", "2027-02-15T09:00:00Z")];
    db.store.take_rows(read, &orders).await.unwrap();
    db.allows("UPDATE portal_order SET detail = row", 2).await;
    db.store.synced(read, Some(2), None, None).await.unwrap();
    assert_eq!(db.asks("2028-02-23T00:01:00Z", Asked::AcceptDatabase).await, None);
    assert_eq!(db.texts("SELECT order_no || ' ' || ordered_at FROM orders").await, ["UFOLD 2027-02-15T09:00:00.000Z"]);
}
