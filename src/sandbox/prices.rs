//! Prices (portal-api.md section 6). All amounts are invented, in whole cents, and the same at every call.

use serde::Serialize;
use serde_json::Value;

use super::catalogue::{Catalogue, Item, fold};
use super::lookups::offer;
use super::message::{Outcome, Refusal, result};
use super::request::Fields;
use super::route::Query;
use super::seed::{Stream, mix};
use super::shown::IdText;
use crate::ids::PortalId;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PriceInfo {
    product_id: IdText,
    offering_id: IdText,
    billing_cycle: String,
    currency_code: &'static str,
    plans: Vec<PlanPrice>,
    services: Vec<ServicePrice>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanPrice {
    pricing_plan_id: IdText,
    name: String,
    unit_price: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServicePrice {
    pricing_service_id: IdText,
    name: String,
    unit_price: String,
}

/// `my_price_info`
pub(super) fn list_prices(catalogue: &Catalogue, query: Query<'_>) -> Outcome {
    let offer = offer(catalogue, query)?;
    let billing_cycle = cycle(&query.required("billingCycle")?)?;
    if query.required_id("offeringId")? != offer.offering_id() {
        return Err(Refusal::validation("offeringId does not belong to this product"));
    }
    query.id("partnerId")?;
    let plan = |item: &Item| PlanPrice {
        pricing_plan_id: IdText(item.pricing_id()),
        name: item.name.clone(),
        unit_price: money(cents(item.pricing_id())),
    };
    let service = |item: &Item| ServicePrice {
        pricing_service_id: IdText(item.pricing_id()),
        name: item.name.clone(),
        unit_price: money(cents(item.pricing_id())),
    };
    result(&PriceInfo {
        product_id: IdText(offer.id),
        offering_id: IdText(offer.offering_id()),
        billing_cycle,
        currency_code: "USD",
        plans: offer.plans.iter().map(plan).collect(),
        services: offer.services.iter().map(service).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinePrice {
    pricing_id: IdText,
    quantity: u64,
    unit_price: String,
    amount: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    currency_code: &'static str,
    total_amount: String,
    service_list: Vec<LinePrice>,
}

const CALCULATE_KEYS: [&str; 5] = ["productId", "operationType", "serviceList", "productNo", "partnerView"];
const LINE_KEYS: [&str; 8] =
    ["serviceType", "pricingId", "billingCycle", "quantity", "multiCycle", "purchaseType", "billingModel", "connectionPlanId"];

/// `pricing/calculate`: the price of an order without placing it.
pub(super) fn calculate(catalogue: &Catalogue, body: &[u8]) -> Outcome {
    let value: Value = serde_json::from_slice(body).map_err(|e| Refusal::validation(format!("the body is no JSON: {e}")))?;
    let fields = Fields::of(&value, "", &CALCULATE_KEYS)?;
    let product = fields.id("productId")?;
    if catalogue.product(product).is_none() {
        return Err(Refusal::validation(format!("productId {product} is not known")));
    }
    fields.text("operationType")?;
    fields.optional_text("productNo")?;
    let (mut lines, mut total) = (Vec::new(), 0_u64);
    for (at, line) in fields.list("serviceList")?.iter().enumerate() {
        let (line, amount) = line_price(line, &format!("serviceList[{at}]."))?;
        lines.push(line);
        total = total.saturating_add(amount);
    }
    result(&Sum { currency_code: "USD", total_amount: money(total), service_list: lines })
}

fn line_price(line: &Value, place: &str) -> Result<(LinePrice, u64), Refusal> {
    let fields = Fields::of(line, place, &LINE_KEYS)?;
    fields.text("serviceType")?;
    cycle(&fields.text("billingCycle")?)?;
    let (id, quantity) = (fields.id("pricingId")?, fields.optional_count("quantity")?.unwrap_or(1));
    let amount = cents(id).saturating_mul(quantity);
    Ok((LinePrice { pricing_id: IdText(id), quantity, unit_price: money(cents(id)), amount: money(amount) }, amount))
}

/// `plan_info` and `add_on_info`: what a renewal of one plan or service costs.
pub(super) fn renewal_info(id: &str, query: Query<'_>) -> Outcome {
    let id: PortalId = id.parse().map_err(|problem| Refusal::validation(format!("{id}: {problem}")))?;
    query.required_id("productId")?;
    query.required("productNo")?;
    result(&LinePrice { pricing_id: IdText(id), quantity: 1, unit_price: money(cents(id)), amount: money(cents(id)) })
}

fn cycle(word: &str) -> Result<String, Refusal> {
    if ["annually", "monthly"].contains(&word) {
        Ok(word.to_owned())
    } else {
        Err(Refusal::validation(format!("billingCycle {word} is not known")))
    }
}

/// The price of one unit, by its pricing id.
fn cents(id: PortalId) -> u64 {
    1_000 + mix(0, Stream::Price, fold(id)) % 9_000
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
