//! The order list: which orders it shows, in which order, and its pages (portal-api.md section 5).

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::entry::{LedgerOrder, Status};
use super::message::{Outcome, Refusal, result};
use super::route::Query;
use super::seed::{Stream, mix};
use super::settings::{Hides, ListSettings, Sort};
use super::shown::{self, Field, Formed, IdText, ShownLine};

/// `pageSize` if none is asked for.
const DEFAULT_PAGE_SIZE: u32 = 25;

/// Which orders are listed. Kept from call to call, so that a call costs a page and not the whole ledger.
#[derive(Debug)]
pub(super) struct Listing {
    sort: Sort,
    /// Indexes of the orders that show, sorted by key, lowest first.
    listed: Vec<usize>,
    /// Those that do not show yet, by the moment at which they will.
    hidden: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// How many orders of the ledger have been taken up.
    seen: usize,
    /// Rows as they were last written, by index: most calls read orders that have not changed since.
    written: Vec<Written>,
}

/// A row, and the only thing in it that may change.
#[derive(Debug, Default)]
struct Written {
    status: Status,
    json: Vec<u8>,
}

impl Listing {
    pub(super) fn new() -> Self {
        Self { sort: Sort::Ascending, listed: Vec::new(), hidden: BinaryHeap::new(), seen: 0, written: Vec::new() }
    }

    /// Forgets everything: the settings have changed, or the moment at which some order shows.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    /// A page of the list. Once an order has shown, it stays, whatever the clock does.
    pub(super) fn page(
        &mut self,
        orders: &[LedgerOrder],
        seed: u64,
        now: Timestamp,
        settings: &ListSettings,
        query: Query<'_>,
    ) -> Outcome {
        let page_no = query.ordinal("pageNo", 1)?;
        let asked = query.ordinal("pageSize", DEFAULT_PAGE_SIZE)?;
        let size = settings.page_cap.map_or(asked, |cap| asked.min(cap.max(1)));
        let by_id = query.get("sort").is_some_and(|sort| sort == "id");
        let newest_first = settings.sort == Sort::Descending;
        let sort = if by_id { Sort::ById } else { settings.sort };
        self.take_up(orders, seed, now, sort);
        let visible = self.visible(orders, now, settings.hides);
        let shown: Vec<usize> = match settings.hides {
            Hides::PagesFrom(first) if page_no >= first => Vec::new(),
            _ => slice(&visible, page_no, size, newest_first).collect(),
        };
        let counted = if matches!(settings.hides, Hides::Rows(_)) { self.listed.len() } else { visible.len() };
        let total = settings.total_cap.map_or(counted, |cap| counted.min(cap));
        let frame = Rows { count: shown.len(), ..Rows::<Row<'_>>::of(Vec::new(), total, page_no, size) };
        let mut json = result(&frame)?;
        // The frame ends in `[]}`: the rows go between the brackets.
        json.truncate(json.len() - 2);
        drop(visible);
        for (at, index) in shown.into_iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            json.extend_from_slice(self.row(&orders[index], index, settings)?);
        }
        json.extend_from_slice(b"]}");
        Ok(json)
    }

    fn row(&mut self, order: &LedgerOrder, index: usize, settings: &ListSettings) -> Result<&[u8], Refusal> {
        if self.written.len() <= index {
            self.written.resize_with(index + 1, Written::default);
        }
        let row = &mut self.written[index];
        if row.json.is_empty() || row.status != order.status {
            *row = Written { status: order.status.clone(), json: result(&Row::of(order, settings))? };
        }
        Ok(&row.json)
    }

    /// Takes up what is new and what has become visible.
    fn take_up(&mut self, orders: &[LedgerOrder], seed: u64, now: Timestamp, sort: Sort) {
        // Ascending and descending share the stored order.
        let sort = if sort == Sort::Descending { Sort::Ascending } else { sort };
        if sort != self.sort {
            self.reset();
            self.sort = sort;
        }
        for (index, order) in orders.iter().enumerate().skip(self.seen) {
            self.hidden.push(Reverse((order.listed_from, index)));
        }
        self.seen = orders.len();
        while let Some(Reverse((at, index))) = self.hidden.peek().copied() {
            if at > now {
                break;
            }
            self.hidden.pop();
            let key = |index: usize| sort_key(&orders[index], index, seed, sort);
            let place = self.listed.partition_point(|other| key(*other) < key(index));
            self.listed.insert(place, index);
        }
    }

