//! What the sandbox promises; each file holds one part of it.

mod faults;
mod file;
mod http;
mod list;
mod orders;
mod shapes;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::clock::ManualClock;
use crate::ids::PortalId;

const SAVE: &str = "/order/openapi/order/v1/save";
const TOKEN: &str = "/auth/openapi/v1/oauth/token";
const PAGE: &str = "/order/openapi/order/v1/page";
const FORM: &str = "client_id=sandbox&client_secret=sandbox&grant_type=pp_credentials";
/// The tutorial's request (portal-api.md section 4), byte for byte.
const TUTORIAL: &str = r#"{"operationType":"renew_service","productId":21,"billingId":3197218168379846218,
 "serviceList":[{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":10,
                 "billingModel":"recurring","billingCycle":"annually","multiCycle":0}]}"#;

fn start() -> Timestamp {
    "2027-02-15T09:00:00Z".parse().unwrap()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Settings for tests that wait longer than a token lives.
fn patient() -> Settings {
    let tokens = settings::TokenSettings { access_life: seconds(24 * 3600), ..settings::TokenSettings::default() };
    Settings { tokens, ..Settings::default() }
}

fn request() -> OrderRequest {
    OrderRequest::parse(TUTORIAL.as_bytes()).unwrap()
}

fn numbered(po_number: &str) -> String {
    OrderRequest { po_number: Some(po_number.into()), ..request() }.to_json()
}

/// A portal with a caller that has a token, and a clock that the test sets.
struct Caller {
    portal: Sandbox,
    clock: ManualClock,
    authorization: String,
}

impl Caller {
    fn new(settings: Settings) -> Self {
        let clock = ManualClock::at(start());
        Self::of(Sandbox::new(Arc::new(clock.clone()), settings), clock)
    }

    fn of(portal: Sandbox, clock: ManualClock) -> Self {
        let mut caller = Self { portal, clock, authorization: String::new() };
        caller.log_in(FORM);
        caller
    }

    fn log_in(&mut self, form: &str) -> Value {
        let answer = parse(&self.token(form));
        self.authorization = format!("Bearer {}", answer["result"]["token"].as_str().unwrap_or_default());
        answer
    }

    fn token(&self, form: &str) -> Verdict {
        self.send("POST", TOKEN, Some("application/x-www-form-urlencoded"), form)
    }

    fn send(&self, method: &str, path: &str, content_type: Option<&str>, body: &str) -> Verdict {
        self.portal.handle(&Incoming {
            method,
            path_and_query: path,
            user_agent: Some("OpenAPI"),
            authorization: Some(&self.authorization),
            content_type,
            body: body.as_bytes(),
        })
    }

    fn save(&self, body: &str) -> Verdict {
        self.send("POST", SAVE, Some("application/json"), body)
    }

    fn get(&self, path: &str) -> Verdict {
        self.send("GET", path, None, "")
    }

    /// The `result` of a call that succeeds.
    fn result(&self, path: &str) -> Value {
        let verdict = self.get(path);
        let value = parse(&verdict);
        assert_eq!((verdict.answer.status, value["code"].as_str()), (200, Some("success")), "{value}");
        value["result"].clone()
    }

    /// The order numbers on one page of the list.
    fn listed(&self, query: &str) -> Vec<String> {
        let rows = self.result(&format!("{PAGE}?{query}"))["results"].as_array().unwrap().clone();
        rows.iter().map(|row| row["orderNo"].as_str().unwrap().to_owned()).collect()
    }

    fn fault(&self, text: &str) {
        self.portal.switch_on(super::faults::parse(text).unwrap());
    }

    fn wait(&self, span: Duration) {
        self.clock.set(self.clock.now().checked_add(span).unwrap());
    }
}

fn parse(verdict: &Verdict) -> Value {
    serde_json::from_slice(&verdict.answer.body).unwrap()
}

/// `code` of an envelope.
fn code(verdict: &Verdict) -> String {
    parse(verdict)["code"].as_str().unwrap().to_owned()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn order_no(verdict: &Verdict) -> String {
    parse(verdict)["result"]["orderNo"].as_str().unwrap().to_owned()
}
