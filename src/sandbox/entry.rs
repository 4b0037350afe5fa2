//! What the ledger is made of: orders, the products they renewed, and what a renewal counts for.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::request::OrderRequest;
use crate::ids::PortalId;

/// `orderStatus`. The set is open (portal-api.md section 4): any word will do.
pub type Status = Cow<'static, str>;

/// The order is done.
pub const SUCCEED: Status = Cow::Borrowed("succeed");
/// Created, not paid.
pub const PENDING: Status = Cow::Borrowed("pending");

/// Who placed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlacedBy {
    /// Through `save`.
    Us,
    /// A person of the same reseller, in the portal.
    Colleague,
    /// The customer, in its own portal.
    Customer,
}

/// An accepted order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerOrder {
    /// The portal's id, rising with gaps.
    pub id: u64,
    /// Such as `UF3400820771565023232`, rising.
    pub order_no: String,
    /// Such as `ZC3400820772676513793`.
    pub transaction_no: String,
    /// The instance that was renewed; the same for each renewal of it.
    pub instance_id: u64,
    /// The portal's own number of the product; its serial number where it has one.
    pub product_no: String,
    /// `createTime`
    pub created_at: Timestamp,
    /// From when on the list shows it.
    pub listed_from: Timestamp,
    /// What the portal says of it now.
    pub status: Status,
    /// When it turns from `pending` to `succeed`; none: it stays as it is.
    pub settles_at: Option<Timestamp>,
    /// Who placed it.
    pub placed_by: PlacedBy,
    /// What was asked for.
    pub request: OrderRequest,
    /// The request's body, byte for byte.
    pub body: String,
}

/// What a renewal counts for: one service or plan of one product of one user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// `productId`
    pub product: PortalId,
    /// `partnerId`
    pub partner: Option<PortalId>,
    /// `productNo`
    pub serial: Option<String>,
    /// `serviceId`
    pub service: PortalId,
}

/// A purchased product.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) id: u64,
    pub(super) product: PortalId,
    pub(super) partner: Option<PortalId>,
    pub(super) serial: Option<String>,
    pub(super) product_no: String,
    pub(super) created_at: Timestamp,
    /// The end of the paid term before any order of this ledger, where a catalogue tells it.
    pub(super) seed_expiry: Option<Date>,
    /// Months renewed since.
    pub(super) months: u64,
}

/// An order that will be carried out later.
#[derive(Debug, Clone)]
pub(super) struct Postponed {
    pub(super) at: Timestamp,
    pub(super) body: String,
}

/// How an order starts its life.
#[derive(Debug, Clone)]
pub(super) struct Birth {
    pub(super) at: Timestamp,
    pub(super) by: PlacedBy,
    pub(super) status: Status,
    pub(super) settles_at: Option<Timestamp>,
}
