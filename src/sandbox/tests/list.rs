//! How orders are read back: paging, sorting, lag, and fields that echo, are missing or mislead.

use super::*;
use settings::{Echo, Hides, Lag, ListSettings, NumberForm, Shows, Sort, TimeUnit};

fn caller(list: ListSettings) -> Caller {
    Caller::new(Settings { list, ..Settings::default() })
}

/// Places `count` orders, a second apart, and gives their numbers.
fn place(caller: &Caller, count: usize) -> Vec<String> {
    let one = |_| {
        caller.wait(seconds(1));
        order_no(&caller.save(TUTORIAL))
    };
    (0..count).map(one).collect()
}

#[test]
fn pages_hold_every_order_once_in_the_set_order() {
    for sort in [Sort::Ascending, Sort::Descending, Sort::ById, Sort::Shuffled] {
        let caller = caller(ListSettings { sort, ..ListSettings::default() });
        let placed = place(&caller, 7);
        let pages: Vec<String> = (1..=3).flat_map(|no| caller.listed(&format!("pageNo={no}&pageSize=3"))).collect();
        let mut sorted = pages.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, placed, "{sort:?}");
        match sort {
            Sort::Ascending | Sort::ById => assert_eq!(pages, placed),
            Sort::Descending => assert!(pages.iter().eq(placed.iter().rev())),
            Sort::Shuffled => assert_ne!(pages, placed),
        }
    }
}

#[test]
fn totals_count_pages_and_a_page_beyond_the_last_is_empty() {
    let caller = caller(ListSettings::default());
    place(&caller, 7);
    let page = caller.result(&format!("{PAGE}?pageNo=3&pageSize=3"));
    let number = |key: &str| page[key].as_u64().unwrap();
    assert_eq!((number("count"), number("total"), number("totalPage")), (1, 7, 3));
    assert_eq!(caller.listed("pageNo=4&pageSize=3"), [""; 0]);
    assert_eq!(caller.get(&format!("{PAGE}?pageNo=0")).answer.status, 400);
    assert_eq!(caller.get(&format!("{PAGE}?pageSize=x")).answer.status, 400);
}

#[test]
fn an_order_that_arrives_between_two_pages_moves_the_newest_first_list_by_one() {
    let caller = caller(ListSettings::default());
    let placed = place(&caller, 4);
    assert_eq!(caller.listed("pageNo=1&pageSize=2"), [&*placed[3], &*placed[2]]);
    place(&caller, 1);
    assert_eq!(caller.listed("pageNo=2&pageSize=2"), [&*placed[2], &*placed[1]], "row 2 is seen twice");
}

#[test]
fn a_page_cap_holds_whatever_is_asked_for() {
    let caller = caller(ListSettings { page_cap: Some(2), ..ListSettings::default() });
    place(&caller, 3);
    let page = caller.result(&format!("{PAGE}?pageNo=1&pageSize=100"));
    assert_eq!((page["pageSize"].as_u64(), page["count"].as_u64(), page["totalPage"].as_u64()), (Some(2), Some(2), Some(2)));
}

#[test]
fn a_lagging_order_is_found_by_number_before_the_list_shows_it() {
    let caller = caller(ListSettings { lag: Lag::Fixed(seconds(60)), ..ListSettings::default() });
    let number = order_no(&caller.save(TUTORIAL));
    caller.result(&format!("/order/openapi/order/v1/get/{number}"));
    caller.wait(seconds(59));
    assert_eq!(caller.listed(""), [""; 0]);
    caller.wait(seconds(1));
    assert_eq!(caller.listed(""), [number]);
}

#[test]
fn a_later_order_may_be_visible_before_an_earlier_one() {
    let caller = caller(ListSettings::default());
    let placed = place(&caller, 2);
    let later = caller.clock.now().checked_add(seconds(10)).unwrap();
    caller.portal.list_from(&placed[0], later).unwrap();
    assert_eq!(caller.listed(""), [&*placed[1]]);
    caller.wait(seconds(10));
    assert_eq!(caller.listed(""), [&*placed[1], &*placed[0]]);
}

