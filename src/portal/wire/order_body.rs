//! The body of an order (portal-api.md section 4).
//!
//! Owns its field names and their order, which is always the same: the bytes are hashed and approved (R10, R14).

use bytes::Bytes;
use serde::Serialize;

use crate::ids::PortalId;
use crate::renewal::order::{BillingCycle, Line, LineKind, Order};
use crate::renewal::subscription::Party;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    operation_type: &'static str,
    product_id: PortalId,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_id: Option<PortalId>,
    billing_id: PortalId,
    po_number: &'a str,
    service_list: Vec<BodyLine>,
}

/// `purchaseType` and `billingModel` have one value each: no renewal sends another.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyLine {
    service_type: &'static str,
    service_id: PortalId,
    purchase_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    billing_model: &'static str,
    billing_cycle: &'static str,
    multi_cycle: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_plan_id: Option<PortalId>,
}

/// The JSON of `order` with its `poNumber`: the same bytes for the same order, always.
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the message proves that it does not")]
pub fn order_body(order: &Order, po_number: &str) -> Bytes {
    let body = Body {
        operation_type: order.operation.word(),
        product_id: order.product_id,
        product_no: order.serial.as_deref(),
        partner_id: match order.party {
            Party::Own => None,
            Party::Partner(id) => Some(id),
        },
        billing_id: order.billing_id,
        po_number,
        service_list: order.lines.iter().map(line).collect(),
    };
    serde_json::to_vec(&body).expect("structs of strings and whole numbers, written to memory, always serialise").into()
}

fn line(line: &Line) -> BodyLine {
    BodyLine {
        service_type: match line.kind {
            LineKind::Service => "service",
            LineKind::Plan => "plan",
        },
        service_id: line.id,
        purchase_type: "renew",
        quantity: line.quantity,
        billing_model: "recurring",
        billing_cycle: match line.billing_cycle {
            BillingCycle::Annually => "annually",
            BillingCycle::Monthly => "monthly",
        },
        multi_cycle: line.multi_cycle,
        connection_plan_id: line.connection_plan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::renewal::product::Operation;
    use serde_json::Value;

    /// The tutorial's own request, to the letter (portal-api.md section 4).
    const TUTORIAL: &str = r#"{"operationType":"renew_service","productId":21,"billingId":3197218168379846218,
        "serviceList":[{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":10,
                        "billingModel":"recurring","billingCycle":"annually","multiCycle":0}]}"#;

    fn tutorial() -> Order {
        Order {
            operation: Operation::RenewService,
            product_id: PortalId::known(21),
            serial: None,
            party: Party::Own,
            billing_id: PortalId::known(3_197_218_168_379_846_218),
            lines: vec![Line {
                kind: LineKind::Service,
                id: PortalId::known(3_375_819_276_601_303_040),
                quantity: Some(10),
                billing_cycle: BillingCycle::Annually,
                multi_cycle: 0,
                connection_plan: None,
            }],
        }
    }

    fn text(order: &Order) -> String {
        String::from_utf8(order_body(order, "RN-1").to_vec()).unwrap()
    }

    #[test]
    fn the_tutorials_order_is_the_tutorials_json_and_a_po_number() {
        let mut sent: Value = serde_json::from_str(&text(&tutorial())).unwrap();
        assert_eq!(sent.as_object_mut().unwrap().remove("poNumber"), Some("RN-1".into()));
        assert_eq!(sent, serde_json::from_str::<Value>(TUTORIAL).unwrap());
    }

    #[test]
    fn the_same_order_is_the_same_bytes_in_a_fixed_order() {
        let expected = concat!(
            r#"{"operationType":"renew_service","productId":21,"billingId":3197218168379846218,"poNumber":"RN-1","#,
            r#""serviceList":[{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":10,"#,
            r#""billingModel":"recurring","billingCycle":"annually","multiCycle":0}]}"#
        );
        assert_eq!(text(&tutorial()), expected);
    }

    #[test]
    fn a_plan_with_its_service_for_a_partner_says_so() {
        let mut order = tutorial();
        let plan: PortalId = "99999999999999999999".parse().unwrap();
        order.operation = Operation::RenewPlan;
        order.serial = Some("3631\"A".to_owned());
        order.party = Party::Partner("3076915454489739264".parse().unwrap());
        order.lines[0].connection_plan = Some(plan);
        order.lines[0].quantity = None;
        let line = Line {
            kind: LineKind::Plan,
            id: plan,
            billing_cycle: BillingCycle::Monthly,
            connection_plan: None,
            ..order.lines[0].clone()
        };
        order.lines.insert(0, line);
        let expected = concat!(
            r#"{"operationType":"renew_plan","productId":21,"productNo":"3631\"A","partnerId":3076915454489739264,"#,
            r#""billingId":3197218168379846218,"poNumber":"RN-1","serviceList":["#,
            r#"{"serviceType":"plan","serviceId":99999999999999999999,"purchaseType":"renew","billingModel":"recurring","#,
            r#""billingCycle":"monthly","multiCycle":0},"#,
            r#"{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","billingModel":"recurring","#,
            r#""billingCycle":"annually","multiCycle":0,"connectionPlanId":99999999999999999999}]}"#
        );
        assert_eq!(text(&order), expected);
    }
}
