//! Sequences that once bought twice, or stopped every renewal, found by hand against the real binary.

use super::support::{Place, Portal, due, file, in_days};

/// A backup from before the first order, put back with `cp` after an order left whose answer never came: without a seal beside it, it
/// looked like a database that had never ordered anything, and ordered again while the list did not show the first order yet.
#[test]
fn a_bound_database_without_its_seal_orders_nothing_before_a_person_has_looked() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    let copy = std::fs::read(place.database()).unwrap();
    portal.fault("save=later:1h");
    place.command(&["run", "--once"]).env("RENEWD_CRASH_AT", "after-answer").output().unwrap();
    assert_eq!(portal.calls("save"), 1);
    for side in ["renewd.db-wal", "renewd.db-shm", "renewd.db.seal"] {
        std::fs::remove_file(place.path(side)).unwrap();
    }
    std::fs::write(place.database(), copy).unwrap();
    let said = place.run(&["run", "--once"]).ended(2).out;
    assert!(said.contains("renewd.db.seal is missing") && said.contains("renewd accept"), "{said}");
    assert_eq!(portal.calls("save"), 1);
}

/// One year was refused, three were ordered and booked as one: the other two would have been bought again.
#[test]
fn an_entry_of_another_length_orders_nothing_for_a_term_that_was_tried() {
    let portal = Portal::start();
    let entry = |years: u32| {
        format!(
            "[[renewal]]\nname = \"one\"\nproduct = \"p-series-appliance\"\nserial = \"3631A1234567\"\nplan_id = 5\npartner_id = 1\n\
             years = {years}\nexpires_on = {}\n",
            in_days(7)
        )
    };
    let years = |n| file(&portal.address, &entry(n)).replace("product = \"rm-premium\"\nservice_id = 3375819276601303040\n", "");
    let place = Place::with(&years(1)).init();
    portal.fault("save=refuse");
    place.run(&["run", "--once"]).ended(2);
    place.write(&years(3));
    place.run(&["run", "--once"]);
    let rebase = format!("renewd rebase one {}", in_days(7));
    place.run(&["order", "one", "--yes"]).ended(1).explained(&["was tried before", &rebase]);
    place.run(&["run", "--once"]).ended(2);
    assert_eq!(portal.orders().len(), 0);
    place.run(&["rebase", "one", &in_days(7), "--yes"]).ended(0);
    place.run(&["run", "--once"]).ended(0);
    assert_eq!(portal.orders()[0]["request"]["serviceList"][0]["multiCycle"], 3);
    assert_eq!(place.value("SELECT max(ends_on) FROM term WHERE state <> 'skipped'").as_str().unwrap()[..4], {
        let year: i32 = in_days(7)[..4].parse().unwrap();
        (year + 3).to_string()
    });
}

/// A number read off the wrong line: the term counted as renewed, and its customer lapsed.
#[test]
fn an_order_for_another_customer_does_not_pay_a_term() {
    let portal = Portal::start();
    let place = portal.place(&(due("o'two", "2", 1) + "approval = \"manual\"\n"));
    portal.foreign_order(&others("3"));
    portal.foreign_order(&others("2"));
    let said = place.run(&["run", "--once"]).ended(2).out;
    assert!(said.contains(r"renewd release 'o'\''two'"), "{said}");
    let orders = portal.orders();
    let resolve = |n: usize| place.run(&["resolve", "o'two", "--order-no", orders[n]["orderNo"].as_str().unwrap(), "--yes"]);
    resolve(0).ended(1).explained(&["is for another product, customer or serial number"]);
    resolve(1).ended(0);
    assert_eq!(portal.calls("save"), 0);
}

fn others(partner: &str) -> String {
    format!(
        r#"{{"by":"colleague","request":{{"operationType":"renew_service","productId":21,"partnerId":{partner},"billingId":3197218168379846218,
        "serviceList":[{{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":1,
        "billingModel":"recurring","billingCycle":"annually","multiCycle":0}}]}}}}"#
    )
}

/// An empty file, as a full disk leaves it, was restored with "ok"; done twice, it had taken the place of the only good database.
#[test]
fn what_is_no_backup_replaces_nothing_and_no_restore_loses_what_was_put_aside() {
    let portal = Portal::start();
    let place = portal.place(&due("one", "1", 1));
    place.run(&["run", "--once"]).ended(0);
    std::fs::write(place.path("empty"), "").unwrap();
    place.run(&["restore", "empty", "--yes"]).ended(1).explained(&["is no backup of a renewd database", "nothing was replaced"]);
    std::fs::write(place.path("damaged"), "SQLite format 3, and then nothing of the kind").unwrap();
    let refused = place.run(&["restore", "damaged", "--yes"]).ended(1);
    refused.explained(&["damaged is no usable backup", "nothing was replaced"]);
    assert!(!refused.err.contains("restoring"), "{}", refused.err);
    place.run(&["audit", "verify"]).ended(0);
    place.run(&["backup", "good"]).ended(0);
    for kept in ["renewd.db.before-restore", "renewd.db.before-restore-1"] {
        let said = place.run(&["restore", "good", "--yes"]).ended(0).out;
        assert!(said.contains(kept) && place.path(kept).exists(), "{said}");
        assert!(said.contains("say it again before you accept"), "{said}");
    }
    let said = place.run(&["accept", "--yes"]).ended(1).out;
    assert!(said.contains("say it again before you accept"), "before the question: {said}");
    assert_eq!(place.attempts().len(), 1);
}
