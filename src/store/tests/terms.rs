//! Terms and what they wait for.

use jiff::Timestamp;

use super::{DUE, Fresh, at, placed};
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::waits::Postponement;

#[tokio::test]
async fn what_is_due_comes_nearest_deadline_first_and_not_a_moment_early() {
    let mut db = Fresh::new().await;
    let entries: String = [(1, "2027-03-03"), (2, "2027-03-01"), (3, "2027-03-02")]
        .map(|(n, expires)| super::entry(&format!("p{n}"), n).replace("2027-03-01", expires))
        .concat();
    db.take(&entries).await;
    let names = |due: Vec<super::DueTerm>| due.into_iter().map(|term| term.name).collect::<Vec<_>>();
    assert_eq!(names(db.due("2027-02-15T08:59:59.999Z").await), [""; 0]);
    assert_eq!(names(db.due("2027-02-15T09:00:00.000Z").await), ["p2"]);
    assert_eq!(names(db.due("2027-02-17T09:00:00.000Z").await), ["p2", "p3", "p1"]);
    assert_eq!(db.store.next_wake().await.unwrap().term, Some(at(DUE)));
}

#[tokio::test]
async fn a_decision_about_a_term_that_somebody_moved_writes_nothing() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.allows("UPDATE term SET state = 'held'", 1).await;
    let write = Write { moves: vec![Move::of(&term, TermState::Renewed)], ..Write::default() };
    assert!(db.store.write(at(DUE), write).await.is_err());
    assert_eq!(db.texts("SELECT state FROM term").await, ["held"]);
}

#[tokio::test]
async fn the_next_term_begins_where_the_paid_one_ends() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", placed("UF1")).await;
    let term = db.only().await;
    db.renew(&term).await.unwrap();
    assert_eq!(
        db.texts("SELECT starts_on || ' ' || ends_on || ' ' || state FROM term").await,
        ["2027-03-01 2028-03-01 renewed", "2028-03-01 2029-03-01 scheduled"]
    );
    assert!(db.renew(&term).await.is_err(), "once");
    assert_eq!(db.number("SELECT count(*) FROM term").await, 2);
}

/// Refunded after it had succeeded, freed by a person, ordered again: the chain had gone on, and the daemon stood still for all renewals.
#[tokio::test]
async fn a_term_that_is_renewed_again_keeps_the_next_one_that_it_has() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", placed("UF1")).await;
    let term = db.only().await;
    db.renew(&term).await.unwrap();
    db.allows(&format!("UPDATE term SET state = 'placed' WHERE id = {}", term.id), 1).await;
    db.renew(&term).await.unwrap();
    assert_eq!(db.texts("SELECT state FROM term ORDER BY id").await, ["renewed", "scheduled"]);
}

#[tokio::test]
async fn terms_that_wait_together_keep_what_each_is_known_for() {
    let mut db = Fresh::with([1, 2]).await;
    let due = db.due(DUE).await;
    db.attempt(&due[0], "A", super::unknown()).await;
    let until: Timestamp = at("2027-02-15T10:00:00Z");
    let wait = Postponement {
        terms: due.iter().map(|term| term.id).collect(),
        until,
        reason: Reason::PortalTrouble,
        detail: "down".into(),
        remedy: None,
    };
    db.store.postpone(at(DUE), &wait).await.unwrap();
    assert!(db.due("2027-02-15T09:59:59Z").await.is_empty());
    let due = db.due("2027-02-15T10:00:00Z").await;
    assert_eq!(
        due.iter().map(|term| (term.state, term.reason)).collect::<Vec<_>>(),
        [(TermState::Unknown, None), (TermState::Scheduled, Some(Reason::PortalTrouble))]
    );
}

/// A person who said "not bound yet" and then binds does not wait for the next look.
#[tokio::test]
async fn binding_wakes_what_waited_for_it() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    let wait = Postponement {
        terms: vec![term.id],
        until: at("2027-02-16T00:00:00Z"),
        reason: Reason::Unbound,
        detail: "not bound".into(),
        remedy: Some("renewd init".into()),
    };
    db.store.postpone(at(DUE), &wait).await.unwrap();
    assert_eq!(db.number("SELECT count(*) FROM attention").await, 1);
    db.store.bind_account(at(DUE), 0).await.unwrap();
    assert_eq!(db.only().await.reason, None);
    assert_eq!(db.number("SELECT count(*) FROM attention").await, 0);
}
