//! What an answer to an order proves (never-twice R15, R16).
//!
//! Owns the line between "nothing was created" and "nobody knows". A wrong "nothing was created" buys twice, so every proof must be free of
//! contradiction: HTTP status, envelope status, code and result all have to say the same. What is not proven is [`Outcome::Unknown`].

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::outcome::{NotPlaced, Outcome, Placed, Unknown, Why};
use super::super::transport::{Reached, Response, TransportError};
use super::codes::ValidationCodes;
use super::envelope::{Envelope, Status};
use super::field::{text, value_text};
use crate::rules::{Rule, kept};

/// Fields that speak of an order that exists; compared in lower case without `_` and `-`.
const ORDER_FIELDS: [&str; 7] =
    ["orderno", "orderid", "ordernumber", "orderstatus", "transactionno", "transactionid", "instanceid"];
/// Digits after the two letters of an order number in the tutorial's sample.
const ORDER_NUMBER_DIGITS: usize = 12;

/// What is known after an order was handed to the transport: exactly one of placed, certainly not placed, unknown.
pub fn classify_order(answer: Result<&Response, &TransportError>, codes: &ValidationCodes) -> Outcome {
    match answer {
        Ok(response) => answered(response, codes),
        Err(error) => unanswered(error),
    }
}

/// "Not reached" beside a status line contradicts itself.
fn unanswered(error: &TransportError) -> Outcome {
    if error.reached == Reached::No && error.status.is_none() {
        return Outcome::NotPlaced(Box::new(NotPlaced {
            why: Why::NeverSent,
            message: format!("never sent: {error}"),
            code: None,
            http_status: None,
            request_id: None,
            retry_after: None,
            raw: None,
        }));
    }
    Outcome::Unknown(Box::new(Unknown {
        message: error.to_string(),
        code: None,
        http_status: error.status,
        request_id: None,
        retry_after: None,
        raw: None,
    }))
}

fn answered(response: &Response, codes: &ValidationCodes) -> Outcome {
    let envelope = Envelope::read(&response.body);
    let success = envelope.as_ref().and_then(|envelope| envelope.success(response.status));
    if let Some(placed) = success.and_then(placed) {
        let request_id = envelope.as_ref().and_then(Envelope::request_id);
        return Outcome::Placed(Box::new(Placed { request_id, raw: raw(response), ..placed }));
    }
    match proven_refusal(response, envelope.as_ref(), codes) {
        Some(why) => not_placed(why, response, envelope.as_ref()),
        None => unknown(response, envelope.as_ref()),
    }
}

/// The fields of an accepted order; without an order number it proves nothing (R16).
fn placed(result: &RawValue) -> Option<Placed> {
    let object: Map<String, Value> = serde_json::from_str(result.get()).ok()?;
    Some(Placed {
        order_no: text(&object, "orderNo")?,
        transaction_no: text(&object, "transactionNo"),
        order_id: text(&object, "orderId"),
        instance_id: text(&object, "instanceId"),
        order_status: text(&object, "orderStatus"),
        product_no: text(&object, "productNo"),
        ..Placed::default()
    })
}

/// Why this answer proves that nothing was created, if it does.
fn proven_refusal(response: &Response, envelope: Option<&Envelope>, codes: &ValidationCodes) -> Option<Why> {
    let contradicts = match serde_json::from_slice(&response.body) {
        Ok(body) => speaks_of_success(&body) || speaks_of_an_order(&body),
        Err(_) => envelope.is_some(), // nested too deeply to be searched
    };
    if contradicts {
        return None;
    }
    match (response.status, envelope) {
        // The gate said no, whatever its page looks like.
        (401, None) => Some(Why::Unauthorized),
        (429, None) => Some(Why::TooManyRequests),
        (401, Some(envelope)) if agrees(envelope) => Some(Why::Unauthorized),
        (429, Some(envelope)) if agrees(envelope) => Some(Why::TooManyRequests),
        (http, Some(envelope)) if (http == 200 || refuses(http)) && agrees(envelope) && is_empty(envelope.result) => {
            by_envelope(envelope, codes)
        }
        _ => None,
    }
}

/// The proofs that rest on the envelope alone.
fn by_envelope(envelope: &Envelope, codes: &ValidationCodes) -> Option<Why> {
    match envelope.status() {
        Status::Said(401) => Some(Why::Unauthorized),
        Status::Said(429) => Some(Why::TooManyRequests),
        Status::Said(_) | Status::Absent if codes.contains(&envelope.code) || !kept(Rule::R15) => Some(Why::Refused),
        _ => None,
    }
}

/// An envelope whose status, where it has one, refuses too. One that cannot be read says nothing either way.
fn agrees(envelope: &Envelope) -> bool {
    match envelope.status() {
        Status::Absent | Status::Unreadable => true,
        Status::Said(status) => refuses(status),
    }
}

/// A client error; but not one that says the request is still at work, was cut off, or met an earlier one of its kind.
fn refuses(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 409 | 423 | 425 | 499)
}

/// A refusal brings nothing along.
fn is_empty(result: Option<&RawValue>) -> bool {
    result.is_none_or(|raw| match serde_json::from_str(raw.get()) {
        Ok(Value::Null) => true,
        Ok(Value::String(text)) => text.is_empty(),
        Ok(Value::Array(items)) => items.is_empty(),
        Ok(Value::Object(fields)) => fields.is_empty(),
        _ => false,
    })
}

/// Also in an answer that is no proper envelope.
fn speaks_of_success(body: &Value) -> bool {
    body.get("code").is_some_and(|code| code == "success")
}

/// "Balance too low for order UF34…": whatever the code says, an order may stand there.
fn speaks_of_an_order(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| is_order_field(key, value) || speaks_of_an_order(value)),
        Value::Array(items) => items.iter().any(speaks_of_an_order),
        Value::String(text) => holds_order_number(text),
        _ => false,
    }
}

fn is_order_field(key: &str, value: &Value) -> bool {
    let key: String = key.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    ORDER_FIELDS.contains(&key.as_str()) && (value_text(value).is_some() || value.is_object() || value.is_array())
}

/// A word of two capital letters and many digits, as in the tutorial's `UF3400820771565023232`.
fn holds_order_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        word.len() - digits.len() == 2 && digits.len() >= ORDER_NUMBER_DIGITS && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

fn not_placed(why: Why, response: &Response, envelope: Option<&Envelope>) -> Outcome {
    let Unknown { message, code, http_status, request_id, retry_after, raw } = facts(response, envelope);
    Outcome::NotPlaced(Box::new(NotPlaced { why, message, code, http_status, request_id, retry_after, raw }))
}

fn unknown(response: &Response, envelope: Option<&Envelope>) -> Outcome {
    Outcome::Unknown(Box::new(facts(response, envelope)))
}

/// What an answer says, whatever it proves.
fn facts(response: &Response, envelope: Option<&Envelope>) -> Unknown {
    let message = match envelope {
        Some(envelope) if envelope.says_success() => format!("HTTP {}: a success that does not add up", response.status),
        Some(envelope) => format!("HTTP {}: {}", response.status, envelope.message()),
        None => format!("HTTP {}: not the documented JSON", response.status),
    };
    Unknown {
        message,
        code: envelope.map(|envelope| envelope.code.clone()),
        http_status: Some(response.status),
        request_id: envelope.and_then(Envelope::request_id),
        retry_after: response.retry_after,
        raw: Some(raw(response)),
    }
}

fn raw(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[cfg(test)]
mod tests;
