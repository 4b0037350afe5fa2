//! `completions` and `man`: drawn from the arguments themselves, so they cannot be out of date.

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, Failure};

/// Completions for `shell`, on standard output.
pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "renewd", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(Exit::Fine)
}

/// The manual page, on standard output.
pub(super) fn man() -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    std::io::stdout().write_all(&text)?;
    Ok(Exit::Fine)
}
