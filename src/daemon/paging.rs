//! Reading the portal's order list page by page (R17).
//!
//! Owns the paging, whatever the sort direction, the page size cap and the totals turn out to be, and whether what was read can be the whole
//! list: a list that shows fewer orders than it counts hides one. Never stops at the first known row: orders can show up out of turn.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::portal::client::{PortalClient, Read};
use crate::portal::read_error::ReadError;
use crate::portal::wire::OrdersPage;
use crate::store::audit::hex;
use crate::store::mirror::MirrorRow;

/// Which page sizes are asked for, in turn: the portal may give less, or refuse all but those of a menu. 25 is what the vendor documents
/// (portal-api.md section 5).
const SIZES: [u32; 5] = [100, 25, 50, 20, 10];
/// An answer that took longer may have been on its way while the machine slept.
const ANSWER_HOLDS: SignedDuration = SignedDuration::from_mins(2);
/// A list longer than this is not read: something is wrong with its paging.
const MOST_PAGES: u64 = 100_000;

/// A range of the list.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each was seen on a page of its own")]
pub(super) struct Range {
    /// Each row once.
    pub(super) rows: Vec<MirrorRow>,
    /// Their keys.
    pub(super) seen: HashSet<String>,
    /// `total` of its first page.
    pub(super) total: Option<u64>,
    pub(super) date: Option<Timestamp>,
    /// Nothing older than this was necessarily read; `None`: everything was.
    pub(super) down_to: Option<Timestamp>,
    /// It was read until a page came empty, or shorter than those before.
    ended: bool,
    /// A row stood on two pages: another one may have stood on none.
    repeated: bool,
    /// How many pages it took.
    pages: u64,
    /// Whether one of its pages was on its way for longer than a page holds.
    pub(super) stalled: bool,
    /// `total` of the page that was read last.
    total_at_last: Option<u64>,
    /// Whether its newest orders stand together, so that a read down to a moment finds them.
    pub(super) sorted: bool,
    /// The size that was asked for, and how many rows the first page had.
    size: u32,
    step: usize,
}

impl Range {
    /// Whether it is proven to be the whole list: it shows as many orders as it counts. A `total` below what is shown is none.
    pub(super) fn is_whole(&self) -> bool {
        let counted = self.total == Some(self.shows());
        let uncounted = self.total.is_none_or(|total| total < self.shows());
        self.down_to.is_none() && !self.repeated && (counted || (uncounted && self.ended))
    }

    /// Whether its `total` is a count of its orders, as far as it was read.
    pub(super) fn counts(&self) -> bool {
        self.down_to.is_some() || self.total == Some(self.shows())
    }

    /// Whether an order came while it was read, and stands where it had been read already.
    pub(super) fn was_overtaken(&self) -> bool {
        self.total_at_last.is_some_and(|total| total > self.shows())
    }

    /// Whether something could have moved while it was read.
    pub(super) fn took_long(&self) -> bool {
        self.pages > 1
    }

    /// The sizes to read it again by, to see whether it is whole: a row that fell between two pages stands elsewhere then. Larger ones may be cut to
    /// the same. The same again, where the portal gives no other, will do for a list that is counted.
    fn sizes_again(&self) -> Vec<u32> {
        let by = if self.rows.len() > self.step { u32::try_from(self.step).unwrap_or(self.size) } else { self.size };
        let mut sizes: Vec<u32> = [by * 5 / 6, 50, 25, 20, 10, 5].into_iter().filter(|size| (1..by).contains(size)).collect();
        if by == 1 || self.total.is_some_and(|total| total >= self.shows()) {
            sizes.push(self.size);
        }
        sizes
    }

    /// Whether an order with one of these names is in it.
    pub(super) fn lists(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.seen.contains(name))
            || self.rows.iter().any(|row| row.portal_id.as_ref().is_some_and(|id| names.contains(id)))
    }

    fn shows(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    fn contradiction(&self) -> Option<ReadError> {
        let says = self.total.filter(|says| self.down_to.is_none() && *says > self.shows())?;
        Some(ReadError::Contradictory { says, shows: self.shows() })
    }

    /// Takes a page; whether it had anything new. A row that was pushed to a later page while it was read counts once.
    fn take(&mut self, page: OrdersPage) -> bool {
        self.pages += 1;
        let (before, first) = (self.rows.len(), self.rows.is_empty());
        let rows = page.rows.into_iter().map(|row| MirrorRow {
            key: row.order_no.clone().or_else(|| row.id.clone()).unwrap_or_else(|| raw_key(&row.raw)),
            portal_id: row.id,
            order_no: row.order_no,
            status: row.status,
            created_at: row.create_time,
            raw: row.raw,
        });
        // R17: a row that cannot be read is kept raw, as an order that explains nothing.
        let unreadable = page.unreadable.into_iter().map(|raw| {
            let key = raw_key(&raw);
            MirrorRow { key, portal_id: None, order_no: None, status: None, created_at: None, raw }
        });
        for row in rows.chain(unreadable) {
            if self.seen.insert(row.key.clone()) {
                self.rows.push(row);
            } else {
                self.repeated |= !first;
            }
        }
        self.rows.len() > before
    }
}

