//! What each product asks of its entry (portal-api.md section 8): which id, a quantity or none, a serial number, a cycle.
//!
//! Owns the step from keys of the file to the lines of an order. Never guesses: what the file leaves open is an error, because
//! it would be bought.

use std::borrow::Cow;

use super::entry::Shared;
use super::limits::MAX_SERIAL;
use super::lines;
use super::model::Limits;
use super::problem::Span;
use super::section::{At, Field, Said, Section};
use super::value;
use crate::calendar::Cycle;
use crate::ids::PortalId;
use crate::renewal::order::{BillingCycle, Line, LineKind};
use crate::renewal::product::{CycleRule, Operation, Product, QuantityRule};
use crate::renewal::subscription::{Identity, Party};

/// What an entry buys.
pub(super) struct Bought {
    pub product: &'static Product,
    pub identity: Identity,
    pub lines: Vec<Line>,
    pub cycle: Cycle,
}

/// How a term is billed, as every line of its order says it.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub billing: BillingCycle,
    pub multi_cycle: u8,
    pub cycle: Cycle,
}

/// One entry's keys, for the rules below.
#[derive(Clone, Copy)]
pub(super) struct Wish<'w, 'd, 'i> {
    pub section: &'w Section<'d, 'i>,
    pub product: &'static Product,
    /// What stands in the entry itself.
    pub own: &'w Shared,
    /// The same with `[defaults]` applied.
    pub all: &'w Shared,
    /// Where a missing key was looked for in vain.
    pub why: &'w str,
}

/// Applies the rules of the entry's product.
pub(super) fn bought(
    section: &Section<'_, '_>,
    own: &Shared,
    all: &Shared,
    defaults: &Shared,
    limits: Option<Limits>,
) -> Result<Bought, Said> {
    let party = section.read("partner_id", value::id).optional();
    let batch = section.label("batch").optional();
    let serial = section.read("serial", |given| value::serial(given, MAX_SERIAL));
    let product = match all.product {
        Field::Absent => return Err(section.missing("product", "neither here nor in [defaults]")),
        given => given.needed()?.value,
    };
    let wish = Wish { section, product, own, all, why: &looked_for(product, defaults) };
    let serial = wish.serial(serial);
    let term = wish.term();
    let (item_id, lines) = lines::of_entry(wish, term)?;
    let cycle = term?.cycle;
    let fits = wish.fits(&lines, limits);
    let identity = Identity {
        product_id: product.id,
        party: party?.map_or(Party::Own, Party::Partner),
        serial: serial?.map(str::to_owned),
        item_id,
        batch: batch?.map(str::to_owned),
    };
    fits.map(|()| Bought { product, identity, lines, cycle })
}

fn looked_for(product: &Product, defaults: &Shared) -> Cow<'static, str> {
    match defaults.product.good() {
        Some(other) if other.value.key != product.key => {
            format!("what [defaults] says is for {} and is not inherited by {}", other.value.key, product.key).into()
        }
        _ => "neither here nor in [defaults]".into(),
    }
}

/// The length of one term, without complaints; for rules about dates.
pub(super) fn cycle_of(all: &Shared) -> Option<Cycle> {
    let years = all.years.unwrap_or(1).ok()?;
    match (all.product.good()?.value.cycle, all.cycle.optional().ok()?) {
        (CycleRule::MonthlyOrYears, Some(BillingCycle::Monthly)) => Some(Cycle::months(1)),
        (CycleRule::MonthlyOrYears, _) => Some(Cycle::years(u16::try_from(years).ok()?)),
        (CycleRule::Annually { .. }, _) => Some(Cycle::years(1)),
    }
}

impl<'d> Wish<'_, 'd, '_> {
    /// The key that names what this product is renewed by.
    pub fn item(self) -> (LineKind, &'static str, Field<PortalId>) {
        match self.product.operation {
            Operation::RenewService => (LineKind::Service, "service_id", self.all.service_id),
            Operation::RenewPlan => (LineKind::Plan, "plan_id", self.all.plan_id),
        }
    }

