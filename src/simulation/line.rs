//! The line to the simulated portal, and its weather.
//!
//! Owns what becomes of each request: a `Transport` over `Sandbox::handle`, in this process and without waiting. Keeps the assumptions A1 to
//! A3 of docs/promise.md, unless a world breaks one on purpose.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::crash;
use super::dice::Dice;
use super::nature::Fates;
use crate::clock::{Clock as _, ManualClock};
use crate::portal::transport::{Method, Reached, Request, Response, Transport, TransportError};
use crate::sandbox::{Answer, Effect, Endpoint, Fate, Fault, Incoming, Reply, Sandbox, Target, VALIDATION_CODE, Verdict};

/// How often answers carry a fresh `Date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dates {
    Always,
    Sometimes,
    Never,
}

/// A spell of bad weather: every call meets the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spell {
    Unwell,
    WrongCredentials,
    TooMany,
    Garbage,
    NoList,
    NoDetails,
    NoTokens,
    Unreachable,
}

/// True time, and what the daemon's own clock makes of it.
#[derive(Debug, Clone)]
pub(super) struct Clocks {
    pub(super) truth: ManualClock,
    pub(super) daemon: ManualClock,
    pub(super) skew: SignedDuration,
}

impl Clocks {
    pub(super) fn set(&mut self, truth: Timestamp) {
        self.truth.set(truth);
        self.daemon.set(truth.checked_add(self.skew).unwrap_or(truth));
    }
}

/// What the line is like, and what it has seen.
#[derive(Debug)]
pub(super) struct Weather {
    pub(super) dice: Dice,
    pub(super) clocks: Clocks,
    /// Per mille of orders, and of reads, that meet a fault.
    pub(super) order_faults: u32,
    pub(super) read_faults: u32,
    /// Per mille of calls that take seconds instead of no time.
    pub(super) slow: u32,
    /// Per mille of orders around which the process dies.
    pub(super) crashes: u32,
    pub(super) dates: Dates,
    /// A1, A2: nothing is carried out or listed later than this.
    pub(super) settle: Duration,
    /// A2 does not hold: what is carried out late is far too late.
    pub(super) beyond_settle: bool,
    /// Which fates there are.
    pub(super) fates_met: Fates,
    pub(super) spell: Option<(Spell, Timestamp)>,
    /// How often each fate befell an order.
    pub(super) fates: BTreeMap<&'static str, u64>,
    /// The fate of each order that was sent, by its `poNumber`.
    pub(super) sent: HashMap<String, &'static str>,
}

/// The line. Clones are the same line.
#[derive(Clone)]
pub(crate) struct Line {
    pub(super) sandbox: Sandbox,
    weather: Arc<Mutex<Weather>>,
}

impl Line {
    /// A line on which nothing goes wrong.
    pub(crate) fn quiet(sandbox: Sandbox, clock: &ManualClock) -> Self {
        let clocks = Clocks { truth: clock.clone(), daemon: clock.clone(), skew: SignedDuration::ZERO };
        let weather = Weather {
            dice: Dice::new(0),
            clocks,
            order_faults: 0,
            read_faults: 0,
            slow: 0,
            crashes: 0,
            dates: Dates::Always,
            settle: Duration::from_hours(1),
            beyond_settle: false,
            fates_met: Fates::All,
            spell: None,
            fates: BTreeMap::new(),
            sent: HashMap::new(),
        };
        Self::new(sandbox, weather)
    }

    /// From now on its answers do not tell the time.
    pub(crate) fn stops_telling_the_time(&self) {
        self.weather().dates = Dates::Never;
    }

    /// From now on they do.
    pub(crate) fn tells_the_time(&self) {
        self.weather().dates = Dates::Always;
    }

    pub(super) fn new(sandbox: Sandbox, weather: Weather) -> Self {
        Self { sandbox, weather: Arc::new(Mutex::new(weather)) }
    }

    pub(super) fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(&self, request: &Request) -> Result<Response, TransportError> {
        let fault = self.weather().meets(request);
        let (fault, reach) = match fault {
            Met::Nothing => (None, Reached::Maybe),
            Met::Fault(fault) => (Some(fault), Reached::Maybe),
            Met::NoLine(reached) => return Err(lost(reached)),
        };
        if let Some(fault) = fault {
            self.sandbox.inject(Target::Only(endpoint(&request.path)), fault, 1);
        }
        let verdict =
            self.sandbox.handle(&incoming(request, request.authorization.as_ref().map(secrecy::ExposeSecret::expose_secret)));
        self.arrive(verdict, reach)
    }