    /// What the list does not hide.
    fn visible(&self, orders: &[LedgerOrder], now: Timestamp, hides: Hides) -> Cow<'_, [usize]> {
        let made = |index: &&usize| orders[**index].created_at;
        match hides {
            Hides::Nothing | Hides::PagesFrom(_) => Cow::Borrowed(&self.listed),
            Hides::Rows(each) => {
                self.listed.iter().enumerate().filter(|(at, _)| at % each != 0).map(|(_, index)| *index).collect()
            }
            Hides::YoungerThan(age) => {
                let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
                self.listed.iter().filter(|index| now.duration_since(made(index)) >= age).copied().collect()
            }
            Hides::MadeFrom(from) => self.listed.iter().filter(|index| made(index) < from).copied().collect(),
        }
    }
}

fn slice(rows: &[usize], page_no: u32, size: u32, newest_first: bool) -> impl Iterator<Item = usize> {
    let total = rows.len();
    let start = (page_no as usize - 1).saturating_mul(size as usize).min(total);
    let end = start.saturating_add(size as usize).min(total);
    (start..end).map(move |at| rows[if newest_first { total - 1 - at } else { at }])
}

fn sort_key(order: &LedgerOrder, index: usize, seed: u64, sort: Sort) -> (i64, usize) {
    match sort {
        Sort::Ascending | Sort::Descending => (order.created_at.as_millisecond(), index),
        Sort::ById => (0, index),
        Sort::Shuffled => (mix(seed, Stream::Shuffle, order.id).cast_signed(), index),
    }
}

/// A page object, of orders or of anything else.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rows<T> {
    count: usize,
    total: usize,
    page_no: u32,
    page_size: u32,
    total_page: usize,
    results: Vec<T>,
}

impl<T> Rows<T> {
    /// One page of `total` rows.
    pub(super) fn of(results: Vec<T>, total: usize, page_no: u32, page_size: u32) -> Self {
        let total_page = total.div_ceil(page_size as usize);
        Self { count: results.len(), total, page_no, page_size, total_page, results }
    }

    /// The page of `all` that a query asks for.
    pub(super) fn cut(all: Vec<T>, query: Query<'_>) -> Result<Self, Refusal> {
        let (page_no, size) = (query.ordinal("pageNo", 1)?, query.ordinal("pageSize", DEFAULT_PAGE_SIZE)?);
        let total = all.len();
        let start = (page_no as usize - 1).saturating_mul(size as usize);
        Ok(Self::of(all.into_iter().skip(start).take(size as usize).collect(), total, page_no, size))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: Formed,
    order_no: &'a str,
    order_status: &'a str,
    create_time: i64,
    currency_code: &'a str,
    custom_reference_no: &'a str,
    invoice_no: &'a str,
    #[serde(skip_serializing_if = "Field::is_absent")]
    po_number: Field<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    product_id: Field<IdText>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    partner_id: Field<IdText>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    product_no: Field<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    operation_type: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    service_list: Field<Vec<ShownLine<'a>>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    quantity: Field<u64>,
}

impl<'a> Row<'a> {
    fn of(order: &'a LedgerOrder, settings: &ListSettings) -> Self {
        let shows = settings.row;
        Self {
            id: Formed(order.id, settings.ids),
            order_no: &order.order_no,
            order_status: &order.status,
            create_time: shown::create_time(order, settings.times),
            currency_code: "USD",
            custom_reference_no: "",
            invoice_no: "",
            po_number: shown::po_number(order, shows.po_number),
            product_id: shown::product_id(order, shows.product_id),
            partner_id: shown::partner_id(order, shows.partner_id, settings.distributed),
            product_no: shown::serial(order, shows.serial),
            operation_type: shown::operation(order, shows.operation),
            service_list: shown::lines(order, shows),
            quantity: shown::total_quantity(order, shows),
        }
    }
}
