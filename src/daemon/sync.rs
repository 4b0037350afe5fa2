//! Reading the portal's order list into the mirror (R17).
//!
//! Owns the paging: whatever the sort direction, the page size cap and the totals turn out to be. A read that fails half way takes
//! nothing. Never stops at the first known row: orders can show up out of turn.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::engine::{Engine, TickError};
use crate::portal::client::PortalClient;
use crate::portal::read_error::ReadError;
use crate::portal::transport::Transport;
use crate::portal::wire::OrdersPage;
use crate::rules::{Rule, kept};
use crate::store::account::Account;
use crate::store::audit::hex;
use crate::store::mirror::MirrorRow;

/// What is asked for; the portal may give less.
const PAGE: u32 = 100;
/// A list longer than this is not read: something is wrong with its paging.
const MOST_PAGES: u64 = 100_000;
/// How far beyond the oldest open fence a read goes (R17): the longest settle, and an hour for clocks.
const BEYOND: SignedDuration = SignedDuration::from_hours(25);

/// Details that come as garbage so many times are taken for unreadable.
const GARBAGE_TIMES: u8 = 3;

/// The list as it was just read.
#[derive(Debug, Clone)]
pub struct Synced {
    /// When the read began, by our clock.
    pub at: Timestamp,
    /// When it had ended.
    pub until: Timestamp,
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
}

/// A range of the list.
#[derive(Default)]
struct Range {
    rows: Vec<MirrorRow>,
    seen: HashSet<String>,
    total: Option<i64>,
    date: Option<Timestamp>,
    /// Nothing older than this was necessarily read; `None`: everything was.
    down_to: Option<Timestamp>,
}

impl Range {
    /// A row that was pushed to a later page while it was read counts once.
    fn take(&mut self, row: MirrorRow) {
        if self.seen.insert(row.key.clone()) {
            self.rows.push(row);
        }
    }
}

impl<T: Transport> Engine<T> {
    /// Brings the mirror up to date. For evidence the range is read twice, and must not have moved.
    pub(super) async fn sync(&mut self, account: &Account, for_evidence: bool) -> Result<Result<Synced, ReadError>, TickError> {
        let at = self.clock.now();
        // R9: a doubted database has its list read whole.
        let horizon = self.horizon(account.synced_at.filter(|_| account.doubted.is_none())).await?;
        let mut range = match read_range(&self.portal, horizon).await {
            Ok(range) => range,
            Err(error) => return Ok(Err(error)),
        };
        self.take_rows(at, &range).await?;
        crate::crash::point("after-sync");
        if self.lacks_rows(&range).await? {
            range = match read_range(&self.portal, None).await {
                Ok(range) => range,
                Err(error) => return Ok(Err(error)),
            };
            self.take_rows(at, &range).await?;
        }
        // A doubted database may stand before another list than the one that its orders went to (R8, R9).
        let is_whole = for_evidence
            && account.doubted.is_none()
            && match self.is_whole(&range, horizon).await? {
                Ok(is_whole) => is_whole,
                Err(error) => return Ok(Err(error)),
            };
        // By the earlier of the two clocks: a horizon from 2031 would hide all that is ordered until then.
        let known_until = range.date.map_or(at, |date| date.min(at));
        self.store.synced(known_until, range.total, range.date).await?;
        Ok(Ok(Synced {
            at,
            until: self.clock.now(),
            date: range.date,
            high_water: account.high_water.max(range.date),
            total: range.total,
            is_whole,
            down_to: range.down_to,
        }))
    }

