//! `backup` and `restore`: a consistent copy while running; and back, under the lock (R9).
//!
//! A restored database orders nothing until it has been compared with the portal and accepted: it does not know what was ordered
//! after the copy was made.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{GOOD, say};
use super::{Exit, Failure, Global, submit};
use crate::daemon::accept::SAY_AGAIN;
use crate::daemon::lock::Lock;
use crate::store::{Opening, Store};

/// Options of `backup`.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where the copy goes; must not exist
    file: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The copy
    file: PathBuf,
    /// Answer yes, for scripts
    #[arg(long)]
    yes: bool,
}

impl Backup {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        if self.file.exists() {
            return Err(anyhow::anyhow!("{} exists; a backup never overwrites", self.file.display()).into());
        }
        let mut store = global
            .read_database()
            .await?
            .ok_or_else(|| anyhow::anyhow!("there is no database at {}", global.database_path().display()))?;
        private(&self.file)?;
        if let Err(error) = store.backup(&self.file).await {
            std::fs::remove_file(&self.file)?; // half a copy is none, and would be in the way of the next one
            return Err(error.into());
        }
        std::fs::File::open(&self.file)?.sync_all()?;
        say!("{GOOD}ok{GOOD:#}   {} holds {}", self.file.display(), global.database_path().display())?;
        Ok(Exit::Fine)
    }
}

/// An empty file of mode 0640, which `SQLite` then fills: the copy is as private as the database.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o640).open(path).map(drop)
}

impl Restore {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let path = global.database_path();
        let _lock = Lock::take(&path)?;
        if path.exists() && !self.yes {
            return Err(Failure::Usage(format!(
                "{} exists and would be replaced (it is kept as {}); look at what is in it, then add --yes",
                path.display(),
                aside(&path, 0).display()
            )));
        }
        let fresh = path.with_extension("restoring");
        std::fs::copy(&self.file, &fresh)?;
        let checked = mark_restored(&fresh, &self.file).await;
        if let Err(error) = checked {
            std::fs::remove_file(&fresh)?;
            return Err(error);
        }
        // What an earlier restore has put aside may be the only good one.
        if path.exists() {
            let kept = (0..MOST_ASIDE).map(|n| aside(&path, n)).find(|kept| !kept.exists());
            let Some(kept) = kept else {
                std::fs::remove_file(&fresh)?;
                return Err(anyhow::anyhow!(
                    "{} and others like it are in the way; move them elsewhere",
                    aside(&path, 0).display()
                )
                .into());
            };
            std::fs::rename(&path, &kept)?;
            say!("{GOOD}ok{GOOD:#}   the database that was there is kept as {}", kept.display())?;
        }
        // Side files of the old database would be replayed into the new one.
        for side in ["-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(with(&path, side));
        }
        std::fs::rename(&fresh, &path)?;
        std::fs::File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?
            .sync_all()?;
        say!(
            "{GOOD}ok{GOOD:#}   {} is restored. Nothing is ordered until the portal's list has been read after the settling time and you have run: renewd accept",
            path.display()
        )?;
        say!("     Before: {SAY_AGAIN}")?;
        Ok(Exit::Fine)
    }
}

async fn mark_restored(fresh: &Path, from: &Path) -> Result<(), Failure> {
    let opened = Store::open(fresh, Opening::Existing).await;
    let mut store = opened.map_err(|error| {
        let why = anyhow::Error::from(error);
        anyhow::anyhow!("{} is no usable backup, and nothing was replaced: {}; use another one", from.display(), why.root_cause())
    })?;
    let integrity = store.integrity().await?;
    if integrity != "ok" {
        return Err(anyhow::anyhow!("{} is damaged: {integrity}; use another backup", from.display()).into());
    }
    if store.installation().await?.is_none() {
        store.close().await?;
        return Err(anyhow::anyhow!("{} is no backup of a renewd database; nothing was replaced", from.display()).into());
    }
    let now = submit::now(&mut store).await?;
    store.doubt(now, &format!("the database was restored from {}", from.display())).await?;
    Ok(store.close().await?)
}

/// So many databases that restores have put aside may stand there.
const MOST_ASIDE: u32 = 1000;

fn aside(path: &Path, earlier: u32) -> PathBuf {
    let number = if earlier == 0 { String::new() } else { format!("-{earlier}") };
    with(path, &format!(".before-restore{number}"))
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
