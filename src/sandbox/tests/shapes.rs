//! Every endpoint answers in the shape of portal-api.md.

use super::*;

const PARTNER_FIELDS: [&str; 14] = [
    "city",
    "company",
    "country",
    "email",
    "firstName",
    "lastName",
    "partnerId",
    "phoneNumber",
    "remark",
    "stateProvince",
    "street",
    "taxNum",
    "userType",
    "zipCode",
];
const CONTACT_FIELDS: [&str; 13] = [
    "billingContactId",
    "city",
    "company",
    "country",
    "emailAddress",
    "firstName",
    "lastName",
    "phoneNumber",
    "remark",
    "stateProvince",
    "street",
    "taxNum",
    "zipCode",
];

#[test]
fn every_envelope_has_the_five_documented_keys() {
    let caller = Caller::new(Settings::default());
    for verdict in [caller.save(TUTORIAL), caller.save("{}"), caller.get("/nowhere"), caller.token("grant_type=x")] {
        let envelope = parse(&verdict);
        assert_eq!(keys(&envelope), ["code", "detailMessage", "requestId", "result", "status"]);
        let request_id = envelope["requestId"].as_str().unwrap();
        assert!(request_id.len() == 32 && request_id.bytes().all(|b| b.is_ascii_hexdigit()), "{request_id}");
        assert_eq!(envelope["status"].as_u64().unwrap(), u64::from(verdict.answer.status));
    }
}

#[test]
fn every_answer_carries_the_date_of_the_clock() {
    let caller = Caller::new(Settings::default());
    let headers = caller.save(TUTORIAL).answer.headers;
    assert_eq!(headers, [("date", "Mon, 15 Feb 2027 09:00:00 GMT".to_owned())]);
}

#[test]
fn the_tutorials_request_is_answered_with_the_documented_keys_and_types() {
    let caller = Caller::new(Settings::default());
    let answer = parse(&caller.save(TUTORIAL));
    assert_eq!((answer["code"].as_str(), answer["detailMessage"].as_str()), (Some("success"), Some("")));
    let result = &answer["result"];
    assert_eq!(keys(result), ["instanceId", "orderId", "orderNo", "orderStatus", "productNo", "transactionNo"]);
    assert!(result.as_object().unwrap().values().all(Value::is_string), "{result}");
    assert_eq!(result["orderId"], "1780063");
    assert_eq!(result["orderStatus"], "succeed");
    for (key, prefix) in [("orderNo", "UF"), ("transactionNo", "ZC"), ("productNo", "")] {
        let digits = result[key].as_str().unwrap().strip_prefix(prefix).unwrap();
        assert!(digits.len() == 19 && digits.bytes().all(|b| b.is_ascii_digit()), "{key}: {digits}");
    }
}

#[test]
fn look_ups_come_as_array_or_page_with_all_documented_fields() {
    let lists = [
        ("/user/openapi/user/v1/client/partner_list", &PARTNER_FIELDS[..]),
        ("/user/openapi/user/v1/client/billing_contact_list", &CONTACT_FIELDS[..]),
        ("/pricing/openapi/purchase/v1/product_list", &["name", "offeringId", "productId"][..]),
    ];
    for (path, fields) in lists {
        let bare = Caller::new(Settings::default()).result(path);
        let paged = Caller::new(Settings { lookups: settings::ResultShape::PageObject, ..Settings::default() }).result(path);
        assert_eq!(keys(&paged), ["count", "pageNo", "pageSize", "results", "total", "totalPage"]);
        assert_eq!(paged["results"], bare);
        let row = &bare[0];
        assert_eq!(keys(row), fields);
        assert!(row.as_object().unwrap().values().all(Value::is_string), "{row}");
    }
}

#[test]
fn services_show_order_ids_and_other_pricing_ids() {
    let caller = Caller::new(Settings::default());
    let info = caller.result("/pricing/openapi/purchase/v1/purchase_product_info?productId=21");
    let service = &info["services"][0];
    assert_eq!(service["serviceId"], "3375819276601303040");
    assert!(service["pricingServiceId"].is_string() && service["pricingServiceId"] != service["serviceId"]);
    assert!(info["offeringId"].is_string());
    let without_serial = caller.get("/pricing/openapi/purchase/v1/purchase_product_info?productId=11");
    assert_eq!(code(&without_serial), VALIDATION_CODE);
    caller.result("/pricing/openapi/purchase/v1/purchase_product_info?productId=11&productNo=3631A2200001");
}

#[test]
fn the_order_list_has_the_documented_page_and_row_fields() {
    let caller = Caller::new(Settings::default());
    caller.save(TUTORIAL);
    let page = caller.result(PAGE);
    assert_eq!(keys(&page), ["count", "pageNo", "pageSize", "results", "total", "totalPage"]);
    assert_eq!((page["pageNo"].as_u64(), page["pageSize"].as_u64()), (Some(1), Some(25)));
    let row = &page["results"][0];
    assert_eq!(keys(row), ["createTime", "currencyCode", "customReferenceNo", "id", "invoiceNo", "orderNo", "orderStatus"]);
    assert_eq!(row["createTime"].as_i64(), Some(start().as_millisecond()));
}

