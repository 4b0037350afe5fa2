//! `[defaults]` and every `[[renewal]]`: what stands there, and what is inherited.
//!
//! Owns inheritance. What belongs to a product (its ids, quantity and cycle) is inherited only by entries of the product that
//! `[defaults]` names: an id of one product under another would renew the wrong thing. Rules of products are in `rules.rs`.

use jiff::civil::{Date, Time};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Lines;
use super::keys;
use super::limits::SHORT_LEAD;
use super::model::Limits;
use super::problem::{Problem, Span};
use super::rules::{self, Bought};
use super::section::{At, Field, Said, Section};
use super::{duplicates, read, value};
use crate::ids::PortalId;
use crate::renewal::order::BillingCycle;
use crate::renewal::product::Product;
use crate::renewal::subscription::{Approval, Entry, Identity};
use crate::rules::{Rule, kept};

/// Where the entries stand in the source, for messages about dates that only the calendar of today can judge.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// `expires_on` of each entry, in the order of the file.
    pub expires_on: Vec<Span>,
}

/// What `[defaults]` and `[[renewal]]` share.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    pub product: Field<&'static Product>,
    pub service_id: Field<PortalId>,
    pub plan_id: Field<PortalId>,
    pub quantity: Field<u32>,
    pub cycle: Field<BillingCycle>,
    pub years: Field<u32>,
    billing_id: Field<PortalId>,
    lead: Field<u32>,
    order_at: Field<Time>,
    approval: Field<Approval>,
    grace: Field<u32>,
}

impl Shared {
    fn read(section: &Section<'_, '_>) -> Self {
        const CYCLES: [(&str, BillingCycle); 2] = [("annually", BillingCycle::Annually), ("monthly", BillingCycle::Monthly)];
        const APPROVALS: [(&str, Approval); 2] = [("auto", Approval::Auto), ("manual", Approval::Manual)];
        Self {
            product: section.read("product", value::product),
            service_id: section.read("service_id", value::id),
            plan_id: section.read("plan_id", value::id),
            quantity: section.number("quantity"),
            cycle: section.read("cycle", |given| value::word(given, &CYCLES)),
            years: section.number("years"),
            billing_id: section.read("billing_id", value::id),
            lead: section.days("lead"),
            order_at: section.read("order_at", value::time_of_day),
            approval: section.read("approval", |given| value::word(given, &APPROVALS)),
            grace: section.days("grace"),
        }
    }

    /// These keys, and `defaults` where they are silent.
    fn over(&self, defaults: &Self) -> Self {
        let product = self.product.or(defaults.product);
        let same = |own: Option<At<&Product>>| own.map(|at| at.value.key) == defaults.product.good().map(|at| at.value.key);
        let bound = if same(product.good()) { *defaults } else { defaults.without_product() };
        Self {
            product,
            service_id: self.service_id.or(bound.service_id),
            plan_id: self.plan_id.or(bound.plan_id),
            quantity: self.quantity.or(bound.quantity),
            cycle: self.cycle.or(bound.cycle),
            years: self.years.or(bound.years),
            billing_id: self.billing_id.or(defaults.billing_id),
            lead: self.lead.or(defaults.lead),
            order_at: self.order_at.or(defaults.order_at),
            approval: self.approval.or(defaults.approval),
            grace: self.grace.or(defaults.grace),
        }
    }

    fn without_product(self) -> Self {
        Self {
            service_id: Field::Absent,
            plan_id: Field::Absent,
            quantity: Field::Absent,
            cycle: Field::Absent,
            years: Field::Absent,
            ..self
        }
    }
}

/// `[defaults]`, and the warnings that would else be repeated for every entry.
fn defaults(top: &Section<'_, '_>) -> Shared {
    let section = read::table(top, "defaults", "[defaults]", &keys::DEFAULTS);
    let shared = Shared::read(&section);
    if matches!(shared.product, Field::Absent) {
        let bound = [
            ("service_id", shared.service_id.span()),
            ("plan_id", shared.plan_id.span()),
            ("quantity", shared.quantity.span()),
            ("cycle", shared.cycle.span()),
            ("years", shared.years.span()),
        ];
        for (name, span) in bound.into_iter().filter_map(|(name, span)| Some((name, span?))) {
            let title = format!("`{name}` in [defaults] belongs to one product, and none is named");
            section.refuse(span, title, "for which product?", "name the `product` in [defaults] too".to_owned());
        }
    }
    warn_of_short_lead(&section, &shared);
    shared
}

fn warn_of_short_lead(section: &Section<'_, '_>, shared: &Shared) {
    let Field::Good(lead) = shared.lead else { return };
    if lead.value < SHORT_LEAD {
        let problem = Problem::warning(lead.span, "`lead` leaves little time to find and settle a failure");
        section.problems.add(problem.label("a weekend is longer").help("for example `lead = \"14 days\"`"));
    }
}

/// One `[[renewal]]` as far as it could be read: enough to look for duplicates although something else in it is wrong.
pub(super) struct Draft<'d> {
    pub header: Span,
    pub name: Result<At<&'d str>, Said>,
    pub bought: Result<Bought, Said>,
    when: Result<When, Said>,
}

