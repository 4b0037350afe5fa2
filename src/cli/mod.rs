//! The command line: what a person types, and everything that is printed.
//!
//! Owns the arguments, the exit codes and all printing. Each command is one file. Never decides what is ordered.

mod alive;
mod audit;
mod backup;
mod check;
mod columns;
mod discover;
mod exit;
mod history;
mod init;
mod once;
mod online;
mod output;
mod paths;
mod plan;
mod play;
mod resolve;
mod run;
mod sandbox;
mod shell;
mod status;
mod steer;
mod submit;
mod tell;
mod words;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use exit::{Exit, Failure};

/// renewd renews Yeastar subscriptions through the Partner Portal API: on time, never twice, never silently.
#[derive(Debug, Parser)]
#[command(name = "renewd", version, about, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The file of renewals [default: ./renewals.toml, then /etc/renewd/renewals.toml]
    #[arg(long, env = "RENEWD_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database [default: /var/lib/renewd/renewd.db for a file in /etc/renewd, else renewd.db beside the file]
    #[arg(long, env = "RENEWD_DATABASE", global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Use the built-in portal and its own database, renewd-sandbox.db: nothing is spent
    #[arg(long, global = true)]
    sandbox: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,
    /// How the log is written
    #[arg(long, env = "RENEWD_LOG_FORMAT", global = true, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create the database for a real portal: reads the whole order list, shows what was found, and asks
    Init(init::Init),
    /// The daemon: places every order that is due, on time
    Run(run::Run),
    /// Check the file; every mistake at once
    Check(check::Check),
    /// Show what would be ordered, when and why; spends nothing. Exit code 0: nothing due in the span, 2: something
    Plan(plan::Plan),
    /// One screen: what needs a person, the daemon, the next orders, the last orders
    Status(status::Status),
    /// Everything that happened to one renewal
    History(history::History),
    /// Order the next term now; only inside its lead, or with --term
    Order(steer::Order),
    /// Approve the order that waits, exactly as shown
    Approve(steer::Approve),
    /// Do not renew the next term; ends its chain until `rebase`
    Skip(steer::Skip),
    /// Keep the next order back until `release`
    Hold(steer::Back),
    /// Let a held order go
    Release(steer::Release),
    /// Begin another chain of terms on the day on which what is paid ends
    Rebase(steer::Rebase),
    /// Settle what the daemon cannot: which order it was, that there was none, or that it is dead
    Resolve(resolve::Resolve),
    /// Order nothing until `resume`; deadline warnings go on
    Pause(steer::Pause),
    /// End a pause
    Resume(steer::Plain),
    /// Accept what waits for a person: an edit that removes much, another file, a restored database, the clock
    Accept(steer::Accept),
    /// Look up products, services, partners and billing contacts in the portal
    Discover(discover::Discover),
    /// Check the audit log and compare it with the orders; or export it
    Audit(audit::Audit),
    /// A consistent copy of the database, also while the daemon runs
    Backup(backup::Backup),
    /// Put a copy back; nothing is ordered until it has been compared with the portal and accepted
    Restore(backup::Restore),
    /// Try the channels by which people are told
    Notify(tell::Tell),
    /// Serve the built-in portal alone, on loopback, with faults to switch on
    Sandbox(sandbox::Serve),
    /// Print the completions for a shell
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// Runs what was asked for.
pub async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    output::colour(cli.global.color);
    output::log(&cli.global, cli.global.sandbox && matches!(&cli.command, Command::Run(run) if run.plays()));
    let global = &cli.global;
    chosen(cli.command, global).await.map_err(|failure| failure.with_commands(|text| global.here(text)))
}

async fn chosen(command: Command, global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::Init(init) => init.run(global).await,
        Command::Run(run) => run.run(global).await,
        Command::Check(check) => check.run(global).await,
        Command::Plan(plan) => plan.run(global).await,
        Command::Status(status) => status.run(global).await,
        Command::History(history) => history.run(global).await,
        Command::Order(order) => order.run(global).await,
        Command::Approve(approve) => approve.run(global).await,
        Command::Skip(skip) => skip.run(global).await,
        Command::Hold(back) => back.hold(global).await,
        Command::Release(release) => release.run(global).await,
        Command::Rebase(rebase) => rebase.run(global).await,
        Command::Resolve(resolve) => resolve.run(global).await,
        Command::Pause(pause) => pause.run(global).await,
        Command::Resume(plain) => plain.resume(global).await,
        Command::Accept(accept) => accept.run(global).await,
        Command::Audit(audit) => audit.run(global).await,
        Command::Backup(backup) => backup.run(global).await,
        Command::Restore(restore) => restore.run(global).await,
        Command::Notify(tell) => tell.run(global).await,
        Command::Discover(discover) => discover.run(global).await,
        Command::Sandbox(sandbox) => sandbox.run(global).await,
        Command::Completions { shell } => shell::completions(shell),
        Command::Man => shell::man(),
    }
}