#[test]
fn lags_differ_within_their_bounds() {
    let lag = Lag::Between(seconds(10), seconds(100));
    let caller = caller(ListSettings { lag, ..ListSettings::default() });
    place(&caller, 20);
    let lags: Vec<i64> = caller.portal.orders().iter().map(|o| o.listed_from.as_second() - o.created_at.as_second()).collect();
    assert!(lags.iter().all(|lag| (10..=100).contains(lag)), "{lags:?}");
    assert!(lags.windows(2).any(|pair| pair[0] > pair[1] + 1), "some later order is visible first: {lags:?}");
}

#[test]
fn sort_id_in_the_query_sorts_by_id() {
    let caller = caller(ListSettings { sort: Sort::Shuffled, ..ListSettings::default() });
    let placed = place(&caller, 5);
    assert_eq!(caller.listed("sort=id"), placed);
}

#[test]
fn a_backdated_order_of_a_colleague_sorts_by_its_time_and_not_by_its_id() {
    let caller = caller(ListSettings { sort: Sort::Ascending, ..ListSettings::default() });
    let ours = place(&caller, 1);
    let created_at = Some(start().checked_sub(seconds(3600)).unwrap());
    let theirs = caller.portal.add_foreign(Foreign { by: PlacedBy::Colleague, request: request(), status: SUCCEED, created_at });
    assert_eq!(caller.listed(""), [&*theirs.order_no, &*ours[0]]);
}

#[test]
fn a_row_that_was_shown_before_shows_a_new_status_and_new_settings() {
    let caller = caller(ListSettings::default());
    let number = order_no(&caller.save(&numbered("RW1-7")));
    assert_eq!(caller.result(PAGE)["results"][0]["orderStatus"], "succeed");
    caller.portal.set_status(&number, "refunded").unwrap();
    assert_eq!(caller.result(PAGE)["results"][0]["orderStatus"], "refunded");
    caller.portal.change(|settings| settings.list.row.po_number = Echo::Echoed);
    assert_eq!(caller.result(PAGE)["results"][0]["poNumber"], "RW1-7");
}

#[test]
fn ids_and_times_come_in_the_set_form() {
    let list = ListSettings { ids: NumberForm::Number, times: TimeUnit::Seconds, ..ListSettings::default() };
    let caller = caller(list);
    caller.save(TUTORIAL);
    let row = caller.result(PAGE)["results"][0].clone();
    assert_eq!((row["id"].as_u64(), row["createTime"].as_i64()), (Some(1_780_063), Some(start().as_second())));
}

/// One row and the details of an order by a subordinate user, all fields shown in one way.
fn shown(echo: Echo) -> (Value, Value) {
    let (row, details) = (Shows::each(echo), Shows::each(echo));
    let caller = caller(ListSettings { row, details, ..ListSettings::default() });
    let order = OrderRequest { partner_id: Some(PortalId::known(77)), po_number: Some("RW1-7".into()), ..request() };
    caller.save(&order.to_json());
    (caller.result(PAGE)["results"][0].clone(), caller.result("/order/openapi/order/v1/get/1780063"))
}

#[test]
fn every_field_can_be_echoed() {
    let (row, details) = shown(Echo::Echoed);
    let basic = &details["basicInformation"];
    assert_eq!((&row["poNumber"], &row["productId"], &row["partnerId"]), (&"RW1-7".into(), &"21".into(), &"77".into()));
    assert_eq!(row["serviceList"], details["orderSummary"]);
    assert_eq!(row["serviceList"][0]["quantity"].as_u64(), Some(10));
    assert_eq!((&basic["productId"], &basic["partnerId"]), (&row["productId"], &row["partnerId"]));
    assert!(row.get("productNo").is_none(), "no serial number was sent");
}

