//! Tokens: who gets one, how long it lives (portal-api.md section 2).

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::ledger::later;
use super::message::{Outcome, Refusal, result};
use super::route::Query;
use super::seed::{Stream, hex32, mix};
use super::settings::Settings;
use super::shown::Formed;

/// Every token that is good, with the moment at which it ends.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: HashMap<String, Timestamp>,
    refresh: HashMap<String, Timestamp>,
    /// How many have been made, so that none is made twice; kept in the book.
    pub(super) made: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Granted<'a> {
    token: &'a str,
    refresh_token: &'a str,
    token_head: &'a str,
    expires_in: Formed,
}

/// Beyond this many, tokens that have ended are thrown away.
const TIDY_ABOVE: usize = 64;

impl Tokens {
    /// The token call, with its form.
    pub(super) fn grant(&mut self, form: Query<'_>, settings: &Settings, now: Timestamp) -> Outcome {
        match &*form.required("grant_type")? {
            "pp_credentials" => self.by_credentials(form, settings, now),
            "refresh_token" => self.by_refresh(form, settings, now),
            other => Err(Refusal::validation(format!("grant_type {other} is not known"))),
        }
    }

    fn by_credentials(&mut self, form: Query<'_>, settings: &Settings, now: Timestamp) -> Outcome {
        let (id, secret) = (form.required("client_id")?, form.required("client_secret")?);
        if id != settings.client_id || secret != settings.client_secret {
            return Err(Refusal::new(401, "invalid_client", "client_id or client_secret is wrong"));
        }
        if settings.tokens.new_ends_old {
            self.revoke();
        }
        let refresh = self.make(settings.seed);
        self.refresh.insert(refresh.clone(), later(now, settings.tokens.refresh_life));
        self.issue(&refresh, settings, now)
    }

    fn by_refresh(&mut self, form: Query<'_>, settings: &Settings, now: Timestamp) -> Outcome {
        let mut refresh = form.required("refresh_token")?.into_owned();
        let Some(ends) = self.refresh.get(&refresh).copied().filter(|ends| now < *ends) else {
            return Err(Refusal::new(401, "invalid_refresh_token", "the refresh token is unknown or expired"));
        };
        if settings.tokens.rotate_refresh {
            self.refresh.remove(&refresh);
            refresh = self.make(settings.seed);
        }
        if settings.tokens.new_ends_old {
            self.revoke();
        }
        let ends = if settings.tokens.rotate_refresh { later(now, settings.tokens.refresh_life) } else { ends };
        self.refresh.insert(refresh.clone(), ends);
        self.issue(&refresh, settings, now)
    }

    fn issue(&mut self, refresh: &str, settings: &Settings, now: Timestamp) -> Outcome {
        let token = self.make(settings.seed);
        self.tidy(now);
        self.access.insert(token.clone(), later(now, settings.tokens.access_life));
        result(&Granted {
            token: &token,
            refresh_token: refresh,
            token_head: "Bearer",
            expires_in: Formed(settings.tokens.access_life.as_secs(), settings.tokens.expires_in),
        })
    }

    fn make(&mut self, seed: u64) -> String {
        self.made += 1;
        hex32(mix(seed, Stream::Token, 2 * self.made), mix(seed, Stream::Token, 2 * self.made + 1))
    }

    fn tidy(&mut self, now: Timestamp) {
        if self.access.len() + self.refresh.len() > TIDY_ABOVE {
            self.access.retain(|_, ends| now < *ends);
            self.refresh.retain(|_, ends| now < *ends);
        }
    }

    /// Whether an `Authorization` header carries a token that is good now.
    pub(super) fn admits(&self, authorization: Option<&str>, now: Timestamp) -> bool {
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        token.and_then(|token| self.access.get(token)).is_some_and(|ends| now < *ends)
    }

    /// Ends every token.
    pub(super) fn revoke(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }
}
