//! Keeps each world on one core.
//!
//! A world and the thread of its database hand each other every statement. On two cores each handing over wakes a sleeping core, which costs
//! as much as the work itself; on one it is a switch. Never fails: where the system does not let threads stay, worlds only take longer.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it lives, this thread and those that it starts stay where they are.
pub(super) struct Stays {
    before: CpuSet,
}

/// How many worlds to play at a time.
pub(super) fn count() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Chooses a core for this thread, the same one each time.
pub(super) fn stay() -> Option<Stays> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    let before = sched_getaffinity(None).ok()?;
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).collect();
    let mut one = CpuSet::new();
    one.set(*allowed.get(PLACE.get() % allowed.len().max(1))?);
    sched_setaffinity(None, &one).ok()?;
    Some(Stays { before })
}

impl Drop for Stays {
    fn drop(&mut self) {
        // Where this fails the thread only stays where it is.
        let _ = sched_setaffinity(None, &self.before);
    }
}
