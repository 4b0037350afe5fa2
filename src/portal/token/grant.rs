//! What the token call takes and gives.
//!
//! Owns its form and its answer. Keeps secrets in types that neither print nor outlive their use.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{Held, Token};
use crate::portal::wire::text_field as text;

/// The documented life of an access token, for an `expiresIn` that is missing or cannot be meant.
const USUAL_LIFE: i64 = 30 * 60;
/// A shorter life would mean a fetch before every call.
const SHORTEST_LIFE: i64 = 60;
/// A longer one is no number of seconds: milliseconds, or a date.
const LONGEST_LIFE: i64 = 24 * 60 * 60;

/// What a token came with, but for its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// `expiresIn` as it came, quotes and all.
    pub expires_in: Option<String>,
    /// Whether `tokenHead` is another word than `Bearer`.
    pub other_head: bool,
    /// Whether a refresh token came along.
    pub refresh_token: bool,
}

/// A token as it was granted.
pub(super) struct Grant {
    authorization: SecretString,
    refresh: Option<SecretString>,
    life: SignedDuration,
    granted: Granted,
}

/// The fields as a form; the buffer is wiped when the request is gone.
pub(super) fn form(fields: &[(&str, &str)]) -> Bytes {
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Bytes::from_owner(Zeroizing::new(text.into_bytes()))
}

impl Grant {
    /// Reads `result` of the token call; `None` without a token that a header can carry.
    pub(super) fn read(result: &RawValue) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_str(result.get()).ok()?;
        let token = text(&object, "token").filter(|token| token.chars().all(|c| c.is_ascii_graphic()))?;
        let head = text(&object, "tokenHead").unwrap_or_else(|| "Bearer".to_owned());
        let granted = Granted {
            expires_in: object.get("expiresIn").filter(|value| !value.is_null()).map(ToString::to_string),
            other_head: head.trim() != "Bearer",
            refresh_token: text(&object, "refreshToken").is_some(),
        };
        Some(Self {
            granted,
            authorization: format!("{} {token}", head.trim()).into(),
            refresh: text(&object, "refreshToken").map(Into::into),
            life: life(text(&object, "expiresIn").as_deref()),
        })
    }

    /// Keeps `refresh` if this answer brought no other one.
    pub(super) fn or_refresh(self, refresh: SecretString) -> Self {
        Self { refresh: self.refresh.or(Some(refresh)), ..self }
    }

    /// As asked for at `now`: renewed at two thirds of its life.
    pub(super) fn held_since(self, now: Timestamp, number: u64) -> Held {
        let after = |life: SignedDuration| now.saturating_add(life).unwrap_or(Timestamp::MAX);
        Held {
            token: Token { number, authorization: self.authorization },
            refresh: self.refresh,
            granted: self.granted,
            since: now,
            renew_at: after(self.life * 2 / 3),
            ends_at: after(self.life),
        }
    }
}

fn life(expires_in: Option<&str>) -> SignedDuration {
    let seconds = match expires_in.and_then(|text| text.trim().parse::<i64>().ok()) {
        Some(seconds @ ..=LONGEST_LIFE) => seconds.max(SHORTEST_LIFE),
        _ => USUAL_LIFE,
    };
    SignedDuration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn grant(json: &str) -> Option<Grant> {
        Grant::read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_life_is_read_in_either_form_and_never_believed_blindly() {
        for (json, seconds) in [
            (r#"{"token":"t","expiresIn":"1200"}"#, 1200),
            (r#"{"token":"t","expiresIn":1200}"#, 1200),
            (r#"{"token":"t"}"#, 1800),
            (r#"{"token":"t","expiresIn":"soon"}"#, 1800),
            (r#"{"token":"t","expiresIn":1800000}"#, 1800),
            (r#"{"token":"t","expiresIn":99999999999999999999999}"#, 1800),
            (r#"{"token":"t","expiresIn":0}"#, 60),
            (r#"{"token":"t","expiresIn":-7}"#, 60),
        ] {
            assert_eq!(grant(json).unwrap().life.as_secs(), seconds, "{json}");
        }
    }

    #[test]
    fn the_head_is_used_as_given() {
        let authorization = |json| grant(json).unwrap().authorization.expose_secret().to_owned();
        assert_eq!(authorization(r#"{"token":"t","tokenHead":"Bearer "}"#), "Bearer t");
        assert_eq!(authorization(r#"{"token":"t","tokenHead":"PP"}"#), "PP t");
        assert_eq!(authorization(r#"{"token":"t","tokenHead":""}"#), "Bearer t");
    }

    #[test]
    fn an_answer_without_a_usable_token_grants_nothing() {
        for json in ["{}", r#"{"token":""}"#, r#"{"token":null}"#, r#"{"token":"a\nb"}"#, "[]", "7"] {
            assert!(grant(json).is_none(), "{json}");
        }
    }

    #[test]
    fn a_secret_keeps_every_character_in_the_form() {
        let body = form(&[("client_secret", "a+b &=/ü%"), ("grant_type", "pp_credentials")]);
        assert_eq!(body, "client_secret=a%2Bb+%26%3D%2F%C3%BC%25&grant_type=pp_credentials");
    }
}
