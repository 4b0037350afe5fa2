//! Every key of `renewals.toml`, declared once.
//!
//! Owns names, meanings and limits. The reader takes from here what is known and what is required, its messages take their
//! examples, and the JSON Schema is made of it.

use super::limits::{MAX_DAYS, MAX_NAME, MAX_ORDERS, MAX_QUANTITY, MAX_SERIAL, MAX_TOTAL, MAX_YEARS};

/// One key of one table.
#[derive(Debug)]
pub(super) struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether its table is wrong without it.
    pub required: bool,
    /// A value as it would be written.
    pub example: &'static str,
    /// What happens without it, where that is one fixed value.
    pub default: Option<&'static str>,
    /// What it means, for editors.
    pub doc: &'static str,
}

/// What a key takes.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text of 1 to `max` characters.
    Text { max: usize },
    /// One of these words.
    Word(&'static [&'static str]),
    /// The key of a product.
    Product,
    /// A portal id.
    Id,
    /// A whole number.
    Number { min: u32, max: u32 },
    /// `true` or `false`.
    Flag,
    /// A day without a time.
    Day,
    /// A time of day.
    TimeOfDay,
    /// Whole days or weeks.
    Days { min: u32, max: u32 },
    /// A length of time, of any unit.
    Time,
    /// An address.
    Url,
    /// Several texts.
    Texts,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table with these keys, or one of these words.
    TableOr(&'static [Key], &'static [&'static str]),
    /// Any number of tables with these keys.
    Tables(&'static [Key]),
}

const fn key(name: &'static str, kind: Kind, example: &'static str, doc: &'static str) -> Key {
    Key { name, kind, required: false, example, default: None, doc }
}

impl Key {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

/// The file itself.
pub(super) static FILE: [Key; 7] = [
    key(
        "timezone",
        Kind::Text { max: MAX_NAME },
        "\"Europe/Berlin\"",
        "The IANA zone in which every date and time of day of this file is meant.",
    )
    .required(),
    key("portal", Kind::Table(&PORTAL), "{}", "The vendor's portal. Credentials never stand here."),
    key("schedule", Kind::Table(&SCHEDULE), "{}", "When the daemon looks for work."),
    key("defaults", Kind::Table(&DEFAULTS), "{}", "What every [[renewal]] inherits unless it says otherwise."),
    key(
        "notify",
        Kind::TableOr(&NOTIFY, &["none"]),
        "\"none\"",
        "Who is told when a person is needed. Required against a real portal: a channel, or notify = \"none\" at the top.",
    ),
    key("limits", Kind::Table(&LIMITS), "{}", "The most that may be spent without a person."),
    key("renewal", Kind::Tables(&RENEWAL), "[]", "One subscription that is kept renewed."),
];

/// `[portal]`
pub(super) static PORTAL: [Key; 4] = [
    key(
        "base_url",
        Kind::Url,
        "\"https://openapi.partner.yeastar.com\"",
        "Address of the portal's API: https, or http on loopback.",
    )
    .default("https://openapi.partner.yeastar.com"),
    key(
        "settle",
        Kind::Time,
        "\"4 hours\"",
        "How long an order may stay invisible in the portal's list before its absence counts as evidence. 60 minutes to 7 days; \
         by default a quarter of the time left, between 60 minutes and 24 hours.",
    ),
    key(
        "validation_codes",
        Kind::Texts,
        "[\"parameter_validation_*\"]",
        "Further error codes of the portal that prove that nothing was ordered. A code may end in *.",
    ),
    key("proxy", Kind::Url, "\"http://proxy.example.com:3128\"", "Proxy for the portal. Proxies of the environment are ignored."),
];

/// `[schedule]`
pub(super) static SCHEDULE: [Key; 1] = [key(
    "check",
    Kind::Text { max: MAX_NAME },
    "\"0 * * * * *\"",
    "Cron expression of the heartbeat, six fields beginning with the second, in UTC. The daemon looks at least once a minute.",
)
.default("0 * * * * *")];

/// `[notify]`
pub(super) static NOTIFY: [Key; 3] = [
    key(
        "webhook",
        Kind::Url,
        "\"https://chat.example.com/hooks/renewd\"",
        "Address that takes a POST with a JSON body: https, or http on loopback.",
    ),
    key(
        "command",
        Kind::Texts,
        "[\"/usr/local/bin/tell\", \"ops\"]",
        "Program (absolute path) and arguments; it gets the message as JSON on standard input.",
    ),
    key("timeout", Kind::Time, "\"10 s\"", "How long one try may take, 1 to 60 seconds.").default("10 s"),
];

/// `[limits]`
pub(super) static LIMITS: [Key; 3] = [
    key(
        "max_orders_per_day",
        Kind::Number { min: 1, max: MAX_ORDERS },
        "50",
        "Orders sent in one day; what exceeds it waits for the next.",
    )
    .default("50"),
    key(
        "max_quantity_per_order",
        Kind::Number { min: 1, max: MAX_TOTAL },
        "500",
        "Largest quantity of one order; an entry beyond it is refused.",
    )
    .default("500"),
    key(
        "max_quantity_per_day",
        Kind::Number { min: 1, max: MAX_TOTAL },
        "2000",
        "Sum of quantities sent in one day; what exceeds it waits for the next.",
    )
    .default("2000"),
];

const PRODUCT: Key = key("product", Kind::Product, "\"rm-premium\"", "What is renewed.");
const SERVICE_ID: Key = key(
    "service_id",
    Kind::Id,
    "\"3375819276601303040\"",
    "Id of the service, for products that are renewed by a service. See `renewd discover services`.",
);
const PLAN_ID: Key = key(
    "plan_id",
    Kind::Id,
    "\"3375819276601303041\"",
    "Id of the plan, for products that are renewed by a plan. See `renewd discover services`.",
);
const BILLING_ID: Key =
    key("billing_id", Kind::Id, "\"3197218168379846218\"", "Id of the billing contact. See `renewd discover contacts`.");
const QUANTITY: Key = key(
    "quantity",
    Kind::Number { min: 1, max: MAX_QUANTITY },
    "10",
    "Connections, extensions or domain names to renew, for products that have a quantity.",
);
const CYCLE: Key = key("cycle", Kind::Word(&["annually", "monthly"]), "\"annually\"", "How the plan is billed today.");
const YEARS: Key =
    key("years", Kind::Number { min: 1, max: MAX_YEARS }, "1", "Years of one term, for products that offer several.");
const LEAD: Key = key(
    "lead",
    Kind::Days { min: 1, max: MAX_DAYS },
    "\"14 days\"",
    "How long before expiry to order, in days or weeks: at least one day, at most half a term.",
)
.default("14 days");
const ORDER_AT: Key = key("order_at", Kind::TimeOfDay, "\"09:00\"", "At what time of that day to order.").default("09:00");
const APPROVAL: Key = key(
    "approval",
    Kind::Word(&["auto", "manual"]),
    "\"manual\"",
    "auto: the order is placed without asking. manual: it waits for `renewd approve NAME`.",
)
.default("auto");
const GRACE: Key = key(
    "grace",
    Kind::Days { min: 0, max: MAX_DAYS },
    "\"0 days\"",
    "How long after expiry a late order still goes by itself: at most half a term.",
)
.default("0 days");

/// `[defaults]`
pub(super) static DEFAULTS: [Key; 11] =
    [PRODUCT, SERVICE_ID, PLAN_ID, BILLING_ID, QUANTITY, CYCLE, YEARS, LEAD, ORDER_AT, APPROVAL, GRACE];

/// `[[renewal]]`
pub(super) static RENEWAL: [Key; 18] = [
    key("name", Kind::Text { max: MAX_NAME }, "\"blue-harbour\"", "What people call it. May be changed at any time.").required(),
    key(
        "partner_id",
        Kind::Id,
        "\"3076915454489739264\"",
        "The partner it is renewed for; left out, it is your own. See `renewd discover partners`.",
    ),
    key("serial", Kind::Text { max: MAX_SERIAL }, "\"3631A2200005\"", "Serial number of the PBX, for products that have one."),
    key("batch", Kind::Text { max: MAX_NAME }, "\"second\"", "Tells two subscriptions to one service apart."),
    key("expires_on", Kind::Day, "2027-03-01", "The end of the term that is paid today: the first day that is not paid.")
        .required(),
    key("far", Kind::Flag, "true", "Says that an expires_on more than a term and 31 days ahead is meant.").default("false"),
    key("line", Kind::Tables(&LINE), "[]", "Lines of an order that has several: a plan and its services."),
    PRODUCT,
    SERVICE_ID,
    PLAN_ID,
    BILLING_ID,
    QUANTITY,
    CYCLE,
    YEARS,
    LEAD,
    ORDER_AT,
    APPROVAL,
    GRACE,
];

/// `[[renewal.line]]`
pub(super) static LINE: [Key; 3] = [PLAN_ID, SERVICE_ID, QUANTITY];

/// The tables that know a key of this name, for a key that stands in the wrong one.
pub(super) fn homes(name: &str) -> Option<String> {
    let tables: [(&str, &[Key]); 7] = [
        ("at the top of the file, before the first [table]", &FILE),
        ("in [portal]", &PORTAL),
        ("in [schedule]", &SCHEDULE),
        ("in [defaults]", &DEFAULTS),
        ("in [notify]", &NOTIFY),
        ("in [limits]", &LIMITS),
        ("in [[renewal]]", &RENEWAL),
    ];
    let homes: Vec<&str> =
        tables.into_iter().filter(|(_, keys)| keys.iter().any(|key| key.name == name)).map(|(title, _)| title).collect();
    (!homes.is_empty()).then(|| homes.join(" or "))
}
