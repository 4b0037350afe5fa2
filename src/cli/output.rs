//! Tables, colours, JSON and the log.
//!
//! Owns how things look: tables fit the terminal, colour only on one, and never with `NO_COLOR`. The log goes to standard error,
//! or, where that leads to the journal, there with its fields.

mod journal;

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::{Failure, Global, LogFormat};

/// A heading.
pub(super) const BOLD: Style = Style::new().bold();
/// What is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What needs a person.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What can wait.
pub(super) const DIM: Style = Style::new().dimmed();

/// Writes to standard output; `head` going away is not an error worth words.
macro_rules! say {
    ($($word:tt)*) => {{
        use std::io::Write as _;
        writeln!(anstream::stdout(), $($word)*)
    }};
}
pub(super) use say;

/// A table without lines, with these headings.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Disabled); // a pipe has no width, and scripts want whole lines
    }
    table.set_header(headings.to_vec());
    table
}

/// Prints a table without the padding at the ends of its lines.
pub(super) fn print(table: &Table) -> std::io::Result<()> {
    let mut out = anstream::stdout();
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// Prints one JSON document.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    say!("{text}")?;
    Ok(())
}

/// Whether what goes to standard error may be coloured.
pub(super) fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Text of others (names from the file, answers of the portal) without control characters: a terminal obeys those.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Colours what is printed as asked; by default only on a terminal.
pub(super) fn colour(choice: clap::ColorChoice) {
    let choice = match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Starts the log: quiet by default, one line for each event that matters.
pub(super) fn log(global: &Global, quiet: bool) {
    let level = match global.verbose {
        0 if quiet => "error", // what happens is printed already
        0 => "info",
        1 => "renewd=debug,info",
        _ => "debug",
    };
    // The scheduler's chatter says nothing about renewals.
    let default = format!("{level},tokio_cron_scheduler=warn,sqlx=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn");
    let filter = EnvFilter::try_from_env("RENEWD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    if global.log_format == LogFormat::Text
        && let Some(journal) = journal::Journal::behind_stderr()
    {
        return tracing_subscriber::registry().with(journal.with_filter(filter)).init();
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // It would complain on standard error, and panic where that is closed: in the middle of an order, or on being asked to leave.
    let log = log.log_internal_errors(false);
    match global.log_format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.with_ansi(colour_on_stderr() && std::io::stderr().is_terminal()).init(),
    }
}
