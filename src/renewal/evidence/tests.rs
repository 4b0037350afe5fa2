//! The table of what the order list proves (R18 to R20), and `tests/histories.rs`: random histories of a small portal.

mod histories;

use serde_json::json;

use super::*;
use crate::ids::PortalId;
use crate::renewal::learned::{lessons, merged};
use crate::renewal::subscription::Party;

const PO: &str = "RW-HOME-7";
const SETTLE: SignedDuration = SignedDuration::from_hours(24);
const PARTNER: u64 = 3_076_915_454_489_739_264;
const SERVICE: u64 = 3_375_819_276_601_303_040;

fn identity() -> Identity {
    Identity {
        product_id: PortalId::known(21),
        party: Party::Partner(PortalId::known(PARTNER)),
        serial: None,
        item_id: PortalId::known(SERVICE),
        batch: None,
    }
}

/// So many hours after the call ended.
fn hours(hours: i64) -> Timestamp {
    "2027-02-15T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

/// By both clocks alike.
fn moment(at: i64) -> Moment {
    Moment { local: hours(at), portal: Some(hours(at)) }
}

/// A search `read` hours after the end, over a whole list, with no absence noted yet.
fn search(identity: &Identity, read: i64) -> Search<'_> {
    Search {
        identity,
        po_number: PO,
        created_at: hours(0),
        ended: moment(0),
        absent: None,
        read: moment(read),
        settle: SETTLE,
        list_is_whole: true,
    }
}

fn learned(rows: &[(Field, Echo)]) -> Learned {
    Learned::new(rows.to_vec())
}

/// Every field comes back, but for `poNumber`.
fn all_but_po() -> Learned {
    learned(&[
        (Field::PoNumber, Echo::Absent),
        (Field::Product, Echo::Echoed),
        (Field::Partner, Echo::Echoed),
        (Field::Item, Echo::Echoed),
    ])
}

fn order(key: &str, facts: Facts) -> Listed {
    Listed {
        mark: 1,
        key: key.to_owned(),
        order_no: Some(key.to_owned()),
        portal_id: None,
        status: Some("succeed".to_owned()),
        created_at: Some(hours(0)),
        attempt: None,
        by_answer: false,
        detailed: true,
        again_at: None,
        facts,
        mentions_ours: Vec::new(),
        stray: false,
    }
}

/// What our own order shows where everything comes back.
fn ours() -> Facts {
    Facts {
        product: Some(21.to_string()),
        partner: Some(PARTNER.to_string()),
        items: vec![SERVICE.to_string()],
        ..Facts::default()
    }
}

fn judged(read: i64, since: &[Listed], learned: &Learned) -> Finding {
    judge(&search(&identity(), read), since, learned)
}

fn nobody_knows(keys: &[&str]) -> Finding {
    Finding::NoEvidence(keys.iter().map(|key| (*key).to_owned()).collect())
}

// R19 a

#[test]
fn r19a_an_order_with_our_po_number_is_ours_whatever_else_it_shows() {
    let mut found = order("1", Facts { product: Some(19.to_string()), partner: Some(5.to_string()), ..Facts::default() });
    found.mentions_ours = vec!["RW-HOME-70".to_owned(), PO.to_owned()];
    for learned in [Learned::default(), all_but_po()] {
        assert_eq!(judged(0, &[order("0", ours()), found.clone()], &learned), Finding::Placed("1".to_owned()));
    }
}

#[test]
fn r19a_a_po_number_that_only_begins_like_ours_is_another_one() {
    let mut other = order("1", Facts { product: Some(19.to_string()), ..Facts::default() });
    other.mentions_ours = vec![format!("{PO}0")];
    assert_eq!(judged(0, &[other], &all_but_po()), Finding::NotYet);
}

// R19 b

#[test]
fn r19b_the_only_order_that_shows_all_of_it_is_it_where_the_po_number_never_comes_back() {
    let at = |read| judged(read, &[order("1", ours())], &all_but_po());
    assert_eq!(at(47), Finding::NotYet, "a look-alike may still turn up beside it");
    assert_eq!(at(48), Finding::PlacedByContent("1".to_owned()));
    let identity = identity();
    let moving = |read| judge(&Search { list_is_whole: false, ..search(&identity, read) }, &[order("1", ours())], &all_but_po());
    assert_eq!((moving(71), moving(72)), (Finding::NotYet, nobody_knows(&["1"])));
}

