//! What the schema itself refuses, whoever asks.

use super::{DUE, Fresh, at, not_placed, placed, unknown};
use crate::store::{Opening, Store};

#[tokio::test]
async fn the_identity_of_a_subscription_is_frozen_and_its_label_is_not() {
    let mut db = Fresh::with([1]).await;
    for (column, other) in [
        ("account_id", "2"),
        ("product_id", "'22'"),
        ("partner_id", "'2'"),
        ("serial", "'S'"),
        ("item_id", "'6'"),
        ("batch", "'b'"),
    ] {
        db.refuses(&format!("UPDATE subscription SET {column} = {other}"), "never changes (R2)").await;
    }
    db.allows("UPDATE subscription SET name = 'other', active = 0", 1).await;
}

#[tokio::test]
async fn a_database_never_changes_between_sandbox_and_portal() {
    let mut db = Fresh::new().await;
    for change in ["kind = 'sandbox'", "uid = 'OTHER'"] {
        db.refuses(&format!("UPDATE installation SET {change}"), "between sandbox and portal").await;
    }
    db.refuses("INSERT INTO installation (id, uid, kind, created_at) SELECT 2, uid, kind, created_at FROM installation", "CHECK")
        .await;
}

#[tokio::test]
async fn two_subscriptions_cannot_be_the_same() {
    let mut db = Fresh::with([1]).await;
    let copy = "INSERT INTO subscription (account_id, product_id, partner_id, serial, item_id, batch, name, active, seed_on, anchor_on, entry, created_at)
                SELECT account_id, product_id, partner_id, serial, item_id, batch, 'copy', 1, seed_on, anchor_on, entry, created_at FROM subscription";
    db.refuses(copy, "UNIQUE").await;
}

const NEXT: &str = "INSERT INTO term (subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at)
                    SELECT subscription_id, 12, 'FROM', 'TO', 'scheduled', since, due_at, deadline_at FROM term WHERE id = 1";

fn next(from: &str, to: &str) -> String {
    NEXT.replace("FROM'", &format!("{from}'")).replace("TO'", &format!("{to}'"))
}

#[tokio::test]
async fn the_next_term_exists_only_when_the_one_before_is_settled() {
    let mut db = Fresh::with([1]).await;
    for open in ["scheduled", "awaiting_approval", "ordering", "unknown", "placed", "held"] {
        db.allows(&format!("UPDATE term SET state = '{open}'"), 1).await;
        db.refuses(&next("2028-03-01", "2029-03-01"), "only when the previous one is settled (R4)").await;
    }
    db.allows("UPDATE term SET state = 'renewed'", 1).await;
    db.allows(&next("2028-03-01", "2029-03-01"), 1).await;
}

#[tokio::test]
async fn terms_never_overlap_by_a_single_day() {
    let mut db = Fresh::with([1]).await;
    db.allows("UPDATE term SET state = 'renewed'", 1).await;
    for (from, to) in
        [("2028-02-29", "2029-03-01"), ("2027-03-01", "2028-03-01"), ("2026-03-01", "2027-03-02"), ("2027-06-01", "2027-07-01")]
    {
        db.refuses(&next(from, to), "never overlap (R4)").await;
    }
    db.refuses(&next("2028-03-01", "2028-03-01"), "CHECK").await;
    // Half-open: the day on which one ends is the day on which the next begins.
    db.allows(&next("2028-03-01", "2029-03-01"), 1).await;
}

#[tokio::test]
async fn the_dates_of_a_term_never_change() {
    let mut db = Fresh::with([1]).await;
    for change in ["starts_on = '2027-03-02'", "ends_on = '2028-03-02'", "subscription_id = 9"] {
        db.refuses(&format!("UPDATE term SET {change}"), "never change (R4)").await;
    }
}

#[tokio::test]
async fn a_term_has_one_undecided_attempt_at_most_and_none_once_it_is_paid() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    let attempt = db.commit(&[&term], "A").await.unwrap()[0].attempt();
    db.allows("UPDATE term SET state = 'scheduled'", 1).await; // even if the term were wrongly free
    for (outcome, words) in [(None, "open"), (Some(unknown()), "unknown"), (Some(placed("UF1")), "placed")] {
        if let Some(outcome) = outcome {
            db.allows("UPDATE term SET state = 'ordering'", 1).await;
            db.end(&term, attempt, outcome).await.unwrap();
            db.allows("UPDATE term SET state = 'scheduled'", 1).await;
        }
        let refused = db.commit(&[&term], words).await.unwrap_err().to_string();
        assert!(refused.contains("at most one order that may exist"), "{words}: {refused}");
    }
    assert_eq!(db.number("SELECT count(*) FROM attempt").await, 1);
}

#[tokio::test]
async fn a_term_cannot_get_a_second_placed_attempt_by_a_late_finding() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", not_placed()).await;
    db.attempt(&term, "B", placed("UF2")).await;
    db.refuses("UPDATE attempt SET state = 'placed', order_no = 'UF1' WHERE po_number = 'A0'", "UNIQUE").await;
    db.refuses("UPDATE attempt SET state = 'unknown' WHERE po_number = 'A0'; UPDATE attempt SET state = 'unknown' WHERE po_number = 'B0'", "UNIQUE").await;
}

/// Also where the look of the order has changed between two tries.
#[tokio::test]
async fn two_attempts_of_a_term_are_never_undecided_together() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", not_placed()).await;
    let fence = crate::store::attempts::Fence { mark: 0, total: None, at: at(DUE) };
    let other = crate::store::attempts::Intent { looks_like: "another".to_owned(), ..super::intent(&term, "B") };
    db.store.commit_intents(at(DUE), fence, vec![other]).await.unwrap();
    db.refuses("UPDATE attempt SET state = 'unknown' WHERE po_number = 'A0'", "UNIQUE constraint failed: attempt.term_id").await;
}

