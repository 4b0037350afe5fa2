//! The oracle: what must be true after every step, read from the portal's own ledger and from what was told.
//!
//! Never asks the daemon what it thinks: the database is read only for what it owes to the ledger (attempts) and to people (outbox).

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::figures::Figures;
use super::file::{Plan, Unwanted};
use super::nature::Nature;
use super::people::is_dead;
use crate::sandbox::{LedgerOrder, PlacedBy, Sandbox};
use crate::store::Store;
use crate::store::audit::verify_chain;

mod deadlines;
mod others;

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint(String);

impl Complaint {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// A disk that the world itself let fail.
    pub(super) fn is_injected(&self) -> bool {
        self.0.contains(&std::io::Error::from(std::io::ErrorKind::StorageFull).to_string())
    }
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is new since the last look.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Our orders in the ledger, by number.
    pub(super) orders: Vec<String>,
    /// What people were told.
    pub(super) messages: Vec<String>,
}

/// How many orders the ledger has, and how many of them are dead: all that the oracle needs to look again.
#[derive(Default, PartialEq, Eq)]
struct Digest(usize, usize);

impl Digest {
    fn is_news(&mut self, orders: &[LedgerOrder]) -> bool {
        let now = Self(orders.len(), orders.iter().filter(|order| is_dead(&order.status)).count());
        let news = *self != now;
        *self = now;
        news
    }
}

/// The oracle of one world.
pub(super) struct Oracle {
    nature: Nature,
    zone: TimeZone,
    /// Whether a person has bound the account.
    pub(super) bound: bool,
    seen: usize,
    ledger: Digest,
    /// The term of each order of ours.
    term_of: HashMap<String, i64>,
    outbox: i64,
    marks: HashMap<(usize, u32), i64>,
    dismissed: HashMap<usize, HashSet<String>>,
    /// Of each of these a person has counted one, and nobody knows which.
    counted: HashMap<usize, Vec<Vec<String>>>,
    /// When the daemon was away, or its clock wrong: moments at which that changed.
    away: Vec<(Timestamp, bool)>,
    /// Doubles since a person resumed, where A2 does not hold.
    doubles: BTreeMap<i64, usize>,
    bad_ends: HashMap<String, Timestamp>,
    /// Orders that were dead and live again, and since when.
    revived: HashMap<String, Timestamp>,
    /// When the last spell of bad weather ended or will, and how long it was.
    blind: Option<(Timestamp, SignedDuration)>,
    settled_by_people: HashSet<i64>,
    /// Since when a person has paused everything.
    paused: Option<Timestamp>,
    /// Row numbers of the time before do not count any more.
    restored: bool,
}

/// Our orders for one term.
fn orders_of(sandbox: &Sandbox, plan: &Plan, k: u32, zone: &TimeZone) -> Vec<String> {
    let ours =
        |o: &&LedgerOrder| o.placed_by == PlacedBy::Us && plan.is_renewed_by(&o.request) && plan.term_of(o.created_at, zone) == k;
    sandbox.with_orders(|orders| orders.iter().filter(ours).map(|o| o.order_no.clone()).collect())
}

fn read(error: &sqlx::Error) -> Complaint {
    Complaint::new(format!("the oracle cannot read: {error}"))
}

fn must(fine: bool, what: impl FnOnce() -> String) -> Result<(), Complaint> {
    if fine { Ok(()) } else { Err(Complaint::new(what())) }
}

impl Oracle {
    pub(super) fn new(nature: &Nature, zone: TimeZone) -> Self {
        Self {
            nature: nature.clone(),
            zone,
            bound: false,
            seen: 0,
            ledger: Digest::default(),
            term_of: HashMap::new(),
            outbox: 0,
            marks: HashMap::new(),
            dismissed: HashMap::new(),
            counted: HashMap::new(),
            revived: HashMap::new(),
            away: Vec::new(),
            doubles: BTreeMap::new(),
            bad_ends: HashMap::new(),
            blind: None,
            settled_by_people: HashSet::new(),
            paused: None,
            restored: false,
        }
    }

