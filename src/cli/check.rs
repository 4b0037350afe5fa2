//! `check`: every mistake in the file at once; with `--online`, what only the portal can tell, read-only.

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::output::{BAD, GOOD, plain, print_json, say};
use super::words::counted;
use super::{Exit, Failure, Global, discover, run};
use crate::clock::{Clock as _, WallClock};
use crate::config::{Config, ConfigError, Parsed, check_dates};
use crate::portal::client::PortalClient;
use crate::portal::http::HttpTransport;
use crate::renewal::subscription::Party;

/// Options of `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Also ask the portal, read-only: credentials, partners, billing contacts, the order list
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
        let online = if self.online { online(global, &parsed.config).await? } else { Vec::new() };
        let bad = online.iter().filter(|finding| !finding.well).count();
        if global.json {
            print_json(
                &json!({"file": global.config_path(), "renewals": parsed.config.entries.len(), "warnings": parsed.warnings.to_json(), "online": online}),
            )?;
        } else {
            report(global, &parsed, &online)?;
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

fn report(global: &Global, parsed: &Parsed, online: &[Finding]) -> Result<(), Failure> {
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
    for finding in online {
        let (style, word) = if finding.well { (GOOD, "ok  ") } else { (BAD, "bad ") };
        say!("{style}{word}{style:#} {}", plain(&finding.what))?;
    }
    Ok(())
}

/// What one question to the portal found.
#[derive(Debug, serde::Serialize)]
struct Finding {
    well: bool,
    what: String,
}

async fn online(global: &Global, config: &Config) -> Result<Vec<Finding>, Failure> {
    let stop = CancellationToken::new();
    let portal = if global.sandbox { discover::sandbox(config, stop.clone()).await? } else { run::client(config)? };
    let findings = ask(&portal, config).await;
    stop.cancel();
    Ok(findings)
}

async fn ask(portal: &PortalClient<HttpTransport>, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = portal.ready().await {
        findings.push(Finding { well: false, what: format!("credentials: {error}") });
        return findings;
    }
    findings.push(Finding { well: true, what: "the credentials are accepted".to_owned() });
    findings.push(partners(portal, config).await);
    findings.push(contacts(portal, config).await);
    findings.push(match portal.orders(1, 25).await {
        Ok(page) => Finding {
            well: true,
            what: format!(
                "the order list can be read ({})",
                page.value.total.map_or("an unknown number of orders".to_owned(), |n| counted(n, "order"))
            ),
        },
        Err(error) => Finding { well: false, what: format!("the order list: {error}") },
    });
    findings
}

async fn partners(portal: &PortalClient<HttpTransport>, config: &Config) -> Finding {
    match portal.partners().await {
        Ok(list) => {
            let known: Vec<&str> = list.value.rows.iter().filter_map(|row| row.partner_id.as_deref()).collect();
            let wanted = config.entries.iter().filter_map(|entry| {
                if let Party::Partner(id) = entry.identity.party { Some((entry, id.to_string())) } else { None }
            });
            let missing: Vec<String> = wanted
                .filter(|(_, id)| !known.contains(&id.as_str()))
                .map(|(entry, id)| format!("{} ({id})", entry.name))
                .collect();
            missing_or_well("partners", &missing, "renewd discover partners")
        }
        Err(error) => Finding { well: false, what: format!("partners: {error}") },
    }
}

async fn contacts(portal: &PortalClient<HttpTransport>, config: &Config) -> Finding {
    match portal.contacts().await {
        Ok(list) => {
            let known: Vec<&str> = list.value.rows.iter().filter_map(|row| row.billing_contact_id.as_deref()).collect();
            let wanted: std::collections::BTreeSet<String> =
                config.entries.iter().map(|entry| entry.billing_id.to_string()).collect();
            let missing: Vec<String> = wanted.into_iter().filter(|id| !known.contains(&id.as_str())).collect();
            missing_or_well("billing contacts", &missing, "renewd discover contacts")
        }
        Err(error) => Finding { well: false, what: format!("billing contacts: {error}") },
    }
}

fn missing_or_well(what: &str, missing: &[String], command: &str) -> Finding {
    if missing.is_empty() {
        return Finding { well: true, what: format!("all {what} are known to the portal") };
    }
    Finding { well: false, what: format!("{what} that the portal does not list: {}; see `{command}`", missing.join(", ")) }
}
