//! The instance lock: one daemon for one database (R8).
//!
//! Owns two files beside the database and holds `flock` on both for life. The kernel gives them back when the process ends, however
//! it ends, so a stale lock cannot exist. Taken before the database is opened: sqlx takes none of its own.
//!
//! `.lock` decides, and only the owner may open it: whoever can open a file can hold `flock` on it, and a member of the group must
//! not be able to keep the daemon from starting. `.running` decides nothing; by it the group sees that a daemon is there.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::fs_std::FileExt;

use crate::store::open::private_file;

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
    #[error("{database} belongs to user id {owner}, and you are {us}; use: {}", instead(database, *owner))]
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
        "another process uses {database} too: the lock file was deleted under this daemon, which leaves and orders nothing more; \
         never delete that file, a stale one harms nobody"
    )]
    Lost {
        /// The database.
        database: PathBuf,
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
    #[allow(dead_code, reason = "held, not used: closing the file gives the lock back")]
    announced: Option<File>,
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
        let file = take_file(database)?;
        Ok(Self { file, announced: announce(database).ok(), database: database.to_owned() })
    }

    /// Whether somebody holds the lock of `database`, without taking it: an error says who. A reader may ask.
    pub fn look(database: &Path) -> Result<(), LockError> {
        let file = match File::open(beside(database, ".running")) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(LockError::Io { database: database.to_owned(), source }),
        };
        match FileExt::try_lock_shared(&file) {
            Ok(false) => Err(held(database)),
            _ => Ok(()),
        }
    }

    /// The lock file is still the one that is held. One that was deleted is made anew, unless another process was faster.
    pub fn assert_held(&mut self) -> Result<(), LockError> {
        let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        let there = std::fs::metadata(beside(&self.database, ".lock")).map(id);
        if matches!((there, self.file.metadata().map(id)), (Ok(there), Ok(held)) if there == held) {
            return Ok(());
        }
        match take_file(&self.database) {
            Ok(anew) => {
                tracing::warn!("the lock file of {} was deleted; it is made anew", self.database.display());
                self.file = anew;
                Ok(())
            }
            Err(LockError::Held { database, .. }) => Err(LockError::Lost { database }),
            Err(error) => {
                tracing::warn!("{error}");
                Ok(()) // the old one is still held, and the database itself refuses what must not be
            }
        }
    }
}

/// Another process gives it back soon if it only does what one command asks.
fn take_file(database: &Path) -> Result<File, LockError> {
    let io = |source| LockError::Io { database: database.to_owned(), source };
    let file = own_file(&beside(database, ".lock")).map_err(io)?;
    if lock_in_time(&file, pause).map_err(io)? { Ok(file) } else { Err(held(database)) }
}

/// Opens `path` for nobody but its owner, made if it is not there, whatever the umask or an older renewd made of it.
fn own_file(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600)).map(|()| file)
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// For those who look. Without it everything works, and `renewd status` says that no daemon runs.
fn announce(database: &Path) -> std::io::Result<File> {
    let mut file = private_file(&beside(database, ".running"))?;
    // Who looks holds it for a moment, shared.
    if !lock_in_time(&file, pause)? {
        return Err(ErrorKind::WouldBlock.into());
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

/// Tries for a fifth of a second.
fn lock_in_time(file: &File, mut wait: impl FnMut()) -> std::io::Result<bool> {
    for _ in 0..20 {
        if FileExt::try_lock_exclusive(file)? {
            return Ok(true);
        }
        wait();
    }
    Ok(false)
}

fn held(database: &Path) -> LockError {
    let holder = std::fs::read_to_string(beside(database, ".running")).unwrap_or_else(|_| "unknown".to_owned());
    LockError::Held { database: database.to_owned(), holder: holder.trim().to_owned() }
}

/// What the owner's commands are run by: under the packages that is their script, which has the credentials too.
fn instead(database: &Path, owner: u32) -> String {
    if database.starts_with("/var/lib/renewd") && Path::new("/usr/sbin/renewd-as-service").exists() {
        return "sudo renewd-as-service COMMAND".to_owned();
    }
    format!("sudo -u '#{owner}' renewd COMMAND")
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
        std::fs::remove_file(beside(&database, ".lock")).unwrap();
        first.assert_held().unwrap();
        assert!(matches!(Lock::take(&database), Err(LockError::Held { .. })));
        std::fs::remove_file(beside(&database, ".lock")).unwrap();
        let second = Lock::take(&database).unwrap();
        let lost = first.assert_held().unwrap_err();
        assert!(matches!(&lost, LockError::Lost { .. }), "{lost}");
        drop(second);
    }

    #[test]
    fn a_member_of_the_group_can_see_the_daemon_and_cannot_keep_it_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("renewd.db");
        let daemon = Lock::take(&database).unwrap();
        let mode = |ending| std::fs::metadata(beside(&database, ending)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(".lock"), mode(".running")), (0o600, 0o640));
        assert!(Lock::look(&database).is_err());
        drop(daemon);
        // What the group may open it may also hold.
        let readable = File::open(beside(&database, ".running")).unwrap();
        FileExt::lock_shared(&readable).unwrap();
        Lock::take(&database).unwrap();
        Lock::look(&database).unwrap();
    }

    #[test]
    fn somebody_who_looks_at_the_lock_keeps_no_daemon_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renewd.db.running");
        let mut looking = Some(private_file(&path).unwrap());
        FileExt::lock_shared(looking.as_ref().unwrap()).unwrap();
        let file = File::open(&path).unwrap();
        assert!(!lock_in_time(&file, || {}).unwrap());
        assert!(lock_in_time(&file, || drop(looking.take())).unwrap());
    }
}
