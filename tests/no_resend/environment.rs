//! A proxy that stands in the environment is not used: it could repeat an order, and it was not asked for. The environment is set for a
//! child process, because changing one's own is not safe beside other threads.

use std::process::Stdio;

use tokio::process::Command;

use super::server::{Manner, Server};
use super::{ENVELOPE, LONG, answer, order, transport, url};
use renewd::portal::transport::{Request, Sending, Transport};

const TARGET: &str = "RENEWD_TEST_TARGET";

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let bytes = answer(200, "", ENVELOPE);
    let (portal, proxy) = (Server::start(Manner::Answer(bytes.clone())).await, Server::start(Manner::Answer(bytes)).await);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "environment::child_sends", "--ignored", "--nocapture"]).stdout(Stdio::null());
    child.env(TARGET, url("http", &portal).as_str());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, url("http", &proxy).as_str());
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name); // each would hide the proxy from a client that looks for it
    }
    assert!(child.status().await.unwrap().success());
    let (portal, proxy) = (portal.finish().await, proxy.finish().await);
    assert_eq!((portal.posts(), proxy.connections), (2, 0));
}

#[tokio::test]
#[ignore = "run by a_proxy_of_the_environment_is_not_used, as a child"]
async fn child_sends() {
    let target = std::env::var(TARGET).unwrap();
    let portal = transport(&target.parse().unwrap(), LONG, LONG);
    for sending in [Sending::AtMostOnce, Sending::Repeatable] {
        assert_eq!(portal.send(Request { sending, ..order("{}") }).await.unwrap().status, 200);
    }
}
