//! Database files of the worlds, in memory where the system offers that.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::store::{Opening, Store};

/// The folder of one world's database; gone with it.
pub(super) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// With a new database: a copy, instead of one migration per world.
    pub(super) async fn new() -> Self {
        static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(template).await;
        let disk = Self { folder: folder() };
        std::fs::write(disk.database(), template).expect("a folder of our own takes a file");
        disk
    }

    /// With nothing on it.
    pub(super) fn empty() -> Self {
        Self { folder: folder() }
    }

    pub(super) fn backup(&self) -> PathBuf {
        self.folder.path().join("backup.db")
    }

    /// Puts the backup in place of the database, which is closed, as `cp` does it: the seal stays.
    pub(super) fn restore(&self) {
        for side in ["-wal", "-shm", "-journal"] {
            let mut path = self.database().into_os_string();
            path.push(side);
            drop(std::fs::remove_file(path));
        }
        std::fs::copy(self.backup(), self.database()).expect("a folder of our own takes a file");
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("renewd.db")
    }
}

async fn template() -> Vec<u8> {
    let folder = folder();
    let path = folder.path().join("template.db");
    let store = Store::open(&path, Opening::Create).await.expect("a folder of our own takes a database");
    store.close().await.expect("a new database closes");
    std::fs::read(&path).expect("it was just written")
}

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}