#[test]
fn r19b_never_where_the_po_number_comes_back_or_was_never_seen_missing() {
    for po in [Some(Echo::Echoed), Some(Echo::Misleading), None] {
        let rows = [Field::Product, Field::Partner, Field::Item].map(|field| (field, Echo::Echoed));
        let learned = Learned::new(rows.into_iter().chain(po.map(|echo| (Field::PoNumber, echo))).collect());
        assert_eq!(judged(48, &[order("1", ours())], &learned), nobody_knows(&["1"]), "{po:?}");
    }
}

#[test]
fn r19b_never_by_a_field_that_was_not_learned_to_come_back() {
    for weak in [Field::Product, Field::Partner, Field::Item] {
        for echo in [None, Some(Echo::Absent), Some(Echo::Misleading)] {
            let rows = [Field::Product, Field::Partner, Field::Item].into_iter().filter(|field| *field != weak);
            let rows = rows.map(|field| (field, Echo::Echoed)).chain(echo.map(|echo| (weak, echo)));
            let learned = Learned::new(rows.chain([(Field::PoNumber, Echo::Absent)]).collect());
            assert_eq!(judged(48, &[order("1", ours())], &learned), nobody_knows(&["1"]), "{weak:?} {echo:?}");
        }
    }
}

#[test]
fn r19b_never_one_of_two_and_never_one_that_shows_less_or_something_else() {
    assert_eq!(judged(48, &[order("1", ours()), order("2", ours())], &all_but_po()), nobody_knows(&["1", "2"]));
    for facts in [
        Facts { product: None, ..ours() },
        Facts { partner: None, ..ours() },
        Facts { items: Vec::new(), ..ours() },
        Facts { items: vec!["4".to_owned()], ..ours() },
    ] {
        assert_eq!(judged(48, &[order("1", facts.clone())], &all_but_po()), nobody_knows(&["1"]), "{facts:?}");
    }
}

#[test]
fn r19b_never_an_order_that_was_not_made_while_ours_could_be_or_does_not_say_when() {
    let five_minutes_off = Some(hours(0) - SignedDuration::from_mins(5));
    let earlier = Some(hours(0) - SignedDuration::from_mins(6));
    let created = |created_at| judged(48, &[Listed { created_at, ..order("1", ours()) }], &all_but_po());
    assert_eq!(created(five_minutes_off), Finding::PlacedByContent("1".to_owned()), "the portal's clock need not be ours");
    let last = Some(hours(24) + SignedDuration::from_mins(5));
    let later = Some(hours(24) + SignedDuration::from_mins(6));
    assert_eq!(created(last), Finding::PlacedByContent("1".to_owned()));
    for never in [earlier, later, None] {
        assert_eq!(created(never), nobody_knows(&["1"]), "{never:?}");
    }
}

#[test]
fn r19b_a_serial_number_that_was_sent_must_come_back_and_be_equal() {
    let identity = Identity { serial: Some("3631A2200001".to_owned()), ..identity() };
    let shows = |serial: Option<&str>| order("1", Facts { serial: serial.map(str::to_owned), ..ours() });
    let judged = |order: Listed, learned: &Learned| judge(&search(&identity, 48), &[order], learned);
    assert_eq!(judged(shows(Some("3631A2200001")), &all_but_po()), nobody_knows(&["1"]), "not learned");
    let mut rows = all_but_po().rows;
    rows.push((Field::Serial, Echo::Echoed));
    let learned = Learned::new(rows);
    assert_eq!(judged(shows(Some("3631A2200001")), &learned), Finding::PlacedByContent("1".to_owned()));
    assert_eq!(judged(shows(None), &learned), nobody_knows(&["1"]));
    assert_eq!(judged(shows(Some("3631A2200002")), &learned), Finding::AbsentOnce, "another one's, so explained");
}

/// R19 b says "a renewal": somebody who buys connections for the same customer in the same hour has not renewed them.
#[test]
fn r19b_never_an_order_that_is_no_renewal() {
    let row = json!({"productId": "21", "partnerId": PARTNER.to_string(), "operationType": "purchase_service",
        "serviceList": [{"serviceId": SERVICE.to_string(), "purchaseType": "purchase"}]});
    assert_eq!(judged(48, &[order("1", Facts::of(&row, None))], &all_but_po()), nobody_knows(&["1"]));
}

