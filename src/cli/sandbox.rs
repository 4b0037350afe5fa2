//! `sandbox`: the built-in portal alone, on loopback, with faults to switch on.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::output::{BOLD, DIM, say};
use super::{Exit, Failure, Global, play};
use crate::clock::WallClock;
use crate::config::Config;
use crate::sandbox::{Sandbox, catalogue::Catalogue, faults, serve, settings::Settings};

/// Options of `sandbox`.
#[derive(Debug, Args)]
#[command(after_help = fault_help())]
pub(super) struct Serve {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8021)]
    port: u16,
    /// Where the ledger of orders is kept [default: in memory]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// A fault to switch on from the start, such as save=lost-answer; may be repeated
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
}

fn fault_help() -> String {
    let words = faults::Fault::all().iter().map(|word| {
        let argument = if word.argument.is_empty() { String::new() } else { format!(":{}", word.argument) };
        format!("  {:<22} {}", format!("{}{argument}", word.word), word.what)
    });
    format!(
        "Faults: TARGET=WORD[:ARGUMENT][+done|+undone|+later[:DURATION]][*TIMES], where TARGET is save, list, get, token or any.\n{}\n\nThey can also be switched on while it runs: POST lines of them to /_sandbox/faults. GET /_sandbox/orders shows the ledger.",
        words.collect::<Vec<_>>().join("\n")
    )
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let instructions = self
            .faults
            .iter()
            .map(|text| faults::parse(text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let sandbox = self.sandbox(global)?;
        for instruction in instructions {
            sandbox.switch_on(instruction);
        }
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).await?;
        let address = listener.local_addr()?;
        say!("{BOLD}The built-in portal{BOLD:#} is at http://{address}; nothing is spent. Stop it with Ctrl-C.")?;
        say!("In renewals.toml:   [portal] base_url = \"http://{address}\"")?;
        say!("Credentials:        RENEWD_CLIENT_ID={0} RENEWD_CLIENT_SECRET={0}", play::SANDBOX)?;
        say!("{DIM}Faults, ledger:     POST http://{address}/_sandbox/faults, GET http://{address}/_sandbox/orders{DIM:#}")?;
        let stop = CancellationToken::new();
        let leave = stop.clone();
        tokio::spawn(async move {
            let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = async { match term.as_mut() { Some(term) => term.recv().await, None => std::future::pending().await } } => {}
            }
            leave.cancel();
        });
        serve(sandbox, listener, stop).await?;
        Ok(Exit::Fine)
    }

    /// With a file of renewals at hand, only its ids are known, as at the real portal; without one, any id is accepted.
    fn sandbox(&self, global: &Global) -> Result<Sandbox, Failure> {
        let path = global.config_path();
        let catalogue =
            if path.exists() { Some(Catalogue::for_entries(&Config::from_file(&path)?.config.entries)) } else { None };
        let settings = Settings { catalogue, ..Settings::default() };
        Ok(match &self.ledger {
            Some(file) => Sandbox::open(file, Arc::new(WallClock), settings)?,
            None => Sandbox::new(Arc::new(WallClock), settings),
        })
    }
}
