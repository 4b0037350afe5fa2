//! The audit log: append-only, and a change that gets past the triggers is found.

use super::{Fresh, placed};
use crate::store::audit::{GENESIS, verify_chain};

async fn filled() -> Fresh {
    let mut db = Fresh::with([1, 2]).await;
    for term in db.due(super::DUE).await {
        db.attempt(&term, &term.name, placed(&term.name)).await;
    }
    db
}

#[tokio::test]
async fn a_row_is_never_changed_and_never_deleted() {
    let mut db = filled().await;
    db.refuses("UPDATE audit_log SET renewal = 'other'", "append-only").await;
    db.refuses("DELETE FROM audit_log", "append-only").await;
    db.refuses("INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE seq = 2", "append-only").await;
}

#[tokio::test]
async fn an_untouched_chain_ends_in_its_head() {
    let mut db = filled().await;
    let rows = db.store.audit_rows().await.unwrap();
    assert!(rows.len() >= 6, "{rows:?}");
    assert_eq!(verify_chain(&rows).unwrap(), db.store.audit_tip().await.unwrap().1);
    assert_eq!(Fresh::new().await.store.audit_rows().await.unwrap()[0].expected_hash(GENESIS).len(), 64);
}

#[tokio::test]
async fn every_change_of_any_column_is_found_at_its_row() {
    for column in ["at", "kind", "subscription_id", "renewal", "po_number", "order_no", "transaction_no", "detail", "hash"] {
        let mut db = filled().await;
        db.sql("DROP TRIGGER audit_is_never_changed").await.unwrap();
        let other = match column {
            "at" => "'2020-01-01T00:00:00.000Z'",
            "subscription_id" => "2",
            "hash" => "replace(hash, substr(hash, 1, 1), 'x')",
            _ => "'forged'",
        };
        db.allows(&format!("UPDATE audit_log SET {column} = {other} WHERE seq = 3"), 1).await;
        let rows = db.store.audit_rows().await.unwrap();
        assert_eq!(verify_chain(&rows).unwrap_err().seq, 3, "{column}");
    }
}

#[tokio::test]
async fn a_row_that_was_taken_out_put_in_or_swapped_is_found() {
    let forged = [
        ("DELETE FROM audit_log WHERE seq = 3", 4),
        (
            "UPDATE audit_log SET seq = 1000 WHERE seq = 3; UPDATE audit_log SET seq = 3 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE seq = 1000",
            3,
        ),
        ("INSERT INTO audit_log (seq, at, kind, detail, hash) SELECT 0, at, kind, detail, hash FROM audit_log WHERE seq = 1", 0),
    ];
    for (statement, seq) in forged {
        let mut db = filled().await;
        db.sql("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_deleted").await.unwrap();
        db.sql(statement).await.unwrap();
        assert_eq!(verify_chain(&db.store.audit_rows().await.unwrap()).unwrap_err().seq, seq, "{statement}");
    }
}

/// What joins two columns differently must not hash alike.
#[tokio::test]
async fn text_that_wanders_from_one_column_to_the_next_is_found() {
    let db = filled().await.store.audit_rows().await.unwrap();
    let mut row = db.iter().find(|row| row.order_no.is_none() && row.po_number.is_some()).unwrap().clone();
    let honest = row.expected_hash(GENESIS);
    (row.order_no, row.po_number) = (row.po_number, None);
    assert_ne!(row.expected_hash(GENESIS), honest);
}