/// The part of an entry that does not depend on what is bought.
struct When {
    billing_id: PortalId,
    expires_on: At<Date>,
    far: bool,
    lead_days: u32,
    order_at: Time,
    approval: Approval,
    grace_days: u32,
}

/// Reads every entry.
pub(super) fn all(top: &Section<'_, '_>, limits: Option<Limits>, source: &str) -> Result<(Vec<Entry>, Places), Said> {
    let defaults = defaults(top);
    let tables = top.read("renewal", |value| tables(value, "[[renewal]]"));
    let tables = tables.unwrap_or_else(Vec::new)?;
    let drafts: Vec<Draft<'_>> = tables.into_iter().map(|table| draft(top, table, &defaults, limits)).collect();
    duplicates::find(&drafts, source, top.problems);
    let lines = Lines::of(source);
    let places =
        Places { expires_on: drafts.iter().filter_map(|draft| Some(draft.when.as_ref().ok()?.expires_on.span)).collect() };
    let entries = drafts.into_iter().map(|draft| draft.finish(&lines)).collect::<Result<Vec<Entry>, Said>>()?;
    Ok((entries, places))
}

/// A list of tables, however it is written.
pub(super) fn tables<'d, 'i>(value: &'d Spanned<DeValue<'i>>, title: &str) -> Result<Vec<At<&'d DeTable<'i>>>, value::Wrong> {
    let remedy = format!("write {title} on a line of its own before each");
    let wrong = |span| value::Wrong { span, ..value::Wrong::new("a list of tables", "this is none").help(&*remedy) };
    let table = |item: &'d Spanned<DeValue<'i>>| {
        let span = item.span().into();
        item.get_ref().as_table().map(|value| At { value, span }).ok_or_else(|| wrong(Some(span)))
    };
    value.get_ref().as_array().ok_or_else(|| wrong(None))?.iter().map(table).collect()
}

fn draft<'d>(top: &Section<'d, '_>, table: At<&'d DeTable<'_>>, defaults: &Shared, limits: Option<Limits>) -> Draft<'d> {
    let section = Section::open("[[renewal]]", table.span, table.value, &keys::RENEWAL, top.problems);
    let own = Shared::read(&section);
    let all = own.over(defaults);
    warn_of_short_lead(&section, &own);
    Draft {
        header: table.span,
        name: section.label("name").needed(),
        bought: rules::bought(&section, &own, &all, defaults, limits),
        when: when(&section, &own, &all),
    }
}

fn when(section: &Section<'_, '_>, own: &Shared, all: &Shared) -> Result<When, Said> {
    let expires_on = section.read("expires_on", value::day).needed();
    let far = section.read("far", value::flag).unwrap_or(false);
    let billing_id = match all.billing_id {
        Field::Absent => Err(section.missing("billing_id", "neither here nor in [defaults]")),
        given => given.needed(),
    };
    let half = rules::cycle_of(all).map(|cycle| cycle.least_days() / 2);
    let lead = within("lead", half, section, own.lead, all.lead.unwrap_or(14));
    let grace = within("grace", half, section, own.grace, all.grace.unwrap_or(0));
    Ok(When {
        billing_id: billing_id?.value,
        expires_on: expires_on?,
        far: far?,
        lead_days: lead?,
        order_at: all.order_at.unwrap_or(Time::constant(9, 0, 0, 0))?,
        approval: all.approval.unwrap_or(Approval::Auto)?,
        grace_days: grace?,
    })
}

/// R5: neither reaches beyond the middle of a term, where it would touch the one before or after.
fn within(
    name: &str,
    half: Option<u32>,
    section: &Section<'_, '_>,
    own: Field<u32>,
    days: Result<u32, Said>,
) -> Result<u32, Said> {
    let days = days?;
    // A value that was inherited is fine where it stands; the entry is where it does not fit.
    let span = own.span().unwrap_or(section.header);
    if let Some(half) = half.filter(|half| days > *half) {
        let title = format!("`{name}` of {days} days is more than half a term of this renewal");
        let help = format!("write `{name} = \"{half} days\"` or less in this entry");
        return Err(section.refuse(span, title, "this is too long", help));
    }
    Ok(days)
}

/// R2: a label is no part of what is bought.
fn identity(bought: Identity, name: &str) -> Identity {
    if kept(Rule::R2) { bought } else { Identity { batch: Some(name.to_owned()), ..bought } }
}

impl Draft<'_> {
    fn finish(self, lines: &Lines<'_>) -> Result<Entry, Said> {
        let (name, bought, when) = (self.name?, self.bought?, self.when?);
        Ok(Entry {
            name: name.value.to_owned(),
            product: bought.product,
            identity: identity(bought.identity, name.value),
            billing_id: when.billing_id,
            lines: bought.lines,
            cycle: bought.cycle,
            expires_on: when.expires_on.value,
            far: when.far,
            lead_days: when.lead_days,
            order_at: when.order_at,
            approval: when.approval,
            grace_days: when.grace_days,
            line_number: lines.number(self.header.start) + 1,
        })
    }
}
