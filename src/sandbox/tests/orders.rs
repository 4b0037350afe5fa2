//! What `save` takes and refuses, and what the ledger remembers.

use super::*;

/// The tutorial's request with one piece of it replaced.
fn with(from: &str, to: &str) -> String {
    assert!(TUTORIAL.contains(from), "{from}");
    TUTORIAL.replace(from, to)
}

#[test]
fn wrong_json_types_and_missing_fields_are_refused_and_nothing_is_ordered() {
    let caller = Caller::new(Settings::default());
    let bad = [
        with("\"productId\":21", "\"productId\":\"21\""),
        with("\"productId\":21", "\"productId\":21.0"),
        with("\"productId\":21", "\"productId\":2.1e1"),
        with("\"productId\":21,", ""),
        with("3197218168379846218", "\"3197218168379846218\""),
        with("3197218168379846218", "319721816837984621899"),
        with("3375819276601303040", "\"3375819276601303040\""),
        with("3375819276601303040", "3.37581927660130304e18"),
        with("\"productId\":21", "\"productId\":21,\"partnerId\":\"3076915454489739264\""),
        with("\"productId\":21", "\"productId\":21,\"partnerId\":null"),
        with("\"productId\":21", "\"productId\":21,\"poNumber\":7"),
        with("\"productId\":21", "\"productId\":21,\"ponumber\":\"x\""),
        with("\"quantity\":10", "\"quantity\":\"10\""),
        with("\"quantity\":10", "\"quantity\":-10"),
        with("\"quantity\":10", "\"quantity\":10.5"),
        with("\"multiCycle\":0", "\"multiCycle\":\"0\""),
        with("\"operationType\":\"renew_service\",", ""),
        with("{\"operationType\"", "[{\"operationType\""),
        "[]".into(),
        "null".into(),
        String::new(),
    ];
    for body in &bad {
        let verdict = caller.save(body);
        assert_eq!((verdict.answer.status, code(&verdict).as_str()), (400, VALIDATION_CODE), "{body}");
    }
    assert_eq!(caller.portal.orders().len(), 0);
}

#[test]
fn values_outside_section_8_are_refused() {
    let caller = Caller::new(Settings::default());
    let bad = [
        with("renew_service", "renew_plan"),
        with("renew_service", "trial_service"),
        with("renew_service", "purchase_service"),
        with("\"productId\":21", "\"productId\":20"),
        with("\"productId\":21", "\"productId\":21,\"productNo\":\"3631A2200001\""),
        with("\"purchaseType\":\"renew\"", "\"purchaseType\":\"new\""),
        with("annually", "monthly"),
        with("\"multiCycle\":0", "\"multiCycle\":1"),
        with("\"quantity\":10,", ""),
        with("\"quantity\":10", "\"quantity\":0"),
        with("recurring", "once"),
        with("\"multiCycle\":0", "\"multiCycle\":0,\"connectionPlanId\":1"),
    ];
    for body in &bad {
        assert_eq!(code(&caller.save(body)), VALIDATION_CODE, "{body}");
    }
    assert_eq!(caller.portal.orders().len(), 0);
}