#[test]
fn every_field_can_be_absent_or_null() {
    let (row, details) = shown(Echo::Absent);
    let text = format!("{row}{details}");
    for gone in ["RW1-7", "\"21\"", "\"77\"", "3375819276601303040", "quantity", "renew_service"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let (row, details) = shown(Echo::Null);
    for key in ["poNumber", "productId", "partnerId", "productNo", "operationType", "serviceList", "quantity"] {
        assert!(row.as_object().unwrap().contains_key(key) && row[key].is_null(), "{key} in {row}");
    }
    assert!(details["orderSummary"].is_null() && details["basicInformation"]["partnerId"].is_null());
}

#[test]
fn every_field_can_mislead() {
    let (row, details) = shown(Echo::Misleading);
    assert_eq!(row["partnerId"], RESELLER.to_string());
    assert_eq!((row["productId"].as_str(), row["operationType"].as_str()), (Some("20"), Some("purchase")));
    assert_eq!(row["serviceList"][0]["quantity"].as_u64(), Some(1));
    assert!(row["productNo"].is_string() && row["poNumber"].is_string());
    let text = format!("{row}{details}");
    for gone in ["RW1-7", "\"77\"", "3375819276601303040", "renew_service"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

#[test]
fn quantity_can_come_back_without_the_lines() {
    let details = Shows { lines: Echo::Absent, ..Shows::each(Echo::Echoed) };
    let caller = caller(ListSettings { row: details, details, ..ListSettings::default() });
    caller.save(TUTORIAL);
    assert_eq!(caller.result(PAGE)["results"][0]["quantity"].as_u64(), Some(10));
    let summary = caller.result("/order/openapi/order/v1/get/1780063")["orderSummary"].clone();
    assert_eq!(summary.to_string(), r#"[{"quantity":10}]"#);
}

#[test]
fn a_list_can_hide_what_it_counts_and_forget_what_it_showed() {
    let caller = caller(ListSettings::default());
    let placed = place(&caller, 6);
    let hiding = |hides| {
        caller.portal.change(|settings| settings.list.hides = hides);
        let total = caller.result(PAGE)["total"].as_u64().unwrap();
        (caller.listed("").len(), total)
    };
    assert_eq!(hiding(Hides::Rows(2)), (3, 6));
    assert_eq!(hiding(Hides::Rows(1)), (0, 6));
    assert_eq!(hiding(Hides::PagesFrom(1)), (0, 6));
    assert_eq!((hiding(Hides::PagesFrom(2)), caller.listed("pageNo=2&pageSize=3").len()), ((6, 6), 0));
    assert_eq!(hiding(Hides::YoungerThan(seconds(2))), (4, 4));
    assert_eq!(hiding(Hides::MadeFrom(start())), (0, 0));
    assert_eq!(hiding(Hides::Nothing), (placed.len(), 6));
}

#[test]
fn a_total_can_be_capped_while_the_pages_go_on() {
    let caller = caller(ListSettings { page_cap: Some(2), total_cap: Some(2), ..ListSettings::default() });
    place(&caller, 3);
    let page = caller.result(PAGE);
    assert_eq!((page["total"].as_u64(), page["totalPage"].as_u64()), (Some(2), Some(1)));
    assert_eq!(caller.listed("pageNo=2").len(), 1);
}

#[test]
fn details_can_be_a_placeholder_at_first_and_other_while_unpaid() {
    let unpaid = Some(Shows { partner_id: Echo::Misleading, ..Shows::each(Echo::Echoed) });
    let list = ListSettings { at_first: Some((seconds(30), Shows::each(Echo::Absent))), unpaid, ..ListSettings::default() };
    let caller = caller(list);
    caller.portal.change(|settings| settings.orders.pending_for = seconds(60));
    let order = OrderRequest { partner_id: Some(PortalId::known(77)), ..request() };
    caller.save(&order.to_json());
    let partner =
        || caller.result("/order/openapi/order/v1/get/1780063")["basicInformation"]["partnerId"].as_str().map(str::to_owned);
    assert_eq!(partner(), None);
    caller.wait(seconds(31));
    assert_eq!(partner(), Some(RESELLER.to_string()));
    caller.wait(seconds(31));
    assert_eq!(partner().as_deref(), Some("77"));
}
