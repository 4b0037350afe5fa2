//! Over a real loopback socket: fates of the connection, and the control endpoints.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

/// A running server.
struct Running {
    caller: Caller,
    address: std::net::SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<io::Result<()>>,
}

impl Running {
    async fn start() -> Self {
        Self::of(Caller::new(Settings::default())).await
    }

    async fn of(caller: Caller) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let served = tokio::spawn(serve(caller.portal.clone(), listener, stop.clone()));
        Self { caller, address, stop, served }
    }

    /// Sends a request and reads until the connection ends.
    async fn exchange(&self, method: &str, path: &str, body: &str) -> (Vec<u8>, io::Result<()>) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nUser-Agent: OpenAPI\r\nAuthorization: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.caller.authorization,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut bytes = Vec::new();
        let end = match stream.write_all(format!("{head}{body}").as_bytes()).await {
            Ok(()) => stream.read_to_end(&mut bytes).await.map(drop),
            Err(problem) => Err(problem),
        };
        (bytes, end)
    }

    /// The status line and the body of an exchange that ends well.
    async fn whole(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let (bytes, end) = self.exchange(method, path, body).await;
        end.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    async fn save(&self) -> (Vec<u8>, io::Result<()>) {
        self.exchange("POST", SAVE, TUTORIAL).await
    }

    fn orders(&self) -> usize {
        self.caller.portal.orders().len()
    }

    async fn stop(self) -> Caller {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
        self.caller
    }
}

#[tokio::test]
async fn an_order_over_http_is_answered_with_the_date_of_the_sandboxs_clock() {
    let server = Running::start().await;
    let (head, body) = server.whole("POST", SAVE, TUTORIAL).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("Mon, 15 Feb 2027 09:00:00 GMT"), "{head}");
    assert!(body.contains(r#""orderNo":"UF"#), "{body}");
    server.stop().await;
}

#[tokio::test]
async fn a_lost_answer_closes_without_a_byte_and_the_order_is_there() {
    let server = Running::start().await;
    server.caller.fault("save=lost-answer");
    let (bytes, end) = server.save().await;
    assert!(bytes.is_empty() && end.is_ok(), "{end:?}");
    assert_eq!(server.orders(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_reset_is_seen_as_a_reset() {
    let server = Running::start().await;
    server.caller.fault("save=reset");
    let (bytes, end) = server.save().await;
    assert_eq!((bytes.len(), end.unwrap_err().kind()), (0, io::ErrorKind::ConnectionReset));
    assert_eq!(server.orders(), 0);
    server.stop().await;
}

#[tokio::test]
async fn an_unread_request_gets_no_byte_and_makes_no_order() {
    let server = Running::start().await;
    server.caller.fault("save=unread");
    let (bytes, _) = server.save().await;
    assert_eq!((bytes.len(), server.orders(), server.caller.portal.calls_of(Endpoint::Save)), (0, 0, 1));
    server.stop().await;
}

#[tokio::test]
async fn a_cut_answer_announces_its_whole_length_and_breaks_off() {
    let server = Running::start().await;
    server.caller.fault("save=cut:15");
    let (bytes, _) = server.save().await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert_eq!((body, length > 200), (r#"{"code":"succes"#, true));
    server.stop().await;
}

#[tokio::test]
async fn a_hanging_answer_ends_with_the_server_and_not_before() {
    let server = Running::start().await;
    server.caller.fault("save=hang+done");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "POST {SAVE} HTTP/1.1\r\nHost: s\r\nUser-Agent: x\r\nAuthorization: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{TUTORIAL}",
        server.caller.authorization,
        TUTORIAL.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    while server.orders() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut byte = [0_u8; 1];
    let waited = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut byte)).await;
    assert!(waited.is_err(), "nothing came");
    server.stop().await;
    assert_eq!(stream.read(&mut byte).await.unwrap(), 0);
}

#[tokio::test]
async fn a_late_answer_comes_late() {
    let server = Running::start().await;
    server.caller.fault("save=late:150ms");
    let begun = std::time::Instant::now();
    let (bytes, _) = server.save().await;
    assert!(begun.elapsed() >= Duration::from_millis(150) && !bytes.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn while_down_connections_close_before_anything_is_read() {
    let server = Running::start().await;
    server.caller.fault("any=down");
    let (bytes, _) = server.save().await;
    assert_eq!((bytes.len(), server.caller.portal.calls_of(Endpoint::Save)), (0, 0));
    server.stop().await;
}

#[tokio::test]
async fn control_endpoints_show_and_steer_and_do_not_count() {
    let server = Running::start().await;
    let foreign = format!(r#"{{"by":"customer","status":"pending","request":{TUTORIAL}}}"#);
    let (head, body) = server.whole("POST", "/_sandbox/orders", &foreign).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head} {body}");
    let number = serde_json::from_str::<Value>(&body).unwrap()["orderNo"].as_str().unwrap().to_owned();
    server.whole("POST", &format!("/_sandbox/orders/{number}/status"), "cancelled").await;
    let (_, body) = server.whole("GET", "/_sandbox/orders", "").await;
    let orders: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((orders[0]["status"].as_str(), orders[0]["placedBy"].as_str()), (Some("cancelled"), Some("customer")));
    assert_eq!(orders[0]["request"]["productId"].as_u64(), Some(21));

    assert_eq!(server.whole("POST", "/_sandbox/faults", "save=500\nlist=hang\n").await.1, r#"{"faults":2}"#);
    let (head, problem) = server.whole("POST", "/_sandbox/faults", "save=lost-anser").await;
    assert!(head.starts_with("HTTP/1.1 400") && problem.contains("did you mean lost-answer?"), "{problem}");
    assert!(server.whole("POST", SAVE, TUTORIAL).await.0.starts_with("HTTP/1.1 500"));
    let (_, calls) = server.whole("GET", "/_sandbox/calls", "").await;
    let calls: Value = serde_json::from_str(&calls).unwrap();
    assert_eq!((calls["save"].as_u64(), calls["unknown"].as_u64()), (Some(1), Some(0)));
    assert!(server.whole("GET", "/_sandbox/nothing", "").await.0.starts_with("HTTP/1.1 404"));
    server.stop().await;
}

#[tokio::test]
async fn an_order_is_on_disk_before_its_answer_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let clock = ManualClock::at(start());
    let open = || Sandbox::open(&path, Arc::new(clock.clone()), Settings::default()).unwrap();
    let server = Running::of(Caller::of(open(), clock.clone())).await;
    server.save().await.1.unwrap();
    assert_eq!(open().orders(), server.caller.portal.orders());
    server.stop().await;
}

#[tokio::test]
async fn an_order_that_cannot_be_kept_is_not_answered_as_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("sandbox.json");
    let clock = ManualClock::at(start());
    let portal = Sandbox::open(&path, Arc::new(clock.clone()), Settings::default()).unwrap();
    let server = Running::of(Caller::of(portal, clock)).await;
    assert_eq!(server.save().await.0.len(), 0);
    server.stop.cancel();
    assert!(server.served.await.unwrap().is_err(), "and the end says so, too");
}

#[tokio::test]
async fn only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let portal = Caller::new(Settings::default()).portal;
    let problem = serve(portal, listener, CancellationToken::new()).await.unwrap_err();
    assert_eq!(problem.kind(), io::ErrorKind::InvalidInput);
}