    /// A person has looked at these orders and wants another one all the same.
    pub(super) fn dismiss(&mut self, plan: usize, keys: &[String]) {
        self.dismissed.entry(plan).or_default().extend(keys.iter().cloned());
    }

    /// An order that was dead is paid after all.
    pub(super) fn revived(&mut self, order: &str, now: Timestamp) {
        self.revived.insert(order.to_owned(), now);
    }

    pub(super) fn resumed(&mut self) {
        self.doubles.clear();
        self.paused = None;
    }

    pub(super) fn paused(&mut self, now: Timestamp) {
        self.paused = self.paused.or(Some(now));
    }

    /// Whether the daemon can do anything about anything from now on.
    pub(super) fn note(&mut self, now: Timestamp, runs: bool, skew: SignedDuration) {
        self.away.push((now, !runs || skew != SignedDuration::ZERO));
    }

    /// After every step.
    pub(super) async fn look(
        &mut self,
        store: &mut Store,
        sandbox: &Sandbox,
        plans: &[Plan],
        figures: &mut Figures,
    ) -> Result<News, Complaint> {
        let mut news = News::default();
        let changed = sandbox.with_orders(|orders| self.ledger.is_news(orders));
        let orders = if changed { sandbox.orders() } else { Vec::new() };
        for order in orders.iter().skip(self.seen) {
            if order.placed_by == PlacedBy::Us {
                self.look_at(store, &orders, order, plans).await?;
                news.orders.push(order.order_no.clone());
                figures.orders += 1;
                figures.trace = figures.trace.wrapping_mul(31) ^ u64::try_from(order.created_at.as_millisecond()).unwrap_or(0);
            }
        }
        if changed {
            self.seen = orders.len();
            self.at_most_one(&orders, plans)?;
        }
        let told: Vec<(i64, String)> = sqlx::query_as("SELECT id, body FROM outbox WHERE id > $1 ORDER BY id")
            .bind(self.outbox)
            .fetch_all(&mut store.conn)
            .await
            .map_err(|e| read(&e))?;
        for (id, body) in told {
            self.outbox = id;
            must(!body.contains("\"cause\":\"row:"), || format!("a term was set aside: {body}"))?;
            figures.messages += 1;
            news.messages.push(body);
        }
        Ok(news)
    }

    /// One order of ours, as soon as the ledger has it.
    async fn look_at(
        &mut self,
        store: &mut Store,
        all: &[LedgerOrder],
        order: &LedgerOrder,
        plans: &[Plan],
    ) -> Result<(), Complaint> {
        must(self.bound, || format!("order {} was placed before a person bound the account", order.order_no))?;
        let po_number = order.request.po_number.clone().unwrap_or_default();
        let attempt: Option<i64> = sqlx::query_scalar("SELECT term_id FROM attempt WHERE po_number = $1")
            .bind(&po_number)
            .fetch_optional(&mut store.conn)
            .await
            .map_err(|e| read(&e))?;
        let Some(term) = attempt else {
            if self.restored {
                return Ok(()); // sent before an older backup was put back, and carried out since: whether it is a second one is looked at below
            }
            return Err(Complaint::new(format!("order {} ({po_number}) has no attempt in the database", order.order_no)));
        };
        self.term_of.insert(order.order_no.clone(), term);
        let Some(at) = plans.iter().position(|plan| plan.is_renewed_by(&order.request)) else {
            return Err(Complaint::new(format!("order {} is for nothing that the file ever had", order.order_no)));
        };
        self.in_its_time(order, &plans[at])?;
        self.wanted(order, &plans[at])?;
        let claimed: Vec<String> = sqlx::query_scalar(
            "SELECT order_no FROM attempt WHERE state = 'placed' AND matched_by IN ('content', 'person') AND order_no IS NOT NULL",
        )
        .fetch_all(&mut store.conn)
        .await
        .map_err(|e| read(&e))?;
        self.dismiss(at, &claimed);
        self.not_renewed_by_others(all, order, at, plans)
    }

