use super::*;
use bytes::Bytes;
use proptest::prelude::*;

/// The tutorial's own answer, to the letter (portal-api.md section 4).
const TUTORIAL: &str = r#"{"code":"success","detailMessage":"","requestId":"0ef8080f1ae8becfd5c93c07023bf4c1",
 "result":{"instanceId":"1946711","orderId":"1780063","orderNo":"UF3400820771565023232","orderStatus":"succeed",
           "productNo":"3076913644890832896","transactionNo":"ZC3400820772676513793"},"status":200}"#;

fn outcome_of(status: u16, body: impl AsRef<[u8]>) -> Outcome {
    let response = Response { status, body: Bytes::copy_from_slice(body.as_ref()), date: None, retry_after: Some(30) };
    classify_order(Ok(&response), &ValidationCodes::default())
}

fn why(status: u16, body: &str) -> Option<Why> {
    match outcome_of(status, body) {
        Outcome::NotPlaced(proof) => Some(proof.why),
        _ => None,
    }
}

fn is_unknown(status: u16, body: &str) -> bool {
    matches!(outcome_of(status, body), Outcome::Unknown(_))
}

fn placed_of(status: u16, body: &str) -> Placed {
    match outcome_of(status, body) {
        Outcome::Placed(placed) => *placed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_tutorials_answer_is_placed_with_every_field() {
    let expected = Placed {
        order_no: "UF3400820771565023232".to_owned(),
        transaction_no: Some("ZC3400820772676513793".to_owned()),
        order_id: Some("1780063".to_owned()),
        instance_id: Some("1946711".to_owned()),
        order_status: Some("succeed".to_owned()),
        product_no: Some("3076913644890832896".to_owned()),
        request_id: Some("0ef8080f1ae8becfd5c93c07023bf4c1".to_owned()),
        raw: TUTORIAL.to_owned(),
    };
    assert_eq!(placed_of(200, TUTORIAL), expected);
}

#[test]
fn ids_that_come_as_numbers_keep_their_digits() {
    let body = r#"{"code":"success","result":{"orderNo":34008207715650232329,"orderId":1780063,"new":1.10}}"#;
    let placed = placed_of(201, body);
    assert_eq!(placed.order_no, "34008207715650232329");
    assert_eq!(placed.order_id.as_deref(), Some("1780063"));
    assert_eq!(placed.raw, body, "fields unknown today are kept");
}

#[test]
fn a_success_without_an_order_number_is_unknown() {
    for result in
        ["null", "{}", "[]", r#"{"orderNo":null}"#, r#"{"orderNo":" "}"#, r#"{"orderNo":{}}"#, r#"{"orderId":"1"}"#, r#""UF1""#]
    {
        assert!(is_unknown(200, &format!(r#"{{"code":"success","status":200,"result":{result}}}"#)), "{result}");
    }
}

#[test]
fn a_success_that_http_or_envelope_deny_is_unknown() {
    for status in [302, 400, 401, 403, 404, 408, 429, 500, 502, 503] {
        assert!(is_unknown(status, TUTORIAL), "{status}");
        assert!(is_unknown(200, &TUTORIAL.replace("\"status\":200", &format!("\"status\":{status}"))), "{status}");
    }
    assert!(is_unknown(200, &TUTORIAL.replace("\"success\"", "\"Success\"")));
    assert!(is_unknown(200, &TUTORIAL.replace("\"orderNo\"", "\"orderNo\":\"A\",\"orderNo\"").replace("\"success\"", "\"x\"")));
}

#[test]
fn a_listed_refusal_proves_that_nothing_was_created() {
    let refusal = |status: &str, result: &str| {
        format!(r#"{{"code":"parameter_validation_failed","detailMessage":"quantity","requestId":"r1"{status}{result}}}"#)
    };
    for (http, status) in
        [(200, r#","status":400"#), (400, r#","status":400"#), (400, ""), (422, r#","status":"400""#), (200, "")]
    {
        for result in ["", r#","result":null"#, r#","result":{}"#, r#","result":"""#] {
            assert_eq!(why(http, &refusal(status, result)), Some(Why::Refused), "{http} {status} {result}");
        }
    }
    let Outcome::NotPlaced(proof) = outcome_of(400, refusal("", "")) else { panic!("not a proof") };
    assert_eq!(
        (proof.message.as_str(), proof.code.as_deref(), proof.request_id.as_deref(), proof.http_status),
        ("HTTP 400: quantity", Some("parameter_validation_failed"), Some("r1"), Some(400))
    );
}

#[test]
fn a_listed_code_beside_contradicting_evidence_is_unknown() {
    let body = |rest: &str| format!(r#"{{"code":"parameter_validation_failed","detailMessage":""{rest}}}"#);
    for http in [201, 202, 204, 301, 302, 307, 308, 408, 409, 423, 425, 499, 500, 502, 503, 504] {
        assert!(is_unknown(http, &body("")), "HTTP {http}");
    }
    for rest in [
        r#","status":200"#,
        r#","status":500"#,
        r#","status":409"#,
        r#","status":"odd""#,
        r#","status":{}"#,
        r#","result":{"orderNo":"UF1"}"#,
        r#","result":{"any":"thing"}"#,
        r#","result":["UF1"]"#,
        r#","result":1780063"#,
        r#","result":false"#,
        r#","orderNo":"UF1""#,
        r#","data":{"list":[{"order_no":17}]}"#,
        r#","code":"parameter_validation_failed""#,
        r#","result":null,"result":{"orderNo":"UF1"}"#,
    ] {
        assert!(is_unknown(400, &body(rest)), "{rest}");
        assert!(is_unknown(200, &body(rest)), "{rest}");
    }
    let deep = format!(r#","data":{}{{"orderNo":"UF1"}}{}"#, "[".repeat(200), "]".repeat(200));
    assert!(is_unknown(400, &body(&deep)), "too deep to be searched");
    assert!(is_unknown(400, r#"{"code":"parameter_validation_failed","detailMessage":"order UF3400820771565023232 is unpaid"}"#));
}

#[test]
fn a_refusal_with_any_other_code_is_unknown() {
    for code in ["balance_insufficient", "", "parameter", "success", "PARAMETER_VALIDATION_X", " parameter_validation_x"] {
        for http in [200, 400, 403, 404, 422] {
            assert!(is_unknown(http, &format!(r#"{{"code":"{code}","status":400,"result":null}}"#)), "{code} {http}");
        }
    }
    assert!(is_unknown(400, r#"{"code":5,"status":400}"#));
    assert!(is_unknown(400, r#"{"status":400}"#));
    assert!(is_unknown(400, r#"["parameter_validation_x"]"#));
}

#[test]
fn the_list_of_codes_can_be_extended() {
    let response =
        Response { status: 400, body: Bytes::from_static(br#"{"code":"quantity_mismatch"}"#), date: None, retry_after: None };
    let codes = ValidationCodes::new(&["quantity_*".to_owned()]);
    let Outcome::NotPlaced(proof) = classify_order(Ok(&response), &codes) else { panic!("not a proof") };
    assert_eq!(proof.why, Why::Refused);
}

#[test]
fn a_401_or_429_proves_that_nothing_was_created() {
    for (status, expected) in [(401, Why::Unauthorized), (429, Why::TooManyRequests)] {
        assert_eq!(why(status, ""), Some(expected));
        assert_eq!(why(status, "<html>"), Some(expected));
        assert_eq!(why(status, "{\"error\":\"x\"}"), Some(expected));
        assert_eq!(why(status, r#"{"code":"e","status":"UNAUTHORIZED"}"#), Some(expected));
        let envelope = format!(r#"{{"code":"e","status":{status},"result":null}}"#);
        for http in [200, 400, 403, status] {
            assert_eq!(why(http, &envelope), Some(expected), "HTTP {http}");
        }
    }
}

#[test]
fn a_401_or_429_beside_contradicting_evidence_is_unknown() {
    for status in [401, 429] {
        for body in [
            r#"{"code":"success","status":200,"result":{}}"#,
            r#"{"code":"e","status":500}"#,
            r#"{"code":"e","status":200}"#,
            r#"{"code":"e","result":{"orderNo":"UF1"}}"#,
            r#"{"orderNo":"UF1"}"#,
            r#"{"code":"e","detailMessage":"UF3400820771565023232"}"#,
        ] {
            assert!(is_unknown(status, body), "{status} {body}");
        }
        let envelope = format!(r#"{{"code":"e","status":{status}}}"#);
        for http in [201, 302, 408, 409, 500, 503] {
            assert!(is_unknown(http, &envelope), "HTTP {http}");
        }
        assert!(is_unknown(200, &format!(r#"{{"code":"success","status":{status}}}"#)));
        assert!(is_unknown(200, &format!(r#"{{"code":"e","status":{status},"result":{{"a":1}}}}"#)));
        assert!(is_unknown(200, &format!(r#"{{"code":"e","status":{status}"#)), "cut");
    }
}

#[test]
fn everything_else_is_unknown_and_kept() {
    for http in [200, 204, 301, 302, 307, 308, 400, 403, 404, 408, 409, 500, 502, 503, 504] {
        for body in ["", "<html>", "null", "{", r#"{"code":"busy"}"#, "\u{feff}{}", "{}{}"] {
            assert!(is_unknown(http, body), "{http} {body}");
        }
    }
    let Outcome::Unknown(unknown) = outcome_of(503, b"\xff<html>") else { panic!("a proof of nothing") };
    assert_eq!((unknown.http_status, unknown.retry_after, unknown.raw.as_deref()), (Some(503), Some(30), Some("\u{fffd}<html>")));
}

#[test]
fn an_answer_that_did_not_come_is_judged_by_whether_the_order_left() {
    let outcome = |reached, status| {
        let error = TransportError { reached, what: "refused".to_owned(), status };
        classify_order(Err(&error), &ValidationCodes::default())
    };
    assert!(matches!(outcome(Reached::No, None), Outcome::NotPlaced(proof) if proof.why == Why::NeverSent));
    assert!(matches!(outcome(Reached::Maybe, None), Outcome::Unknown(_)));
    assert!(matches!(outcome(Reached::Maybe, Some(401)), Outcome::Unknown(unknown) if unknown.http_status == Some(401)));
    assert!(matches!(outcome(Reached::No, Some(200)), Outcome::Unknown(_)));
}

/// JSON that looks much like an envelope, in all combinations.
fn near_envelope() -> impl Strategy<Value = String> {
    let word = |words: &'static [&'static str]| proptest::sample::select(words);
    let code = word(&["\"success\"", "\"parameter_validation_x\"", "\"other\"", "null", "7", "\"\""]);
    let status = word(&["200", "\"200\"", "401", "429", "400", "500", "null", "{}", "-1", "1e3"]);
    let result = word(&[
        "null",
        "{}",
        r#"{"orderNo":"UF1"}"#,
        r#"{"orderNo":17}"#,
        r#"{"orderNo":""}"#,
        r#"{"a":[{"orderNo":"UF1"}]}"#,
        "[]",
        "\"UF1\"",
    ]);
    let rest = word(&["", r#","detailMessage":"m""#, r#","orderId":"1""#, r#","code":"success""#, ",", "}"]);
    (code, status, result, rest)
        .prop_map(|(code, status, result, rest)| format!(r#"{{"code":{code},"status":{status},"result":{result}{rest}}}"#))
}

/// The rules once more, from the other side and without the code under test.
fn check(status: u16, body: &[u8]) {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let order_no = json.pointer("/result/orderNo").filter(|no| !no.is_null() && *no != "");
    match outcome_of(status, body) {
        Outcome::Placed(placed) => {
            let given = order_no.map(|no| no.as_str().map_or_else(|| no.to_string(), str::to_owned));
            assert_eq!(given, Some(placed.order_no));
            assert_eq!((status / 100, &json["code"]), (2, &Value::from("success")));
        }
        Outcome::NotPlaced(proof) => {
            assert!(order_no.is_none(), "an order number came with it");
            assert!(status == 200 || status / 100 == 4, "HTTP {status} proves nothing");
            assert_ne!(json["code"], "success");
            if proof.why == Why::Refused {
                assert!(json["code"].as_str().is_some_and(|code| code.starts_with("parameter_validation_")));
            }
            assert_ne!(proof.why, Why::NeverSent);
        }
        Outcome::Unknown(unknown) => assert_eq!(unknown.http_status, Some(status)),
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_a_wrong_proof(status in 200u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(status, &body);
    }

    #[test]
    fn near_envelopes_are_never_a_wrong_proof(
        status in proptest::sample::select(&[200u16, 201, 302, 400, 401, 403, 404, 408, 409, 429, 500, 503][..]),
        body in near_envelope(),
    ) {
        check(status, body.as_bytes());
    }

    #[test]
    fn a_damaged_success_is_never_a_proof_that_nothing_was_created(at in 0..TUTORIAL.len(), byte in any::<u8>(), keep in any::<bool>()) {
        let mut body = TUTORIAL.as_bytes().to_vec();
        if keep { body[at] = byte } else { body.truncate(at) }
        prop_assert!(!matches!(outcome_of(200, &body), Outcome::NotPlaced(_)));
    }
}
