//! How the sandbox behaves wherever portal-api.md says **I** or **?**.
//!
//! Every variant that the real portal might turn out to be can be chosen here. Holds no state.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::catalogue::Catalogue;
use super::entry::{LedgerOrder, PENDING};
use crate::ids::PortalId;

/// Everything that can be chosen. The default is the plainest reading of the guide.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides ids, request ids, tokens, lags and shuffles; the same seed and calls give the same bytes.
    pub seed: u64,
    /// The client id that gets a token.
    pub client_id: String,
    /// The secret that belongs to it. It protects nothing.
    pub client_secret: String,
    /// How errors travel (section 1).
    pub errors: ErrorStyle,
    /// How tokens live (section 2).
    pub tokens: TokenSettings,
    /// Whether the look-ups of section 3 answer with a bare array or a page object.
    pub lookups: ResultShape,
    /// What happens to an order (section 4).
    pub orders: OrderSettings,
    /// How orders are read back (section 5).
    pub list: ListSettings,
    /// What purchased products show (section 7).
    pub purchased: PurchasedSettings,
    /// Who and what exists. With one, ids outside it are refused; without one every id is taken.
    pub catalogue: Option<Catalogue>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            client_id: "sandbox".into(),
            client_secret: "sandbox".into(),
            errors: ErrorStyle::HttpStatus,
            tokens: TokenSettings::default(),
            lookups: ResultShape::BareArray,
            orders: OrderSettings::default(),
            list: ListSettings::default(),
            purchased: PurchasedSettings::default(),
            catalogue: None,
        }
    }
}

/// How an error envelope travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStyle {
    /// The HTTP status is the envelope's `status`.
    HttpStatus,
    /// HTTP 200; only `code` and `status` of the envelope tell.
    AlwaysOk,
}

/// A list as `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultShape {
    /// `[…]`
    BareArray,
    /// `{"count":…,"results":[…],…}`
    PageObject,
}

/// A number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberForm {
    /// `"1800"`
    Text,
    /// `1800`
    Number,
}

/// Tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// How long an access token lives.
    pub access_life: Duration,
    /// How long a refresh token lives.
    pub refresh_life: Duration,
    /// How `expiresIn` is written.
    pub expires_in: NumberForm,
    /// A new token ends all older ones, refresh tokens too.
    pub new_ends_old: bool,
    /// A refresh gives a new refresh token and ends the one that was used.
    pub rotate_refresh: bool,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            access_life: Duration::from_mins(30),
            refresh_life: Duration::from_hours(15 * 24),
            expires_in: NumberForm::Text,
            new_ends_old: false,
            rotate_refresh: false,
        }
    }
}

/// What happens to an order that was accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderSettings {
    /// How long an order is `pending` before it succeeds; zero: it succeeds at once.
    pub pending_for: Duration,
    /// Refuse a `poNumber` that was used before. By default a repeated POST buys twice, as the guide says nothing else.
    pub unique_po_numbers: bool,
    /// The longest `poNumber`, in characters; a longer one is refused.
    pub po_number_max: Option<usize>,
}

/// In which order the list comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By `createTime`, oldest first.
    Ascending,
    /// By `createTime`, newest first.
    Descending,
    /// By id, lowest first.
    ById,
    /// In an order of its own that stays the same from call to call; a new order may turn up on any page.
    Shuffled,
}

/// The unit of `createTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// How soon an order shows in the list. `get` finds it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// At once.
    None,
    /// After this long.
    Fixed(Duration),
    /// After some time between the two, different for each order: order 101 may be visible before order 100.
    Between(Duration, Duration),
}

/// How a field of an order comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// The key is not there.
    Absent,
    /// The key is there, its value is `null`.
    Null,
    /// As it was sent; a field that was not sent is not there.
    Echoed,
    /// As something else; see [`Shows`].
    Misleading,
}

/// Which fields of an order come back, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shows {
    /// `poNumber`; misleading: a reference of the portal's own.
    pub po_number: Echo,
    /// `productId`; misleading: 20, whatever was renewed.
    pub product_id: Echo,
    /// `partnerId`; misleading: the reseller's own id, on every order.
    pub partner_id: Echo,
    /// `productNo`; misleading: the portal's own number of the product, also where a serial number was sent.
    pub serial: Echo,
    /// `operationType`; misleading: `purchase`.
    pub operation: Echo,
    /// The lines; misleading: pricing ids in place of service ids.
    pub lines: Echo,
    /// `quantity`; misleading: 1.
    pub quantity: Echo,
}

impl Shows {
    /// The same for every field.
    pub const fn each(echo: Echo) -> Self {
        Self { po_number: echo, product_id: echo, partner_id: echo, serial: echo, operation: echo, lines: echo, quantity: echo }
    }
}

/// How orders are read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSettings {
    /// The order of the list.
    pub sort: Sort,
    /// A page never holds more than this, whatever `pageSize` asks for.
    pub page_cap: Option<u32>,
    /// The unit of `createTime`, in list and details.
    pub times: TimeUnit,
    /// How the `id` of a row is written.
    pub ids: NumberForm,
    /// How soon an order shows.
    pub lag: Lag,
    /// What a row shows beside the documented fields.
    pub row: Shows,
    /// What the details show.
    pub details: Shows,
    /// What the details show for so long after an order was made, while the portal is still writing them.
    pub at_first: Option<(Duration, Shows)>,
    /// What the details show of an order that is not paid.
    pub unpaid: Option<Shows>,
    /// `total` and `totalPage` never tell of more rows than this, as a search's do.
    pub total_cap: Option<usize>,
    /// Orders for this customer are shown for its distributor, wherever a customer is shown.
    pub distributed: Option<PortalId>,
    /// What the list leaves out.
    pub hides: Hides,
}

/// Orders that a list leaves out although it has shown them, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hides {
    /// None.
    Nothing,
    /// Every n-th row, which `total` counts.
    Rows(usize),
    /// The pages from this one on, which `total` counts.
    PagesFrom(u32),
    /// Orders younger than this; `total` does not count them.
    YoungerThan(Duration),
    /// Orders made at this moment or later, as a copy from before it; `total` does not count them.
    MadeFrom(Timestamp),
}

impl ListSettings {
    /// What the details of `order` show at `now`.
    pub(super) fn details_of(&self, order: &LedgerOrder, now: Timestamp) -> Shows {
        let age = now.duration_since(order.created_at);
        match (self.at_first, self.unpaid) {
            (Some((span, shows)), _) if SignedDuration::try_from(span).is_ok_and(|span| age < span) => shows,
            (_, Some(shows)) if order.status == PENDING => shows,
            _ => self.details,
        }
    }
}

impl Default for ListSettings {
    fn default() -> Self {
        Self {
            sort: Sort::Descending,
            page_cap: None,
            times: TimeUnit::Milliseconds,
            ids: NumberForm::Text,
            lag: Lag::None,
            row: Shows::each(Echo::Absent),
            details: Shows::each(Echo::Echoed),
            at_first: None,
            unpaid: None,
            total_cap: None,
            distributed: None,
            hides: Hides::Nothing,
        }
    }
}

/// What purchased products show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurchasedSettings {
    /// An `expireDate` comes back, carried forward by what was renewed.
    pub expiry: bool,
    /// Products without a serial number are listed too.
    pub without_serial: bool,
}
