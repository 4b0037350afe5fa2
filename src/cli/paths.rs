//! Which file and which database a command means (R8, R28).

use std::path::{Path, PathBuf};

use super::{Failure, Global};
use crate::renewal::typed::typed;
use crate::store::{OpenError, Opening, Store};

const SYSTEM_CONFIG: &str = "/etc/renewd/renewals.toml";
const SYSTEM_STATE: &str = "/var/lib/renewd";
/// The packages' script that runs a command as the service does: its user, its credentials, its file.
const AS_SERVICE: &str = "/usr/sbin/renewd-as-service";

impl Global {
    /// The file of renewals: the one named, else the one here, else the system's.
    pub(super) fn config_path(&self) -> PathBuf {
        let here = PathBuf::from("renewals.toml");
        match &self.config {
            Some(path) => path.clone(),
            None if !here.exists() && Path::new(SYSTEM_CONFIG).exists() => SYSTEM_CONFIG.into(),
            None => here,
        }
    }

    /// The database: the one named, else by the file; the sandbox has its own.
    pub(super) fn database_path(&self) -> PathBuf {
        if let Some(path) = &self.database {
            return path.clone();
        }
        let config = std::path::absolute(self.config_path()).unwrap_or_else(|_| self.config_path());
        let folder =
            if config.starts_with("/etc/renewd") { Path::new(SYSTEM_STATE) } else { config.parent().unwrap_or(Path::new(".")) };
        folder.join(if self.sandbox { "renewd-sandbox.db" } else { "renewd.db" })
    }

    /// The database for reading, or nothing if there is none yet.
    pub(super) async fn read_database(&self) -> Result<Option<Store>, Failure> {
        match Store::open(&self.database_path(), Opening::ReadOnly).await {
            Ok(store) => Ok(Some(store)),
            Err(OpenError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// `renewd COMMAND` as a person must type it here, for messages.
    pub(super) fn command(&self, command: &str) -> String {
        if self.is_service() { format!("sudo renewd-as-service {command}") } else { format!("renewd {command}{}", self.flags()) }
    }

    /// How a person starts the daemon here, for messages.
    pub(super) fn start_command(&self) -> String {
        if self.is_service() { "sudo systemctl enable --now renewd".to_owned() } else { self.command("run") }
    }

    /// Whether this is the database of the packaged service: what writes it needs the service's user and credentials.
    pub(super) fn is_service(&self) -> bool {
        self.database_path() == Path::new(SYSTEM_STATE).join("renewd.db") && Path::new(AS_SERVICE).exists()
    }

    /// How a person would type this command's options again, for messages.
    pub(super) fn flags(&self) -> String {
        let option = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| format!(" {name} {}", typed(&path.to_string_lossy()))).unwrap_or_default()
        };
        let sandbox = if self.sandbox { " --sandbox" } else { "" };
        option("--config", &self.config) + &option("--database", &self.database) + sandbox
    }
}
