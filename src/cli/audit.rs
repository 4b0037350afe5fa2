//! `audit verify` and `audit export`: whether the log is whole, and whether both ledgers agree (promise 3).

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::output::{BAD, GOOD, plain, print_json, say};
use super::words::counted;
use super::{Exit, Failure, Global};
use crate::store::audit::{AuditRow, verify_chain};

/// Options of `audit`.
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check the hash chain, and compare the log with the orders and with the portal's list as last read
    Verify,
    /// Print the whole log
    Export {
        /// In which form
        #[arg(long, default_value = "csv")]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Json,
}

impl Audit {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut store = global
            .read_database()
            .await?
            .ok_or_else(|| anyhow::anyhow!("there is no database at {}", global.database_path().display()))?;
        let rows = store.audit_rows().await?;
        match self.what {
            What::Export { format } => export(&rows, if global.json { Format::Json } else { format }),
            What::Verify => {
                let mut wrong: Vec<String> = Vec::new();
                let head = verify_chain(&rows).map_err(|broken| wrong.push(format!("row {}: {}", broken.seq, broken.what))).ok();
                wrong.extend(store.ledgers_disagree().await?);
                report(global, &rows, head.as_deref(), &wrong)
            }
        }
    }
}

fn report(global: &Global, rows: &[AuditRow], head: Option<&str>, wrong: &[String]) -> Result<Exit, Failure> {
    if global.json {
        print_json(&json!({"rows": rows.len(), "head": head, "wrong": wrong}))?;
    } else {
        match head {
            Some(head) => say!("{GOOD}ok{GOOD:#}   {} rows, each linked to the one before; head {head}", rows.len())?,
            None => say!("{BAD}bad{BAD:#}  the chain is broken")?,
        }
        wrong.iter().try_for_each(|what| say!("{BAD}bad{BAD:#}  {}", plain(what)))?;
        if wrong.is_empty() {
            say!(
                "{GOOD}ok{GOOD:#}   every order of the log is an order of the database and of the portal's list as last read, and the reverse"
            )?;
        }
    }
    if wrong.is_empty() { Ok(Exit::Fine) } else { Err(anyhow::anyhow!("{} found", counted(wrong.len(), "disagreement")).into()) }
}

fn export(rows: &[AuditRow], format: Format) -> Result<Exit, Failure> {
    match format {
        Format::Json => print_json(&rows)?,
        Format::Csv => {
            say!("seq,at,kind,renewal,po_number,order_no,transaction_no,detail,hash")?;
            for row in rows {
                let cells = [
                    Some(row.at.clone()),
                    Some(row.kind.clone()),
                    row.renewal.clone(),
                    row.po_number.clone(),
                    row.order_no.clone(),
                    row.transaction_no.clone(),
                    Some(row.detail.clone()),
                    Some(row.hash.clone()),
                ];
                let cells: Vec<String> = cells.iter().map(|cell| quoted(cell.as_deref().unwrap_or_default())).collect();
                say!("{},{}", row.seq, cells.join(","))?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// A CSV field (RFC 4180). A leading `=`, `+`, `-` or `@` would be a formula in a spreadsheet, so it is quoted behind an apostrophe.
fn quoted(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
