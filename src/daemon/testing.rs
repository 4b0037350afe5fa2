//! A whole engine over a database of one renewal, for tests of what it does as time goes by.

use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::commands::{Asked, Desk, Refused};
use super::engine::Engine;
use super::roster::{self, File, Taken};
use crate::clock::{Clock as _, ManualClock};
use crate::config;
use crate::ids::PortalId;
use crate::portal::client::PortalClient;
use crate::portal::credentials::Credentials;
use crate::portal::transport::{Request, Response, Transport, TransportError};
use crate::portal::wire::ValidationCodes;
use crate::sandbox::{Foreign, OrderRequest, PlacedBy, SUCCEED, Sandbox, Settings};
use crate::simulation::line::Line;
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
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) clock: ManualClock,
    folder: TempDir,
}

/// What the portal says otherwise than the sandbox would, in the details of orders that mention the first text: the third in place of the second; or
/// this HTTP status.
#[derive(Clone, Default)]
pub(super) struct Retold(Arc<std::sync::Mutex<Vec<[String; 3]>>>, Arc<std::sync::Mutex<Vec<(String, u16)>>>);

impl Retold {
    pub(super) fn say_where(&self, mentioned: &str, instead_of: &str, this: &str) {
        self.0.lock().unwrap().push([mentioned, instead_of, this].map(str::to_owned));
    }

    pub(super) fn fail_where(&self, mentioned: &str, status: u16) {
        self.1.lock().unwrap().push((mentioned.to_owned(), status));
    }

    pub(super) fn recover(&self) {
        self.1.lock().unwrap().clear();
    }
}

/// A line that retells the details of orders.
pub(super) struct Retelling(Line, Retold);

impl Retelling {
    pub(super) fn new(line: Line, retold: Retold) -> Self {
        Self(line, retold)
    }
}

impl Transport for Retelling {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let details = request.path.contains("/get");
        let mut response = self.0.send(request).await?;
        if details {
            let mut text = String::from_utf8(response.body.to_vec()).unwrap();
            for [mentioned, instead_of, this] in self.1.0.lock().unwrap().iter() {
                if text.contains(mentioned) {
                    text = text.replace(instead_of, this);
                }
            }
            let fails = self.1.1.lock().unwrap();
            if let Some((_, status)) = fails.iter().find(|(mentioned, _)| text.contains(mentioned)) {
                response.status = *status;
                text = r#"{"code": "error", "message": "no"}"#.to_owned();
            }
            response.body = text.into();
        }
        Ok(response)
    }
}

impl World {
    /// The same before the built-in portal.
    pub(super) async fn before_sandbox() -> (Self, Sandbox, Retold) {
        let clock = ManualClock::at(at(BEGIN));
        let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
        let retold = Retold::default();
        let line = Retelling::new(Line::quiet(sandbox.clone(), &clock), retold.clone());
        (Self::new(line, clock).await, sandbox, retold)
    }
}

impl World {
    /// The same with a hand on the line to it.
    pub(super) async fn before_line() -> (Self, Sandbox, Line) {
        let clock = ManualClock::at(at(BEGIN));
        let sandbox = Sandbox::new(Arc::new(clock.clone()), Settings::default());
        let line = Line::quiet(sandbox.clone(), &clock);
        (Self::new(line.clone(), clock).await, sandbox, line)
    }
}

/// Somebody else renews the same for this customer.
pub(super) fn order_of(sandbox: &Sandbox, partner: u64) -> String {
    let request = OrderRequest::rm_premium(Some(PortalId::known(partner)), PortalId::known(5), PortalId::known(7), 1);
    sandbox.add_foreign(Foreign { by: PlacedBy::Colleague, request, status: SUCCEED, created_at: None }).order_no
}

impl World {
    /// What a person is shown of the order for this term.
    pub(super) async fn request_hash(&mut self, term: i64) -> String {
        super::sound::request_hash(&self.engine.store.term(term).await.unwrap().unwrap())
    }

    /// Where the database is.
    pub(super) fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("renewd.db")
    }

    /// State and reason of every term.
    pub(super) async fn states(&mut self) -> Vec<String> {
        sqlx::query_scalar("SELECT state || ' ' || coalesce(reason, '') FROM term ORDER BY id")
            .fetch_all(&mut self.engine.store.conn)
            .await
            .unwrap()
    }

    /// Bound, with `one` that expires on 2027-03-01 and is due fourteen days before.
    pub(super) async fn new(transport: impl Transport, clock: ManualClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("renewd.db"), Opening::Create).await.unwrap();
        store.install(Kind::Portal, "test", "https://portal.example/", at(BEGIN)).await.unwrap();
        store.bind_account(at(BEGIN), 0).await.unwrap();
        let config = config::parse(PATH, &file("2027-03-01")).unwrap_or_else(|wrong| panic!("{wrong}"));
        let credentials = Credentials { client_id: "sandbox".into(), client_secret: "sandbox".into() };
        let portal = PortalClient::new(transport, credentials, Arc::new(clock.clone()), ValidationCodes::default());
        let engine = Engine::new(store, Arc::new(portal), Arc::new(clock.clone()), Arc::new(config), "test");
        let mut world = Self { engine, clock, folder };
        world.take("2027-03-01").await;
        world
    }

    pub(super) async fn take(&mut self, expires_on: &str) {
        self.take_text(&file(expires_on)).await;
    }

    pub(super) async fn take_text(&mut self, text: &str) {
        self.edit(text, true).await;
    }

    /// The file is edited to `text`; `accepted` by a person or not.
    pub(super) async fn edit(&mut self, text: &str, accepted: bool) -> Taken {
        let config = config::parse(PATH, text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let file = File { path: PATH, text, config: &config };
        roster::take(&mut self.engine.store, file, self.clock.now(), accepted).await.unwrap()
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
        let (now, po_prefix) = (self.clock.now(), self.engine.po_prefix.clone());
        let store = &mut self.engine.store;
        Desk { store, config: &config, seal: None, po_prefix: &po_prefix, now, by: "a person" }.apply(asked).await
    }
}