    fn arrive(&self, verdict: Verdict, reach: Reached) -> Result<Response, TransportError> {
        match verdict.fate {
            Fate::Answer => Ok(self.response(verdict.answer)),
            Fate::AnswerAfter(delay) => {
                let mut weather = self.weather();
                let waited = delay.min(Duration::from_mins(1));
                weather.pass(SignedDuration::try_from(waited).unwrap_or_default());
                drop(weather);
                if delay > waited { Err(lost(reach)) } else { Ok(self.response(verdict.answer)) }
            }
            Fate::CutAfter(_) => {
                Err(TransportError { reached: Reached::Maybe, what: "broke off".to_owned(), status: Some(verdict.answer.status) })
            }
            Fate::Unreachable | Fate::CloseUnread => Err(lost(Reached::No)),
            Fate::Close | Fate::Reset | Fate::Hang => Err(lost(Reached::Maybe)),
        }
    }

    fn response(&self, answer: Answer) -> Response {
        let header = |name: &str| answer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let date =
            header("date").and_then(|text| httpdate::parse_http_date(text).ok()).and_then(|at| Timestamp::try_from(at).ok());
        let retry_after = header("retry-after").and_then(|text| text.parse().ok());
        let mut weather = self.weather();
        let fresh = match weather.dates {
            Dates::Always => true,
            Dates::Sometimes => weather.dice.chance(600),
            Dates::Never => false,
        };
        Response { status: answer.status, body: Bytes::from(answer.body), date: date.filter(|_| fresh), retry_after }
    }
}

impl Transport for Line {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        crash::point().await;
        let answer = self.carry(&request);
        crash::point().await;
        answer
    }
}

fn lost(reached: Reached) -> TransportError {
    let what = if reached == Reached::No { "no connection" } else { "the connection broke" };
    TransportError { reached, what: what.to_owned(), status: None }
}

fn incoming<'a>(request: &'a Request, authorization: Option<&'a str>) -> Incoming<'a> {
    Incoming {
        method: if request.method == Method::Get { "GET" } else { "POST" },
        path_and_query: &request.path,
        user_agent: Some("OpenAPI"),
        authorization,
        content_type: request.content_type,
        body: &request.body,
    }
}

fn endpoint(path: &str) -> Endpoint {
    if path.contains("/order/v1/save") {
        Endpoint::Save
    } else if path.contains("/order/v1/page") {
        Endpoint::List
    } else if path.contains("/order/v1/get/") {
        Endpoint::Get
    } else {
        Endpoint::Token
    }
}

/// What a request meets on its way.
enum Met {
    Nothing,
    Fault(Fault),
    NoLine(Reached),
}

fn fault(effect: Effect, reply: Reply) -> Met {
    Met::Fault(Fault { effect, reply })
}

/// Every fate of an order, with its weight.
pub(super) const FATES: [(u32, &str); 27] = [
    (3, "refused, validation code"),
    (3, "refused, other code, no effect"),
    (4, "refused, other code, carried out"),
    (2, "refused under HTTP 200, no effect"),
    (3, "refused under HTTP 200, carried out"),
    (3, "never left"),
    (4, "never arrived"),
    (6, "carried out, answer lost"),
    (8, "carried out late"),
    (4, "carried out, answer cut"),
    (2, "garbage, no effect"),
    (4, "garbage, carried out"),
    (3, "500, no effect"),
    (4, "500, carried out"),
    (2, "503, no effect"),
    (2, "redirect, no effect"),
    (2, "redirect, carried out"),
    (3, "answer of another order, carried out"),
    (3, "answer of another order, no effect"),
    (4, "success without number"),
    (3, "401"),
    (3, "429"),
    (3, "slow answer"),
    (2, "too slow an answer"),
    (2, "closed unread"),
    (2, "hangs, no effect"),
    (2, "hangs, carried out"),
];

const MIXED_UP: [(u32, &str); 3] =
    [(4, "carried out, answer lost"), (3, "answer of another order, carried out"), (3, "answer of another order, no effect")];

impl Weather {
    /// Time goes by for everyone.
    fn pass(&mut self, span: SignedDuration) {
        let now = self.clocks.truth.now().checked_add(span).unwrap_or(Timestamp::MAX);
        self.clocks.set(now);
    }

    fn meets(&mut self, request: &Request) -> Met {
        let endpoint = endpoint(&request.path);
        if self.slow > 0 && self.dice.chance(self.slow) {
            let seconds = self.dice.between(1, 20);
            self.pass(SignedDuration::from_secs(seconds));
        }
        if let Some((spell, until)) = self.spell
            && self.clocks.truth.now() < until
            && let Some(met) = Self::spell_on(spell, endpoint)
        {
            if endpoint == Endpoint::Save {
                self.note(request, "bad spell");
            }
            return met;
        }
        match endpoint {
            Endpoint::Save => self.meets_order(request),
            _ if self.dice.chance(self.read_faults) => self.read_fault(),
            _ => Met::Nothing,
        }
    }

