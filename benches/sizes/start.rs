//! From the start of the process until it tells systemd that it is ready.

use std::time::Duration;

use anyhow::Result;

use crate::help::{Place, Portal, entries, file, later, median, ms, report};

const BOUND: Duration = Duration::from_millis(150);

pub fn measure() -> Result<()> {
    let few = ready(300, 20)?;
    report("start: until ready, 300 renewals (median of 20)", &ms(few), Some(("150 ms", few <= BOUND)))?;
    let many = ready(100_000, 3)?;
    report("start: until ready, 100,000 renewals (median of 3)", &ms(many), None)
}

fn ready(renewals: u64, times: usize) -> Result<Duration> {
    let portal = Portal::open()?;
    let place = Place::with(&(file(portal.address) + &entries(0..renewals, later())))?;
    let starts = (0..times).map(|_| Ok(place.start()?.1)).collect::<Result<Vec<_>>>()?;
    Ok(median(starts))
}
