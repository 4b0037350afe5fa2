//! The client id and secret of the portal account. Never printed, never stored.

use secrecy::SecretString;

/// What the token call needs (portal-api.md section 2). `Debug` prints `[REDACTED]` for both.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `client_id`
    pub client_id: SecretString,
    /// `client_secret`
    pub client_secret: SecretString,
}