    /// No order before it is due, by the true time; none after its last chance, but for what the portal carries out late.
    fn in_its_time(&self, order: &LedgerOrder, plan: &Plan) -> Result<(), Complaint> {
        let deadline = plan.deadline(plan.term_of(order.created_at, &self.zone), &self.zone);
        let hours = SignedDuration::from_hours;
        let earliest = deadline - hours(24 * i64::from(plan.longest_lead) + 2);
        let late = SignedDuration::try_from(self.nature.settle()).unwrap_or_default();
        let latest = deadline + hours(24 * i64::from(plan.grace) + 2) + late;
        let early = plan.early.contains(&plan.term_of(order.created_at, &self.zone));
        must(early || order.created_at >= earliest, || {
            format!("order {} was placed at {} for {deadline}, before it was due", order.order_no, order.created_at)
        })?;
        must(order.created_at <= latest || self.nature.beyond_settle, || {
            format!("order {} was placed at {} for {deadline}, after its last chance", order.order_no, order.created_at)
        })
    }

    /// Nothing while a person has paused, skipped or held it, but for what was on its way. An older database knows nothing of it.
    fn wanted(&self, order: &LedgerOrder, plan: &Plan) -> Result<(), Complaint> {
        let late = SignedDuration::try_from(self.nature.settle()).unwrap_or_default() + SignedDuration::from_mins(2);
        let said = plan.unwanted.and_then(|unwanted| match unwanted {
            Unwanted::Skipped(_, from) if plan.term_of(order.created_at, &self.zone) < from => None,
            Unwanted::Skipped(at, _) | Unwanted::Held(at) => Some(at),
        });
        let unwanted = [self.paused, said].into_iter().flatten().any(|since| order.created_at > since + late);
        must(!unwanted || self.restored || self.nature.beyond_settle, || {
            format!("order {} was placed although a person had paused, skipped or held it", order.order_no)
        })
    }

    /// Never twice: at most one living order of ours for each term.
    fn at_most_one(&mut self, orders: &[LedgerOrder], plans: &[Plan]) -> Result<(), Complaint> {
        let mut by_term: HashMap<i64, Vec<&str>> = HashMap::new();
        let mut by_time: HashMap<(usize, u32), Vec<&str>> = HashMap::new();
        for order in orders.iter().filter(|o| o.placed_by == PlacedBy::Us && !is_dead(&o.status)) {
            if let Some(term) = self.term_of.get(&order.order_no) {
                by_term.entry(*term).or_default().push(&order.order_no);
            }
            if let Some(at) = plans.iter().position(|plan| plan.is_renewed_by(&order.request)) {
                by_time.entry((at, plans[at].term_of(order.created_at, &self.zone))).or_default().push(&order.order_no);
            }
        }
        if self.nature.beyond_settle {
            return Self::few_doubles(&by_term);
        }
        for (term, orders) in by_term {
            must(orders.len() <= 1, || format!("bought twice: term {term} has the living orders {}", orders.join(" and ")))?;
        }
        for ((at, k), orders) in by_time {
            must(orders.len() <= 1, || format!("bought twice: {} has {} in term {k}", plans[at].name(), orders.join(" and ")))?;
        }
        Ok(())
    }

    /// R21: where the portal breaks A2, the damage ends with the first that shows.
    fn few_doubles(by_term: &HashMap<i64, Vec<&str>>) -> Result<(), Complaint> {
        for (term, orders) in by_term {
            must(orders.len() <= 2, || format!("bought more than twice: term {term} has {}", orders.join(" and ")))?;
        }
        Ok(())
    }

