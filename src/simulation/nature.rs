//! What a world is like: drawn once from its seed.

use std::time::Duration;

use super::dice::Dice;
use super::line::Dates;
use crate::ids::PortalId;
use crate::sandbox::Settings;
use crate::sandbox::settings::{
    Echo, ErrorStyle, Hides, Lag, ListSettings, NumberForm, OrderSettings, Shows, Sort, TimeUnit, TokenSettings,
};

/// How quickly people do what they are told is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum People {
    Diligent,
    Slow,
    Absent,
}

/// Which fates an order can meet, where it meets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fates {
    All,
    /// Its answer is lost, or is that to another order.
    MixedUp,
    Only(&'static str),
}

/// The character of a world.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone)]
pub(super) struct Nature {
    /// Nothing goes wrong but crashes and lag: then nothing may be held, and nothing be late.
    pub(super) calm: bool,
    pub(super) zone: &'static str,
    /// `settle` of the file, in hours; none: R20's formula.
    pub(super) settle_hours: Option<u32>,
    pub(super) order_faults: u32,
    pub(super) read_faults: u32,
    pub(super) slow: u32,
    pub(super) crashes: u32,
    pub(super) wake_crashes: u32,
    pub(super) write_faults: u32,
    pub(super) dates: Dates,
    pub(super) people: People,
    /// Per year: orders by others, spells of bad weather, edits, clock steps, stops of the daemon.
    pub(super) strangers: u32,
    pub(super) customers: u32,
    pub(super) spells: u32,
    pub(super) edits: u32,
    pub(super) clock_steps: u32,
    pub(super) stops: u32,
    /// Per year and renewal: commands that people give of their own accord.
    pub(super) whims: u32,
    /// Per mille of our orders that somebody cancels, refunds or leaves unpaid.
    pub(super) bad_ends: u32,
    /// A2 does not hold.
    pub(super) beyond_settle: bool,
    /// The renewals are due at one moment, and sent in one batch.
    pub(super) together: bool,
    /// What goes wrong with orders.
    pub(super) fates: Fates,
    /// Orders can stay unpaid for days.
    pub(super) unpaid: bool,
    /// Per mille of our orders soon after which the last backup is put back in place of the database.
    pub(super) restores: u32,
    /// Per mille of wakes at which a copy of the database, on another machine, is the first to tick.
    pub(super) copies: u32,
    /// Nobody has bound the account yet.
    pub(super) unbound: bool,
    /// What comes back of an order in its details.
    pub(super) details: Shows,
    /// The same from some day on, where the portal changes.
    pub(super) later: Option<Shows>,
    /// Everything that tells orders apart comes back.
    pub(super) plain: bool,
    /// Product, customer or serial number come back as something else.
    pub(super) misleads: bool,
    /// What details show while the portal is still writing them, in the first half hour; and of an order that is not paid.
    pub(super) at_first: Option<Shows>,
    /// Orders for the second customer are shown for its distributor.
    pub(super) distributed: bool,
    pub(super) unpaid_shows: Option<Shows>,
    /// `total` of the list is capped.
    pub(super) total_cap: Option<usize>,
    /// Per year: hours in which the list hides orders that it has shown.
    pub(super) hides: u32,
}

const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia",
];

