//! The client id and secret of the portal account. Never printed, never stored.
//!
//! Owns reading them again: they are rotated while the daemon runs, and a deadline must not be missed because a file was read only once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

/// What the token call needs (portal-api.md section 2). `Debug` prints `[REDACTED]` for both.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `client_id`
    pub client_id: SecretString,
    /// `client_secret`
    pub client_secret: SecretString,
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.client_id.expose_secret() == other.client_id.expose_secret()
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

/// Where they can be read again.
pub struct Source {
    /// Reads them, or says why not.
    pub read: Box<dyn Fn() -> Result<Credentials, String> + Send + Sync>,
    /// What a person does whose credentials are refused.
    pub help: String,
}

impl Default for Source {
    /// Credentials that nobody can change while the process lives.
    fn default() -> Self {
        let help = "put the right client id and secret in place and start renewd again".to_owned();
        Self { read: Box::new(|| Err("they cannot be read again".to_owned())), help }
    }
}

/// The credentials in use.
pub(super) struct Keys {
    current: Mutex<Credentials>,
    source: Source,
    refused: AtomicBool,
}

impl Keys {
    pub(super) fn new(credentials: Credentials, source: Source) -> Self {
        Self { current: Mutex::new(credentials), source, refused: AtomicBool::new(false) }
    }

    pub(super) fn current(&self) -> Credentials {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads them again: those that came in place of the old ones, if others did. What cannot be read changes nothing; half of a pair that
    /// is just being written is refused by the portal and read once more.
    pub(super) fn read_again(&self) -> Option<Credentials> {
        let read = (self.source.read)().inspect_err(|why| tracing::debug!("the credentials are not read again: {why}")).ok()?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == read {
            return None;
        }
        tracing::info!("the credentials have changed; the new ones are used from now on");
        *current = read.clone();
        Some(read)
    }

    /// Whether the portal took them at the last try.
    pub(super) fn note(&self, refused: bool) {
        self.refused.store(refused, Ordering::Relaxed);
    }

    /// What to do about credentials that the portal refused at the last try.
    pub(super) fn help(&self) -> Option<&str> {
        self.refused.load(Ordering::Relaxed).then_some(self.source.help.as_str())
    }
}
