//! The order list: its paging, order, times and words (section 5 of the vendor's guide).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Findings, Portal, Verdict};
use crate::cli::words::counted;
use crate::clock::{Clock as _, WallClock};
use crate::portal::wire::{OrderRow as Row, OrdersPage};
use crate::store::reports::OrderRow;

/// What the daemon asks for.
const PAGE: u32 = 100;
/// The statuses of the guide.
const KNOWN: [&str; 6] = ["succeed", "failed", "pending", "invalid", "cancelled", "refunded"];
/// The fields of a row that the guide names.
const DOCUMENTED: [&str; 7] = ["id", "orderNo", "orderStatus", "createTime", "currencyCode", "customReferenceNo", "invoiceNo"];

/// Reads the first page, again, and the last one. Returns the newest rows that were seen.
pub(super) async fn ask(portal: &Portal, ours: &[OrderRow], findings: &mut Findings) -> Vec<Row> {
    const ASSUMED: &str = "the order list can be read";
    let first = match portal.orders(1, PAGE).await {
        Ok(page) => page.value,
        Err(error) => {
            findings.add(Verdict::Bad, ASSUMED, error.to_string(), "without it nothing is ordered");
            return Vec::new();
        }
    };
    let many = first.total.map_or_else(|| "it does not say how many there are".to_owned(), |total| counted(total, "order"));
    findings.ok(ASSUMED, many);
    paging(portal, &first, findings).await;
    let sorted = sorting(&first, findings);
    if first.rows.is_empty() {
        const WHAT: &str = "times, ids, fields and statuses of orders are as the guide has them";
        findings.add(Verdict::NotYet, WHAT, "there is no order yet", "ask again after the first one");
        return Vec::new();
    }
    times(&first.rows, findings);
    ids(&first, findings);
    fields(&first.rows, findings);
    statuses(&first.rows, findings);
    others(&first.rows, ours, findings);
    let mut rows = first.rows;
    if sorted == Some(false) {
        rows.reverse();
    }
    rows
}

/// `total` is what evidence of absence leans on (R17).
async fn paging(portal: &Portal, first: &OrdersPage, findings: &mut Findings) {
    let got = first.rows.len() + first.unreadable.len();
    let Some(total) = first.total else {
        return findings.add(
            Verdict::Differs,
            "the list says how many orders it has",
            "it does not",
            "the whole list is read each time, until a page is empty",
        );
    };
    let again = portal.orders(1, PAGE).await.ok().and_then(|page| page.value.total);
    let shows = again.map_or_else(|| "the second read failed".to_owned(), |again| format!("{total}, then {again}"));
    let means = "an order of unknown fate is never held absent while it moves, and is left to a person";
    findings.either(again == Some(total), Verdict::Differs, "total is the same on two reads", shows, means);
    let assumed = format!("a page holds the {PAGE} orders that are asked for");
    if total <= got as u64 {
        findings.add(Verdict::NotYet, &assumed, format!("there are only {total}"), "any page size will do");
    } else {
        let means = "pages are counted by what comes";
        findings.either(got == PAGE as usize, Verdict::Differs, &assumed, format!("it holds {got} of {total}"), means);
        last_page(portal, total, got.max(1), findings).await;
    }
}

async fn last_page(portal: &Portal, total: u64, step: usize, findings: &mut Findings) {
    const ASSUMED: &str = "total is what the pages hold together";
    let last = total.div_ceil(step as u64);
    let Ok(page) = portal.orders(u32::try_from(last).unwrap_or(u32::MAX), PAGE).await else { return };
    let on_it = (page.value.rows.len() + page.value.unreadable.len()) as u64;
    let expected = total - (last - 1) * step as u64;
    let means = "no order is ever held absent by such a list: what is of unknown fate is left to a person";
    findings.either(on_it == expected, Verdict::Differs, ASSUMED, format!("page {last} holds {on_it} of {expected}"), means);
}

/// Whether the newest come first; `None`: it cannot be told.
fn sorting(page: &OrdersPage, findings: &mut Findings) -> Option<bool> {
    const ASSUMED: &str = "the list comes in the order of createTime";
    const MEANS: &str = "the whole list is read each time";
    let times: Option<Vec<Timestamp>> = page.rows.iter().map(|row| row.create_time).collect();
    let Some(times) = times.filter(|times| times.first() != times.last()) else {
        findings.add(Verdict::NotYet, ASSUMED, "fewer than two orders with different times", MEANS);
        return None;
    };
    let (oldest_first, newest_first) = (times.is_sorted(), times.iter().rev().is_sorted());
    let shows = match (oldest_first, newest_first) {
        (true, _) => "oldest first: it is read from its end",
        (_, true) => "newest first",
        _ => "neither newest nor oldest first",
    };
    findings.either(oldest_first || newest_first, Verdict::Differs, ASSUMED, shows, MEANS);
    (oldest_first || newest_first).then_some(newest_first)
}

