//! The instance lock: one daemon for one database (R8).
//!
//! Owns the file beside the database and holds `flock` on it for life. The kernel gives it back when the process ends, however
//! it ends, so a stale lock cannot exist. Taken before the database is opened: sqlx takes none of its own.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::fs_std::FileExt;

/// `SYS_UID_MAX` of login.defs(5): above it are people.
const LAST_SYSTEM_USER: u32 = 999;

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works on this database.
    #[error("{database} is in use by process {holder}; stop it first, or use the commands that talk to it (renewd status)")]
    Held {
        /// The database.
        database: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// R8: a user other than the owner must not write here: files of another owner would lock the daemon out.
    #[error("{database} belongs to user id {owner}, and you are {us}; use: sudo -u '#{owner}' renewd …")]
    OtherUser {
        /// The database.
        database: PathBuf,
        /// Its owner.
        owner: u32,
        /// The effective user id of this process.
        us: u32,
    },
    /// The lock file was deleted, and another process has made and locked its own.
    #[error(
        "process {holder} uses {database} too: the lock file was deleted under this daemon, which leaves and orders nothing more; \
         never delete that file, a stale one harms nobody"
    )]
    Lost {
        /// The database.
        database: PathBuf,
        /// What the other one wrote about itself.
        holder: String,
    },
    /// The lock file could not be made.
    #[error("cannot lock {database}: {source}; does its folder belong to the user who runs renewd?")]
    Io {
        /// The database.
        database: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The held lock. Dropping it gives it back.
#[derive(Debug)]
pub struct Lock {
    file: File,
    database: PathBuf,
}

impl Lock {
    /// Takes the lock of `database`, without waiting.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io { database: database.to_owned(), source };
        if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        refuse_other_user(database)?;
        let mut file = crate::store::open::private_file(&path(database)).map_err(io)?;
        if !lock_in_time(&file, || std::thread::sleep(Duration::from_millis(10))).map_err(io)? {
            return Err(held(database, &mut file));
        }
        // Who holds it is a courtesy: a full disk must not keep the lock from being held.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { file, database: database.to_owned() })
    }

    /// The lock file is still the one that is held. One that was deleted is made anew, unless another process was faster.
    pub fn assert_held(&mut self) -> Result<(), LockError> {
        let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        let there = std::fs::metadata(path(&self.database)).map(id);
        if matches!((there, self.file.metadata().map(id)), (Ok(there), Ok(held)) if there == held) {
            return Ok(());
        }
        match Self::take(&self.database) {
            Ok(anew) => {
                tracing::warn!("the lock file of {} was deleted; it is made anew", self.database.display());
                *self = anew;
                Ok(())
            }
            Err(LockError::Held { database, holder }) => Err(LockError::Lost { database, holder }),
            Err(error) => {
                tracing::warn!("{error}");
                Ok(()) // the old one is still held, and the database itself refuses what must not be
            }
        }
    }
}

/// Beside the database.
fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// `renewd status` looks by holding the lock for a moment, shared; that must not keep a daemon from starting.
fn lock_in_time(file: &File, mut wait: impl FnMut()) -> std::io::Result<bool> {
    for _ in 0..20 {
        if FileExt::try_lock_exclusive(file)? {
            return Ok(true);
        }
        wait();
    }
    Ok(false)
}

fn held(database: &Path, file: &mut File) -> LockError {
    let mut holder = String::new();
    match file.read_to_string(&mut holder) {
        Ok(_) => LockError::Held { database: database.to_owned(), holder: holder.trim().to_owned() },
        Err(source) => LockError::Io { database: database.to_owned(), source },
    }
}

impl Lock {
    /// Whether somebody holds the lock of `database`, without taking it: an error says who. A reader may ask.
    pub fn look(database: &Path) -> Result<(), LockError> {
        let mut file = match File::open(path(database)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(LockError::Io { database: database.to_owned(), source }),
        };
        match FileExt::try_lock_shared(&file) {
            Ok(false) => Err(held(database, &mut file)),
            _ => Ok(()),
        }
    }
}

fn refuse_other_user(database: &Path) -> Result<(), LockError> {
    let Ok(process) = std::fs::metadata("/proc/self") else { return Ok(()) };
    let us = process.uid();
    match owner(database, us) {
        Some(owner) if owner != us => Err(LockError::OtherUser { database: database.to_owned(), owner, us }),
        _ => Ok(()),
    }
}

/// Who must own the files here. Before there is a database, root in the folder of a system user must not make one: `sudo renewd init`
/// in /var/lib/renewd would lock out the daemon that the folder is for.
fn owner(database: &Path, us: u32) -> Option<u32> {
    if let Ok(file) = std::fs::metadata(database) {
        return Some(file.uid());
    }
    let folder = database.parent().and_then(|folder| std::fs::metadata(folder).ok())?;
    (us == 0 && (1..=LAST_SYSTEM_USER).contains(&folder.uid())).then_some(folder.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_refused_and_told_who_holds_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("renewd.db");
        let held = Lock::take(&database).unwrap();
        let error = Lock::take(&database).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(held);
        Lock::take(&database).unwrap();
    }

    #[test]
    fn a_deleted_lock_file_is_made_anew_and_a_second_daemon_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("renewd.db");
        let mut first = Lock::take(&database).unwrap();
        first.assert_held().unwrap();
        std::fs::remove_file(path(&database)).unwrap();
        first.assert_held().unwrap();
        assert!(matches!(Lock::take(&database), Err(LockError::Held { .. })));
        std::fs::remove_file(path(&database)).unwrap();
        let second = Lock::take(&database).unwrap();
        let lost = first.assert_held().unwrap_err();
        assert!(matches!(&lost, LockError::Lost { .. }), "{lost}");
        drop(second);
    }

    #[test]
    fn somebody_who_looks_at_the_lock_keeps_no_daemon_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renewd.db.lock");
        let mut looking = Some(crate::store::open::private_file(&path).unwrap());
        FileExt::lock_shared(looking.as_ref().unwrap()).unwrap();
        let file = File::open(&path).unwrap();
        assert!(!lock_in_time(&file, || {}).unwrap());
        assert!(lock_in_time(&file, || drop(looking.take())).unwrap());
    }
}
