//! An order leaves this machine at most once, whatever the other side does: the HTTP transport against servers that misbehave on a raw
//! socket and count what arrives (never-twice R15).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod environment;
mod server;

use std::time::Duration;

use bytes::Bytes;
use renewd::portal::http::{HttpTransport, Timeouts};
use renewd::portal::transport::{Method, Reached, Request, Response, Sending, Transport, TransportError};
use server::{Manner, Seen, Server};
use url::Url;

const ENVELOPE: &str = r#"{"code":"success","status":200,"result":{"orderNo":"UF1"}}"#;
/// Never reached by a test that passes.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

fn order(body: &'static str) -> Request {
    Request {
        method: Method::Post,
        path: "/order/openapi/order/v1/save".to_owned(),
        content_type: Some("application/json"),
        authorization: Some("Bearer hunter2".into()),
        body: Bytes::from_static(body.as_bytes()),
        sending: Sending::AtMostOnce,
    }
}

fn url(scheme: &str, server: &Server) -> Url {
    format!("{scheme}://{}", server.address).parse().unwrap()
}

fn transport(base: &Url, connect: Duration, total: Duration) -> HttpTransport {
    HttpTransport::with_timeouts(base, None, Timeouts { connect, total }).unwrap()
}

/// Sends one order to a server of this manner; what came of it, and what the server saw in all.
async fn send_to(manner: Manner) -> (Result<Response, TransportError>, Seen) {
    let server = Server::start(manner).await;
    let portal = transport(&url("http", &server), LONG, LONG);
    let sent = portal.send(order("{}")).await;
    drop(portal);
    (sent, server.finish().await)
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn assert_one_post(seen: &Seen) {
    assert_eq!((seen.posts(), seen.connections, seen.requests.len()), (1, 1, 1), "{seen:?}");
}

#[tokio::test]
async fn an_order_carries_the_documented_headers() {
    let (sent, seen) = send_to(Manner::Answer(answer(200, "Date: Mon, 15 Feb 2027 09:00:00 GMT\r\n", ENVELOPE))).await;
    let response = sent.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, ENVELOPE.as_bytes()));
    assert_eq!(response.date.unwrap().to_string(), "2027-02-15T09:00:00Z");
    assert_one_post(&seen);
    let (head, body) = &seen.requests[0];
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /order/openapi/order/v1/save http/1.1\r\n"), "{head}");
    for line in ["user-agent: openapi", "authorization: bearer hunter2", "content-type: application/json", "content-length: 2"] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert_eq!(body, b"{}");
}

#[tokio::test]
async fn a_connection_that_closes_or_resets_before_the_answer_leaves_it_unknown() {
    for manner in [Manner::AnswerAndClose(String::new()), Manner::Reset] {
        let (sent, seen) = send_to(manner).await;
        let error = sent.unwrap_err();
        assert_eq!((error.reached, error.status), (Reached::Maybe, None), "{error}");
        assert_one_post(&seen);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_keeps_its_status() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"code\":\"succ".to_owned();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cod\r\n".to_owned();
    for bytes in [half, chunked] {
        let (sent, seen) = send_to(Manner::AnswerAndClose(bytes)).await;
        let error = sent.unwrap_err();
        assert_eq!((error.reached, error.status), (Reached::Maybe, Some(200)), "{error}");
        assert_one_post(&seen);
    }
}

#[tokio::test]
async fn half_a_status_line_is_no_answer() {
    let (sent, seen) = send_to(Manner::AnswerAndClose("HTTP/1.1 2".to_owned())).await;
    assert_eq!(sent.unwrap_err().reached, Reached::Maybe);
    assert_one_post(&seen);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        // To itself: a client that follows would go round in a loop.
        let (sent, seen) = send_to(Manner::Answer(answer(status, "Location: /order/openapi/order/v1/save\r\n", ""))).await;
        assert_eq!(sent.unwrap().status, status);
        assert_one_post(&seen);
    }
}

#[tokio::test]
async fn an_error_answer_is_handed_over_and_not_answered_by_another_try() {
    for status in [401, 403, 408, 425, 429, 500, 502, 503, 504] {
        for close in ["", "Connection: close\r\n"] {
            let bytes = answer(status, &format!("Retry-After: 7\r\n{close}"), "busy");
            let manner = if close.is_empty() { Manner::Answer(bytes) } else { Manner::AnswerAndClose(bytes) };
            let (sent, seen) = send_to(manner).await;
            let response = sent.unwrap();
            assert_eq!((response.status, response.retry_after, &response.body[..]), (status, Some(7), &b"busy"[..]));
            assert_one_post(&seen);
        }
    }
}

#[tokio::test]
async fn a_100_continue_is_not_the_answer() {
    let bytes = format!("HTTP/1.1 100 Continue\r\n\r\n{}", answer(200, "", ENVELOPE));
    let (sent, seen) = send_to(Manner::Answer(bytes)).await;
    assert_eq!(sent.unwrap().status, 200);
    assert_one_post(&seen);
}

