//! How large, long or far each value of the file may be.
//!
//! Owns plain numbers, used by both the reader and the schema. What may be *spent* stands in `[limits]` of the file itself.

/// Characters of a name or another short text.
pub(super) const MAX_NAME: usize = 100;
/// Characters of a serial number.
pub(super) const MAX_SERIAL: usize = 64;
/// Of one line.
pub(super) const MAX_QUANTITY: u32 = 1_000_000;
/// Of `max_orders_per_day`.
pub(super) const MAX_ORDERS: u32 = 1_000_000;
/// Of the two limits on quantities.
pub(super) const MAX_TOTAL: u32 = 1_000_000_000;
/// The longest term the portal sells (portal-api.md section 8).
pub(super) const MAX_YEARS: u32 = 5;
/// Half of five years: no `lead` or `grace` is longer.
pub(super) const MAX_DAYS: u32 = 913;
/// A `lead` below this is allowed and warned about: one weekend is longer.
pub(super) const SHORT_LEAD: u32 = 3;
/// Years that `expires_on` can have; others are typing mistakes.
pub(super) const SANE_YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;
/// The largest file, in bytes: well beyond a million entries.
pub(super) const MAX_FILE: u64 = 64 * 1024 * 1024;
