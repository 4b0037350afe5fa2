//! `check --online` finds out, by reading alone, what this portal does otherwise than renewd assumes.

use std::time::Duration;

use renewd::sandbox::settings::{Echo, ErrorStyle, NumberForm, ResultShape, Settings, Shows, Sort, TimeUnit};
use renewd::sandbox::{Catalogue, Foreign, OrderRequest, PlacedBy, RESELLER, Sandbox};
use serde_json::Value;

use super::support::{Place, due, file};
use super::turned::Turned;

const PARTNER: &str = "3076915454489739264";

/// The verdict on the assumption that has these words, and its whole line.
fn verdict(found: &Value, words: &str) -> (String, String) {
    let lines = found["online"].as_array().unwrap();
    let line = lines.iter().find(|line| line["assumed"].as_str().unwrap().contains(words));
    let line = line.unwrap_or_else(|| panic!("{words:?} is not in {found:#}"));
    (
        line["verdict"].as_str().unwrap().to_owned(),
        format!("{}; {}", line["shows"].as_str().unwrap(), line["means"].as_str().unwrap()),
    )
}

/// What it finds at a portal with `orders` orders of others, and with its settings turned.
fn found(orders: usize, turn: impl FnOnce(&mut Settings)) -> Value {
    let portal = Turned::with(turn);
    for at in 0..orders {
        foreign(&portal.portal, at);
    }
    let place = Place::with(&file(&portal.address, &due("one", PARTNER, 10)));
    let found = place.run(&["check", "--online", "--json"]).json();
    assert_eq!(portal.calls("save"), 0);
    found
}

fn foreign(portal: &Sandbox, at: usize) {
    let body = format!(
        r#"{{"operationType":"renew_service","productId":21,"partnerId":{PARTNER},"billingId":3197218168379846218,"serviceList":[
        {{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":3,"billingModel":"recurring",
        "billingCycle":"annually","multiCycle":0}}]}}"#
    );
    let ago = jiff::SignedDuration::from_mins(i64::try_from(500 - at).unwrap());
    portal.add_foreign(Foreign {
        by: PlacedBy::Customer,
        request: OrderRequest::parse(body.as_bytes()).unwrap(),
        status: renewd::sandbox::SUCCEED,
        created_at: Some(jiff::Timestamp::now() - ago),
    });
}

#[test]
fn a_portal_as_the_guide_has_it_differs_in_nothing() {
    let found = found(3, |_| {});
    let odd: Vec<&Value> = found["online"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["verdict"] == "bad" || line["verdict"] == "differs")
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
    for words in [
        "order of createTime",
        "(A5)",
        "seconds or milliseconds",
        "by its id and by its number",
        "total is the same",
        "fresh Date",
    ] {
        assert_eq!(verdict(&found, words).0, "ok", "{words}");
    }
}

#[test]
fn what_no_order_has_shown_yet_cannot_be_told_yet() {
    let found = found(0, |_| {});
    for words in ["order of createTime", "times, ids, fields", "a page holds"] {
        assert_eq!(verdict(&found, words).0, "not-yet", "{words}");
    }
}

#[test]
fn sorting_is_told() {
    let shown = |sort| verdict(&found(9, |settings| settings.list.sort = sort), "order of createTime");
    let (verdict, line) = shown(Sort::Ascending);
    assert!(verdict == "ok" && line.contains("oldest first"), "{verdict} {line}");
    let (verdict, line) = shown(Sort::Descending);
    assert!(verdict == "ok" && line.contains("newest first"), "{verdict} {line}");
    let (verdict, line) = shown(Sort::Shuffled);
    assert!(verdict == "differs" && line.contains("whole list is read each time"), "{verdict} {line}");
}

#[test]
fn a_cap_on_pages_is_told() {
    let found = found(8, |settings| settings.list.page_cap = Some(3));
    let (word, line) = verdict(&found, "a page holds");
    assert!(word == "differs" && line.contains("3 of 8"), "{word} {line}");
    assert_eq!(verdict(&found, "total is what the pages hold").0, "ok");
}

#[test]
fn the_unit_of_times_and_the_form_of_ids_are_told() {
    for (unit, word) in [(TimeUnit::Seconds, "seconds"), (TimeUnit::Milliseconds, "milliseconds")] {
        let line = verdict(&found(1, |settings| settings.list.times = unit), "seconds or milliseconds").1;
        assert!(line.starts_with(word), "{line}");
    }
    for (form, word) in [(NumberForm::Text, "ids are strings"), (NumberForm::Number, "ids are numbers")] {
        let line = verdict(&found(1, |settings| settings.list.ids = form), "an id and an order number").1;
        assert!(line.starts_with(word), "{line}");
    }
}

#[test]
fn how_errors_travel_is_told() {
    let shown = |style| verdict(&found(0, |settings| settings.errors = style), "an error comes").1;
    assert!(shown(ErrorStyle::HttpStatus).contains("HTTP 404"));
    assert!(shown(ErrorStyle::AlwaysOk).contains("HTTP 200, envelope status 404"));
}

#[test]
fn how_tokens_live_is_told() {
    let of = |turn: fn(&mut Settings)| found(0, turn);
    assert_eq!(verdict(&of(|_| {}), "older one alone").0, "ok");
    assert_eq!(verdict(&of(|settings| settings.tokens.new_ends_old = true), "older one alone").0, "differs");
    assert!(verdict(&of(|settings| settings.tokens.rotate_refresh = true), "refresh token").1.contains("new refresh token"));
    let number = of(|settings| settings.tokens.expires_in = NumberForm::Number);
    assert!(verdict(&number, "expiresIn").1.starts_with("1800"));
    let long = of(|settings| settings.tokens.access_life = Duration::from_hours(500));
    assert_eq!(verdict(&long, "expiresIn").0, "differs", "that many seconds are no half hour");
}

