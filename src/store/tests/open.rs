//! Opening: the right file, the right version, durable, and untouched where it is refused.

use std::borrow::Cow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::{Fresh, at};
use crate::store::open::{MIGRATIONS, OpenError};
use crate::store::{Opening, Store};

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// A closed database that has entries, and its path.
async fn closed() -> (tempfile::TempDir, std::path::PathBuf) {
    let db = Fresh::with([1, 2]).await;
    db.store.close().await.unwrap();
    let path = db.folder.path().join("renewd.db");
    (db.folder, path)
}

#[tokio::test]
async fn it_is_wal_full_and_keeps_foreign_keys_or_it_is_refused() {
    let mut db = Fresh::new().await;
    assert_eq!(db.texts("PRAGMA journal_mode").await, ["wal"]);
    assert_eq!((db.number("PRAGMA synchronous").await, db.number("PRAGMA foreign_keys").await), (2, 1));
    let path = db.folder.path().join("renewd.db");
    db.store.assert_durable(&path).await.unwrap();
    for (weaker, back) in [("synchronous = NORMAL", "synchronous = FULL"), ("foreign_keys = OFF", "foreign_keys = ON")] {
        db.sql(&format!("PRAGMA {weaker}")).await.unwrap();
        assert!(matches!(db.store.assert_durable(&path).await, Err(OpenError::Unsafe { .. })), "{weaker}");
        db.sql(&format!("PRAGMA {back}")).await.unwrap();
    }
    db.sql("PRAGMA journal_mode = DELETE").await.unwrap();
    assert!(matches!(db.store.assert_durable(&path).await, Err(OpenError::Unsafe { .. })));
}

#[tokio::test]
async fn a_clean_stop_leaves_one_file_that_anyone_of_the_group_can_read() {
    let (folder, path) = closed().await;
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["renewd.db"]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    // A byte of the header tells WAL from rollback journal (sqlite.org/fileformat2.html section 1.3).
    assert_eq!(std::fs::read(&path).unwrap()[18..20], [1, 1]);
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    let (_folder, path) = closed().await;
    let mut conn = raw(&path).await;
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
        .execute(&mut conn)
        .await
        .unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    for opening in [Opening::Create, Opening::Existing, Opening::ReadOnly] {
        let refused = Store::open(&path, opening).await.unwrap_err();
        assert!(matches!(refused, OpenError::Newer { version: 9999, .. }), "{opening:?}: {refused}");
    }
}

#[tokio::test]
async fn a_migration_that_was_edited_after_it_was_applied_is_refused() {
    let (_folder, path) = closed().await;
    let mut conn = raw(&path).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let refused = Store::open(&path, Opening::Existing).await.unwrap_err();
    assert!(matches!(refused, OpenError::Edited { version: 1, .. }), "{refused}");
}

/// Rows that the first migration already allows; later ones must carry them over.
const FILLED: &str = "
    INSERT INTO installation (id, uid, kind, created_at, config_path) VALUES (1, 'UID', 'portal', '2026-01-01T00:00:00.000Z', '/r.toml');
    INSERT INTO account (id, uid, base_url, bound_at) VALUES (1, 'ACC', 'https://portal.example/', '2026-01-01T00:00:00.000Z');
    INSERT INTO subscription (id, account_id, product_id, partner_id, item_id, name, active, seed_on, anchor_on, entry, created_at)
        VALUES (1, 1, '21', '30769154544897392641', '5', 'one', 1, '2026-03-01', '2026-03-01',
        '{\"product\":\"rm-premium\",\"operation\":\"renew_service\",\"billing_id\":\"7\",\"lines\":[],\"quantity\":10,\"cycle_months\":12,\"lead_days\":14,\"order_at\":\"09:00:00\",\"approval\":\"auto\",\"grace_days\":0}',
        '2026-01-01T00:00:00.000Z');
    INSERT INTO term (id, subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at)
        VALUES (1, 1, 0, '2026-03-01', '2027-03-01', 'renewed', '2026-02-15T09:00:00.000Z', '2026-02-15T09:00:00.000Z', '2026-03-01T00:00:00.000Z');
    INSERT INTO term (id, subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at, act_at)
        VALUES (2, 1, 12, '2027-03-01', '2028-03-01', 'unknown', '2027-02-15T09:00:00.000Z', '2027-02-15T09:00:00.000Z', '2027-03-01T00:00:00.000Z', '2027-02-15T09:00:00.000Z');
    INSERT INTO attempt (id, term_id, po_number, request, request_hash, looks_like, quantity, civil_day, fence_mark, fence_at, state, created_at, order_no)
        VALUES (1, 1, 'RW-1', '{}', 'h', 'l', 10, '2026-02-15', 0, '2026-02-15T09:00:00.000Z', 'placed', '2026-02-15T09:00:00.000Z', 'UF1');
    INSERT INTO attempt (id, term_id, po_number, request, request_hash, looks_like, quantity, civil_day, fence_mark, fence_at, state, created_at)
        VALUES (2, 2, 'RW-2', '{}', 'h', 'l', 10, '2027-02-15', 0, '2027-02-15T09:00:00.000Z', 'unknown', '2027-02-15T09:00:00.000Z');
    INSERT INTO portal_order (account_id, key, order_no, row, first_seen_at, attempt_id) VALUES (1, 'UF1', 'UF1', '{}', '2026-02-15T09:01:00.000Z', 1);
    INSERT INTO audit_log (at, kind, renewal, detail, hash) VALUES ('2026-01-01T00:00:00.000Z', 'database.created', NULL, '{}', printf('%064d', 1));
    INSERT INTO outbox (created_at, cause, body) VALUES ('2026-01-01T00:00:00.000Z', 'c', '{}');";

