//! `check`: every mistake in the file at once; with `--online`, what only the portal can tell, read-only.

use clap::Args;
use serde_json::json;

use super::online::{self, Finding, Verdict};
use super::output::{BAD, BOLD, DIM, GOOD, plain, print_json, say};
use super::words::counted;
use super::{Exit, Failure, Global, alive, run};
use crate::clock::{Clock as _, WallClock};
use crate::config::{Config, ConfigError, Parsed, check_dates};
use crate::store::reports::AttentionRow;

/// Options of `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Also ask the portal, read-only: credentials, ids, and every assumption about it that reading can check
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let parsed = match Config::from_file(&global.config_path()).and_then(dates) {
            Ok(parsed) => parsed,
            Err(ConfigError::Invalid(found)) if global.json => {
                print_json(&found.to_json())?;
                let mistakes = counted(found.errors(), "mistake");
                return Err(Failure::Config(format!("{mistakes} in {}", global.config_path().display())));
            }
            Err(error) => return Err(error.into()),
        };
        let online = if self.online { online::ask(global, &parsed.config).await? } else { Vec::new() };
        let worries = alive::worries(global).await?;
        let bad = online.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
        if global.json {
            print_json(
                &json!({"file": global.config_path(), "renewals": parsed.config.entries.len(), "warnings": parsed.warnings.to_json(), "attention": worries, "online": online}),
            )?;
        } else {
            report(global, &parsed, &worries, &online)?;
        }
        if bad > 0 {
            Err(Failure::Failed(anyhow::anyhow!("{bad} of {} against the portal failed", counted(online.len(), "check"))))
        } else {
            Ok(Exit::Fine)
        }
    }
}

/// R5: a date too far ahead is a mistake like any other.
fn dates(parsed: Parsed) -> Result<Parsed, ConfigError> {
    let today = WallClock.now().to_zoned(parsed.config.zone.clone()).date();
    let far = check_dates(&parsed.config, today);
    if far.is_empty() { Ok(parsed) } else { Err(parsed.show_dates(&far).into()) }
}

fn report(global: &Global, parsed: &Parsed, worries: &[AttentionRow], online: &[Finding]) -> Result<(), Failure> {
    if !parsed.warnings.is_empty() {
        say!("{}", parsed.warnings.render(true))?;
    }
    let renewals = parsed.config.entries.len();
    say!("{GOOD}ok{GOOD:#}   {}: {}", global.config_path().display(), counted(renewals, "renewal"))?;
    if renewals == 0 {
        say!("{BAD}note{BAD:#} there is no [[renewal]] in it, so nothing would be renewed")?;
    }
    if let Err(note) = run::require_channel(&parsed.config) {
        say!("{BAD}note{BAD:#} {note}")?;
    }
    for worry in worries {
        let (reason, help) = (worry.reason.as_deref().unwrap_or_default(), worry.what_to_do.as_deref().unwrap_or_default());
        say!("{BAD}note{BAD:#} {}; {}", plain(reason), plain(&global.here(help)))?;
    }
    for finding in online {
        let style = match finding.verdict {
            Verdict::Ok => GOOD,
            Verdict::NotYet => DIM,
            Verdict::Differs => BOLD,
            Verdict::Bad => BAD,
        };
        say!("{style}{}{style:#} {}", finding.verdict.word(), plain(&global.here(&finding.line())))?;
    }
    Ok(())
}
