use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use crate::config::credentials::load;

/// An environment of its own, and files beside it.
struct World {
    folder: tempfile::TempDir,
    variables: HashMap<String, OsString>,
}

impl World {
    fn new(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        Self { folder: tempfile::tempdir().unwrap(), variables }
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn named(mut self, variable: &str, path: &Path) -> Self {
        self.variables.insert(variable.to_owned(), path.into());
        self
    }

    fn load(&self) -> Result<(String, String), String> {
        let both = load(&|name| self.variables.get(name).cloned());
        let both = both.map_err(|error| format!("{error} {error:?}"))?;
        Ok((both.client_id.expose_secret().to_owned(), both.client_secret.expose_secret().to_owned()))
    }
}

fn both(id: &str, secret: &str) -> (String, String) {
    (id.to_owned(), secret.to_owned())
}

#[test]
fn credentials_come_from_the_environment() {
    let world = World::new(&[("RENEWD_CLIENT_ID", "id-1"), ("RENEWD_CLIENT_SECRET", "se+cr/et=")]);
    assert_eq!(world.load(), Ok(both("id-1", "se+cr/et=")));
}

#[test]
fn credentials_come_from_systemd_whatever_mode_it_gave_them() {
    let world = World::new(&[]);
    world.file("portal-client-id", b"id-1\n", 0o444);
    world.file("portal-client-secret", b"secret-1\r\n", 0o444);
    let folder = world.folder.path().to_owned();
    assert_eq!(world.named("CREDENTIALS_DIRECTORY", &folder).load(), Ok(both("id-1", "secret-1")));
}

#[test]
fn credentials_come_from_files_that_only_their_owner_reads() {
    let world = World::new(&[("RENEWD_CLIENT_ID", "id-1")]);
    let path = world.file("secret", b"secret-1\n", 0o600);
    let world = world.named("RENEWD_CLIENT_SECRET_FILE", &path);
    assert_eq!(world.load(), Ok(both("id-1", "secret-1")));
    world.file("secret", b"secret-1", 0o640);
    let error = world.load().unwrap_err();
    assert!(error.contains("run: chmod 600") && !error.contains("secret-1"), "{error}");
}

#[test]
fn a_missing_half_is_named() {
    assert!(World::new(&[]).load().unwrap_err().contains("no portal credentials"));
    let error = World::new(&[("RENEWD_CLIENT_ID", "id-1")]).load().unwrap_err();
    assert!(error.contains("the client secret is missing") && error.contains("RENEWD_CLIENT_SECRET_FILE"), "{error}");
    let error = World::new(&[("RENEWD_CLIENT_SECRET", "hidden-1")]).load().unwrap_err();
    assert!(error.contains("the client id is missing") && !error.contains("hidden-1"), "{error}");
}

#[test]
fn a_half_given_twice_is_refused_and_both_places_are_named() {
    let world = World::new(&[("RENEWD_CLIENT_ID", "id-1"), ("RENEWD_CLIENT_SECRET", "hidden-1")]);
    let path = world.file("secret", b"hidden-1\n", 0o600);
    let error = world.named("RENEWD_CLIENT_SECRET_FILE", &path).load().unwrap_err();
    assert!(error.contains("by RENEWD_CLIENT_SECRET_FILE (") && error.contains("and by RENEWD_CLIENT_SECRET;"), "{error}");
    assert!(!error.contains("hidden-1"), "{error}");
}

#[test]
fn what_is_no_credential_is_refused_unseen() {
    for (value, word) in
        [("", "is empty"), ("\n", "is empty"), ("hidden 1", "contains"), ("hidden-1\n\n", "contains"), (" hidden-1", "contains")]
    {
        let error = World::new(&[("RENEWD_CLIENT_ID", "id-1"), ("RENEWD_CLIENT_SECRET", value)]).load().unwrap_err();
        assert!(
            error.contains(word) && error.contains("RENEWD_CLIENT_SECRET") && !error.contains("hidden"),
            "{value:?}: {error}"
        );
    }
    let world = World::new(&[("RENEWD_CLIENT_ID", "id-1")]);
    let path = world.file("secret", b"hidden\xff", 0o600);
    assert!(world.named("RENEWD_CLIENT_SECRET_FILE", &path).load().unwrap_err().contains("contains"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let world = World::new(&[("RENEWD_CLIENT_ID", "id-1"), ("RENEWD_CLIENT_SECRET_FILE", "/nowhere/secret")]);
    let error = world.load().unwrap_err();
    assert!(error.contains("cannot be read from RENEWD_CLIENT_SECRET_FILE (/nowhere/secret)"), "{error}");
}
