//! One tick: sync the mirror, follow what is placed, resolve unknowns, place what is due, tell people.
//!
//! Owns the order of these steps. Has no timers: `tick` takes what is due by the clock it was given, and every look at a term
//! writes when to look next. So a kill, a suspend, a restart and a simulated year are one and the same case.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Turn, Typed};
use super::seal::{Seal, SealError};
use super::watched::Watched;
use super::way::Way;
use super::{foreign, lacking, lapsed, own};
use crate::clock::Clock;
use crate::config::model::{Channels, Config};
use crate::portal::client::PortalClient;
use crate::renewal::chain;
use crate::renewal::state::TermState;
use crate::store::moves::{Move, Write};
use crate::store::nature::Nature;
use crate::store::terms::DueTerm;
use crate::store::waits::Wake;
use crate::store::{Store, StoreError};

/// More ticks than this in a row that order nothing, and still something due, are a fault of ours.
const MOST_IDLE_TICKS: u32 = 5_000;
/// How often what is refused of the file in force is tried again.
const TRIED_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// How many terms one tick takes up; the rest is due again at once.
pub(super) const AT_ONCE: u32 = 512;

/// The daemon without its shell. A test drives it on a simulated clock.
pub struct Engine {
    /// The database, held exclusively.
    pub store: Store,
    /// The portal.
    pub portal: Arc<PortalClient>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The file in force.
    pub config: Arc<Config>,
    /// What every `poNumber` of this installation begins with.
    pub po_prefix: String,
    /// The seal of the database (R9). Only a test goes without.
    pub seal: Option<Seal>,
    /// R9: since when the database is doubted.
    pub(super) doubted: Option<Timestamp>,
    /// When the list was last read because of that.
    pub(super) doubt_read_at: Option<Timestamp>,
    /// The portal of the engine stands, whatever a later file says (the sandbox).
    pub keeps_portal: bool,
    /// Set when the process is asked to leave: no new batch begins.
    pub stop: CancellationToken,
    /// Answers that were not weighed yet, because that needs the database.
    pub(super) answered: Vec<super::record::Answered>,
    /// Answers that could not be written down yet; they are, before anything else is done.
    pub(super) unrecorded: Vec<crate::store::ends::Ended>,
    /// The rows of the portal's list that the mirror is known to hold, by key, with a digest of each.
    pub(super) taken: HashMap<String, u64>,
    /// When the details of orders of others that are dead were last looked at again, by row of the mirror.
    pub(super) looked_at: HashMap<i64, Timestamp>,
    /// Terms that were set aside, because a row of theirs is bad.
    pub(super) aside: HashSet<i64>,
    /// Whether a notice about the portal may be standing.
    pub(super) noticed: bool,
    /// What stood in the database as the last tick ended, if nothing was written since.
    pub(super) wake: Option<Wake>,
    /// When a notice is next told again.
    notice_at: Option<Timestamp>,
    /// Carries messages beside the ticks. Without one they are delivered within (`run --once`).
    pub(super) courier: Option<Courier>,
    /// The file, where it is one that people edit meanwhile.
    pub file: Option<Watched>,
    /// How it gives way to people.
    pub(super) way: Way,
    /// It gives no way now: a command is being done, for which the others wait.
    pub(super) stays: bool,
    /// How commands in messages are typed here.
    pub typed: Typed,
    /// Channels that the file names, and that are not known to work: the ones of `config` stay in force until they do.
    pub channels_asked: Option<Channels>,
    /// When the file in force is tried again, if some of it is, or may be, refused.
    roster_at: Option<Timestamp>,
    /// When the last tick began: a clock that says less now was set back.
    last_tick: Option<Timestamp>,
}

/// An order that went through in a tick, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlaced {
    /// The renewal's label.
    pub renewal: String,
    /// What was bought.
    pub quantity: u64,
    /// The first day of the new term.
    pub starts_on: jiff::civil::Date,
    /// The first day after it.
    pub ends_on: jiff::civil::Date,
    /// `poNumber`
    pub po_number: String,
    /// `orderNo`
    pub order_no: String,
    /// `transactionNo`
    pub transaction_no: Option<String>,
    /// `orderStatus`
    pub order_status: Option<String>,
}

/// What one tick did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticked {
    /// How many terms it looked at.
    pub looked_at: usize,
    /// The orders that it placed.
    pub placed: Vec<OrderPlaced>,
    /// Whether the portal could not be used.
    pub portal_trouble: Option<String>,
}

/// Why a tick stopped. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// The database failed. Nothing is ordered until it works again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The seal failed, or the database file was replaced under the daemon (R9).
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A person asks for something, or has edited the file: what is left of the tick is due again when that is done. Never leaves the engine.
    #[error("a person comes first")]
    CalledAway,
}

impl TickError {
    /// How far the failure reaches: whether the next tick may go well.
    pub fn nature(&self) -> Nature {
        match self {
            Self::Store(error) | Self::Seal(SealError::Store(error)) => error.nature(),
            Self::Seal(SealError::Io { .. }) | Self::CalledAway => Nature::Passing,
            Self::Seal(SealError::Replaced(_)) => Nature::Lasting,
        }
    }
}