fn raw_key(raw: &str) -> String {
    format!("raw:{}", hex(&Sha256::digest(raw)))
}

/// Reads the list down to `horizon`, or whole. One that shows fewer orders than it counts is read once more: an order may have come, or gone,
/// between two pages.
pub(super) async fn read(portal: &PortalClient, horizon: Option<Timestamp>) -> Result<Range, ReadError> {
    let range = read_once(portal, horizon, &SIZES).await?;
    if range.contradiction().is_none() {
        return Ok(range);
    }
    let again = read_once(portal, horizon, &range.sizes_again()).await?;
    again.contradiction().map_or(Ok(again), Err)
}

/// Reads what was just read whole once more, by pages of another size. `None`: the portal gives them by no other.
pub(super) async fn read_again(portal: &PortalClient, first: &Range) -> Result<Option<Range>, ReadError> {
    match read_once(portal, None, &first.sizes_again()).await {
        Err(ReadError::Refused { .. }) => Ok(None),
        again => again.map(Some),
    }
}

/// The first page of what was just read: what has moved to the front while the others were read stands there.
pub(super) async fn front(portal: &PortalClient, read: &Range) -> Result<Range, ReadError> {
    let mut range = Range::default();
    range.take(portal.orders(1, read.size).await?.value);
    Ok(range)
}

/// The first page by the first of these sizes that the portal does not refuse; and by which it came.
async fn first_page(portal: &PortalClient, sizes: &[u32]) -> Result<(Read<OrdersPage>, u32), ReadError> {
    let mut refused = ReadError::Refused { code: None, message: "no page size is left to ask for".to_owned(), request_id: None };
    for size in sizes {
        match portal.orders(1, *size).await {
            Err(error @ ReadError::Refused { .. }) => refused = error,
            first => return Ok((first?, *size)),
        }
    }
    Err(refused)
}

/// Reads it once, by pages of one of these sizes.
async fn read_once(portal: &PortalClient, horizon: Option<Timestamp>, sizes: &[u32]) -> Result<Range, ReadError> {
    let asked = portal.now();
    let (first, size) = first_page(portal, sizes).await?;
    let stalled = took_too_long(portal, asked);
    let total = first.value.total;
    let step = length(&first.value);
    let sorting = sorting(&first.value);
    let full = is_full(&first.value, size);
    let range = Range { total, date: first.date, stalled, sorted: sorting != Sorting::Unclear, size, step, ..Range::default() };
    let mut reading = Reading { portal, size, step, range };
    reading.range.take(first.value);
    if step == 0 {
        reading.range.ended = true;
        return Ok(reading.range);
    }
    match (total, sorting) {
        (None, _) => reading.until_empty(2).await?,
        (Some(total), Sorting::OldestFirst) if horizon.is_some() => {
            let last = pages(total, step)?;
            if last == 1 && full {
                reading.beyond(last).await?;
            }
            reading.backwards(last, horizon).await?;
        }
        (Some(total), _) => {
            let last = pages(total, step)?;
            let full = reading.forwards(last, full, horizon.filter(|_| sorting == Sorting::NewestFirst)).await?;
            if reading.range.down_to.is_some() {
                return Ok(reading.range);
            }
            // Orders that a capped `total` leaves out may be its newest ones.
            if full || last == 1 && horizon.is_none() {
                reading.beyond(last).await?;
            } else {
                reading.range.ended = true;
            }
        }
    }
    Ok(reading.range)
}

/// How the list is sorted, as far as a page shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    NewestFirst,
    OldestFirst,
    Unclear,
}

/// A read on its way.
struct Reading<'a> {
    portal: &'a PortalClient,
    size: u32,
    /// How many rows the first page had.
    step: usize,
    range: Range,
}

