//! Two entries that are the same subscription, or are called the same.
//!
//! Owns R2 within one file: a plan or service of one partner and serial number belongs to at most one entry. Two of them would
//! be two chains of terms for one thing, hence two orders.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::diagnostic::Lines;
use super::entry::Draft;
use super::problem::{Problem, Problems};
use super::shown::quoted;
use crate::ids::PortalId;
use crate::renewal::subscription::{Identity, Party, plain_serial};

/// What makes one line of an order unique.
#[derive(PartialEq, Eq, Hash)]
struct Item<'d> {
    product: PortalId,
    party: Party,
    serial: Option<String>,
    id: PortalId,
    batch: Option<&'d str>,
}

/// Reports every entry that repeats an earlier one.
pub(super) fn find(drafts: &[Draft<'_>], source: &str, problems: &Problems) {
    let lines = Lines::of(source);
    let line = |draft: &Draft<'_>| lines.number(draft.header.start) + 1;
    for (draft, first) in names(drafts) {
        let Ok(name) = draft.name else { continue };
        let title = format!("two renewals are called {}", quoted(name.value));
        let label = format!("the first one begins in line {}", line(first));
        problems.add(Problem::error(name.span, title).label(label).help("give each a name of its own"));
    }
    for (draft, first) in devices(drafts) {
        let title = format!("{} and {} have the same serial number and different customers", called(draft), called(first));
        let label = format!("this one begins in line {}, the first in line {}", line(draft), line(first));
        let help = "one device belongs to one customer: it would be renewed for both";
        problems.add(Problem::error(draft.header, title).label(label).help(help));
    }
    for (draft, first) in items(drafts) {
        let title = format!("{} and {} are the same subscription", called(draft), called(first));
        let label = format!("this one begins in line {}, the first in line {}", line(draft), line(first));
        let help = "it would be bought twice: take one out, or, if there are really two, give one a `batch`";
        problems.add(Problem::error(draft.header, title).label(label).help(help));
    }
}

fn called(draft: &Draft<'_>) -> String {
    draft.name.map_or_else(|_| "an entry".to_owned(), |name| quoted(name.value))
}

type Pair<'a, 'd> = (&'a Draft<'d>, &'a Draft<'d>);

fn names<'a, 'd>(drafts: &'a [Draft<'d>]) -> Vec<Pair<'a, 'd>> {
    let mut seen = HashMap::with_capacity(drafts.len());
    let named = drafts.iter().filter_map(|draft| Some((draft.name.ok()?.value, draft)));
    named.filter_map(|(name, draft)| repeats(seen.entry(name), draft)).collect()
}

fn devices<'a, 'd>(drafts: &'a [Draft<'d>]) -> Vec<Pair<'a, 'd>> {
    let mut seen: HashMap<(PortalId, String), (Party, &Draft<'d>)> = HashMap::new();
    let mut found = Vec::new();
    for draft in drafts {
        let Ok(bought) = &draft.bought else { continue };
        let Some(serial) = &bought.identity.serial else { continue };
        let party = bought.identity.party;
        let (of, first) = *seen.entry((bought.identity.product_id, plain_serial(serial))).or_insert((party, draft));
        if of != party {
            found.push((draft, first));
        }
    }
    found
}

fn items<'a, 'd>(drafts: &'a [Draft<'d>]) -> Vec<Pair<'a, 'd>> {
    let mut seen = HashMap::with_capacity(drafts.len());
    let mut found = Vec::new();
    for draft in drafts {
        let Ok(bought) = &draft.bought else { continue };
        let mut pairs = Vec::new();
        for line in &bought.lines {
            pairs.extend(repeats(seen.entry(item(&bought.identity, line.id)), draft));
        }
        found.extend(pairs.first());
    }
    found
}

fn repeats<'a, 'd, K>(slot: Slot<'_, K, &'a Draft<'d>>, draft: &'a Draft<'d>) -> Option<Pair<'a, 'd>> {
    match slot {
        Slot::Occupied(first) => Some((draft, *first.get())),
        Slot::Vacant(free) => {
            free.insert(draft);
            None
        }
    }
}

fn item(identity: &Identity, id: PortalId) -> Item<'_> {
    Item {
        product: identity.product_id,
        party: identity.party,
        // One PBX, however its number is typed.
        serial: identity.serial.as_ref().map(|serial| plain_serial(serial)),
        id,
        batch: identity.batch.as_deref(),
    }
}