impl Engine {
    /// An engine over an open database that has been recovered.
    pub fn new(store: Store, portal: Arc<PortalClient>, clock: Arc<dyn Clock>, config: Arc<Config>, uid: &str) -> Self {
        let po_prefix = format!("RW-{uid}-");
        Self {
            store,
            portal,
            clock,
            config,
            po_prefix,
            seal: None,
            keeps_portal: false,
            doubted: None,
            doubt_read_at: None,
            stop: CancellationToken::new(),
            answered: Vec::new(),
            unrecorded: Vec::new(),
            taken: HashMap::new(),
            looked_at: HashMap::new(),
            aside: HashSet::new(),
            noticed: true,
            wake: None,
            notice_at: None,
            courier: None,
            file: None,
            way: Way::default(),
            stays: false,
            typed: Arc::new(str::to_owned),
            channels_asked: None,
            roster_at: Some(Timestamp::MIN),
            last_tick: None,
        }
    }

    /// The same, guarded by the seal of its database.
    #[must_use]
    pub fn sealed(mut self, seal: Seal) -> Self {
        self.seal = Some(seal);
        self
    }

    /// Delivers messages beside the ticks from now on; `wake` is rung when one was tried.
    pub(super) fn hire_courier(&mut self, wake: Arc<tokio::sync::Notify>) {
        self.courier = Some(Courier::new(wake));
    }

    /// One delivery at a time, whoever sends.
    pub(super) fn turn(&self) -> Turn {
        self.courier.as_ref().map(Courier::turn).unwrap_or_default()
    }

    /// Works by another file from now on. The sandbox keeps its own portal, whatever the file says.
    pub fn adopt(&mut self, mut config: Config) {
        if self.keeps_portal {
            config.portal = self.config.portal.clone();
        }
        if self.courier.is_some() {
            self.keep_channels_that_work(&mut config);
        }
        self.config = Arc::new(config);
    }

    /// Does what is due now.
    pub async fn tick(&mut self) -> Result<Ticked, TickError> {
        let mut ticked = Ticked::default();
        self.wake = None;
        let done = Box::pin(self.do_what_is_due(&mut ticked)).await;
        if let Err(TickError::CalledAway) = done {
            // A file that is written without end must not keep people from hearing of the deadlines that pass meanwhile.
            return self.tell(self.clock.now()).await.map(|()| ticked);
        }
        self.forget_list();
        done.map(|()| ticked)
    }

    async fn do_what_is_due(&mut self, ticked: &mut Ticked) -> Result<(), TickError> {
        if let Some(seal) = &self.seal {
            seal.assert_in_place()?;
        }
        self.record_what_is_left(ticked).await?;
        self.take_commands().await?;
        self.looks_anew();
        let now = self.clock.now();
        self.while_doubted(now).await?;
        if self.last_tick.replace(now).is_some_and(|last| last.duration_since(now) > SignedDuration::from_mins(1)) {
            self.mend_waits(now).await?;
        }
        let due = self.store.due_terms(now, AT_ONCE).await?;
        ticked.looked_at = due.terms.len() + due.unreadable.len();
        for bad in due.unreadable {
            self.set_aside(bad).await?;
        }
        if !due.terms.is_empty() {
            self.work(now, due.terms, ticked).await?;
        }
        if self.roster_at.is_some_and(|at| at <= now || at.duration_since(now) > TRIED_AGAIN) {
            super::roster::take_again(&mut self.store, now).await?;
            self.roster_at = Some(after(now, TRIED_AGAIN));
        }
        if self.notice_at.is_some_and(|at| at <= now) {
            self.tell_of_what_stands(now).await?;
        }
        self.tell(now).await
    }

    /// Tells what must be told about these terms, and does for each what its state asks for.
    pub(super) async fn warn_and_act(
        &mut self,
        now: Timestamp,
        mut due: Vec<DueTerm>,
        ticked: &mut Ticked,
    ) -> Result<(), TickError> {
        self.warn(now, &mut due).await?;
        let acting = due.into_iter().filter(|term| term.act_at.is_some_and(|at| at <= now)).collect();
        self.act(now, acting, ticked).await
    }

    /// Ticks until nothing is due at this moment, and says when something is next.
    pub async fn run_dry(&mut self, mut seen: impl FnMut(&Ticked)) -> Result<Option<Timestamp>, TickError> {
        let mut idle = 0;
        loop {
            let ticked = self.tick().await?;
            seen(&ticked);
            idle = if ticked.placed.is_empty() { idle + 1 } else { 0 };
            let next = self.next_wake().await?;
            if self.stop.is_cancelled() || self.is_file_edited() || next.is_none_or(|at| at > self.clock.now()) {
                return Ok(next);
            }
            if idle >= MOST_IDLE_TICKS {
                // A term that nothing moves must not keep people's commands and the other renewals waiting.
                tracing::error!("a term is due and no tick moves it; please report this, with `renewd status --json`");
                return Ok(Some(after(self.clock.now(), SignedDuration::from_mins(1))));
            }
        }
    }

