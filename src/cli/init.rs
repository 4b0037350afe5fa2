//! `init`: creates and binds the database for a real portal (R8).
//!
//! Owns the one moment at which a database may come to be. Reads the whole order list, shows what was found, and asks; orders nothing.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use jiff::tz::TimeZone;

use super::output::{BOLD, GOOD, plain, say};
use super::words::{counted, minute_of};
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
        if !self.yes && !std::io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "init asks a question, and there is no terminal to ask on; look at `renewd plan`, then add --yes".to_owned(),
            ));
        }
        let parsed = Config::from_file(&global.config_path())?;
        run::client(&parsed.config)?; // wrong credentials are found before anything is created
        let path = global.database_path();
        let _lock = Lock::take(&path)?;
        if let Some(gone) = run::gone(global) {
            return Err(Failure::Config(format!(
                "{gone}. If it is lost, and there is no backup: look in the portal what is renewed, write that into the file, delete {}.seal, and run init again",
                path.display()
            )));
        }
        let mut store = Store::open(&path, Opening::Create).await?;
        match store.installation().await? {
            None => store.install(Kind::Portal, &run::seed(), parsed.config.portal.base_url.as_str(), WallClock.now()).await?,
            Some(installation) if installation.kind == Kind::Sandbox => {
                let why = format!("{} belongs to the sandbox for ever; use another --database", path.display());
                return Err(run::refused(store, Failure::Config(why)).await);
            }
            Some(_) if store.account().await?.bound_at.is_some() => {
                store.close().await?;
                say!("{} is bound already; nothing was changed.", path.display())?;
                return Ok(Exit::Fine);
            }
            Some(_) => store.aim(parsed.config.portal.base_url.as_str()).await?,
        }
        if let Err(failure) = run::take_file(&mut store, global, &parsed, WallClock.now()).await {
            return Err(run::refused(store, failure).await);
        }
        let mut engine = run::engine(global, store, parsed.config.clone()).await?;
        engine.recover().await?; // the first seal is there before the account is bound (R9)
        say!("Reading the whole order list of {} …", parsed.config.portal.base_url)?;
        let found = match engine.read_whole_list().await? {
            Ok(found) => found,
            Err(error) => return Err(run::refused(engine.store, error.into()).await),
        };
        let exit = if self.confirmed(global, &parsed.config.zone, found, &mut engine.store).await? {
            engine.store.bind_account(WallClock.now(), found).await?;
            say!("{GOOD}Bound.{GOOD:#} Next: {}, then {}", global.command("plan"), global.start_command())?;
            Exit::Fine
        } else {
            say!("Not bound; nothing will be ordered. Run init again when you are ready.")?;
            Exit::Something
        };
        engine.store.close().await?;
        Ok(exit)
    }

    async fn confirmed(&self, global: &Global, zone: &TimeZone, found: i64, store: &mut Store) -> Result<bool, Failure> {
        let upcoming = store.upcoming(5).await?;
        say!("The order list of the portal holds {BOLD}{}{BOLD:#}.", counted(found, "order"))?;
        say!("An order in it that is newer than the paid term and for the same customer holds a renewal until you have looked.")?;
        if upcoming.is_empty() {
            say!("There is nothing to renew in {} yet.", global.config_path().display())?;
        } else {
            say!("{BOLD}The first to be renewed{BOLD:#} of {}:", global.config_path().display())?;
        }
        for row in &upcoming {
            let (due, quantity) = (minute_of(&row.due_at, zone), row.quantity.unwrap_or(1));
            say!("  {due}  {} x{quantity} (expires {})", plain(&row.renewal), row.expires_on)?;
        }
        if self.yes {
            return Ok(true);
        }
        let mut out = anstream::stdout();
        write!(out, "Bind {} to this portal account? Type yes: ", global.database_path().display())?;
        out.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(answer.trim() == "yes")
    }
}
