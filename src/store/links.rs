//! One database has one name.
//!
//! Owns refusing a file with several hard links: each name would have a lock and a seal of its own, so two daemons could order from one
//! database (R8). A link to the file (symlink) is no second name: the command line follows it before anything is locked.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A database file with more than one name.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path} has {links} names (hard links), and each would have a lock of its own: two daemons could order from one database. \
     Find the others with: find / -xdev -samefile {path}; remove all but one, and copy it with `renewd backup` where a copy was meant"
)]
pub struct Linked {
    path: PathBuf,
    links: u64,
}

/// Refuses a file with several names. One that cannot be looked at is left to whoever opens it.
pub(super) fn refuse_several(path: &Path) -> Result<(), Linked> {
    match std::fs::metadata(path) {
        Ok(file) if file.nlink() > 1 => Err(Linked { path: path.to_owned(), links: file.nlink() }),
        _ => Ok(()),
    }
}
