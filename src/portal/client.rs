//! The portal as the daemon sees it: one call to place an order, and the reads.
//!
//! Owns the paths and when a token is used. Never decides what is ordered, never sends an order a second time: [`PortalClient::place`]
//! consumes the proof that its intent is on the disk.

mod probe;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use url::form_urlencoded;

pub use self::probe::Seen;
use super::credentials::{Credentials, Source};
use super::outcome::{NotPlaced, Outcome, Why};
use super::read_error::ReadError;
pub use super::token::Granted;
use super::token::{Token, Tokens};
use super::transport::{AnyTransport, Method, Request, Response, Sending, Transport};
use super::wire::{BillingContact, Listing, OrderDetail, OrdersPage, Partner, Product, ProductInfo, ValidationCodes};
use super::wire::{classify_order, read_result};
use crate::clock::Clock;
use crate::store::committed::Committed;

/// How long an order waits for a token: one not sent within 30 s of its fence is not to be sent at all (R10).
const TOKEN_WAIT: Duration = Duration::from_secs(15);
/// What [`PortalClient::ready`] makes sure of, so that the orders after it need not wait.
const READY_FOR: SignedDuration = SignedDuration::from_secs(120);

/// The client of one portal account. There must be one per process: it owns the token.
pub struct PortalClient {
    transport: AnyTransport,
    tokens: Tokens,
    codes: ValidationCodes,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// What is known.
    pub outcome: Outcome,
    /// The `Date` of the portal's answer, for R13 and R20.
    pub date: Option<Timestamp>,
}

/// What was read, and when by the portal's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// What was read.
    pub value: T,
    /// The `Date` of the answer.
    pub date: Option<Timestamp>,
}

impl std::fmt::Debug for PortalClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PortalClient").field("codes", &self.codes).finish_non_exhaustive()
    }
}

impl PortalClient {
    /// A client that has not asked for anything yet.
    pub fn new(transport: impl Transport, credentials: Credentials, clock: Arc<dyn Clock>, codes: ValidationCodes) -> Self {
        Self::with_source(transport, credentials, Source::default(), clock, codes)
    }

    /// The same with credentials that can be read again when the portal refuses them.
    pub fn with_source(
        transport: impl Transport,
        credentials: Credentials,
        source: Source,
        clock: Arc<dyn Clock>,
        codes: ValidationCodes,
    ) -> Self {
        Self { transport: AnyTransport::new(transport), tokens: Tokens::new(credentials, source, clock), codes }
    }

    /// How many of its requests were answered so far: what takes long is not stuck while that grows.
    pub fn answers(&self) -> u64 {
        self.transport.answers()
    }

    /// What time it is by the clock of this machine.
    pub fn now(&self) -> Timestamp {
        self.tokens.now()
    }

    /// Reads the credentials again. Whether they have changed.
    pub fn read_credentials_again(&self) -> bool {
        self.tokens.keys.read_again().is_some()
    }

    /// What to do about the credentials, if the portal refused them at the last try.
    pub fn credentials_help(&self) -> Option<&str> {
        self.tokens.keys.help()
    }

    /// Makes sure that a token is there and stays fresh for two minutes, so that orders do not wait for one.
    pub async fn ready(&self) -> Result<(), ReadError> {
        self.tokens.get(&self.transport, READY_FOR).await.map(drop)
    }

    /// Sends a committed order exactly once, if a token is to be had; else nothing is sent. A 401 ends the attempt (R15). `http_status` of
    /// [`Why::Unauthorized`] is `None` where the token call refused the credentials.
    pub async fn place(&self, intent: Committed) -> Placement {
        let token = match self.token_for_order().await {
            Ok(token) => token,
            Err(not_placed) => return Placement { outcome: Outcome::NotPlaced(Box::new(not_placed)), date: None },
        };
        let answer = self.transport.send(save(&token, intent.into_body())).await;
        let outcome = classify_order(answer.as_ref(), &self.codes);
        if says_unauthorized(&outcome) {
            self.tokens.invalidate(&token);
        }
        Placement { outcome, date: answer.ok().and_then(|response| response.date) }
    }

    async fn token_for_order(&self) -> Result<Token, NotPlaced> {
        let late = |_| ReadError::Unreachable { what: format!("no token within {} s", TOKEN_WAIT.as_secs()) };
        let token = tokio::time::timeout(TOKEN_WAIT, self.tokens.get(&self.transport, SignedDuration::ZERO)).await;
        token.map_err(late).flatten().map_err(ReadError::into_not_placed)
    }