impl Nature {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let calm = dice.chance(200);
        let details = if calm { plain(dice) } else { shows(dice) };
        let dates = dice.weighed(&[(70, Dates::Always), (20, Dates::Sometimes), (10, Dates::Never)]);
        let later = (!calm && dice.chance(150)).then(|| shows(dice));
        let at_first = (!calm && dice.chance(100)).then(|| placeholder(dice));
        let unpaid_shows = (!calm && dice.chance(100)).then(|| placeholder(dice));
        let tells = |shows: Shows| [shows.po_number, shows.product_id, shows.partner_id, shows.serial];
        let every: Vec<[Echo; 4]> = std::iter::once(details).chain(later).chain(unpaid_shows).map(tells).collect();
        let people = dice.weighed(&[(65, People::Diligent), (25, People::Slow), (10, People::Absent)]);
        let misleads = every.iter().any(|tells| tells[1..].contains(&Echo::Misleading));
        // An order that a restored database knows nothing of has to be recognised by what the portal shows of it.
        let restored = !calm && people != People::Absent && !misleads && dice.chance(150);
        let mut often = |all: &[u32]| if calm { 0 } else { *dice.pick(all) };
        let drawn = Self {
            order_faults: often(&[0, 100, 300, 600]),
            read_faults: often(&[0, 0, 20, 100]),
            write_faults: often(&[0, 0, 5]),
            strangers: often(&[0, 1, 3]),
            customers: often(&[0, 0, 1]),
            spells: often(&[0, 0, 1, 2]),
            edits: often(&[0, 0, 1, 2]),
            // A portal that never tells the time cannot correct a clock (RFC 9110 section 6.6.1 has every server with a clock tell it).
            clock_steps: if dates == Dates::Never { 0 } else { often(&[0, 0, 0, 2]) },
            bad_ends: often(&[0, 0, 100]),
            stops: often(&[0, 1, 2]),
            whims: often(&[0, 0, 1]),
            calm,
            zone: *dice.pick(&ZONES),
            settle_hours: *dice.pick(&[None, None, Some(1), Some(6)]),
            slow: *dice.pick(&[0, 0, 50]),
            crashes: *dice.pick(&[0, 100, 400]),
            wake_crashes: *dice.pick(&[0, 5, 20]),
            dates,
            people,
            restores: if restored { 300 } else { 0 },
            copies: if calm { 0 } else { *dice.pick(&[0, 0, 0, 5]) },
            beyond_settle: !calm && dice.chance(50),
            together: dice.chance(350),
            fates: if !calm && dice.chance(50) { Fates::MixedUp } else { Fates::All },
            unpaid: !calm,
            unbound: !calm && dice.chance(100),
            details,
            later,
            plain: every.iter().flatten().all(|echo| *echo == Echo::Echoed) && at_first.is_none(),
            misleads,
            at_first,
            unpaid_shows,
            distributed: false,
            total_cap: (!calm && dice.chance(70)).then(|| *dice.pick(&[1, 5, 12])),
            hides: if calm { 0 } else { *dice.pick(&[0, 0, 0, 2]) },
        };
        // A1 does not hold where a list hides what it has never shown, and its count does not tell.
        Self { hides: if drawn.total_cap.is_some() { 0 } else { drawn.hides }, ..drawn }
    }

    /// Nothing goes wrong at all: what a kind of fault is added to, to see what it does alone.
    pub(super) fn quiet(dice: &mut Dice) -> Self {
        let details = plain(dice);
        let settle_hours = *dice.pick(&[None, None, Some(1), Some(6)]);
        Self {
            calm: false,
            zone: *dice.pick(&ZONES),
            settle_hours,
            order_faults: 0,
            read_faults: 0,
            slow: 0,
            crashes: 0,
            wake_crashes: 0,
            write_faults: 0,
            dates: Dates::Always,
            people: People::Diligent,
            strangers: 0,
            customers: 0,
            spells: 0,
            edits: 0,
            clock_steps: 0,
            stops: 0,
            whims: 0,
            bad_ends: 0,
            beyond_settle: false,
            together: dice.chance(350),
            fates: Fates::All,
            unpaid: false,
            restores: 0,
            copies: 0,
            unbound: false,
            details,
            later: None,
            plain: true,
            misleads: false,
            at_first: None,
            unpaid_shows: None,
            total_cap: None,
            distributed: false,
            hides: 0,
        }
    }

    /// The same world, where the portal shows these of an order.
    pub(super) fn that_shows(self, details: Shows) -> Self {
        Self { details, plain: false, ..self }
    }

    /// The same world, where details show this for the first half hour.
    pub(super) fn that_shows_at_first(self, shows: Shows) -> Self {
        Self { at_first: Some(shows), plain: false, ..self }
    }

    /// The same world, where unpaid orders are shown like this.
    pub(super) fn that_shows_unpaid(self, shows: Shows) -> Self {
        Self { unpaid_shows: Some(shows), unpaid: true, plain: false, misleads: true, ..self }
    }

    /// The same world, where answers get lost often and, some day, the portal shows every order for another customer.
    pub(super) fn that_changes(self) -> Self {
        let shows = Shows { po_number: Echo::Absent, ..Shows::each(Echo::Echoed) };
        let later = Some(Shows { partner_id: Echo::Misleading, product_id: Echo::Misleading, ..shows });
        Self { calm: false, order_faults: 700, beyond_settle: false, details: shows, later, plain: false, misleads: true, ..self }
    }

    /// The same world, where answers get lost often and the portal shows every order for another customer, from the first day on.
    pub(super) fn that_misleads(self) -> Self {
        let shows = Shows { po_number: Echo::Absent, ..Shows::each(Echo::Echoed) };
        let details = Shows { partner_id: Echo::Misleading, product_id: Echo::Misleading, ..shows };
        let never = Self { restores: 0, later: None, beyond_settle: false, ..self };
        Self { calm: false, order_faults: 700, details, plain: false, misleads: true, ..never }
    }

    /// The same world, where orders are refused and carried out all the same, and take long to be listed.
    pub(super) fn that_refuses(self) -> Self {
        Self { calm: false, order_faults: 700, settle_hours: Some(12), people: People::Diligent, ..self }
    }

    /// The same world, where the file is edited and nothing else goes wrong.
    pub(super) fn that_is_only_edited(self) -> Self {
        let quiet = Self::quiet(&mut Dice::new(u64::from(self.slow)));
        Self { edits: 6, details: Shows::each(Echo::Echoed), zone: self.zone, settle_hours: self.settle_hours, ..quiet }
    }

    /// The same world, where orders are carried out late and listed later.
    pub(super) fn that_is_late(self) -> Self {
        let fates = Fates::Only("carried out late");
        Self {
            calm: false,
            order_faults: 800,
            fates,
            settle_hours: Some(12),
            beyond_settle: false,
            people: People::Absent,
            ..self
        }
    }

    /// The same world before a person has run `init`.
    pub(super) fn that_is_not_bound(self) -> Self {
        Self { calm: false, unbound: true, ..self }
    }

    /// The same world, where backups are put back and databases copied.
    pub(super) fn that_is_restored(self) -> Self {
        let details = Shows { partner_id: Echo::Echoed, ..plain_but_for_lines() };
        Self { calm: false, restores: 600, copies: 5, people: People::Diligent, details, later: None, misleads: false, ..self }
    }

    /// The same world, where people do not wait and orders come late.
    pub(super) fn that_is_impatient(self) -> Self {
        Self { calm: false, people: People::Diligent, order_faults: 700, beyond_settle: false, fates: Fates::All, ..self }
    }

    /// A1, A2: how long an order may take to be carried out, and then to be listed.
    pub(super) fn settle(&self) -> Duration {
        Duration::from_hours(u64::from(self.settle_hours.unwrap_or(1)))
    }

    /// How the portal behaves where nobody knows.
    pub(super) fn portal(&self, dice: &mut Dice) -> Settings {
        let settle = self.settle().as_secs();
        let most = Duration::from_secs(settle - 60);
        let details = self.details;
        let row = if dice.chance(700) { Shows::each(Echo::Absent) } else { details };
        Settings {
            seed: dice.next(),
            errors: *dice.pick(&[ErrorStyle::HttpStatus, ErrorStyle::AlwaysOk]),
            tokens: TokenSettings {
                expires_in: form(dice),
                new_ends_old: dice.chance(500),
                rotate_refresh: dice.chance(500),
                ..TokenSettings::default()
            },
            orders: OrderSettings {
                pending_for: Duration::from_mins(*dice.pick(if self.unpaid { &[0, 0, 0, 10, 600, 2880] } else { &[0, 0, 10] })),
                unique_po_numbers: dice.chance(200),
                po_number_max: None,
            },
            list: ListSettings {
                sort: *dice.pick(&[Sort::Descending, Sort::Ascending, Sort::ById, Sort::Shuffled]),
                page_cap: dice.weighed(&[(60, None), (2, Some(1)), (10, Some(3)), (28, Some(7))]),
                times: *dice.pick(&[TimeUnit::Milliseconds, TimeUnit::Seconds]),
                ids: form(dice),
                lag: *dice.pick(&[Lag::None, Lag::Fixed(most), Lag::Between(Duration::ZERO, most)]),
                row,
                details,
                at_first: self.at_first.map(|shows| (Duration::from_mins(30), shows)),
                unpaid: self.unpaid_shows,
                total_cap: self.total_cap,
                distributed: self.distributed.then(|| PortalId::known(super::file::partner(1))),
                hides: Hides::Nothing,
            },
            ..Settings::default()
        }
    }
}