#[test]
fn r19b_never_a_dead_order_or_one_that_is_another_attempts() {
    for status in ["cancelled", "failed", "refunded", "invalid"] {
        let dead = Listed { status: Some(status.to_owned()), ..order("1", ours()) };
        assert_eq!(judged(48, &[dead], &all_but_po()), nobody_knows(&["1"]), "{status}");
    }
    let answered = Listed { attempt: Some(3), by_answer: true, ..order("1", ours()) };
    assert_eq!(judged(48, &[answered], &all_but_po()), nobody_knows(&["1"]));
}

// R18

#[test]
fn r18_only_another_value_in_a_field_that_comes_back_explains() {
    for field in [Field::Product, Field::Partner] {
        let facts = match field {
            Field::Product => Facts { product: Some(19.to_string()), ..ours() },
            _ => Facts { partner: Some(5.to_string()), ..ours() },
        };
        for (echo, explains) in
            [(Some(Echo::Echoed), true), (Some(Echo::Absent), false), (Some(Echo::Misleading), false), (None, false)]
        {
            let learned = Learned::new(echo.map(|echo| (field, echo)).into_iter().collect());
            assert_eq!(explained(&order("1", facts.clone()), &identity(), &learned), explains, "{field:?} {echo:?}");
        }
    }
}

/// A8: what other customers' orders taught was believed of one whose own are shown under a distributor. Its lost order was taken for the
/// distributor's, and bought again.
#[test]
fn r18_a_customer_whom_no_order_shows_may_be_shown_as_another() {
    let distributor = order("1", Facts { partner: Some(5.to_string()), ..ours() });
    let never_shown = all_but_po().of_others_only();
    assert!(explained(&distributor, &identity(), &all_but_po()));
    assert!(!explained(&distributor, &identity(), &never_shown));
    assert!(explained(&order("2", Facts { product: Some(19.to_string()), ..ours() }), &identity(), &never_shown));
    let named = Listed { attempt: Some(3), by_answer: true, ..distributor.clone() };
    assert!(explained(&named, &identity(), &never_shown), "the order that an answer gave to another renewal of ours");
    let mut rows = all_but_po().with(&[]);
    rows.extend([(Field::PoNumber, Echo::Echoed), (Field::Partner, Echo::Echoed)]);
    assert!(explained(&distributor, &identity(), &Learned::new(rows).of_others_only()), "ours would carry our number");
}

#[test]
fn r18_lines_never_explain_and_neither_does_a_field_that_is_missing() {
    for facts in [Facts { items: vec!["4".to_owned()], ..ours() }, Facts { items: Vec::new(), ..ours() }, Facts::default()] {
        assert!(!explained(&order("1", facts.clone()), &identity(), &all_but_po()), "{facts:?}");
    }
}

#[test]
fn r18_an_order_that_is_known_as_ours_is_explained_whatever_was_learned() {
    let known = Listed { attempt: Some(3), ..order("1", ours()) };
    assert!(explained(&known, &identity(), &Learned::default()));
    let by_answer = Listed { by_answer: true, ..known };
    assert!(!explained(&by_answer, &identity(), &Learned::default()), "an answer may name the wrong order");
    let with_number = Listed { mentions_ours: vec!["RW-HOME-3".to_owned()], ..by_answer };
    assert!(explained(&with_number, &identity(), &Learned::default()));
}

/// The portal cut our number off and showed the customer by name: our own order looked like another one of ours, and was bought again.
#[test]
fn r18_a_number_of_ours_that_is_nobodys_explains_nothing_and_holds_what_it_may_be() {
    let cut = Listed {
        mentions_ours: vec!["RW-HOME-".to_owned()],
        stray: true,
        ..order("1", Facts { partner: Some("CU7".to_owned()), ..ours() })
    };
    assert!(!explained(&cut, &identity(), &all_but_po()));
    let wanted = identity();
    let later = Search { absent: Some(moment(24)), ..search(&wanted, 72) };
    assert_eq!(judge(&later, std::slice::from_ref(&cut), &all_but_po()), nobody_knows(&["1"]));
    assert!(!may_be_for(&cut, &identity(), &all_but_po()) && may_have_renewed(&cut, &identity(), &all_but_po()));
    let another_product = Listed { facts: Facts { product: Some(19.to_string()), ..ours() }, ..cut };
    assert!(!may_have_renewed(&another_product, &identity(), &all_but_po()));
}

#[test]
fn r18_a_serial_number_explains_only_where_one_was_sent() {
    let learned = learned(&[(Field::Serial, Echo::Echoed)]);
    let shows = order("1", Facts { serial: Some("3076913644890832896".to_owned()), ..ours() });
    assert!(!explained(&shows, &identity(), &learned), "the portal's own number of a product without one");
    assert!(explained(&shows, &Identity { serial: Some("3631A2200001".to_owned()), ..identity() }, &learned));
}

