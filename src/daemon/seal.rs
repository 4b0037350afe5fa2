//! The seal: a small file beside the database that a backup does not hold (R9).
//!
//! Owns noticing that a database was restored, copied or moved: the seal remembers on which machine, and how far, this
//! installation had gone before its last order left. Also notices a database file that was replaced under the running daemon.

use std::fs::{File, Metadata};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::store::open::private_file;
use crate::store::{Store, StoreError};

/// What the seal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Imprint {
    machine: String,
    installation: String,
    seq: i64,
    head: String,
    /// The database file itself: a copy that took its seal along is another one.
    #[serde(default)]
    inode: Option<u64>,
    /// The seal's own file: one that was put back, in place or not, was made for another.
    #[serde(default)]
    own: Option<Own>,
}

/// What no copy takes along: a file's number and the moment it was made, in nanoseconds since 1970 (statx(2), `stx_btime`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Own {
    inode: u64,
    born: String,
}

impl Own {
    /// None where the file system does not say when a file was made.
    fn of(file: &Metadata) -> Option<Self> {
        let born = file.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { inode: file.ino(), born: born.as_nanos().to_string() })
    }
}

/// The seal of one database.
#[derive(Debug, Clone)]
pub struct Seal {
    path: PathBuf,
    database: PathBuf,
    inode: (u64, u64),
    machine: String,
    installation: String,
}

/// The seal could not be written or read. Nothing is sent without it.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file system refused.
    #[error("cannot keep the seal {path}: {source}; nothing is ordered without it (check free space and the folder's owner)")]
    Io {
        /// The seal.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database is not the file that was opened.
    #[error("{0} was deleted or replaced while the daemon used it; stop, and see `renewd restore --help`")]
    Replaced(PathBuf),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Seal {
    /// The seal of `database`, which is open and belongs to `installation`.
    pub fn of(database: &Path, installation: &str) -> Result<Self, SealError> {
        let machine = machine_id();
        Self::on_machine(database, installation, machine)
    }

    /// Whether there is a seal for `database`: then there was a database.
    pub fn stands_beside(database: &Path) -> bool {
        path(database).exists()
    }

    fn on_machine(database: &Path, installation: &str, machine: String) -> Result<Self, SealError> {
        let path = path(database);
        let inode = inode(database).map_err(|source| SealError::Io { path: path.clone(), source })?;
        Ok(Self { path, database: database.to_owned(), inode, machine, installation: installation.to_owned() })
    }

    /// Why the database and its seal disagree, if they do. A database that is not bound yet has no seal.
    pub async fn disagreement(&self, store: &mut Store) -> Result<Option<String>, SealError> {
        let Some(imprint) = self.read()? else {
            // Binding makes the first seal: a copy made after that, even before the first order, can be older than an order.
            let ordered = store.account().await?.bound_at.is_some() || store.ever_ordered().await?;
            return Ok(ordered.then(|| format!("{} is missing: the database was copied, moved or restored", self.path.display())));
        };
        if imprint.installation != self.installation {
            return Ok(Some("the database is another one than the seal belongs to".to_owned()));
        }
        if imprint.machine != self.machine {
            return Ok(Some("the database was last used on another machine".to_owned()));
        }
        let same = store.audit_hash(imprint.seq).await?.is_some_and(|hash| hash == imprint.head);
        if !same {
            return Ok(Some(
                "the database is older than what this machine has ordered: it was restored from a backup".to_owned(),
            ));
        }
        if imprint.inode.is_some_and(|inode| inode != self.inode.1) {
            return Ok(Some(
                "the database file is another one than the seal was made for: it was copied, together with its seal".to_owned(),
            ));
        }
        let put_back = imprint.own.is_some() && imprint.own != self.stands_as()?;
        Ok(put_back.then(|| {
            format!(
                "{} is not the file that was written last: it was put back, and perhaps the database with it",
                self.path.display()
            )
        }))
    }

    /// The seal's file as it stands now.
    fn stands_as(&self) -> Result<Option<Own>, SealError> {
        let file = std::fs::metadata(&self.path).map_err(|source| SealError::Io { path: self.path.clone(), source })?;
        Ok(Own::of(&file))
    }

    /// Renews the seal: after this, a database older than it is now is noticed. Called after intents are committed and before
    /// anything of them is sent.
    pub async fn renew(&self, store: &mut Store) -> Result<(), SealError> {
        self.assert_in_place()?;
        let (seq, head) = store.audit_tip().await?;
        let imprint = Imprint {
            machine: self.machine.clone(),
            installation: self.installation.clone(),
            seq,
            head,
            inode: Some(self.inode.1),
            own: None,
        };
        self.replace(imprint).map_err(|source| SealError::Io { path: self.path.clone(), source })
    }

    /// The path still names the database that was opened.
    pub fn assert_in_place(&self) -> Result<(), SealError> {
        match inode(&self.database) {
            Ok(inode) if inode == self.inode => Ok(()),
            _ => Err(SealError::Replaced(self.database.clone())),
        }
    }

    fn read(&self) -> Result<Option<Imprint>, SealError> {
        match std::fs::read_to_string(&self.path) {
            // An unreadable seal proves nothing, which is a disagreement like a missing one.
            Ok(text) => Ok(serde_json::from_str(&text).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SealError::Io { path: self.path.clone(), source }),
        }
    }

    /// Temporary file, sync, rename, sync of the folder: the old seal or the new one, never half of one.
    fn replace(&self, imprint: Imprint) -> std::io::Result<()> {
        let temporary = self.path.with_extension("seal.new");
        let mut file = private_file(&temporary)?;
        file.set_len(0)?; // left over from a crash
        let imprint = Imprint { own: Own::of(&file.metadata()?), ..imprint };
        file.write_all(serde_json::to_string(&imprint)?.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&temporary, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_data()
    }
}

/// Beside the database.
fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".seal");
    PathBuf::from(path)
}

