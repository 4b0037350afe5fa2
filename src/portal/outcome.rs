//! The three outcomes of an order, by certainty (never-twice R15, R16).
//!
//! Owns the words; `wire.rs` decides which one an answer is. There is no fourth: what is not proven either way is unknown.

/// What is known after an order was handed to the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// R16: the success envelope and an order number.
    Placed(Box<Placed>),
    /// R15: proven that nothing was created.
    NotPlaced(Box<NotPlaced>),
    /// Everything else. Never sent again; found out by evidence or by a person.
    Unknown(Box<Unknown>),
}

/// What the portal said of an order it accepted. All as given, none through a number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// `orderNo`
    pub order_no: String,
    /// `transactionNo`
    pub transaction_no: Option<String>,
    /// `orderId`
    pub order_id: Option<String>,
    /// `instanceId`
    pub instance_id: Option<String>,
    /// `orderStatus`, an open set.
    pub order_status: Option<String>,
    /// `productNo` of the answer.
    pub product_no: Option<String>,
    /// `requestId` of the envelope.
    pub request_id: Option<String>,
    /// The whole answer, so that fields unknown today are kept.
    pub raw: String,
}

/// Why it is certain that no order came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The body's bytes were never asked for.
    NeverSent,
    /// No token was to be had because the portal could not be reached or was not well.
    NoToken,
    /// The credentials were refused by the token call, or the order call answered 401.
    Unauthorized,
    /// The order call answered 429.
    TooManyRequests,
    /// A well-formed refusal whose code is on the list of validation codes.
    Refused,
}

/// A proof that nothing was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPlaced {
    /// The kind of proof.
    pub why: Why,
    /// In words, for people.
    pub message: String,
    /// `code` of the envelope.
    pub code: Option<String>,
    /// The HTTP status, if there was one.
    pub http_status: Option<u16>,
    /// `requestId` of the envelope.
    pub request_id: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The answer's body, if there was one.
    pub raw: Option<String>,
}

/// An order that may or may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// In words, for people.
    pub message: String,
    /// `code` of the envelope.
    pub code: Option<String>,
    /// The HTTP status, if there was one.
    pub http_status: Option<u16>,
    /// `requestId` of the envelope.
    pub request_id: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The answer's body, if there was one.
    pub raw: Option<String>,
}
