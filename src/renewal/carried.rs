//! Whether an order of ours was carried out as it was sent: how many, of what, for how long.
//!
//! Owns the comparison, as far as the portal shows the lines of orders (portal-api.md section 5: their inner names are unknown). Never says whose an order is: that
//! is `evidence.rs`.

use super::facts::Facts;

/// What an order shows in place of what was `sent`, in words for people; nothing of what it does not show.
pub fn otherwise(sent: &Facts, shown: &Facts) -> Vec<String> {
    let mut differs = Vec::new();
    if !shown.items.is_empty() && !sent.items.iter().all(|item| shown.items.contains(item)) {
        differs.push(format!("service {} in place of {}", shown.items.join(", "), sent.items.join(", ")));
    }
    for (item, quantity) in &sent.lines {
        if let Some(other) = shown.quantity_of(item).filter(|other| other != quantity) {
            differs.push(format!("x{other} in place of x{quantity}"));
        }
    }
    if let Some(other) = shown.months.iter().find(|months| !sent.months.contains(months)) {
        let months: Vec<String> = sent.months.iter().map(u64::to_string).collect();
        differs.push(format!("for {other} months in place of {}", months.join(", ")));
    }
    differs
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn order(item: &str, quantity: u64, cycle: &str) -> Value {
        json!({"serviceList": [{"serviceId": item, "quantity": quantity, "billingCycle": cycle, "multiCycle": 0}]})
    }

    #[test]
    fn what_is_shown_otherwise_is_named_and_what_is_not_shown_is_no_difference() {
        let sent = Facts::of(&order("5", 10, "annually"), None);
        let against = |shown: &Value| otherwise(&sent, &Facts::of(shown, None)).join("; ");
        assert_eq!(against(&order("5", 10, "annually")), "");
        assert_eq!(against(&json!({"orderNo": "UF1", "orderSummary": [{"serviceName": "RM Premium"}]})), "");
        assert_eq!(against(&order("5", 1, "annually")), "x1 in place of x10");
        assert_eq!(against(&order("5", 10, "monthly")), "for 1 months in place of 12");
        assert_eq!(against(&order("6", 10, "annually")), "service 6 in place of 5");
    }
}
