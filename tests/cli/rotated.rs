//! Credentials that are rotated while the daemon runs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::support::{Daemon, Portal, due, until};

#[test]
fn credentials_in_a_file_are_read_again_and_nothing_waits_for_a_restart() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    let put = |secret: &str| {
        fs::write(place.path("secret"), secret).unwrap();
        fs::set_permissions(place.path("secret"), Permissions::from_mode(0o600)).unwrap();
    };
    put("no");
    let mut command = place.command(&["run"]);
    command.env_remove("RENEWD_CLIENT_SECRET").env("RENEWD_CLIENT_SECRET_FILE", place.path("secret"));
    let daemon = Daemon::of(command);
    let notice = until("it is told", || place.rows("what_to_do", "notice").pop());
    assert!(notice.as_str().unwrap().contains("client"), "{notice}");
    assert_eq!(portal.calls("save"), 0);
    put("sandbox");
    daemon.signal("HUP");
    until("it is ordered", || (portal.orders().len() == 1).then_some(()));
    daemon.stop();
}
