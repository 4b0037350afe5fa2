//! Every kind of fault alone: what is held because of it, and what is not.
//!
//! Owns, for each kind, the reasons for which something may be held or left to a person in a world where nothing else goes wrong and the
//! portal shows everything (but where that is the fault). `cargo test --lib simulation::kinds -- --nocapture` prints the table of
//! docs/promise.md; `RENEWD_KINDS=n` plays n worlds of each, and `RENEWD_KIND=name` makes `simulation::replay` play one of these.

use super::dice::Dice;
use super::figures::Figures;
use super::line::FATES;
use super::nature::{Fates, Nature};
use super::{play_many, variable};
use crate::sandbox::settings::{Echo, Shows};

/// How many worlds of each kind `cargo test` plays.
const WORLDS: u64 = 5;

/// One kind of fault.
struct Kind {
    name: String,
    /// What may be held, or left to a person, because of it.
    holds: &'static [&'static str],
    world: Box<dyn Fn(Nature) -> Nature + Sync>,
}

fn kind(name: &str, holds: &'static [&'static str], world: impl Fn(Nature) -> Nature + Sync + 'static) -> Kind {
    Kind { name: name.to_owned(), holds, world: Box::new(world) }
}

fn kinds() -> Vec<Kind> {
    let mut all = vec![kind("(none)", &[], |n| n)];
    all.extend(
        FATES.iter().map(|(_, fate)| kind(fate, holds_of(fate), |n| Nature { order_faults: 300, fates: Fates::Only(fate), ..n })),
    );
    all.extend(machine());
    all.extend(portal());
    all.extend(people());
    all
}

/// What was carried out is found in the list. What was not can meet its fate a second time, and that is left to a person (R21).
fn holds_of(fate: &str) -> &'static [&'static str] {
    match fate {
        "refused, validation code" => &["waits: refused"],
        "never arrived" => TWICE,
        // Named where another order of the same customer stands: one may have taken in the other.
        "answer of another order, no effect" => &["unknown: no_evidence", "unknown: second_unknown", "missed"],
        _ if fate.ends_with("no effect") => TWICE,
        _ => &[],
    }
}

/// Nobody can tell that customer's orders from its distributor's.
const IN_DOUBT: [&str; 4] = ["unknown: no_evidence", "waits: not_listed", "held: foreign_order", "missed"];

const TWICE: &[&str] = &["unknown: second_unknown", "missed"];

fn machine() -> [Kind; 6] {
    [
        kind("the process dies in mid-order", &[], |n| Nature { crashes: 400, ..n }),
        kind("the process dies at any time", &[], |n| Nature { wake_crashes: 100, ..n }),
        kind("the disk is full at a write", &[], |n| Nature { write_faults: 50, ..n }),
        kind("the machine is off for hours, days", &[], |n| Nature { stops: 6, ..n }),
        kind("the clock is wrong for hours, days", &[], |n| Nature { clock_steps: 6, ..n }),
        kind("a backup is put back after an order", &["waits: over_limit", "held: foreign_order", "missed"], |n| Nature {
            restores: 300,
            ..n
        }),
    ]
}

fn portal() -> [Kind; 14] {
    let shows = Shows::each(Echo::Echoed);
    let hides_ours = Shows { po_number: Echo::Absent, ..shows };
    let placeholder = Shows { partner_id: Echo::Misleading, ..hides_ours };
    [
        kind("every tenth read fails", &[], |n| Nature { read_faults: 100, ..n }),
        kind("down, or without tokens, for days", &["missed"], |n| Nature { spells: 6, ..n }),
        kind("slow", &[], |n| Nature { slow: 300, ..n }),
        kind("orders stay unpaid for days", &[], |n| Nature { unpaid: true, ..n }),
        kind(
            "orders are cancelled or refunded",
            &["held: refunded_later", "held: dead_order", "held: lapsed", "held: foreign_order", "waits: pending_long", "missed"],
            |n| Nature { bad_ends: 200, ..n },
        ),
        kind("shows no `poNumber`", &[], move |n| n.that_shows(hides_ours)),
        kind("shows no `poNumber`, answers are lost", &["unknown: no_evidence"], move |n| lost(n.that_shows(hides_ours))),
        kind("the same, and one customer's under a distributor", &IN_DOUBT, move |n| {
            lost(Nature { distributed: true, ..n.that_shows(hides_ours) })
        }),
        kind("shows nothing of an order", &[], |n| n.that_shows(Shows::each(Echo::Absent))),
        kind("details are a placeholder at first, answers are lost", &["unknown: no_evidence"], move |n| {
            lost(n.that_shows_at_first(placeholder))
        }),
        kind("unpaid orders look otherwise, answers are lost", &["unknown: no_evidence"], move |n| {
            lost(n.that_shows_unpaid(placeholder))
        }),
        kind("the list hides orders for hours, days", &["held: list_lacks", "held: foreign_order", "missed"], |n| Nature {
            hides: 6,
            ..n
        }),
        kind("`total` is capped", &["waits: not_listed"], |n| Nature { total_cap: Some(1), ..n }),
        kind("shows nothing, answers are lost", &["unknown: no_evidence", "held: foreign_order"], |n| {
            lost(n.that_shows(Shows::each(Echo::Absent)))
        }),
    ]
}