    fn serial(self, given: Field<&'d str>) -> Result<Option<&'d str>, Said> {
        let key = self.product.key;
        match (given, self.product.serial) {
            (Field::Absent, true) => {
                Err(self.section.missing("serial", &format!("{key} is renewed by the serial number of its PBX")))
            }
            (Field::Good(at), false) => Err(self.superfluous(at.span, format!("{key} has no serial number"))),
            (given, _) => given.optional(),
        }
    }

    /// The quantity of the main line, or none for a product without quantities.
    pub fn quantity(self, given: Field<u32>, section: &Section<'_, '_>) -> Result<Option<u32>, Said> {
        match (self.product.quantity, given) {
            (QuantityRule::Required, Field::Absent) => Err(section.missing("quantity", self.why)),
            (QuantityRule::None, Field::Good(at)) => {
                Err(self.superfluous(at.span, format!("{} has no quantity", self.product.key)))
            }
            (_, given) => given.optional(),
        }
    }

    fn superfluous(self, span: Span, title: String) -> Said {
        self.section.refuse(span, title, "take this out", String::new())
    }

    fn term(self) -> Result<Term, Said> {
        match self.product.cycle {
            CycleRule::Annually { multi_cycle } => self.one_year(multi_cycle),
            CycleRule::MonthlyOrYears => self.months_or_years(),
        }
    }

    fn one_year(self, multi_cycle: u8) -> Result<Term, Said> {
        let key = self.product.key;
        let cycle = match self.all.cycle {
            Field::Good(At { value: BillingCycle::Monthly, span }) => {
                let help = "write `cycle = \"annually\"`".to_owned();
                Err(self.section.refuse(span, format!("{key} is sold annually only"), "not monthly", help))
            }
            given => given.optional(),
        };
        let years = match self.all.years {
            Field::Good(At { value: 2.., span }) => {
                Err(self.section.refuse(span, format!("{key} is sold for one year at a time"), "not for several", String::new()))
            }
            given => given.optional(),
        };
        cycle.and(years)?;
        Ok(Term { billing: BillingCycle::Annually, multi_cycle, cycle: Cycle::years(1) })
    }

    fn months_or_years(self) -> Result<Term, Said> {
        let (cycle, years) = (self.all.cycle.optional()?, self.all.years.optional()?);
        match (cycle, years) {
            (Some(BillingCycle::Monthly), None) => {
                Ok(Term { billing: BillingCycle::Monthly, multi_cycle: 0, cycle: Cycle::months(1) })
            }
            (Some(BillingCycle::Monthly), Some(_)) => {
                let span = self.all.years.span().unwrap_or(self.section.header);
                let title = "`years` contradicts `cycle = \"monthly\"`".to_owned();
                Err(self.section.refuse(span, title, "which one?", "take one of them out".to_owned()))
            }
            (None, None) => {
                let why = "renew it as it is billed today: `cycle = \"monthly\"`, or `years = 1` to 5";
                Err(self.section.missing("cycle", why))
            }
            (_, years) => Ok(years_at_once(years.unwrap_or(1))),
        }
    }

    /// An order beyond the limits would never go out; better said now than on the day it is due (R12).
    fn fits(self, lines: &[Line], limits: Option<Limits>) -> Result<(), Said> {
        let total: u64 = lines.iter().map(|line| u64::from(line.quantity.unwrap_or(1))).sum();
        let Some(limits) = limits else { return Ok(()) };
        let (name, limit) = match () {
            () if total > u64::from(limits.max_quantity_per_order) => ("max_quantity_per_order", limits.max_quantity_per_order),
            () if total > u64::from(limits.max_quantity_per_day) => ("max_quantity_per_day", limits.max_quantity_per_day),
            () => return Ok(()),
        };
        let span = self.own.quantity.span().unwrap_or(self.section.header);
        let title = format!("a quantity of {total} is beyond `{name} = {limit}`");
        let help = format!("if it is meant, raise `{name}` in [limits]");
        Err(self.section.refuse(span, title, "this would never be ordered", help))
    }
}

/// A term of 1 to 5 years, which its key has been checked for.
fn years_at_once(years: u32) -> Term {
    let count = u8::try_from(years).unwrap_or(u8::MAX);
    Term { billing: BillingCycle::Annually, multi_cycle: count, cycle: Cycle::years(count.into()) }
}
