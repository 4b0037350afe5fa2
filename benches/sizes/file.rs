//! A file of 100,000 entries, from the disk into the database.

use std::time::Duration;

use anyhow::Result;

use crate::help::{Place, Portal, entries, file, later, median, report};

const BOUND: Duration = Duration::from_millis(1500);
const ENTRIES: u64 = 100_000;

/// `run --once` reads, checks and syncs the file, and does the rest of a start and of an end; `check` only reads and checks it.
pub fn measure() -> Result<()> {
    let (mut checks, mut syncs, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let portal = Portal::open()?;
        let place = Place::with(&file(portal.address))?;
        place.write(&(file(portal.address) + &entries(0..ENTRIES, later())))?;
        checks.push(place.done(&["check"])?);
        syncs.push(place.done(&["run", "--once"])?);
        again.push(place.done(&["run", "--once"])?);
    }
    let (check, sync, again) = (median(checks), median(syncs), median(again));
    let figure = format!("{:.2} s", sync.as_secs_f64());
    report(
        "file: 100,000 entries read, checked and synced by `run --once` (median of 3)",
        &figure,
        Some(("1.5 s", sync <= BOUND)),
    )?;
    let figure = format!("{:.2} s; `run --once` of an unchanged file {:.2} s", check.as_secs_f64(), again.as_secs_f64());
    report("file: the same only read and checked by `check`", &figure, None)
}
