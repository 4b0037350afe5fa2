//! One order in full: what comes back of what was sent (section 5 of the vendor's guide; R18, R22).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Findings, Portal, Verdict};
use crate::config::Config;
use crate::portal::wire::OrderRow as Row;
use crate::renewal::evidence::Listed;
use crate::renewal::facts::Facts;
use crate::renewal::learned::{Echo, Field, lessons};
use crate::store::reports::OrderRow;

/// So many orders are read in full.
const MOST_READ: usize = 5;

/// An order read in full.
struct Full {
    row: Value,
    detail: Value,
}

pub(super) async fn ask(portal: &Portal, config: &Config, ours: &[OrderRow], newest: &[Row], findings: &mut Findings) {
    let Some(first) = newest.first() else { return };
    let mut read = Vec::new();
    for row in newest.iter().take(MOST_READ) {
        if let Some(detail) = detail(portal, row.order_no.as_deref().or(row.id.as_deref())).await {
            read.push(Full { row: serde_json::from_str(&row.raw).unwrap_or(Value::Null), detail });
        }
    }
    both_names(portal, first, findings).await;
    one_partner_for_all(portal, &read, findings).await;
    let known = ours.iter().find_map(|order| {
        let entry = config.entries.iter().find(|entry| entry.name == order.renewal)?;
        Some((order, &entry.identity))
    });
    let Some((order, identity)) = known else { return shown(&read, findings) };
    let Some(detail) = detail(portal, order.order_no.as_deref()).await else {
        let what = order.order_no.clone().unwrap_or_default();
        return findings.add(Verdict::Bad, "our newest order can be read", format!("{what} cannot"), "look for it in the portal");
    };
    let row = newest.iter().find(|row| row.order_no == order.order_no).map_or("null", |row| &row.raw);
    let full = Full { row: serde_json::from_str(row).unwrap_or(Value::Null), detail };
    for (field, echo) in lessons(identity, &full.listed(&order.po_number), &order.po_number) {
        echoed(field, echo, findings);
    }
    quantity(&full, order, findings);
}

async fn detail(portal: &Portal, name: Option<&str>) -> Option<Value> {
    Some(portal.order(name?).await.ok()?.value.value)
}

impl Full {
    fn facts(&self) -> Facts {
        Facts::of(&self.row, Some(&self.detail))
    }

    fn listed(&self, po_number: &str) -> Listed {
        let mentions = self.row.to_string().contains(po_number) || self.detail.to_string().contains(po_number);
        Listed {
            order_no: None,
            facts: self.facts(),
            mentions_ours: mentions.then(|| po_number.to_owned()).into_iter().collect(),
            ..Listed::unseen("")
        }
    }
}

/// The guide says that an order is found by its id and by its number.
async fn both_names(portal: &Portal, row: &Row, findings: &mut Findings) {
    const ASSUMED: &str = "an order can be read by its id and by its number";
    let by_id = detail(portal, row.id.as_deref()).await;
    let by_number = detail(portal, row.order_no.as_deref()).await;
    let shows = match (&by_id, &by_number) {
        (Some(id), Some(number)) if id == number => "both give the same",
        (Some(_), Some(_)) => "they give different things",
        (Some(_), None) => "by its id only",
        (None, Some(_)) => "by its number only",
        (None, None) => "by neither",
    };
    let verdict = if by_id.is_none() { Verdict::Bad } else { Verdict::Differs };
    let means = "orders of others cannot be told apart from ours without the details, and hold renewals; please report this";
    findings.either(by_id.is_some() && by_id == by_number, verdict, ASSUMED, shows, means);
}

