//! Bringing the database to the file: one commit, nothing forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{DUE, Fresh, at, entry, placed, unknown};
use crate::renewal::state::TermState;
use crate::store::audit::verify_chain;
use crate::store::found::SetAside;
use crate::store::moves::{Move, Write};

impl Fresh {
    /// Counts commits from now on.
    async fn commits(&mut self) -> Arc<AtomicUsize> {
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&commits);
        let mut handle = self.store.conn.lock_handle().await.unwrap();
        handle.set_commit_hook(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            true
        });
        commits
    }
}

#[tokio::test]
async fn a_file_of_five_thousand_entries_is_one_commit_and_every_entry_is_right() {
    const MANY: u64 = 5_000;
    let mut db = Fresh::new().await;
    let commits = db.commits().await;
    let entries: String = (1..=MANY)
        .map(|n| entry(&format!("p{n}"), n).replace("expires_on", &format!("quantity = {}\nexpires_on", n % 400 + 1)))
        .collect();
    db.take(&entries).await;
    assert_eq!(commits.load(Ordering::SeqCst), 1);
    let known = db.store.known().await.unwrap();
    assert_eq!(known.len(), 5_000);
    for (n, known) in (1..=MANY).zip(&known) {
        assert_eq!((known.name.as_str(), known.standing.quantity), (format!("p{n}").as_str(), n % 400 + 1));
        assert_eq!(known.identity.party.text(), Some(n.to_string()));
        assert!(known.active && known.term.as_ref().is_some_and(|term| term.moments.due_at == at(DUE)));
    }
    let rows = db.store.audit_rows().await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.kind == "entry.added").count(), 5_000);
    verify_chain(&rows).unwrap();
    // Edited, every one; then all taken out, and back again: each is one commit.
    let edited = entries.replace("quantity = ", "lead = \"20 days\"\nquantity = ");
    for (n, file) in [&edited, "", &entries].into_iter().enumerate() {
        db.take(file).await;
        assert_eq!(commits.load(Ordering::SeqCst), n + 2);
    }
    assert_eq!(
        db.texts("SELECT kind || ' ' || count(*) FROM audit WHERE kind LIKE 'entry%' GROUP BY kind").await,
        ["entry.added 5000", "entry.changed 10000", "entry.removed 5000"]
    );
    assert_eq!(db.number("SELECT count(*) FROM term WHERE state = 'scheduled' AND act_at = due_at").await, 5_000);
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let mut db = Fresh::with([1, 2]).await;
    let before = db.store.audit_tip().await.unwrap().1;
    db.take(&(entry("p1", 1) + &entry("p2", 2))).await;
    assert_eq!(db.store.audit_tip().await.unwrap().1, before);
    assert_eq!(db.number("SELECT count(*) FROM term").await, 2);
}

#[tokio::test]
async fn a_renamed_entry_keeps_its_identity_its_term_and_its_orders() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", placed("UF1")).await;
    db.take(&entry("new name", 1)).await;
    assert_eq!(db.texts("SELECT renewal || ' ' || order_no FROM orders").await, ["new name UF1"]);
    assert_eq!(db.number("SELECT count(*) FROM subscription").await, 1);
    assert_eq!(db.texts("SELECT DISTINCT renewal FROM audit WHERE renewal IS NOT NULL ORDER BY seq").await, ["p1", "new name"]);
    assert_eq!(db.texts("SELECT detail ->> 'renamed_from' FROM audit WHERE kind = 'entry.changed'").await, ["p1"]);
}

#[tokio::test]
async fn an_entry_that_is_taken_out_keeps_its_history_and_is_not_ordered() {
    let mut db = Fresh::with([1, 2]).await;
    let due = db.due(DUE).await;
    db.attempt(&due[0], "A", placed("UF1")).await;
    db.take(&entry("p3", 3)).await;
    assert_eq!(db.texts("SELECT name FROM subscription WHERE active = 0 ORDER BY id").await, ["p1", "p2"]);
    assert_eq!(db.number("SELECT count(*) FROM orders WHERE order_no = 'UF1'").await, 1);
    let names: Vec<String> = db.due(DUE).await.into_iter().map(|term| term.name).collect();
    assert_eq!(names, ["p1", "p3"], "an order that may exist is followed to its end, what was not ordered is not");
    assert_eq!(db.texts("SELECT renewal FROM upcoming").await, ["p3"]);
}

