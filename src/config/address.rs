//! Addresses and programs that the file names: the portal, a proxy, a webhook, a command; and the heartbeat's cron pattern.
//!
//! Owns what keeps them safe: no credentials in them, nothing in plain text beyond this machine, no program found by luck.

use tokio_cron_scheduler::Job;
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::model::is_loopback;
use super::value::{Wrong, list, text};

type Value<'i> = Spanned<DeValue<'i>>;

/// The portal's base address.
pub(super) fn portal(value: &Value<'_>) -> Result<Url, Wrong> {
    const MUST: &str = "an https address (http only on loopback) without query or fragment";
    let url = secured(value, MUST)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new(MUST, "nothing may follow the path"));
    }
    Ok(url)
}

/// A webhook: https, or http on loopback.
pub(super) fn webhook(value: &Value<'_>) -> Result<Url, Wrong> {
    secured(value, "an https address (http only on loopback)")
}

/// A proxy. Plain http is usual: what passes through it is encrypted from end to end.
pub(super) fn proxy(value: &Value<'_>) -> Result<Url, Wrong> {
    const MUST: &str = "the address of an http or https proxy";
    let url = address(value, MUST)?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(Wrong::new(MUST, "this scheme is none of these")) }
}

fn secured(value: &Value<'_>, must: &str) -> Result<Url, Wrong> {
    let url = address(value, must)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(Wrong::new(must, "this would travel unencrypted")),
        _ => Err(Wrong::new(must, "this scheme is neither")),
    }
}

/// A URL with a host and without credentials. Never quoted in a message: what is wrong with it may be its password.
fn address(value: &Value<'_>, must: &str) -> Result<Url, Wrong> {
    let url = Url::parse(text(value)?).map_err(|error| Wrong::new(must, format!("this is no address: {error}")))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Wrong::new(must, "this names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new(must, "user and password may not stand here").help("credentials never stand in the file"));
    }
    Ok(url)
}

/// A program by its absolute path, and its arguments. A relative one would depend on where the daemon was started.
pub(super) fn command(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    const MUST: &str = "a program by its absolute path, then its arguments";
    let words = list(value, |word| {
        let wrong = || Wrong::new(MUST, "no program can be given this character");
        if word.contains('\0') { Err(wrong()) } else { Ok(word.to_owned()) }
    })?;
    match words.first() {
        Some(program) if program.starts_with('/') => Ok(words),
        Some(_) => Err(Wrong::new(MUST, "the first one does not begin with /")),
        None => Err(Wrong::new(MUST, "this is empty")),
    }
}

/// Codes that prove that nothing was ordered (R15). One that is too general would turn an order of unknown fate into one that
/// may be sent again, so a `*` needs a few characters before it, and success can never be among them.
pub(super) fn validation_codes(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    const MUST: &str = "a list of error codes, each may end in *";
    const LEAST: usize = 6;
    list(value, |code| {
        let stem = code.strip_suffix('*').unwrap_or(code);
        let wrong = |label: &str| Err(Wrong::new(MUST, label));
        match stem {
            _ if stem.is_empty()
                || !stem.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':')) =>
            {
                wrong("this is no code")
            }
            _ if stem != code && stem.len() < LEAST => wrong("this would match too much"),
            _ if "success".starts_with(stem) => wrong("this means that the order was placed"),
            _ => Ok(code.to_owned()),
        }
    })
}

/// The heartbeat's pattern, as the scheduler itself will read it.
pub(super) fn cron(value: &Value<'_>) -> Result<String, Wrong> {
    const MUST: &str = "a cron expression of six fields: second, minute, hour, day, month, weekday";
    let pattern = text(value)?;
    let fields = pattern.split_whitespace().count();
    if fields != 6 {
        return Err(Wrong::new(MUST, format!("this has {fields}")));
    }
    let taken = pattern.is_ascii() && Job::new_async(pattern, |_, _| Box::pin(async {})).is_ok();
    if taken { Ok(pattern.to_owned()) } else { Err(Wrong::new(MUST, "the scheduler does not understand this")) }
}
