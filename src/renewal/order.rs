//! What one order says: its lines and its body.
//!
//! Owns the shape of an order as the domain knows it. Its JSON is written in `portal/wire.rs`.

use serde::{Deserialize, Serialize};

use super::product::Operation;
use super::subscription::Party;
use crate::ids::PortalId;

/// What a line renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// `serviceType` = `service`
    Service,
    /// `serviceType` = `plan`
    Plan,
}

/// `billingCycle` of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BillingCycle {
    /// `annually`
    Annually,
    /// `monthly`
    Monthly,
}

/// One element of `serviceList` (portal-api.md section 4). `purchaseType` is always `renew` and `billingModel` always `recurring`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// Plan or service.
    pub kind: LineKind,
    /// The `serviceId`: a plan id or a service id, never a pricing id.
    #[serde(with = "crate::ids::text")]
    pub id: PortalId,
    /// Connections, extensions or domain names; absent for products that have none.
    pub quantity: Option<u32>,
    /// Monthly or annually.
    pub billing_cycle: BillingCycle,
    /// `multiCycle`.
    pub multi_cycle: u8,
    /// The plan that a service line belongs to.
    #[serde(with = "crate::ids::optional_text", default)]
    pub connection_plan: Option<PortalId>,
}

/// Everything an order says, but for its `poNumber`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `operationType`; only renewals exist.
    pub operation: Operation,
    /// `productId`
    pub product_id: PortalId,
    /// `productNo`: the serial number of an existing PBX.
    pub serial: Option<String>,
    /// Whose subscription it is; `partnerId` is sent for a subordinate user only.
    pub party: Party,
    /// `billingId`
    pub billing_id: PortalId,
    /// `serviceList`
    pub lines: Vec<Line>,
}
