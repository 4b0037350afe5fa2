//! What the measurements share: folders, portals, the daemon as a process, and how a figure is printed.

mod engine;
mod machine;
mod place;
mod portal;

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;

pub use engine::{engine, runtime};
pub use place::{Place, RENEWD, due, entries, file, later, settled, well};
pub use portal::Portal;

/// Prints one figure beside the bound of the design, if it has one, and the machine it was measured on.
pub fn report(what: &str, figure: &str, bound: Option<(&str, bool)>) -> Result<()> {
    let judged = match bound {
        Some((bound, met)) => format!("bound {bound}: {}", if met { "met" } else { "NOT MET" }),
        None => "no bound".to_owned(),
    };
    Ok(writeln!(std::io::stdout(), "{what}: {figure} ({judged}) [{}]", machine::words())?)
}

/// The middle one of several measurements, which a busy moment of the machine does not move.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds, for people.
pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