    /// When something is next to be done.
    async fn next_wake(&mut self) -> Result<Option<Timestamp>, TickError> {
        let now = self.clock.now();
        let doubt = self.doubt_wake(now);
        let on_their_way = self.courier.as_mut().is_some_and(Courier::is_busy);
        let next = match self.wake.take() {
            Some(next) => next,
            None => self.store.next_wake().await?,
        };
        self.notice_at = next.notice;
        self.roster_at = next.refused.then(|| self.roster_at.unwrap_or(now));
        let message = next.message.filter(|_| !on_their_way);
        Ok([next.term, message, next.notice, doubt].into_iter().flatten().min())
    }

    async fn act(&mut self, now: Timestamp, due: Vec<DueTerm>, ticked: &mut Ticked) -> Result<(), TickError> {
        let due = self.only_what_moves(now, due).await?;
        if due.is_empty() {
            return Ok(());
        }
        self.give_way().await?;
        let for_evidence = due.iter().any(|term| self.may_count(term, now));
        let synced = match self.reach_portal(now, for_evidence).await? {
            Ok(synced) => synced,
            Err(trouble) => {
                self.wait_for_portal(due.iter(), &trouble).await?;
                ticked.portal_trouble = Some(trouble.what);
                return Ok(());
            }
        };
        if let Some(wait) = self.clock_in_doubt(&synced, &due) {
            // What is about to be ordered is told with the wait.
            if wait.remedy.is_some() && due.iter().all(|term| term.state != TermState::Scheduled) {
                self.tell_of_clock(now, wait.detail.clone()).await?;
            }
            return self.wait_all(&due, wait).await;
        }
        let (unknown, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|term| term.state == TermState::Unknown);
        let (placed, waiting): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|term| matches!(term.state, TermState::Placed | TermState::Renewed | TermState::Held));
        let (for_list, placed): (Vec<_>, Vec<_>) = placed.into_iter().partition(lacking::is_held_for_list);
        self.look_whether_shown(&synced, for_list).await?;
        let (lapsed, placed): (Vec<_>, Vec<_>) = placed.into_iter().partition(lapsed::is_held_lapsed);
        self.look_whether_paid_again(lapsed).await?;
        let (for_others, placed): (Vec<_>, Vec<_>) = placed.into_iter().partition(foreign::is_held_foreign);
        self.look_whether_for_others(for_others).await?;
        // Following first: finding an order can open the attempt again that an answer had named it for.
        self.follow(&synced, placed).await?;
        self.resolve(&synced, unknown).await?;
        let scheduled = self.close_overdue(now, waiting).await?;
        self.place(&synced, scheduled, ticked).await
    }

    /// What a person decides does not wait for a moment; an order of which nothing is known any more is found out.
    async fn only_what_moves(&mut self, now: Timestamp, due: Vec<DueTerm>) -> Result<Vec<DueTerm>, TickError> {
        let moves = |term: &DueTerm| {
            own::is_held_dead(term)
                || lacking::is_held_for_list(term)
                || lapsed::is_held_lapsed(term)
                || foreign::is_held_foreign(term)
                || !matches!(term.state, TermState::Ordering | TermState::Held | TermState::Skipped | TermState::Missed)
        };
        let (moving, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(moves);
        if rest.is_empty() {
            return Ok(moving);
        }
        let (orphans, still): (Vec<_>, Vec<_>) = rest.into_iter().partition(|term| term.state == TermState::Ordering);
        if !orphans.is_empty() {
            self.recover().await?;
        }
        let moves = still
            .iter()
            .map(|t| Move { reason: t.reason, detail: t.detail.clone(), remedy: t.remedy.clone(), ..Move::of(t, t.state) })
            .collect();
        self.store.write(now, Write { moves, ..Write::default() }).await?;
        Ok(moving)
    }

    /// R26: a term that no order may exist for, and whose last chance is gone, is missed, once the portal has confirmed the time. `unknown`
    /// never is. Returns what may be ordered.
    async fn close_overdue(&mut self, now: Timestamp, due: Vec<DueTerm>) -> Result<Vec<DueTerm>, TickError> {
        let (overdue, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|term| is_overdue(term, now));
        let (scheduled, awaiting): (Vec<_>, Vec<_>) = rest.into_iter().partition(|term| term.state == TermState::Scheduled);
        self.look_whether_renewed(awaiting).await?;
        let mut write = Write::default();
        for term in &overdue {
            super::words::missed(term, now, &mut write);
            tracing::error!(renewal = term.name, deadline = %term.moments.deadline_at, "missed: the deadline passed without an order");
        }
        self.store.write(now, write).await?;
        Ok(scheduled)
    }
}

/// Whether the last chance of a term that waits has passed (R26).
pub(super) fn is_overdue(term: &DueTerm, now: Timestamp) -> bool {
    let waits = matches!(term.state, TermState::Scheduled | TermState::AwaitingApproval);
    waits && now >= chain::last_chance(term.moments.deadline_at, term.standing.grace_days)
}

/// `span` later, or earlier; at most the end of time, or its beginning.
pub(super) fn after(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(if span.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}
