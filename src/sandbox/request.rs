//! The body of `save`: its fields and their JSON types (portal-api.md section 4).
//!
//! Owns reading and writing it. Which values a product wants is the business of `rules.rs`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::message::Refusal;
use crate::ids::PortalId;

/// One element of `serviceList`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestLine {
    /// `service` or `plan`.
    pub service_type: String,
    /// The id of the service or of the plan.
    pub service_id: PortalId,
    /// `renew` in a renewal.
    pub purchase_type: String,
    /// Connections, extensions, domain names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// `recurring`
    pub billing_model: String,
    /// `annually` or `monthly`.
    pub billing_cycle: String,
    /// 0, or a number of years.
    pub multi_cycle: u64,
    /// The plan that a service line belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_plan_id: Option<PortalId>,
}

/// An order as somebody asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRequest {
    /// `renew_service`, `renew_plan`; of other people also other forms.
    pub operation_type: String,
    /// What is renewed.
    pub product_id: PortalId,
    /// The serial number of an existing PBX.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_no: Option<String>,
    /// The subordinate user, if it is not for the reseller itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<PortalId>,
    /// The user to whom the product is assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assign_id: Option<String>,
    /// The billing contact.
    pub billing_id: PortalId,
    /// The purchase order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub po_number: Option<String>,
    /// The lines.
    pub service_list: Vec<RequestLine>,
}

const ORDER_KEYS: [&str; 8] =
    ["operationType", "productId", "productNo", "partnerId", "assignId", "billingId", "poNumber", "serviceList"];
const LINE_KEYS: [&str; 8] =
    ["serviceType", "serviceId", "purchaseType", "quantity", "billingModel", "billingCycle", "multiCycle", "connectionPlanId"];

impl OrderRequest {
    /// Reads a body: required fields are there, JSON types are right, ids are numbers. Stricter than the portal may be in
    /// that an unknown key is refused, so that a misspelt one is found here.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_slice(body).map_err(|e| Refusal::validation(format!("the body is no JSON: {e}")))?;
        let fields = Fields::of(&value, "", &ORDER_KEYS)?;
        Ok(Self {
            operation_type: fields.text("operationType")?,
            product_id: fields.id("productId")?,
            product_no: fields.optional_text("productNo")?,
            partner_id: fields.optional_id("partnerId")?,
            assign_id: fields.optional_text("assignId")?,
            billing_id: fields.id("billingId")?,
            po_number: fields.optional_text("poNumber")?,
            service_list: parse_lines(fields.list("serviceList")?)?,
        })
    }

    /// The tutorial's order: RM Premium, one service line, a year.
    pub fn rm_premium(partner: Option<PortalId>, service: PortalId, billing: PortalId, quantity: u64) -> Self {
        let line = RequestLine {
            service_type: "service".into(),
            service_id: service,
            purchase_type: "renew".into(),
            quantity: Some(quantity),
            billing_model: "recurring".into(),
            billing_cycle: "annually".into(),
            multi_cycle: 0,
            connection_plan_id: None,
        };
        Self {
            operation_type: "renew_service".into(),
            product_id: PortalId::known(21),
            product_no: None,
            partner_id: partner,
            assign_id: None,
            billing_id: billing,
            po_number: None,
            service_list: vec![line],
        }
    }

    /// The same as a body. Empty only if JSON could not hold it, which no value of these types can cause.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn parse_lines(list: &[Value]) -> Result<Vec<RequestLine>, Refusal> {
    if list.is_empty() {
        return Err(Refusal::validation("serviceList must not be empty"));
    }
    list.iter().enumerate().map(|(at, value)| parse_line(value, &format!("serviceList[{at}]."))).collect()
}

fn parse_line(value: &Value, place: &str) -> Result<RequestLine, Refusal> {
    let fields = Fields::of(value, place, &LINE_KEYS)?;
    Ok(RequestLine {
        service_type: fields.text("serviceType")?,
        service_id: fields.id("serviceId")?,
        purchase_type: fields.text("purchaseType")?,
        quantity: fields.optional_count("quantity")?,
        billing_model: fields.text("billingModel")?,
        billing_cycle: fields.text("billingCycle")?,
        multi_cycle: fields.count("multiCycle")?,
        connection_plan_id: fields.optional_id("connectionPlanId")?,
    })
}

/// The fields of one JSON object, read strictly.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    /// `place` stands before field names in messages; `known` are the keys that may occur.
    pub(super) fn of(value: &'a Value, place: &'a str, known: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(map) = value else {
            return Err(Refusal::validation(format!("{place}: a JSON object is expected")));
        };
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Refusal::validation(format!("{place}{key} is not known"))),
            None => Ok(Self { map, place }),
        }
    }

    fn wrong(&self, name: &str, expected: &str) -> Refusal {
        Refusal::validation(format!("{}{name} must be {expected}", self.place))
    }

    fn required<T>(&self, name: &str, found: Option<T>) -> Result<T, Refusal> {
        found.ok_or_else(|| Refusal::validation(format!("{}{name} is required", self.place)))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "a JSON string that is not empty")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Refusal> {
        self.required(name, self.optional_text(name)?)
    }

    /// An id: a JSON number of digits only. A string is refused, as requests carry numbers (section 1).
    pub(super) fn optional_id(&self, name: &str) -> Result<Option<PortalId>, Refusal> {
        let wrong = || self.wrong(name, "an id as a JSON number of at most 20 digits");
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_str().parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn id(&self, name: &str) -> Result<PortalId, Refusal> {
        self.required(name, self.optional_id(name)?)
    }

    pub(super) fn optional_count(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let wrong = || self.wrong(name, "a whole JSON number from 0");
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_str().parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    fn count(&self, name: &str) -> Result<u64, Refusal> {
        self.required(name, self.optional_count(name)?)
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        match self.required(name, self.map.get(name))? {
            Value::Array(list) => Ok(list),
            _ => Err(self.wrong(name, "a JSON array")),
        }
    }
}
