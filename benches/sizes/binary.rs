//! How large the program is.

use anyhow::Result;

use crate::help::report;

/// In bytes: 12 MB.
const BOUND: u64 = 12_000_000;

pub fn measure() -> Result<()> {
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_renewd"))?.len();
    let figure = format!("{}.{:02} MB", size / 1_000_000, size % 1_000_000 / 10_000);
    report("binary: the program, stripped", &figure, Some(("12 MB", size <= BOUND)))
}
