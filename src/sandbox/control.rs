//! The endpoints under `/_sandbox/`: for tests and for people who try renewd out. No part of the vendor's API.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::entry::{LedgerOrder, PlacedBy, SUCCEED};
use super::message::as_text;
use super::request::OrderRequest;
use super::shown::IdText;
use super::{Foreign, Sandbox, faults};

/// Where control endpoints begin.
pub(super) const ROOT: &str = "/_sandbox/";

/// What a control endpoint answers: an HTTP status and JSON.
pub(super) type Reply = (u16, Vec<u8>);

/// One control call.
pub(super) fn control(sandbox: &Sandbox, method: &str, path: &str, body: &[u8]) -> Reply {
    let path = path.split('?').next().unwrap_or(path);
    let done = match (method, path.strip_prefix(ROOT).unwrap_or_default()) {
        ("GET", "orders") => sandbox.with_orders(|orders| json(&orders.iter().map(View::of).collect::<Vec<_>>())),
        ("GET", "calls") => json(&sandbox.calls()),
        ("POST", "faults") => add_faults(sandbox, body),
        ("POST", "orders") => add_order(sandbox, body),
        ("POST", tail) => match tail.strip_prefix("orders/").and_then(|tail| tail.strip_suffix("/status")) {
            Some(order) => set_status(sandbox, order, body),
            None => Err((404, no_such(path))),
        },
        _ => Err((404, no_such(path))),
    };
    match done {
        Ok(body) => (200, body),
        Err((status, problem)) => (status, error(&problem)),
    }
}

type Done = Result<Vec<u8>, (u16, String)>;

fn no_such(path: &str) -> String {
    format!(
        "{path} is no control endpoint; there are GET {ROOT}orders, GET {ROOT}calls, POST {ROOT}faults, POST {ROOT}orders \
         and POST {ROOT}orders/ORDER/status"
    )
}

fn error(problem: &str) -> Vec<u8> {
    serde_json::json!({ "error": problem }).to_string().into_bytes()
}

fn json(value: &impl Serialize) -> Done {
    serde_json::to_vec(value).map_err(|problem| (500, problem.to_string()))
}

fn text(body: &[u8]) -> Result<&str, (u16, String)> {
    std::str::from_utf8(body).map_err(|_| (400, "the body is not UTF-8".into()))
}

/// All of the faults, or, if one of them is not understood, none.
fn add_faults(sandbox: &Sandbox, body: &[u8]) -> Done {
    let orders = faults::parse_all(text(body)?).map_err(|problem| (400, problem.to_string()))?;
    let count = orders.len();
    for order in orders {
        sandbox.switch_on(order);
    }
    json(&serde_json::json!({ "faults": count }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ForeignOrder {
    by: PlacedBy,
    /// A body as `save` takes it.
    request: Box<RawValue>,
    status: Option<String>,
    created_at: Option<Timestamp>,
}

fn add_order(sandbox: &Sandbox, body: &[u8]) -> Done {
    let order: ForeignOrder = serde_json::from_slice(body).map_err(|problem| (400, problem.to_string()))?;
    let request = OrderRequest::parse(order.request.get().as_bytes()).map_err(|refusal| (400, refusal.detail))?;
    let status = order.status.map_or(SUCCEED, Into::into);
    let order = sandbox.add_foreign(Foreign { by: order.by, request, status, created_at: order.created_at });
    json(&View::of(&order))
}

/// The body is the bare word, or `{"status":"cancelled"}`.
fn set_status(sandbox: &Sandbox, order: &str, body: &[u8]) -> Done {
    let text = text(body)?.trim();
    let word = match serde_json::from_str::<Value>(text) {
        Ok(value) => value["status"].as_str().or(value.as_str()).map(str::to_owned),
        Err(_) => Some(text.to_owned()),
    };
    let word = word.filter(|word| !word.is_empty()).ok_or((400, "give a status, such as cancelled".to_owned()))?;
    sandbox.set_status(order, word).map_err(|problem| (404, problem.to_string()))?;
    json(&serde_json::json!({}))
}

/// An order as people and tests see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    #[serde(serialize_with = "as_text")]
    id: u64,
    order_no: &'a str,
    transaction_no: &'a str,
    #[serde(serialize_with = "as_text")]
    instance_id: u64,
    status: &'a str,
    placed_by: PlacedBy,
    created_at: Timestamp,
    listed_from: Timestamp,
    product_id: IdText,
    partner_id: Option<IdText>,
    serial: Option<&'a str>,
    po_number: Option<&'a str>,
    /// The exact body, as JSON in JSON.
    request: Option<&'a RawValue>,
}

impl<'a> View<'a> {
    fn of(order: &'a LedgerOrder) -> Self {
        Self {
            id: order.id,
            order_no: &order.order_no,
            transaction_no: &order.transaction_no,
            instance_id: order.instance_id,
            status: &order.status,
            placed_by: order.placed_by,
            created_at: order.created_at,
            listed_from: order.listed_from,
            product_id: IdText(order.request.product_id),
            partner_id: order.request.partner_id.map(IdText),
            serial: order.request.product_no.as_deref(),
            po_number: order.request.po_number.as_deref(),
            request: serde_json::from_str(&order.body).ok(),
        }
    }
}
