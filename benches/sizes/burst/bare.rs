//! A bare loop of the HTTP client that carries orders: no database, no list, no decision.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use renewd::portal::http::HttpTransport;
use renewd::portal::transport::{Method, Request, Sending, Transport as _};
use secrecy::SecretString;
use serde_json::Value;
use tokio::task::JoinSet;

/// The client, and a token.
pub struct Bare {
    transport: Arc<HttpTransport>,
    authorization: SecretString,
}

impl Bare {
    pub async fn new(portal: SocketAddr) -> Result<Self> {
        let transport = HttpTransport::new(&format!("http://{portal}").parse()?, None)?;
        let form = "client_id=sandbox&client_secret=sandbox&grant_type=pp_credentials";
        let request = Request {
            method: Method::Post,
            path: "/auth/openapi/v1/oauth/token".to_owned(),
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: None,
            body: Bytes::from_static(form.as_bytes()),
            sending: Sending::Repeatable,
        };
        let answer: Value = serde_json::from_slice(&transport.send(request).await?.body)?;
        let token = answer["result"]["token"].as_str().context("no token")?;
        Ok(Self { authorization: format!("Bearer {token}").into(), transport: Arc::new(transport) })
    }

    /// Sends so many orders, always `at_once` of them in flight.
    pub async fn send(&self, orders: usize, at_once: usize) -> Result<()> {
        let mut flying = JoinSet::new();
        for order in 0..orders {
            if flying.len() >= at_once {
                flying.join_next().await.transpose()?.transpose()?;
            }
            let (transport, request) = (Arc::clone(&self.transport), self.order(order));
            flying.spawn(async move {
                let status = transport.send(request).await?.status;
                ensure!(status == 200, "the portal answered {status}");
                Ok(())
            });
        }
        while let Some(done) = flying.join_next().await {
            done??;
        }
        Ok(())
    }

    fn order(&self, number: usize) -> Request {
        let partner = 3_076_915_454_489_739_264 + number;
        let body = format!(
            r#"{{"operationType":"renew_service","productId":21,"partnerId":{partner},"billingId":3197218168379846218,"poNumber":"BARE-{number}",
                "serviceList":[{{"serviceType":"service","serviceId":3375819276601303040,"purchaseType":"renew","quantity":10,
                                "billingModel":"recurring","billingCycle":"annually","multiCycle":0}}]}}"#
        );
        Request {
            method: Method::Post,
            path: "/order/openapi/order/v1/save".to_owned(),
            content_type: Some("application/json"),
            authorization: Some(self.authorization.clone()),
            body: body.into(),
            sending: Sending::AtMostOnce,
        }
    }
}
