//! A person comes first.
//!
//! Owns noticing that somebody asks for something, or has edited the file, while a tick is at work. What takes long, and every order, gives way: what
//! they have just said or written may be that it is not to be.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError};
use super::sync::Synced;
use super::watched::Watched;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How often people are told what they are to hear while the portal answers slowly.
const BETWEEN_WORDS: SignedDuration = SignedDuration::from_mins(1);
/// How long a list that was read when a person came need not be read again.
const LIST_KEEPS: SignedDuration = SignedDuration::from_secs(15);
/// How long rows that were read are taken to stand as they did.
const ROWS_KEEP: SignedDuration = SignedDuration::from_mins(2);

/// What is remembered of giving way.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// When it was last looked whether a person waits.
    looked_at: Option<Instant>,
    /// When people were last told something while the portal was being read.
    told_at: Option<Timestamp>,
    /// The list that was being worked by.
    list: Option<Synced>,
    /// Rows were read beside it.
    rows: Option<RowsRead>,
    /// The last reading of the list was broken off: the next one is not, or people who never end would keep a slow list from ever being read.
    broke_off: bool,
    /// Commands were done, or people warned, since the tick took up what is due.
    commanded: bool,
}

/// A reading of rows of the list.
#[derive(Debug, Clone)]
struct RowsRead {
    /// Those made since then, or all.
    down_to: Option<Timestamp>,
    /// When it had ended.
    until: Timestamp,
    /// Their keys.
    shown: Arc<HashSet<String>>,
}

impl Engine {
    /// Whether the file is another one than the one that is worked by.
    pub fn is_file_edited(&self) -> bool {
        self.file.as_ref().is_some_and(Watched::is_edited)
    }

    /// Ends the tick if a person waits: what is left of it is due again when that is done. Looks at most ten times a second.
    pub(super) async fn give_way(&mut self) -> Result<(), TickError> {
        self.look_anew_if_commanded()?;
        if self.way.looked_at.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS) {
            return Ok(());
        }
        self.way.looked_at = Some(Instant::now());
        self.tell_meanwhile().await?;
        self.give_way_at_once().await
    }

    /// A portal that answers for hours, or is stuck, keeps nobody from hearing of a deadline.
    async fn tell_meanwhile(&mut self) -> Result<(), TickError> {
        let now = self.clock.now();
        if self.courier.is_none() || self.way.told_at.is_some_and(|at| now.duration_since(at).abs() < BETWEEN_WORDS) {
            return Ok(());
        }
        self.way.told_at = Some(now);
        let mut due = self.store.due_terms(now, super::engine::AT_ONCE).await?.terms;
        due.retain(|term| term.warn_at.is_some_and(|at| at <= now));
        if !due.is_empty() && !self.stays {
            self.warn(now, &mut due).await?;
            self.way.commanded = true; // what is being worked by is older than these warnings
        }
        self.tell(now).await
    }

    /// The same, however short a time ago it was looked: before an order.
    pub(super) async fn give_way_at_once(&mut self) -> Result<(), TickError> {
        self.look_anew_if_commanded()?;
        let called = !self.stays && (self.is_file_edited() || self.store.has_waiting_commands().await?);
        if called { Err(TickError::CalledAway) } else { Ok(()) }
    }

    /// Waits for what the portal is asked for. What people ask for meanwhile is done at once where it asks nothing of the portal; for the rest, and
    /// for an edit, the reading is broken off.
    pub(super) async fn unless_called<T>(&mut self, mut answer: Pin<Box<impl Future<Output = T>>>) -> Result<T, TickError> {
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Ok(answer),
                () = tokio::time::sleep(BETWEEN_LOOKS) => {}
            }
            self.tell_meanwhile().await?;
            if self.stays {
                continue;
            }
            self.way.commanded |= self.take_commands_beside_the_portal().await?;
            if !self.way.broke_off {
                self.give_way().await.inspect_err(|_| self.way.broke_off = true)?;
            }
        }
    }

    /// Ends the tick if commands were done while the list was read: what is due may stand otherwise by now.
    pub(super) fn look_anew_if_commanded(&self) -> Result<(), TickError> {
        if self.way.commanded { Err(TickError::CalledAway) } else { Ok(()) }
    }

    /// What is due is looked up now.
    pub(super) fn looks_anew(&mut self) {
        self.way.commanded = false;
        if self.just_read().next().is_none() {
            self.way.rows = None; // the keys of a long list are megabytes
        }
    }

    /// The list was read to its end.
    pub(super) fn list_is_read(&mut self, list: &Synced) {
        self.way.broke_off = false;
        self.way.list = Some(list.clone());
    }

    /// The list that was being worked by when a person came, if it still holds. Else it is forgotten.
    pub(super) fn list_of_before(&mut self, for_evidence: bool) -> Option<Synced> {
        let now = self.clock.now();
        let keeps = |list: &Synced| {
            let age = now.duration_since(list.until);
            !age.is_negative() && age <= LIST_KEEPS && (list.for_evidence || !for_evidence)
        };
        self.way.list.take().filter(keeps)
    }

    /// The rows of the list were read down to a moment, or all.
    pub(super) fn rows_are_read(&mut self, down_to: Option<Timestamp>, shown: HashSet<String>) {
        self.way.rows = Some(RowsRead { down_to, until: self.clock.now(), shown: Arc::new(shown) });
    }

    /// Whether every order made since `moment`, or ever, was seen in the list a moment ago.
    pub(super) fn was_just_read_down_to(&self, moment: Option<Timestamp>) -> bool {
        self.just_read().any(|read| read.down_to.is_none_or(|down_to| moment.is_some_and(|moment| down_to <= moment)))
    }

    /// Whether the order with this key was in the list a moment ago.
    pub(super) fn was_just_shown(&self, key: &str) -> bool {
        self.just_read().any(|read| read.shown.contains(key))
    }

    fn just_read(&self) -> impl Iterator<Item = RowsRead> {
        let now = self.clock.now();
        let list = self.way.list.as_ref();
        let list = list.map(|list| RowsRead { down_to: list.down_to, until: list.until, shown: Arc::clone(&list.shown) });
        [list, self.way.rows.clone()].into_iter().flatten().filter(move |read| {
            let age = now.duration_since(read.until);
            !age.is_negative() && age <= ROWS_KEEP
        })
    }

    /// How long it took to read that list.
    pub(super) fn reading_took(&self) -> SignedDuration {
        self.way.list.as_ref().map_or(SignedDuration::ZERO, |list| list.until.duration_since(list.at))
    }

    /// A tick that ends by itself leaves nothing to go on with.
    pub(super) fn forget_list(&mut self) {
        self.way.list = None;
    }
}
