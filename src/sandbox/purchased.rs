//! Purchased products (portal-api.md section 7).

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::entry::Instance;
use super::list::Rows;
use super::message::{Outcome, Refusal, result};
use super::route::Query;
use super::settings::PurchasedSettings;
use super::shown::IdText;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Purchased<'a> {
    activation_code: &'a str,
    activation_status: &'a str,
    comment: &'a str,
    create_time: i64,
    product_id: IdText,
    product_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_id: Option<IdText>,
    /// The guide names no such field for a renewal: whether one comes back is a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_date: Option<i64>,
}

impl<'a> Purchased<'a> {
    fn of(instance: &'a Instance, settings: &PurchasedSettings) -> Self {
        Self {
            activation_code: "",
            activation_status: "activated",
            comment: "",
            create_time: instance.created_at.as_millisecond(),
            product_id: IdText(instance.product),
            product_no: &instance.product_no,
            partner_id: instance.partner.map(IdText),
            expire_date: if settings.expiry { expiry(instance) } else { None },
        }
    }
}

/// The end of the paid term, in milliseconds: the catalogue's date and what was renewed since.
fn expiry(instance: &Instance) -> Option<i64> {
    let months = i64::try_from(instance.months).ok()?;
    let day: Date = instance.seed_expiry?.checked_add(Span::new().try_months(months).ok()?).ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// `instance_product_list`
pub(super) fn list(instances: &[Instance], settings: &PurchasedSettings, query: Query<'_>) -> Outcome {
    let product = query.id("productId")?;
    let wanted = |instance: &&Instance| {
        product.is_none_or(|id| id == instance.product) && (settings.without_serial || instance.serial.is_some())
    };
    let rows = instances.iter().filter(wanted).map(|instance| Purchased::of(instance, settings)).collect();
    result(&Rows::cut(rows, query)?)
}

/// `detail`
pub(super) fn detail(instances: &[Instance], settings: &PurchasedSettings, query: Query<'_>) -> Outcome {
    let (product_no, product) = (query.required("productNo")?, query.required_id("productId")?);
    let found = instances.iter().find(|instance| instance.product == product && instance.product_no == product_no);
    let instance = found.ok_or_else(|| Refusal::not_found("this product"))?;
    result(&Purchased::of(instance, settings))
}