#[test]
fn r18_a_partner_explains_an_order_of_ones_own_only_once_those_were_seen_without() {
    let own = Identity { party: Party::Own, ..identity() };
    for (echo, explains) in [(Some(Echo::Echoed), true), (Some(Echo::Misleading), false), (None, false)] {
        let learned = Learned::new(echo.map(|echo| (Field::Partner, echo)).into_iter().collect());
        assert_eq!(explained(&order("1", ours()), &own, &learned), explains, "{echo:?}");
    }
}

/// What was learned was learned from details. A list that shows the reseller's own id in every row must not explain an order of ours
/// whose details cannot be read: it would be bought twice.
#[test]
fn r18_a_row_does_not_explain_by_what_only_details_were_learned_to_show() {
    let row = json!({"orderNo": "1", "partnerId": "3076910000000000001"});
    let details = json!({"basicInformation": {"productId": "21", "partnerId": PARTNER.to_string()},
        "orderInformation": {"poNumber": "RW-HOME-1"}, "orderSummary": [{"serviceId": SERVICE.to_string()}]});
    let mut earlier = order("0", Facts::of(&row, Some(&details)));
    earlier.mentions_ours = vec!["RW-HOME-1".to_owned()];
    let learned = Learned::new(lessons(&identity(), &earlier, "RW-HOME-1"));
    assert!(learned.echoes(Field::Partner), "as its details show it");
    let bare = Listed { detailed: false, ..order("1", Facts::of(&row, None)) };
    assert!(!explained(&bare, &identity(), &learned), "it may be ours");
}

// R19 c and R20

#[test]
fn r19c_absence_counts_one_settle_after_the_end_and_again_one_settle_later() {
    let identity = identity();
    let seen = |read, absent: Option<i64>| {
        judge(&Search { absent: absent.map(moment), ..search(&identity, read) }, &[], &Learned::default())
    };
    assert_eq!(seen(0, None), Finding::NotYet);
    assert_eq!(seen(23, None), Finding::NotYet, "it may still be carried out (A2)");
    assert_eq!(seen(24, None), Finding::AbsentOnce);
    assert_eq!(seen(47, Some(24)), Finding::NotYet, "it may still be listed (A1)");
    assert_eq!(seen(48, Some(24)), Finding::NotPlaced);
    assert_eq!(seen(53, Some(30)), Finding::NotYet);
}

#[test]
fn r19c_not_while_anything_is_unexplained() {
    let identity = identity();
    let almost = Search { absent: Some(moment(24)), ..search(&identity, 47) };
    assert_eq!(judge(&almost, &[order("1", Facts::default())], &all_but_po()), Finding::NotYet);
    let later = Search { absent: Some(moment(24)), ..search(&identity, 48) };
    assert_eq!(judge(&later, &[order("1", Facts::default())], &all_but_po()), nobody_knows(&["1"]));
    assert_eq!(
        judge(&later, &[order("1", Facts { product: Some(19.to_string()), ..ours() })], &all_but_po()),
        Finding::NotPlaced
    );
}

#[test]
fn r19c_not_by_a_list_that_did_not_hold_still() {
    let identity = identity();
    let seen = |read| {
        judge(&Search { list_is_whole: false, absent: Some(moment(24)), ..search(&identity, read) }, &[], &Learned::default())
    };
    assert_eq!(seen(71), Finding::NotYet);
    assert_eq!(seen(72), nobody_knows(&[]), "R19 d: the list cannot be trusted");
}

#[test]
fn r19d_candidates_are_named_once_both_settles_have_passed() {
    let two = [order("1", ours()), order("2", Facts::default()), order("3", Facts { product: Some(19.to_string()), ..ours() })];
    assert_eq!(judged(47, &two, &all_but_po()), Finding::NotYet);
    assert_eq!(judged(48, &two, &all_but_po()), nobody_knows(&["1", "2"]));
}

#[test]
fn r20_absence_is_measured_by_the_slower_of_two_clocks() {
    let identity = identity();
    let read = |local, portal: Option<i64>| Moment { local: hours(local), portal: portal.map(hours) };
    let seen = |read, absent| judge(&Search { absent, read, ..search(&identity, 0) }, &[], &Learned::default());
    assert_eq!(seen(read(500, Some(23)), None), Finding::NotYet, "our clock was put forward");
    assert_eq!(seen(read(23, Some(500)), None), Finding::NotYet, "the portal's was");
    assert_eq!(seen(read(500, Some(47)), Some(moment(24))), Finding::NotYet);
    assert_eq!(seen(read(47, Some(500)), Some(moment(24))), Finding::NotYet);
    assert_eq!(seen(read(-1, Some(500)), None), Finding::NotYet, "our clock was put back");
}

