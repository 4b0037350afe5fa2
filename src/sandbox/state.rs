//! One call, from request to verdict, over the state of the portal.
//!
//! Synchronous and without I/O: time and every byte come in as parameters.

use jiff::Timestamp;

use super::catalogue::Directory;
use super::faults::{Effect, Fault, Queue, Reply};
use super::ledger::{Ledger, Terms, later};
use super::list::Listing;
use super::message::{Answer, Fate, Incoming, Outcome, Pen, Refusal, Verdict, result};
use super::request::OrderRequest;
use super::route::{Endpoint, Query, Route};
use super::seed::{Stream, hex32, mix};
use super::settings::Settings;
use super::token::Tokens;
use super::{details, lookups, prices, purchased, rules};

/// When an order that was accepted is carried out.
#[derive(Debug, Clone, Copy)]
enum Carry {
    Now,
    At(Timestamp),
}

/// Everything the portal remembers.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) ledger: Ledger,
    pub(super) directory: Directory,
    pub(super) listing: Listing,
    pub(super) tokens: Tokens,
    pub(super) faults: Queue,
    pub(super) calls: [u64; Endpoint::ALL.len()],
    /// How many request ids have been given out.
    pub(super) requests: u64,
    /// The last answer to an order that was carried out, for a duplicate of it.
    last_saved: Option<Answer>,
}

impl State {
    pub(super) fn new(settings: Settings, ledger: Ledger) -> Self {
        let directory = Directory::of(settings.catalogue.clone());
        let mut state = Self {
            settings,
            ledger,
            directory,
            listing: Listing::new(),
            tokens: Tokens::default(),
            faults: Queue::default(),
            calls: [0; Endpoint::ALL.len()],
            requests: 0,
            last_saved: None,
        };
        state.own_catalogue();
        state
    }

    /// Takes up new settings while running.
    pub(super) fn take_up(&mut self, settings: Settings) {
        self.directory = Directory::of(settings.catalogue.clone());
        self.settings = settings;
        self.listing.reset();
        self.own_catalogue();
    }

    fn own_catalogue(&mut self) {
        for owned in &self.directory.catalogue.owned {
            let place = self.ledger.own(owned.product, owned.partner, owned.serial.clone(), Timestamp::UNIX_EPOCH);
            self.ledger.seed_expiry(place, owned.expires_on);
        }
    }

    fn terms(&self) -> Terms {
        Terms { pending_for: self.settings.orders.pending_for, lag: self.settings.list.lag }
    }

    /// Carries out what is due by now.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let terms = self.terms();
        self.ledger.advance(now, terms);
    }

    /// One call.
    pub(super) fn handle(&mut self, now: Timestamp, request: &Incoming<'_>) -> Verdict {
        self.advance(now);
        let route = Route::of(request.path_and_query);
        let pen = self.pen(now);
        if self.faults.is_down(now) {
            return Verdict { fate: Fate::Unreachable, answer: pen.refusal(503, &unavailable(503)) };
        }
        self.calls[route.endpoint as usize] += 1;
        match self.faults.take(route.endpoint) {
            Some(fault) => self.strike(fault, &pen, route, request),
            None => Verdict { fate: Fate::Answer, answer: self.normal(&pen, route, request) },
        }
    }

    fn pen(&mut self, now: Timestamp) -> Pen {
        let (seed, n) = (self.settings.seed, self.requests);
        self.requests += 1;
        let request_id = hex32(mix(seed, Stream::RequestHigh, n), mix(seed, Stream::RequestLow, n));
        Pen { now, request_id, errors: self.settings.errors }
    }

    /// The true answer of a portal without faults.
    fn normal(&mut self, pen: &Pen, route: Route<'_>, request: &Incoming<'_>) -> Answer {
        let outcome = self.outcome(pen.now, route, request, Carry::Now);
        let answer = pen.answer(&outcome);
        if route.endpoint == Endpoint::Save && outcome.is_ok() {
            self.last_saved = Some(answer.clone());
        }
        answer
    }

    fn outcome(&mut self, now: Timestamp, route: Route<'_>, request: &Incoming<'_>, carry: Carry) -> Outcome {
        check_call(route.endpoint, request)?;
        if route.endpoint == Endpoint::Token {
            let form = std::str::from_utf8(request.body).map_err(|_| Refusal::validation("the form is not UTF-8"))?;
            return self.tokens.grant(Query(form), &self.settings, now);
        }
        if !self.tokens.admits(request.authorization, now) {
            return Err(Refusal::unauthorized());
        }
        match route.endpoint {
            Endpoint::Save => self.save(now, request, carry),
            Endpoint::List => self.listing.page(self.ledger.orders(), self.settings.seed, now, &self.settings.list, route.query),
            _ => self.read(now, route, request),
        }
    }

    /// Calls that change nothing.
    fn read(&self, now: Timestamp, route: Route<'_>, request: &Incoming<'_>) -> Outcome {
        let (catalogue, query) = (&self.directory.catalogue, route.query);
        let (instances, shape) = (self.ledger.instances(), self.settings.lookups);
        match route.endpoint {
            Endpoint::Partners => lookups::partners(catalogue, shape),
            Endpoint::Contacts => lookups::contacts(catalogue, shape),
            Endpoint::Products => lookups::products(catalogue, shape),
            Endpoint::Services => lookups::services(catalogue, query),
            Endpoint::Get => {
                let order = self.ledger.find(route.tail).ok_or_else(|| Refusal::not_found("this order"))?;
                details::details(order, &self.directory, &self.settings.list, now)
            }
            Endpoint::Prices => prices::list_prices(catalogue, query),
            Endpoint::Calculate => prices::calculate(catalogue, request.body),
            Endpoint::PlanInfo | Endpoint::AddOnInfo => prices::renewal_info(route.tail, query),
            Endpoint::Purchased => purchased::list(instances, &self.settings.purchased, query),
            Endpoint::Detail => purchased::detail(instances, &self.settings.purchased, query),
            Endpoint::Token | Endpoint::Save | Endpoint::List | Endpoint::Unknown => Err(Refusal::not_found("this path")),
        }
    }

    fn save(&mut self, now: Timestamp, request: &Incoming<'_>, carry: Carry) -> Outcome {
        let order = OrderRequest::parse(request.body)?;
        rules::check_renewal(&order)?;
        self.directory.admits(&order)?;
        self.check_po_number(&order)?;
        let body = String::from_utf8_lossy(request.body).into_owned();
        match carry {
            Carry::Now => {
                let terms = self.terms();
                details::saved(self.ledger.place(order, body, now, terms))
            }
            Carry::At(at) => {
                self.ledger.postpone(at, order, body);
                Ok(b"null".to_vec())
            }
        }
    }

    fn check_po_number(&self, order: &OrderRequest) -> Result<(), Refusal> {
        let Some(po_number) = &order.po_number else { return Ok(()) };
        let orders = &self.settings.orders;
        if orders.po_number_max.is_some_and(|most| po_number.chars().count() > most) {
            return Err(Refusal::validation("poNumber is too long"));
        }
        if orders.unique_po_numbers && self.ledger.knows_po_number(po_number) {
            return Err(Refusal::validation("poNumber was used before"));
        }
        Ok(())
    }

    /// A call that meets a fault.
    fn strike(&mut self, fault: Fault, pen: &Pen, route: Route<'_>, request: &Incoming<'_>) -> Verdict {
        let before = self.last_saved.clone();
        let done = match fault.effect {
            Effect::Done => Some(self.normal(pen, route, request)),
            Effect::Later(delay) if route.endpoint == Endpoint::Save => {
                // Only its effect counts: a request that is refused now is not carried out later either.
                drop(self.outcome(pen.now, route, request, Carry::At(later(pen.now, delay))));
                None
            }
            Effect::Later(_) | Effect::Undone => None,
        };
        let truth = done.unwrap_or_else(|| pen.refusal(503, &unavailable(503)));
        match fault.reply {
            Reply::Duplicate => Verdict { fate: Fate::Answer, answer: before.unwrap_or(truth) },
            reply => Verdict { fate: fate(&reply), answer: disguise(reply, truth, pen, request.path_and_query) },
        }
    }
}

