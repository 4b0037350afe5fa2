//! What a daemon costs that has nothing to do.

use std::fs::read_to_string;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::help::{Place, Portal, entries, file, later, report};

/// Two minutes, so that what happens once a minute is in it.
const WATCHED: Duration = Duration::from_mins(2);
/// After the start: allocations of it are given back, and the first look is over.
const SETTLED: Duration = Duration::from_secs(5);

pub fn measure() -> Result<()> {
    let portal = Portal::open()?;
    let place = Place::with(&(file(portal.address) + &entries(0..300, later())))?;
    let (daemon, _) = place.start()?;
    std::thread::sleep(SETTLED);
    let (began, before) = (Instant::now(), processor_time(daemon.id())?);
    std::thread::sleep(WATCHED);
    let spent = processor_time(daemon.id())?.saturating_sub(before);
    let share = spent.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    let resident = resident(daemon.id())?;
    let memory = format!("{}.{} MB, 300 renewals", resident / 1_000_000, resident % 1_000_000 / 100_000);
    report("idle: resident memory", &memory, Some(("16 MB", resident <= 16_000_000)))?;
    let figure = format!("{share:.3} % of a core, over {} s", WATCHED.as_secs());
    report("idle: processor time", &figure, Some(("0.1 %", share <= 0.1)))
}

/// Of every thread, in nanoseconds (Documentation/scheduler/sched-stats.rst); the ticks of `stat` are too coarse for this.
fn processor_time(process: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let text = read_to_string(thread?.path().join("schedstat")).context("this kernel keeps no schedstat")?;
        total += text.split(' ').next().context("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

/// Bytes.
fn resident(process: u32) -> Result<u64> {
    let status = read_to_string(format!("/proc/{process}/status"))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()).context("no VmRSS")?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}
