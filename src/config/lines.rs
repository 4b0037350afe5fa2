//! The lines of an entry's order: the one that the entry itself describes, or its `[[renewal.line]]` tables.
//!
//! Owns which lines belong together: one plan, first, and the services that hang on it (portal-api.md section 8, last lines).

use std::collections::HashSet;

use toml::de::DeTable;

use super::entry::tables;
use super::keys;
use super::problem::Span;
use super::rules::{Term, Wish};
use super::section::{At, Field, Said, Section};
use super::value;
use crate::ids::PortalId;
use crate::renewal::order::{Line, LineKind};

/// The lines of one entry, and the id that is its identity: the plan's, or the service's where there is no plan.
pub(super) fn of_entry(wish: Wish<'_, '_, '_>, term: Result<Term, Said>) -> Result<(PortalId, Vec<Line>), Said> {
    match wish.section.read("line", |value| tables(value, "[[renewal.line]]")) {
        Field::Good(at) if at.value.is_empty() => {
            Err(wish.section.refuse(at.span, "an order has at least one line".to_owned(), "this has none", String::new()))
        }
        Field::Absent => single(wish, term).map(|line| (line.id, vec![line])),
        given => several(wish, &given.needed()?.value, term),
    }
}

/// The line that the entry's own keys describe.
fn single(wish: Wish<'_, '_, '_>, term: Result<Term, Said>) -> Result<Line, Said> {
    let (kind, name, id) = wish.item();
    let foreign = match kind {
        LineKind::Service => wish.all.plan_id,
        LineKind::Plan => wish.all.service_id,
    };
    let foreign = foreign.span().map_or(Ok(()), |span| Err(refuse_kind(wish, span)));
    let id = match id {
        Field::Absent => Err(wish.section.missing(name, wish.why)),
        given => given.needed(),
    };
    let quantity = wish.quantity(wish.all.quantity, wish.section);
    foreign?;
    Ok(line(kind, id?.value, quantity?, term?))
}

fn line(kind: LineKind, id: PortalId, quantity: Option<u32>, term: Term) -> Line {
    Line { kind, id, quantity, billing_cycle: term.billing, multi_cycle: term.multi_cycle, connection_plan: None }
}

/// An id of the kind that the product is not renewed by.
fn refuse_kind(wish: Wish<'_, '_, '_>, span: Span) -> Said {
    let (kind, name, _) = wish.item();
    let other = if kind == LineKind::Plan { "service_id" } else { "plan_id" };
    let title = format!("{} is not renewed by a `{other}`", wish.product.key);
    wish.section.refuse(span, title, "take this out", format!("its renewal names a `{name}`"))
}

/// The lines of `[[renewal.line]]` tables.
fn several(wish: Wish<'_, '_, '_>, tables: &[At<&DeTable<'_>>], term: Result<Term, Said>) -> Result<(PortalId, Vec<Line>), Said> {
    let once = refuse_own_keys(wish);
    let read: Vec<Result<At<Line>, Said>> = tables.iter().map(|table| one_of_several(wish, *table, term)).collect();
    let mut lines = read.into_iter().collect::<Result<Vec<_>, Said>>()?;
    // The plan comes first, whatever the order of the tables; the services keep theirs.
    lines.sort_by_key(|line| line.value.kind == LineKind::Service);
    let (kind, id) = belong_together(wish, &lines)?;
    once?;
    let join = |line: At<Line>| match line.value.kind {
        LineKind::Service if kind == LineKind::Plan => Line { connection_plan: Some(id), ..line.value },
        LineKind::Service | LineKind::Plan => line.value,
    };
    Ok((id, lines.into_iter().map(join).collect()))
}

/// Said in the entry and in its lines, a thing could be meant twice.
fn refuse_own_keys(wish: Wish<'_, '_, '_>) -> Result<(), Said> {
    let own = [
        ("service_id", wish.own.service_id.span()),
        ("plan_id", wish.own.plan_id.span()),
        ("quantity", wish.own.quantity.span()),
    ];
    let mut once = Ok(());
    for (name, span) in own.into_iter().filter_map(|(name, span)| Some((name, span?))) {
        let title = format!("`{name}` stands beside [[renewal.line]]");
        let help = format!("move `{name}` into the line that it belongs to");
        once = Err(wish.section.refuse(span, title, "in the entry or in its lines?", help));
    }
    once
}

fn one_of_several(wish: Wish<'_, '_, '_>, table: At<&DeTable<'_>>, term: Result<Term, Said>) -> Result<At<Line>, Said> {
    let section = Section::open("[[renewal.line]]", table.span, table.value, &keys::LINE, wish.section.problems);
    let quantity = section.number("quantity");
    let (kind, id) = plan_or_service(wish, &section)?;
    let main = kind == wish.item().0;
    if !main && !wish.product.services_beside_plan {
        return Err(refuse_kind(wish, id.span));
    }
    let quantity = if main { wish.quantity(quantity, &section) } else { quantity.optional() };
    Ok(At { value: line(kind, id.value, quantity?, term?), span: table.span })
}

fn plan_or_service(wish: Wish<'_, '_, '_>, section: &Section<'_, '_>) -> Result<(LineKind, At<PortalId>), Said> {
    match (section.read("plan_id", value::id), section.read("service_id", value::id)) {
        (Field::Absent, Field::Absent) => Err(section.missing(wish.item().1, "a line names a plan or a service")),
        (Field::Absent, service) => Ok((LineKind::Service, service.needed()?)),
        (plan, Field::Absent) => Ok((LineKind::Plan, plan.needed()?)),
        (_, service) => {
            let title = "a line names a plan or a service, not both".to_owned();
            let span = service.span().unwrap_or(section.header);
            Err(section.refuse(span, title, "one of them", "write two lines".to_owned()))
        }
    }
}

/// Exactly one line is what the product is renewed by; services may stand beside it where the product has such; none twice.
fn belong_together(wish: Wish<'_, '_, '_>, lines: &[At<Line>]) -> Result<(LineKind, PortalId), Said> {
    let (kind, name, _) = wish.item();
    let mut mains = lines.iter().filter(|line| line.value.kind == kind);
    let Some(main) = mains.next() else {
        return Err(wish.section.missing("line", &format!("one line must name a `{name}`")));
    };
    if let Some(second) = mains.next() {
        let title = format!("an order of {} has one line with a `{name}`", wish.product.key);
        return Err(wish.section.refuse(second.span, title, "this is the second", "write an entry of its own".to_owned()));
    }
    let mut seen = HashSet::new();
    if let Some(again) = lines.iter().find(|line| !seen.insert(line.value.id)) {
        let title = format!("the id {} stands in two lines of one order", again.value.id);
        return Err(wish.section.refuse(again.span, title, "it would be bought twice", String::new()));
    }
    Ok((kind, main.value.id))
}
