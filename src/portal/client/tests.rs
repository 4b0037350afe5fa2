use std::collections::VecDeque;
use std::sync::Mutex;

use secrecy::ExposeSecret;

use super::*;
use crate::clock::ManualClock;
use crate::portal::transport::{Reached, TransportError};

const TOKEN: &str = r#"{"code":"success","status":200,"result":{"token":"hunter2","expiresIn":"1800"}}"#;
const PLACED: &str = r#"{"code":"success","status":200,"result":{"orderNo":"UF1"}}"#;

/// Answers calls from a script and remembers them.
#[derive(Default)]
struct Portal {
    script: Mutex<VecDeque<Result<Response, TransportError>>>,
    calls: Mutex<Vec<Request>>,
}

impl Transport for Arc<Portal> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.calls.lock().unwrap().push(request);
        self.script.lock().unwrap().pop_front().expect("no more calls were expected")
    }
}

impl Portal {
    fn paths(&self) -> Vec<String> {
        let name = |request: &Request| request.path.rsplit('/').next().unwrap_or_default().to_owned();
        self.calls.lock().unwrap().iter().map(name).collect()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script")]
fn answer(status: u16, body: &str) -> Result<Response, TransportError> {
    let date = "2027-02-15T09:00:00Z".parse().ok();
    Ok(Response { status, body: body.to_owned().into(), date, retry_after: Some(5) })
}

fn away(reached: Reached) -> Result<Response, TransportError> {
    Err(TransportError { reached, what: "the connection was refused".to_owned(), status: None })
}

fn client(script: impl IntoIterator<Item = Result<Response, TransportError>>) -> (Arc<Portal>, PortalClient) {
    let portal = Arc::new(Portal { script: Mutex::new(script.into_iter().collect()), calls: Mutex::default() });
    let clock = Arc::new(ManualClock::at("2027-02-15T09:00:00Z".parse().unwrap()));
    let credentials = Credentials { client_id: "id-1".into(), client_secret: "hunter2".into() };
    (Arc::clone(&portal), PortalClient::new(portal, credentials, clock, ValidationCodes::default()))
}

fn intent() -> Committed {
    Committed::in_test(b"{\"the\":\"order\"}")
}

fn why(placement: &Placement) -> Option<Why> {
    match &placement.outcome {
        Outcome::NotPlaced(proof) => Some(proof.why),
        _ => None,
    }
}

#[tokio::test]
async fn an_order_goes_out_once_with_its_committed_bytes() {
    let (portal, client) = client([answer(200, TOKEN), answer(200, PLACED)]);
    client.ready().await.unwrap();
    let placement = client.place(intent()).await;
    assert!(matches!(&placement.outcome, Outcome::Placed(placed) if placed.order_no == "UF1"));
    assert_eq!(placement.date.unwrap().to_string(), "2027-02-15T09:00:00Z");
    let calls = portal.calls.lock().unwrap();
    let save = &calls[1];
    assert_eq!(
        (save.method, save.path.as_str(), save.sending),
        (Method::Post, "/order/openapi/order/v1/save", Sending::AtMostOnce)
    );
    assert_eq!((save.content_type, &save.body[..]), (Some("application/json"), &b"{\"the\":\"order\"}"[..]));
    assert_eq!(save.authorization.as_ref().unwrap().expose_secret(), "Bearer hunter2");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    for (token_call, expected) in [
        (answer(401, ""), Why::Unauthorized),
        (answer(400, r#"{"error":"invalid_client"}"#), Why::Unauthorized),
        (answer(200, r#"{"code":"bad_secret","status":400}"#), Why::Unauthorized),
        (answer(403, ""), Why::Unauthorized),
        (answer(503, ""), Why::NoToken),
        (answer(429, ""), Why::NoToken),
        (answer(200, "<html>"), Why::NoToken),
        (answer(200, r#"{"code":"success","result":{}}"#), Why::NoToken),
        (away(Reached::No), Why::NoToken),
        (away(Reached::Maybe), Why::NoToken),
    ] {
        let (portal, client) = client([token_call]);
        let placement = client.place(intent()).await;
        assert_eq!((why(&placement), placement.date), (Some(expected), None));
        assert_eq!(portal.paths(), ["token"]);
    }
}

#[tokio::test]
async fn a_401_ends_the_attempt_and_the_token() {
    let refused = r#"{"code":"token_expired","status":401}"#;
    for no in [answer(401, ""), answer(200, refused), answer(401, refused)] {
        let (portal, client) = client([answer(200, TOKEN), no, answer(200, TOKEN), answer(200, PLACED)]);
        assert_eq!(why(&client.place(intent()).await), Some(Why::Unauthorized));
        assert_eq!(portal.paths(), ["token", "save"], "never repeated");
        assert!(matches!(client.place(intent()).await.outcome, Outcome::Placed(_)));
        assert_eq!(portal.paths(), ["token", "save", "token", "save"]);
    }
}

#[tokio::test]
async fn no_failure_sends_an_order_again() {
    for (failure, expected) in [
        (away(Reached::No), Some(Why::NeverSent)),
        (away(Reached::Maybe), None),
        (answer(503, ""), None),
        (answer(429, ""), Some(Why::TooManyRequests)),
        (answer(307, ""), None),
        (answer(400, r#"{"code":"parameter_validation_failed"}"#), Some(Why::Refused)),
    ] {
        let (portal, client) = client([answer(200, TOKEN), failure]);
        assert_eq!(why(&client.place(intent()).await), expected);
        assert_eq!(portal.paths(), ["token", "save"]);
    }
}

#[tokio::test]
async fn a_read_is_repeated_once_with_a_new_token() {
    let refused = r#"{"code":"token_expired","status":401}"#;
    let page = r#"{"code":"success","status":200,"result":{"results":[],"total":0}}"#;
    let (portal, first) = client([answer(200, TOKEN), answer(200, refused), answer(200, TOKEN), answer(200, page)]);
    assert_eq!(first.orders(2, 100).await.unwrap().value.rows, []);
    assert_eq!(portal.paths(), ["token", "page?pageNo=2&pageSize=100", "token", "page?pageNo=2&pageSize=100"]);
    let (portal, second) = client([answer(200, TOKEN), answer(401, ""), answer(200, TOKEN), answer(401, "")]);
    assert!(matches!(second.orders(1, 25).await, Err(ReadError::Unauthorized { .. })));
    assert_eq!(portal.paths().len(), 4);
}

#[tokio::test]
async fn every_look_up_has_its_documented_path() {
    let list = || answer(200, r#"{"code":"success","result":[]}"#);
    let detail = answer(200, r#"{"code":"success","result":{"basicInformation":{}}}"#);
    let (portal, client) = client([answer(200, TOKEN), list(), list(), list(), list(), detail]);
    client.products().await.unwrap();
    client.partners().await.unwrap();
    client.contacts().await.unwrap();
    client.services("11", Some("3631&A")).await.unwrap();
    client.order("UF/1").await.unwrap();
    let calls: Vec<_> = portal.calls.lock().unwrap().iter().skip(1).map(|call| call.path.clone()).collect();
    assert_eq!(
        calls,
        [
            "/pricing/openapi/purchase/v1/product_list",
            "/user/openapi/user/v1/client/partner_list",
            "/user/openapi/user/v1/client/billing_contact_list",
            "/pricing/openapi/purchase/v1/purchase_product_info?productId=11&productNo=3631%26A",
            "/order/openapi/order/v1/get/UF%2F1",
        ]
    );
}

#[tokio::test]
async fn an_id_that_climbs_out_of_its_folder_is_not_asked_for() {
    for id in ["", ".", ".."] {
        let (portal, client) = client([]);
        assert!(matches!(client.order(id).await, Err(ReadError::NotFound { .. })));
        assert!(portal.paths().is_empty());
    }
}

#[tokio::test]
async fn an_answer_of_another_shape_is_malformed_not_empty() {
    for body in [r#"{"code":"success","result":{}}"#, r#"{"code":"success","result":null}"#, r#"{"code":"success"}"#, "{}", ""] {
        let (_, client) = client([answer(200, TOKEN), answer(200, body)]);
        assert!(matches!(client.orders(1, 25).await, Err(ReadError::Malformed { .. })), "{body}");
    }
}

#[tokio::test]
async fn no_secret_is_printed() {
    let (portal, client) = client([answer(200, TOKEN), away(Reached::Maybe)]);
    let placement = client.place(intent()).await;
    let said = format!("{client:?} {placement:?} {:?}", portal.calls.lock().unwrap());
    assert!(!said.contains("hunter2") && !said.contains("id-1"), "{said}");
}

#[tokio::test]
async fn details_that_do_not_name_the_order_they_were_asked_for_are_as_good_as_garbage() {
    let of = |named: &str| answer(200, &format!(r#"{{"code":"success","status":200,"result":{{"orderInformation":{named}}}}}"#));
    let (portal, client) =
        client([answer(200, TOKEN), of(r#"{"id":7,"orderNo":"UF7"}"#), of(r#"{"id":8,"orderNo":"UF8"}"#), of(r#"{"x":1}"#)]);
    assert!(client.order_of(Some("7"), Some("UF7")).await.is_ok());
    for _ in 0..2 {
        let error = client.order_of(Some("7"), Some("UF7")).await.unwrap_err();
        assert!(matches!(&error, ReadError::Malformed { what } if what.contains("order UF7")), "{error}");
    }
    assert_eq!(portal.paths(), ["token", "7", "7", "7"]);
}
