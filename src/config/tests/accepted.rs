use jiff::civil::date;

use super::*;
use crate::calendar::Cycle;
use crate::config::model::Notify;
use crate::renewal::order::{BillingCycle, LineKind};
use crate::renewal::subscription::{Approval, Party};

#[test]
fn the_shipped_example_is_valid_and_runs_in_a_sandbox_from_its_first_day() {
    let parsed = parse_and_keep("renewals.toml", EXAMPLE.to_owned()).unwrap_or_else(|found| panic!("{found}"));
    assert!(parsed.warnings.is_empty(), "{}", parsed.warnings);
    assert_eq!(parsed.config.entries.len(), 6);
    assert_eq!(parsed.config.notify, Notify::Unset);
    assert_eq!(check_dates(&parsed.config, date(2026, 11, 1)), []);
    let first = &parsed.config.entries[0];
    assert_eq!((first.name.as_str(), first.quantity(), first.expires_on), ("blue-harbour", 10, date(2027, 3, 1)));
    assert_eq!(first.identity.party.text().as_deref(), Some("3076915454489739264"));
    assert_eq!(EXAMPLE.lines().nth(first.line_number - 1), Some("[[renewal]]"));
    assert!(EXAMPLE.starts_with("#:schema ./renewals.schema.json\n"));
}

#[test]
fn a_file_without_entries_is_valid() {
    assert!(parse("renewals.toml", "timezone = \"UTC\"").unwrap().entries.is_empty());
}

#[test]
fn an_entry_inherits_what_it_does_not_say() {
    let one = entry("quantity = 3\nlead = \"2 weeks\"");
    assert_eq!((one.lead_days, one.grace_days, one.order_at.to_string().as_str()), (14, 0, "09:00:00"));
    assert_eq!((one.approval, one.identity.party, one.cycle), (Approval::Auto, Party::Own, Cycle::years(1)));
    assert_eq!(one.billing_id.to_string(), "7");
    assert_eq!(one.lines[0].kind, LineKind::Service);
}

#[test]
fn ids_beyond_an_i64_stay_exact_as_number_and_as_text() {
    for id in ["3076915454489739264", "18446744073709551616", "99999999999999999999"] {
        assert_eq!(entry(&format!("quantity = 1\npartner_id = {id}")).identity.party.text().as_deref(), Some(id));
        assert_eq!(entry(&format!("quantity = 1\npartner_id = \"{id}\"")).identity.party.text().as_deref(), Some(id));
    }
    let grouped = entry("quantity = 1\npartner_id = 3_076_915_454_489_739_264");
    assert_eq!(grouped.identity.party.text().as_deref(), Some("3076915454489739264"));
}

#[test]
fn dates_and_times_may_stand_with_and_without_quotes() {
    let plain = entry("quantity = 1\norder_at = 14:30:00");
    let quoted = with_entry("quantity = 1\norder_at = \"14:30\"").replace("2027-03-01", "\"2027-03-01\"");
    assert_eq!(parse("renewals.toml", &quoted).unwrap().entries[0], plain);
}

#[test]
fn a_plan_and_its_services_are_one_order_with_the_plan_first() {
    let lines = "product = \"p-series-cloud\"\nserial = \"A1\"\n[[renewal.line]]\nservice_id = 11\n[[renewal.line]]\nplan_id = 10\nquantity = 20";
    let one = entry(lines);
    assert_eq!(one.identity.item_id.to_string(), "10");
    let shape: Vec<_> = one.lines.iter().map(|l| (l.kind, l.id.to_string(), l.quantity, l.connection_plan)).collect();
    assert_eq!(shape[0], (LineKind::Plan, "10".to_owned(), Some(20), None));
    assert_eq!(shape[1], (LineKind::Service, "11".to_owned(), None, Some(one.identity.item_id)));
}

#[test]
fn an_appliance_is_renewed_by_the_month_or_for_years() {
    let with = |cycle: &str| entry(&format!("product = \"p-series-appliance\"\nserial = \"A1\"\nplan_id = 10\n{cycle}"));
    let shape = |one: &Entry| (one.cycle, one.lines[0].billing_cycle, one.lines[0].multi_cycle);
    assert_eq!(shape(&with("cycle = \"monthly\"")), (Cycle::months(1), BillingCycle::Monthly, 0));
    assert_eq!(shape(&with("years = 3")), (Cycle::years(3), BillingCycle::Annually, 3));
    assert_eq!(shape(&with("cycle = \"annually\"")), (Cycle::years(1), BillingCycle::Annually, 1));
}

#[test]
fn quantity_and_ids_of_defaults_stay_with_their_product() {
    let source = TOP.replace("billing_id", "quantity = 9\nbilling_id")
        + "[[renewal]]\nname = \"w\"\nproduct = \"white-label\"\nexpires_on = 2027-03-01\n";
    assert_eq!(titles(&source), ["`service_id` is missing in [[renewal]]"]);
    let config = parse("renewals.toml", &(source + "service_id = 6")).unwrap();
    assert_eq!(config.entries[0].lines[0].quantity, None);
}

#[test]
fn the_same_service_may_be_held_by_two_partners_or_in_two_batches() {
    let more = "[[renewal]]\nname = \"two\"\nexpires_on = 2027-03-01\nquantity = 1\n";
    let source = with_entry("quantity = 1");
    assert!(parse("renewals.toml", &format!("{source}{more}partner_id = 4")).is_ok());
    assert!(parse("renewals.toml", &format!("{source}{more}batch = \"second\"")).is_ok());
}

#[test]
fn only_a_loopback_portal_may_be_unencrypted_or_settle_fast() {
    let config = |portal: &str| parse("renewals.toml", &format!("timezone = \"UTC\"\n[portal]\n{portal}"));
    for base in ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9"] {
        let portal = config(&format!("base_url = \"{base}\"\nsettle = \"1 s\"")).unwrap().portal;
        assert!(portal.is_loopback());
    }
    assert!(config("base_url = \"http://localhost.example.com\"").is_err());
    assert!(config("settle = \"59 min\"").is_err());
    assert!(config("settle = \"60 min\"").is_ok());
    assert!(config("settle = \"169 hours\"").is_err());
}

#[test]
fn notify_is_unset_nobody_or_a_channel() {
    let notify = |lines: &str| parse("renewals.toml", &format!("timezone = \"UTC\"\n{lines}")).unwrap().notify;
    assert_eq!(notify(""), Notify::Unset);
    assert_eq!(notify("[notify]"), Notify::Unset);
    assert_eq!(notify("notify = \"none\""), Notify::Nobody);
    let Notify::Channels(channels) = notify("[notify]\ncommand = [\"/bin/tell\", \"x y\"]") else { panic!() };
    assert_eq!((channels.timeout.as_secs(), channels.command), (10, Some(vec!["/bin/tell".to_owned(), "x y".to_owned()])));
}

#[test]
fn a_short_lead_is_taken_with_a_warning_said_once() {
    let source = with_entry("quantity = 1").replace("[defaults]", "[defaults]\nlead = \"2 days\"")
        + "[[renewal]]\nname = \"two\"\nexpires_on = 2027-03-01\nquantity = 1\npartner_id = 4";
    let parsed = parse_and_keep("renewals.toml", source).unwrap();
    assert_eq!((parsed.warnings.len(), parsed.warnings.errors()), (1, 0));
    assert_eq!(parsed.config.entries[1].lead_days, 2);
}