fn people() -> [Kind; 6] {
    [
        kind("colleagues order for strangers", &["held: foreign_order"], |n| Nature { strangers: 6, ..n }),
        // Who comes in vain for one of them comes later for the next.
        kind("customers renew by themselves", &["held: foreign_order", "missed"], |n| Nature { customers: 1, ..n }),
        kind("the file is edited", &["awaits_approval: looks_like_old", "missed"], |n| Nature { edits: 4, ..n }),
        kind("people skip, hold, order early, pause", &["held: operator", "missed"], |n| Nature { whims: 2, ..n }),
        kind("a copy of the database is started", &[], |n| Nature { copies: 50, ..n }),
        kind("nobody has run `init` yet", &[], |n| Nature { unbound: true, ..n }),
    ]
}

fn lost(mut nature: Nature) -> Nature {
    (nature.order_faults, nature.fates) = (300, Fates::Only("carried out, answer lost"));
    nature
}

/// The world `seed` in which only `name` goes wrong.
pub(super) fn world(name: &str, seed: u64) -> Option<Nature> {
    let kind = kinds().into_iter().find(|kind| kind.name == name)?;
    Some((kind.world)(Nature::quiet(&mut Dice::new(seed))))
}

/// What no fault is needed for: a renewal with `approval = "manual"` waits for it, and an order of which nothing is known is looked for.
const ALWAYS: [&str; 2] = ["awaits_approval: approval", "unknown: finding_out"];

fn row(kind: &Kind, figures: &Figures) -> String {
    let looked_for = figures.holds.get(ALWAYS[1]).copied().unwrap_or_default();
    let held: Vec<String> = figures
        .holds
        .iter()
        .filter(|(reason, _)| !ALWAYS.contains(&reason.as_str()))
        .map(|(reason, times)| format!("{times} `{reason}`"))
        .collect();
    let held = if held.is_empty() { "–".to_owned() } else { held.join(", ") };
    let Figures { attempts, deadlines, renewed_in_time, told_in_time, nobody_could_tell, .. } = figures;
    format!(
        "| {} | {attempts} | {looked_for} | {deadlines} | {renewed_in_time} | {told_in_time} | {nobody_could_tell} | {held} |",
        kind.name
    )
}

#[test]
fn a_fault_alone_holds_only_what_it_must() {
    let worlds = variable("RENEWD_KINDS").unwrap_or(WORLDS);
    let mut wrong = Vec::new();
    println!(
        "| what goes wrong | attempts | looked for | deadlines | met | told | daemon away or clock wrong | held, or left to a person |\n|---|---|---|---|---|---|---|---|"
    );
    for kind in kinds() {
        let (figures, complaints) = play_many(0, worlds, |seed| Some((kind.world)(Nature::quiet(&mut Dice::new(seed)))));
        println!("{}", row(&kind, &figures));
        wrong.extend(complaints.into_iter().map(|(seed, complaint)| format!("{}: world {seed}: {complaint}", kind.name)));
        let unexpected =
            figures.holds.keys().filter(|reason| !ALWAYS.contains(&reason.as_str()) && !kind.holds.contains(&reason.as_str()));
        wrong.extend(unexpected.map(|reason| format!("{}: {reason}", kind.name)));
    }
    assert!(wrong.is_empty(), "held without need:\n{}", wrong.join("\n"));
}