#[test]
fn details_are_found_by_id_and_by_number_in_four_documented_parts() {
    let caller = Caller::new(Settings::default());
    let number = order_no(&caller.save(&numbered("RW1-7")));
    let details = caller.result(&format!("/order/openapi/order/v1/get/{number}"));
    assert_eq!(keys(&details), ["basicInformation", "billingInformation", "orderInformation", "orderSummary"]);
    assert_eq!(details["basicInformation"]["productId"], "21");
    assert_eq!(details["basicInformation"]["productName"], "RM Premium");
    assert_eq!(details["orderInformation"]["poNumber"], "RW1-7");
    assert_eq!(details["orderSummary"][0]["serviceId"], "3375819276601303040");
    assert_eq!(details["orderSummary"][0]["quantity"].as_u64(), Some(10));
    assert_eq!(caller.result("/order/openapi/order/v1/get/1780063"), details);
    assert_eq!(caller.get("/order/openapi/order/v1/get/1780064").answer.status, 404);
}

#[test]
fn prices_are_shown_by_pricing_id_and_multiplied_by_quantity() {
    let caller = Caller::new(Settings::default());
    let offering = caller.result("/pricing/openapi/purchase/v1/purchase_product_info?productId=21")["offeringId"].clone();
    let list = format!(
        "/pricing/openapi/purchase/v1/my_price_info?productId=21&billingCycle=annually&offeringId={}",
        offering.as_str().unwrap()
    );
    let prices = caller.result(&list);
    let pricing_id = prices["services"][0]["pricingServiceId"].as_str().unwrap();
    let body = format!(
        r#"{{"productId":21,"operationType":"renew_service","serviceList":[{{"serviceType":"service","pricingId":{pricing_id},"billingCycle":"annually","quantity":2}}]}}"#
    );
    let path = "/pricing/openapi/purchase/v1/pricing/calculate";
    let total = parse(&caller.send("POST", path, Some("application/json"), &body));
    let cents = |text: &Value| text.as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
    assert_eq!(cents(&total["result"]["totalAmount"]), 2 * cents(&prices["services"][0]["unitPrice"]));
    assert_eq!(caller.portal.orders(), [], "asking for a price orders nothing");
}

#[test]
fn renewal_prices_want_product_and_serial_number() {
    let caller = Caller::new(Settings::default());
    for kind in ["plan_info", "add_on_info"] {
        let path = format!("/pricing/openapi/purchase/v1/renew/{kind}/3500000000000000001");
        assert_eq!(caller.get(&path).answer.status, 400);
        caller.result(&format!("{path}?productId=13&productNo=3631A2200001"));
    }
}

#[test]
fn purchased_products_show_what_the_settings_say() {
    let caller = Caller::new(Settings::default());
    caller.save(TUTORIAL);
    let path = "/product/openapi/instance_product/v1/client/instance_product_list?productId=21&pageNo=1&pageSize=10";
    assert_eq!(caller.result(path)["total"].as_u64(), Some(0), "no serial number, not listed");
    caller.portal.change(|settings| settings.purchased.without_serial = true);
    let row = caller.result(path)["results"][0].clone();
    assert_eq!(keys(&row), ["activationCode", "activationStatus", "comment", "createTime", "productId", "productNo"]);
    let number = row["productNo"].as_str().unwrap();
    let detail = caller.result(&format!("/product/openapi/instance_product/v1/detail?productNo={number}&productId=21"));
    assert_eq!(detail, row);
}

#[test]
fn a_renewal_carries_the_shown_expiry_forward() {
    let owned =
        catalogue::Owned { product: PortalId::known(21), partner: None, serial: None, expires_on: jiff::civil::date(2027, 3, 1) };
    let catalogue = Catalogue { owned: vec![owned], ..Catalogue::tutorial() };
    let purchased = settings::PurchasedSettings { expiry: true, without_serial: true };
    let caller = Caller::new(Settings { catalogue: Some(catalogue), purchased, ..Settings::default() });
    caller.save(TUTORIAL);
    let path = "/product/openapi/instance_product/v1/client/instance_product_list";
    let shown = caller.result(path)["results"][0]["expireDate"].as_i64();
    assert_eq!(shown, Some("2028-03-01T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond()));
}

#[test]
fn an_unknown_path_is_404_and_a_wrong_method_405() {
    let caller = Caller::new(Settings::default());
    for path in ["/", "/nowhere", "/order/openapi/order/v1/get/", "/order/openapi/order/v1/get/1/2"] {
        assert_eq!(caller.get(path).answer.status, 404, "{path}");
    }
    assert_eq!(caller.get(SAVE).answer.status, 405);
    assert_eq!(caller.send("POST", PAGE, Some("application/json"), "").answer.status, 405);
}

#[test]
fn a_call_without_user_agent_token_or_content_type_is_refused() {
    let caller = Caller::new(Settings::default());
    let whole = Incoming {
        method: "POST",
        path_and_query: SAVE,
        user_agent: Some("OpenAPI"),
        authorization: Some(&caller.authorization),
        content_type: Some("application/json; charset=utf-8"),
        body: TUTORIAL.as_bytes(),
    };
    let status = |request: Incoming<'_>| caller.portal.handle(&request).answer.status;
    assert_eq!(status(Incoming { user_agent: None, ..whole }), 400);
    assert_eq!(status(Incoming { authorization: None, ..whole }), 401);
    assert_eq!(status(Incoming { authorization: Some("Bearer 0"), ..whole }), 401);
    assert_eq!(status(Incoming { content_type: None, ..whole }), 415);
    assert_eq!(status(Incoming { content_type: Some("text/plain"), ..whole }), 415);
    assert_eq!(caller.portal.orders().len(), 0);
    assert_eq!(status(whole), 200);
}

#[test]
fn errors_can_travel_as_http_200() {
    let caller = Caller::new(Settings { errors: settings::ErrorStyle::AlwaysOk, ..Settings::default() });
    let verdict = caller.save("{}");
    assert_eq!((verdict.answer.status, parse(&verdict)["status"].as_u64()), (200, Some(400)));
}
