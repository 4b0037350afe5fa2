use jiff::civil::{Time, date};

use super::*;
use crate::calendar::Cycle;
use crate::ids::PortalId;
use crate::renewal::order::{BillingCycle, Line, LineKind};
use crate::renewal::product;
use crate::renewal::subscription::{Approval, Party};

fn entry(name: &str, partner: u64) -> Entry {
    let service = PortalId::known(3_375_819_276_601_303_040);
    Entry {
        name: name.to_owned(),
        product: product::by_key("rm-premium").unwrap(),
        identity: Identity {
            product_id: PortalId::known(21),
            party: Party::Partner(PortalId::known(partner)),
            serial: None,
            item_id: service,
            batch: None,
        },
        billing_id: PortalId::known(3_197_218_168_379_846_218),
        lines: vec![Line {
            kind: LineKind::Service,
            id: service,
            quantity: Some(10),
            billing_cycle: BillingCycle::Annually,
            multi_cycle: 0,
            connection_plan: None,
        }],
        cycle: Cycle::years(1),
        expires_on: date(2027, 3, 1),
        far: false,
        lead_days: 14,
        order_at: Time::constant(9, 0, 0, 0),
        approval: Approval::Auto,
        grace_days: 0,
        line_number: 1,
    }
}

fn known(id: i64, entry: &Entry) -> Known {
    let standing = Standing::of(entry);
    let span = chain::term_at(entry.expires_on, 0, entry.cycle).unwrap();
    let moments = chain::moments(span.starts_on, &standing, &TimeZone::UTC).unwrap();
    Known {
        id,
        identity: entry.identity.clone(),
        name: entry.name.clone(),
        active: true,
        seed_on: entry.expires_on,
        anchor_on: entry.expires_on,
        standing,
        term: Some(KnownTerm { id, span, state: TermState::Scheduled, moments, attempted: false, open_before: None }),
    }
}

fn run(known: &[Known], entries: &[Entry]) -> Roster {
    compare(known, entries, &TimeZone::UTC, "2027-01-01T00:00:00Z".parse().unwrap())
}

#[test]
fn the_same_file_changes_nothing() {
    let e = entry("a", 1);
    assert_eq!(run(&[known(1, &e)], &[e]), Roster::default());
}

#[test]
fn a_renamed_entry_is_the_same_subscription() {
    let old = entry("a", 1);
    let new = Entry { name: "b".to_owned(), ..old.clone() };
    let roster = run(&[known(1, &old)], &[new]);
    assert!(
        matches!(&roster.changes[..], [Change::Updated { id: 1, renamed_from: Some(from), standing_before: None, .. }] if from == "a")
    );
}

#[test]
fn a_serial_added_after_the_fact_is_a_new_subscription_that_waits_for_a_person() {
    let old = entry("a", 1);
    let mut new = old.clone();
    new.identity.serial = Some("363331".to_owned());
    let roster = run(&[known(1, &old)], &[new]);
    assert!(matches!(&roster.changes[0], Change::Added { confirm: Some(why), .. } if why.contains("called a before")));
    assert!(matches!(&roster.changes[1], Change::Removed { id: 1, .. }));
}

#[test]
fn a_second_batch_for_the_same_customer_waits_for_a_person() {
    let old = entry("a", 1);
    let mut new = entry("b", 1);
    new.identity.batch = Some("2".to_owned());
    let roster = run(&[known(1, &old)], &[old, new]);
    assert!(matches!(&roster.changes[..], [Change::Added { confirm: Some(why), .. }] if why.contains("same customer")));
}

#[test]
fn a_device_under_another_name_and_customer_waits_for_a_person() {
    let with_serial = |name: &str, partner: u64, serial: &str| {
        let mut entry = entry(name, partner);
        entry.identity.serial = Some(serial.to_owned());
        entry
    };
    let old = with_serial("mill-street", 900, "3631A2200005");
    let roster = run(&[known(1, &old)], &[with_serial("mill-street-pbx", 800, "3631a2200005")]);
    assert!(
        roster
            .changes
            .iter()
            .any(|change| matches!(change, Change::Added { confirm: Some(why), .. } if why.contains("same serial number")))
    );
}

#[test]
fn a_corrected_expiry_is_refused_and_names_the_command() {
    let old = entry("a", 1);
    let new = Entry { expires_on: date(2027, 3, 2), ..old.clone() };
    let other = entry("b", 2);
    let roster = run(&[known(1, &old)], &[new, other]);
    assert_eq!(roster.refused.len(), 1);
    assert!(roster.refused[0].remedy.contains("renewd rebase a 2027-03-02"), "{}", roster.refused[0].remedy);
    assert!(matches!(&roster.changes[..], [Change::Added { entry: 1, .. }]), "the other entry goes on");
}

