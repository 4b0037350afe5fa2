//! The built-in portal: the vendor's API as far as portal-api.md knows it, with its own ledger of what was really ordered.
//!
//! Written from portal-api.md and not from `portal/`, so that each checks the other. The core (`handle`) is synchronous,
//! does no I/O and is deterministic: the same seed, clock and calls give the same bytes. `server.rs` puts it on loopback.
//! Everything in it is invented, and nothing in it ever reaches the vendor.

mod book;
pub mod catalogue;
mod control;
mod details;
mod entry;
pub mod faults;
mod ledger;
mod list;
mod lookups;
mod message;
mod prices;
mod purchased;
mod request;
mod route;
mod rules;
mod seed;
mod server;
pub mod settings;
mod shown;
mod state;
mod token;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

pub use book::{BookError, stood_at};
pub use catalogue::Catalogue;
pub use entry::{LedgerOrder, PENDING, PlacedBy, SUCCEED, Status, Subject};
pub use faults::{Effect, Fault, FaultError, Reply, Target};
pub use message::{Answer, Fate, Incoming, Refusal, VALIDATION_CODE, Verdict};
pub use request::{OrderRequest, RequestLine};
pub use route::Endpoint;
pub use server::serve;
pub use settings::Settings;
pub use shown::RESELLER;

use crate::clock::Clock;
use book::Book;
use entry::Birth;
use ledger::Ledger;
use state::State;

/// The portal. Clones are the same portal.
#[derive(Clone)]
pub struct Sandbox {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
    book: Option<Arc<Book>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("book", &self.book).finish_non_exhaustive()
    }
}

/// An order placed by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Who placed it.
    pub by: PlacedBy,
    /// What was ordered; no rule of section 8 applies to other people.
    pub request: OrderRequest,
    /// Its status, which stays.
    pub status: Status,
    /// When; none: now. Ids rise in the order of entry, whatever this says.
    pub created_at: Option<Timestamp>,
}

/// The ledger has no such order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has no order {0}; give its id or its order number")]
pub struct NoSuchOrder(pub String);

impl Sandbox {
    /// A portal that forgets everything when it is dropped.
    pub fn new(clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let ledger = Ledger::new(settings.seed);
        Self { clock, state: Arc::new(Mutex::new(State::new(settings, ledger))), book: None }
    }