#[test]
fn r20_an_answer_without_a_fresh_date_does_not_count_where_the_portal_gives_one() {
    let identity = identity();
    let undated = |at| Moment { local: hours(at), portal: None };
    let seen = |read, absent| judge(&Search { absent, read, ..search(&identity, 0) }, &[], &Learned::default());
    assert_eq!(seen(undated(500), None), Finding::NotYet);
    assert_eq!(seen(undated(500), Some(moment(24))), Finding::NotYet);
    let never_dated = Search { ended: undated(0), read: undated(24), ..search(&identity, 0) };
    assert_eq!(judge(&never_dated, &[], &Learned::default()), Finding::AbsentOnce, "a portal without dates has our clock only");
}

/// The end is dated by the first answer that is (`daemon/resolve.rs`); an absence that was noted before that was noted by our clock alone.
#[test]
fn r20_an_absence_that_was_noted_without_a_date_counts_from_the_first_dated_one() {
    let identity = identity();
    // Our clock was 24 h ahead when the absence was noted, at the very end of the call. Since then one settle has passed.
    let search = Search {
        ended: Moment { local: hours(0), portal: Some(hours(0)) },
        absent: Some(Moment { local: hours(24), portal: None }),
        read: Moment { local: hours(48), portal: Some(hours(24)) },
        ..search(&identity, 0)
    };
    assert_eq!(judge(&search, &[], &Learned::default()), Finding::AbsentOnce, "the first of two reads by both clocks");
}

#[test]
fn r20_an_absence_noted_in_the_future_of_a_clock_that_was_set_back_is_noted_again() {
    let identity = identity();
    let search = Search { absent: Some(Moment { local: hours(500), portal: Some(hours(24)) }), ..search(&identity, 48) };
    assert_eq!(judge(&search, &[], &Learned::default()), Finding::AbsentOnce);
}

#[test]
fn r20_settle_is_a_quarter_of_the_time_left_between_an_hour_and_a_day() {
    let hour = SignedDuration::from_hours(1);
    for (left, expected) in [(14 * 24 * hour, 24 * hour), (96 * hour, 24 * hour), (48 * hour, 12 * hour), (4 * hour, hour)] {
        assert_eq!(settle(None, left), expected, "{left}");
    }
    for left in [hour, SignedDuration::ZERO, -400 * hour, SignedDuration::MIN] {
        assert_eq!(settle(None, left), hour, "{left}");
    }
    assert_eq!(settle(None, SignedDuration::MAX), 24 * hour);
    assert_eq!(settle(Some(SignedDuration::from_mins(90)), 96 * hour), SignedDuration::from_mins(90), "the file's own word");
}

// R22, as far as R18 and R19 lean on it

#[test]
fn r22_reading_an_order_back_teaches_each_field_by_what_it_shows() {
    let mut listed = order("1", ours());
    listed.mentions_ours = vec![PO.to_owned()];
    let taught = |identity: &Identity, listed: &Listed| Learned::new(lessons(identity, listed, PO));
    let all = taught(&identity(), &listed);
    assert!([Field::PoNumber, Field::Product, Field::Partner, Field::Item].into_iter().all(|field| all.echoes(field)));
    assert_eq!((all.of(Field::Serial), all.complete_for(&identity())), (None, true));
    let nothing = taught(&identity(), &order("1", Facts::default()));
    assert!(nothing.rows.iter().all(|(_, echo)| *echo == Echo::Absent));
    let other = Facts {
        product: Some(20.to_string()),
        partner: Some(5.to_string()),
        serial: Some(7.to_string()),
        items: vec!["4".to_owned()],
        ..Facts::default()
    };
    let with_serial = Identity { serial: Some("3631A2200001".to_owned()), ..identity() };
    let misleading = taught(&with_serial, &order("1", other));
    for field in [Field::Product, Field::Partner, Field::Serial, Field::Item] {
        assert_eq!(misleading.of(field), Some(Echo::Misleading), "{field:?}");
    }
    assert_eq!(misleading.of(Field::PoNumber), Some(Echo::Absent));
    assert!(misleading.complete_for(&with_serial) && !all.complete_for(&with_serial));
}

