//! `history NAME`: everything that happened to one renewal, from the audit log.

use clap::Args;
use serde_json::{Value, json};

use super::output::{BOLD, DIM, plain, print, print_json, say, table};
use super::{Exit, Failure, Global, steer};

/// Options of `history`.
#[derive(Debug, Args)]
pub(super) struct History {
    /// The name in the file
    name: String,
}

impl History {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Some(mut store) = global.read_database().await? else {
            return Err(anyhow::anyhow!("there is no database at {} yet", global.database_path().display()).into());
        };
        let subscription = steer::find(&mut store, &self.name).await?;
        let rows = store.audit_of(subscription).await?;
        let term = store.current_term(subscription).await?;
        if global.json {
            let state = term.map(
                |t| json!({"state": t.state.word(), "starts_on": t.span.starts_on, "reason": t.detail, "what_to_do": t.remedy}),
            );
            print_json(&json!({"renewal": self.name, "current_term": state, "events": rows}))?;
            return Ok(Exit::Fine);
        }
        let mut events = table(&["when (UTC)", "what", "order", "po number", "detail"]);
        for row in &rows {
            let cell = |text: &Option<String>| plain(text.as_deref().unwrap_or("-"));
            let when = row.at.get(..16).unwrap_or(&row.at).replace('T', " ");
            events.add_row([when, row.kind.clone(), cell(&row.order_no), cell(&row.po_number), plain(&summary(&row.detail))]);
        }
        print(&events)?;
        if let Some(term) = term {
            let why = term.detail.map(|detail| format!(": {}", plain(&detail))).unwrap_or_default();
            say!(
                "{BOLD}Now{BOLD:#} the term from {} to {} is {}{why}",
                term.span.starts_on,
                term.span.ends_on,
                term.state.word().replace('_', " ")
            )?;
            if let Some(remedy) = term.remedy {
                say!("{DIM}do   {}{DIM:#}", plain(&global.here(&remedy)))?;
            }
        }
        Ok(Exit::Fine)
    }
}

/// The details that say something to a person, in a line; the whole of them is in `--json` and in the database.
fn summary(detail: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(detail) else { return detail.to_owned() };
    let shown = fields.iter().filter(|(key, value)| !value.is_null() && !value.is_object() && key.as_str() != "request_id");
    let words = shown.map(|(key, value)| match value {
        Value::String(text) => format!("{}: {text}", key.replace('_', " ")),
        other => format!("{}: {other}", key.replace('_', " ")),
    });
    words.collect::<Vec<_>>().join(", ")
}
