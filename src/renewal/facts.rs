//! What a portal order shows about itself (portal-api.md section 5: most inner names are unknown).
//!
//! Owns reading facts out of raw JSON, leniently. Never concludes: a field counts as evidence only once it was learned (R18, R22).

use serde_json::{Map, Value};

/// What could be drawn out of one order's row and details.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Its `productId`, if one is shown.
    pub product: Option<String>,
    /// Its `partnerId`, if one is shown.
    pub partner: Option<String>,
    /// Its serial number (`productNo`), if one is shown.
    pub serial: Option<String>,
    /// Every `serviceId` and `planId` shown.
    pub items: Vec<String>,
    /// Its `transactionNo`, if one is shown.
    pub transaction: Option<String>,
    /// Every `operationType` shown.
    pub operations: Vec<String>,
    /// The first `quantity` of a line, if one is shown.
    pub quantity: Option<u64>,
    /// For how many months its lines are, as far as they show (portal-api.md section 8).
    pub months: Vec<u64>,
    /// `serviceId` or `planId` and quantity of each line that shows both.
    pub lines: Vec<(String, u64)>,
}

impl Facts {
    /// Draws out what `row` (of the list) and `detail` (of `get`) show; the details count more.
    pub fn of(row: &Value, detail: Option<&Value>) -> Self {
        let mut facts = Self::default();
        for value in detail.into_iter().chain([row]) {
            facts.walk(value);
            if facts.lines.is_empty() {
                facts.lines = lines(value);
            }
        }
        facts
    }

    /// How many of `item` it is for, as far as its lines show.
    pub fn quantity_of(&self, item: &str) -> Option<u64> {
        let ours = self.lines.iter().filter(|(other, _)| other == item).map(|(_, quantity)| *quantity);
        ours.reduce(u64::saturating_add)
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                self.months.extend(months(fields));
                for (key, inner) in fields {
                    self.note(key, inner);
                    self.walk(inner);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.walk(element)),
            _ => {}
        }
    }

    fn note(&mut self, key: &str, value: &Value) {
        let Some(text) = scalar(value) else { return };
        match key {
            "productId" => first(&mut self.product, text),
            "partnerId" => first(&mut self.partner, text),
            "productNo" => first(&mut self.serial, text),
            "transactionNo" => first(&mut self.transaction, text),
            "operationType" => self.operations.push(text),
            "quantity" => self.quantity = self.quantity.or_else(|| text.parse().ok()),
            "serviceId" | "planId" if !self.items.contains(&text) => self.items.push(text),
            _ => {}
        }
    }
}

fn lines(value: &Value) -> Vec<(String, u64)> {
    match value {
        Value::Object(fields) => {
            let item = ["serviceId", "planId"].into_iter().find_map(|key| scalar(fields.get(key)?));
            let quantity = fields.get("quantity").and_then(scalar).and_then(|text| text.parse().ok());
            let inner = fields.values().flat_map(lines);
            item.zip(quantity).into_iter().chain(inner).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(lines).collect(),
        _ => Vec::new(),
    }
}

/// What `billingCycle` and `multiCycle` of a line come to; nothing for a word that is not known here.
fn months(line: &Map<String, Value>) -> Option<u64> {
    let cycles = line.get("multiCycle").and_then(scalar).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    match line.get("billingCycle")?.as_str()? {
        "monthly" if cycles <= 1 => Some(1), // several of them: whether they add up is not known
        "annually" => Some(cycles.max(1).saturating_mul(12)),
        _ => None,
    }
}

fn first(slot: &mut Option<String>, text: String) {
    if slot.is_none() {
        *slot = Some(text);
    }
}

/// `orderStatus`, wherever it stands in the details of an order.
pub fn status(detail: &Value) -> Option<String> {
    match detail {
        Value::Object(fields) => fields.get("orderStatus").and_then(scalar).or_else(|| fields.values().find_map(status)),
        Value::Array(elements) => elements.iter().find_map(status),
        _ => None,
    }
}

/// A string or a number as its exact text; nothing for an empty string.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a `poNumber` in `value` is `wanted`: the order is it, and does not merely mention it.
pub fn carries(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, field)| {
            (key == "poNumber" && field.as_str().is_some_and(|text| text.trim() == wanted)) || carries(field, wanted)
        }),
        Value::Array(elements) => elements.iter().any(|element| carries(element, wanted)),
        _ => false,
    }
}

/// Whether `wanted` stands in any string of `value`: where the portal puts a `poNumber` is unknown.
pub fn mentions(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text.contains(wanted),
        Value::Array(elements) => elements.iter().any(|element| mentions(element, wanted)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_drawn_out_exact_whether_number_or_string() {
        let row: Value = serde_json::from_str(r#"{"orderNo":"U1","productId":"21","partnerId":18446744073709551616}"#).unwrap();
        let detail = json!({"orderSummary": {"lines": [{"serviceId": "9"}, {"planId": 8}, {"serviceId": "9"}]}});
        let facts = Facts::of(&row, Some(&detail));
        assert_eq!(facts.partner.as_deref(), Some("18446744073709551616"));
        assert_eq!((facts.product.as_deref(), facts.items), (Some("21"), vec!["9".to_owned(), "8".to_owned()]));
    }

    #[test]
    fn the_length_of_a_line_is_drawn_out_where_it_is_told() {
        let lines = |lines: Value| Facts::of(&json!({"serviceList": lines}), None).months;
        assert_eq!(
            lines(json!([{"billingCycle": "annually", "multiCycle": 0}, {"billingCycle": "annually", "multiCycle": "3"}])),
            [12, 36]
        );
        assert_eq!(
            lines(
                json!([{"billingCycle": "monthly", "multiCycle": 0}, {"billingCycle": "monthly", "multiCycle": 12}, {"billingCycle": "weekly"}])
            ),
            [1]
        );
    }

    #[test]
    fn a_po_number_is_found_wherever_the_portal_puts_it() {
        assert!(mentions(&json!({"a": [{"remark": "PO: RW-1"}]}), "RW-1"));
        assert!(!mentions(&json!({"RW-1": 1}), "RW-1"));
    }
}
