//! What stands in the file is what is ordered and what is recorded, to the last digit.

use super::support::{Portal, file, in_days};

/// Above 2^64: through a float, an i64 or a u64 it would be another customer's.
const PARTNER: &str = "30769154544897392641";
const BILLING: &str = "31972181683798462189";
const SERVICE: &str = "33758192766013030407";

#[test]
fn ids_of_twenty_digits_survive_from_the_file_to_the_ledger_and_the_database() {
    let portal = Portal::start();
    let entry = format!("[[renewal]]\nname = \"one\"\npartner_id = {PARTNER}\nquantity = 37\nexpires_on = {}\n", in_days(7));
    let file = file(&portal.address, &entry).replace("3197218168379846218", BILLING).replace("3375819276601303040", SERVICE);
    let place = super::support::Place::with(&file).init();
    place.run(&["run", "--once"]).ended(0);
    let order = &portal.orders()[0];
    let request = order["request"].to_string();
    for part in [
        format!("\"partnerId\":{PARTNER},"),
        format!("\"billingId\":{BILLING},"),
        format!("\"serviceId\":{SERVICE},"),
        "\"quantity\":37,".into(),
    ] {
        assert!(request.contains(&part), "{part} is not in {request}");
    }
    let stored =
        place.rows("partner_id, service_id, quantity, order_no, transaction_no, order_id, instance_id, po_number", "orders");
    let expected = serde_json::json!([
        PARTNER,
        SERVICE,
        37,
        order["orderNo"],
        order["transactionNo"],
        order["id"],
        order["instanceId"],
        order["poNumber"]
    ]);
    assert_eq!(stored, [expected]);
    let sent: serde_json::Value = serde_json::from_str(place.value("SELECT request FROM attempt").as_str().unwrap()).unwrap();
    assert_eq!(sent.to_string(), serde_json::from_str::<serde_json::Value>(&request).unwrap().to_string());
    assert!(place.value("SELECT detail FROM audit WHERE kind = 'attempt.intended'").as_str().unwrap().contains(PARTNER));
    let planned = place.run(&["plan", "--days", "400", "--json"]).json();
    assert_eq!(planned[0]["partner_id"], PARTNER);
}
