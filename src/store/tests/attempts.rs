//! Intents and answers: all or nothing, and never lost.

use super::{DUE, Fresh, at, intent, not_placed, placed, unknown};
use crate::renewal::state::TermState;
use crate::store::attempts::Fence;
use crate::store::found::SetAside;
use crate::store::moves::{Move, Write};

#[tokio::test]
async fn an_intent_is_on_the_disk_with_its_request_before_it_is_handed_out() {
    let mut db = Fresh::with([1, 2]).await;
    let due = db.due(DUE).await;
    let committed = db.commit(&[&due[0], &due[1]], "A").await.unwrap();
    assert_eq!(db.texts("SELECT request FROM attempt ORDER BY id").await, [r#"{"poNumber":"A0"}"#, r#"{"poNumber":"A1"}"#]);
    assert_eq!(db.texts("SELECT state FROM term").await, ["ordering"; 2]);
    assert_eq!(db.texts("SELECT po_number FROM audit WHERE kind = 'attempt.intended'").await, ["A0", "A1"]);
    let bodies: Vec<_> = committed.into_iter().map(crate::store::committed::Committed::into_body).collect();
    assert_eq!(bodies, [&br#"{"poNumber":"A0"}"#[..], &br#"{"poNumber":"A1"}"#[..]]);
}

#[tokio::test]
async fn a_term_that_somebody_moved_is_not_ordered() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    for state in ["held", "awaiting_approval", "skipped", "renewed"] {
        db.allows(&format!("UPDATE term SET state = '{state}'"), 1).await;
        let fence = Fence { mark: 0, total: None, at: at(DUE) };
        assert!(db.store.commit_intents(at(DUE), fence, vec![intent(&term, "A")]).await.is_err(), "{state}");
    }
    assert_eq!(db.number("SELECT count(*) FROM attempt").await, 0);
    assert_eq!(db.number("SELECT count(*) FROM audit WHERE kind LIKE 'attempt%'").await, 0);
}

#[tokio::test]
async fn answers_of_a_batch_are_kept_whole_or_not_at_all() {
    let mut db = Fresh::with([1, 2]).await;
    let due = db.due(DUE).await;
    let attempts: Vec<i64> =
        db.commit(&[&due[0], &due[1]], "A").await.unwrap().iter().map(crate::store::committed::Committed::attempt).collect();
    db.allows("UPDATE term SET state = 'held' WHERE id = 2", 1).await; // so that the second answer cannot be written
    let ends = due.iter().zip(&attempts).map(|(term, attempt)| {
        let step = Move { from: TermState::Ordering, ..Move::of(term, TermState::Placed) };
        let write = Write { moves: vec![step], ..Write::default() };
        crate::store::ends::Ended { attempt: *attempt, outcome: placed(&format!("UF{attempt}")), portal_date: None, write }
    });
    assert!(db.store.record_ends(at(DUE), ends.collect()).await.is_err());
    assert_eq!(db.texts("SELECT state FROM attempt").await, ["open"; 2]);
}

#[tokio::test]
async fn what_was_open_when_the_process_died_is_unknown_once_and_looked_for_at_once() {
    let mut db = Fresh::with([1, 2, 3]).await;
    let due = db.due(DUE).await;
    db.attempt(&due[0], "A", placed("UF1")).await;
    db.commit(&[&due[1]], "B").await.unwrap();
    let now = at("2027-02-15T09:30:00Z");
    assert_eq!(db.store.open_becomes_unknown(now).await.unwrap(), ["p2"]);
    assert_eq!(db.store.open_becomes_unknown(now).await.unwrap(), [""; 0]);
    assert_eq!(db.texts("SELECT state FROM term ORDER BY id").await, ["placed", "unknown", "scheduled"]);
    let found = db.due("2027-02-15T09:30:00Z").await;
    let found = found.iter().find(|term| term.name == "p2").unwrap();
    assert_eq!((found.state, found.attempt.as_ref().map(|a| a.po_number.as_str())), (TermState::Unknown, Some("B0")));
    assert_eq!(db.number("SELECT count(*) FROM attention WHERE renewal = 'p2'").await, 1);
}

/// The process died at ten in the evening before the deadline, and people heard of it at midnight. A broken connection is told at once.
#[tokio::test]
async fn what_was_open_when_the_process_died_in_its_last_day_is_told_at_once() {
    for (now, told) in [("2027-02-15T09:30:00Z", false), ("2027-02-28T21:00:00Z", true)] {
        let mut db = Fresh::with([1]).await;
        let due = db.due(DUE).await;
        db.commit(&[&due[0]], "A").await.unwrap();
        db.store.open_becomes_unknown(at(now)).await.unwrap();
        let warned = db.number("SELECT coalesce(warn_at = act_at, 0) FROM term").await;
        assert_eq!(warned == 1, told, "{now}");
    }
}

#[tokio::test]
async fn limits_count_what_may_have_been_sent() {
    let mut db = Fresh::with([1, 2, 3, 4]).await;
    let due = db.due(DUE).await;
    db.attempt(&due[0], "A", placed("UF1")).await;
    db.attempt(&due[1], "B", unknown()).await;
    db.attempt(&due[2], "C", not_placed()).await;
    db.commit(&[&due[3]], "D").await.unwrap();
    let spent = db.store.spent_on(jiff::civil::date(2027, 2, 15)).await.unwrap();
    assert_eq!((spent.orders, spent.quantity), (3, 9));
    let void = db.number("SELECT id FROM attempt WHERE po_number = 'A0'").await;
    db.store.set_aside(at(DUE), void, SetAside::Void, Write::default()).await.unwrap();
    assert_eq!(
        db.store.spent_on(jiff::civil::date(2027, 2, 15)).await.unwrap().orders,
        3,
        "a voided order was sent all the same"
    );
}

#[tokio::test]
async fn every_id_comes_back_as_it_was_answered() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    let long = |n: u8| Some(format!("3340082077156502323{n}"));
    let answer = crate::portal::outcome::Placed {
        order_no: "UF33400820771565023232".into(),
        transaction_no: long(1),
        order_id: long(2),
        instance_id: long(3),
        order_status: Some("a word nobody knows".into()),
        product_no: long(4),
        request_id: Some("0ef8080f1ae8becfd5c93c07023bf4c1".into()),
        raw: "{\"unknown\":[18446744073709551616]}".into(),
    };
    db.attempt(&term, "A", crate::portal::outcome::Outcome::Placed(Box::new(answer))).await;
    let stored = db.texts("SELECT order_no || ' ' || transaction_no || ' ' || order_id || ' ' || instance_id || ' ' || order_status || ' ' || product_no || ' ' || request_id || ' ' || answer FROM attempt").await;
    assert_eq!(
        stored,
        [
            "UF33400820771565023232 33400820771565023231 33400820771565023232 33400820771565023233 a word nobody knows 33400820771565023234 0ef8080f1ae8becfd5c93c07023bf4c1 {\"unknown\":[18446744073709551616]}"
        ]
    );
}