    /// Most rows of most reads are old ones: only what is new or changed since this process read it goes to the database.
    async fn take_rows(&mut self, at: Timestamp, range: &Range) -> Result<(), TickError> {
        let digest = |row: &MirrorRow| BuildHasherDefault::<DefaultHasher>::default().hash_one(&row.raw);
        let known = &self.taken;
        let news: Vec<MirrorRow> = range.rows.iter().filter(|row| known.get(&row.key) != Some(&digest(row))).cloned().collect();
        if news.is_empty() {
            return Ok(());
        }
        self.store.take_rows(at, &news).await?;
        self.notice_late(at, &news.iter().map(|row| row.raw.as_str()).collect::<Vec<_>>()).await?;
        self.notice_orders(at, &news.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), &[]).await?;
        self.taken.extend(news.into_iter().map(|row| (row.key.clone(), digest(&row))));
        Ok(())
    }

    /// R17: whether the list has rows that the mirror has not, although the read stopped: it is not sorted as its first page looked.
    async fn lacks_rows(&mut self, range: &Range) -> Result<bool, TickError> {
        match range.total.filter(|_| range.down_to.is_some() && kept(Rule::R17)) {
            Some(total) => Ok(total > self.store.mirror_count().await?),
            None => Ok(false),
        }
    }

    fn is_new_garbage(&mut self, row: i64) -> bool {
        let times = self.garbage.entry(row).or_default();
        *times += 1;
        *times < GARBAGE_TIMES
    }

    /// Where a read may stop: before the oldest open fence, minus settle. A mirror that was never read whole has no horizon.
    async fn horizon(&mut self, synced_at: Option<Timestamp>) -> Result<Option<Timestamp>, TickError> {
        if !kept(Rule::R17) {
            return Ok(Some(self.clock.now()));
        }
        let Some(synced_at) = synced_at else { return Ok(None) };
        let oldest = self.store.oldest_open_fence().await?.map_or(synced_at, |fence| fence.min(synced_at));
        Ok(oldest.checked_sub(BEYOND).ok())
    }

    /// R17, R19 c: the range read again is the same, `total` agrees with the mirror, and our newest known order is still listed.
    async fn is_whole(&mut self, first: &Range, horizon: Option<Timestamp>) -> Result<Result<bool, ReadError>, TickError> {
        if !kept(Rule::R17) {
            return Ok(Ok(true));
        }
        let again = match read_range(&self.portal, horizon).await {
            Ok(range) => range,
            Err(error) => return Ok(Err(error)),
        };
        let stable = again.total == first.total && again.seen == first.seen;
        if !stable {
            self.take_rows(self.clock.now(), &again).await?;
        }
        let agrees = match first.total {
            Some(total) => total == self.store.mirror_count().await?,
            None => first.down_to.is_none(),
        };
        Ok(Ok(stable && agrees && self.newest_of_ours_is_listed(first).await?))
    }

    async fn newest_of_ours_is_listed(&mut self, range: &Range) -> Result<bool, TickError> {
        let Some((key, created)) = self.store.newest_listed_of_ours().await? else { return Ok(true) };
        let created: Option<Timestamp> = created.and_then(|text| text.parse().ok());
        let outside = matches!((range.down_to, created), (Some(down_to), Some(created)) if created < down_to);
        Ok(outside || range.seen.contains(&key))
    }

    /// Reads the details of orders that are not ours: those after row `mark`, and those made since `since`.
    pub(super) async fn read_details(&mut self, mark: i64, since: Option<Timestamp>) -> Result<Result<(), ReadError>, TickError> {
        let mut beyond = 0;
        loop {
            let missing = self.store.without_detail(mark, since, beyond, 100).await?;
            let Some((last, _)) = missing.last() else { return Ok(Ok(())) };
            beyond = *last;
            tracing::debug!(orders = missing.len(), "reading the details of orders that others placed");
            for (row, id) in missing {
                match self.portal.order(&id).await {
                    Ok(detail) => {
                        self.store.take_detail(row, &detail.value.raw).await?;
                        self.notice_late(self.clock.now(), &[&detail.value.raw]).await?;
                        self.notice_orders(self.clock.now(), &[], &[row]).await?;
                    }
                    // Garbage may be the line's; only where it stays so is it the order's.
                    Err(error @ ReadError::Malformed { .. }) if self.is_new_garbage(row) => return Ok(Err(error)),
                    // Listed but not readable: until it is, an order that explains nothing.
                    Err(ReadError::NotFound { .. } | ReadError::Refused { .. } | ReadError::Malformed { .. }) => {
                        self.store.take_detail(row, "null").await?;
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
    }
}

/// How the list is sorted, as far as a page shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    NewestFirst,
    OldestFirst,
    Unclear,
}

async fn read_range<T: Transport>(portal: &PortalClient<T>, horizon: Option<Timestamp>) -> Result<Range, ReadError> {
    let first = portal.orders(1, PAGE).await?;
    let date = first.date;
    let total = first.value.total;
    let step = first.value.rows.len() + first.value.unreadable.len();
    let sorting = sorting(&first.value);
    let mut range = Range { total: total.and_then(|t| i64::try_from(t).ok()), date, ..Range::default() };
    take(&mut range, first.value);
    if step == 0 {
        return Ok(range);
    }
    match (total, sorting) {
        (Some(total), Sorting::OldestFirst) if horizon.is_some() => {
            backwards(portal, &mut range, pages(total, step)?, horizon).await?;
        }
        (Some(total), _) => {
            forwards(portal, &mut range, Some(pages(total, step)?), horizon.filter(|_| sorting == Sorting::NewestFirst)).await?;
        }
        (None, _) => forwards(portal, &mut range, None, None).await?,
    }
    Ok(range)
}

fn pages(total: u64, step: usize) -> Result<u64, ReadError> {
    let pages = total.div_ceil(u64::try_from(step).unwrap_or(1).max(1));
    if pages > MOST_PAGES {
        return Err(ReadError::Malformed { what: format!("the order list claims {total} orders in pages of {step}") });
    }
    Ok(pages)
}

/// From page 2 on. New orders push rows to later pages, so a row may be seen twice, but none is missed.
async fn forwards<T: Transport>(
    portal: &PortalClient<T>,
    range: &mut Range,
    last: Option<u64>,
    horizon: Option<Timestamp>,
) -> Result<(), ReadError> {
    let mut sorted = horizon;
    for page in 2..=last.unwrap_or(MOST_PAGES) {
        if let (Some(horizon), Some(oldest)) = (sorted, range.rows.last().and_then(|row| row.created_at))
            && oldest < horizon
        {
            range.down_to = Some(horizon);
            return Ok(());
        }
        let before = range.rows.len();
        let read = portal.orders(number(page), PAGE).await?.value;
        let (ended, unclear) = (read.rows.is_empty() && read.unreadable.is_empty(), sorting(&read) == Sorting::OldestFirst);
        take(range, read);
        if ended || (last.is_none() && range.rows.len() == before) {
            return Ok(());
        }
        if unclear {
            sorted = None; // not sorted after all: only the whole list will do
        }
    }
    Ok(())
}

/// From the last page back, for a list whose newest orders come last.
async fn backwards<T: Transport>(
    portal: &PortalClient<T>,
    range: &mut Range,
    last: u64,
    horizon: Option<Timestamp>,
) -> Result<(), ReadError> {
    for page in (2..=last).rev() {
        let read = portal.orders(number(page), PAGE).await?.value;
        let oldest = read.rows.first().and_then(|row| row.create_time);
        let newest_first = sorting(&read) == Sorting::NewestFirst;
        take(range, read);
        if let (Some(horizon), Some(oldest)) = (horizon, oldest)
            && oldest < horizon
            && !newest_first
        {
            range.down_to = Some(horizon);
            return Ok(());
        }
    }
    Ok(())
}

fn number(page: u64) -> u32 {
    u32::try_from(page).unwrap_or(u32::MAX)
}

/// A page of one moment, or without times, shows nothing: then the whole list is read.
fn sorting(page: &OrdersPage) -> Sorting {
    let times: Option<Vec<Timestamp>> = page.rows.iter().map(|row| row.create_time).collect();
    let Some(times) = times.filter(|times| page.unreadable.is_empty() && times.first() != times.last()) else {
        return Sorting::Unclear;
    };
    if times.is_sorted() {
        Sorting::OldestFirst
    } else if times.iter().rev().is_sorted() {
        Sorting::NewestFirst
    } else {
        Sorting::Unclear
    }
}

/// R17: a row that cannot be read is kept raw, as an order that explains nothing.
fn take(range: &mut Range, page: OrdersPage) {
    for row in page.rows {
        let key = row.order_no.clone().or_else(|| row.id.clone()).unwrap_or_else(|| raw_key(&row.raw));
        range.take(MirrorRow {
            key,
            portal_id: row.id,
            order_no: row.order_no,
            status: row.status,
            created_at: row.create_time,
            raw: row.raw,
        });
    }
    for raw in page.unreadable {
        range.take(MirrorRow { key: raw_key(&raw), portal_id: None, order_no: None, status: None, created_at: None, raw });
    }
}

fn raw_key(raw: &str) -> String {
    format!("raw:{}", hex(&Sha256::digest(raw)))
}
