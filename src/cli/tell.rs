//! `notify --test`: tries each channel, so that a broken one is found before it is needed.

use clap::Args;

use super::output::{BAD, GOOD, say};
use super::{Exit, Failure, Global};
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::config::model::Notify;
use crate::notify::Channel;

/// Options of `notify`.
#[derive(Debug, Args)]
pub(super) struct Tell {
    /// Send a test message on every channel
    #[arg(long, required = true)]
    test: bool,
}

impl Tell {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let parsed = Config::from_file(&global.config_path())?;
        let Notify::Channels(channels) = &parsed.config.notify else {
            return Err(Failure::Failed(anyhow::anyhow!("the file names no channel; add webhook or command to [notify]")));
        };
        let mut failed = 0;
        for (channel, result) in Channel::test(channels, WallClock.now()).await {
            match result {
                Ok(()) => say!("{GOOD}ok{GOOD:#}   {channel:?} took the message")?,
                Err(error) => {
                    failed += 1;
                    say!("{BAD}bad{BAD:#}  {error}")?;
                }
            }
        }
        if failed == 0 { Ok(Exit::Fine) } else { Err(anyhow::anyhow!("{failed} of the channels failed").into()) }
    }
}
