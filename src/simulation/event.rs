//! What can happen in a world, and when.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::line::Spell;
use crate::sandbox::settings::Shows;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A process starts.
    Boot,
    /// The process is stopped for so long.
    Stop(SignedDuration),
    /// A person runs `init`.
    Bind,
    /// A colleague orders something for somebody we do not know.
    Stranger,
    /// Somebody renews what is ours to renew.
    Customer(usize),
    /// Bad weather.
    Spell(Spell, Duration),
    /// The database is backed up.
    Backup,
    /// The last backup is put back in its place.
    Restore,
    /// The portal shows orders otherwise from now on.
    Changes(Shows),
    /// For so long the list hides orders that it has shown, or would.
    Hides(SignedDuration),
    /// It shows them again.
    ShowsAll,
    /// The portal forgets its tokens.
    Revoke,
    /// A person edits the file.
    Edit(usize),
    /// A person takes back an edit.
    Return(usize),
    /// The daemon's clock is off by so much from now on.
    Skew(SignedDuration),
    /// 3.6 days before the deadline of a term: warnings from here on count as in time.
    Mark(usize, u32),
    /// The deadline of a term.
    Deadline(usize, u32),
    /// A person looks at what needs one.
    Visit,
    /// A person skips, holds, orders early or pauses, unasked.
    Whim(usize),
    /// A person ends what came of that, or lets a chain that has ended go on; and so many times tried before.
    GoOn(usize, u32),
    /// A person takes out of the file what has ended and does not go on.
    Leave(usize),
    /// An order gets another status.
    Status(String, &'static str),
    /// An order that was dead is paid after all, if nothing else was ordered for its term meanwhile.
    Revival(String),
}

impl Event {
    /// Whether the daemon notices it before anything is due. What happens in the portal it sees when it looks.
    pub(super) fn touches_the_daemon(&self) -> bool {
        !matches!(
            self,
            Self::Stranger
                | Self::Customer(_)
                | Self::Spell(..)
                | Self::Changes(_)
                | Self::Revoke
                | Self::Hides(_)
                | Self::ShowsAll
                | Self::Mark(..)
                | Self::Status(..)
                | Self::Revival(..)
                | Self::Backup
        )
    }
}

/// An event with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) number: u64,
    pub(super) event: Event,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
