//! The portal's address: a database that is bound to one portal is not taken to another by an edit (R8).
//!
//! Owns when two addresses are the same portal, and the two questions to a person: whether to take the file that names another one, and,
//! once the list there was read, whether it is the same account. In between the address that the database is bound to stays in use.

use jiff::Timestamp;
use url::Url;

use crate::config::model::{Config, is_loopback};
use crate::store::account::Kind;
use crate::store::{Store, StoreError};

/// The portal that a file names, where it is not the one that the database is bound to.
struct Other {
    bound: String,
    named: String,
    /// Both on this machine, or neither: `run` refuses anything else outright.
    same_kind: bool,
}

/// Scheme, host, port and path decide; a `/` at the end does not.
fn plain(url: &str) -> &str {
    url.trim_end_matches('/')
}

async fn other(store: &mut Store, config: &Config) -> Result<Option<Other>, StoreError> {
    let is_portal = store.installation().await?.is_some_and(|installation| installation.kind == Kind::Portal);
    if !is_portal {
        return Ok(None); // the sandbox keeps its own portal, whatever the file says
    }
    let account = store.account().await?;
    let named = config.portal.base_url.as_str();
    // What was stored is read as an address again: an older renewd may have kept it as it was typed.
    let bound: Result<Url, _> = account.base_url.parse();
    let same = bound.as_ref().is_ok_and(|url| plain(url.as_str()) == plain(named));
    if same || account.bound_at.is_none() {
        return Ok(None);
    }
    let same_kind = bound.is_ok_and(|url| is_loopback(&url) == config.portal.is_loopback());
    Ok(Some(Other { bound: plain(&account.base_url).to_owned(), named: plain(named).to_owned(), same_kind }))
}

/// Why a file has to wait for a person: it names another portal.
pub(super) async fn waits_because(store: &mut Store, path: &str, config: &Config) -> Result<Option<String>, StoreError> {
    let other = other(store, config).await?.filter(|other| other.same_kind);
    Ok(other.map(|Other { bound, named, .. }| {
        format!(
            "{path} names the portal {named}, and this database is bound to {bound}: its orders and its evidence are of that portal. \
             If both are the same account, accept it and restart the daemon; if not, give the other account a database of its own \
             (renewd init --database FILE)"
        )
    }))
}

/// Goes over to the portal of a file that a person has accepted. From now on nothing is ordered until the list there was read whole after
/// one settle, and a person has said that it is the same account (R9).
pub async fn go_over(store: &mut Store, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let Some(Other { bound, named, same_kind: true }) = other(store, config).await? else { return Ok(()) };
    let why = format!("the portal's address was changed from {bound} to {named}; look whether it is the same account");
    tracing::error!("nothing is ordered: {why}; see `renewd accept --help`");
    store.take_to(now, &named, &why).await
}