    /// One page of the order list; `page` counts from 1. Its order is not documented (portal-api.md section 5).
    pub async fn orders(&self, page: u32, size: u32) -> Result<Read<OrdersPage>, ReadError> {
        self.read(&format!("/order/openapi/order/v1/page?pageNo={page}&pageSize={size}"), OrdersPage::read).await
    }

    /// One order, by its id or its order number.
    pub async fn order(&self, id: &str) -> Result<Read<OrderDetail>, ReadError> {
        let Some(id) = path_segment(id) else { return Err(ReadError::NotFound { what: "an empty order id".to_owned() }) };
        self.read(&format!("/order/openapi/order/v1/get/{id}"), OrderDetail::read).await
    }

    /// The details of the order whose row has this id and this number. What names another order, or none, is as good as garbage.
    pub async fn order_of(&self, id: Option<&str>, order_no: Option<&str>) -> Result<Read<OrderDetail>, ReadError> {
        let read = self.order(id.or(order_no).unwrap_or_default()).await?;
        if read.value.are_of(id, order_no) {
            return Ok(read);
        }
        let asked = order_no.or(id).unwrap_or_default();
        Err(ReadError::Malformed { what: format!("asked for order {asked}, it gave details that do not name it") })
    }

    /// The products that one may subscribe to.
    pub async fn products(&self) -> Result<Read<Listing<Product>>, ReadError> {
        self.read("/pricing/openapi/purchase/v1/product_list", Product::list).await
    }

    /// What can be ordered of a product; products 9 and 11 want the serial number too.
    pub async fn services(&self, product_id: &str, product_no: Option<&str>) -> Result<Read<ProductInfo>, ReadError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("productId", product_id);
        if let Some(serial) = product_no {
            query.append_pair("productNo", serial);
        }
        self.read(&format!("/pricing/openapi/purchase/v1/purchase_product_info?{}", query.finish()), ProductInfo::read).await
    }

    /// The subordinate users.
    pub async fn partners(&self) -> Result<Read<Listing<Partner>>, ReadError> {
        self.read("/user/openapi/user/v1/client/partner_list", Partner::list).await
    }

    /// The billing contacts.
    pub async fn contacts(&self) -> Result<Read<Listing<BillingContact>>, ReadError> {
        self.read("/user/openapi/user/v1/client/billing_contact_list", BillingContact::list).await
    }

    /// A GET, repeated once after a 401 with a new token.
    async fn read<V>(&self, path: &str, parse: impl Fn(&RawValue) -> Option<V>) -> Result<Read<V>, ReadError> {
        let token = self.tokens.get(&self.transport, SignedDuration::ZERO).await?;
        match self.get(path, &token, &parse).await {
            Err(ReadError::Unauthorized { .. }) => {
                self.tokens.invalidate(&token);
                let token = self.tokens.get(&self.transport, SignedDuration::ZERO).await?;
                self.get(path, &token, &parse).await
            }
            read => read,
        }
    }

    async fn get<V>(&self, path: &str, token: &Token, parse: impl Fn(&RawValue) -> Option<V>) -> Result<Read<V>, ReadError> {
        let answer = self.transport.send(query(path, token)).await;
        let response: Response = answer.map_err(|error| ReadError::Unreachable { what: error.to_string() })?;
        let value = parse(read_result(&response)?)
            .ok_or_else(|| ReadError::Malformed { what: "its result is not what this call is documented to give".to_owned() })?;
        Ok(Read { value, date: response.date })
    }
}

fn save(token: &Token, body: Bytes) -> Request {
    Request {
        method: Method::Post,
        path: "/order/openapi/order/v1/save".to_owned(),
        content_type: Some("application/json"),
        authorization: Some(token.authorization.clone()),
        body,
        sending: Sending::AtMostOnce,
    }
}

fn query(path: &str, token: &Token) -> Request {
    Request {
        method: Method::Get,
        path: path.to_owned(),
        content_type: None,
        authorization: Some(token.authorization.clone()),
        body: Bytes::new(),
        sending: Sending::Repeatable,
    }
}

/// A 401, proof or not: the token is of no more use.
fn says_unauthorized(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Placed(_) => false,
        Outcome::NotPlaced(proof) => proof.why == Why::Unauthorized,
        Outcome::Unknown(unknown) => unknown.http_status == Some(401),
    }
}

/// `id` as one segment of a path; `None` where it would be no segment, or climb out of its folder.
fn path_segment(id: &str) -> Option<String> {
    use std::fmt::Write;
    if id.bytes().all(|b| b == b'.') {
        return None;
    }
    Some(id.bytes().fold(String::new(), |mut out, b| {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(b)),
            _ => drop(write!(out, "%{b:02X}")),
        }
        out
    }))
}

#[cfg(test)]
mod tests;
