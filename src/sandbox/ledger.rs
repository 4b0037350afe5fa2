//! The portal's own ledger: what was really ordered, whatever anybody was told.
//!
//! Owns orders, instances and their numbers. It is the oracle's view: nothing is ever taken out, and no setting
//! about how orders are *shown* changes it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::entry::{Birth, Instance, LedgerOrder, PENDING, PlacedBy, Postponed, SUCCEED, Status, Subject};
use super::request::{OrderRequest, RequestLine};
use super::seed::{Stream, mix};
use super::settings::Lag;
use crate::ids::PortalId;

type InstanceKey = (PortalId, Option<PortalId>, Option<String>);

/// Where ids begin; those of the tutorial's sample.
const FIRST_ORDER: u64 = 1_780_063;
const FIRST_INSTANCE: u64 = 1_946_711;
const FIRST_ORDER_NO: u64 = 3_400_820_771_565_023_232;
const FIRST_PRODUCT_NO: u64 = 3_076_913_644_890_832_896;
/// Order numbers rise by this much, less a random part: room for 2^22 a step, as in the samples.
const STEP: u64 = 1 << 22;

/// Everything that was ordered.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    seed: u64,
    orders: Vec<LedgerOrder>,
    terms: HashMap<Subject, u32>,
    instances: Vec<Instance>,
    instance_at: HashMap<InstanceKey, usize>,
    po_numbers: HashSet<String>,
    settling: BinaryHeap<Reverse<(Timestamp, usize)>>,
    postponed: BTreeMap<(Timestamp, u64), OrderRequestAndBody>,
    postponements: u64,
    /// Counts every change that a saved ledger must hold.
    version: u64,
}

type OrderRequestAndBody = (OrderRequest, String);

/// What `place` needs from the settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) pending_for: Duration,
    pub(super) lag: Lag,
}

impl Ledger {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub(super) fn orders(&self) -> &[LedgerOrder] {
        &self.orders
    }

    pub(super) fn instances(&self) -> &[Instance] {
        &self.instances
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn renewals(&self, subject: &Subject) -> u32 {
        self.terms.get(subject).copied().unwrap_or(0)
    }

    pub(super) fn knows_po_number(&self, po_number: &str) -> bool {
        self.po_numbers.contains(po_number)
    }

    /// Carries out what time brings: postponed orders, and `pending` ones that succeed.
    pub(super) fn advance(&mut self, now: Timestamp, terms: Terms) {
        while let Some(entry) = self.postponed.first_entry().filter(|entry| entry.key().0 <= now) {
            let at = entry.key().0;
            let (request, body) = entry.remove();
            self.place(request, body, at, terms);
        }
        while let Some(Reverse((at, index))) = self.settling.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.settling.pop();
            self.settle(index, at);
        }
    }

    fn settle(&mut self, index: usize, at: Timestamp) {
        let Some(order) = self.orders.get_mut(index) else { return };
        if order.settles_at == Some(at) {
            order.status = SUCCEED;
            order.settles_at = None;
            self.version += 1;
        }
    }

    /// An order through `save`.
    pub(super) fn place(&mut self, request: OrderRequest, body: String, at: Timestamp, terms: Terms) -> &LedgerOrder {
        let settles_at = (!terms.pending_for.is_zero()).then(|| later(at, terms.pending_for));
        let status = if settles_at.is_some() { PENDING } else { SUCCEED };
        self.enter(request, body, Birth { at, by: PlacedBy::Us, status, settles_at }, terms.lag)
    }

    pub(super) fn postpone(&mut self, at: Timestamp, request: OrderRequest, body: String) {
        self.postponements += 1;
        self.version += 1;
        self.postponed.insert((at, self.postponements), (request, body));
    }

    pub(super) fn postponed(&self) -> impl Iterator<Item = Postponed> {
        self.postponed.iter().map(|((at, _), (_, body))| Postponed { at: *at, body: body.clone() })
    }

    /// Enters a new order, whoever placed it.
    pub(super) fn enter(&mut self, request: OrderRequest, body: String, birth: Birth, lag: Lag) -> &LedgerOrder {
        let index = self.orders.len();
        let place = self.instance_place(&request, birth.at);
        let instance = &self.instances[place];
        let order = LedgerOrder {
            id: self.next_id(),
            order_no: number("UF", self.seed, Stream::OrderNo, index),
            transaction_no: number("ZC", self.seed, Stream::TransactionNo, index),
            instance_id: instance.id,
            product_no: instance.product_no.clone(),
            created_at: birth.at,
            listed_from: later(birth.at, delay(self.seed, lag, index)),
            status: birth.status,
            settles_at: birth.settles_at,
            placed_by: birth.by,
            request,
            body,
        };
        self.add(order)
    }