#[test]
fn r22_one_order_that_does_not_show_a_field_unlearns_it_for_good() {
    use Echo::{Absent, Echoed, Misleading};
    for (before, now, after) in [
        (None, Echoed, Echoed),
        (Some(Echoed), Echoed, Echoed),
        (Some(Echoed), Absent, Absent),
        (Some(Absent), Echoed, Absent),
        (Some(Echoed), Misleading, Misleading),
        (Some(Misleading), Echoed, Misleading),
        (Some(Misleading), Absent, Misleading),
        (Some(Absent), Misleading, Misleading),
    ] {
        assert_eq!(merged(before, now), after, "{before:?} {now:?}");
    }
}

// R11

#[test]
fn r11_only_what_is_visibly_for_somebody_else_does_not_hold() {
    let may = |facts, learned: &Learned| may_be_for(&order("1", facts), &identity(), learned);
    assert!(may(ours(), &all_but_po()) && may(Facts::default(), &all_but_po()));
    assert!(may(Facts { items: vec!["4".to_owned()], ..ours() }, &all_but_po()), "lines never tell");
    assert!(!may(Facts { partner: Some(5.to_string()), ..ours() }, &all_but_po()));
    assert!(!may(Facts { product: Some(19.to_string()), ..ours() }, &Learned::default()));
    assert!(may(Facts { partner: Some(5.to_string()), ..ours() }, &learned(&[(Field::Partner, Echo::Misleading)])));
}

#[test]
fn dead_statuses_are_a_closed_list_and_an_unknown_word_is_alive() {
    for dead in ["cancelled", "failed", "refunded", "invalid", "Cancelled", "REFUNDED"] {
        assert!(is_dead(Some(dead)), "{dead}");
    }
    for alive in [None, Some("succeed"), Some("pending"), Some("confirming"), Some("Canceled"), Some("")] {
        assert!(!is_dead(alive), "{alive:?}");
    }
}

#[test]
fn a_status_is_read_without_regard_to_case() {
    for paid in ["succeed", "Succeed", "SUCCEED"] {
        assert!(is_paid(Some(paid)), "{paid}");
    }
    for other in [None, Some("pending"), Some("success"), Some("failed")] {
        assert!(!is_paid(other), "{other:?}");
    }
}

// R22: what paid orders taught says nothing of unpaid ones.

/// Another customer's, by what it shows.
fn anothers(key: &str, status: &str) -> Listed {
    let facts = Facts { partner: Some(5.to_string()), ..ours() };
    Listed { status: Some(status.to_owned()), ..order(key, facts) }
}

#[test]
fn an_unpaid_order_is_never_explained_away_by_what_paid_ones_taught() {
    for (status, explains) in
        [("succeed", true), ("Succeed", true), ("cancelled", true), ("pending", false), ("confirming", false)]
    {
        assert_eq!(explained(&anothers("1", status), &identity(), &all_but_po()), explains, "{status}");
    }
    let mut known = anothers("1", "pending");
    known.mentions_ours = vec!["RW-HOME-6".to_owned()];
    assert!(explained(&known, &identity(), &all_but_po()), "it carries the number of another attempt");
}

#[test]
fn an_unpaid_order_of_somebody_else_is_waited_for_longer_and_then_left_to_a_person() {
    let at = |read, others: &[Listed]| judged(read, others, &all_but_po());
    let unpaid = anothers("1", "pending");
    assert_eq!(at(71, std::slice::from_ref(&unpaid)), Finding::NotYet);
    assert_eq!(at(72, std::slice::from_ref(&unpaid)), nobody_knows(&["1"]));
    assert_eq!(at(48, &[anothers("1", "succeed")]), Finding::AbsentOnce, "paid meanwhile");
    let both = [order("0", ours()), unpaid];
    assert_eq!(at(71, &both), Finding::NotYet, "ours, perhaps, and an unpaid one");
    assert_eq!(at(48, &[order("0", ours()), anothers("1", "succeed")]), Finding::PlacedByContent("0".to_owned()));
}

#[test]
fn a_serial_number_in_another_spelling_is_no_other_device() {
    for shown in ["3631a2200001", " 3631A2200001 ", "3631-A220-0001", "03631A2200001", "3631A22000", "A2200001"] {
        assert!(may_be_same_serial(shown, "3631A2200001"), "{shown}");
    }
    for other in ["3631A2200002", "3631B2200001", "0001", ""] {
        assert!(!may_be_same_serial(other, "3631A2200001"), "{other}");
    }
}
