//! The database, or its folder, cannot be written.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::scene::{A_MINUTE, Scene};
use super::support::{Daemon, RENEWD, due};

/// Modes bind everybody but root, so root plays somebody else.
const NOBODY: u32 = 65534;

/// A scene whose files belong to a user whom modes bind.
fn scene() -> Scene {
    let scene = Scene::with(&due("one", "1", 3));
    if is_root() {
        fs::copy(RENEWD, scene.path("renewd")).unwrap(); // where it was built may be closed to others
        for file in fs::read_dir(folder(&scene)).unwrap() {
            chown(file.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(folder(&scene), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    scene
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn folder(scene: &Scene) -> std::path::PathBuf {
    scene.database().parent().unwrap().to_owned()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn renewd(scene: &Scene) -> Command {
    let ours = scene.command(&[]);
    let mut command = if is_root() { Command::new(scene.path("renewd")) } else { Command::new(RENEWD) };
    command.arg("run").current_dir(folder(scene));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    for (name, value) in ours.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    command
}

#[test]
fn a_read_only_database_or_folder_is_refused_at_the_start_and_orders_nothing() {
    for (what, on_file, on_folder) in [("the database", 0o440, 0o750), ("the folder", 0o640, 0o550), ("both", 0o440, 0o550)] {
        let scene = scene();
        mode(&scene.database(), on_file);
        mode(&folder(&scene), on_folder);
        let mut daemon = Daemon::of(renewd(&scene));
        let (status, _) = daemon.ended();
        assert_eq!(status.code(), Some(1), "{what}: {}", daemon.log());
        assert!(daemon.log().contains("renewd.db"), "{what}: {}", daemon.log());
        scene.ordered_nothing();
        mode(&folder(&scene), 0o750);
        mode(&scene.database(), 0o640);
        let daemon = Daemon::of(renewd(&scene));
        scene.is_ordered_once();
        daemon.stop();
    }
}

#[test]
fn a_folder_that_becomes_read_only_orders_nothing_says_so_and_goes_on_after() {
    let scene = scene();
    scene.portal.fault("list=500");
    let daemon = Daemon::of(renewd(&scene));
    daemon.says("looked for the first time");
    scene.clock(0); // the file is there before the folder is closed
    mode(&folder(&scene), 0o550);
    fs::write(scene.path("clock"), A_MINUTE.to_string()).unwrap_or_else(|_| panic!("the clock is this test's own file"));
    daemon.says("cannot keep the seal");
    scene.ordered_nothing();
    mode(&folder(&scene), 0o750);
    scene.clock(4 * A_MINUTE);
    scene.is_ordered_once();
    daemon.stop();
}
