//! The machine in a few words: what a figure is worth depends on it. Names no host.

use std::fs::read_to_string;

/// Cores, processor, memory, kernel, and the file system that the measurements write to.
pub fn words() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}, {} GiB, Linux {}, {}", processor(), memory(), kernel(), file_system())
}

fn processor() -> String {
    let info = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("an unnamed processor", |(_, name)| name).to_owned()
}

fn memory() -> u64 {
    let info = read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    total.unwrap_or(0).div_ceil(1 << 20)
}

/// Major and minor version; what follows may name a site.
fn kernel() -> String {
    let release = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The kind of the file system that holds the longest mount point above the measurements' folder (mountinfo of proc(5)).
fn file_system() -> String {
    let mounts = read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let holds = |line: &str| {
        let point = line.split(' ').nth(4)?;
        let kind = line.split_once(" - ")?.1.split(' ').next()?;
        std::path::Path::new(super::place::FOLDER).starts_with(point).then(|| (point.len(), kind.to_owned()))
    };
    mounts.lines().filter_map(holds).max().map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind)
}
