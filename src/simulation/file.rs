//! The renewals of a world, and the `renewals.toml` that a person keeps of them.
//!
//! Owns the text of the file and its edits. The oracle reads the same plans, so that what was meant never comes from the daemon.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::dice::Dice;
use crate::calendar::{self, Cycle};
use crate::ids::PortalId;
use crate::sandbox::{OrderRequest, RequestLine};

/// More terms than any world lives to see.
pub(super) const MOST_TERMS: u32 = 1000;

/// What is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ware {
    Premium,
    Cloud,
    Appliance,
    Monthly,
}

/// One renewal as it is meant.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Every label it ever had; the last one stands in the file.
    pub(super) names: Vec<String>,
    pub(super) ware: Ware,
    pub(super) partner: Option<u64>,
    pub(super) serial: Option<String>,
    pub(super) item: u64,
    pub(super) batch: Option<String>,
    pub(super) quantity: u32,
    /// The end of the term that was paid when the world began.
    pub(super) anchor: Date,
    /// What the file says of it now.
    pub(super) written: Date,
    pub(super) lead: u32,
    pub(super) longest_lead: u32,
    pub(super) grace: u32,
    pub(super) order_at: &'static str,
    pub(super) manual: bool,
    /// Whether it stands in the file.
    pub(super) listed: bool,
    /// A person has said that these terms were paid elsewhere, or that they are not to be renewed.
    pub(super) settled_by_people: Vec<u32>,
    /// It stands in the file as something else: nothing is owed to it until that is put right.
    pub(super) broken_off: bool,
    /// It once did: ours for it looks like one for that.
    pub(super) was_broken_off: bool,
    /// A person has skipped it or holds it since then: nothing may be ordered.
    pub(super) unwanted: Option<Unwanted>,
    /// Somebody has decided whether, and when, what has ended goes on.
    pub(super) decided: bool,
    /// These terms were ordered by a person before they were due.
    pub(super) early: Vec<u32>,
}

/// What a person has said against ordering, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwanted {
    /// From this term on; nothing is owed to it either.
    Skipped(Timestamp, u32),
    /// Its deadlines are told all the same.
    Held(Timestamp),
}

/// The id of the `n`-th customer.
pub(super) const fn partner(n: u64) -> u64 {
    3_076_915_454_489_739_264 + n
}

impl Plan {
    pub(super) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    pub(super) fn cycle(&self) -> Cycle {
        if self.ware == Ware::Monthly { Cycle::months(1) } else { Cycle::years(1) }
    }

    pub(super) fn product(&self) -> u64 {
        match self.ware {
            Ware::Premium => 21,
            Ware::Cloud => 13,
            Ware::Appliance | Ware::Monthly => 11,
        }
    }

    /// The deadline of the `k`-th term, which is the end of the one before.
    pub(super) fn deadline(&self, k: u32, zone: &TimeZone) -> Timestamp {
        let day = calendar::boundary(self.anchor, self.cycle(), k).expect("the worlds end long before the calendar");
        calendar::deadline(day, zone).expect("the worlds end long before the calendar")
    }

    /// The term that an order made at `at` can only be for: half a cycle is the longest lead, and grace is short.
    pub(super) fn term_of(&self, at: Timestamp, zone: &TimeZone) -> u32 {
        let quarter = i64::from(self.cycle().least_days()) * 6;
        let over = |k: u32| self.deadline(k, zone) + jiff::SignedDuration::from_hours(quarter);
        (0..MOST_TERMS).find(|k| at < over(*k)).unwrap_or(0)
    }

    /// Whether an order of the ledger is for the same product and customer: what R11 looks at.
    pub(super) fn looks_like(&self, request: &OrderRequest) -> bool {
        request.product_id == PortalId::known(self.product())
            && request.partner_id == self.partner.map(PortalId::known)
            && request.product_no == self.serial
    }

    /// Whether an order of the ledger renews exactly this.
    pub(super) fn is_renewed_by(&self, request: &OrderRequest) -> bool {
        self.looks_like(request) && request.service_list.iter().any(|line| line.service_id == PortalId::known(self.item))
    }

    /// The same order as somebody else would place it.
    pub(super) fn request(&self, quantity: u64) -> OrderRequest {
        let item = PortalId::known(self.item);
        let mut request = OrderRequest::rm_premium(self.partner.map(PortalId::known), item, PortalId::known(999), quantity);
        request.product_id = PortalId::known(self.product());
        request.product_no.clone_from(&self.serial);
        if self.ware != Ware::Premium {
            request.operation_type = "renew_plan".into();
            let monthly = self.ware == Ware::Monthly;
            request.service_list = vec![RequestLine {
                service_type: "plan".into(),
                quantity: (self.ware == Ware::Cloud).then_some(quantity),
                billing_cycle: if monthly { "monthly".into() } else { "annually".into() },
                multi_cycle: u64::from(self.ware == Ware::Appliance),
                ..request.service_list[0].clone()
            }];
        }
        request
    }

