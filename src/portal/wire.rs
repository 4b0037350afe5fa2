//! The JSON of the portal: what an order says, what an answer proves, and the lists, read leniently.
//!
//! Owns every field name. Pure functions of bytes: never sends, never waits, never asks a clock.

mod codes;
mod discovered;
mod envelope;
mod field;
mod listing;
mod order_body;
mod orders;
mod product_info;
mod proof;

pub use codes::ValidationCodes;
pub use discovered::{BillingContact, Listing, Partner, Product};
pub use order_body::order_body;
pub use orders::{OrderDetail, OrderRow, OrdersPage};
pub use product_info::{Orderable, ProductInfo};
pub use proof::classify_order;

pub(super) use envelope::read_result;
pub(super) use field::text as text_field;
