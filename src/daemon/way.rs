//! A person comes first.
//!
//! Owns noticing that somebody asks for something, or has edited the file, while a tick is at work. What takes long, and every order, gives way: what
//! they have just said or written may be that it is not to be.

use super::engine::{Engine, TickError};
use super::watched::Watched;

impl Engine {
    /// Whether the file is another one than the one that is worked by.
    pub fn is_file_edited(&self) -> bool {
        self.file.as_ref().is_some_and(Watched::is_edited)
    }

    /// Ends the tick if a person waits: what is left of it is due again when that is done.
    pub(super) async fn give_way(&mut self) -> Result<(), TickError> {
        let called = !self.doing_a_command && (self.is_file_edited() || self.store.has_waiting_commands().await?);
        if called { Err(TickError::CalledAway) } else { Ok(()) }
    }
}
