//! One order as `get/{id}` shows it, and the answer to `save` (portal-api.md sections 4 and 5).

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use super::catalogue::Directory;
use super::entry::LedgerOrder;
use super::message::{Outcome, as_text, result};
use super::settings::{ListSettings, Shows};
use super::shown::{self, Field, Formed, IdText, ShownLine};

/// `result` of `save`; the keys of the tutorial's sample.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Saved<'a> {
    #[serde(serialize_with = "as_text")]
    instance_id: u64,
    #[serde(serialize_with = "as_text")]
    order_id: u64,
    order_no: &'a str,
    order_status: &'a str,
    product_no: &'a str,
    transaction_no: &'a str,
}

/// What `save` answers for an order.
pub(super) fn saved(order: &LedgerOrder) -> Outcome {
    result(&Saved {
        instance_id: order.instance_id,
        order_id: order.id,
        order_no: &order.order_no,
        order_status: &order.status,
        product_no: &order.product_no,
        transaction_no: &order.transaction_no,
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    basic_information: Basic<'a>,
    billing_information: Billing<'a>,
    order_information: Information<'a>,
    order_summary: Summary<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Basic<'a> {
    #[serde(skip_serializing_if = "Field::is_absent")]
    product_id: Field<IdText>,
    product_name: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    product_no: Field<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    partner_id: Field<IdText>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Billing<'a> {
    billing_contact_id: IdText,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Information<'a> {
    id: Formed,
    order_no: &'a str,
    order_status: &'a str,
    create_time: i64,
    transaction_no: &'a str,
    currency_code: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    po_number: Field<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    operation_type: Field<&'a str>,
}

/// The lines, or what is left of them.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Summary<'a> {
    Lines(Field<Vec<ShownLine<'a>>>),
    Rest([Quantity; 1]),
    Nothing([Quantity; 0]),
}

#[derive(Debug, Serialize)]
struct Quantity {
    quantity: Field<u64>,
}

impl<'a> Summary<'a> {
    fn of(order: &'a LedgerOrder, shows: Shows) -> Self {
        let quantity = shown::total_quantity(order, shows);
        match shown::lines(order, shows) {
            Field::Absent if quantity.is_absent() => Self::Nothing([]),
            Field::Absent => Self::Rest([Quantity { quantity }]),
            lines => Self::Lines(lines),
        }
    }
}

/// What `get/{id}` answers for an order.
pub(super) fn details(order: &LedgerOrder, directory: &Directory, settings: &ListSettings, now: Timestamp) -> Outcome {
    let shows = settings.details_of(order, now);
    let product_name = directory.catalogue.product(order.request.product_id).map_or("", |product| product.name.as_str());
    result(&Details {
        basic_information: Basic {
            product_id: shown::product_id(order, shows.product_id),
            product_name,
            product_no: shown::serial(order, shows.serial),
            partner_id: shown::partner_id(order, shows.partner_id, settings.distributed),
        },
        billing_information: Billing {
            billing_contact_id: IdText(order.request.billing_id),
            company: directory.contact(order.request.billing_id).map(|contact| contact.company.as_str()),
        },
        order_information: Information {
            id: Formed(order.id, settings.ids),
            order_no: &order.order_no,
            order_status: &order.status,
            create_time: shown::create_time(order, settings.times),
            transaction_no: &order.transaction_no,
            currency_code: "USD",
            po_number: shown::po_number(order, shows.po_number),
            operation_type: shown::operation(order, shows.operation),
        },
        order_summary: Summary::of(order, shows),
    })
}