/// A portal that shows one's own id on every order would make every order look like somebody else's.
async fn one_partner_for_all(portal: &Portal, read: &[Full], findings: &mut Findings) {
    const ASSUMED: &str = "partnerId of an order is the customer's";
    let rows = read.iter().map(|full| Facts::of(&full.row, None).partner);
    let details = read.iter().map(|full| Facts::of(&full.detail, None).partner);
    let ids: BTreeSet<String> = rows.chain(details).flatten().collect();
    let Some(list) = portal.partners().await.ok().map(|list| list.value.rows) else { return };
    let strange: Vec<String> =
        ids.iter().filter(|id| !list.iter().any(|partner| partner.partner_id.as_ref() == Some(*id))).cloned().collect();
    if ids.is_empty() {
        return findings.add(
            Verdict::NotYet,
            ASSUMED,
            "the newest orders show none",
            "it never explains an order of somebody else",
        );
    }
    let means = "if it is your own id, orders of others may be taken for another customer's before the first order was read back: \
                 look through the order list yourself before you approve the first one";
    let shows = if strange.is_empty() {
        "it is a partner's".to_owned()
    } else {
        format!("{} is no partner of yours", strange.join(", "))
    };
    findings.either(strange.is_empty(), Verdict::Differs, ASSUMED, shows, means);
}

/// Without an order of ours nobody knows what was sent: only what there is.
fn shown(read: &[Full], findings: &mut Findings) {
    let mut fields = BTreeSet::new();
    for full in read {
        names(&full.detail, &mut fields);
    }
    let wanted = ["poNumber", "productId", "partnerId", "productNo", "serviceId", "planId", "quantity", "operationType"];
    let there: Vec<&str> = wanted.into_iter().filter(|name| fields.contains(*name)).collect();
    let shows = if there.is_empty() {
        "the details of the newest orders show none of it".to_owned()
    } else {
        format!("the details of the newest orders show {}", there.join(", "))
    };
    findings.add(
        Verdict::NotYet,
        "what was sent comes back in the details",
        shows,
        "the first order of renewd goes alone and is read back; ask again then",
    );
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if !inner.is_null() {
                    found.insert(name.clone());
                }
                names(inner, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| names(element, found)),
        _ => {}
    }
}

fn echoed(field: Field, echo: Echo, findings: &mut Findings) {
    let (name, absent, misleading) = match field {
        Field::PoNumber => (
            "poNumber",
            "an order of unknown fate is recognised by its content, or by a person",
            "an order of unknown fate is recognised by a person",
        ),
        Field::Product => ("productId", "it never explains an order of somebody else", "it is not trusted"),
        Field::Partner => ("partnerId", "it never explains an order of somebody else", "it is not trusted"),
        Field::Serial => ("productNo", "it never explains an order of somebody else", "it is not trusted"),
        Field::Item => ("serviceId or planId", "no order is recognised by its content", "no order is recognised by its content"),
    };
    let assumed = format!("{name} of our order comes back as it was sent");
    match echo {
        Echo::Echoed => findings.ok(&assumed, "it does"),
        Echo::Absent => findings.add(Verdict::Differs, &assumed, "it does not come back", absent),
        Echo::Misleading => findings.add(Verdict::Differs, &assumed, "something else comes back", misleading),
    }
}

fn quantity(full: &Full, order: &OrderRow, findings: &mut Findings) {
    const ASSUMED: &str = "quantity of our order comes back as it was sent";
    let mut found = Vec::new();
    quantities(&full.detail, &mut found);
    let total: i64 = found.iter().sum();
    let shows = if found.is_empty() { "none comes back".to_owned() } else { format!("{total}, sent {}", order.quantity) };
    let means = "renewd never goes by it; compare the quantity with the portal's own page once";
    findings.either(total == order.quantity && !found.is_empty(), Verdict::Differs, ASSUMED, shows, means);
}

fn quantities(value: &Value, found: &mut Vec<i64>) {
    match value {
        Value::Object(fields) => {
            if let Some(number) = fields.get("quantity") {
                found.extend(number.to_string().trim_matches('"').parse::<i64>().ok());
            }
            fields.values().for_each(|inner| quantities(inner, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| quantities(element, found)),
        _ => {}
    }
}
