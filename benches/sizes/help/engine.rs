//! The engine within this process, over the database of a [`Place`].

use std::sync::Arc;

use anyhow::{Context as _, Result};
use renewd::clock::{Clock as _, WallClock};
use renewd::config::Config;
use renewd::daemon::engine::Engine;
use renewd::daemon::roster::{self, File};
use renewd::daemon::seal::Seal;
use renewd::portal::client::PortalClient;
use renewd::portal::credentials::Credentials;
use renewd::portal::http::HttpTransport;
use renewd::portal::wire::ValidationCodes;
use renewd::store::{Opening, Store};

use super::Place;

/// A runtime like the one of the binary.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// The engine as `renewd run` makes it, its file taken.
pub async fn engine(place: &Place) -> Result<Engine> {
    let mut store = Store::open(&place.database(), Opening::Existing).await?;
    let path = place.path("renewals.toml");
    let parsed = Config::from_file(&path)?;
    let file = File { path: &path.to_string_lossy(), text: &parsed.source, config: &parsed.config };
    roster::take(&mut store, file, WallClock.now(), false).await?;
    let uid = store.installation().await?.context("the database has no installation")?.uid;
    let seal = Seal::of(&place.database(), &uid)?;
    let transport = HttpTransport::new(&parsed.config.portal.base_url, None)?;
    let credentials = Credentials { client_id: "sandbox".into(), client_secret: "sandbox".into() };
    let portal = PortalClient::new(transport, credentials, Arc::new(WallClock), ValidationCodes::new(&[]));
    let mut engine = Engine::new(store, Arc::new(portal), Arc::new(WallClock), Arc::new(parsed.config), &uid).sealed(seal);
    engine.recover().await?;
    Ok(engine)
}
