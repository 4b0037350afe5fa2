//! Bringing the mirror up to date with the portal's order list (R17).
//!
//! Owns what a read of the list is good for: whether it is evidence, and whether it shows what it showed before. A read that fails half way takes
//! nothing. The paging is `paging.rs`.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError};
use super::paging::{self, Range};
use crate::portal::read_error::ReadError;
use crate::rules::{Rule, kept};
use crate::store::account::Account;
use crate::store::mirror::MirrorRow;

/// How far beyond the oldest open fence a read goes (R17): the longest settle, and an hour for clocks.
const BEYOND: SignedDuration = SignedDuration::from_hours(25);

/// A reading that takes no longer is of one moment.
const QUICK: SignedDuration = SignedDuration::from_secs(30);

/// The list as it was just read.
#[derive(Debug, Clone)]
pub struct Synced {
    /// When the read began, by our clock.
    pub at: Timestamp,
    /// When it had ended.
    pub until: Timestamp,
    /// What others ordered since then it may not show.
    pub shows_until: Timestamp,
    /// Whether it was read as evidence.
    pub for_evidence: bool,
    /// When, by the portal's.
    pub date: Option<Timestamp>,
    /// R13: the newest moment that the portal has confirmed.
    pub high_water: Option<Timestamp>,
    /// `total` of the list.
    pub total: Option<i64>,
    /// Whether it may be used as evidence of absence (R17, R19 c).
    pub is_whole: bool,
    /// Orders older than this were not read; `None`: all were.
    pub down_to: Option<Timestamp>,
    /// The keys of its orders.
    pub shown: Arc<HashSet<String>>,
    /// Our newest known order, where the list does not show it any more, and since when: nothing is to be ordered by such a list.
    pub lacks: Option<(String, Timestamp)>,
}

impl Engine {
    /// Brings the mirror up to date. For evidence the whole list is read twice, and must not have moved.
    pub(super) async fn sync(&mut self, account: &Account, for_evidence: bool) -> Result<Result<Synced, ReadError>, TickError> {
        let at = self.clock.now();
        let horizon = self.horizon(account).filter(|_| !for_evidence || !kept(Rule::R17));
        let portal = Arc::clone(&self.portal);
        let mut range = match self.unless_called(Box::pin(paging::read(&portal, horizon))).await? {
            Ok(range) => range,
            Err(error) => return Ok(Err(error)),
        };
        let new = self.take_rows(at, &range).await?;
        crate::crash::point("after-sync");
        if self.lacks_rows(&range, account, new).await? {
            range = match self.unless_called(Box::pin(paging::read(&portal, None))).await? {
                Ok(range) => range,
                Err(error) => return Ok(Err(error)),
            };
            self.take_rows(at, &range).await?;
        }
        // A doubted database may stand before another list than the one that its orders went to (R8, R9).
        let is_whole = for_evidence
            && account.doubted.is_none()
            && match self.is_whole(&range).await? {
                Ok(is_whole) => is_whole,
                Err(error) => return Ok(Err(error)),
            };
        let lacks = self.lacking(&range).await?;
        let shows_until = match self.shows_until(at, &range).await? {
            Ok(shows_until) => shows_until,
            Err(error) => return Ok(Err(error)),
        };
        // By the earlier of the two clocks: a horizon from 2031 would hide all that is ordered until then.
        let known_until = range.date.map_or(at, |date| date.min(at));
        let total = range.total.and_then(|total| i64::try_from(total).ok());
        self.store.synced(known_until, total.filter(|_| range.counts()), range.date, lacks.as_deref()).await?;
        let since =
            |order: &String| account.lacks.as_ref().filter(|(known, _)| known == order).map_or(known_until, |(_, at)| *at);
        Ok(Ok(Synced {
            at,
            until: self.clock.now(),
            shows_until,
            for_evidence,
            date: range.date,
            high_water: account.high_water.max(range.date),
            total,
            is_whole: is_whole && lacks.is_none(),
            down_to: range.down_to,
            shown: Arc::new(range.seen),
            lacks: lacks.map(|order| (order.clone(), since(&order))),
        }))
    }

