//! `init`: creates and binds the database for a real portal (R8).
//!
//! Owns the one moment at which a database may come to be. Reads the whole order list, shows what was found, and asks; orders nothing.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;

use super::output::{BOLD, GOOD, say};
use super::{Exit, Failure, Global, run};
use crate::clock::{Clock as _, WallClock};
use crate::config::Config;
use crate::daemon::lock::Lock;
use crate::store::account::Kind;
use crate::store::{Opening, Store};

/// Options of `init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Answer yes, for scripts
    #[arg(long)]
    yes: bool,
}

impl Init {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        if global.sandbox {
            return Err(Failure::Usage("the sandbox needs no init: renewd run --sandbox".to_owned()));
        }
        let parsed = Config::from_file(&global.config_path())?;
        run::client(&parsed.config)?; // wrong credentials are found before anything is created
        let path = global.database_path();
        let _lock = Lock::take(&path)?;
        let mut store = Store::open(&path, Opening::Create).await?;
        match store.installation().await? {
            None => store.install(Kind::Portal, &run::seed(), parsed.config.portal.base_url.as_str(), WallClock.now()).await?,
            Some(installation) if installation.kind == Kind::Sandbox => {
                return Err(Failure::Config(format!(
                    "error: {} belongs to the sandbox for ever; use another --database",
                    path.display()
                )));
            }
            Some(_) if store.account().await?.bound_at.is_some() => {
                say!("{} is bound already; nothing was changed.", path.display())?;
                return Ok(Exit::Fine);
            }
            Some(_) => {}
        }
        run::take_file(&mut store, global, &parsed, WallClock.now()).await?;
        let mut engine = run::engine(global, store, parsed.config.clone()).await?;
        say!("Reading the whole order list of {} …", parsed.config.portal.base_url)?;
        let found = engine.read_whole_list().await??;
        let exit = if self.confirmed(global, found, &mut engine.store).await? {
            engine.store.bind_account(WallClock.now(), found).await?;
            say!("{GOOD}Bound.{GOOD:#} Next: renewd plan{}, then renewd run", global.flags())?;
            Exit::Fine
        } else {
            say!("Not bound; nothing will be ordered. Run init again when you are ready.")?;
            Exit::Something
        };
        engine.store.close().await?;
        Ok(exit)
    }

    async fn confirmed(&self, global: &Global, found: i64, store: &mut Store) -> Result<bool, Failure> {
        let upcoming = store.upcoming(5).await?;
        say!(
            "{BOLD}{found} orders{BOLD:#} are in the portal. They are known from now on: an order for the same customer that is newer than the paid term holds a renewal."
        )?;
        say!("{BOLD}The first orders{BOLD:#} of {}:", global.config_path().display())?;
        for row in &upcoming {
            say!("  {}  {} x{} (expires {})", row.due_at, row.renewal, row.quantity.unwrap_or(1), row.expires_on)?;
        }
        if self.yes {
            return Ok(true);
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "init asks a question, and there is no terminal to ask on; look at the above and add --yes".to_owned(),
            ));
        }
        let mut out = anstream::stdout();
        write!(out, "Bind {} to this portal account? Type yes: ", global.database_path().display())?;
        out.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(answer.trim() == "yes")
    }
}
