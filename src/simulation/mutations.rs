//! The rules taken out, one by one: the oracle must notice each.

use crate::rules::{Rule, kept};
use crate::store::Store;

/// Takes out what the database itself holds a broken rule up with.
pub(super) async fn weaken(store: &mut Store) {
    let mut drop = Vec::new();
    if !kept(Rule::R4) {
        drop.extend(["TRIGGER term_never_overlaps", "TRIGGER term_begins_when_the_last_is_settled"]);
    }
    if !kept(Rule::R10) {
        drop.extend(["INDEX attempt_look_alikes_never_in_flight_together", "TRIGGER attempt_never_for_a_paid_term"]);
    }
    for what in drop {
        let sql = sqlx::AssertSqlSafe(format!(
            "DROP {} IF EXISTS {}",
            what.split(' ').next().unwrap_or_default(),
            what.split(' ').nth(1).unwrap_or_default()
        ));
        sqlx::query(sql).execute(&mut store.conn).await.expect("the schema has it");
    }
}
