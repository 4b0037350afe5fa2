//! The rules taken out, one by one: the oracle must notice each.

use super::nature::Nature;
use crate::rules::{Rule, break_on_this_thread, kept};
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

/// The most worlds that a broken rule may survive.
const MOST: u64 = 300;

/// Plays worlds without `rule` until the oracle complains of one that is fine with it; how many that took, and what it said.
fn caught(rule: Rule, nature: impl Fn(Nature) -> Nature) -> Option<(u64, String)> {
    (0..MOST).find_map(|seed| {
        break_on_this_thread(&[rule]);
        let drawn = nature(Nature::draw(&mut super::dice::Dice::new(seed)));
        let played = super::play(seed, Some(drawn.clone()), false);
        break_on_this_thread(&[]);
        let complaint = played.err().filter(|_| super::play(seed, Some(drawn), false).is_ok())?;
        Some((seed + 1, complaint))
    })
}

macro_rules! mutations {
    ($($name:ident: $rule:ident $(in a world $nature:ident)?,)+) => {$(
        #[test]
        fn $name() {
            let caught = caught(Rule::$rule, |nature| nature$(.$nature())?);
            let (worlds, complaint) = caught.unwrap_or_else(|| panic!("{MOST} worlds without {:?}, and no complaint", Rule::$rule));
            println!("without {:?}: world {worlds}: {complaint}", Rule::$rule);
        }
    )+};
}

mutations! {
    a_label_as_identity_is_noticed: R2,
    an_edited_expiry_that_moves_the_chain_is_noticed: R4,
    ordering_before_a_person_bound_the_account_is_noticed: R8 in a world that_is_not_bound,
    ordering_from_a_restored_or_copied_database_is_noticed: R9 in a world that_is_restored,
    sending_without_an_intent_is_noticed: R10,
    ignoring_the_orders_of_others_is_noticed: R11,
    trusting_the_clock_is_noticed: R13,
    taking_every_refusal_for_a_proof_is_noticed: R15 in a world that_refuses,
    stopping_at_the_first_known_row_is_noticed: R17,
    explaining_by_what_was_never_learned_is_noticed: R18 in a world that_misleads,
    taking_one_look_for_evidence_is_noticed: R19,
    not_waiting_for_settle_is_noticed: R20,
    sending_a_third_time_is_noticed: R21,
    trusting_what_was_learned_long_ago_is_noticed: R22 in a world that_changes,
    not_following_an_order_is_noticed: R23,
    taking_a_hasty_no_for_a_proof_is_noticed: R25 in a world that_is_impatient,
}
