//! What is renewed: the identity of a subscription (R2) and what its entry in the file asks for.
//!
//! Identity is what is bought, not its label: `name` may change freely, and so may lines, quantity and dates.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::order::{Line, Order};
use super::product::{Operation, Product};
use crate::calendar::Cycle;
use crate::ids::PortalId;

/// Who is billed for the subscription: a subordinate user, or the partner itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// The account's own subscription: the order names no `partnerId`.
    Own,
    /// A subordinate user's.
    Partner(PortalId),
}

impl Party {
    /// The partner's id as stored and shown, or nothing for one's own.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Own => None,
            Self::Partner(id) => Some(id.to_string()),
        }
    }
}

/// R2: two entries with the same identity are the same subscription, whatever they are called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The portal's product id.
    pub product_id: PortalId,
    /// For whom.
    pub party: Party,
    /// The serial number of the PBX, for products that have one.
    pub serial: Option<String>,
    /// The id of the plan, or of the service where there is no plan.
    pub item_id: PortalId,
    /// Tells two batches of one product apart.
    pub batch: Option<String>,
}

/// Whether a due order goes out by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Orders are placed without asking.
    Auto,
    /// A person approves each order.
    Manual,
}

/// One checked `[[renewal]]` of the file, with `[defaults]` already applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The label people use; no part of the identity.
    pub name: String,
    /// The preset it was written for.
    pub product: &'static Product,
    /// What it is.
    pub identity: Identity,
    /// The billing contact of its orders.
    pub billing_id: PortalId,
    /// The lines of its next order; the first one is the plan, or the service where there is no plan.
    pub lines: Vec<Line>,
    /// How long one term lasts.
    pub cycle: Cycle,
    /// The end of the term that is paid today. Only seeds the chain of terms (R4).
    pub expires_on: Date,
    /// `expires_on` is meant to be far ahead (R5).
    pub far: bool,
    /// How many days before the deadline to order.
    pub lead_days: u32,
    /// At what civil time of that day.
    pub order_at: Time,
    /// Whether a person is asked first.
    pub approval: Approval,
    /// How many days after the deadline a late order still goes by itself.
    pub grace_days: u32,
    /// The line of the file where the entry begins, for messages.
    pub line_number: usize,
}

impl Entry {
    /// What the limits count: the quantities of all lines, a line without one counting 1 (R12).
    pub fn quantity(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity.unwrap_or(1))).sum()
    }
}

/// What the next order takes from the file, as the database keeps it: an entry without its identity, label and dates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The preset's key.
    pub product: String,
    /// The operation of its orders.
    pub operation: Operation,
    /// The billing contact.
    #[serde(with = "crate::ids::text")]
    pub billing_id: PortalId,
    /// The lines of the next order.
    pub lines: Vec<Line>,
    /// What the limits count (R12).
    pub quantity: u64,
    /// The length of a term, in months.
    pub cycle_months: u16,
    /// Days before the deadline to order.
    pub lead_days: u32,
    /// At what civil time.
    pub order_at: Time,
    /// Whether a person is asked first.
    pub approval: Approval,
    /// Days after the deadline on which a late order still goes by itself.
    pub grace_days: u32,
}

impl Standing {
    /// What the database keeps of `entry`.
    pub fn of(entry: &Entry) -> Self {
        Self {
            product: entry.product.key.to_owned(),
            operation: entry.product.operation,
            billing_id: entry.billing_id,
            lines: entry.lines.clone(),
            quantity: entry.quantity(),
            cycle_months: entry.cycle.in_months(),
            lead_days: entry.lead_days,
            order_at: entry.order_at,
            approval: entry.approval,
            grace_days: entry.grace_days,
        }
    }

    /// The length of a term.
    pub fn cycle(&self) -> Cycle {
        Cycle::months(self.cycle_months)
    }

    /// The order that renews `identity` on these terms.
    pub fn order(&self, identity: &Identity) -> Order {
        Order {
            operation: self.operation,
            product_id: identity.product_id,
            serial: identity.serial.clone(),
            party: identity.party,
            billing_id: self.billing_id,
            lines: self.lines.clone(),
        }
    }
}

/// A serial number as it is compared: case, blanks, hyphens and zeros in front make no other device.
pub fn plain_serial(serial: &str) -> String {
    let all: String = serial.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    all.trim_start_matches('0').to_owned()
}

impl Identity {
    /// R10, R11: what makes two orders look alike at the portal, whatever their lines say.
    pub fn looks_like(&self) -> String {
        let partner = self.party.text().unwrap_or_default();
        format!("{}|{partner}|{}", self.product_id, self.serial.as_deref().unwrap_or_default())
    }
}