    fn meets_order(&mut self, request: &Request) -> Met {
        if self.dice.chance(self.crashes) {
            crash::arm(u32::try_from(self.dice.between(1, 10)).unwrap_or(1));
        }
        if !self.dice.chance(self.order_faults) {
            self.note(request, "fine");
            return Met::Nothing;
        }
        let fate = match self.fates_met {
            Fates::All => self.dice.weighed(&FATES),
            Fates::MixedUp => self.dice.weighed(&MIXED_UP),
            Fates::Only(fate) => fate,
        };
        self.note(request, fate);
        self.fate(fate)
    }

    fn note(&mut self, request: &Request, fate: &'static str) {
        *self.fates.entry(fate).or_default() += 1;
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let po_number = body["poNumber"].as_str().unwrap_or_default().to_owned();
        self.sent.insert(po_number, fate);
    }

    fn fate(&mut self, fate: &str) -> Met {
        use Effect::{Done, Undone};
        let other = || "balance_insufficient".to_owned();
        match fate {
            "refused, validation code" => fault(Undone, Reply::Refuse(VALIDATION_CODE.to_owned())),
            "refused, other code, no effect" => fault(Undone, Reply::Refuse(other())),
            "refused, other code, carried out" => fault(Done, Reply::Refuse(other())),
            "refused under HTTP 200, no effect" => fault(Undone, Reply::Disguised(other())),
            "refused under HTTP 200, carried out" => fault(Done, Reply::Disguised(other())),
            "never left" => Met::NoLine(Reached::No),
            "never arrived" => fault(Undone, Reply::Reset),
            "carried out, answer lost" => fault(Done, Reply::Close),
            "carried out late" => fault(Effect::Later(self.late()), Reply::Close),
            "carried out, answer cut" => fault(Done, Reply::Cut(20)),
            "garbage, no effect" => fault(Undone, Reply::Garbage),
            "garbage, carried out" => fault(Done, Reply::Garbage),
            "500, no effect" => fault(Undone, Reply::Status(500, None)),
            "500, carried out" => fault(Done, Reply::Status(500, None)),
            "503, no effect" => fault(Undone, Reply::Status(503, Some(120))),
            "redirect, no effect" => fault(Undone, Reply::Redirect),
            "redirect, carried out" => fault(Done, Reply::Redirect),
            "answer of another order, carried out" => fault(Done, Reply::Duplicate),
            "answer of another order, no effect" => fault(Undone, Reply::Duplicate),
            "success without number" => fault(Done, Reply::NoOrderNumber),
            "401" => fault(Undone, Reply::Status(401, None)),
            "429" => fault(Undone, Reply::Status(429, Some(300))),
            "slow answer" => fault(Done, Reply::Late(Duration::from_secs(45))),
            "too slow an answer" => fault(Done, Reply::Late(Duration::from_secs(90))),
            "closed unread" => fault(Undone, Reply::CloseUnread),
            "hangs, no effect" => fault(Undone, Reply::Hang),
            _ => fault(Done, Reply::Hang),
        }
    }

    /// From minutes to just below settle.
    fn late(&mut self) -> Duration {
        let most = i64::try_from(self.settle.as_secs()).unwrap_or(3600) - 60;
        let seconds = match self.dice.below(3) {
            _ if self.beyond_settle => self.dice.between(30 * 3600, 72 * 3600),
            0 => self.dice.between(60, 600),
            1 => self.dice.between(most * 9 / 10, most),
            _ => self.dice.between(60, most),
        };
        Duration::from_secs(u64::try_from(seconds).unwrap_or(60))
    }

    fn read_fault(&mut self) -> Met {
        use Effect::{Done, Undone};
        match self.dice.below(8) {
            0 => fault(Undone, Reply::Status(500, None)),
            1 => fault(Undone, Reply::Status(401, None)),
            2 => fault(Undone, Reply::Status(429, Some(30))),
            3 => fault(Done, Reply::Garbage),
            4 => fault(Done, Reply::Cut(30)),
            5 => fault(Done, Reply::Close),
            6 => fault(Undone, Reply::Status(503, Some(600))),
            _ => Met::NoLine(Reached::No),
        }
    }

    fn spell_on(spell: Spell, endpoint: Endpoint) -> Option<Met> {
        use Effect::{Done, Undone};
        match (spell, endpoint) {
            (Spell::Unwell, _) => Some(fault(Undone, Reply::Status(503, None))),
            (Spell::WrongCredentials, _) => Some(fault(Undone, Reply::Status(401, None))),
            (Spell::TooMany, _) => Some(fault(Undone, Reply::Status(429, Some(900)))),
            (Spell::Garbage, Endpoint::Save) => None,
            (Spell::Garbage, _) => Some(fault(Done, Reply::Garbage)),
            (Spell::NoList, Endpoint::List) | (Spell::NoDetails, Endpoint::Get) | (Spell::NoTokens, Endpoint::Token) => {
                Some(fault(Undone, Reply::Status(500, None)))
            }
            (Spell::Unreachable, _) => Some(Met::NoLine(Reached::No)),
            _ => None,
        }
    }
}