    /// A portal that goes on from where the ledger in `path` stands (R28), or begins there.
    ///
    /// # Errors
    /// The file cannot be read, or is not a ledger of this version; it is then left as it is.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, settings: Settings) -> Result<Self, BookError> {
        let (book, state) = Book::open(path, settings)?;
        Ok(Self { clock, state: Arc::new(Mutex::new(state)), book: Some(Arc::new(book)) })
    }

    /// Answers one request. Nothing is written to disk: a caller that opened a file calls [`Sandbox::keep`] before it lets the
    /// answer out.
    pub fn handle(&self, request: &Incoming<'_>) -> Verdict {
        let now = self.clock.now();
        self.lock().handle(now, request)
    }

    /// Writes the ledger to its file, if it has one and an order has changed since the last time.
    ///
    /// # Errors
    /// The file could not be written; the one before is still whole.
    pub fn keep(&self) -> Result<(), BookError> {
        match &self.book {
            Some(book) => book.write(self.clock.now(), false, || self.lock()),
            None => Ok(()),
        }
    }

    /// Writes the ledger to its file, if it has one, even if only time has passed: the last act of a stop.
    ///
    /// # Errors
    /// As for [`Sandbox::keep`].
    pub fn save(&self) -> Result<(), BookError> {
        match &self.book {
            Some(book) => book.write(self.clock.now(), true, || self.lock()),
            None => Ok(()),
        }
    }

    /// The ledger: every order that was accepted, oldest entry first.
    pub fn orders(&self) -> Vec<LedgerOrder> {
        self.with_orders(<[LedgerOrder]>::to_vec)
    }

    /// Looks at the ledger without copying it. `look` must not call this portal.
    pub fn with_orders<T>(&self, look: impl FnOnce(&[LedgerOrder]) -> T) -> T {
        look(self.advanced().ledger.orders())
    }

    /// How many renewals of one service or plan were accepted, whoever ordered them and whatever became of them.
    pub fn renewals(&self, subject: &Subject) -> u32 {
        self.advanced().ledger.renewals(subject)
    }

    /// Orders that the portal has taken and will carry out later: when, and the request's body.
    pub fn postponed(&self) -> Vec<(Timestamp, String)> {
        self.advanced().ledger.postponed().map(|order| (order.at, order.body)).collect()
    }

    /// Enters an order that somebody else placed.
    pub fn add_foreign(&self, foreign: Foreign) -> LedgerOrder {
        let now = self.clock.now();
        let mut state = self.advanced();
        let lag = state.settings.list.lag;
        let body = foreign.request.to_json();
        let at = foreign.created_at.unwrap_or(now);
        let birth = Birth { at, by: foreign.by, status: foreign.status, settles_at: None };
        state.ledger.enter(foreign.request, body, birth, lag).clone()
    }

    /// Sets the status of an order, by its id or its number; it stays from then on.
    pub fn set_status(&self, order: &str, status: impl Into<Status>) -> Result<(), NoSuchOrder> {
        let known = self.advanced().ledger.set_status(order, status.into());
        if known { Ok(()) } else { Err(NoSuchOrder(order.into())) }
    }

    /// Sets from when on the list shows an order, by its id or its number.
    pub fn list_from(&self, order: &str, at: Timestamp) -> Result<(), NoSuchOrder> {
        let mut state = self.advanced();
        state.listing.reset();
        let known = state.ledger.list_from(order, at);
        if known { Ok(()) } else { Err(NoSuchOrder(order.into())) }
    }

    /// Switches on what a fault text asks for; a time span counts from now.
    pub fn switch_on(&self, instruction: faults::Instruction) {
        match instruction {
            faults::Instruction::Strike { target, fault, times } => self.inject(target, fault, times),
            faults::Instruction::Down(span) => self.down_until(ledger::later(self.clock.now(), span)),
        }
    }

    /// Lets a fault wait for the next `times` calls of its target.
    pub fn inject(&self, target: Target, fault: Fault, times: u32) {
        self.lock().faults.push(target, fault, times);
    }

    /// Nothing can be reached before `until`.
    pub fn down_until(&self, until: Timestamp) {
        self.lock().faults.down_until(until);
    }

    /// Whether nothing can be reached now.
    pub fn is_down(&self) -> bool {
        self.lock().faults.is_down(self.clock.now())
    }

    /// Forgets every fault that still waits.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Ends every token, as a portal does that has lost them.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.revoke();
    }

    /// Changes the settings while running. What was ordered stays as it was; the seed should stay, too.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = self.lock();
        let mut settings = state.settings.clone();
        change(&mut settings);
        state.take_up(settings);
    }

    /// How often each endpoint was called, faults included. Control endpoints do not count.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        let state = self.lock();
        Endpoint::ALL.into_iter().map(|endpoint| (endpoint.word(), state.calls[endpoint as usize])).collect()
    }

    /// How often one endpoint was called.
    pub fn calls_of(&self, endpoint: Endpoint) -> u64 {
        self.lock().calls[endpoint as usize]
    }

    /// Handles a call whose head alone has arrived, if it is one that closes before its body is read. Looking and taking is
    /// one step, or two calls at once would both go without a body.
    fn handle_unread(&self, head: &Incoming<'_>) -> Option<Verdict> {
        let now = self.clock.now();
        let endpoint = route::Route::of(head.path_and_query).endpoint;
        let mut state = self.lock();
        let unread = state.faults.peek(endpoint).is_some_and(|fault| fault.reply == Reply::CloseUnread);
        unread.then(|| state.handle(now, head))
    }

    fn advanced(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.advance(now);
        state
    }

    /// A panic in another thread leaves the state readable: each call ends its changes with its own answer.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
