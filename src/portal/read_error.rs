//! Why a read, or the token call, brought nothing; each with what to do next.
//!
//! Owns these words for people. Never used for an order that was sent: that has an [`Outcome`](super::outcome::Outcome).

use super::outcome::{NotPlaced, Why};

/// Why the portal could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No complete answer came.
    #[error("the portal cannot be reached: {what}. Check the network, DNS, the proxy and base_url; it is tried again")]
    Unreachable {
        /// What happened.
        what: String,
    },
    /// The credentials, or a token fresh from them, were refused.
    #[error("the portal refuses the credentials ({what}). Check the client id and secret in the partner portal")]
    Unauthorized {
        /// The portal's own words.
        what: String,
    },
    /// HTTP or envelope status 403.
    #[error(
        "the portal forbids this call ({what}). If the portal restricts client IP addresses, add this machine's; else ask for \
         this permission for the API client"
    )]
    Forbidden {
        /// The portal's own words.
        what: String,
    },
    /// HTTP or envelope status 429.
    #[error("the portal says there were too many requests; it is asked again later")]
    TooManyRequests {
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// A 5xx, by HTTP or by the envelope.
    #[error("the portal is not well ({what}); it is asked again later")]
    Unavailable {
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
        /// The portal's own words.
        what: String,
    },
    /// An error code that says no more about itself.
    #[error("the portal refused: {message} (code {}, request id {}). Compare the ids in the file with `renewd discover`",
        code.as_deref().unwrap_or("none"), request_id.as_deref().unwrap_or("none"))]
    Refused {
        /// `code` of the envelope.
        code: Option<String>,
        /// `detailMessage` of the envelope, or the HTTP status.
        message: String,
        /// `requestId` of the envelope.
        request_id: Option<String>,
    },
    /// HTTP or envelope status 404.
    #[error("the portal does not know it ({what}). Check the id, and that base_url is the portal's API address")]
    NotFound {
        /// The portal's own words.
        what: String,
    },
    /// A list that shows fewer orders than it counts, twice: one that is not seen may be ours, or a renewal by somebody else.
    #[error(
        "the order list contradicts itself: it says {says} orders and shows {shows}; it is asked again, and nothing is ordered until it is whole"
    )]
    Contradictory {
        /// `total`.
        says: u64,
        /// Different orders on all its pages.
        shows: u64,
    },
    /// An answer that cannot be understood.
    #[error(
        "the portal's answer cannot be understood: {what}. Check that base_url is the portal's API address; if it is, report this"
    )]
    Malformed {
        /// What was wrong with it.
        what: String,
    },
}

impl ReadError {
    /// How long the portal asks to be left alone, in seconds.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The portal answered and said no, rather than being away or unwell.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::Refused { .. })
    }

    /// The outcome of an order that was not sent because no token was to be had.
    pub(super) fn into_not_placed(self) -> NotPlaced {
        let why = if self.is_refusal() { Why::Unauthorized } else { Why::NoToken };
        let message = format!("not sent, no token: {self}");
        let retry_after = self.retry_after();
        let (code, request_id) = match self {
            Self::Refused { code, request_id, .. } => (code, request_id),
            _ => (None, None),
        };
        NotPlaced { why, message, code, http_status: None, request_id, retry_after, raw: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_call_names_the_ip_restriction() {
        let text = ReadError::Forbidden { what: "HTTP 403".to_owned() }.to_string();
        assert!(text.contains("IP address"), "{text}");
    }

    #[test]
    fn only_a_refusal_blames_the_credentials() {
        let refused =
            ReadError::Refused { code: Some("c".to_owned()), message: "m".to_owned(), request_id: Some("r".to_owned()) };
        let not_placed = refused.into_not_placed();
        assert_eq!(
            (not_placed.why, not_placed.code.as_deref(), not_placed.request_id.as_deref()),
            (Why::Unauthorized, Some("c"), Some("r"))
        );
        let unwell = ReadError::Unavailable { retry_after: Some(7), what: "HTTP 503".to_owned() }.into_not_placed();
        assert_eq!((unwell.why, unwell.retry_after), (Why::NoToken, Some(7)));
    }
}