/// From every version that ever was: its first migrations, filled, then the rest.
#[tokio::test]
async fn a_filled_database_of_every_older_version_is_brought_up_to_date_and_loses_nothing() {
    for applied in 1..=MIGRATIONS.iter().count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renewd.db");
        let mut conn = raw(&path).await;
        let first: Vec<_> = MIGRATIONS.iter().take(applied).cloned().collect();
        Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT }.run(&mut conn).await.unwrap();
        sqlx::raw_sql(FILLED).execute(&mut conn).await.unwrap();
        sqlx::Connection::close(conn).await.unwrap();
        let mut store = Store::open(&path, Opening::Existing).await.unwrap();
        let due = store.due_terms(at("2027-02-15T09:00:00Z"), 10).await.unwrap().terms;
        assert_eq!((due.len(), due[0].identity.party.text().as_deref()), (1, Some("30769154544897392641")));
        assert_eq!(due[0].attempt.as_ref().map(|attempt| attempt.po_number.as_str()), Some("RW-2"));
        let orders = store.last_orders(10).await.unwrap();
        assert_eq!(orders.iter().map(|order| order.po_number.as_str()).collect::<Vec<_>>(), ["RW-2", "RW-1"]);
        assert_eq!(
            (store.known().await.unwrap().len(), store.audit_rows().await.unwrap().len(), store.mirror_count().await.unwrap()),
            (1, 1, 1)
        );
        store.close().await.unwrap();
    }
}

/// The order of ours was told to live again by a program that did not note when: what was bought before that day is not what it pays (0012).
#[tokio::test]
async fn since_when_an_order_lives_again_is_taken_from_the_audit_log_of_an_older_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("renewd.db");
    let mut conn = raw(&path).await;
    let first = Cow::Owned(MIGRATIONS.iter().take(11).cloned().collect());
    Migrator { migrations: first, ..Migrator::DEFAULT }.run(&mut conn).await.unwrap();
    sqlx::raw_sql(FILLED).execute(&mut conn).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO audit_log (at, kind, order_no, detail, hash) VALUES
            ('2026-04-01T00:00:00.000Z', 'order.lives_again', 'UF1', '{}', printf('%064d', 2)),
            ('2026-05-01T00:00:00.000Z', 'order.lives_again', 'UF1', '{}', printf('%064d', 3)),
            ('2026-06-01T00:00:00.000Z', 'order.lives_again', 'UF2', '{}', printf('%064d', 4)),
            ('2026-07-01T00:00:00.000Z', 'order.died', 'UF1', '{}', printf('%064d', 5));
        INSERT INTO portal_order (account_id, key, order_no, row, first_seen_at) VALUES (1, 'UF2', 'UF2', '{}', '2026-02-15T09:01:00.000Z')",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let mut store = Store::open(&path, Opening::Existing).await.unwrap();
    let revived: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT key, revived_at FROM portal_order ORDER BY key").fetch_all(&mut store.conn).await.unwrap();
    // The other's is none of ours: nothing of ours rests on the day.
    assert_eq!(revived, [("UF1".to_owned(), Some("2026-05-01T00:00:00.000Z".to_owned())), ("UF2".to_owned(), None)]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_reader_of_an_older_database_is_told_to_wait_for_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("renewd.db");
    let mut conn = raw(&path).await;
    let first = Cow::Owned(MIGRATIONS.iter().take(1).cloned().collect());
    Migrator { migrations: first, ..Migrator::DEFAULT }.run(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    assert!(matches!(Store::open(&path, Opening::ReadOnly).await, Err(OpenError::Older { .. })));
}

#[tokio::test]
async fn what_is_not_there_is_not_made_except_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/renewd.db");
    for opening in [Opening::Existing, Opening::ReadOnly] {
        assert!(matches!(Store::open(&path, opening).await, Err(OpenError::Missing(_))));
    }
    assert!(!path.parent().unwrap().exists());
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "").unwrap();
    assert!(
        matches!(Store::open(&path, Opening::ReadOnly).await, Err(OpenError::Missing(_))),
        "an empty file is no database yet"
    );
    std::fs::write(
        &path,
        "no database at all, but long enough to be looked at by SQLite as one, which wants a hundred bytes and more",
    )
    .unwrap();
    assert!(matches!(Store::open(&path, Opening::Existing).await, Err(OpenError::Unreadable { .. })));
}
