//! How often the disk is waited for while ten thousand orders go out, start and end of the process included.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{ORDERS, learned};
use crate::help::{Place, Portal, RENEWD, report, well};

const BOUND: f64 = 0.2;

/// Counts calls with strace. Where there is none it counts commits, each of which is one sync of the log.
pub fn measure() -> Result<()> {
    let portal = Portal::open()?;
    let place = learned(&portal)?;
    let strace = Command::new("strace").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let (what, count) = if strace.is_ok_and(|status| status.success()) {
        ("fsync and fdatasync", traced(&place)?)
    } else {
        ("commits (for want of strace; checkpoints and the seal are not in it)", commits(&place)?)
    };
    ensure!(portal.orders() as u64 == ORDERS + 1, "the portal has {} orders", portal.orders());
    let each = f64::from(count) / 10_000.0;
    let figure = format!("{each:.3} an order ({count})");
    report(&format!("syncs: {what}, 10,000 orders"), &figure, Some(("0.2 an order", each <= BOUND)))
}

fn traced(place: &Place) -> Result<u32> {
    let trace = place.path("trace");
    // It stops the process at these calls only: one that is slowed down also follows its orders after a minute, with a commit for each.
    let arguments = ["-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o", "trace", RENEWD, "run", "--once"];
    well(&place.command("strace", &arguments).output()?)?;
    let calls = std::fs::read_to_string(trace)?.lines().filter(|line| line.contains("sync(")).count();
    Ok(u32::try_from(calls)?)
}

fn commits(place: &Place) -> Result<u32> {
    let index = place.path("renewd.db-shm");
    let mut process = place.renewd(&["run", "--once"]).stdout(Stdio::null()).spawn()?;
    let mut last = 0;
    loop {
        if let Some(count) = counter(&index) {
            last = count;
        }
        if let Some(status) = process.try_wait()? {
            ensure!(status.success(), "{status}");
            return Ok(last);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `iChange` of the index of the log counts transactions (sqlite.org/walformat.html, section 2.1). The file goes at the end.
fn counter(index: &Path) -> Option<u32> {
    let bytes = std::fs::read(index).ok()?;
    bytes.get(8..12)?.try_into().ok().map(u32::from_ne_bytes)
}
