//! What can be ordered of a product: `purchase_product_info` (portal-api.md section 3).
//!
//! Its inner names are not known beyond the ids, so the whole answer is searched. Keeps the two kinds of id apart: what an order takes, and
//! what the price calls take.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::field::text;
use crate::renewal::order::LineKind;

/// Where a plan or service may have its name.
const NAMES: [&str; 4] = ["name", "planName", "serviceName", "title"];

/// The plans and services of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductInfo {
    /// `offeringId`, the first one found.
    pub offering_id: Option<String>,
    /// Every plan and service, in the order of the answer.
    pub items: Vec<Orderable>,
}

/// A plan or a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orderable {
    /// Which of the two.
    pub kind: LineKind,
    /// `planId` or `serviceId`: what an order takes as `service_id`.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The `planId` beside a `serviceId`: the plan it belongs to.
    pub plan_id: Option<String>,
    /// `pricingPlanId` or `pricingServiceId`: never what an order takes.
    pub pricing_id: Option<String>,
}

impl ProductInfo {
    /// Searches `result`; `None` if it is neither an object nor a list.
    pub(in super::super) fn read(result: &RawValue) -> Option<Self> {
        let value: Value = serde_json::from_str(result.get()).ok()?;
        if !(value.is_object() || value.is_array()) {
            return None;
        }
        let mut info = Self { offering_id: None, items: Vec::new() };
        info.search(&value);
        Some(info)
    }

    fn search(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.search(item)),
            Value::Object(object) => {
                self.offering_id = self.offering_id.take().or_else(|| text(object, "offeringId"));
                self.items.extend(orderable(object).filter(|item| !self.items.contains(item)));
                object.values().for_each(|value| self.search(value));
            }
            _ => {}
        }
    }
}

/// An object with both ids is a service; its `planId` says where it belongs.
fn orderable(object: &Map<String, Value>) -> Option<Orderable> {
    let plan_id = text(object, "planId");
    let name = NAMES.iter().find_map(|name| text(object, name));
    match (text(object, "serviceId"), plan_id) {
        (Some(id), plan_id) => {
            Some(Orderable { kind: LineKind::Service, id, name, plan_id, pricing_id: text(object, "pricingServiceId") })
        }
        (None, Some(id)) => {
            Some(Orderable { kind: LineKind::Plan, id, name, plan_id: None, pricing_id: text(object, "pricingPlanId") })
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_and_services_are_found_at_any_depth_and_their_two_ids_stay_apart() {
        let json = r#"{"offeringId":"5","unknown":[{"plans":[{"planId":11,"planName":"Ultimate","pricingPlanId":"91",
            "services":[{"planId":11,"serviceId":3375819276601303040,"name":"RM","pricingServiceId":"92"}]}]},
            {"serviceId":3375819276601303040,"planId":11,"name":"RM","pricingServiceId":"92"},{"pricingServiceId":"93"}]}"#;
        let info = ProductInfo::read(serde_json::from_str(json).unwrap()).unwrap();
        let some = |text: &str| Some(text.to_owned());
        let plan = Orderable {
            kind: LineKind::Plan,
            id: "11".to_owned(),
            name: some("Ultimate"),
            plan_id: None,
            pricing_id: some("91"),
        };
        let service = Orderable {
            kind: LineKind::Service,
            id: "3375819276601303040".to_owned(),
            name: some("RM"),
            plan_id: some("11"),
            pricing_id: some("92"),
        };
        assert_eq!(info, ProductInfo { offering_id: some("5"), items: vec![plan, service] });
    }

    #[test]
    fn an_answer_that_is_no_list_is_not_an_empty_one() {
        assert_eq!(ProductInfo::read(serde_json::from_str("7").unwrap()), None);
        assert_eq!(ProductInfo::read(serde_json::from_str("[]").unwrap()).unwrap().items, []);
    }
}