    /// The rows of the list as they stand now, from the newest down to `horizon`, or all; unless they were read a moment ago.
    pub(super) async fn read_rows_unless_read(&mut self, horizon: Option<Timestamp>) -> Result<Result<(), ReadError>, TickError> {
        if self.was_just_read_down_to(horizon) {
            return Ok(Ok(()));
        }
        let (portal, now) = (Arc::clone(&self.portal), self.clock.now());
        match self.unless_called(Box::pin(paging::read(&portal, horizon))).await? {
            Ok(range) => {
                self.take_rows(now, &range).await?;
                self.rows_are_read(range.down_to, range.seen);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Until when what others ordered is in what was read since `at`. Where that took long, the newest are read once more; a list without an order of
    /// time can show them on any page, so that its count has to say that none came.
    async fn shows_until(&mut self, at: Timestamp, range: &Range) -> Result<Result<Timestamp, ReadError>, TickError> {
        let now = self.clock.now();
        if now.duration_since(at) <= QUICK || range.stalled {
            return Ok(Ok(at));
        }
        if !range.sorted {
            return Ok(Ok(if range.was_overtaken() { at } else { now }));
        }
        let portal = Arc::clone(&self.portal);
        let newest = match self.unless_called(Box::pin(paging::read(&portal, at.checked_sub(BEYOND).ok()))).await? {
            Ok(newest) => newest,
            Err(error) => return Ok(Err(error)),
        };
        self.take_rows(now, &newest).await?;
        Ok(Ok(if newest.stalled { at } else { now }))
    }

    /// Most rows of most reads are old ones: only what is new or changed since this process read it goes to the database. Returns how many are new.
    async fn take_rows(&mut self, at: Timestamp, range: &Range) -> Result<u64, TickError> {
        let digest = |row: &MirrorRow| BuildHasherDefault::<DefaultHasher>::default().hash_one(&row.raw);
        let known = &self.taken;
        let news: Vec<MirrorRow> = range.rows.iter().filter(|row| known.get(&row.key) != Some(&digest(row))).cloned().collect();
        if news.is_empty() {
            return Ok(0);
        }
        let new = self.store.take_rows(at, &news).await?;
        self.notice_late(at, &news.iter().map(|row| row.raw.as_str()).collect::<Vec<_>>()).await?;
        // One that had no number at first is kept under its id.
        let keys = news.iter().flat_map(|row| [Some(row.key.as_str()), row.portal_id.as_deref()]).flatten().collect::<Vec<_>>();
        self.notice_orders(at, &keys, &[]).await?;
        self.taken.extend(news.into_iter().map(|row| (row.key.clone(), digest(&row))));
        Ok(new)
    }

    /// R17: whether a read that stopped may have passed something by: the list has rows that the mirror has not, or its count did not grow by what was seen, or
    /// our newest order is not where it should be. It is not sorted as its first page looked, or it hides something.
    async fn lacks_rows(&mut self, range: &Range, account: &Account, new: u64) -> Result<bool, TickError> {
        if range.down_to.is_none() || !kept(Rule::R17) {
            return Ok(false);
        }
        // A count that did not grow with what is new, or was wrong when the list was read whole, counts otherwise than by orders (a capped one): it
        // cannot say that nothing was passed by.
        let moved = |total: u64| {
            account.synced_total.and_then(|before| u64::try_from(before).ok()).is_none_or(|before| total != before + new)
        };
        if let Some(total) = range.total {
            let mirrored = self.store.mirror_count().await?;
            if u64::try_from(mirrored).is_ok_and(|mirrored| total > mirrored) || moved(total) {
                return Ok(true);
            }
        }
        Ok(self.lacking(range).await?.is_some())
    }

    /// Where a read may stop: before the oldest open fence, minus settle. A mirror that was never read whole has no horizon.
    fn horizon(&self, account: &Account) -> Option<Timestamp> {
        if !kept(Rule::R17) {
            return Some(self.clock.now());
        }
        // R9: a doubted database has its list read whole, and so is a list that lacks something: what is new in it does not say that it is back.
        let synced_at = account.synced_at.filter(|_| account.doubted.is_none() && account.lacks.is_none())?;
        account.oldest_open_fence.map_or(synced_at, |fence| fence.min(synced_at)).checked_sub(BEYOND).ok()
    }

    /// R17, R19 c: it shows as many orders as it counts, and read again by other pages it is the same.
    async fn is_whole(&mut self, first: &Range) -> Result<Result<bool, ReadError>, TickError> {
        if !kept(Rule::R17) {
            return Ok(Ok(true));
        }
        let portal = Arc::clone(&self.portal);
        let again = match self.unless_called(Box::pin(paging::read_again(&portal, first))).await? {
            Ok(Some(range)) => range,
            Ok(None) => return Ok(Ok(false)),
            Err(error) => return Ok(Err(error)),
        };
        let mut stable = again.total == first.total && again.seen == first.seen;
        if !stable {
            self.take_rows(self.clock.now(), &again).await?;
        } else if again.took_long() {
            let front = match paging::front(&portal, &again).await {
                Ok(front) => front,
                Err(error) => return Ok(Err(error)),
            };
            stable = front.seen.is_subset(&again.seen);
            self.take_rows(self.clock.now(), &front).await?;
        }
        Ok(Ok(stable && first.is_whole() && again.is_whole()))
    }

    /// Our newest order that was once listed, if this read should show it and does not.
    async fn lacking(&mut self, range: &Range) -> Result<Option<String>, TickError> {
        if !kept(Rule::R17) {
            return Ok(None);
        }
        let Some(newest) = self.store.newest_listed_of_ours().await? else { return self.lost_most(range).await };
        let outside = range.down_to.is_some_and(|down_to| newest.created_at.is_none_or(|created| created < down_to));
        Ok((!outside && !range.lists(&newest.names)).then_some(newest.key))
    }

    /// Before the first order of ours: a whole list that lost most of what it showed is another account's, or shows nothing for a while.
    async fn lost_most(&mut self, range: &Range) -> Result<Option<String>, TickError> {
        let mirrored = usize::try_from(self.store.mirror_count().await?).unwrap_or(0);
        if range.down_to.is_some() || range.rows.len() >= mirrored.div_ceil(2) {
            return Ok(None);
        }
        Ok(self.store.newest_listed().await?)
    }
}

#[cfg(test)]
mod tests;