    fn text(&self) -> String {
        let mut text = format!(
            "[[renewal]]\nname = \"{}\"\nexpires_on = {}\nfar = true\nlead = \"{} days\"\ngrace = \"{} days\"\norder_at = \"{}\"\nbilling_id = 77\n",
            self.name(),
            self.written,
            self.lead,
            self.grace,
            self.order_at
        );
        let mut add = |key: &str, value: String| text.extend([key, " = ", &value, "\n"]);
        match self.ware {
            Ware::Premium => {
                add("product", "\"rm-premium\"".into());
                add("service_id", self.item.to_string());
            }
            Ware::Cloud => add("product", "\"p-series-cloud\"".into()),
            Ware::Appliance | Ware::Monthly => add("product", "\"p-series-appliance\"".into()),
        }
        if self.ware != Ware::Premium {
            add("plan_id", self.item.to_string());
        }
        if matches!(self.ware, Ware::Premium | Ware::Cloud) {
            add("quantity", self.quantity.to_string());
        }
        match self.ware {
            Ware::Monthly => add("cycle", "\"monthly\"".into()),
            Ware::Appliance => add("cycle", "\"annually\"".into()),
            Ware::Premium | Ware::Cloud => {}
        }
        for (key, value) in [
            ("partner_id", self.partner.map(|id| id.to_string())),
            ("serial", self.serial.clone()),
            ("batch", self.batch.clone()),
            ("approval", self.manual.then(|| "manual".to_owned())),
        ] {
            if let Some(value) = value {
                add(key, format!("\"{value}\""));
            }
        }
        text
    }
}

/// The file as it stands.
pub(super) fn text(plans: &[Plan], zone: &str, settle_hours: Option<u32>) -> String {
    let settle = settle_hours.map(|hours| format!("settle = \"{hours} h\"\n")).unwrap_or_default();
    let mut text = format!(
        "timezone = \"{zone}\"\nnotify = \"none\"\n[portal]\nbase_url = \"https://portal.example\"\n{settle}[limits]\nmax_orders_per_day = 3\n"
    );
    plans.iter().filter(|plan| plan.listed).for_each(|plan| text.push_str(&plan.text()));
    text
}

/// The renewals of a new world that begins on `today`.
pub(super) fn draw(dice: &mut Dice, today: Date, calm: bool, together: bool) -> Vec<Plan> {
    let least = if together { 2 } else { 1 };
    let count = dice.weighed(&[(52, 1), (30, 2), (12, 3), (6, 4)]).max(least);
    let mut plans: Vec<Plan> = (0..count).map(|n| plan(dice, n, today, calm)).collect();
    if together {
        on_one_day(&mut plans);
    }
    plans
}

/// Due at one moment, and sent in one batch.
fn on_one_day(plans: &mut [Plan]) {
    let Some(first) = plans.first().cloned() else { return };
    let alike = |plan: &&mut Plan| (plan.ware == Ware::Monthly) == (first.ware == Ware::Monthly);
    for plan in plans.iter_mut().filter(alike) {
        (plan.anchor, plan.written) = (first.anchor, first.anchor);
        (plan.lead, plan.longest_lead, plan.order_at) = (first.lead, first.lead, first.order_at);
    }
}

fn plan(dice: &mut Dice, n: u64, today: Date, calm: bool) -> Plan {
    let ware = dice.weighed(&[(81, Ware::Premium), (9, Ware::Cloud), (9, Ware::Appliance), (1, Ware::Monthly)]);
    let partner = (n > 0 || dice.chance(750)).then_some(partner(n));
    let days = if ware == Ware::Monthly { dice.between(17, 40) } else { dice.between(35, 380) };
    let anchor = month_end(dice, today + jiff::ToSpan::days(days));
    let lead = if ware == Ware::Monthly { *dice.pick(&[3, 5, 10, 14]) } else { *dice.pick(&[3, 5, 10, 14, 14, 30, 60]) };
    Plan {
        names: vec![format!("r{n}")],
        ware,
        partner,
        serial: (ware != Ware::Premium).then(|| format!("36310B{n:04}")),
        item: 3_375_819_276_601_303_040 + dice.below(3),
        batch: None,
        quantity: u32::try_from(dice.between(1, 50)).unwrap_or(1),
        anchor,
        written: anchor,
        lead,
        longest_lead: lead,
        grace: if calm { 0 } else { *dice.pick(&[0, 0, 0, 1, 3]) },
        order_at: ["09:00", "00:00", "02:30", "23:59", "12:00"][usize::try_from(dice.below(5)).unwrap_or(0)],
        manual: !calm && dice.chance(80),
        listed: true,
        settled_by_people: Vec::new(),
        broken_off: false,
        was_broken_off: false,
        unwanted: None,
        decided: false,
        early: Vec::new(),
    }
}

/// The days that months and leap years make difficult come more often than chance has them.
fn month_end(dice: &mut Dice, day: Date) -> Date {
    if dice.chance(300) { day.last_of_month() } else { day }
}
