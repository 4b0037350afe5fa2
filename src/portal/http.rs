//! Carries requests over HTTP with reqwest: orders at most once, everything else through an ordinary pooled client.
//!
//! Owns the two clients, the headers of every call and what is told of a failure. Never retries, never follows a redirect, never takes a
//! proxy from the environment, never interprets a body.

mod answer;
mod failure;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
use url::Url;

use super::once_body::once_body;
use super::transport::{Method, Reached, Request, Response, Sending, Transport, TransportError};

/// The word the vendor's guide uses (portal-api.md section 1).
const USER_AGENT: &str = "OpenAPI";
/// The largest answer to an order that is read, in bytes.
const ORDER_ANSWER_LIMIT: usize = 1 << 20;
/// The largest other answer that is read, in bytes.
const ANSWER_LIMIT: usize = 16 << 20;

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To resolve, connect and shake hands.
    pub connect: Duration,
    /// From the beginning of the call to the last byte of its answer.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_mins(1) }
    }
}

/// Why there is no transport. None of the texts holds a URL: a proxy's may carry a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportSetupError {
    /// Credentials and orders would cross the network in the clear.
    #[error("base_url must begin with https:// (http:// is accepted for this machine's own loopback address only)")]
    NotHttps,
    /// More than scheme, host, port and path.
    #[error("base_url must not hold a user name, a password, a query or a fragment: remove them")]
    NotPlain,
    /// The proxy's URL cannot be used.
    #[error("the proxy must be an http:// or https:// URL with a host: {0}")]
    Proxy(String),
    /// The HTTP client refused its settings.
    #[error("the HTTP client could not be set up (are the system's CA certificates installed?): {0}")]
    Client(String),
}

/// The transport of a real portal.
pub struct HttpTransport {
    base: String,
    orders: reqwest::Client,
    reads: reqwest::Client,
}

/// Says nothing but its kind: the clients hold the proxy's password.
impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// A transport to `base_url`, through `proxy` if one is given, with the ordinary [`Timeouts`].
    pub fn new(base_url: &Url, proxy: Option<&Url>) -> Result<Self, TransportSetupError> {
        Self::with_timeouts(base_url, proxy, Timeouts::default())
    }

    /// The same with other timeouts; for tests, which cannot wait a minute.
    pub fn with_timeouts(base_url: &Url, proxy: Option<&Url>, timeouts: Timeouts) -> Result<Self, TransportSetupError> {
        check_base(base_url)?;
        let common = || client(proxy, timeouts).map(|client| client.https_only(base_url.scheme() == "https"));
        Ok(Self {
            base: base_url.as_str().trim_end_matches('/').to_owned(),
            orders: build(common()?.http1_only().pool_max_idle_per_host(0).no_gzip())?,
            reads: build(common()?)?,
        })
    }

    /// The request as reqwest wants it, without its body.
    fn prepare(&self, request: &Request) -> Result<reqwest::RequestBuilder, TransportError> {
        if !request.path.starts_with('/') {
            return Err(not_sent("the path of a request must begin with /"));
        }
        let (method, client) = match (request.method, request.sending) {
            (Method::Get, Sending::AtMostOnce) => (reqwest::Method::GET, &self.orders),
            (Method::Get, Sending::Repeatable) => (reqwest::Method::GET, &self.reads),
            (Method::Post, Sending::AtMostOnce) => (reqwest::Method::POST, &self.orders),
            (Method::Post, Sending::Repeatable) => (reqwest::Method::POST, &self.reads),
        };
        Ok(client.request(method, format!("{}{}", self.base, request.path)).headers(headers(request)?))
    }
}