#[test]
fn a_plan_and_its_service_renew_together_when_the_service_names_the_plan() {
    let caller = Caller::new(Settings::default());
    let line = |kind: &str, id: u64, more: &str| {
        format!(
            r#"{{"serviceType":"{kind}","serviceId":{id},"purchaseType":"renew","billingModel":"recurring","billingCycle":"annually","multiCycle":0{more}}}"#
        )
    };
    let order = |serial: &str, service: &str| {
        format!(
            r#"{{"operationType":"renew_plan","productId":13{serial},"billingId":7,"serviceList":[{},{}]}}"#,
            line("plan", 500, r#","quantity":50"#),
            line("service", 600, service)
        )
    };
    let serial = r#","productNo":"3631A2200001""#;
    assert_eq!(caller.save(&order(serial, "")).answer.status, 400, "without the plan");
    assert_eq!(caller.save(&order(serial, r#","connectionPlanId":501"#)).answer.status, 400, "another plan");
    assert_eq!(caller.save(&order("", r#","connectionPlanId":500"#)).answer.status, 400, "without a serial number");
    let saved = parse(&caller.save(&order(serial, r#","connectionPlanId":500"#)));
    assert_eq!(saved["result"]["productNo"], "3631A2200001");
    for service in [500, 600] {
        let (product, service) = (PortalId::known(13), PortalId::known(service));
        let subject = Subject { product, partner: None, serial: Some("3631A2200001".into()), service };
        assert_eq!(caller.portal.renewals(&subject), 1);
    }
}

#[test]
fn twenty_digits_come_back_exact() {
    let caller = Caller::new(Settings::default());
    caller.save(&with("3375819276601303040", "99999999999999999999"));
    let details = caller.result("/order/openapi/order/v1/get/1780063");
    assert_eq!(details["orderSummary"][0]["serviceId"], "99999999999999999999");
}

#[test]
fn a_repeated_post_buys_twice_unless_the_settings_refuse_it() {
    let caller = Caller::new(Settings::default());
    let subject = Subject {
        product: PortalId::known(21),
        partner: None,
        serial: None,
        service: PortalId::known(3_375_819_276_601_303_040),
    };
    caller.save(&numbered("RW1-7"));
    caller.save(&numbered("RW1-7"));
    assert_eq!((caller.portal.orders().len(), caller.portal.renewals(&subject)), (2, 2));
    caller.portal.change(|settings| settings.orders.unique_po_numbers = true);
    assert_eq!(caller.save(&numbered("RW1-7")).answer.status, 400);
    assert_eq!(caller.portal.renewals(&subject), 2);
}

#[test]
fn a_po_number_beyond_the_set_length_is_refused() {
    let orders = settings::OrderSettings { po_number_max: Some(5), ..settings::OrderSettings::default() };
    let caller = Caller::new(Settings { orders, ..Settings::default() });
    assert_eq!(caller.save(&numbered("RW1-77")).answer.status, 400);
    assert_eq!(caller.save(&numbered("RW1-7")).answer.status, 200);
}

#[test]
fn the_ledger_keeps_the_body_byte_for_byte_and_who_placed_it() {
    let caller = Caller::new(Settings::default());
    caller.save(TUTORIAL);
    caller.portal.add_foreign(Foreign { by: PlacedBy::Customer, request: request(), status: PENDING, created_at: None });
    let orders = caller.portal.orders();
    assert_eq!((orders[0].body.as_str(), orders[0].placed_by), (TUTORIAL, PlacedBy::Us));
    assert_eq!((orders[1].placed_by, orders[1].status.as_ref()), (PlacedBy::Customer, "pending"));
    assert!(orders[0].id < orders[1].id && orders[0].order_no < orders[1].order_no);
    assert_eq!(orders[0].instance_id, orders[1].instance_id, "the same subscription");
}

#[test]
fn a_pending_order_succeeds_in_time_and_a_cancelled_one_never() {
    let orders = settings::OrderSettings { pending_for: seconds(3600), ..settings::OrderSettings::default() };
    let caller = Caller::new(Settings { orders, ..patient() });
    let (first, second) = (order_no(&caller.save(TUTORIAL)), order_no(&caller.save(TUTORIAL)));
    let status =
        |number: &str| caller.result(&format!("/order/openapi/order/v1/get/{number}"))["orderInformation"]["orderStatus"].clone();
    assert_eq!(status(&first), "pending");
    caller.portal.set_status(&second, "cancelled").unwrap();
    caller.wait(seconds(3599));
    assert_eq!(status(&first), "pending");
    caller.wait(seconds(1));
    assert_eq!((status(&first), status(&second)), ("succeed".into(), "cancelled".into()));
    caller.portal.set_status(&first, "confirming").unwrap();
    assert_eq!(status(&first), "confirming", "the set of statuses is open");
    assert_eq!(caller.portal.set_status("UF1", "failed"), Err(NoSuchOrder("UF1".into())));
}

#[test]
fn a_catalogue_refuses_ids_outside_it_by_a_validation_code() {
    let caller = Caller::new(Settings { catalogue: Some(Catalogue::tutorial()), ..Settings::default() });
    let bad = [
        with("3375819276601303040", "3375819276601303041"),
        with("3197218168379846218", "3197218168379846219"),
        with("\"productId\":21", "\"productId\":21,\"partnerId\":1"),
    ];
    for body in &bad {
        assert_eq!(code(&caller.save(body)), VALIDATION_CODE, "{body}");
    }
    let known = with("\"productId\":21", "\"productId\":21,\"partnerId\":3076915454489739264");
    assert_eq!(caller.save(&known).answer.status, 200);
}

#[test]
fn a_catalogue_of_a_file_knows_its_partners_contacts_and_services() {
    let entries = [entry("blue-harbour", Some(11)), entry("red-hill", Some(12)), entry("own", None)];
    let catalogue = Catalogue::for_entries(&entries);
    let companies: Vec<&str> = catalogue.partners.iter().map(|partner| partner.company.as_str()).collect();
    assert_eq!(companies, ["Blue Harbour (sandbox)", "Red Hill (sandbox)"]);
    let caller = Caller::new(Settings { catalogue: Some(catalogue), ..Settings::default() });
    for partner in [None, Some(11), Some(12)] {
        let order = OrderRequest { partner_id: partner.map(PortalId::known), ..request() };
        assert_eq!(caller.save(&order.to_json()).answer.status, 200);
    }
}

fn entry(name: &str, partner: Option<u64>) -> crate::renewal::subscription::Entry {
    use crate::renewal::order::{BillingCycle, Line, LineKind};
    use crate::renewal::product::by_key;
    use crate::renewal::subscription::{Approval, Entry, Identity, Party};
    let product = by_key("rm-premium").unwrap();
    let service = PortalId::known(3_375_819_276_601_303_040);
    let party = partner.map_or(Party::Own, |id| Party::Partner(PortalId::known(id)));
    let line = Line {
        kind: LineKind::Service,
        id: service,
        quantity: Some(10),
        billing_cycle: BillingCycle::Annually,
        multi_cycle: 0,
        connection_plan: None,
    };
    Entry {
        name: name.into(),
        product,
        identity: Identity { product_id: product.id, party, serial: None, item_id: service, batch: None },
        billing_id: PortalId::known(3_197_218_168_379_846_218),
        lines: vec![line],
        cycle: crate::calendar::Cycle::years(1),
        expires_on: jiff::civil::date(2027, 3, 1),
        far: false,
        lead_days: 14,
        order_at: jiff::civil::time(9, 0, 0, 0),
        approval: Approval::Auto,
        grace_days: 0,
        line_number: 1,
    }
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes() {
    let run = |seed: u64| {
        let list = settings::ListSettings { sort: settings::Sort::Shuffled, ..settings::ListSettings::default() };
        let caller = Caller::new(Settings { seed, list, ..Settings::default() });
        let mut answers: Vec<Answer> = (0..20).map(|n| caller.save(&numbered(&format!("RW1-{n}"))).answer).collect();
        answers.push(caller.get(PAGE).answer);
        answers
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
