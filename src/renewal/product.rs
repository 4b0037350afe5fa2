//! The products that can be renewed and the values each wants (portal-api.md section 8).
//!
//! Owns the presets behind `product = "…"` in the file. Never decides what is ordered.

use serde::{Deserialize, Serialize};

use crate::ids::PortalId;

/// What a renewal does, by the portal's `operationType`. The purchase, trial and switch forms of the API cannot be expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `renew_service`
    RenewService,
    /// `renew_plan`
    RenewPlan,
}

impl Operation {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RenewService => "renew_service",
            Self::RenewPlan => "renew_plan",
        }
    }
}

/// What a product asks of the quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuantityRule {
    /// The entry must give one.
    Required,
    /// The product has none.
    None,
}

/// Which cycles a product is sold in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CycleRule {
    /// Annually, with this `multiCycle`.
    Annually {
        /// The value of `multiCycle`.
        multi_cycle: u8,
    },
    /// Monthly (`multiCycle` 0), or annually for 1 to 5 years (`multiCycle` 1 to 5).
    MonthlyOrYears,
}

/// One row of portal-api.md section 8.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// The word in `renewals.toml`.
    pub key: &'static str,
    /// The vendor's name for it.
    pub name: &'static str,
    /// The portal's product id.
    pub id: PortalId,
    /// The operation of its renewal.
    pub operation: Operation,
    /// Whether the main line carries a quantity.
    pub quantity: QuantityRule,
    /// The cycles it comes in.
    pub cycle: CycleRule,
    /// Whether an order names a serial number.
    pub serial: bool,
    /// Whether an order may carry service lines beside its plan, joined by `connectionPlanId`.
    pub services_beside_plan: bool,
}

/// Every preset, in the order of the table. Where the table says `?` for `multiCycle`, 0 is sent, as in the tutorial.
pub static PRODUCTS: [Product; 8] = [
    service("rm-premium", "RM Premium", 21, QuantityRule::Required),
    service("white-label", "YCM / PSE White Label", 19, QuantityRule::None),
    service("custom-domain", "Custom Domain Name", 19, QuantityRule::Required),
    plan("remote-management", "Remote Management", 15, QuantityRule::None, CycleRule::Annually { multi_cycle: 1 }, false, false),
    plan(
        "p-series-turnkey",
        "P-Series Turnkey Package",
        14,
        QuantityRule::Required,
        CycleRule::Annually { multi_cycle: 0 },
        false,
        true,
    ),
    plan("p-series-appliance", "P-Series Appliance plan", 11, QuantityRule::None, CycleRule::MonthlyOrYears, true, false),
    plan(
        "p-series-software",
        "P-Series Software Edition",
        12,
        QuantityRule::Required,
        CycleRule::Annually { multi_cycle: 0 },
        true,
        true,
    ),
    plan(
        "p-series-cloud",
        "P-Series Cloud Edition",
        13,
        QuantityRule::Required,
        CycleRule::Annually { multi_cycle: 0 },
        true,
        true,
    ),
];

const fn service(key: &'static str, name: &'static str, id: u64, quantity: QuantityRule) -> Product {
    Product {
        key,
        name,
        id: PortalId::known(id),
        operation: Operation::RenewService,
        quantity,
        cycle: CycleRule::Annually { multi_cycle: 0 },
        serial: false,
        services_beside_plan: false,
    }
}

const fn plan(
    key: &'static str,
    name: &'static str,
    id: u64,
    quantity: QuantityRule,
    cycle: CycleRule,
    serial: bool,
    services_beside_plan: bool,
) -> Product {
    Product { key, name, id: PortalId::known(id), operation: Operation::RenewPlan, quantity, cycle, serial, services_beside_plan }
}

/// The preset called `key` in the file.
pub fn by_key(key: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.key == key)
}
