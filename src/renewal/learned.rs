//! What this portal was seen to do with the fields of our orders (R22).
//!
//! Owns what reading back an order of ours teaches, and when that is believed. Never judges an order by it: that is `evidence.rs`.

use super::evidence::Listed;
use super::facts::Facts;
use super::subscription::{Identity, Party};

/// What this portal was seen to do with a field of our orders (R22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Echo {
    /// Comes back as it was sent.
    Echoed,
    /// Does not come back.
    Absent,
    /// Comes back as something else.
    Misleading,
}

/// The fields that are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `poNumber`
    PoNumber,
    /// `productId`
    Product,
    /// `partnerId`
    Partner,
    /// `productNo`
    Serial,
    /// `serviceId` or `planId`
    Item,
}

impl Field {
    /// The word as stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PoNumber => "po_number",
            Self::Product => "product",
            Self::Partner => "partner",
            Self::Serial => "serial",
            Self::Item => "item",
        }
    }

    /// The fields that an order for `identity` can teach.
    pub fn of(identity: &Identity) -> Vec<Self> {
        let mut fields = vec![Self::PoNumber, Self::Product, Self::Partner, Self::Item];
        if identity.serial.is_some() {
            fields.push(Self::Serial);
        }
        fields
    }
}

/// What was learned for one product and kind of party.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    pub(super) rows: Vec<(Field, Echo)>,
    /// The portal has shown this very customer on an order, be it somebody else's (A8).
    customer_shown: bool,
    /// Other customers and serial numbers under which paid orders of ours for this one are shown: he was registered anew, say.
    shown_as: Vec<(Field, String)>,
}

impl Learned {
    /// From stored rows, for a customer whom the portal has shown.
    pub fn new(rows: Vec<(Field, Echo)>) -> Self {
        Self { rows, customer_shown: true, shown_as: Vec::new() }
    }

    /// The same for a customer whom no order shows: it was learned of others, and this one's may be shown under a distributor.
    #[must_use]
    pub fn of_others_only(self) -> Self {
        Self { customer_shown: false, ..self }
    }

    /// The same for one whose paid orders show these in place of what was sent.
    #[must_use]
    pub fn also_shown_as(self, shown_as: Vec<(Field, String)>) -> Self {
        Self { shown_as, ..self }
    }

    /// Whether paid orders of ours for this customer show this in `field` in place of what was sent.
    pub(super) fn is_shown_as(&self, field: Field, value: &str) -> bool {
        self.shown_as.iter().any(|(known, shown)| *known == field && shown == value)
    }

    /// Nothing was ever learned.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is known of `field`.
    pub fn of(&self, field: Field) -> Option<Echo> {
        self.rows.iter().find(|(known, _)| *known == field).map(|(_, echo)| *echo)
    }

    /// What is known once an order of ours was seen to show `lessons`.
    #[must_use]
    pub fn with(&self, lessons: &[(Field, Echo)]) -> Vec<(Field, Echo)> {
        lessons.iter().map(|(field, echo)| (*field, merged(self.of(*field), *echo))).collect()
    }

    pub(crate) fn echoes(&self, field: Field) -> bool {
        self.of(field) == Some(Echo::Echoed)
    }

    /// Whether another customer in an order says that it is not for this one: only if the portal shows this one by name, or would show our
    /// `poNumber` instead.
    pub(super) fn believes_customer(&self) -> bool {
        self.customer_shown || self.echoes(Field::PoNumber)
    }

    /// Whether the first order has been read back: until then one goes alone (R22).
    pub fn complete_for(&self, identity: &Identity) -> bool {
        Field::of(identity).into_iter().all(|field| self.of(field).is_some())
    }
}

/// What reading back an order of ours teaches, field by field. Without its details it teaches nothing to lean on: what a row of the list shows
/// and what details show under the same name need not be the same.
pub fn lessons(identity: &Identity, listed: &Listed, po_number: &str) -> Vec<(Field, Echo)> {
    Field::of(identity)
        .into_iter()
        .map(|field| {
            let echo = match field {
                _ if !listed.detailed && field != Field::PoNumber => Echo::Absent,
                Field::PoNumber if listed.mentions_ours.iter().any(|po| po == po_number) => Echo::Echoed,
                Field::PoNumber => Echo::Absent,
                Field::Item if listed.facts.items.contains(&identity.item_id.to_string()) => Echo::Echoed,
                Field::Item if listed.facts.items.is_empty() => Echo::Absent,
                Field::Item => Echo::Misleading,
                // One's own order names no partner: coming back without one, it came back as it was sent.
                Field::Partner if identity.party == Party::Own => match shown(field, &listed.facts) {
                    None => Echo::Echoed,
                    Some(_) => Echo::Misleading,
                },
                _ => match shown(field, &listed.facts) {
                    None => Echo::Absent,
                    Some(value) if Some(value) == sent(field, identity).as_deref() => Echo::Echoed,
                    Some(_) => Echo::Misleading,
                },
            };
            (field, echo)
        })
        .collect()
}

/// A field comes back only if it always did: one order that does not show it unlearns it.
pub(super) fn merged(before: Option<Echo>, now: Echo) -> Echo {
    match before {
        None => now,
        Some(before) if before == now => now,
        Some(Echo::Misleading) => Echo::Misleading,
        Some(_) if now == Echo::Misleading => Echo::Misleading,
        Some(_) => Echo::Absent,
    }
}

pub(super) fn shown(field: Field, facts: &Facts) -> Option<&str> {
    match field {
        Field::Product => facts.product.as_deref(),
        Field::Partner => facts.partner.as_deref(),
        Field::Serial => facts.serial.as_deref(),
        Field::PoNumber | Field::Item => None,
    }
}

pub(super) fn sent(field: Field, identity: &Identity) -> Option<String> {
    match field {
        Field::Product => Some(identity.product_id.to_string()),
        Field::Partner => identity.party.text(),
        Field::Serial => identity.serial.clone(),
        Field::PoNumber | Field::Item => None,
    }
}
