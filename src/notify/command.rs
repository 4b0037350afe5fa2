//! A program of the user's that is told on its standard input. It gets no credentials: its environment is cleared.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Failed;

/// Runs the program once, within `timeout`; it is killed after, and what it has started with it.
pub(super) async fn run(argv: &[String], body: &str, timeout: Duration) -> Result<(), Failed> {
    let Some((program, arguments)) = argv.split_first() else { return Err(Failed::always("no program is named".to_owned())) };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .map_err(|error| Failed { wrong: is_wrong(&error), what: format!("cannot run {program}: {error}") })?;
    let group = child.id();
    let told = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input is not at fault for that.
            let _ = stdin.write_all(body.as_bytes()).await;
        }
        child.wait().await
    };
    match tokio::time::timeout(timeout, told).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Failed::now(format!("{program} ended with {status}"))),
        Ok(Err(error)) => Err(Failed::now(format!("{program}: {error}"))),
        Err(_) => {
            kill_all(group);
            Err(Failed::now(format!("{program} took longer than {} s and was killed", timeout.as_secs())))
        }
    }
}

/// A script that hangs does so in a program that it started: killed alone, it would leave one behind at every try.
fn kill_all(group: Option<u32>) {
    let group = group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // Gone already, it needs no killing.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Missing, or not a program: waiting mends nothing. A machine that is out of processes or memory is another matter.
fn is_wrong(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    const ENOEXEC: i32 = 8;
    matches!(error.kind(), NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidInput)
        || error.raw_os_error() == Some(ENOEXEC)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn what_a_program_that_hangs_has_started_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > '{0}.new'; mv '{0}.new' '{0}'; wait", file.display());
        let argv = ["sh".to_owned(), "-c".to_owned(), script];
        let told = run(&argv, "{}", Duration::from_secs(2)).await;
        assert!(told.unwrap_err().what.contains("was killed"));
        let child = std::fs::read_to_string(&file).unwrap();
        let lives = || {
            let stat = std::fs::read_to_string(Path::new("/proc").join(child.trim()).join("stat")).unwrap_or_default();
            stat.contains("sleep") && !stat.contains(") Z")
        };
        let began = Instant::now();
        while lives() {
            assert!(began.elapsed() < Duration::from_secs(30), "{child} is still there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