impl Reading<'_> {
    async fn page(&mut self, page: u64) -> Result<OrdersPage, ReadError> {
        let asked = self.portal.now();
        let read = self.portal.orders(u32::try_from(page).unwrap_or(u32::MAX), self.size).await?.value;
        self.range.stalled |= took_too_long(self.portal, asked);
        self.range.total_at_last = read.total;
        Ok(read)
    }

    /// From page 2 to the last one that `total` knows of. New orders push rows to later pages, so a row may be seen twice, but none is missed.
    /// Returns whether the last page was full.
    async fn forwards(&mut self, last: u64, mut full: bool, horizon: Option<Timestamp>) -> Result<bool, ReadError> {
        let mut sorted = horizon;
        for page in 2..=last {
            if self.stops_at(sorted) {
                return Ok(full);
            }
            let read = self.page(page).await?;
            let ended = length(&read) == 0;
            if !self.goes_on_down(&read) {
                (sorted, self.range.sorted) = (None, false); // not sorted after all: only the whole list will do
            }
            full = length(&read) >= self.step;
            self.range.take(read);
            if ended {
                return Ok(false);
            }
        }
        if full {
            self.stops_at(sorted);
        }
        Ok(full)
    }

    /// Whether what was read of a list sorted newest first reaches back past `horizon`: then nothing older has to be read.
    fn stops_at(&mut self, horizon: Option<Timestamp>) -> bool {
        let oldest = self.range.rows.last().and_then(|row| row.created_at);
        self.range.down_to = horizon.filter(|horizon| oldest.is_some_and(|oldest| oldest < *horizon));
        self.range.down_to.is_some()
    }

    /// Whether `page` goes on from what was read before, from newer to older.
    fn goes_on_down(&self, page: &OrdersPage) -> bool {
        let before = self.range.rows.last().and_then(|row| row.created_at);
        let times: Option<Vec<Timestamp>> =
            before.into_iter().map(Some).chain(page.rows.iter().map(|row| row.create_time)).collect();
        times.is_some_and(|times| page.unreadable.is_empty() && times.iter().rev().is_sorted())
    }

    /// From the last page back, for a list whose newest orders come last.
    async fn backwards(&mut self, last: u64, horizon: Option<Timestamp>) -> Result<(), ReadError> {
        for page in (2..=last).rev() {
            let read = self.page(page).await?;
            let oldest = read.rows.first().and_then(|row| row.create_time);
            let newest_first = sorting(&read) == Sorting::NewestFirst;
            let full = length(&read) >= self.step;
            self.range.take(read);
            if page == last && full {
                self.beyond(last).await?;
            }
            if let (Some(horizon), Some(oldest)) = (horizon, oldest)
                && oldest < horizon
                && !newest_first
            {
                self.range.down_to = Some(horizon);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the list goes on behind its last page: a `total` may be capped, as that of a search. A portal that refuses such a page, or gives its
    /// last one again, has no more.
    async fn beyond(&mut self, last: u64) -> Result<(), ReadError> {
        let repeated = self.range.repeated;
        let read = match self.page(last.saturating_add(1)).await {
            Ok(read) => read,
            Err(ReadError::Refused { .. } | ReadError::NotFound { .. } | ReadError::Forbidden { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = length(&read);
        self.range.ended = length < self.step;
        let more = self.range.take(read);
        if length == 0 || !more {
            self.range.repeated = repeated;
            return Ok(());
        }
        if self.range.ended { Ok(()) } else { self.until_empty(last.saturating_add(2)).await }
    }

    /// From `page` on until one is empty, or shows nothing new.
    async fn until_empty(&mut self, page: u64) -> Result<(), ReadError> {
        for page in page..=MOST_PAGES {
            let read = self.page(page).await?;
            self.range.ended = length(&read) == 0;
            if !self.range.take(read) {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn took_too_long(portal: &PortalClient, asked: Timestamp) -> bool {
    portal.now().duration_since(asked) > ANSWER_HOLDS
}

fn length(page: &OrdersPage) -> usize {
    page.rows.len() + page.unreadable.len()
}

/// Whether a page may have left something for another one: it is as long as the portal says its pages are, or the portal does not say.
fn is_full(page: &OrdersPage, size: u32) -> bool {
    let length = u64::try_from(length(page)).unwrap_or(u64::MAX);
    page.page_size.is_none_or(|given| length >= given.min(u64::from(size)))
}

fn pages(total: u64, step: usize) -> Result<u64, ReadError> {
    let pages = total.div_ceil(u64::try_from(step).unwrap_or(1).max(1));
    if pages > MOST_PAGES {
        return Err(ReadError::Malformed { what: format!("the order list claims {total} orders in pages of {step}") });
    }
    Ok(pages)
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

#[cfg(test)]
mod tests;
