//! A program of the user's that is told on its standard input. It gets no credentials: its environment is cleared.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Failed;

/// Runs the program once, within `timeout`; it is killed after.
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
        .spawn()
        .map_err(|error| Failed { wrong: is_wrong(&error), what: format!("cannot run {program}: {error}") })?;
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
        Err(_) => Err(Failed::now(format!("{program} took longer than {} s and was killed", timeout.as_secs()))),
    }
}

/// Missing, or not a program: waiting mends nothing. A machine that is out of processes or memory is another matter.
fn is_wrong(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    const ENOEXEC: i32 = 8;
    matches!(error.kind(), NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidInput)
        || error.raw_os_error() == Some(ENOEXEC)
}
