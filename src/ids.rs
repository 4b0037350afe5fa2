//! Ids as the portal gives them: whole numbers of up to 20 digits, kept exact.
//!
//! Owns parsing and printing them. Never lets one pass through a float or an `i64`: one documented sample
//! has 20 digits, beyond both (portal-api.md section 1).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The most digits an id of the portal is known to have.
pub const MAX_DIGITS: usize = 20;

/// A portal id (product, partner, service, plan, billing contact): 1 to 20 digits, no leading zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalId(u128);

impl PortalId {
    /// An id known at compile time, such as a product number of portal-api.md section 8.
    pub const fn known(id: u64) -> Self {
        Self(id as u128)
    }
}

/// Why a text is not a portal id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing, or something other than the digits 0 to 9.
    #[error("an id consists of digits only")]
    NotDigits,
    /// Longer than [`MAX_DIGITS`].
    #[error("an id has at most 20 digits")]
    TooLong,
    /// A JSON number cannot carry a leading zero, so it could not be sent as it stands.
    #[error("an id does not begin with 0")]
    LeadingZero,
}

impl FromStr for PortalId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdError::NotDigits);
        }
        if text.len() > MAX_DIGITS {
            return Err(IdError::TooLong);
        }
        if text.starts_with('0') {
            return Err(IdError::LeadingZero);
        }
        text.parse().map(Self).map_err(|_| IdError::NotDigits)
    }
}

impl fmt::Display for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As a JSON number, which is what requests carry (portal-api.md section 1).
impl Serialize for PortalId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u128(self.0)
    }
}

/// As text, the form in which ids are stored.
pub mod text {
    use super::PortalId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the digits as a string.
    pub fn serialize<S: Serializer>(id: &PortalId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    /// Reads the digits from a string.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PortalId, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// The same for an id that may be missing.
pub mod optional_text {
    use super::PortalId;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// Writes the digits as a string, or null.
    #[allow(clippy::ref_option, reason = "serde's `with` passes a reference to the field")]
    pub fn serialize<S: Serializer>(id: &Option<PortalId>, to: S) -> Result<S::Ok, S::Error> {
        id.map(|id| id.to_string()).serialize(to)
    }

    /// Reads the digits from a string, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PortalId>, D::Error> {
        Option::<String>::deserialize(from)?.map(|digits| digits.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_digits_survive_unchanged_as_text_and_as_json_number() {
        let id: PortalId = "99999999999999999999".parse().unwrap();
        assert_eq!(id.to_string(), "99999999999999999999");
        assert_eq!(serde_json::to_string(&id).unwrap(), "99999999999999999999");
    }

    #[test]
    fn what_cannot_be_sent_exactly_is_refused() {
        let parse = |text: &str| text.parse::<PortalId>().unwrap_err();
        assert_eq!(parse("007"), IdError::LeadingZero);
        assert_eq!(parse("123456789012345678901"), IdError::TooLong);
        assert_eq!(parse("12a"), IdError::NotDigits);
        assert_eq!(parse(""), IdError::NotDigits);
        assert_eq!(parse("+1"), IdError::NotDigits);
        assert_eq!(parse("１２"), IdError::NotDigits);
    }
}
