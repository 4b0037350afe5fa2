//! What an order shows of itself when it is read back: echoed, absent, null or misleading.
//!
//! Never changes the ledger: a misleading field only misleads the reader.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::catalogue::pricing_id;
use super::entry::LedgerOrder;
use super::message::as_text;
use super::request::RequestLine;
use super::settings::{Echo, NumberForm, Shows, TimeUnit};
use crate::ids::PortalId;

/// The reseller's own id, which a misleading `partnerId` shows.
pub const RESELLER: PortalId = PortalId::known(3_076_910_000_000_000_001);

/// Who is shown in place of a customer whose orders go through a distributor.
const DISTRIBUTOR: PortalId = PortalId::known(3_076_910_000_000_000_002);

/// A field that may be missing altogether.
#[derive(Debug, Clone)]
pub(super) enum Field<T> {
    Absent,
    Null,
    Value(T),
}

impl<T> Field<T> {
    fn of(echo: Echo, sent: Option<T>, misleading: impl FnOnce() -> T) -> Self {
        match echo {
            Echo::Absent => Self::Absent,
            Echo::Null => Self::Null,
            Echo::Echoed => sent.map_or(Self::Absent, Self::Value),
            Echo::Misleading => Self::Value(misleading()),
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(to),
            Self::Absent | Self::Null => to.serialize_none(),
        }
    }
}

/// An id as a JSON string.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdText(pub(super) PortalId);

impl Serialize for IdText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        as_text(&self.0, to)
    }
}

/// A number in the form the settings ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formed(pub(super) u64, pub(super) NumberForm);

impl Serialize for Formed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            NumberForm::Text => as_text(&self.0, to),
            NumberForm::Number => to.serialize_u64(self.0),
        }
    }
}

/// `createTime`, in the unit the settings ask for.
pub(super) fn create_time(order: &LedgerOrder, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Seconds => order.created_at.as_second(),
        TimeUnit::Milliseconds => order.created_at.as_millisecond(),
    }
}

pub(super) fn po_number(order: &LedgerOrder, echo: Echo) -> Field<Cow<'_, str>> {
    let sent = order.request.po_number.as_deref().map(Cow::Borrowed);
    Field::of(echo, sent, || Cow::Owned(format!("PO-{}", order.id)))
}

pub(super) fn product_id(order: &LedgerOrder, echo: Echo) -> Field<IdText> {
    Field::of(echo, Some(IdText(order.request.product_id)), || IdText(PortalId::known(20)))
}

pub(super) fn partner_id(order: &LedgerOrder, echo: Echo, distributed: Option<PortalId>) -> Field<IdText> {
    let shown = |partner| if Some(partner) == distributed { DISTRIBUTOR } else { partner };
    Field::of(echo, order.request.partner_id.map(|partner| IdText(shown(partner))), || IdText(RESELLER))
}

pub(super) fn serial(order: &LedgerOrder, echo: Echo) -> Field<Cow<'_, str>> {
    let sent = order.request.product_no.as_deref().map(Cow::Borrowed);
    Field::of(echo, sent, || Cow::Owned(format!("{}", 3_076_900_000_000_000_000 + order.instance_id)))
}

pub(super) fn operation(order: &LedgerOrder, echo: Echo) -> Field<&str> {
    Field::of(echo, Some(order.request.operation_type.as_str()), || "purchase")
}

/// The lines of an order as they are shown.
pub(super) fn lines(order: &LedgerOrder, shows: Shows) -> Field<Vec<ShownLine<'_>>> {
    let all = |id: fn(PortalId) -> PortalId| -> Vec<ShownLine<'_>> {
        order.request.service_list.iter().map(|line| ShownLine::of(line, id(line.service_id), shows.quantity)).collect()
    };
    match shows.lines {
        Echo::Absent => Field::Absent,
        Echo::Null => Field::Null,
        Echo::Echoed => Field::Value(all(|id| id)),
        Echo::Misleading => Field::Value(all(pricing_id)),
    }
}

/// The quantity of an order whose lines are not shown.
pub(super) fn total_quantity(order: &LedgerOrder, shows: Shows) -> Field<u64> {
    if shows.lines == Echo::Echoed || shows.lines == Echo::Misleading {
        return Field::Absent;
    }
    let total = order.request.service_list.iter().filter_map(|line| line.quantity).reduce(u64::saturating_add);
    Field::of(shows.quantity, total, || 1)
}

/// One line of `orderSummary`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownLine<'a> {
    service_type: &'a str,
    service_id: IdText,
    purchase_type: &'a str,
    billing_model: &'a str,
    billing_cycle: &'a str,
    multi_cycle: u64,
    #[serde(skip_serializing_if = "Field::is_absent")]
    quantity: Field<u64>,
}

impl<'a> ShownLine<'a> {
    fn of(line: &'a RequestLine, id: PortalId, quantity: Echo) -> Self {
        Self {
            service_type: &line.service_type,
            service_id: IdText(id),
            purchase_type: &line.purchase_type,
            billing_model: &line.billing_model,
            billing_cycle: &line.billing_cycle,
            multi_cycle: line.multi_cycle,
            quantity: Field::of(quantity, line.quantity, || 1),
        }
    }
}
