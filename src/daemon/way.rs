//! A person comes first.
//!
//! Owns noticing that somebody asks for something, or has edited the file, while a tick is at work. What takes long, and every order, gives way: what
//! they have just said or written may be that it is not to be.

use std::time::{Duration, Instant};

use super::engine::{Engine, TickError};
use super::watched::Watched;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

impl Engine {
    /// Whether the file is another one than the one that is worked by.
    pub fn is_file_edited(&self) -> bool {
        self.file.as_ref().is_some_and(Watched::is_edited)
    }

    /// Ends the tick if a person waits: what is left of it is due again when that is done. Looks at most ten times a second.
    pub(super) async fn give_way(&mut self) -> Result<(), TickError> {
        if self.gave_way_at.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS) {
            return Ok(());
        }
        self.gave_way_at = Some(Instant::now());
        self.give_way_at_once().await
    }

    /// The same, however short a time ago it was looked: before an order.
    pub(super) async fn give_way_at_once(&mut self) -> Result<(), TickError> {
        let called = !self.doing_a_command && (self.is_file_edited() || self.store.has_waiting_commands().await?);
        if called { Err(TickError::CalledAway) } else { Ok(()) }
    }
}
