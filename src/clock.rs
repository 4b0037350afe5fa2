//! What time it is. The daemon takes its clock as a parameter, so a test and the sandbox can drive it.
//!
//! Never waits: waiting is a column in the database (DESIGN.md section 2).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Tells the present moment.
pub trait Clock: Send + Sync + 'static {
    /// Now, by this clock, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock. A test can move it in a debug build (`crash.rs`).
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        millisecond(Timestamp::now().checked_add(crate::crash::clock_moved_by()).unwrap_or(Timestamp::MAX))
    }
}

/// A clock that stands still until it is set; clones share the same hands.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock standing at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_millisecond())))
    }

    /// Moves the hands to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }
}

/// The wall clock moved by a fixed span: a sandbox that goes on from where its own clock stood (R28).
#[derive(Debug, Clone, Copy)]
pub struct ShiftedClock(pub jiff::SignedDuration);

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        millisecond(Timestamp::now().checked_add(self.0).unwrap_or(Timestamp::MAX))
    }
}

/// Cut to the millisecond, the width in which times are stored.
fn millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
