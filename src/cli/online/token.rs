//! Credentials, tokens, errors and the clock (sections 1 and 2 of the vendor's guide).

use super::{Findings, Portal, Verdict};
use crate::clock::{Clock as _, WallClock};

const PARTNERS: &str = "/user/openapi/user/v1/client/partner_list";
/// No order has it.
const NO_ORDER: &str = "/order/openapi/order/v1/get/0";
/// R13: a clock that is further off orders nothing.
const MOST_OFF: i64 = 3600;

/// Whether the credentials are good, so that anything else can be asked.
pub(super) async fn ask(portal: &Portal, other: Option<&Portal>, findings: &mut Findings) -> bool {
    if let Err(error) = portal.ready().await {
        findings.add(Verdict::Bad, "the credentials are accepted", error.to_string(), "nothing else can be asked");
        return false;
    }
    findings.ok("the credentials are accepted", "a token was given");
    granted(portal, findings).await;
    refreshed(portal, findings).await;
    if let Some(other) = other {
        outlived(portal, other, findings).await;
    }
    date(portal, findings).await;
    errors(portal, findings).await;
    true
}

/// The guide gives no unit for `expiresIn`, and a string for a number.
async fn granted(portal: &Portal, findings: &mut Findings) {
    const ASSUMED: &str = "expiresIn is a number of seconds, 30 minutes by the guide";
    let Some(granted) = portal.granted().await else { return };
    let life = granted.expires_in.clone().unwrap_or_else(|| "it is missing".to_owned());
    let seconds: Option<i64> = life.trim_matches('"').parse().ok();
    let plausible = seconds.is_some_and(|seconds| (60..=86_400).contains(&seconds));
    findings.either(plausible, Verdict::Differs, ASSUMED, life, "30 minutes are assumed instead, and a 401 brings a new token");
    let shows = if granted.other_head { "another word" } else { "Bearer" };
    findings.ok("tokenHead is the word before the token", shows);
}

async fn refreshed(portal: &Portal, findings: &mut Findings) {
    const ASSUMED: &str = "a token can be renewed by its refresh token";
    match portal.refresh().await {
        Ok(Some(true)) => findings.ok(ASSUMED, "it can, and a new refresh token comes with it"),
        Ok(Some(false)) => findings.ok(ASSUMED, "it can, and the refresh token stays the same"),
        Ok(None) => findings.add(Verdict::Differs, ASSUMED, "no refresh token is given", "the credentials are used each time"),
        Err(error) => findings.add(Verdict::Differs, ASSUMED, error.to_string(), "the credentials are used instead"),
    }
}

async fn outlived(portal: &Portal, other: &Portal, findings: &mut Findings) {
    const ASSUMED: &str = "a new token leaves the older one alone";
    const MEANS: &str = "a running daemon fetches another when its token is ended, as by this check; an order that meets the 401 is sent \
                         again as a new attempt, so run nothing else with these credentials";
    if portal.look(PARTNERS).await.is_err() || other.ready().await.is_err() {
        return; // said elsewhere
    }
    let Ok(seen) = portal.look(PARTNERS).await else { return };
    let ended = seen.result().is_none();
    findings.either(!ended, Verdict::Differs, ASSUMED, if ended { "it ends it" } else { "both work" }, MEANS);
}

/// R13 and R20 count by it.
async fn date(portal: &Portal, findings: &mut Findings) {
    const ASSUMED: &str = "every answer has a fresh Date, and the clocks agree";
    let Ok(seen) = portal.look(PARTNERS).await else { return };
    let Some(date) = seen.date else {
        return findings.add(
            Verdict::Differs,
            ASSUMED,
            "no Date, or one with an Age (a cache is in between)",
            "only this machine's clock tells how long an order has been absent: keep it right (NTP)",
        );
    };
    let off = WallClock.now().duration_since(date).as_secs();
    let shows = format!("this clock is {} s {} the portal's", off.abs(), if off < 0 { "behind" } else { "ahead of" });
    findings.either(
        off.abs() < MOST_OFF,
        Verdict::Bad,
        ASSUMED,
        shows,
        "nothing is ordered until they agree within an hour: set this machine's clock",
    );
}

/// An order that does not exist: how does this portal say no?
async fn errors(portal: &Portal, findings: &mut Findings) {
    const ASSUMED: &str = "an error comes with an HTTP status, or in the envelope";
    match portal.look(NO_ORDER).await {
        Ok(seen) if seen.result().is_some_and(|result| result.as_object().is_some_and(|fields| !fields.is_empty())) => findings
            .add(
                Verdict::Differs,
                ASSUMED,
                "an order that does not exist is answered with success",
                "look with `renewd history` whether what is shown of an order is of that order; please report it",
            ),
        Ok(seen) => {
            let code = seen.body["code"].as_str().unwrap_or("no code");
            findings.ok(ASSUMED, format!("HTTP {}, envelope status {}, code {code}", seen.http_status, seen.body["status"]));
        }
        Err(error) => findings.add(Verdict::NotYet, ASSUMED, error.to_string(), "ask again"),
    }
}