/// Two batches of one product for one customer: the portal could not tell their orders apart.
#[tokio::test]
async fn attempts_that_look_alike_are_never_in_flight_together() {
    let mut db = Fresh::new().await;
    let twins = super::entry("a", 1) + &super::entry("b", 1) + "batch = \"second\"\n";
    db.take(&twins).await;
    let due = db.due(DUE).await;
    let refused = db.commit(&[&due[0], &due[1]], "A").await.unwrap_err().to_string();
    assert!(refused.contains("UNIQUE") && refused.contains("looks_like"), "{refused}");
    assert_eq!(db.number("SELECT count(*) FROM attempt").await, 0, "a batch is committed whole or not at all");
    db.attempt(&due[0], "B", unknown()).await;
    db.commit(&[&due[1]], "C").await.unwrap_err();
    db.allows("UPDATE attempt SET state = 'placed', order_no = 'UF1'", 1).await;
    db.commit(&[&due[1]], "D").await.unwrap();
}

#[tokio::test]
async fn an_order_number_belongs_to_one_attempt_and_so_does_a_po_number() {
    let mut db = Fresh::with([1, 2]).await;
    let due = db.due(DUE).await;
    db.attempt(&due[0], "A", placed("UF1")).await;
    let second = db.commit(&[&due[1]], "B").await.unwrap()[0].attempt();
    assert!(db.end(&due[1], second, placed("UF1")).await.unwrap_err().to_string().contains("UNIQUE"));
    let mut db = Fresh::with([1, 2]).await;
    let due = db.due(DUE).await;
    db.attempt(&due[0], "A", placed("UF1")).await;
    assert!(db.commit(&[&due[1]], "A").await.unwrap_err().to_string().contains("po_number"));
}

#[tokio::test]
async fn what_an_attempt_sent_never_changes_and_no_attempt_is_forgotten() {
    let mut db = Fresh::with([1]).await;
    let term = db.only().await;
    db.attempt(&term, "A", unknown()).await;
    for column in
        ["term_id", "po_number", "request", "request_hash", "looks_like", "quantity", "civil_day", "fence_mark", "fence_at"]
    {
        db.refuses(&format!("UPDATE attempt SET {column} = {column} || 1"), "never changes").await;
    }
    db.refuses("DELETE FROM attempt", "never deleted").await;
    db.allows("UPDATE attempt SET state = 'not_placed'", 1).await; // so that nothing else stands in the way
    db.refuses("INSERT OR REPLACE INTO attempt SELECT * FROM attempt", "never replaced").await;
    db.refuses("DELETE FROM term", "FOREIGN KEY").await;
    db.refuses("DELETE FROM subscription", "FOREIGN KEY").await;
}

#[tokio::test]
async fn one_file_is_in_force_and_at_most_one_waits() {
    let mut db = Fresh::with([1]).await;
    for state in ["in_force", "waiting"] {
        let copy = format!(
            "INSERT INTO config_file (path, hash, text, seen_at, state) SELECT path, hash, text, seen_at, '{state}' FROM config_file LIMIT 1"
        );
        let first = db.sql(&copy).await;
        assert_eq!(first.is_ok(), state == "waiting");
        db.refuses(&copy, "UNIQUE").await;
    }
}

/// Text order is time order only where every time has one width. A column that a later migration adds is found here too.
#[tokio::test]
async fn every_stored_time_has_one_width_and_the_schema_says_so() {
    let mut db = Fresh::new().await;
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT t.name, c.name, t.sql FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND c.type = 'TEXT'",
    )
    .fetch_all(&mut db.store.conn)
    .await
    .unwrap();
    let is_time = |name: &str| {
        name.ends_with("_at") || name.ends_with("_portal") || ["at", "since", "high_water", "sandbox_now"].contains(&name)
    };
    let is_day = |name: &str| name.ends_with("_on") || name == "civil_day";
    let mut times = 0;
    for (table, column, sql) in &columns {
        let width = if is_time(column) {
            24
        } else if is_day(column) {
            10
        } else {
            continue;
        };
        times += 1;
        assert!(sql.contains(&format!("CHECK (length({column}) = {width})")), "{table}.{column} may have any width");
    }
    assert!(times > 30, "{times}");
    for moment in ["1970-01-01T00:00:00Z", "2027-03-01T09:00:00.5Z", "9999-12-30T22:00:00.999999999Z"] {
        assert_eq!(crate::store::text::time(at(moment)).len(), 24, "{moment}");
    }
}

#[tokio::test]
async fn every_table_is_strict_and_every_view_can_be_read() {
    let mut db = Fresh::with([1]).await;
    let loose = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    assert_eq!(db.texts(loose).await, [""; 0]);
    for view in db.texts("SELECT name FROM sqlite_schema WHERE type = 'view'").await {
        db.number(&format!("SELECT count(*) FROM {view}")).await;
    }
    let path = db.folder.path().join("renewd.db");
    db.store.close().await.unwrap();
    let mut reader = Store::open(&path, Opening::ReadOnly).await.unwrap();
    assert_eq!(reader.upcoming(5).await.unwrap().len(), 1);
    assert!(reader.begin("writing").await.is_err() || sqlx::query("DELETE FROM notice").execute(&mut reader.conn).await.is_err());
}
