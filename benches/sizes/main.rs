//! The sizes of docs/performance.md, measured: `cargo bench` for all of them, `cargo bench -- NAME` for some.
//!
//! Measures and prints. Never fails because of a figure: machines differ, and a test that depends on one says nothing.

mod binary;
mod burst;
mod file;
mod help;
mod idle;
mod start;
mod tick;

use anyhow::{Result, bail};

/// Measures something and prints it.
type Measure = fn() -> Result<()>;

/// Every measurement, by the name that chooses it.
const ALL: [(&str, Measure); 7] = [
    ("binary", binary::measure),
    ("start", start::measure),
    ("file", file::measure),
    ("tick", tick::measure),
    ("burst", burst::measure),
    ("syncs", burst::syncs::measure),
    ("idle", idle::measure),
];

fn main() -> Result<()> {
    // cargo itself adds --bench.
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let Some(unknown) = asked.iter().find(|word| ALL.iter().all(|(name, _)| name != word)) {
        let names = ALL.map(|(name, _)| name).join(", ");
        bail!("there is no measurement {unknown}; there are {names}");
    }
    for (_, measure) in ALL.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|word| word == name)) {
        measure()?;
    }
    Ok(())
}