#[test]
fn lists_in_pages_are_told() {
    let line = verdict(&found(0, |settings| settings.lookups = ResultShape::PageObject), "list of partners").1;
    assert!(line.contains("in a page"), "{line}");
}

#[test]
fn one_partner_on_every_order_is_told() {
    assert_eq!(verdict(&found(2, |_| {}), "partnerId of an order").0, "ok");
    let reseller = found(2, |settings| settings.list.row.partner_id = Echo::Misleading);
    let (word, line) = verdict(&reseller, "partnerId of an order");
    assert!(word == "differs" && line.contains(&RESELLER.to_string()), "{word} {line}");
}

#[test]
fn an_unknown_status_is_told() {
    let portal = Turned::with(|_| {});
    foreign(&portal.portal, 0);
    portal.portal.set_status("1780063", "confirming").unwrap();
    let place = Place::with(&file(&portal.address, ""));
    let found = place.run(&["check", "--online", "--json"]).json();
    let (word, line) = verdict(&found, "one of the guide's words");
    assert!(word == "differs" && line.contains("unknown: confirming"), "{word} {line}");
}

#[test]
fn ids_of_the_file_that_the_portal_does_not_have_are_bad() {
    let portal = Turned::with(|settings| settings.catalogue = Some(Catalogue::tutorial()));
    let file = file(&portal.address, &due("one", PARTNER, 10)).replace("service_id = 3375819276601303040", "service_id = 4");
    let place = Place::with(&file);
    let ran = place.run(&["check", "--online"]).ended(1);
    assert!(
        ran.out.contains("bad") && ran.out.contains("one (4)") && ran.out.contains("renewd discover services 21"),
        "{}",
        ran.out
    );
}

#[test]
fn whether_an_expiry_comes_back_is_told() {
    let portal = Turned::with(|settings| settings.purchased.without_serial = true);
    foreign(&portal.portal, 0);
    let place = Place::with(&file(&portal.address, &due("one", PARTNER, 10)));
    let shown = || verdict(&place.run(&["check", "--online", "--json"]).json(), "end of a paid term");
    assert_eq!(shown().0, "ok");
    let owned = renewd::sandbox::catalogue::Owned {
        product: renewd::ids::PortalId::known(21),
        partner: Some(PARTNER.parse().unwrap()),
        serial: None,
        expires_on: jiff::civil::date(2027, 3, 1),
    };
    let with_date = Turned::with(|settings| {
        settings.purchased = renewd::sandbox::settings::PurchasedSettings { expiry: true, without_serial: true };
        settings.catalogue = Some(Catalogue { owned: vec![owned], ..Catalogue::tutorial() });
    });
    foreign(&with_date.portal, 0);
    let place = Place::with(&file(&with_date.address, &due("one", PARTNER, 10)));
    let (word, line) = verdict(&place.run(&["check", "--online", "--json"]).json(), "end of a paid term");
    assert!(word == "differs" && line.contains("expireDate"), "{word} {line}");
}

#[test]
fn what_comes_back_of_an_order_of_ours_is_told_field_by_field() {
    for (echo, expected) in [(Echo::Echoed, "ok"), (Echo::Absent, "differs"), (Echo::Misleading, "differs")] {
        let portal = Turned::with(|settings| settings.list.details = Shows::each(echo));
        let place = portal.place(&due("one", PARTNER, 10));
        place.run(&["run", "--once"]).ended(0);
        let found = place.run(&["check", "--online", "--json"]).json();
        for field in ["poNumber of our", "productId of our", "partnerId of our", "serviceId or planId of our", "quantity of our"]
        {
            assert_eq!(verdict(&found, field).0, expected, "{field} {echo:?}");
        }
        assert_eq!(verdict(&found, "(A5)").0, "not-yet", "only renewd's own orders are there");
        assert_eq!(portal.calls("save"), 1, "asking orders nothing");
    }
}

#[test]
fn before_the_first_order_it_says_what_the_details_of_others_show() {
    let (word, line) = verdict(&found(1, |_| {}), "what was sent comes back");
    assert!(word == "not-yet" && line.contains("productId") && line.contains("quantity"), "{word} {line}");
}

#[test]
fn a_database_that_is_bound_elsewhere_is_bad() {
    let (portal, other) = (Turned::with(|_| {}), Turned::with(|_| {}));
    let place = portal.place("");
    assert_eq!(verdict(&place.run(&["check", "--online", "--json"]).ended(0).json(), "bound to the portal").0, "ok");
    place.write(&other.file(""));
    let (word, line) = verdict(&place.run(&["check", "--online", "--json"]).ended(1).json(), "bound to the portal");
    assert!(word == "bad" && line.contains(&portal.address) && line.contains(&other.address), "{word} {line}");
}

#[test]
fn a_clock_that_is_hours_off_is_bad() {
    let off = renewd::clock::ShiftedClock(jiff::SignedDuration::from_hours(3));
    let portal = Turned::of(Sandbox::new(std::sync::Arc::new(off), Settings::default()));
    let place = Place::with(&file(&portal.address, ""));
    let (word, line) = verdict(&place.run(&["check", "--online", "--json"]).ended(1).json(), "fresh Date");
    assert!(word == "bad" && line.contains("behind"), "{word} {line}");
}