#[tokio::test]
async fn no_order_rides_on_the_connection_of_an_earlier_one() {
    for manner in
        [Manner::Answer(answer(200, "", ENVELOPE)), Manner::AnswerAndClose(answer(200, "Connection: keep-alive\r\n", ENVELOPE))]
    {
        let server = Server::start(manner).await;
        let portal = transport(&url("http", &server), LONG, LONG);
        for body in ["[1]", "[2]", "[3]"] {
            assert_eq!(portal.send(order(body)).await.unwrap().status, 200);
        }
        drop(portal);
        let seen = server.finish().await;
        let bodies: Vec<_> = seen.requests.iter().map(|(_, body)| body.as_slice()).collect();
        assert_eq!((bodies.as_slice(), seen.connections), (&[&b"[1]"[..], b"[2]", b"[3]"][..], 3));
    }
}

#[tokio::test]
async fn no_answer_in_time_leaves_it_unknown() {
    let server = Server::start(Manner::Silent).await;
    let portal = transport(&url("http", &server), LONG, SHORT);
    let error = portal.send(order("{}")).await.unwrap_err();
    assert_eq!((error.reached, error.what.as_str()), (Reached::Maybe, "no answer in time, after sending"));
    drop(portal);
    assert_one_post(&server.finish().await);
}

#[tokio::test]
async fn a_refused_connection_is_certainly_not_sent() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap(); // and closed again
    let portal = transport(&format!("http://{address}").parse().unwrap(), LONG, LONG);
    let error = portal.send(order("{}")).await.unwrap_err();
    assert_eq!((error.reached, error.what.as_str(), error.status), (Reached::No, "the connection was refused", None));
}

#[tokio::test]
async fn a_server_that_closes_without_reading_is_not_called_certain() {
    let (sent, _) = send_to(Manner::CloseUnread).await;
    assert_eq!(sent.unwrap_err().reached, Reached::Maybe);
}

#[tokio::test]
async fn a_timeout_while_connecting_is_certainly_not_sent() {
    for (connect, total) in [(SHORT, LONG), (LONG, SHORT)] {
        // A server that never answers the TLS greeting keeps the client connecting.
        let server = Server::start(Manner::Silent).await;
        let portal = transport(&url("https", &server), connect, total);
        let error = portal.send(order("{}")).await.unwrap_err();
        assert_eq!((error.reached, error.what.as_str()), (Reached::No, "timed out while connecting; nothing was sent"));
        drop(portal);
        assert_eq!(server.finish().await.requests.len(), 0);
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_is_certainly_not_sent() {
    let server = Server::start(Manner::CloseUnread).await;
    let portal = transport(&url("https", &server), LONG, LONG);
    let error = portal.send(order("{}")).await.unwrap_err();
    assert_eq!(error.reached, Reached::No, "{error}");
    assert!(error.what.contains("nothing was sent") || error.what.contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_caller_that_goes_away_while_connecting_leaves_no_order_behind() {
    let server = Server::start(Manner::Answer(answer(200, "", ENVELOPE))).await;
    let portal = transport(&url("http", &server), LONG, LONG);
    tokio::select! {
        biased;
        _ = portal.send(order("{}")) => panic!("a connection takes more than one poll"),
        () = std::future::ready(()) => {}
    }
    drop(portal);
    assert_eq!(server.finish().await.posts(), 0);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_leaves_it_unknown() {
    let (sent, seen) = send_to(Manner::AnswerAndClose(answer(200, "", &"x".repeat((1 << 20) + 1)))).await;
    let error = sent.unwrap_err();
    assert_eq!((error.reached, error.status), (Reached::Maybe, Some(200)), "{error}");
    assert_one_post(&seen);
}

#[tokio::test]
async fn a_proxy_that_refuses_the_tunnel_never_sees_the_order_and_its_password_is_not_printed() {
    let proxy = Server::start(Manner::AnswerAndClose(answer(407, "", ""))).await;
    let mut address = url("http", &proxy);
    address.set_username("user").unwrap();
    address.set_password(Some("hunter2")).unwrap();
    let base: Url = "https://portal.invalid".parse().unwrap();
    let portal = HttpTransport::with_timeouts(&base, Some(&address), Timeouts { connect: LONG, total: LONG }).unwrap();
    let error = portal.send(order("{}")).await.unwrap_err();
    assert_eq!(error.reached, Reached::No);
    assert!(!format!("{error} {error:?} {portal:?}").contains("hunter2"), "{error:?}");
    drop(portal);
    let seen = proxy.finish().await;
    assert!(seen.requests[0].0.starts_with("CONNECT portal.invalid:443 "), "{seen:?}");
    assert_eq!(seen.requests.len(), 1);
}

#[tokio::test]
async fn a_proxy_of_the_file_is_used_and_sends_once() {
    let proxy = Server::start(Manner::AnswerAndClose(String::new())).await;
    let base: Url = "http://127.0.0.1:1".parse().unwrap();
    let timeouts = Timeouts { connect: LONG, total: LONG };
    let portal = HttpTransport::with_timeouts(&base, Some(&url("http", &proxy)), timeouts).unwrap();
    assert_eq!(portal.send(order("{}")).await.unwrap_err().reached, Reached::Maybe);
    drop(portal);
    assert_one_post(&proxy.finish().await);
}

#[tokio::test]
async fn the_secret_of_a_token_call_follows_no_redirect() {
    let server = Server::start(Manner::Answer(answer(307, "Location: /elsewhere\r\n", ""))).await;
    let portal = transport(&url("http", &server), LONG, LONG);
    let request = Request { sending: Sending::Repeatable, ..order("client_secret=hunter2") };
    assert_eq!(portal.send(request).await.unwrap().status, 307);
    drop(portal);
    assert_one_post(&server.finish().await);
}