#[tokio::test]
async fn an_entry_that_comes_back_takes_up_its_term_where_it_stood() {
    let mut db = Fresh::with([1]).await;
    db.take(&entry("p2", 2)).await;
    assert_eq!(db.due(DUE).await.len(), 1);
    db.take(&(entry("p1 again", 1) + &entry("p2", 2))).await;
    let names: Vec<String> = db.due(DUE).await.into_iter().map(|term| term.name).collect();
    assert_eq!(names, ["p1 again", "p2"]);
    assert_eq!(db.number("SELECT count(*) FROM term").await, 2);
}

/// R6: its open attempt is followed to the end, but a new one is not made for a customer that the file no longer has.
#[tokio::test]
async fn an_order_proven_absent_is_not_sent_again_for_an_entry_that_was_taken_out() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    let attempt = db.attempt(&term, "A", unknown()).await;
    db.take("").await;
    let term = db.only().await;
    let step = Move { act_at: Some(at(DUE)), warn_at: Some(at(DUE)), ..Move::of(&term, TermState::Scheduled) };
    let write = Write { moves: vec![step], ..Write::default() };
    db.store.set_aside(at(DUE), attempt, SetAside::NotPlaced, write).await.unwrap();
    assert!(db.due(DUE).await.is_empty());
    db.take(&entry("p1", 1)).await;
    assert_eq!(db.only().await.state, TermState::Scheduled);
}

#[tokio::test]
async fn what_waits_for_approval_is_judged_anew_when_its_entry_comes_back_or_changes() {
    for edit in ["", "quantity = 4\n", "grace = \"9 days\"\n", "approval = \"manual\"\n"] {
        let mut db = Fresh::with([1]).await;
        let term = db.only().await;
        let step = Move {
            remedy: Some("renewd approve p1".into()),
            act_at: Some(at("2027-03-01T00:00:00Z")),
            ..Move::of(&term, TermState::AwaitingApproval)
        };
        db.store.write(at(DUE), Write { moves: vec![step], ..Write::default() }).await.unwrap();
        assert!(db.due(DUE).await.is_empty());
        if edit.is_empty() {
            db.take("").await;
        }
        db.take(&(entry("p1", 1) + edit)).await;
        assert_eq!(db.only().await.state, TermState::Scheduled, "{edit}");
        assert_eq!(db.number("SELECT count(*) FROM attention").await, 0);
    }
}

/// The moment at which it is missed moves with the zone; without a new look nobody would notice when it comes.
#[tokio::test]
async fn what_waits_for_approval_is_judged_anew_when_its_deadline_moves() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    let step = Move { act_at: Some(at("2027-03-01T00:00:00Z")), ..Move::of(&term, TermState::AwaitingApproval) };
    db.store.write(at(DUE), Write { moves: vec![step], ..Write::default() }).await.unwrap();
    db.take_in("America/Los_Angeles", &entry("p1", 1)).await;
    let term = db.due("2027-02-15T17:00:00Z").await.remove(0);
    assert_eq!((term.state, term.moments.deadline_at), (TermState::Scheduled, at("2027-03-01T08:00:00Z")));
}

#[tokio::test]
async fn a_renamed_entry_that_waits_for_approval_goes_on_waiting() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    let step = Move { act_at: Some(at("2027-03-01T00:00:00Z")), ..Move::of(&term, TermState::AwaitingApproval) };
    db.store.write(at(DUE), Write { moves: vec![step], ..Write::default() }).await.unwrap();
    db.take(&entry("other", 1)).await;
    assert!(db.due(DUE).await.is_empty());
    assert_eq!(db.texts("SELECT state FROM term").await, ["awaiting_approval"]);
}

#[tokio::test]
async fn the_last_good_file_and_twenty_before_it_are_kept() {
    let mut db = Fresh::new().await;
    for n in 1..=30 {
        db.take(&format!("{}quantity = {n}\n", entry("p1", 1))).await;
    }
    assert!(db.store.file_in_force().await.unwrap().unwrap().text.ends_with("quantity = 30\n"));
    assert_eq!(db.number("SELECT count(*) FROM config_file WHERE state = 'past'").await, 20);
    assert!(db.store.keep_waiting(at(DUE), "/x", "half", "because").await.unwrap());
    assert!(!db.store.keep_waiting(at(DUE), "/x", "half", "because").await.unwrap(), "told once");
    assert_eq!(db.store.file_waiting().await.unwrap().unwrap().text, "half");
    assert!(db.store.file_in_force().await.unwrap().unwrap().text.ends_with("quantity = 30\n"));
    db.store.forget_waiting().await.unwrap();
    assert_eq!(db.store.file_waiting().await.unwrap(), None);
}
