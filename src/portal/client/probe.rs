//! The portal as it is, for `check --online`: answers before anything is made of them.
//!
//! Sends GETs and the token call, and nothing else: no type here can carry an order.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{PortalClient, query};
use crate::portal::read_error::ReadError;
use crate::portal::token::Granted;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Of the HTTP status line.
    pub http_status: u16,
    /// `Date`, where it is fresh (R20).
    pub date: Option<Timestamp>,
    /// The body, if it is JSON; numbers keep their digits.
    pub body: Value,
}

impl Seen {
    /// `result`, where the envelope says success.
    pub fn result(&self) -> Option<&Value> {
        let well = (200..300).contains(&self.http_status) && self.body["code"] == "success";
        self.body.get("result").filter(|_| well)
    }
}

impl PortalClient {
    /// One GET, with the token as it is: no second try, nothing made of the answer.
    pub async fn look(&self, path: &str) -> Result<Seen, ReadError> {
        let token = self.tokens.get(&self.transport, SignedDuration::ZERO).await?;
        let unreachable = |what: String| ReadError::Unreachable { what };
        let answer = tokio::time::timeout(PATIENCE, self.transport.send(query(path, &token)))
            .await
            .map_err(|_| unreachable(format!("no answer within {} s", PATIENCE.as_secs())))?
            .map_err(|error| unreachable(error.to_string()))?;
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        Ok(Seen { http_status: answer.status, date: answer.date, body })
    }

    /// What the last token call gave, but for its secrets.
    pub async fn granted(&self) -> Option<Granted> {
        self.tokens.granted().await
    }

    /// Renews the token by its refresh token: whether that brought another refresh token. `None`: there is none.
    pub async fn refresh(&self) -> Result<Option<bool>, ReadError> {
        self.tokens.refresh(&self.transport).await
    }
}