impl Transport for HttpTransport {
    /// For [`Sending::AtMostOnce`], `reached` is [`Reached::No`] exactly when the body's bytes were never asked for. For
    /// [`Sending::Repeatable`] it is a hint.
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let prepared = self.prepare(&request)?;
        match request.sending {
            Sending::AtMostOnce => {
                let (body, ticket) = once_body(request.body);
                let sent = prepared.body(reqwest::Body::wrap(body)).send().await;
                // The ticket lives until the answer is read: dropping it would withdraw the body.
                match sent {
                    Ok(response) => answer::read(response, ORDER_ANSWER_LIMIT).await,
                    Err(error) => Err(failure::unanswered(&error, if ticket.withdraw() { Reached::No } else { Reached::Maybe })),
                }
            }
            Sending::Repeatable => match prepared.body(request.body).send().await {
                Ok(response) => answer::read(response, ANSWER_LIMIT).await,
                Err(error) => {
                    let reached = if error.is_connect() { Reached::No } else { Reached::Maybe };
                    Err(failure::unanswered(&error, reached))
                }
            },
        }
    }
}

/// Whether `url` names this machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The file's checks have said this already; a mistake there must not send the secret in the clear.
fn check_base(url: &Url) -> Result<(), TransportSetupError> {
    if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)) {
        return Err(TransportSetupError::NotHttps);
    }
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if plain { Ok(()) } else { Err(TransportSetupError::NotPlain) }
}

/// What both clients have in common.
fn client(proxy: Option<&Url>, timeouts: Timeouts) -> Result<reqwest::ClientBuilder, TransportSetupError> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy() // HTTP_PROXY is read even without the feature for it
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total);
    match proxy {
        None => Ok(builder),
        Some(url) => Ok(builder.proxy(checked_proxy(url)?)),
    }
}

fn checked_proxy(url: &Url) -> Result<reqwest::Proxy, TransportSetupError> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(TransportSetupError::Proxy("this one is of another kind".to_owned()));
    }
    reqwest::Proxy::all(url.clone()).map_err(|error| TransportSetupError::Proxy(failure::cause(&error.without_url())))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, TransportSetupError> {
    builder.build().map_err(|error| TransportSetupError::Client(failure::cause(&error.without_url())))
}

/// `Content-Type` and `Authorization`; the latter marked, so that no layer prints it.
fn headers(request: &Request) -> Result<HeaderMap, TransportError> {
    let mut headers = HeaderMap::new();
    if let Some(kind) = request.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Some(secret) = &request.authorization {
        let mut value = HeaderValue::from_str(secret.expose_secret())
            .map_err(|_| not_sent("the token holds characters that no HTTP header can carry"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn not_sent(what: &str) -> TransportError {
    TransportError { reached: Reached::No, what: what.to_owned(), status: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(base: &str, proxy: Option<&str>) -> Result<HttpTransport, TransportSetupError> {
        let proxy = proxy.map(|url| url.parse().unwrap());
        HttpTransport::new(&base.parse().unwrap(), proxy.as_ref())
    }

    #[test]
    fn secrets_never_cross_the_network_in_the_clear() {
        for base in
            ["http://openapi.partner.yeastar.com", "http://192.168.0.4:8080", "http://localhost.example.org", "ftp://localhost"]
        {
            assert_eq!(setup(base, None).unwrap_err(), TransportSetupError::NotHttps, "{base}");
        }
        for base in ["https://openapi.partner.yeastar.com", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9/prefix/"]
        {
            assert!(setup(base, None).is_ok(), "{base}");
        }
    }

    #[test]
    fn a_base_url_with_credentials_is_refused_without_printing_them() {
        let refused = setup("https://user:hunter2@example.org", None).unwrap_err();
        assert_eq!(refused, TransportSetupError::NotPlain);
        assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    }

    #[test]
    fn the_proxys_password_is_never_printed() {
        let refused = setup("https://example.org", Some("socks5://user:hunter2@proxy:1")).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        let transport = setup("https://example.org", Some("http://user:hunter2@proxy:1")).unwrap();
        assert!(!format!("{transport:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_token_that_no_header_can_carry_is_not_sent_and_not_printed() {
        let transport = setup("http://127.0.0.1:9", None).unwrap();
        let request = Request {
            method: Method::Get,
            path: "/x".to_owned(),
            content_type: None,
            authorization: Some("Bearer hunter2\n".into()),
            body: bytes::Bytes::new(),
            sending: Sending::Repeatable,
        };
        assert!(!format!("{request:?}").contains("hunter2"));
        let error = transport.send(request).await.unwrap_err();
        assert_eq!(error.reached, Reached::No);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