    /// R21: after two orders of unknown fate for one term there is no third unless a person said what became of them.
    async fn no_third(&self, store: &mut Store) -> Result<(), Complaint> {
        let unknown: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT a.id, a.term_id, (SELECT max(id) FROM attempt l WHERE l.term_id = a.term_id) FROM attempt a
             WHERE a.state = 'not_placed' AND a.absent_at IS NOT NULL ORDER BY a.id",
        )
        .fetch_all(&mut store.conn)
        .await
        .map_err(|e| read(&e))?;
        let mut alone: HashMap<i64, u32> = HashMap::new();
        for (id, term, last) in unknown.into_iter().filter(|(id, ..)| !self.settled_by_people.contains(id)) {
            let before = alone.entry(term).or_default();
            *before += 1;
            must(*before < 2 || last == id, || format!("a third order went out for term {term} after two of unknown fate"))?;
        }
        Ok(())
    }

    /// An older database is in use from now on: its row numbers begin again.
    pub(super) async fn restored(&mut self, store: &mut Store) -> Result<(), Complaint> {
        let newest: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM outbox")
            .fetch_one(&mut store.conn)
            .await
            .map_err(|e| read(&e))?;
        self.outbox = self.outbox.min(newest);
        self.marks.values_mut().for_each(|mark| *mark = (*mark).min(newest));
        self.term_of.clear();
        self.restored = true;
        Ok(())
    }

    /// A person said what became of an attempt.
    pub(super) fn settled(&mut self, attempt: i64) {
        self.settled_by_people.insert(attempt);
    }

    /// At the end of a world: both ledgers agree, the chain of the audit log is whole, and nothing was held without cause.
    pub(super) async fn conclude(
        &mut self,
        store: &mut Store,
        sandbox: &Sandbox,
        plans: &[Plan],
        figures: &mut Figures,
    ) -> Result<(), Complaint> {
        let placed: Vec<(String, Option<String>, String)> = sqlx::query_as(
            "SELECT po_number, order_no, matched_by FROM attempt a JOIN term t ON t.id = a.term_id
                 WHERE a.state = 'placed' AND po_number NOT LIKE 'external:%' AND t.state IN ('placed', 'renewed') AND t.reason IS NOT 'not_listed'
                   AND NOT EXISTS (SELECT 1 FROM term o WHERE instr(o.candidates, a.order_no))",
        )
        .fetch_all(&mut store.conn)
        .await
        .map_err(|e| read(&e))?;
        let warned: i64 = sqlx::query_scalar("SELECT count(*) FROM term WHERE state = 'renewed' AND warn_at IS NOT NULL")
            .fetch_one(&mut store.conn)
            .await
            .map_err(|e| read(&e))?;
        must(warned == 0, || format!("{warned} renewed terms are to be warned of"))?;
        let orders = sandbox.orders();
        for (po_number, order_no, matched_by) in &placed {
            let found = orders.iter().find(|order| Some(&order.order_no) == order_no.as_ref());
            // What somebody else ordered in the same hour, and looks the same in everything, has renewed it just as well (R19 b).
            let as_good =
                |order: &LedgerOrder| matched_by == "content" && plans.iter().any(|plan| plan.is_renewed_by(&order.request));
            let fits = found.is_some_and(|order| order.request.po_number.as_ref() == Some(po_number) || as_good(order));
            must(fits, || {
                format!("attempt {po_number} is placed as {order_no:?} (by {matched_by}), which the ledger does not bear out")
            })?;
        }
        if !self.restored {
            self.no_third(store).await?;
        }
        let attempts: i64 =
            sqlx::query_scalar("SELECT count(*) FROM attempt").fetch_one(&mut store.conn).await.map_err(|e| read(&e))?;
        figures.attempts += u64::try_from(attempts).unwrap_or(0);
        let rows = store.audit_rows().await.map_err(|e| Complaint::new(e.to_string()))?;
        verify_chain(&rows)
            .map_err(|broken| Complaint::new(format!("the audit log breaks at {}: {}", broken.seq, broken.what)))?;
        super::causes::check(store, sandbox, plans, &self.nature, figures).await
    }
}
