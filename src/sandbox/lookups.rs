//! The look-ups before an order (portal-api.md section 3): partners, billing contacts, products, services.

use serde::Serialize;

use super::catalogue::{Catalogue, Company, Item, Offer};
use super::list::Rows;
use super::message::{Outcome, Refusal, result};
use super::route::Query;
use super::settings::ResultShape;
use super::shown::IdText;

/// `partner_list`
pub(super) fn partners(catalogue: &Catalogue, shape: ResultShape) -> Outcome {
    shaped(catalogue.partners.iter().map(PartnerRow::of).collect(), shape)
}

/// `billing_contact_list`
pub(super) fn contacts(catalogue: &Catalogue, shape: ResultShape) -> Outcome {
    shaped(catalogue.contacts.iter().map(ContactRow::of).collect(), shape)
}

/// `product_list`
pub(super) fn products(catalogue: &Catalogue, shape: ResultShape) -> Outcome {
    shaped(catalogue.products.iter().map(ProductRow::of).collect(), shape)
}

/// `purchase_product_info`
pub(super) fn services(catalogue: &Catalogue, query: Query<'_>) -> Outcome {
    let offer = offer(catalogue, query)?;
    let needs_serial = ["9", "11"].contains(&offer.id.to_string().as_str());
    if needs_serial {
        query.required("productNo")?;
    }
    result(&ProductInfo {
        offering_id: IdText(offer.offering_id()),
        product_id: IdText(offer.id),
        name: &offer.name,
        plans: offer.plans.iter().map(PlanRow::of).collect(),
        services: offer.services.iter().map(ServiceRow::of).collect(),
    })
}

/// The product that `productId` of a query names.
pub(super) fn offer<'a>(catalogue: &'a Catalogue, query: Query<'_>) -> Result<&'a Offer, Refusal> {
    let id = query.required_id("productId")?;
    catalogue.product(id).ok_or_else(|| Refusal::validation(format!("productId {id} is not known")))
}

/// A list that is not paged, in the shape the settings ask for: all of it on one page.
fn shaped<T: Serialize>(rows: Vec<T>, shape: ResultShape) -> Outcome {
    match shape {
        ResultShape::BareArray => result(&rows),
        ResultShape::PageObject => {
            let total = rows.len();
            let size = u32::try_from(total.max(1)).unwrap_or(u32::MAX);
            result(&Rows::of(rows, total, 1, size))
        }
    }
}

/// What is the same for every invented company.
const CITY: &str = "Exampleton";
const COUNTRY: &str = "Germany";
const PHONE: &str = "+1 555 0100";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartnerRow<'a> {
    partner_id: IdText,
    company: &'a str,
    email: String,
    first_name: &'a str,
    last_name: &'a str,
    country: &'a str,
    state_province: &'a str,
    city: &'a str,
    street: &'a str,
    zip_code: &'a str,
    phone_number: &'a str,
    tax_num: &'a str,
    user_type: &'a str,
    remark: &'a str,
}

impl<'a> PartnerRow<'a> {
    fn of(company: &'a Company) -> Self {
        Self {
            partner_id: IdText(company.id),
            company: &company.company,
            email: email(company),
            first_name: "Sandbox",
            last_name: "Partner",
            country: COUNTRY,
            state_province: "",
            city: CITY,
            street: "1 Invented Street",
            zip_code: "00000",
            phone_number: PHONE,
            tax_num: "",
            user_type: "partner",
            remark: "invented by the sandbox",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactRow<'a> {
    billing_contact_id: IdText,
    company: &'a str,
    email_address: String,
    first_name: &'a str,
    last_name: &'a str,
    country: &'a str,
    city: &'a str,
    street: &'a str,
    zip_code: &'a str,
    state_province: &'a str,
    phone_number: &'a str,
    tax_num: &'a str,
    remark: &'a str,
}

impl<'a> ContactRow<'a> {
    fn of(company: &'a Company) -> Self {
        Self {
            billing_contact_id: IdText(company.id),
            company: &company.company,
            email_address: email(company),
            first_name: "Sandbox",
            last_name: "Accounts",
            country: COUNTRY,
            city: CITY,
            street: "2 Invented Street",
            zip_code: "00000",
            state_province: "",
            phone_number: PHONE,
            tax_num: "",
            remark: "invented by the sandbox",
        }
    }
}

fn email(company: &Company) -> String {
    format!("office@{}.example", company.slug)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductRow<'a> {
    name: &'a str,
    product_id: IdText,
    offering_id: IdText,
}

impl<'a> ProductRow<'a> {
    fn of(offer: &'a Offer) -> Self {
        Self { name: &offer.name, product_id: IdText(offer.id), offering_id: IdText(offer.offering_id()) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductInfo<'a> {
    offering_id: IdText,
    product_id: IdText,
    name: &'a str,
    plans: Vec<PlanRow<'a>>,
    services: Vec<ServiceRow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanRow<'a> {
    plan_id: IdText,
    plan_name: &'a str,
    pricing_plan_id: IdText,
}

impl<'a> PlanRow<'a> {
    fn of(item: &'a Item) -> Self {
        Self { plan_id: IdText(item.id), plan_name: &item.name, pricing_plan_id: IdText(item.pricing_id()) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceRow<'a> {
    service_id: IdText,
    service_name: &'a str,
    pricing_service_id: IdText,
}

impl<'a> ServiceRow<'a> {
    fn of(item: &'a Item) -> Self {
        Self { service_id: IdText(item.id), service_name: &item.name, pricing_service_id: IdText(item.pricing_id()) }
    }
}