fn plain_but_for_lines() -> Shows {
    Shows { lines: Echo::Absent, quantity: Echo::Absent, ..Shows::each(Echo::Echoed) }
}

fn form(dice: &mut Dice) -> NumberForm {
    *dice.pick(&[NumberForm::Text, NumberForm::Number])
}

/// Enough comes back to tell every order apart.
fn plain(dice: &mut Dice) -> Shows {
    Shows { quantity: echo(dice), operation: echo(dice), lines: echo(dice), ..Shows::each(Echo::Echoed) }
}

/// Not yet, or not of an unpaid order: no `poNumber`, and perhaps the reseller as the customer.
pub(super) fn placeholder(dice: &mut Dice) -> Shows {
    let partner_id = *dice.pick(&[Echo::Misleading, Echo::Misleading, Echo::Absent, Echo::Echoed]);
    Shows { po_number: Echo::Absent, partner_id, ..Shows::each(Echo::Echoed) }
}

fn shows(dice: &mut Dice) -> Shows {
    let mut field = |echoed| if dice.chance(echoed) { Echo::Echoed } else { echo(dice) };
    Shows {
        po_number: field(450),
        product_id: field(700),
        partner_id: field(600),
        serial: field(700),
        operation: field(500),
        lines: field(600),
        quantity: field(400),
    }
}

fn echo(dice: &mut Dice) -> Echo {
    *dice.pick(&[Echo::Absent, Echo::Null, Echo::Echoed, Echo::Misleading])
}
