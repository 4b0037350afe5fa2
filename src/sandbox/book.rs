//! The ledger in a file, so that a sandbox goes on from where it stood (R28).
//!
//! The file is replaced as a whole (temporary file, sync, rename): it is either the old one or the new one. A file that
//! cannot be read is never overwritten. Writing costs as much as the ledger is long; a benchmark keeps none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entry::{Instance, LedgerOrder, PlacedBy};
use super::ledger::Ledger;
use super::request::OrderRequest;
use super::settings::Settings;
use super::state::State;
use crate::ids::PortalId;

const FORMAT: &str = "renewd-sandbox-ledger";
const VERSION: u32 = 1;

/// Why a ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The file is there and cannot be read.
    #[error("the sandbox's ledger {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no ledger of this version.
    #[error("{path} is no sandbox ledger that can be used: {problem}; it was left as it is, move it away to begin a new one")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file could not be written.
    #[error("the sandbox's ledger {path} cannot be written: {source}; the one before is unchanged")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The file of a sandbox.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    /// The version of the ledger that the file holds; locked while the file is written.
    written: Mutex<Option<u64>>,
}

/// The time at which the ledger in `path` was last written, for a clock that goes on from there; none if there is no file.
///
/// # Errors
/// The file cannot be read, or is no ledger of this version.
pub fn stood_at(path: &Path) -> Result<Option<Timestamp>, BookError> {
    Ok(read(path)?.map(|contents| contents.saved_at))
}

impl Book {
    pub(super) fn open(path: &Path, settings: Settings) -> Result<(Self, State), BookError> {
        let mut ledger = Ledger::new(settings.seed);
        let contents = read(path)?;
        let (mut requests, mut tokens, mut written) = (0, 0, None);
        if let Some(contents) = contents {
            (requests, tokens) = (contents.requests, contents.tokens);
            contents.restore(&mut ledger).map_err(|problem| unusable(path, problem))?;
            written = Some(ledger.version());
        }
        let mut state = State::new(settings, ledger);
        (state.requests, state.tokens.made) = (requests, tokens);
        Ok((Self { path: path.to_owned(), written: Mutex::new(written) }, state))
    }

    /// Writes what `lock` gives access to, unless the file already holds it. Of several callers that come at once the first
    /// writes for all whose changes it saw.
    pub(super) fn write<'a>(
        &self,
        now: Timestamp,
        always: bool,
        lock: impl FnOnce() -> MutexGuard<'a, State>,
    ) -> Result<(), BookError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let state = lock();
        let version = state.ledger.version();
        if *written == Some(version) && !always {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&Contents::of(&state, now)).map_err(io::Error::from);
        drop(state);
        let problem = |source| BookError::Write { path: self.path.clone(), source };
        bytes.and_then(|bytes| replace(&self.path, &bytes)).map_err(problem)?;
        *written = Some(version);
        Ok(())
    }
}

/// Readable by owner and group only, like the database beside it, whatever the umask.
fn private(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o640))?;
    Ok(file)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = private(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn unusable(path: &Path, problem: impl Into<String>) -> BookError {
    BookError::Unusable { path: path.to_owned(), problem: problem.into() }
}

fn read(path: &Path) -> Result<Option<Contents>, BookError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(BookError::Read { path: path.to_owned(), source }),
    };
    let mark: Mark = serde_json::from_slice(&bytes).map_err(|_| unusable(path, "it is not marked as one"))?;
    if mark.format != FORMAT {
        return Err(unusable(path, format!("its format is {}", mark.format)));
    }
    if mark.version != VERSION {
        return Err(unusable(path, format!("its version is {}, this renewd reads {VERSION}", mark.version)));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|problem| unusable(path, problem.to_string()))
}

#[derive(Deserialize)]
struct Mark {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Contents {
    format: String,
    version: u32,
    saved_at: Timestamp,
    requests: u64,
    tokens: u64,
    instances: Vec<StoredInstance>,
    orders: Vec<StoredOrder>,
    postponed: Vec<StoredPostponed>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredInstance {
    id: u64,
    product: String,
    partner: Option<String>,
    serial: Option<String>,
    product_no: String,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredOrder {
    id: u64,
    order_no: String,
    transaction_no: String,
    instance_id: u64,
    product_no: String,
    created_at: Timestamp,
    listed_from: Timestamp,
    status: String,
    settles_at: Option<Timestamp>,
    placed_by: PlacedBy,
    body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredPostponed {
    at: Timestamp,
    body: String,
}

impl Contents {
    fn of(state: &State, now: Timestamp) -> Self {
        let postponed = state.ledger.postponed().map(|order| StoredPostponed { at: order.at, body: order.body });
        Self {
            format: FORMAT.into(),
            version: VERSION,
            saved_at: now,
            requests: state.requests,
            tokens: state.tokens.made,
            instances: state.ledger.instances().iter().map(StoredInstance::of).collect(),
            orders: state.ledger.orders().iter().map(StoredOrder::of).collect(),
            postponed: postponed.collect(),
        }
    }

    fn restore(self, ledger: &mut Ledger) -> Result<(), String> {
        for instance in self.instances {
            ledger.add_instance(instance.restore()?);
        }
        for order in self.orders {
            let number = order.order_no.clone();
            ledger.add(order.restore().map_err(|problem| format!("order {number}: {problem}"))?);
        }
        for order in self.postponed {
            ledger.postpone(order.at, parse(&order.body)?, order.body);
        }
        Ok(())
    }
}

impl StoredInstance {
    fn of(instance: &Instance) -> Self {
        Self {
            id: instance.id,
            product: instance.product.to_string(),
            partner: instance.partner.map(|id| id.to_string()),
            serial: instance.serial.clone(),
            product_no: instance.product_no.clone(),
            created_at: instance.created_at,
        }
    }

    fn restore(self) -> Result<Instance, String> {
        let id = |text: String| text.parse::<PortalId>().map_err(|problem| format!("{text}: {problem}"));
        Ok(Instance {
            id: self.id,
            product: id(self.product)?,
            partner: self.partner.map(id).transpose()?,
            serial: self.serial,
            product_no: self.product_no,
            created_at: self.created_at,
            seed_expiry: None,
            months: 0,
        })
    }
}

impl StoredOrder {
    fn of(order: &LedgerOrder) -> Self {
        Self {
            id: order.id,
            order_no: order.order_no.clone(),
            transaction_no: order.transaction_no.clone(),
            instance_id: order.instance_id,
            product_no: order.product_no.clone(),
            created_at: order.created_at,
            listed_from: order.listed_from,
            status: order.status.clone().into_owned(),
            settles_at: order.settles_at,
            placed_by: order.placed_by,
            body: order.body.clone(),
        }
    }

    fn restore(self) -> Result<LedgerOrder, String> {
        Ok(LedgerOrder {
            id: self.id,
            order_no: self.order_no,
            transaction_no: self.transaction_no,
            instance_id: self.instance_id,
            product_no: self.product_no,
            created_at: self.created_at,
            listed_from: self.listed_from,
            status: self.status.into(),
            settles_at: self.settles_at,
            placed_by: self.placed_by,
            request: parse(&self.body)?,
            body: self.body,
        })
    }
}

fn parse(body: &str) -> Result<OrderRequest, String> {
    OrderRequest::parse(body.as_bytes()).map_err(|refusal| refusal.detail)
}