fn inode(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

/// The machine's id (machine-id(5)); a machine without one is known by its host name.
fn machine_id() -> String {
    let read =
        |path| std::fs::read_to_string(path).ok().map(|text: String| text.trim().to_owned()).filter(|text| !text.is_empty());
    read("/etc/machine-id").or_else(|| read("/proc/sys/kernel/hostname")).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::Opening;
    use crate::store::account::Kind;
    use crate::store::audit::Happened;

    async fn database(folder: &Path) -> Store {
        let mut store = Store::open(&folder.join("renewd.db"), Opening::Create).await.unwrap();
        store.install(Kind::Sandbox, "seed", "http://127.0.0.1", Timestamp::UNIX_EPOCH).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_database_restored_from_before_the_last_order_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = database(folder.path()).await;
        let path = folder.path().join("renewd.db");
        let seal = Seal::of(&path, "A").unwrap();
        assert_eq!(seal.disagreement(&mut store).await.unwrap(), None, "nothing was ordered yet");
        let backup = folder.path().join("backup.db");
        store.backup(&backup).await.unwrap();
        store.record(Timestamp::UNIX_EPOCH, Happened { kind: "attempt.intended", ..Happened::default() }).await.unwrap();
        seal.renew(&mut store).await.unwrap();
        assert_eq!(seal.disagreement(&mut store).await.unwrap(), None);
        store.close().await.unwrap();
        std::fs::rename(&backup, &path).unwrap();
        let mut restored = Store::open(&path, Opening::Existing).await.unwrap();
        let why = Seal::of(&path, "A").unwrap().disagreement(&mut restored).await.unwrap().unwrap();
        assert!(why.contains("restored from a backup"), "{why}");
    }

    #[tokio::test]
    async fn a_database_copied_together_with_its_seal_is_noticed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut store = database(folder.path()).await;
        Seal::of(&folder.path().join("renewd.db"), "A").unwrap().renew(&mut store).await.unwrap();
        store.close().await.unwrap();
        for name in ["renewd.db", "renewd.db.seal"] {
            std::fs::copy(folder.path().join(name), elsewhere.path().join(name)).unwrap();
        }
        let path = elsewhere.path().join("renewd.db");
        let mut copy = Store::open(&path, Opening::Existing).await.unwrap();
        let why = Seal::of(&path, "A").unwrap().disagreement(&mut copy).await.unwrap();
        assert!(why.is_some_and(|why| why.contains("copied, together with its seal")));
    }

    /// `cp` writes into the file that is there: the database keeps its inode, and a seal of the same day agrees with it.
    #[tokio::test]
    async fn a_database_put_back_in_place_together_with_its_seal_is_noticed() {
        let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("renewd.db");
        let mut store = database(folder.path()).await;
        let seal = Seal::of(&path, "A").unwrap();
        seal.renew(&mut store).await.unwrap();
        assert_eq!(seal.disagreement(&mut store).await.unwrap(), None);
        store.close().await.unwrap();
        let copy = |from: &Path, to: &Path| {
            for name in ["renewd.db", "renewd.db.seal"] {
                std::fs::copy(from.join(name), to.join(name)).unwrap();
            }
        };
        copy(folder.path(), backup.path());
        for orders in [1, 2] {
            let mut store = Store::open(&path, Opening::Existing).await.unwrap();
            for _ in 0..orders {
                store.record(Timestamp::UNIX_EPOCH, Happened { kind: "attempt.intended", ..Happened::default() }).await.unwrap();
                seal.renew(&mut store).await.unwrap();
            }
            store.close().await.unwrap();
            copy(backup.path(), folder.path());
            let mut store = Store::open(&path, Opening::Existing).await.unwrap();
            let why = Seal::of(&path, "A").unwrap().disagreement(&mut store).await.unwrap();
            store.close().await.unwrap();
            assert!(why.is_some_and(|why| why.contains("was put back")), "after {orders} orders");
        }
    }

    #[tokio::test]
    async fn a_database_on_another_machine_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = database(folder.path()).await;
        let path = folder.path().join("renewd.db");
        Seal::on_machine(&path, "A", "one".to_owned()).unwrap().renew(&mut store).await.unwrap();
        let why = Seal::on_machine(&path, "A", "two".to_owned()).unwrap().disagreement(&mut store).await.unwrap();
        assert!(why.is_some_and(|why| why.contains("another machine")));
    }

    #[tokio::test]
    async fn a_database_replaced_under_the_daemon_is_noticed_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = database(folder.path()).await;
        let path = folder.path().join("renewd.db");
        let seal = Seal::of(&path, "A").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(seal.renew(&mut store).await, Err(SealError::Replaced(_))));
    }
}