#[test]
fn an_expiry_that_follows_the_paid_end_is_accepted() {
    let old = entry("a", 1);
    let mut row = known(1, &old);
    row.term.as_mut().unwrap().state = TermState::Renewed;
    let new = Entry { expires_on: date(2028, 3, 1), ..old };
    let roster = run(&[row], &[new]);
    assert_eq!(roster.refused, []);
    assert!(matches!(&roster.changes[..], [Change::Updated { .. }]));
}

#[test]
fn a_file_cut_in_half_waits_and_a_small_removal_does_not() {
    let entries: Vec<Entry> = (1..=30).map(|n| entry(&format!("e{n}"), n)).collect();
    let rows: Vec<Known> = entries.iter().zip(1..).map(|(e, id)| known(id, e)).collect();
    assert_eq!(run(&rows, &entries[..27]).mass_removal, None);
    assert_eq!(run(&rows, &entries[..26]).mass_removal, Some(MassRemoval { removed: 4, active: 30 }));
}

#[test]
fn an_entry_that_comes_back_is_active_again() {
    let e = entry("a", 1);
    let row = Known { active: false, ..known(1, &e) };
    assert!(matches!(&run(&[row], &[e]).changes[..], [Change::Updated { returned: true, .. }]));
}

#[test]
fn another_lead_moves_a_term_that_waits_but_not_one_that_may_be_ordered() {
    let e = entry("a", 1);
    let sooner = Entry { lead_days: 30, ..e.clone() };
    let moved = run(&[known(1, &e)], std::slice::from_ref(&sooner));
    assert!(moved.changes.iter().any(|c| matches!(c, Change::Rescheduled { .. })));
    let mut row = known(1, &e);
    row.term.as_mut().unwrap().state = TermState::Unknown;
    assert!(!run(&[row], &[sooner]).changes.iter().any(|c| matches!(c, Change::Rescheduled { .. })));
}

#[test]
fn an_older_copy_of_the_file_is_no_edit_of_the_dates() {
    let old = entry("a", 1);
    let mut row = known(1, &old);
    row.seed_on = date(2029, 3, 1);
    row.term.as_mut().unwrap().span.starts_on = date(2029, 3, 1);
    let back = |day| run(&[row.clone()], &[Entry { expires_on: day, ..old.clone() }]).refused.len();
    assert_eq!(back(date(2027, 3, 1)), 0, "the anchor");
    assert_eq!(back(date(2028, 3, 1)), 0, "the end of a term that was paid since");
    assert_eq!(back(date(2028, 3, 2)), 1);
    assert_eq!(back(date(2030, 3, 1)), 1, "the end of one that is not paid");
}

#[test]
fn a_refused_entry_that_comes_back_is_renewed_by_what_the_database_has() {
    let old = entry("a", 1);
    let row = Known { active: false, ..known(1, &old) };
    let roster = run(&[row], &[Entry { expires_on: date(2027, 3, 2), ..old }]);
    assert_eq!(roster.refused.len(), 1);
    assert!(matches!(&roster.changes[..], [Change::Kept { id: 1, returned: true, .. }]));
}

/// It kept its old name, which another entry had by then: every command for that name was refused.
#[test]
fn a_refused_entry_takes_its_new_name_and_is_called_by_it() {
    let old = entry("a", 1);
    let edited = Entry { name: "a-old".into(), expires_on: date(2027, 3, 15), ..old.clone() };
    let roster = run(&[known(1, &old)], &[edited, entry("a", 2)]);
    assert!(roster.refused[0].remedy.ends_with("renewd rebase a-old 2027-03-15"), "{:?}", roster.refused);
    let kept = Change::Kept { id: 1, entry: 0, renamed_from: Some("a".into()), returned: false };
    assert_eq!((&roster.changes[0], roster.changes.len()), (&kept, 2));
}

/// The customer was corrected while the order for the wrong one was of unknown fate. The command that people had been told then meant the new entry:
/// it took the other's order for its own, and the other was bought again.
#[test]
fn a_name_is_not_given_on_while_an_order_of_the_one_that_had_it_is_open() {
    let (old, new) = (entry("a", 1), entry("a", 2));
    for state in [TermState::Ordering, TermState::Unknown, TermState::Placed] {
        let mut known = known(1, &old);
        known.term.as_mut().unwrap().state = state;
        let roster = run(&[known], std::slice::from_ref(&new));
        assert!(matches!(&roster.changes[..], [Change::Removed { id: 1, .. }]), "{:?}", roster.changes);
        assert!(roster.refused[0].message.contains("has an order that is not settled yet"), "{:?}", roster.refused);
        assert_eq!(roster.refused[0].by, Some(date(2027, 3, 1)));
    }
    let roster = run(&[known(1, &old)], &[new]);
    assert!(matches!(&roster.changes[0], Change::Added { confirm: Some(_), .. }), "{:?}", roster.changes);
}