/// What every call needs before anybody looks at who makes it (section 1).
fn check_call(endpoint: Endpoint, request: &Incoming<'_>) -> Result<(), Refusal> {
    if endpoint == Endpoint::Unknown {
        return Err(Refusal::not_found("this path"));
    }
    if request.method != endpoint.method() {
        return Err(Refusal::new(405, "method_not_allowed", format!("{} is expected here", endpoint.method())));
    }
    if request.user_agent.is_none_or(str::is_empty) {
        return Err(Refusal::new(400, "user_agent_missing", "every request carries a User-Agent"));
    }
    let expected = if endpoint == Endpoint::Token { "application/x-www-form-urlencoded" } else { "application/json" };
    let given = request.content_type.and_then(|given| given.split(';').next()).map(str::trim);
    if request.method == "POST" && !given.is_some_and(|given| given.eq_ignore_ascii_case(expected)) {
        return Err(Refusal::new(415, "unsupported_media_type", format!("Content-Type must be {expected}")));
    }
    Ok(())
}

fn unavailable(status: u16) -> Refusal {
    Refusal::new(status, "system_error", "the sandbox was told to fail here")
}

fn fate(reply: &Reply) -> Fate {
    match reply {
        Reply::Late(delay) => Fate::AnswerAfter(*delay),
        Reply::Cut(bytes) => Fate::CutAfter(*bytes),
        Reply::Close => Fate::Close,
        Reply::CloseUnread => Fate::CloseUnread,
        Reply::Reset => Fate::Reset,
        Reply::Hang => Fate::Hang,
        _ => Fate::Answer,
    }
}

/// What the caller is told in place of the truth.
fn disguise(reply: Reply, truth: Answer, pen: &Pen, path_and_query: &str) -> Answer {
    let coded = |status, code: String| Refusal { status, code: code.into(), detail: "the sandbox was told to refuse".into() };
    match reply {
        Reply::Refuse(code) => pen.refusal(400, &coded(400, code)),
        Reply::Disguised(code) => pen.refusal(200, &coded(500, code)),
        Reply::Status(status, retry_after) => {
            let refusal = if status == 401 { Refusal::unauthorized() } else { unavailable(status) };
            let mut answer = pen.refusal(status, &refusal);
            answer.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
            answer
        }
        Reply::Redirect => {
            let mut answer = pen.plain(307, Vec::new());
            answer.headers.push(("location", path_and_query.to_owned()));
            answer
        }
        Reply::Garbage => pen.plain(200, b"<html><body>please wait".to_vec()),
        Reply::NoOrderNumber => pen.answer(&result(&serde_json::json!({"orderStatus": "succeed"}))),
        _ => truth,
    }
}
