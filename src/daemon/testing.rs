//! A whole engine over a database of one renewal, for tests of what it does as time goes by.

use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::commands::{Asked, Desk, Refused};
use super::engine::Engine;
use super::roster::{self, File};
use crate::clock::{Clock as _, ManualClock};
use crate::config;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Credentials;
use crate::portal::transport::Transport;
use crate::portal::wire::ValidationCodes;
use crate::store::account::Kind;
use crate::store::{Opening, Store};

pub(super) const PATH: &str = "/etc/renewd/renewals.toml";
pub(super) const BEGIN: &str = "2027-01-02T00:00:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn file(expires_on: &str) -> String {
    format!(
        "timezone = \"UTC\"\n[defaults]\nproduct = \"rm-premium\"\nservice_id = 5\nbilling_id = 7\nquantity = 3\n\
         [[renewal]]\nname = \"one\"\npartner_id = 1\nexpires_on = {expires_on}\n"
    )
}

/// The daemon without its shell, and its clock.
pub(super) struct World<T: Transport> {
    pub(super) engine: Engine<T>,
    pub(super) clock: ManualClock,
    _folder: TempDir,
}

impl<T: Transport> World<T> {
    /// Bound, with `one` that expires on 2027-03-01 and is due fourteen days before.
    pub(super) async fn new(transport: T, clock: ManualClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("renewd.db"), Opening::Create).await.unwrap();
        store.install(Kind::Portal, "test", "https://portal.example/", at(BEGIN)).await.unwrap();
        store.bind_account(at(BEGIN), 0).await.unwrap();
        let config = config::parse(PATH, &file("2027-03-01")).unwrap_or_else(|wrong| panic!("{wrong}"));
        let credentials = Credentials { client_id: "sandbox".into(), client_secret: "sandbox".into() };
        let portal = PortalClient::new(transport, credentials, Arc::new(clock.clone()), ValidationCodes::default());
        let engine = Engine::new(store, Arc::new(portal), Arc::new(clock.clone()), Arc::new(config), "test");
        let mut world = Self { engine, clock, _folder: folder };
        world.take("2027-03-01").await;
        world
    }

    pub(super) async fn take(&mut self, expires_on: &str) {
        let text = file(expires_on);
        let config = config::parse(PATH, &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let file = File { path: PATH, text: &text, config: &config };
        roster::take(&mut self.engine.store, file, self.clock.now(), true).await.unwrap();
    }

    /// Does what is due by `now`.
    pub(super) async fn live_until(&mut self, now: &str) {
        self.clock.set(at(now));
        self.engine.run_dry(|_| {}).await.unwrap();
    }

    /// The messages whose cause begins like this: when, what, by when, which command.
    pub(super) async fn told(&mut self, cause: &str) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT substr(created_at, 1, 10) || ' ' || body FROM outbox WHERE substr(cause, 1, length($1)) = $1 ORDER BY id",
        )
        .bind(cause)
        .fetch_all(&mut self.engine.store.conn)
        .await
        .unwrap()
    }

    pub(super) async fn ask(&mut self, asked: Asked) -> Result<String, Refused> {
        let config = Arc::clone(&self.engine.config);
        let now = self.clock.now();
        let store = &mut self.engine.store;
        Desk { store, config: &config, seal: None, po_prefix: "RW-test-", now, by: "a person" }.apply(asked).await
    }
}
