//! From a path to a [`Parsed`] file.
//!
//! Owns what can be wrong before the first line is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::diagnostic::Diagnostics;
use super::limits::MAX_FILE;
use super::model::Config;
use super::{Parsed, parse_and_keep};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nothing is there.
    #[error("there is no file {path:?}; name it with --config FILE, or start from the renewals.toml that comes with renewd")]
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// A folder is there.
    #[error("{path:?} is a folder, not a file; name the file in it with --config FILE")]
    Directory {
        /// What was looked at.
        path: PathBuf,
    },
    /// A pipe, a socket or a device is there.
    #[error("{path:?} is no regular file; name a file with --config FILE")]
    NoFile {
        /// What was looked at.
        path: PathBuf,
    },
    /// It is there, and not for this user.
    #[error(
        "{path:?} may not be read by this user; its owner may, and members of its group: use sudo, or let `sudo usermod -aG renewd \
         USER` make you one of them and log in again; --config FILE names another file"
    )]
    Denied {
        /// What was opened.
        path: PathBuf,
    },
    /// It is there and cannot be read.
    #[error("{path:?} cannot be read ({cause}); check that the user renewd runs as may read it")]
    Unreadable {
        /// What was opened.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Larger than any list of renewals.
    #[error("{path:?} is larger than {} MiB; is it the right file?", MAX_FILE / 1024 / 1024)]
    TooLarge {
        /// What was read.
        path: PathBuf,
    },
    /// Not text.
    #[error("{path:?} is not UTF-8 text: line {line} has a wrong byte (byte {byte} of the file); save it as UTF-8")]
    NotUtf8 {
        /// What was read.
        path: PathBuf,
        /// The line of the first wrong byte, from 1.
        line: usize,
        /// The first wrong byte, from 1.
        byte: usize,
    },
    /// Read, and wrong.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}

impl Config {
    /// Reads and checks the file at `path`.
    pub fn from_file(path: &Path) -> Result<Parsed, ConfigError> {
        let source = text(path, bytes(path)?)?;
        Ok(parse_and_keep(&path.to_string_lossy(), source)?)
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut bytes = Vec::new();
    // Opening a pipe would wait for somebody to write to it.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(ConfigError::NoFile { path: path.to_owned() });
    }
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    let path = path.to_owned();
    match read {
        Ok(_) if bytes.len() as u64 > MAX_FILE => Err(ConfigError::TooLarge { path }),
        Ok(_) => Ok(bytes),
        Err(cause) => Err(match cause.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing { path },
            io::ErrorKind::PermissionDenied => ConfigError::Denied { path },
            io::ErrorKind::IsADirectory => ConfigError::Directory { path },
            _ => ConfigError::Unreadable { path, cause },
        }),
    }
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, ConfigError> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].split(|byte| *byte == b'\n').count();
        ConfigError::NotUtf8 { path: path.to_owned(), line, byte: good + 1 }
    })
}
