//! The one owner of the access token (portal-api.md section 2).
//!
//! Owns fetching and renewing it, so that there is never more than one fetch under way: a new token may end the older one. Never prints it,
//! never stores it. Goes by the injected clock.

mod grant;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use self::grant::Grant;
pub use self::grant::Granted;
use super::credentials::{Credentials, Keys, Source};
use super::read_error::ReadError;
use super::transport::{AnyTransport, Method, Request, Sending};
use super::wire::read_result;
use crate::clock::Clock;

const PATH: &str = "/auth/openapi/v1/oauth/token";
/// How long a token goes on being used after a renewal that could not be carried out, before the next try.
const RENEWAL_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// A token on loan, with the number that tells it from the ones before.
#[derive(Debug, Clone)]
pub(super) struct Token {
    number: u64,
    /// The value of `Authorization`: the head and the token.
    pub(super) authorization: SecretString,
}

/// The owner.
pub(super) struct Tokens {
    pub(super) keys: Keys,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Fetches that have ended, well or not.
    ended: AtomicU64,
    /// Tokens up to this number are dead.
    dead: AtomicU64,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The last fetch, if it failed, with its number.
    failed: Option<(u64, ReadError)>,
}

struct Held {
    token: Token,
    refresh: Option<SecretString>,
    granted: Granted,
    since: Timestamp,
    renew_at: Timestamp,
    ends_at: Timestamp,
}

impl Held {
    /// A token from the future (the clock was set back) has an unknown age: it does not count.
    fn lives_until(&self, end: Timestamp, now: Timestamp) -> bool {
        self.since <= now && now < end
    }
}

impl Tokens {
    pub(super) fn new(credentials: Credentials, source: Source, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys: Keys::new(credentials, source),
            clock,
            state: Mutex::default(),
            ended: AtomicU64::new(0),
            dead: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A token that need not be renewed within `margin`. Callers that come while one is fetched share it, and its failure too.
    pub(super) async fn get(&self, transport: &AnyTransport, margin: SignedDuration) -> Result<Token, ReadError> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if let Some(held) = self.living(&state)
            && held.lives_until(held.renew_at.saturating_sub(margin).unwrap_or(held.since), now)
        {
            return Ok(held.token.clone());
        }
        match &state.failed {
            Some((number, error)) if *number > ended => Err(error.clone()),
            _ => self.renew(transport, &mut state, now).await,
        }
    }

    /// Says that `token` brought a 401: the next caller fetches a new one, with the credentials. A later token is not touched.
    pub(super) fn invalidate(&self, token: &Token) {
        self.dead.fetch_max(token.number, Ordering::AcqRel);
    }

    /// What the token in use came with, but for its secrets.
    pub(super) async fn granted(&self) -> Option<Granted> {
        self.state.lock().await.held.as_ref().map(|held| held.granted.clone())
    }

    /// Renews by the refresh token alone: whether another one came with it. For `check --online`; the daemon has [`Tokens::get`].
    pub(super) async fn refresh(&self, transport: &AnyTransport) -> Result<Option<bool>, ReadError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        let Some(refresh) = self.living(&state).and_then(|held| held.refresh.clone()) else { return Ok(None) };
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        let grant = call(transport, &fields).await?;
        let number = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        let held = grant.or_refresh(refresh.clone()).held_since(now, number);
        let rotated = held.refresh.as_ref().is_some_and(|new| new.expose_secret() != refresh.expose_secret());
        *state = State { held: Some(held), failed: None };
        Ok(Some(rotated))
    }

    fn living<'a>(&self, state: &'a State) -> Option<&'a Held> {
        state.held.as_ref().filter(|held| held.token.number > self.dead.load(Ordering::Acquire))
    }

    async fn renew(&self, transport: &AnyTransport, state: &mut State, now: Timestamp) -> Result<Token, ReadError> {
        let refresh = self.living(state).and_then(|held| held.refresh.clone());
        let fetched = self.fetch(transport, refresh).await;
        let number = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        match fetched {
            Ok(grant) => {
                let held = grant.held_since(now, number);
                let token = held.token.clone();
                *state = State { held: Some(held), failed: None };
                Ok(token)
            }
            Err(error) => self.without_renewal(state, now, number, error),
        }
    }

    /// A portal that is away does not end a token that still lives; a refusal does.
    fn without_renewal(&self, state: &mut State, now: Timestamp, number: u64, error: ReadError) -> Result<Token, ReadError> {
        let dead = self.dead.load(Ordering::Acquire);
        if let Some(held) = &mut state.held
            && !error.is_refusal()
            && held.token.number > dead
            && held.lives_until(held.ends_at, now)
        {
            held.renew_at = now.saturating_add(RENEWAL_PAUSE).unwrap_or(now).min(held.ends_at);
            return Ok(held.token.clone());
        }
        *state = State { held: None, failed: Some((number, error.clone())) };
        Err(error)
    }

    /// With the refresh token if there is one. Whatever is wrong with that, short of a portal that is away, the credentials may still do.
    async fn fetch(&self, transport: &AnyTransport, refresh: Option<SecretString>) -> Result<Grant, ReadError> {
        if let Some(refresh) = refresh {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
            match call(transport, &fields).await {
                Ok(grant) => return Ok(grant.or_refresh(refresh)),
                Err(error @ (ReadError::Unreachable { .. } | ReadError::TooManyRequests { .. })) => return Err(error),
                Err(_) => {}
            }
        }
        let granted = match by_credentials(transport, &self.keys.current()).await {
            // They may have been rotated: if others lie there by now, those are tried at once.
            Err(refused) if refused.is_refusal() => match self.keys.read_again() {
                Some(other) => by_credentials(transport, &other).await,
                None => Err(refused),
            },
            granted => granted,
        };
        self.keys.note(granted.as_ref().is_err_and(ReadError::is_refusal));
        granted
    }
}

async fn by_credentials(transport: &AnyTransport, credentials: &Credentials) -> Result<Grant, ReadError> {
    let fields = [
        ("client_id", credentials.client_id.expose_secret()),
        ("client_secret", credentials.client_secret.expose_secret()),
        ("grant_type", "pp_credentials"),
    ];
    call(transport, &fields).await
}

async fn call(transport: &AnyTransport, fields: &[(&str, &str)]) -> Result<Grant, ReadError> {
    let request = Request {
        method: Method::Post,
        path: PATH.to_owned(),
        content_type: Some("application/x-www-form-urlencoded"),
        authorization: None,
        body: grant::form(fields),
        sending: Sending::Repeatable,
    };
    let response = transport.send(request).await.map_err(|error| ReadError::Unreachable { what: error.to_string() })?;
    Grant::read(read_result(&response)?)
        .ok_or_else(|| ReadError::Malformed { what: "the answer to the token call holds no usable token".to_owned() })
}

#[cfg(test)]
mod tests;