    /// Adds an order as it stands: a new one, or one of a saved ledger.
    pub(super) fn add(&mut self, order: LedgerOrder) -> &LedgerOrder {
        let index = self.orders.len();
        self.count(&order);
        if let Some(at) = order.settles_at {
            self.settling.push(Reverse((at, index)));
        }
        self.po_numbers.extend(order.request.po_number.clone());
        self.version += 1;
        self.orders.push(order);
        &self.orders[index]
    }

    fn count(&mut self, order: &LedgerOrder) {
        let request = &order.request;
        for line in &request.service_list {
            *self.terms.entry(subject(request, line)).or_default() += 1;
        }
        let months = request.service_list.first().map_or(0, months);
        let place = self.instance_place(request, order.created_at);
        self.instances[place].months += months;
    }

    fn next_id(&self) -> u64 {
        let Some(last) = self.orders.last() else { return FIRST_ORDER };
        last.id + 1 + mix(self.seed, Stream::OrderGap, last.id) % 7
    }

    fn instance_place(&mut self, request: &OrderRequest, at: Timestamp) -> usize {
        self.own(request.product_id, request.partner_id, request.product_no.clone(), at)
    }

    /// The place of a purchased product, entered if it is new.
    pub(super) fn own(
        &mut self,
        product: PortalId,
        partner: Option<PortalId>,
        serial: Option<String>,
        created_at: Timestamp,
    ) -> usize {
        let key = (product, partner, serial);
        if let Some(place) = self.instance_at.get(&key) {
            return *place;
        }
        let index = self.instances.len();
        let serial = key.2;
        let product_no = serial.clone().unwrap_or_else(|| number("", self.seed, Stream::ProductNo, index));
        let id = FIRST_INSTANCE + index as u64;
        self.version += 1;
        self.add_instance(Instance { id, product, partner, serial, product_no, created_at, seed_expiry: None, months: 0 })
    }

    /// Adds an instance as it stands: a new one, or one of a saved ledger.
    pub(super) fn add_instance(&mut self, instance: Instance) -> usize {
        let place = self.instances.len();
        self.instance_at.insert((instance.product, instance.partner, instance.serial.clone()), place);
        self.instances.push(instance);
        place
    }

    /// Sets the end of the term that was paid before this ledger began.
    pub(super) fn seed_expiry(&mut self, place: usize, expires_on: Date) {
        self.instances[place].seed_expiry = Some(expires_on);
    }

    /// Finds an order by its id or its number; both rise from order to order.
    pub(super) fn find(&self, id_or_number: &str) -> Option<&LedgerOrder> {
        self.index_of(id_or_number).map(|index| &self.orders[index])
    }

    fn index_of(&self, id_or_number: &str) -> Option<usize> {
        match id_or_number.parse::<u64>() {
            Ok(id) => self.orders.binary_search_by_key(&id, |order| order.id).ok(),
            Err(_) => self.orders.binary_search_by(|order| order.order_no.as_str().cmp(id_or_number)).ok(),
        }
    }

    /// A person or the vendor sets a status; it stays from then on.
    pub(super) fn set_status(&mut self, id_or_number: &str, status: Status) -> bool {
        let Some(index) = self.index_of(id_or_number) else { return false };
        self.orders[index].status = status;
        self.orders[index].settles_at = None;
        self.version += 1;
        true
    }

    /// Sets from when on the list shows an order.
    pub(super) fn list_from(&mut self, id_or_number: &str, at: Timestamp) -> bool {
        let Some(index) = self.index_of(id_or_number) else { return false };
        self.orders[index].listed_from = at;
        self.version += 1;
        true
    }
}

fn subject(request: &OrderRequest, line: &RequestLine) -> Subject {
    Subject {
        product: request.product_id,
        partner: request.partner_id,
        serial: request.product_no.clone(),
        service: line.service_id,
    }
}

fn months(line: &RequestLine) -> u64 {
    if line.billing_cycle == "monthly" { 1 } else { 12 * line.multi_cycle.max(1) }
}

fn number(prefix: &str, seed: u64, stream: Stream, index: usize) -> String {
    let first = if prefix.is_empty() { FIRST_PRODUCT_NO } else { FIRST_ORDER_NO };
    format!("{prefix}{}", first + index as u64 * STEP + mix(seed, stream, index as u64) % STEP)
}

fn delay(seed: u64, lag: Lag, index: usize) -> Duration {
    match lag {
        Lag::None => Duration::ZERO,
        Lag::Fixed(delay) => delay,
        Lag::Between(least, most) => {
            let room = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX - 1);
            least + Duration::from_millis(mix(seed, Stream::Lag, index as u64) % (room + 1))
        }
    }
}

/// A moment some time later; the end of the calendar stands for anything beyond it.
pub(super) fn later(at: Timestamp, span: Duration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
