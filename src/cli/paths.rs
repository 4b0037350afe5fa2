//! Which file and which database a command means (R8, R28).

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

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
            None if !here.exists() && may_be_there(Path::new(SYSTEM_CONFIG)) => SYSTEM_CONFIG.into(),
            None => here,
        }
    }

    /// The database: the one named, else by the file; the sandbox has its own. A symlink is followed: lock and seal stand beside the file
    /// itself, whatever name it was reached by (R8).
    pub(super) fn database_path(&self) -> PathBuf {
        let named = self.database_named();
        if named.is_symlink() { std::fs::canonicalize(&named).unwrap_or(named) } else { named }
    }

    fn database_named(&self) -> PathBuf {
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

    /// `text` with every command that it names as a person must type it here: with these options, or as the service. What the database keeps
    /// for people is read in other folders too, so this is done when it is shown.
    pub(super) fn here(&self, text: &str) -> String {
        let flags = self.flags();
        if !self.is_service() && (flags.is_empty() || text.contains(flags.trim_start())) {
            return text.to_owned();
        }
        let (program, flags) = if self.is_service() { ("sudo renewd-as-service", "") } else { ("renewd", flags.as_str()) };
        let commands = super::Cli::command();
        let names = |rest: &str| {
            let word = rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
            let whole = rest.split('`').next().unwrap_or_default();
            !whole.contains("--database FILE") && commands.get_subcommands().any(|command| command.get_name() == word)
        };
        let mut shown = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("renewd ") {
            shown += before;
            shown += if names(after) { program } else { "renewd" };
            shown += if names(after) { flags } else { "" };
            shown.push(' ');
            rest = after;
        }
        shown + rest
    }

    /// The same options for who reads a message in another folder and another shell: none where they would be found anyway.
    pub(super) fn typed_elsewhere(&self) -> Self {
        let whole = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let config = Some(whole(self.config_path())).filter(|path| path != Path::new(SYSTEM_CONFIG));
        Self { config, database: self.database.clone().map(whole), ..self.clone() }
    }

    /// `renewd COMMAND` as a person must type it here, for messages.
    pub(super) fn command(&self, command: &str) -> String {
        if self.is_service() { format!("sudo renewd-as-service {command}") } else { format!("renewd{} {command}", self.flags()) }
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

/// A file that this user may not look at may be there: reading it says so, while "missing" would send people looking elsewhere.
fn may_be_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn global(arguments: &[&str]) -> Global {
        Cli::parse_from([&["renewd"], arguments, &["status"]].concat()).global
    }

    #[test]
    fn a_command_in_a_message_finds_the_same_files() {
        let there = global(&["--config", "/srv/a b.toml", "--database", "/srv/r.db"]);
        assert_eq!(
            there.here("look, then: renewd approve one or renewd skip one"),
            "look, then: renewd --config '/srv/a b.toml' --database /srv/r.db approve one or \
             renewd --config '/srv/a b.toml' --database /srv/r.db skip one"
        );
        let played = global(&["--sandbox"]);
        assert_eq!(played.here("run `renewd init --sandbox`"), "run `renewd init --sandbox`", "it stands there already");
        for text in ["systemctl restart renewd", "restart renewd and look", "`renewd init --database FILE`"] {
            assert_eq!(there.here(text), text);
        }
        assert_eq!(global(&[]).here("renewd accept"), "renewd accept");
    }

    #[test]
    fn what_is_read_in_another_folder_names_files_by_their_whole_path() {
        let there = global(&["--config", "r.toml", "--database", "r.db"]).typed_elsewhere();
        let here = std::env::current_dir().unwrap();
        let said = there.here("renewd approve one");
        assert_eq!(said, format!("renewd --config {0}/r.toml --database {0}/r.db approve one", here.display()));
        let standard = global(&["--config", SYSTEM_CONFIG]).typed_elsewhere();
        assert_eq!((standard.config, standard.database), (None, None));
    }

    #[test]
    fn a_file_that_may_not_be_looked_at_is_not_taken_for_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!may_be_there(&folder.path().join("renewals.toml")));
        // A file in the way of the folder: no user, not even root, may look behind it.
        std::fs::write(folder.path().join("etc"), "").unwrap();
        assert!(may_be_there(&folder.path().join("etc/renewals.toml")));
    }
}
