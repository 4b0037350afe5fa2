//! `renewd`: parse, dispatch, and end with the right exit code.

use std::process::ExitCode;

use clap::Parser as _;
use renewd::cli::{Cli, Failure, dispatch};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    if let Err(error) = enough_descriptors() {
        return fail(&Failure::Failed(anyhow::anyhow!(
            "cannot keep {DESCRIPTORS} files open: {error}; raise the limit (ulimit -n, or LimitNOFILE= of the unit)"
        )));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::Failed(error.into())),
    };
    match runtime.block_on(dispatch(cli)) {
        Ok(exit) => exit.code(),
        Err(failure) => fail(&failure),
    }
}

/// A runtime, a database with its side files, a batch of connections, the log.
const DESCRIPTORS: usize = 64;

/// The runtime panics where it gets none; that is no message for people.
fn enough_descriptors() -> std::io::Result<()> {
    (0..DESCRIPTORS).map(|_| std::fs::File::open("/dev/null")).collect::<std::io::Result<Vec<_>>>().map(drop)
}

/// Help and version are fine; anything else is wrong usage (64, not clap's 2, which here means "something is due").
fn explain(error: &clap::Error) -> ExitCode {
    let wrong = error.use_stderr();
    // There is nowhere left to report that printing failed.
    let _ = error.print();
    if wrong { ExitCode::from(64) } else { ExitCode::SUCCESS }
}

fn fail(failure: &Failure) -> ExitCode {
    if failure.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    failure.explain();
    failure.code()
}
