//! Random histories of a small portal, judged read by read as `daemon/resolve.rs` does it.
//!
//! The portal keeps A1 (an order is listed within `settle` of its birth) and A2 (a request is carried out within `settle` of its end, or
//! never). What it shows of an order, and whether a read is whole, is drawn. One of the two clocks is right; the other jumps.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::*;
use crate::rules::break_on_this_thread;

const HOUR: i64 = 3600;
const RESELLER: u64 = 3_076_910_000_000_000_001;

/// What the portal shows of one field, in rows and in details.
type Shown = [Echo; 2];

/// An order of the ledger. Times are seconds after our call began.
#[derive(Debug, Clone)]
struct Placed {
    ours: bool,
    /// Known as ours: an attempt that was decided before.
    known: bool,
    identity: Identity,
    born: i64,
    listed: i64,
    /// Whether `get` ever answers for it.
    readable: bool,
}

/// The portal, what was learned of it, and how it is read.
#[derive(Debug, Clone)]
struct History {
    identity: Identity,
    settle: i64,
    ended: i64,
    ledger: Vec<Placed>,
    shown: Vec<(Field, Shown)>,
    /// Which fields were learned; of an order of ours that was read back.
    taught: Vec<Field>,
    /// When the list is read, whether that read is whole, whether it is dated, and what our clock says too much.
    reads: Vec<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: i64,
    whole: bool,
    dated: bool,
    ahead: i64,
}

/// Up to `most`, and often exactly that: the assumptions are kept by a hair.
fn up_to(most: i64) -> impl Strategy<Value = i64> {
    prop_oneof![2 => 0..=most, 1 => Just(most)]
}

fn echo() -> impl Strategy<Value = Echo> {
    prop_oneof![3 => Just(Echo::Echoed), 1 => Just(Echo::Absent), 1 => Just(Echo::Misleading)]
}

/// Ours, or another by product, customer, serial number or batch.
fn party_like(own: &Identity, different: u8) -> Identity {
    let mut other = own.clone();
    match different {
        0 => {}
        1 => other.product_id = PortalId::known(19),
        2 => other.party = Party::Partner(PortalId::known(5)),
        3 => other.party = Party::Own,
        4 => other.serial = own.serial.as_ref().map(|_| "3631A2200002".to_owned()),
        _ => other.item_id = PortalId::known(77),
    }
    other
}

fn identities() -> impl Strategy<Value = Identity> {
    (any::<bool>(), any::<bool>()).prop_map(|(own, serial)| Identity {
        product_id: PortalId::known(if serial { 12 } else { 21 }),
        party: if own { Party::Own } else { identity().party },
        serial: serial.then(|| "3631A2200001".to_owned()),
        ..identity()
    })
}

/// One order of somebody else, or an older one of ours: what differs, when it was born, how late it is listed.
fn others(settle: i64, unreadable: bool) -> impl Strategy<Value = Vec<(u8, bool, i64, i64, bool)>> {
    let one = (
        0..6u8,
        prop::bool::weighted(0.2),
        -settle..4 * settle,
        0..=settle,
        prop::bool::weighted(if unreadable { 0.5 } else { 1.0 }),
    );
    prop::collection::vec(one, 0..4)
}

/// Reads spread over eight settles after the end; more of them near the moments that count.
fn readings(ended: i64, settle: i64, wrong_clock: bool) -> impl Strategy<Value = Vec<Reading>> {
    let at = prop_oneof![
        2 => 0..8 * settle,
        1 => Just(settle),
        1 => Just(2 * settle),
        1 => settle - 2..settle + 2,
        1 => 2 * settle - 2..2 * settle + 2
    ];
    let ahead = prop_oneof![2 => Just(0), 1 => -3 * settle..6 * settle];
    let one = (at, prop::bool::weighted(0.8), any::<bool>(), ahead).prop_map(move |(at, whole, dated, ahead)| Reading {
        at: ended + at,
        whole,
        // With our clock right the portal may leave its date out; with our clock wrong it is what is left.
        dated: wrong_clock || dated,
        ahead: if wrong_clock { ahead } else { 0 },
    });
    prop::collection::vec(one, 1..14).prop_map(|mut reads| {
        reads.sort_by_key(|read| read.at);
        reads
    })
}

