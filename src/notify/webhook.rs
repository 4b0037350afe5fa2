//! A JSON POST to a webhook. The URL can hold a secret, so no error shows it.

use std::time::Duration;

use url::Url;

use super::Failed;

/// Posts `body` once. A webhook may get the same message twice; that is cheaper than not getting it.
pub(super) async fn post(url: &Url, body: &str, timeout: Duration) -> Result<(), Failed> {
    let client = reqwest::Client::builder()
        .timeout(timeout)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Failed::always(error.to_string()))?;
    let answer = client
        .post(url.clone())
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
        .map_err(|error| Failed::now(error.without_url().to_string()))?;
    if answer.status().is_success() { Ok(()) } else { Err(Failed::now(format!("answered HTTP {}", answer.status().as_u16()))) }
}