fn times(rows: &[Row], findings: &mut Findings) {
    const ASSUMED: &str = "createTime is a number of seconds or milliseconds since 1970";
    const MEANS: &str = "the whole list is read each time, and no order is recognised by its content; please report this form";
    let form = |row: &Row| {
        let raw: Value = serde_json::from_str(&row.raw).unwrap_or(Value::Null);
        let shown = raw["createTime"].to_string();
        match shown.trim_matches('"').parse::<i64>() {
            Ok(number) if number >= 100_000_000_000 => "milliseconds".to_owned(),
            Ok(_) => "seconds".to_owned(),
            Err(_) => shown,
        }
    };
    let unread = rows.iter().filter(|row| row.create_time.is_none()).count();
    let forms: BTreeSet<String> = rows.iter().map(form).take(20).collect();
    let shows = forms.into_iter().take(3).collect::<Vec<_>>().join(" and ");
    let numbers = !shows.contains(|c: char| c.is_ascii_digit());
    let verdict = if unread > 0 { Verdict::Bad } else { Verdict::Differs };
    findings.either(unread == 0 && numbers, verdict, ASSUMED, shows, if unread > 0 { MEANS } else { "it is read all the same" });
    let now = WallClock.now();
    let ahead =
        rows.iter().filter_map(|row| row.create_time).filter(|at| at.duration_since(now) > SignedDuration::from_mins(5)).count();
    let shows =
        if ahead == 0 { "none is in the future".to_owned() } else { format!("{} in the future", counted(ahead, "order")) };
    findings.either(
        ahead == 0,
        Verdict::Differs,
        "createTime is UTC",
        shows,
        "it may be another zone's: set `lead` to more than a day (A6)",
    );
}

/// Ids have up to 20 digits: kept as they came, in either form.
fn ids(page: &OrdersPage, findings: &mut Findings) {
    const ASSUMED: &str = "every order has an id and an order number";
    let without = page.rows.iter().filter(|row| row.id.is_none() || row.order_no.is_none()).count() + page.unreadable.len();
    let raw: Value = page.rows.first().and_then(|row| serde_json::from_str(&row.raw).ok()).unwrap_or(Value::Null);
    let form = if raw["id"].is_string() { "ids are strings" } else { "ids are numbers" };
    let shows = if without == 0 { form.to_owned() } else { format!("{} without", counted(without, "row")) };
    let means = "such a row is kept as an order that explains nothing: one of unknown fate is then left to a person";
    findings.either(without == 0, Verdict::Differs, ASSUMED, shows, means);
}

fn fields(rows: &[Row], findings: &mut Findings) {
    let parsed: Vec<Value> = rows.iter().filter_map(|row| serde_json::from_str(&row.raw).ok()).collect();
    let keys: BTreeSet<&str> =
        parsed.iter().filter_map(Value::as_object).flat_map(|row| row.keys().map(String::as_str)).collect();
    let more: Vec<&str> = keys.iter().copied().filter(|key| !DOCUMENTED.contains(key)).collect();
    let missing: Vec<&str> = DOCUMENTED[..4].iter().copied().filter(|key| !keys.contains(key)).collect();
    let shows = match (missing.is_empty(), more.is_empty()) {
        (false, _) => format!("not {}", missing.join(", ")),
        (true, true) => "nothing beyond the guide".to_owned(),
        (true, false) => format!("beyond the guide: {}", more.join(", ")),
    };
    let means = "orders cannot be followed without them; please report this";
    findings.either(missing.is_empty(), Verdict::Bad, "a row has id, orderNo, orderStatus and createTime", shows, means);
}

fn statuses(rows: &[Row], findings: &mut Findings) {
    let seen: BTreeSet<&str> = rows.iter().filter_map(|row| row.status.as_deref()).collect();
    let unknown: Vec<&str> = seen.iter().copied().filter(|status| !KNOWN.contains(status)).collect();
    let shows = if unknown.is_empty() {
        format!("seen: {}", seen.iter().copied().collect::<Vec<_>>().join(", "))
    } else {
        format!("unknown: {}", unknown.join(", "))
    };
    let means = "an order with such a status is neither renewed nor dead: it is followed, and told after 72 h";
    findings.either(unknown.is_empty(), Verdict::Differs, "orderStatus is one of the guide's words", shows, means);
}

/// A5: what customers and colleagues order must show, or it is bought twice.
fn others(rows: &[Row], ours: &[OrderRow], findings: &mut Findings) {
    const ASSUMED: &str = "orders that customers and colleagues place are in the list (A5)";
    let mine = |row: &&Row| !ours.iter().any(|order| order.order_no == row.order_no) && !row.raw.contains("\"RW-");
    match rows.iter().filter(mine).count() {
        0 => findings.add(
            Verdict::NotYet,
            ASSUMED,
            "all orders seen are renewd's own",
            "let a customer and a colleague place one, and ask again",
        ),
        others => findings.ok(
            ASSUMED,
            format!("{} that renewd did not place; make sure that a customer's own is among them", counted(others, "order")),
        ),
    }
}

/// The rows of a list, bare or in a page.
pub(super) fn rows_of(result: &Value) -> Vec<&Value> {
    let list = ["results", "list", "records", "rows", "items", "data"].into_iter().find_map(|name| result.get(name)?.as_array());
    result.as_array().or(list).into_iter().flatten().collect()
}