fn histories(unreadable: bool) -> impl Strategy<Value = History> {
    (1..=24i64, 0..60i64, any::<bool>(), identities())
        .prop_flat_map(move |(settle, ended, wrong_clock, identity)| {
            let settle = settle * HOUR;
            (
                Just((settle, ended, identity)),
                prop::option::weighted(
                    0.6,
                    (up_to(ended + settle), up_to(settle), prop::bool::weighted(if unreadable { 0.5 } else { 1.0 })),
                ),
                others(settle, unreadable),
                prop::collection::vec((echo(), echo()), 5),
                prop::collection::vec(prop::bool::weighted(0.8), 5),
                readings(ended, settle, wrong_clock),
            )
        })
        .prop_map(|((settle, ended, identity), fate, others, echoes, taught, reads)| {
            let mut ledger: Vec<Placed> = others
                .into_iter()
                .map(|(different, known, born, lag, readable)| Placed {
                    ours: false,
                    known,
                    identity: party_like(&identity, different),
                    born,
                    listed: born + lag,
                    readable,
                })
                .collect();
            ledger.extend(fate.map(|(born, lag, readable)| Placed {
                ours: true,
                known: false,
                identity: identity.clone(),
                born,
                listed: born + lag,
                readable,
            }));
            let fields = [Field::PoNumber, Field::Product, Field::Partner, Field::Serial, Field::Item];
            let shown = fields.into_iter().zip(echoes.into_iter().map(|(row, detail)| [row, detail])).collect();
            let taught = fields.into_iter().zip(taught).filter(|(_, was)| *was).map(|(field, _)| field).collect();
            History { identity, settle, ended, ledger, shown, taught, reads }
        })
}

impl History {
    fn shows(&self, field: Field, part: usize) -> Echo {
        self.shown.iter().find(|(known, _)| *known == field).map_or(Echo::Absent, |(_, shown)| shown[part])
    }

    /// The row (part 0) or the details (part 1) of an order, as this portal writes them.
    fn json(&self, order: &Placed, po: &str, part: usize) -> Value {
        let mut object = serde_json::Map::new();
        let mut show = |field, key: &str, sent: Option<String>, misleading: String| {
            let value = match self.shows(field, part) {
                Echo::Echoed => sent,
                Echo::Absent => None,
                Echo::Misleading => Some(misleading),
            };
            if let Some(value) = value {
                object.insert(key.to_owned(), value.into());
            }
        };
        show(Field::PoNumber, "poNumber", Some(po.to_owned()), "PO-1".to_owned());
        show(Field::Product, "productId", Some(order.identity.product_id.to_string()), "20".to_owned());
        show(Field::Partner, "partnerId", order.identity.party.text(), RESELLER.to_string());
        show(Field::Serial, "productNo", order.identity.serial.clone(), "3076900000000000007".to_owned());
        show(Field::Item, "serviceId", Some(order.identity.item_id.to_string()), "91".to_owned());
        object.into()
    }

    fn listed(&self, at: usize, order: &Placed) -> Listed {
        let key = at.to_string();
        let po = if order.ours { PO.to_owned() } else { format!("RW-ELSE-{at}") };
        let row = self.json(order, &po, 0);
        let details = order.readable.then(|| self.json(order, &po, 1));
        let mentions = |value: &Value| value["poNumber"].as_str().filter(|po| po.starts_with("RW-HOME-")).map(str::to_owned);
        Listed {
            mark: 1,
            order_no: Some(key.clone()),
            portal_id: None,
            status: Some("succeed".to_owned()),
            created_at: Some(hours(0) + SignedDuration::from_secs(order.born)),
            attempt: order.known.then_some(99),
            by_answer: false,
            detailed: order.readable,
            again_at: None,
            facts: Facts::of(&row, details.as_ref()),
            mentions_ours: [Some(&row), details.as_ref()].into_iter().flatten().filter_map(mentions).collect(),
            stray: false,
            key,
        }
    }

    /// Taught by an order of ours that was read back whole, as the daemon learns; a field that is not in `taught` was never seen.
    fn learned(&self) -> Learned {
        let earlier = Placed { ours: true, known: false, identity: self.identity.clone(), born: 0, listed: 0, readable: true };
        let lessons = lessons(&self.identity, &self.listed(0, &earlier), PO);
        Learned::new(lessons.into_iter().filter(|(field, _)| self.taught.contains(field)).collect())
    }

