//! Credentials and tokens are seen nowhere: not in the log at its loudest, not in an error, not in a file, not in the process list.

use super::support::{Place, Portal, Ran, due, file, until};

const SECRET: &str = "hunter2-of-the-portal";

fn bytes_hold(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

fn nothing_holds(place: &Place, secret: &str) {
    for entry in std::fs::read_dir(place.path("")).unwrap() {
        let path = entry.unwrap().path();
        assert!(!bytes_hold(&std::fs::read(&path).unwrap(), secret), "{}", path.display());
    }
}

#[test]
fn a_refused_secret_is_in_no_error_no_log_and_no_file() {
    let portal = Portal::start();
    let place = Place::with(&file(&portal.address, &due("one", "1", 3))).with_credentials("hunter1-the-client", SECRET);
    for command in [&["init", "--yes"][..], &["check", "--online"], &["discover", "partners"], &["run", "--once"]] {
        let ran = Ran::of(&place.command(&[&["-vv"], command].concat()).env("RENEWD_LOG", "trace").output().unwrap());
        assert!(ran.code != Some(0) && !(ran.out + &ran.err).contains(SECRET), "{command:?}");
        nothing_holds(&place, SECRET);
    }
}

#[test]
fn a_working_secret_and_its_token_are_in_no_log_no_file_and_no_process_list() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 3));
    let mut command = place.command(&["run", "-vv"]);
    let log = place.path("log");
    command.env("RENEWD_LOG", "trace").env_remove("RENEWD_CLIENT_SECRET").env("RENEWD_CLIENT_SECRET_FILE", place.path("secret"));
    std::fs::write(place.path("secret"), "sandbox").unwrap();
    std::fs::set_permissions(place.path("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    until("the order is placed", || (portal.orders().len() == 1).then_some(()));
    until("the log says so", || std::fs::read_to_string(&log).unwrap().contains("order placed").then_some(()));
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(place.path("secret")).unwrap();
    assert!(!bytes_hold(&arguments, "sandbox"));
    // The sandbox's tokens begin with a word of their own; and the form of the token call carries the secret.
    for telling in ["client_secret", "grant_type", "Bearer ", "sandbox-token"] {
        nothing_holds(&place, telling);
    }
}

#[test]
fn a_secret_that_stands_in_the_file_is_refused_and_not_repeated() {
    let portal = Portal::start();
    let wrong =
        file(&portal.address, &due("one", "1", 3)).replace("[schedule]", &format!("client_secret = \"{SECRET}\"\n[schedule]"));
    let place = Place::with(&wrong);
    for command in [&["check"][..], &["check", "--json"], &["plan"], &["init", "--yes"], &["run", "--sandbox"]] {
        let ran = Ran::of(&place.command(command).env("RENEWD_LOG", "trace").output().unwrap()).ended(78);
        assert!(!(ran.out + &ran.err).contains(SECRET), "{command:?}");
    }
    assert!(!place.database().exists());
}