    /// Every finding, read by read, until one settles it.
    fn play(&self) -> Vec<(Reading, Finding)> {
        let learned = self.learned();
        let at = |second: i64| hours(0) + SignedDuration::from_secs(second);
        let settle = SignedDuration::from_secs(self.settle);
        let mut ended = Moment { local: at(self.ended), portal: None };
        let mut absent: Option<Moment> = None;
        let mut findings = Vec::new();
        for reading in &self.reads {
            let read = Moment { local: at(reading.at + reading.ahead), portal: reading.dated.then(|| at(reading.at)) };
            // As `daemon/resolve.rs` has it: dated by the first dated answer, never in our clock's future.
            ended = Moment { local: ended.local.min(read.local), portal: ended.portal.or(read.portal) };
            // Behind the fence is what was listed before the call began; a read that is not whole misses rows.
            let visible = self
                .ledger
                .iter()
                .enumerate()
                .filter(|(at, order)| order.listed > 0 && order.listed <= reading.at && (reading.whole || at % 2 == 0));
            let since: Vec<Listed> = visible.map(|(at, order)| self.listed(at, order)).collect();
            let search = Search {
                identity: &self.identity,
                po_number: PO,
                created_at: at(0),
                ended,
                absent,
                read,
                settle,
                list_is_whole: reading.whole,
            };
            let finding = judge(&search, &since, &learned);
            let is_last = matches!(finding, Finding::Placed(_) | Finding::PlacedByContent(_) | Finding::NotPlaced);
            if finding == Finding::AbsentOnce {
                absent = Some(read);
            }
            findings.push((*reading, finding));
            if is_last {
                break;
            }
        }
        findings
    }

    /// R19 c must be right, R19 a too, and R19 b wherever the `poNumber` comes back.
    fn check(&self) -> Result<(), TestCaseError> {
        let po_comes_back = [0, 1].into_iter().any(|part| self.shows(Field::PoNumber, part) == Echo::Echoed);
        for (reading, finding) in self.play() {
            let is_ours = |key: &String| key.parse().is_ok_and(|at: usize| self.ledger[at].ours);
            match &finding {
                Finding::NotPlaced => {
                    prop_assert!(!self.ledger.iter().any(|order| order.ours), "bought twice: {reading:?} {finding:?}");
                }
                Finding::Placed(key) => prop_assert!(is_ours(key), "not renewed: {reading:?} {finding:?}"),
                Finding::PlacedByContent(key) => {
                    prop_assert!(!po_comes_back || is_ours(key), "not renewed: {reading:?} {finding:?}");
                }
                Finding::AbsentOnce | Finding::NotYet | Finding::NoEvidence(_) => {}
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r19_no_history_makes_an_order_disappear_or_somebody_elses_order_ours(history in histories(false)) {
        history.check()?;
    }

    #[test]
    fn r18_nor_does_one_in_which_details_cannot_be_read(history in histories(true)) {
        history.check()?;
    }

}

/// So many histories, the same ones on every run.
fn drawn(cases: u32) -> impl Iterator<Item = History> {
    let mut runner = TestRunner::deterministic();
    let strategy = histories(false);
    (0..cases).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

/// A property over histories that never come to a finding would hold of anything.
#[test]
fn the_histories_come_to_every_finding() {
    let mut counts = [0; 6];
    for (_, finding) in drawn(2000).flat_map(|history| history.play()) {
        let kind = match finding {
            Finding::Placed(_) => 0,
            Finding::PlacedByContent(_) => 1,
            Finding::NotPlaced => 2,
            Finding::AbsentOnce => 3,
            Finding::NotYet => 4,
            Finding::NoEvidence(_) => 5,
        };
        counts[kind] += 1;
    }
    assert!(counts.iter().all(|count| *count > 3), "{counts:?}");
}

#[test]
fn the_histories_notice_when_a_rule_is_taken_out() {
    for rule in [Rule::R18, Rule::R19, Rule::R20] {
        break_on_this_thread(&[rule]);
        let noticed = drawn(2000).any(|history| history.check().is_err());
        break_on_this_thread(&[]);
        assert!(noticed, "{rule:?}");
    }
}
